"""P6, P10 and the growth of SQL reads: free rooms and the calendar through the adapter.

Owns who is measured against whom; the SQL of the floors stands in ``floors.queries``.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from attrs import define, field
from sqlalchemy import Engine

from pms_adapters.lab.bench.floors.pgbench import pipeline_script
from pms_adapters.lab.bench.floors.queries import CALENDAR, FREE_ROOMS, NAME_AGENCY
from pms_adapters.lab.bench.grounds import Database, Grounds
from pms_adapters.lab.bench.house import AGENCY, FIRST_DAY, HOUSE
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.postgres.availability import PostgresAvailability
from pms_adapters.postgres.engine import open_engine
from pms_adapters.system import SystemClock
from pmscore.availability.use_cases import calendar
from pmscore.dates.ranges import DateRange

__all__ = ["Reader", "measure_calendar", "measure_search"]

YEAR = 340
"""How many nights before ``FIRST_DAY`` searches fall in: the newest of the bookings already there."""
_LONGEST = 7


@define
class Reader:
    """A reader of availability on one connection."""

    database: Database
    engine: Engine = field(init=False)
    reader: PostgresAvailability = field(init=False)
    clock: SystemClock = field(factory=SystemClock)
    _chance: random.Random = field(factory=lambda: random.Random(11))

    def __attrs_post_init__(self) -> None:
        self.engine = open_engine(self.database.url, size=1)
        self.reader = PostgresAvailability(self.engine, AGENCY)

    def ranges(self, count: int) -> list[DateRange]:
        """Return stays of one to seven nights in the past year."""
        chance = self._chance
        start, span = _start(self.database), _span(self.database) - _LONGEST
        return [
            DateRange.of(start + timedelta(days=chance.randrange(span)), chance.randint(1, _LONGEST))
            for _ in range(count)
        ]

    def search_ms(self, count: int) -> float:
        """Return how long one search of all types for free units takes."""
        types = self.database.house.type_ids()
        asked = [dict.fromkeys(types, nights) for nights in self.ranges(count)]
        now = self.clock.now()
        return _ms(lambda number: self.reader.free_units(asked[number], now), count)

    def calendar_ms(self, count: int) -> float:
        """Return how long one calendar of 365 nights of all types takes, from the use case."""
        nights = DateRange.of(_start(self.database), 365)
        return _ms(lambda _: calendar(HOUSE, nights, reader=self.reader, clock=self.clock), count)


def measure_search(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P6 and the growth of the search with the bookings."""
    usual, other, times, floor = _in_turns(
        grounds, "P6", _search_script, Reader.search_ms, grounds.scale.searches
    )
    yield compared(
        "P6",
        f"free units by SQL through the adapter, {grounds.scale.usual:,} bookings, ms against the best SQL in pgbench",
        times[0],
        floor,
        must=Limit(1.5, is_least=False),
        aim=Limit(1.3, is_least=False),
    )
    yield _growth("G-search", "free units by SQL", times, (usual, other), must=1.35)


def measure_calendar(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P10 and the growth of the calendar with the bookings."""
    usual, other, times, floor = _in_turns(
        grounds, "P10", _calendar_script, Reader.calendar_ms, grounds.scale.calendars
    )
    yield compared(
        "P10",
        f"calendar 365 x {usual.house.types} to domain objects, ms against the best SQL in pgbench",
        times[0],
        floor,
        must=Limit(2.0, is_least=False),
        aim=Limit(1.3, is_least=False),
    )
    yield _growth("G-calendar", f"calendar 365 x {usual.house.types}", times, (usual, other), must=1.20)


def _in_turns(
    grounds: Grounds,
    subject: str,
    script_for: Callable[[Database], str],
    read_ms: Callable[[Reader, int], float],
    count: int,
) -> tuple[Database, Database, list[list[float]], list[float]]:
    """Return both databases, our times on each and the floor's, a round each in turn after a warming one."""
    scale = grounds.scale
    usual = grounds.database(scale.usual)
    other = grounds.database(scale.large or scale.small)
    readers = [Reader(usual), Reader(other)]
    times: list[list[float]] = [[], []]
    floor: list[float] = []
    script = script_for(usual)
    for number in range(grounds.rounds + 1):
        grounds.progress(f"{subject}: round {number} of {grounds.rounds}")
        theirs = 1e3 / usual.pgbench(script, transactions=count)
        ours = [read_ms(reader, count) for reader in readers]
        if number:
            floor.append(theirs)
            for found, value in zip(times, ours, strict=True):
                found.append(value)
    for reader in readers:
        reader.engine.dispose()
    return usual, other, times, floor


def _growth(
    key: str, what: str, times: list[list[float]], databases: tuple[Database, Database], *, must: float
) -> Measurement:
    """Return the line of the larger database against the smaller one."""
    (_, small), (_, large) = ordered = sorted(
        zip(times, databases, strict=True), key=lambda pair: pair[1].bookings
    )
    measure = f"{what}, ms at {large.bookings:,} against {small.bookings:,} bookings"
    return compared(key, measure, ordered[1][0], ordered[0][0], must=Limit(must, is_least=False))


def _search_script(database: Database) -> str:
    first = f"(date '{_start(database)}' + :day::int)"
    end = f"(date '{_start(database)}' + :day::int + :nights::int)"
    settings = (f"day random(0, {_span(database) - _LONGEST - 1})", f"nights random(1, {_LONGEST})")
    statements = [NAME_AGENCY, FREE_ROOMS]
    return pipeline_script(
        [each.format(agency=AGENCY, first=first, end=end) for each in statements], settings
    )


def _calendar_script(database: Database) -> str:
    first = f"(date '{_start(database)}' + 0)"
    end = f"(date '{_start(database)}' + 365)"
    types = ",".join(str(each) for each in database.house.type_ids())
    statements = [NAME_AGENCY, CALENDAR]
    return pipeline_script(
        [each.format(agency=AGENCY, first=first, end=end, types=types) for each in statements]
    )


def _span(database: Database) -> int:
    """Return how many nights of the past have bookings, a year at most."""
    return min(YEAR, 7 * (database.bookings // database.house.rooms))


def _start(database: Database) -> date:
    return FIRST_DAY - timedelta(days=_span(database))


def _ms(call: Callable[[int], object], count: int) -> float:
    call(0)
    started = time.perf_counter()
    for number in range(count):
        call(number)
    return (time.perf_counter() - started) / count * 1e3
