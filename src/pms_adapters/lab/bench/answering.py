"""Quotes over HTTP at a fixed rate, beside an app that answers the same number of bytes and does nothing.

Owns what is asked and the lines. Leaves the servers and the demo's hotel to ``serving_app``, the calls to
``calling``.
"""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Iterator, Mapping
from datetime import timedelta

from attrs import frozen

from pms_adapters.lab.bench.call_loop import Calls, Heard
from pms_adapters.lab.bench.calling import Callers, http_call, schedule
from pms_adapters.lab.bench.floors import constant_app
from pms_adapters.lab.bench.grounds import Grounds
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.lab.bench.programs import Program
from pms_adapters.lab.bench.serving_app import Hotel, Served, serving_floor
from pmscore.inventory.model.house import House

__all__ = ["measure_quotes_over_http"]

RATE = 200.0
ADDRESS = "/api/v1/quotes"
PLANS = ("flex", "saver", "breakfast")
_AHEAD = 300
_MOST_NIGHTS = 14
_DIFFERENT = 400
_MOST_ASKED = 10
_WARMING_SECONDS = 2
_ANSWER_SECONDS = 30.0
_MOST_MS = 20.0


def measure_quotes_over_http(grounds: Grounds, served: Served) -> Iterator[Measurement]:
    """Yield how long ``POST /api/v1/quotes`` takes for one type and three plans."""
    hotel, ours = served.hotel(grounds), served.app(grounds)
    sold = _Sold.of(ours, hotel, min(_DIFFERENT, grounds.scale.calls))
    grounds.progress(f"H-quotes: {len(sold.bodies)} stays of {sold.asked} have three prices")
    with serving_floor(constant_app, sold.answer) as floor:
        yield from _lines(_rounds(grounds, served.callers(grounds), ours, floor, sold))


@frozen
class _Rounds:
    """What was heard of both, a round each in turn."""

    ours: tuple[Heard, ...]
    floor: tuple[Heard, ...]


@frozen
class _Sold:
    """Stays that all plans take, an answer of the usual length, and how many stays were asked for."""

    headers: Mapping[str, str]
    bodies: tuple[bytes, ...]
    answer: bytes
    asked: int

    @classmethod
    def of(cls, program: Program, hotel: Hotel, wanted: int) -> _Sold:
        """Ask the app for stays until enough of them have a price in all plans."""
        bodies: list[bytes] = []
        answers: list[bytes] = []
        for asked, body in enumerate(_questions(hotel.house), start=1):
            answer = _ask(program, body, hotel.headers)
            if len(json.loads(answer)["quotes"]) == len(PLANS):
                bodies.append(body)
                answers.append(answer)
            if len(bodies) == wanted:
                usual = sorted(answers, key=len)[len(answers) // 2]
                return cls(hotel.headers, tuple(bodies), usual, asked)
            if asked == wanted * _MOST_ASKED:
                break
        raise RuntimeError(f"of {asked} stays only {len(bodies)} have a price in all plans")


def _rounds(grounds: Grounds, callers: Callers, ours: Program, floor: Program, sold: _Sold) -> _Rounds:
    heard: dict[Program, list[Heard]] = {floor: [], ours: []}
    requests = tuple(http_call("POST", ADDRESS, body, sold.headers) for body in sold.bodies)
    for number in range(grounds.rounds + 1):
        grounds.progress(f"H-quotes: round {number} of {grounds.rounds}")
        count = grounds.scale.calls if number else min(grounds.scale.calls, int(RATE * _WARMING_SECONDS))
        for place, found in heard.items():
            times = schedule(count, RATE, number)
            calls = Calls(host=place.host, port=place.port, requests=requests, times=times)
            answers = callers.send(calls)
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


def _ask(place: Program, body: bytes, headers: Mapping[str, str]) -> bytes:
    line = http.client.HTTPConnection(place.host, place.port, timeout=_ANSWER_SECONDS)
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
