"""Local time and instants: the only door to the time-zone database.

Owns the step from a local date and wall time to an instant and back. Leaves nights, which are differences
of dates and know no zone, to ``nights``. The rule for gaps and folds: ``docs/algorithms/zones.md``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Final

import pendulum
from attrs import frozen

from pmscore.dates.nights import FIRST_DAY, LAST_DAY, check_day
from pmscore.kernel.errors import InvalidInputError

__all__ = ["Zone", "day_start", "elapsed", "instant_at", "local_date", "local_time"]

_MIDNIGHT: Final = time(0)
_SECOND: Final = timedelta(seconds=1)
# Names of the database that stand for no place: "Factory" means that nobody has set the zone.
_NO_PLACE: Final = frozenset({"Factory", "localtime"})


@frozen(order=True)
class Zone:
    """A time zone by its name in the IANA database, spelt exactly: ``Europe/Prague``."""

    name: str

    def __attrs_post_init__(self) -> None:
        if self.name not in _names():
            shown = self.name[:64].encode("ascii", "backslashreplace").decode("ascii")
            raise InvalidInputError("zone", "unknown_zone", value=shown)

    def __str__(self) -> str:
        return self.name


def instant_at(day: date, wall: time, zone: Zone) -> datetime:
    """Return the instant, in UTC, at which the clocks of ``zone`` show ``wall`` on ``day``.

    A time that the clocks skip is moved forward by the length of the gap; of a time that they show twice
    the first (earlier) one is meant, whatever ``wall.fold`` says.

    Raises:
        InvalidInputError: field ``day`` (see ``check_day``) or ``wall_time``, reason ``not_local``.
    """
    check_day(day, field="day")
    if wall.tzinfo is not None:
        raise InvalidInputError("wall_time", "not_local")
    # Under PEP 495 a fold of zero means exactly this rule: the offset from before the change applies.
    return datetime.combine(day, wall.replace(fold=0), tzinfo=_rules(zone.name)).astimezone(UTC)


def day_start(day: date, zone: Zone) -> datetime:
    """Return the first instant, in UTC, at which it is ``day`` in ``zone``: the property's midnight.

    Where the clocks skip midnight this is the end of the gap; a day that is skipped as a whole begins,
    and ends, with the next one.

    Raises:
        InvalidInputError: field ``day``.
    """
    late = instant_at(day, _MIDNIGHT, zone)
    rules = _rules(zone.name)
    if late.astimezone(rules).replace(tzinfo=None) == datetime.combine(day, _MIDNIGHT):
        return late
    # Midnight lies in a gap, and the change between `early` and `late`; bisect for its second.
    early = datetime.combine(day, time(0, fold=1), tzinfo=rules).astimezone(UTC)
    before = early.astimezone(rules).utcoffset()
    while late - early > _SECOND:
        middle = early + timedelta(seconds=(late - early) // _SECOND // 2)
        if middle.astimezone(rules).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late


def local_date(instant: datetime, zone: Zone) -> date:
    """Return the date that calendars in ``zone`` show at ``instant``.

    Raises:
        InvalidInputError: field ``instant``; reason ``naive`` or ``out_of_calendar``.
    """
    return _local(instant, zone).date()


def local_time(instant: datetime, zone: Zone) -> time:
    """Return the wall time that clocks in ``zone`` show at ``instant``, without a zone and without a fold.

    Raises:
        InvalidInputError: field ``instant``; reason ``naive`` or ``out_of_calendar``.
    """
    return _local(instant, zone).time().replace(fold=0)


def elapsed(start_at: datetime, end_at: datetime) -> timedelta:
    """Return the time that passes between two instants; negative if the second is the earlier one.

    Raises:
        InvalidInputError: field ``instant``; reason ``naive`` or ``out_of_calendar``.
    """
    # Not `end_at - start_at`: between two datetimes of one zone Python subtracts wall times.
    return _in_utc(end_at) - _in_utc(start_at)


def _local(instant: datetime, zone: Zone) -> datetime:
    return _in_utc(instant).astimezone(_rules(zone.name))


def _in_utc(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise InvalidInputError("instant", "naive")
    if not FIRST_DAY.year <= instant.year <= LAST_DAY.year:
        raise InvalidInputError("instant", "out_of_calendar")
    return instant.astimezone(UTC)


@cache
def _names() -> frozenset[str]:
    return frozenset(pendulum.timezones()) - _NO_PLACE


@cache
def _rules(name: str) -> tzinfo:
    return pendulum.timezone(name)
