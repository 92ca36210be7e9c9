"""P17: bookings over HTTP, beside an app that writes one row for each call.

Owns what is booked, and where a booking's safety costs what: the same bookings without an idempotency key, and as a
role that row-level security does not hold, both through the use case, where nothing else differs. Leaves the rounds
to ``in_turns`` and the servers to ``serving_app``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping

import psycopg
from attrs import define, evolve

from pms_adapters.lab.bench.calling import http_call
from pms_adapters.lab.bench.floors import constant_app
from pms_adapters.lab.bench.grounds import Database, Grounds
from pms_adapters.lab.bench.house import AGENCY, HOUSE
from pms_adapters.lab.bench.in_turns import (
    Asked,
    heard_in_turns,
    lines_about_callers,
    lines_about_servers,
    milliseconds,
)
from pms_adapters.lab.bench.making import Shop
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.lab.bench.serving_app import Served, serving_floor, staff_headers
from pmscore.booking.use_cases.create import create_booking
from pmscore.kernel.events import OnceKey

__all__ = ["BookingRequests", "measure_bookings_over_http"]

RATE = 500.0
CALLERS = 100
ADDRESS = "/api/v1/bookings"
_USUAL_ANSWER = 420
_FIFTH = Limit(1.25, is_least=False)
"""What takes a fifth of the whole makes a quarter more of the rest."""


def measure_bookings_over_http(grounds: Grounds, served: Served) -> Iterator[Measurement]:
    """Yield P17: 500 bookings a second, each under a key of its own, and what key and row-level security cost in them.

    Raises:
        RuntimeError: a booking was refused, or another number of them was written than was answered.
    """
    database, ours = served.database(grounds), served.app(grounds)
    headers = staff_headers(database, AGENCY)
    rows = grounds.empty("http_rows")
    before = _bookings(database)
    callers = served.callers(grounds)
    with serving_floor(constant_app, b"x" * _USUAL_ANSWER, rows.admin_url) as floor:
        requests = BookingRequests(grounds, database, headers)
        asked = {
            "floor": Asked(program=floor, requests=BookingRequests(grounds, database, headers)),
            "ours": Asked(program=ours, requests=requests),
        }
        heard = heard_in_turns(
            grounds, callers, asked, what="P17", count=grounds.scale.calls, rate=RATE, lines=CALLERS
        )
    written = _bookings(database) - before
    if written != requests.made:
        raise RuntimeError(f"{requests.made} bookings were asked for, {written} were written")
    mine, theirs = heard["ours"], heard["floor"]
    yield compared(
        "P17",
        f"POST {ADDRESS}, {RATE:.0f}/s offered: p95, ms against one row through psycopg",
        milliseconds(mine, 0.95),
        milliseconds(theirs, 0.95),
        must=Limit(2.5, is_least=False),
        aim=Limit(1.8, is_least=False),
    )
    for part, name in ((0.5, "p50"), (0.99, "p99"), (1.0, "longest")):
        yield compared("P17", f"{name}, ms", milliseconds(mine, part), milliseconds(theirs, part))
    yield from lines_about_servers("P17", "booking", mine, theirs)
    yield from lines_about_callers("P17", "500/s", mine, theirs, RATE)
    yield from _safety(grounds, database)


@define
class BookingRequests:
    """Requests that book slots which nobody has been given yet."""

    grounds: Grounds
    database: Database
    headers: Mapping[str, str]
    made: int = 0

    def __call__(self, count: int) -> tuple[bytes, ...]:
        """Return so many requests."""
        house = self.database.house
        found: list[bytes] = []
        for number in self.grounds.slots(self.database, count):
            slot = house.slot(number)
            body = {
                "property_id": str(HOUSE),
                "unit_type_id": str(house.type_of(slot.unit)),
                "unit_id": str(house.unit_id(slot.unit)),
                "guest_id": str(house.guest_id(number)),
                "arrival": slot.arrival.isoformat(),
                "departure": slot.departure.isoformat(),
                "adults": 2,
                "rate": {"amount": "100.00", "currency": "EUR"},
            }
            key = {"Idempotency-Key": f"bench-{number}"}
            found.append(http_call("POST", ADDRESS, json.dumps(body).encode(), {**self.headers, **key}))
        self.made += count
        return tuple(found)


def _safety(grounds: Grounds, database: Database) -> Iterator[Measurement]:
    """Yield what a key and row-level security cost in a booking, through the use case on one connection."""
    held = Shop.on(database.url, database.house)
    free = Shop.on(database.admin_url, database.house)
    found: dict[str, list[float]] = {"both": [], "no key": [], "no policy": []}
    for number in range(grounds.rounds + 1):
        grounds.progress(f"P17: what safety costs, round {number} of {grounds.rounds}")
        for name, shop in (("both", held), ("no key", held), ("no policy", free)):
            took = _milliseconds(grounds, database, shop, has_key=name != "no key")
            if number:
                found[name].append(took)
    held.engine.dispose()
    free.engine.dispose()
    yield compared(
        "P17",
        "use case, ms a booking, with a key against without",
        found["both"],
        found["no key"],
        aim=_FIFTH,
    )
    yield compared(
        "P17",
        "use case, ms a booking, under row-level security against a role above it",
        found["both"],
        found["no policy"],
        aim=_FIFTH,
    )


def _milliseconds(grounds: Grounds, database: Database, shop: Shop, *, has_key: bool) -> float:
    count = grounds.scale.bookings
    commands = shop.commands(grounds.slots(database, count))
    if has_key:
        commands = [
            evolve(each, once=OnceKey(str(each.request_id), f"POST {ADDRESS}", each.request_id.hex * 2))
            for each in commands
        ]
    shop.reconnect()
    started = time.perf_counter()
    for command in commands:
        create_booking(command, uow=shop.uow, clock=shop.clock, ids=shop.ids)
    return (time.perf_counter() - started) / count * 1e3


def _bookings(database: Database) -> int:
    with psycopg.connect(database.admin_url) as connection:
        row = connection.execute("SELECT count(*) FROM bookings").fetchone()
    return 0 if row is None else int(row[0])
