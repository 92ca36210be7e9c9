"""What platforms mean by the words in their feeds: a reservation, nights that they only keep, or nobody knows.

Owns the words of each producer. A feed was never meant to say it, so only producers that are known are believed, and
whatever is not surely a reservation is none. Leaves dates to the reader.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

__all__ = ["EventKind", "kind_of", "reference_of"]


class EventKind(StrEnum):
    """What an event stands for, as far as it can be told."""

    RESERVATION = "reservation"
    BLOCK = "block"
    TENTATIVE = "tentative"
    UNKNOWN = "unknown"


_SELLERS: Final = re.compile(r"airbnb|homeaway|vrbo|fewo-?direkt|abritel", re.IGNORECASE)
_RESERVED: Final = re.compile(
    r"\s*(?:reserved|reserviert|r[ée]serv[ée]e?|reservad[oa]|prenotat[oa]|gereserveerd|booked|gebucht)\b",
    re.IGNORECASE,
)
_BLOCKED: Final = re.compile(
    r"\s*(?:blocked|blockiert|gesperrt|bloqu[ée]e?|bloquead[oa]|bloccat[oa]|geblokkeerd|indisponible|non disponibile"
    r"|no disponible|nicht verfügbar|not available|unavailable|airbnb \(not available\))",
    re.IGNORECASE,
)
_TENTATIVE: Final = re.compile(
    r"\s*(?:tentative|provisional|provisoire|vorläufig|provvisori[oa]|voorlopig)", re.IGNORECASE
)
_IN_ADDRESS: Final = re.compile(r"/reservations/details/([A-Z0-9]{6,20})\b")
_IN_SUMMARY: Final = re.compile(r"\((HM[A-Z0-9]{6,12})\)")


def kind_of(producer: str, summary: str, status: str, reference: str) -> EventKind:
    """Return what an event stands for; ``producer`` is the PRODID of its calendar."""
    if status == "TENTATIVE" or _TENTATIVE.match(summary):
        return EventKind.TENTATIVE
    if not _SELLERS.search(producer):
        return EventKind.UNKNOWN
    if _BLOCKED.match(summary):
        return EventKind.BLOCK
    return EventKind.RESERVATION if reference or _RESERVED.match(summary) else EventKind.UNKNOWN


def reference_of(summary: str, description: str) -> str:
    """Return the platform's number of a reservation, empty where it does not say; nothing else there is kept."""
    found = _IN_ADDRESS.search(description) or _IN_SUMMARY.search(summary)
    return found[1] if found else ""
