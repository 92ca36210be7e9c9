"""P1 to P4: what a booking costs through the adapter and the use case, and what its guard costs.

Owns who is measured against whom. One round runs every contender once, each on a connection of its own that
was opened for the round, one after the other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from pms_adapters.lab.bench.crowd import Crowd
from pms_adapters.lab.bench.floors import raw_booking
from pms_adapters.lab.bench.floors.pgbench import pipeline_script, with_values
from pms_adapters.lab.bench.grounds import Database, Grounds
from pms_adapters.lab.bench.making import SAMPLE_MARK, Shop, sample, sent_by, varying_texts
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pmscore.booking.use_cases.create import create_booking
from pmscore.kernel.errors import MisuseError

__all__ = ["booking_script", "measure_guard", "measure_many", "measure_one"]


def booking_script(database: Database, *, is_guarded: bool = True) -> str:
    """Return pgbench's script for whole bookings, statement by statement what the adapter sends.

    An unguarded booking is the same without its claims: booking, room, figures and event are written, no
    counter and no unit night is.
    """
    varying = varying_texts()
    statements = [
        with_values(sql, [value if is_guarded else _without_claims(value) for value in values], varying)
        for sql, values in sample(database)
    ]
    script = pipeline_script(statements, database.house.settings())
    if SAMPLE_MARK in script or (not is_guarded and '"claims":[]' not in script):
        raise MisuseError(reason="booking_is_sent_in_another_form")
    return script


def measure_one(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P1 and P3, one connection each."""
    database = grounds.database(grounds.scale.small)
    count = grounds.scale.bookings
    script = booking_script(database)
    shop = Shop.on(database.url, database.house)
    rates: dict[str, list[float]] = {"pgbench": [], "adapter": [], "use case": [], "raw": []}
    for number in range(grounds.rounds + 1):
        grounds.progress(f"P1, P3: round {number} of {grounds.rounds}")
        found = {
            "pgbench": _pgbench(grounds, database, script, count),
            "adapter": _adapter(grounds, database, shop, count),
            "use case": _use_case(grounds, database, shop, count),
            "raw": _raw(grounds, database, shop, count),
        }
        if number:  # the first is for warming up
            for name, rate in found.items():
                rates[name].append(rate)
    shop.engine.dispose()
    yield compared(
        "P1",
        "booking through the adapter, 1 connection, bookings/s against pgbench",
        rates["adapter"],
        rates["pgbench"],
        must=Limit(0.60),
        aim=Limit(0.70),
    )
    yield compared(
        "P3",
        "booking through the use case, 1 connection, bookings/s against raw psycopg",
        rates["use case"],
        rates["raw"],
        must=Limit(0.75),
        aim=Limit(0.85),
    )


def measure_many(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P2: several processes at once, one connection each."""
    database = grounds.database(grounds.scale.small)
    clients, count = grounds.scale.clients, grounds.scale.bookings_a_client
    script = booking_script(database)
    ours: list[float] = []
    floor: list[float] = []
    with Crowd(database.url, database.house, clients) as crowd:
        for number in range(grounds.rounds + 1):
            grounds.progress(f"P2: round {number} of {grounds.rounds}, {clients} processes")
            theirs = _pgbench(grounds, database, script, count, clients)
            mine = crowd.rate(grounds.slots(database, clients * count), count)
            if number:
                floor.append(theirs)
                ours.append(mine)
    yield compared(
        "P2",
        f"booking through the adapter, {clients} processes, bookings/s against pgbench -c{clients}",
        ours,
        floor,
        must=Limit(0.50),
        aim=Limit(0.62),
    )


def measure_guard(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P4: the guarded booking against the same one without its claims, both through pgbench."""
    database = grounds.database(grounds.scale.small)
    clients, count = grounds.scale.clients, grounds.scale.bookings_a_client
    bare = grounds.database(grounds.scale.small, purpose="unguarded")
    guarded = booking_script(database)
    unguarded = booking_script(bare, is_guarded=False)
    with_guard: list[float] = []
    without: list[float] = []
    for number in range(grounds.rounds + 1):
        grounds.progress(f"P4: round {number} of {grounds.rounds}")
        theirs = _pgbench(grounds, bare, unguarded, count, clients)
        mine = _pgbench(grounds, database, guarded, count, clients)
        if number:
            without.append(theirs)
            with_guard.append(mine)
    yield compared(
        "P4",
        f"booking with its guard, pgbench -c{clients}, bookings/s against the same without its claims",
        with_guard,
        without,
        must=Limit(0.65),
        aim=Limit(0.70),
    )


def _pgbench(grounds: Grounds, database: Database, script: str, count: int, clients: int = 1) -> float:
    slots = grounds.slots(database, clients * count)
    variables = {"i": -1, "start": slots.start, "clients": clients}
    return database.pgbench(script, transactions=count, clients=clients, variables=variables)


def _adapter(grounds: Grounds, database: Database, shop: Shop, count: int) -> float:
    bookings = shop.prepared(grounds.slots(database, count))
    shop.reconnect()
    started = time.perf_counter()
    for booking in bookings:
        shop.write(booking)
    return count / (time.perf_counter() - started)


def _use_case(grounds: Grounds, database: Database, shop: Shop, count: int) -> float:
    commands = shop.commands(grounds.slots(database, count))
    shop.reconnect()
    started = time.perf_counter()
    for command in commands:
        create_booking(command, uow=shop.uow, clock=shop.clock, ids=shop.ids)
    return count / (time.perf_counter() - started)


def _raw(grounds: Grounds, database: Database, shop: Shop, count: int) -> float:
    bookings = sent_by(shop, shop.prepared(grounds.slots(database, count)))
    return raw_booking.rate(
        database.url,
        [
            [(each.name, each.sql, [value or b"" for value in each.values]) for each in sent]
            for sent in bookings
        ],
    )


def _without_claims(value: str) -> str:
    if not value.startswith("{"):
        return value
    return json.dumps({**json.loads(value), "claims": []}, separators=(",", ":"))
