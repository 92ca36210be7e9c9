"""The body of every answer that did not succeed (RFC 9457)."""

from __future__ import annotations

from typing import Annotated, TypedDict

from pms_web.reply_parts import MoneyBody, ViolationBody
from pms_web.wire import Says

__all__ = ["FieldProblemBody", "ProblemBody", "ProblemMembers"]


class FieldProblemBody(TypedDict):
    """One mistake in what was sent."""

    field: Annotated[
        str, Says("Where it stands, such as rooms[0].arrival; a header or a part of the address by name.")
    ]
    code: Annotated[str, Says("What is wrong, for programs; it never changes.")]
    message: Annotated[str, Says("What is wrong, for people; to be read after the name.")]


class ProblemMembers(TypedDict, total=False):
    """Members that only some problems have."""

    errors: Annotated[list[FieldProblemBody], Says("Every mistake in what was sent.")]
    violations: Annotated[list[ViolationBody], Says("Every rule that the stay breaks.")]
    nights: Annotated[list[ViolationBody], Says("The nights that are taken.")]
    conflict_type: Annotated[str, Says("Which kind of conflict: the same as error.")]
    reason: str | int | None
    old_total: Annotated[MoneyBody | None, Says("What was quoted or expected.")]
    new_total: Annotated[MoneyBody | None, Says("What it comes to now; null where it is no longer offered.")]
    retry_after: Annotated[int | str | None, Says("Seconds to wait.")]
    retry_count: Annotated[int, Says("How often the service has tried again by itself.")]
    table: str | int | None
    column: str | int | None
    migration: str | int | None


class ProblemBody(ProblemMembers):
    """What went wrong, why, and what to do next."""

    type: Annotated[str, Says("The code as a URN.")]
    title: Annotated[str, Says("The name of the status.")]
    status: int
    detail: Annotated[str, Says("What happened, why, and what to do next, for people.")]
    error: Annotated[str, Says("The code, for programs; it never changes.")]
    message: Annotated[str, Says("The same as detail.")]
    request_id: Annotated[str, Says("Names this request in the log; also in the header X-Request-Id.")]
