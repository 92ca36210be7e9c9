"""Quotes over HTTP at a fixed rate, beside an app that answers the same number of bytes and does nothing.

Owns the two servers of a run, a demo hotel with its price list, and the lines. The app is started by the command that
starts it for anybody, which the caller names: this package does not know the web. Leaves the calls to ``calling``.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from attrs import evolve, frozen

from pms_adapters.bootstrap import connect
from pms_adapters.lab.bench.calling import Callers, Calls, Heard, http_call, schedule
from pms_adapters.lab.bench.floors import constant_app
from pms_adapters.lab.bench.grounds import Database, Grounds
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.lab.bench.programs import serving
from pms_adapters.lab.seed import DEMO_AGENCY, seed
from pms_adapters.lab.seed_houses import HOTEL
from pms_adapters.postgres.availability import PostgresAvailability
from pms_adapters.settings import Settings
from pms_adapters.system import SystemSecrets
from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.keys import CreateKey, create_key
from pmscore.inventory.model.house import House
from pmscore.kernel.ids import ActorId, RequestId

__all__ = ["THREADS", "WORKERS", "measure_quotes_over_http"]

RATE = 200.0
WORKERS, THREADS = 2, 8
ADDRESS = "/api/v1/quotes"
PLANS = ("flex", "saver", "breakfast")
_AHEAD = 300
_MOST_NIGHTS = 14
_DIFFERENT = 400
_MOST_ASKED = 10
_HOTEL_ROOMS = 120
_WARMING_SECONDS = 2
_ANSWER_SECONDS = 30.0
_MOST_MS = 20.0
# Requests are counted as ever; none is refused for being one too many.
_MOST_REQUESTS = 100_000_000


def measure_quotes_over_http(grounds: Grounds, command: Sequence[str]) -> Iterator[Measurement]:
    """Yield how long ``POST /api/v1/quotes`` takes for one type and three plans.

    ``command`` starts the app on a free port of loopback and says where in its first line; numbers of workers and
    threads are added.
    """
    database = grounds.empty("http")
    hotel = _seeded(database, grounds)
    environ = {
        "DATABASE_URL": database.url,
        "ENABLE_REDIS_HEALTHCHECK": "false",
        "ENABLE_WORKER_HEALTHCHECK": "false",
        "REQUESTS_PER_MINUTE": str(_MOST_REQUESTS),
    }
    numbers = ("--workers", str(WORKERS), "--threads", str(THREADS))
    with serving((*command, *numbers), environ) as ours:
        sold = _Sold.of(ours, hotel)
        grounds.progress(f"H-quotes: {len(sold.bodies)} stays of {sold.asked} have three prices")
        script = (sys.executable, constant_app.__file__, str(WORKERS), str(THREADS))
        with serving(script, {}, given=sold.answer) as floor, Callers() as callers:
            yield from _lines(_rounds(grounds, callers, ours, floor, sold))


@frozen
class _Rounds:
    """What was heard of both, a round each in turn."""

    ours: tuple[Heard, ...]
    floor: tuple[Heard, ...]


@frozen
class _Hotel:
    """The house that is asked about, and what a caller says of who it is."""

    house: House
    headers: Mapping[str, str]


@frozen
class _Sold:
    """Stays that all plans take, an answer of the usual length, and how many stays were asked for."""

    headers: Mapping[str, str]
    bodies: tuple[bytes, ...]
    answer: bytes
    asked: int

    @classmethod
    def of(cls, address: str, hotel: _Hotel) -> _Sold:
        """Ask the app for stays until enough of them have a price in all plans."""
        bodies: list[bytes] = []
        answers: list[bytes] = []
        for asked, body in enumerate(_questions(hotel.house), start=1):
            answer = _ask(address, body, hotel.headers)
            if len(json.loads(answer)["quotes"]) == len(PLANS):
                bodies.append(body)
                answers.append(answer)
            if len(bodies) == _DIFFERENT:
                usual = sorted(answers, key=len)[len(answers) // 2]
                return cls(hotel.headers, tuple(bodies), usual, asked)
            if asked == _DIFFERENT * _MOST_ASKED:
                break
        raise RuntimeError(f"of {asked} stays only {len(bodies)} have a price in all plans")


def _rounds(grounds: Grounds, callers: Callers, ours: str, floor: str, sold: _Sold) -> _Rounds:
    heard: dict[str, list[Heard]] = {floor: [], ours: []}
    requests = tuple(http_call("POST", ADDRESS, body, sold.headers) for body in sold.bodies)
    for number in range(grounds.rounds + 1):
        grounds.progress(f"H-quotes: round {number} of {grounds.rounds}")
        count = grounds.scale.calls if number else min(grounds.scale.calls, int(RATE * _WARMING_SECONDS))
        for address, found in heard.items():
            place = urlsplit(address)
            times = schedule(count, RATE, number)
            answers = callers.send(Calls(place.hostname or "", place.port or 0, requests, times))
            if number:
                found.append(answers)
    return _Rounds(tuple(heard[ours]), tuple(heard[floor]))


def _lines(rounds: _Rounds) -> Iterator[Measurement]:
    what = f"POST {ADDRESS}, three plans, {RATE:.0f}/s offered"

    def ms(part: float) -> tuple[list[float], list[float]]:
        ours, floor = (
            [each.percentile(part) * 1e3 for each in found] for found in (rounds.ours, rounds.floor)
        )
        return ours, floor

    yield compared("H-quotes", f"{what}: p99 ms", ms(0.99)[0], must=Limit(_MOST_MS, is_least=False))
    for part, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"), (1.0, "longest")):
        yield compared("H-quotes", f"{name}, ms against a constant answer", *ms(part))
    rates = ([each.rate for each in found] for found in (rounds.ours, rounds.floor))
    yield compared("H-quotes", "answers a second, against a constant answer", *rates)


def _seeded(database: Database, grounds: Grounds) -> _Hotel:
    """Return the demo's hotel, made with two years of stays and its price list; two rooms of it in a tiny run."""
    grounds.progress("making the demo's hotel")
    first = HOTEL.types[0]
    tiny = evolve(HOTEL, types=(evolve(first, floors=(1,), rooms_a_floor=2),))
    draft = tiny if grounds.scale.rooms < _HOTEL_ROOMS else HOTEL
    with connect(Settings(database_url=database.url)) as services:
        seed(services, admin_url=database.admin_url, drafts=(draft,))
        (house,) = PostgresAvailability(services.engine, DEMO_AGENCY).houses()
        made = create_key(
            CreateKey(
                request_id=RequestId(services.ids.new()),
                agency_id=DEMO_AGENCY,
                actor_id=ActorId(services.ids.new()),
                name="bench",
                role=Role.STAFF,
            ),
            uow=services.uow,
            secrets=SystemSecrets(),
            clock=services.clock,
            ids=services.ids,
        )
    return _Hotel(house, {"Authorization": f"Bearer {made.text}"})


def _ask(address: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    place = urlsplit(address)
    line = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_ANSWER_SECONDS)
    try:
        line.request("POST", ADDRESS, body, {"Content-Type": "application/json", **headers})
        answer = line.getresponse()
        text = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"answered with {answer.status}: {text[:300]!r}")
        return text
    finally:
        line.close()


def _questions(house: House) -> Iterator[bytes]:
    """Yield requests for stays of one type, endlessly, the same for the same house."""
    chance = random.Random(1)
    home, (kind, *_) = house.property, house.types.values()
    while True:
        arrival = home.business_date + timedelta(days=chance.randrange(1, _AHEAD))
        departure = arrival + timedelta(days=chance.randint(1, _MOST_NIGHTS))
        body = {
            "property_id": str(home.property_id),
            "unit_type_ids": [str(kind.unit_type_id)],
            "plans": PLANS,
            "arrival": arrival.isoformat(),
            "departure": departure.isoformat(),
            "adults": chance.randint(1, 2),
        }
        yield json.dumps(body).encode()
