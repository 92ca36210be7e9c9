"""From errors to answers: one table of statuses, one body for all (RFC 9457).

Owns the table and the shape. Sentences stand in ``texts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from attrs import frozen

from pms_web.fields import FieldError, FieldsError
from pms_web.texts import detail, detail_of, field_text
from pms_web.views import money_body, violation_body
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import (
    BusyError,
    ConflictError,
    DomainError,
    InvalidInputError,
    KeyReusedError,
    MisconfiguredError,
    MisuseError,
    NightsTakenError,
    NotAuthenticatedError,
    NotFoundError,
    PermissionDeniedError,
    PmsError,
    PortError,
    PriceChangedError,
    RefusedError,
    RequestInProgressError,
    SchemaOutOfDateError,
    StaleHouseError,
    StaleVersionError,
    TooManyRequestsError,
    TransitionError,
    UnreachableError,
)
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money

__all__ = ["STATUSES", "Problem", "http_problem", "problem_of"]

MOST_ENTRIES = 100

STATUSES: Mapping[type[PmsError], HTTPStatus] = {
    DomainError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    FieldsError: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFoundError: HTTPStatus.NOT_FOUND,
    TransitionError: HTTPStatus.CONFLICT,
    RefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotAuthenticatedError: HTTPStatus.UNAUTHORIZED,
    PermissionDeniedError: HTTPStatus.FORBIDDEN,
    TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
    KeyReusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ConflictError: HTTPStatus.CONFLICT,
    NightsTakenError: HTTPStatus.CONFLICT,
    StaleVersionError: HTTPStatus.CONFLICT,
    StaleHouseError: HTTPStatus.CONFLICT,
    PriceChangedError: HTTPStatus.CONFLICT,
    BusyError: HTTPStatus.CONFLICT,
    RequestInProgressError: HTTPStatus.CONFLICT,
    PortError: HTTPStatus.SERVICE_UNAVAILABLE,
    UnreachableError: HTTPStatus.SERVICE_UNAVAILABLE,
    SchemaOutOfDateError: HTTPStatus.SERVICE_UNAVAILABLE,
    MisconfiguredError: HTTPStatus.SERVICE_UNAVAILABLE,
    MisuseError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of each error; one that has no row has that of its nearest ancestor."""

_HTTP_CODES: Mapping[int, str] = {
    403: "origin_not_allowed",  # the only one that Flask's own way refuses: a preflight
    404: "no_such_address",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    421: "misdirected_request",
}


@frozen(kw_only=True)
class Problem:
    """An answer to a request that did not succeed; ``more`` are members that only some errors have."""

    status: int
    code: str
    detail: str
    more: Mapping[str, Json] = {}

    def body(self, request_id: str) -> dict[str, Json]:
        """Return the members of the body."""
        return {
            "type": f"urn:pms:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "error": self.code,
            "message": self.detail,
            "request_id": request_id,
            **self.more,
        }


def problem_of(error: PmsError) -> Problem:
    """Return the answer that ``error`` gets."""
    status = next(STATUSES[each] for each in type(error).__mro__ if each in STATUSES)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return http_problem(status)
    return Problem(status=status, code=error.code, detail=detail_of(error), more=_more(error))


def http_problem(status: int) -> Problem:
    """Return the answer to a request that reached no view, or broke one."""
    code = _HTTP_CODES.get(status)
    if code is not None:
        return Problem(status=status, code=code, detail=detail(code))
    if 400 <= status < 500:
        return Problem(
            status=status,
            code="bad_request",
            detail=f"{HTTPStatus(status).description or HTTPStatus(status).phrase}.",
        )
    return Problem(status=500, code="internal_server_error", detail=detail("internal_server_error"))


def _more(error: PmsError) -> dict[str, Json]:
    match error:
        case FieldsError(errors=errors):
            return {"errors": [_entry(each) for each in errors[:MOST_ENTRIES]]}
        case InvalidInputError(field=field, reason=reason):
            return {"errors": [_entry(FieldError(field, reason, error.params))]}
        case RefusedError(violations=violations):
            return {"violations": [violation_body(each) for each in violations]}
        case NightsTakenError(violations=violations):
            nights = [violation_body(each) for each in violations]
            return {"conflict_type": error.code, "nights": list(nights)}
        case PriceChangedError():
            totals = {f"{name}_total": _total(error, f"{name}_minor") for name in ("old", "new")}
            return {"conflict_type": error.code, **totals}
        case ConflictError():
            return {"conflict_type": error.code}
        case TransitionError():
            return {"conflict_type": error.code, "reason": error.params.get("reason")}
        case SchemaOutOfDateError():
            names = ("table", "column", "migration")
            return {name: error.params.get(name) for name in names}
        case TooManyRequestsError():
            return {"retry_after": error.params.get("retry_after")}
        case PortError(retry_count=retry_count):
            return {"retry_count": retry_count}
        case _:
            return {}


def _total(error: PriceChangedError, name: str) -> Json:
    minor = error.params.get(name)
    if not isinstance(minor, int):
        return None
    return money_body(Money(minor, Currency.recorded(str(error.params.get("currency")))))


def _entry(error: FieldError) -> dict[str, Json]:
    return {"field": error.field, "code": error.code, "message": field_text(error.code, error.params)}
