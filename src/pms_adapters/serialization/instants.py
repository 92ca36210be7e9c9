"""Instants as others write them (ISO 8601), read as UTC.

Owns what a text without a zone means, and that one beyond our calendar is refused and not an accident.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pmscore.dates.zones import Zone, instant_at
from pmscore.kernel.errors import InvalidInputError

__all__ = ["read_instant"]


def read_instant(text: str, field: str, *, zone: Zone | None = None) -> datetime:
    """Return the instant that a text says; without an offset it is meant in ``zone``, or in UTC where that is None.

    Raises:
        InvalidInputError: ``field``: it is no instant, or in UTC it lies outside the years 1 to 9999.
    """
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        return found.replace(tzinfo=UTC) if zone is None else instant_at(found.date(), found.time(), zone)
    except (ValueError, OverflowError):
        raise InvalidInputError(field, "not_an_instant") from None
