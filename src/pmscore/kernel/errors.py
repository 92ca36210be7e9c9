"""The one error tree.

    PmsError
    ├── DomainError               the business says no; expected
    │   ├── InvalidInputError     a value cannot be what it says it is; names the field
    │   ├── NotFoundError         no such thing in this agency
    │   ├── TransitionError       this status does not allow that act
    │   ├── RefusedError          one or more rules were violated; carries all of them
    │   ├── NotAuthenticatedError nobody has said who they are, or it does not hold
    │   ├── PermissionDeniedError this actor may not do this
    │   ├── TooManyRequestsError  somebody asks more often than they may
    │   └── KeyReusedError        an idempotency key came back with another request
    ├── ConflictError             somebody was faster, or is not done yet
    │   ├── NightsTakenError      another claim holds the nights (``inventory_overlap``)
    │   ├── StaleVersionError     what was read has changed since
    │   │   └── StaleHouseError   a remembered house has changed; it is forgotten now
    │   ├── PriceChangedError     what was quoted costs something else by now
    │   ├── BusyError             a lock was not granted in time
    │   └── RequestInProgressError  the same idempotency key is being worked on
    ├── PortError                 the outside failed; raised by adapters only
    │   ├── UnreachableError      no connection, no free connection, no room on the disk
    │   ├── SchemaOutOfDateError  the database lacks a table or column; names the migration
    │   └── MisconfiguredError    needs a human; never retried
    └── MisuseError               the calling program is wrong; never caught

Owns codes and parameters; leaves sentences for people to ``pms_web``. Every error has a stable ``code``
and ``params`` of plain values; neither ever holds a secret or a personal value.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from attrs import frozen

__all__ = [
    "BusyError",
    "ConflictError",
    "DomainError",
    "InvalidInputError",
    "KeyReusedError",
    "MisconfiguredError",
    "MisuseError",
    "NightsTakenError",
    "NotAuthenticatedError",
    "NotFoundError",
    "PermissionDeniedError",
    "PmsError",
    "PortError",
    "PriceChangedError",
    "RefusedError",
    "RequestInProgressError",
    "SchemaOutOfDateError",
    "StaleHouseError",
    "StaleVersionError",
    "TooManyRequestsError",
    "TransitionError",
    "UnreachableError",
    "Violation",
]

Param = str | int | None


class PmsError(Exception):
    """Root of all errors that pmscore and its adapters raise on purpose."""

    code: ClassVar[str] = "error"
    is_retryable: ClassVar[bool] = False

    def __init__(self, **params: Param) -> None:
        super().__init__(self.code, *(f"{name}={value}" for name, value in params.items()))
        self.params = params

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.code} ({shown})" if shown else self.code


class DomainError(PmsError):
    """The business says no."""

    code = "refused"


class InvalidInputError(DomainError):
    """A value is missing, malformed or out of range; nothing was done."""

    code = "invalid_input"

    def __init__(self, field: str, reason: str, **params: Param) -> None:
        super().__init__(field=field, reason=reason, **params)
        self.field = field
        self.reason = reason


class NotFoundError(DomainError):
    """Nothing with that id in this agency; the same answer as for another agency's."""

    code = "not_found"

    def __init__(self, kind: str, key: object) -> None:
        super().__init__(kind=kind, id=str(key))
        self.kind = kind


class TransitionError(DomainError):
    """The status, or the business date, does not allow this act."""

    code = "illegal_transition"

    def __init__(self, act: str, status: str, reason: str = "status", **params: Param) -> None:
        super().__init__(act=act, status=status, reason=reason, **params)


@frozen
class Violation:
    """One rule that a stay breaks.

    ``code`` is stable; ``night`` is the date that the rule was read on (the departure date for rules that
    read it); ``value`` is what the rule asks for and ``level`` says whose rule it is.
    """

    code: str
    night: date | None = None
    value: str | int | None = None
    level: str = "property"


class RefusedError(DomainError):
    """The stay breaks rules; ``violations`` lists every one of them."""

    code = "stay_refused"

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__(violations=",".join(sorted({each.code for each in violations})))
        self.violations = violations


class NotAuthenticatedError(DomainError):
    """Nobody has said who they are, or what they showed does not hold; why is for the log alone."""

    code = "not_authenticated"


class PermissionDeniedError(DomainError):
    """This actor may not do this here."""

    code = "permission_denied"


class TooManyRequestsError(DomainError):
    """Somebody asks more often than they may; ``retry_after`` is when the next may come, in seconds."""

    code = "too_many_requests"


class KeyReusedError(DomainError):
    """The idempotency key belongs to an earlier request with another content."""

    code = "idempotency_key_reused"


class ConflictError(PmsError):
    """Somebody was faster, or is not done yet."""

    code = "conflict"
    is_retryable = True


class NightsTakenError(ConflictError):
    """Another booking, hold or block has some of the nights.

    ``violations`` names each night that was found taken: code ``unit_taken`` or ``type_full``, the night,
    and the unit or unit type as value. Empty if the nights were free again when the store looked.
    """

    code = "inventory_overlap"
    is_retryable = False

    def __init__(self, violations: tuple[Violation, ...] = ()) -> None:
        super().__init__(nights=",".join(sorted({str(each.night) for each in violations})))
        self.violations = violations


class StaleVersionError(ConflictError):
    """What was read has changed since."""

    code = "stale_version"


class StaleHouseError(StaleVersionError):
    """A remembered house has changed since; it is forgotten, so the same attempt sees it as it is now."""

    code = "stale_house"


class PriceChangedError(ConflictError):
    """A quote that has expired would be made differently now: its total, its nights, or its terms.

    ``old_minor`` and ``new_minor`` are the totals in minor units of ``currency``; without ``new_minor`` it is no
    longer offered.
    """

    code = "price_changed"
    is_retryable = False


class BusyError(ConflictError):
    """A lock was not granted in time; trying again is sensible."""

    code = "busy"


class RequestInProgressError(ConflictError):
    """A request with the same idempotency key is being worked on."""

    code = "request_in_progress"


class PortError(PmsError):
    """Something outside failed. ``retry_count`` says how often the adapter has tried again already."""

    code = "port_failed"

    def __init__(self, *, retry_count: int = 0, **params: Param) -> None:
        super().__init__(retry_count=retry_count, **params)
        self.retry_count = retry_count


class UnreachableError(PortError):
    """The database or another server did not answer, or has no room for us."""

    code = "service_unavailable"
    is_retryable = True


class SchemaOutOfDateError(PortError):
    """The database lacks a table or a column; ``migration`` is the one that brings it."""

    code = "schema_out_of_date"

    def __init__(self, *, table: str, column: str | None, migration: str | None) -> None:
        super().__init__(table=table, column=column, migration=migration)


class MisconfiguredError(PortError):
    """A setting, a role or a file needs a human."""

    code = "misconfigured"


class MisuseError(PmsError):
    """The calling program is wrong: a bug, not a situation."""

    code = "misuse"
