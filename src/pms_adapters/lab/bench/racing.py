"""P5: many clients and one slot, again and again: who wins, what the others are told, and how long it takes.

Owns the cases: all for the same nights, staggered nights that share one, a winner that holds its locks for two
milliseconds before it commits, two rooms in either order, and bookings that are moved onto the slot. Leaves
the deeper races (processes, expired holds, pooled types) to the tests.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from statistics import quantiles
from threading import Barrier

import psycopg
from attrs import define, evolve, field

from pms_adapters.lab.bench.grounds import Database, Grounds
from pms_adapters.lab.bench.house import ACTOR, AGENCY, NIGHTS
from pms_adapters.lab.bench.making import Shop
from pms_adapters.lab.bench.measurement import Limit, Measurement
from pmscore.booking.use_cases.assign import AssignRoom, assign_room
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.dates.nights import StayRange
from pmscore.kernel.errors import NightsTakenError, PmsError
from pmscore.kernel.ids import RequestId

__all__ = ["measure_race"]

Attempt = Callable[[], object]
_WON, _TAKEN = "won", "taken"
# A deferred trigger fires at the commit, with all locks still held; only who claims nights reaches it.
_HOLD = """\
CREATE FUNCTION bench_hold() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN PERFORM pg_sleep(0.002); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER bench_hold AFTER INSERT ON bookings DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION bench_hold();
ALTER TABLE bookings DISABLE TRIGGER bench_hold"""


@define
class _Tally:
    """What came of the rounds of all cases."""

    rounds: int = 0
    faulty: int = 0
    outcomes: Counter[str] = field(factory=Counter)
    seconds: list[float] = field(factory=list)

    def count(self, outcomes: Sequence[tuple[str, float]]) -> None:
        """Count one round; it is faulty unless exactly one won and all others were told that it is taken."""
        names = Counter(name for name, _ in outcomes)
        self.rounds += 1
        self.faulty += names != Counter({_WON: 1, _TAKEN: len(outcomes) - 1})
        self.outcomes += names
        self.seconds += [taken for _, taken in outcomes]


def measure_race(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P5: faulty rounds and deadlocks (none must be), and how long the slowest waited."""
    scale = grounds.scale
    # More rooms than elsewhere, so that all movers fit into one type beside those who won before.
    database = grounds.database(scale.small, rooms=4 * scale.rooms, purpose="race")
    shop = Shop.on(database.url, database.house, connections=scale.racers)
    tally = _Tally()
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute(_HOLD)
        before = _deadlocks(connection)
        alone = _alone(grounds, database, shop)
        with ThreadPoolExecutor(scale.racers) as pool:
            _run(pool, _same(grounds, database, shop))  # opens the connections
            for name, attempts in _CASES.items():
                grounds.progress(f"P5: {scale.races} rounds, {scale.racers} clients, {name}")
                switch = "ENABLE" if name == "held" else "DISABLE"
                connection.execute(f"ALTER TABLE bookings {switch} TRIGGER bench_hold".encode())
                for _ in range(scale.races):
                    tally.count(_run(pool, attempts(grounds, database, shop)))
            connection.execute("ALTER TABLE bookings DISABLE TRIGGER bench_hold")
        deadlocks = _deadlocks(connection) - before
    shop.engine.dispose()
    yield from _lines(tally, deadlocks, alone, scale.racers)


def _lines(tally: _Tally, deadlocks: int, alone: Sequence[float], racers: int) -> Iterator[Measurement]:
    none = Limit(0, is_least=False)
    told = ", ".join(f"{count} {name}" for name, count in sorted(tally.outcomes.items()))
    for measure, wrong in (
        (
            f"race, {racers} clients, {tally.rounds} rounds ({told}): rounds without exactly one winner",
            tally.faulty,
        ),
        ("race: deadlocks that PostgreSQL saw", deadlocks),
    ):
        yield Measurement(
            id="P5", measure=measure, value=wrong, floor=None, ratio=wrong, must=str(none), aim=None,
            ok=none.holds(wrong),
        )  # fmt: skip
    slowest = quantiles(tally.seconds, n=100)[98] * 1e3
    fair = quantiles(alone, n=100)[98] * 1e3 * racers / (os.cpu_count() or 1)
    yield Measurement(
        id="P5",
        measure="race: p99 ms against the p99 of one client alone x clients / cores",
        value=slowest,
        floor=fair,
        ratio=slowest / fair,
        must=None,
        aim=str(Limit(3.0, is_least=False)),
        ok=True,
    )
    longest = max(tally.seconds) * 1e3
    yield Measurement(
        id="P5", measure="race: longest wait, ms", value=longest, floor=None, ratio=longest, must=None,
        aim=str(Limit(250.0, is_least=False)), ok=True,
    )  # fmt: skip


