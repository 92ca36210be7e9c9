"""Their words and numbers for what we say: kinds of messages, codes of errors, lengths of stay.

Owns the tables. Our room and rate codes are their ids of room types and rate plans, the listing is their hotel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from pmscore.channels.model.calls import OutcomeKind
from pmscore.channels.model.revisions import RevisionStatus

__all__ = [
    "LONGEST_STAY",
    "MOST_CONFIRMED",
    "MOST_ROOMS",
    "STATUSES",
    "TYPES",
    "Service",
    "gravest",
    "kind_of_error",
]


class Service(StrEnum):
    """One of their addresses, which is the last part of the path; each has its own namespace."""

    AVAIL_RATE = "ar"
    RETRIEVAL = "br"
    CONFIRM = "bc"
    PRODUCTS = "parr"

    @property
    def namespace(self) -> str:
        """The namespace of its requests; answers may come in an older one."""
        return f"http://www.expediaconnect.com/EQC/{_VERSIONS[self]}"

    @property
    def subject(self) -> str:
        """What its messages are called, without RQ and RS at the end."""
        return _SUBJECTS[self]


_VERSIONS: Final = {
    Service.AVAIL_RATE: "AR/2011/06",
    Service.RETRIEVAL: "BR/2014/01",
    Service.CONFIRM: "BC/2007/09",
    Service.PRODUCTS: "PAR/2013/07",
}
_SUBJECTS: Final = {
    Service.AVAIL_RATE: "AvailRateUpdate",
    Service.RETRIEVAL: "BookingRetrieval",
    Service.CONFIRM: "BookingConfirm",
    Service.PRODUCTS: "ProductAvailRateRetrieval",
}

STATUSES: Final[Mapping[str, RevisionStatus]] = {
    "Book": RevisionStatus.NEW,
    "Modify": RevisionStatus.CHANGED,
    "Cancel": RevisionStatus.CANCELLED,
}
TYPES: Final[Mapping[RevisionStatus, str]] = {status: word for word, status in STATUSES.items()}

LONGEST_STAY: Final = 28
"""No stay there is longer; as a maximum it is no rule, and a minimum of 1 is none either."""

MOST_ROOMS: Final = 4_999
"""More rooms than this cannot be said of a night."""

MOST_CONFIRMED: Final = 10
"""So many confirmations go into one message."""

_KINDS: Final[Mapping[int, OutcomeKind]] = {
    1001: OutcomeKind.UNAUTHORISED,
    3202: OutcomeKind.UNAUTHORISED,
    3210: OutcomeKind.BUSY,
    4100: OutcomeKind.REFUSED,
    4101: OutcomeKind.REFUSED,
    4206: OutcomeKind.DOWN,
}
_OURS: Final = range(1000, 4000)
"""Errors of what was sent; those above are of their system, but for the few that are named."""

_GRAVITY: Final = (
    OutcomeKind.UNAUTHORISED,
    OutcomeKind.BUSY,
    OutcomeKind.UNSURE,
    OutcomeKind.DOWN,
    OutcomeKind.REFUSED,
)


def kind_of_error(code: int) -> OutcomeKind:
    """Return what an error says about the call.

    A hotel that the account may not speak for is a matter of credentials: no other message would fare better.
    """
    known = _KINDS.get(code)
    if known is not None:
        return known
    is_final = code in _OURS or not 4000 <= code < 7000
    return OutcomeKind.REFUSED if is_final else OutcomeKind.UNSURE


def gravest(codes: Iterable[int]) -> int:
    """Return the one of several errors that decides: while one may pass by itself, nothing is refused for good."""
    return min(codes, key=lambda code: _GRAVITY.index(kind_of_error(code)))
