"""P18: some fifty rows as domain objects through the adapter, against the same rows as tuples.

The two reads that the product has of that size: the feed of events, and what occupies a house. The second
asks for the version of the house first, as the product does, and pays a round trip for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import LiteralString

import psycopg

from pms_adapters.lab.bench.floors.tuples import EVENTS, OCCUPIED, milliseconds_a_read
from pms_adapters.lab.bench.grounds import Grounds
from pms_adapters.lab.bench.house import AGENCY, FIRST_DAY, HOUSE
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.postgres.availability import PostgresAvailability
from pms_adapters.postgres.engine import open_engine
from pms_adapters.postgres.events import read_events
from pms_adapters.system import SystemClock
from pmscore.availability.use_cases import occupied_ranges
from pmscore.dates.ranges import DateRange

__all__ = ["measure_reads"]

_ROOMS = 60
_ROWS = 50


def measure_reads(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P18 for both reads, on a house small enough for a page of them."""
    rooms = min(_ROOMS, grounds.scale.rooms)
    database = grounds.database(rooms * 20, rooms=rooms)
    engine = open_engine(database.url, size=1)
    reader = PostgresAvailability(engine, AGENCY)
    clock = SystemClock()
    nights = DateRange.of(FIRST_DAY - timedelta(days=60), 6)
    values: dict[str, str | int | date] = {
        "agency": str(AGENCY),
        "property": str(HOUSE),
        "start": nights.start,
        "end": nights.end,
        "limit": _ROWS,
    }
    contenders: tuple[tuple[str, Callable[[], object], tuple[LiteralString, ...]], ...] = (
        ("events", lambda: read_events(engine, AGENCY, limit=_ROWS), EVENTS),
        (
            "occupied ranges",
            lambda: occupied_ranges(HOUSE, nights, reader=reader, clock=clock),
            OCCUPIED,
        ),
    )
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.prepare_threshold = 0
        for name, read, statements in contenders:
            ours: list[float] = []
            floor: list[float] = []
            rows = 0
            for number in range(grounds.rounds + 1):
                theirs, rows = milliseconds_a_read(connection, statements, values, grounds.scale.reads)
                mine = _ms(read, grounds.scale.reads)
                if number:
                    floor.append(theirs)
                    ours.append(mine)
            grounds.progress(f"P18: {rows} {name}")
            yield compared(
                "P18",
                f"{rows} {name} to domain objects, ms against psycopg's tuples",
                ours,
                floor,
                must=Limit(0.60),
                aim=Limit(0.85),
                inverted=True,
            )
    engine.dispose()


def _ms(read: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        read()
    return (time.perf_counter() - started) / count * 1e3