def _same(grounds: Grounds, database: Database, shop: Shop) -> list[Attempt]:
    number = grounds.slots(database, 1)[0]
    return [_booking(shop, command) for command in shop.commands([number] * grounds.scale.racers)]


def _staggered(grounds: Grounds, database: Database, shop: Shop) -> list[Attempt]:
    """Stays of two and three nights in the slot; all of them need the middle one."""
    number = grounds.slots(database, 1)[0]
    parts = ((0, NIGHTS), (0, NIGHTS - 1), (1, NIGHTS - 1))
    attempts: list[Attempt] = []
    for at, command in enumerate(shop.commands([number] * grounds.scale.racers)):
        (room,) = command.rooms
        later, length = parts[at % len(parts)]
        stay = StayRange.of(room.stay.arrival + timedelta(days=later), length)
        part = evolve(room, stay=stay, nightly=room.nightly[:length])
        attempts.append(_booking(shop, evolve(command, rooms=(part,))))
    return attempts


def _two_rooms(grounds: Grounds, database: Database, shop: Shop) -> list[Attempt]:
    """Both of two slots in one booking, asked for in either order."""
    pair = [each.rooms[0] for each in shop.commands(grounds.slots(database, 2))]
    orders = (tuple(pair), tuple(reversed(pair)))
    number = grounds.slots(database, 1)[0]
    return [
        _booking(shop, evolve(command, rooms=orders[at % 2]))
        for at, command in enumerate(shop.commands([number] * grounds.scale.racers))
    ]


def _moved(grounds: Grounds, database: Database, shop: Shop) -> list[Attempt]:
    """Bookings by type, without a unit, that are all given the same one."""
    number = grounds.slots(database, 1)[0]
    house = database.house
    unit = house.slot(number).unit
    attempts: list[Attempt] = []
    for command in shop.commands([number] * grounds.scale.racers):
        (room,) = command.rooms
        pooled = evolve(command, rooms=(evolve(room, unit_id=None, unit_type_id=house.type_of(unit)),))
        receipt = create_booking(pooled, uow=shop.uow, clock=shop.clock, ids=shop.ids)
        assign = AssignRoom(
            request_id=RequestId(shop.ids.new()),
            agency_id=AGENCY,
            actor_id=ACTOR,
            booking_id=receipt.booking_id,
            room_id=receipt.room_ids[0],
            unit_id=house.unit_id(unit),
        )
        attempts.append(_assignment(shop, assign))
    return attempts


_CASES: Mapping[str, Callable[[Grounds, Database, Shop], list[Attempt]]] = {
    "the same nights": _same,
    "staggered": _staggered,
    "held": _same,
    "two rooms": _two_rooms,
    "moved": _moved,
}


def _booking(shop: Shop, command: CreateBooking) -> Attempt:
    return lambda: create_booking(command, uow=shop.uow, clock=shop.clock, ids=shop.ids)


def _assignment(shop: Shop, command: AssignRoom) -> Attempt:
    return lambda: assign_room(command, uow=shop.uow, clock=shop.clock)


def _run(pool: ThreadPoolExecutor, attempts: Sequence[Attempt]) -> list[tuple[str, float]]:
    """Let all attempts begin together; return how each ended and how long it took."""
    barrier = Barrier(len(attempts))

    def one(attempt: Attempt) -> tuple[str, float]:
        barrier.wait(30.0)
        started = time.perf_counter()
        try:
            attempt()
            outcome = _WON
        except NightsTakenError:
            outcome = _TAKEN
        except PmsError as error:
            outcome = type(error).__name__
        return outcome, time.perf_counter() - started

    return [future.result(60.0) for future in [pool.submit(one, attempt) for attempt in attempts]]


def _alone(grounds: Grounds, database: Database, shop: Shop) -> list[float]:
    """Return how long bookings take when nobody else is there."""
    grounds.progress("P5: one client alone")
    found: list[float] = []
    for command in shop.commands(grounds.slots(database, max(100, grounds.scale.bookings // 2))):
        started = time.perf_counter()
        create_booking(command, uow=shop.uow, clock=shop.clock, ids=shop.ids)
        found.append(time.perf_counter() - started)
    return found


def _deadlocks(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    row = connection.execute(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    ).fetchone()
    return row[0] if row is not None and isinstance(row[0], int) else 0
