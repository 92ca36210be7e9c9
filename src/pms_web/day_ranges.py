"""Ranges of days that a query names by two members, one of which may be left out."""

from __future__ import annotations

from datetime import date

from pmscore.dates.nights import FIRST_DAY, LAST_DAY
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError

__all__ = ["open_range"]


def open_range(first: date | None, end: date | None, *, field: str) -> DateRange | None:
    """Return the days from ``first`` on that lie before ``end``; an end that is left out is open, without both None.

    Raises:
        InvalidInputError: the end is not after the first day; names ``field``.
    """
    if first is None and end is None:
        return None
    start, stop = first or FIRST_DAY, end or LAST_DAY
    if stop <= start:
        raise InvalidInputError(field, "not_after_start")
    return DateRange(start, stop)
