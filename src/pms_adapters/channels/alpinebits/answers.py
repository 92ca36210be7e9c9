"""What an answer of a server of AlpineBits means, before anybody reads what it is about.

Owns the table from errors and warnings to outcomes. An advisory (warning of type 11) says that all was taken;
any other warning says that it was not. A page that is not theirs neither did nor refused anything. Leaves
statuses to ``http.wire``, and reservations to ``guest_requests``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import evolve

from pms_adapters.channels.alpinebits.actions import Action
from pms_adapters.http.door import Answer
from pms_adapters.http.wire import Reply, outcome_of
from pms_adapters.serialization.unreadable import UnreadableError
from pms_adapters.serialization.xml import Node, parse
from pmscore.channels.model.calls import Outcome, OutcomeKind

__all__ = ["answered", "judged_warnings"]

_LONGEST: Final = 200
_UNSURE: Final = Outcome(OutcomeKind.UNSURE, "unreadable_shape")
_ADVISORY: Final = "11"
_FINAL: Final = frozenset({OutcomeKind.DONE, OutcomeKind.REFUSED})

_BY_CODE: Final[Mapping[str, OutcomeKind]] = {
    # Codes of OpenTravel's list ERR; what is not named here is refused for good.
    **dict.fromkeys(("175", "176", "182", "361", "375", "392", "400"), OutcomeKind.UNAUTHORISED),
    **dict.fromkeys(("187", "191"), OutcomeKind.DOWN),
    **dict.fromkeys(("188", "197", "448"), OutcomeKind.UNSURE),
}
_BY_TYPE: Final[Mapping[str, OutcomeKind]] = dict.fromkeys(("4", "5", "6"), OutcomeKind.UNAUTHORISED)
"""Types of OpenTravel's list EWT that are about who may: authentication, its time-out, authorisation."""
_GRAVEST: Final = (OutcomeKind.UNAUTHORISED, OutcomeKind.UNSURE, OutcomeKind.DOWN, OutcomeKind.REFUSED)


def answered(reply: Reply, action: Action) -> tuple[Outcome, Node | None]:
    """Return what came of a call, and the document of its answer where it was carried out."""
    answer = reply.answer
    if answer is None or reply.outcome.kind not in _FINAL:
        return reply.outcome, None
    told = _told_in_words(answer)
    if told is not None:
        return told, None
    try:
        root = parse(answer.body)
    except UnreadableError as error:
        return outcome_of(error), None
    if root.name != action.answered_by:
        return _UNSURE, None
    errors = [each for part in root.children("Errors") for each in part.children("Error")]
    if errors:
        return _judged(errors), None
    if root.child("Success") is None or reply.outcome.kind is not OutcomeKind.DONE:
        return _UNSURE, None
    return reply.outcome, root


def judged_warnings(root: Node) -> Outcome:
    """Return what the warnings beside a success say about a message that was to be taken over."""
    warnings = [each for part in root.children("Warnings") for each in part.children("Warning")]
    refusals = [each for each in warnings if each.attr.get("Type", "") != _ADVISORY]
    if refusals:
        return evolve(_judged(refusals), kind=OutcomeKind.REFUSED)
    return Outcome(OutcomeKind.DONE, _text(warnings[0]) if warnings else "")


def _told_in_words(answer: Answer) -> Outcome | None:
    """Return what a text that begins with ERROR says, which is how servers answer what they do not read at all."""
    body = answer.body[: 4 * _LONGEST].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not body.startswith("ERROR"):
        return None
    words = body.lower()
    is_about_us = any(each in words for each in ("username", "password", "authori", "authenti"))
    return Outcome(OutcomeKind.UNAUTHORISED if is_about_us else OutcomeKind.REFUSED, _line(body))


def _judged(found: list[Node]) -> Outcome:
    """Return the outcome of errors: the gravest decides, the first of its kind is told."""
    kinds = [_kind(each) for each in found]
    kind = min(kinds, key=_GRAVEST.index)
    return Outcome(kind, _text(found[kinds.index(kind)]))


def _kind(found: Node) -> OutcomeKind:
    by_type = _BY_TYPE.get(found.attr.get("Type", ""))
    return by_type or _BY_CODE.get(found.attr.get("Code", ""), OutcomeKind.REFUSED)


def _text(found: Node) -> str:
    code = found.attr.get("Code") or found.attr.get("Status", "")
    return _line(f"{code}: {found.text}" if code and found.text else code or found.text or "error")


def _line(text: str) -> str:
    line = " ".join(text.split())
    return "".join(each if each.isprintable() else "\ufffd" for each in line)[:_LONGEST]
