"""P7: our search against the forms of tutorials and of other systems, on the same bookings.

Owns the copy of the bookings that they search in, and the proof that all of them find the same rooms.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from uuid import UUID

import psycopg
from attrs import frozen

from pms_adapters.lab.bench.boards import board_house
from pms_adapters.lab.bench.floors.peers import FORMS, INDEXES, TABLES, Form
from pms_adapters.lab.bench.grounds import Database, Grounds
from pms_adapters.lab.bench.house import AGENCY, FIRST_DAY
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.lab.bench.searching import Reader
from pmscore.availability.views.night_board import NightBoard
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.stock import Claim, ClaimKind

__all__ = ["measure_peers"]

_Connection = psycopg.Connection[tuple[object, ...]]
_BOARD_SEARCHES = 200


@frozen
class _Ours:
    """Our two searches: the board, which serves by default, and SQL through the adapter."""

    board: NightBoard
    reader: Reader


def measure_peers(grounds: Grounds) -> Iterator[Measurement]:
    """Yield, for each size, the fastest rival against our default search and against our SQL."""
    scale = grounds.scale
    for size in (scale.usual, *((scale.large,) if scale.large else ())):
        database = grounds.database(size)
        grounds.progress(f"P7: a table for the others at {size:,} bookings")
        with psycopg.connect(database.admin_url, autocommit=True) as connection:
            connection.prepare_threshold = 0
            _copy(connection)
            ours = _Ours(_board(connection, database), Reader(database))
            yield from _lines(grounds, connection, ours, size)
            ours.reader.engine.dispose()
            connection.execute("DROP TABLE peer_rooms, peer_stays, peer_lines")


def _lines(grounds: Grounds, connection: _Connection, ours: _Ours, size: int) -> Iterator[Measurement]:
    asked = ours.reader.ranges(grounds.rounds + 1)
    _agree(connection, ours, asked[0])
    theirs: dict[str, list[float]] = {name: [] for name in FORMS}
    board: list[float] = []
    sql: list[float] = []
    for number, nights in enumerate(asked):
        grounds.progress(f"P7: round {number} of {grounds.rounds} at {size:,} bookings")
        found = {name: _form_ms(connection, form, nights) for name, form in FORMS.items()}
        if number:
            for name, value in found.items():
                theirs[name].append(value)
            board.append(_board_ms(ours.board, nights))
            sql.append(ours.reader.search_ms(20))
    limit = Limit(7.0) if size == grounds.scale.usual else None
    aim = Limit(12.0) if limit is None else None
    lines = [
        compared(
            "P7",
            f"our default search against {name}, {size:,} bookings, ms",
            board, values, must=limit, aim=aim, inverted=True,
        )
        for name, values in theirs.items()
    ]  # fmt: skip
    closest = min(lines, key=lambda line: line.ratio)
    yield closest
    name = next(each for each in theirs if f"against {each}," in closest.measure)
    yield compared(
        "P7",
        f"our search by SQL against {name}, {size:,} bookings, ms",
        sql,
        theirs[name],
        inverted=True,
    )


def _form_ms(connection: _Connection, form: Form, nights: DateRange) -> float:
    form(connection, nights.start, nights.end)
    started = time.perf_counter()
    form(connection, nights.start, nights.end)
    return (time.perf_counter() - started) * 1e3


def _board_ms(board: NightBoard, nights: DateRange) -> float:
    started = time.perf_counter()
    for _ in range(_BOARD_SEARCHES):
        board.free_units(nights)
    return (time.perf_counter() - started) / _BOARD_SEARCHES * 1e3


def _copy(connection: _Connection) -> None:
    for statement in TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO peer_rooms SELECT name::int FROM units WHERE agency_id = %s", (AGENCY,))
    connection.execute(
        "INSERT INTO peer_stays SELECT u.name::int, r.arrival, r.departure"
        " FROM booking_rooms r JOIN units u ON u.unit_id = (r.placements -> 0 ->> 'unit_id')::uuid"
        " WHERE r.arrival < %s",
        (FIRST_DAY,),
    )
    connection.execute(
        "INSERT INTO peer_lines SELECT room, arrival + g FROM peer_stays,"
        " generate_series(0, departure - arrival - 1) AS g"
    )
    for statement in INDEXES:
        connection.execute(statement)


def _board(connection: _Connection, database: Database) -> NightBoard:
    numbers = database.house
    rows = connection.execute("SELECT room, arrival, departure FROM peer_stays").fetchall()
    claims = [
        Claim(
            ClaimKind.BOOKED,
            UUID(int=at),
            numbers.type_of(room),  # type: ignore[arg-type]
            DateRange(arrival, departure),  # type: ignore[arg-type]
            numbers.unit_id(room),  # type: ignore[arg-type]
        )
        for at, (room, arrival, departure) in enumerate(rows)
    ]
    nights = DateRange(min(claim.nights.start for claim in claims), FIRST_DAY)
    return NightBoard.of(board_house(numbers), nights, claims)


def _agree(connection: _Connection, ours: _Ours, nights: DateRange) -> None:
    """Make sure that all find the same rooms, or the comparison would mean nothing."""
    numbers = ours.reader.database.house
    by_board = set(ours.board.free_units(nights))
    asked = dict.fromkeys(numbers.type_ids(), nights)
    answer = ours.reader.reader.free_units(asked, ours.reader.clock.now())
    by_sql = {unit for units in answer.values() for unit in units}
    found: dict[str, Sequence[object]] = {
        name: [numbers.unit_id(room) for room in form(connection, nights.start, nights.end)]
        for name, form in FORMS.items()
    }
    for name, units in (("SQL", by_sql), *found.items()):
        if set(units) != by_board:
            raise AssertionError(f"{name} finds other rooms than the board for {nights}")
