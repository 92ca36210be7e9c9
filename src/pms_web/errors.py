"""From errors to answers: one table of statuses, one body for all (RFC 9457).

Owns the table and the shape. Sentences stand in ``texts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from attrs import Factory, frozen

from pms_web.field_errors import FieldError, FieldsError, SyncTypeError, UnknownChoiceError, WrongPhraseError
from pms_web.problem_views import FieldProblemBody, ProblemBody, ProblemMembers
from pms_web.reply_parts import MoneyBody, money_part, violation_part
from pms_web.texts import detail, detail_of, field_text
from pmscore.channels.use_cases.connections import ConnectionTestFailedError, PlatformNotSupportedError
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
from pmscore.kernel.money import Money

__all__ = ["STATUSES", "Problem", "http_problem", "problem_of"]

MOST_ENTRIES = 100

STATUSES: Mapping[type[PmsError], HTTPStatus] = {
    DomainError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    FieldsError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownChoiceError: HTTPStatus.BAD_REQUEST,
    SyncTypeError: HTTPStatus.BAD_REQUEST,
    WrongPhraseError: HTTPStatus.BAD_REQUEST,
    PlatformNotSupportedError: HTTPStatus.BAD_REQUEST,
    ConnectionTestFailedError: HTTPStatus.BAD_REQUEST,
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
    PmsError: HTTPStatus.INTERNAL_SERVER_ERROR,
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


def _nothing_more() -> ProblemMembers:
    return {}


@frozen(kw_only=True)
class Problem:
    """An answer to a request that did not succeed; ``more`` are members that only some errors have."""

    status: int
    code: str
    detail: str
    more: ProblemMembers = Factory(_nothing_more)

    def body(self, request_id: str) -> ProblemBody:
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


def _more(error: PmsError) -> ProblemMembers:
    match error:
        case FieldsError(errors=errors):
            return {"errors": [_entry(each) for each in errors[:MOST_ENTRIES]]}
        case InvalidInputError(field=field, reason=reason):
            return {"errors": [_entry(FieldError(field, reason, error.params))]}
        case WrongPhraseError():
            return {
                "errors": [_entry(FieldError(str(error.params.get("field")), "not_the_phrase", error.params))]
            }
        case RefusedError(violations=violations):
            return {"violations": [violation_part(each) for each in violations]}
        case NightsTakenError(violations=violations):
            return {"conflict_type": error.code, "nights": [violation_part(each) for each in violations]}
        case PriceChangedError():
            old, new = _total(error, "old_minor"), _total(error, "new_minor")
            return {"conflict_type": error.code, "old_total": old, "new_total": new}
        case ConflictError():
            return {"conflict_type": error.code}
        case TransitionError():
            return {"conflict_type": error.code, "reason": error.params.get("reason")}
        case SchemaOutOfDateError():
            told = error.params.get
            return {"table": told("table"), "column": told("column"), "migration": told("migration")}
        case TooManyRequestsError():
            return {"retry_after": error.params.get("retry_after")}
        case PortError(retry_count=retry_count):
            return {"retry_count": retry_count}
        case _:
            return {}


def _total(error: PriceChangedError, name: str) -> MoneyBody | None:
    minor = error.params.get(name)
    if not isinstance(minor, int):
        return None
    return money_part(Money(minor, Currency.recorded(str(error.params.get("currency")))))


def _entry(error: FieldError) -> FieldProblemBody:
    return {"field": error.field, "code": error.code, "message": field_text(error.code, error.params)}
