"""P15 and P16: searches over HTTP, answered from the read model, beside a constant answer of the same length.

Owns what is searched for, and what must be. The app that is not to use its read model is another one, and is measured
beside it without a must. Leaves the rounds to ``in_turns`` and the servers to ``serving_app``.
"""

from __future__ import annotations

import random
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlencode

from pms_adapters.lab.bench.calling import http_call
from pms_adapters.lab.bench.floors import constant_app
from pms_adapters.lab.bench.grounds import Grounds
from pms_adapters.lab.bench.in_turns import (
    KEPT,
    Asked,
    Turn,
    heard_in_turns,
    lines_about_callers,
    lines_about_servers,
    milliseconds,
)
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.lab.bench.programs import Program
from pms_adapters.lab.bench.serving_app import Hotel, Served, serving_floor

__all__ = ["measure_searches_at_a_rate", "measure_searches_in_turn"]

RATE = 500.0
CALLERS = 100
ADDRESS = "/api/v1/availability/search"
_AHEAD = 300
_MOST_NIGHTS = 14
_DIFFERENT = 400
_SAMPLES = 40
_ANSWER_SECONDS = 30.0
_FROM_BOARD = b"X-Search-Source: board"

_Heard = Mapping[str, tuple[Turn, ...]]


def measure_searches_at_a_rate(grounds: Grounds, served: Served) -> Iterator[Measurement]:
    """Yield P15: 500 calls a second that do not wait for answers."""
    with _asked(grounds, served) as asked:
        heard = heard_in_turns(
            grounds,
            served.callers(grounds),
            asked,
            what="P15",
            count=grounds.scale.calls,
            rate=RATE,
            lines=CALLERS,
        )
    yield from _at_a_rate(heard)


def measure_searches_in_turn(grounds: Grounds, served: Served) -> Iterator[Measurement]:
    """Yield P16: 100 callers who wait for their answers."""
    with _asked(grounds, served) as asked:
        heard = heard_in_turns(
            grounds,
            served.callers(grounds),
            asked,
            what="P16",
            count=grounds.scale.calls_in_turn,
            rate=RATE,
            lines=CALLERS,
            follows_answers=True,
        )
    yield from _in_turn(heard)


@contextmanager
def _asked(grounds: Grounds, served: Served) -> Iterator[Mapping[str, Asked]]:
    """Yield the servers by name, the floor with an answer of the usual length."""
    hotel = served.hotel(grounds)
    paths = _questions(hotel)
    ours, by_sql = served.app(grounds), served.app(grounds, SEARCH_READ_MODEL="false")
    answers = sorted((_answer(by_sql, path, hotel.headers) for path in paths[:_SAMPLES]), key=len)
    sent = tuple(http_call("GET", path, b"", hotel.headers) for path in paths)
    with serving_floor(constant_app, answers[len(answers) // 2]) as floor:
        yield {
            "floor": Asked(program=floor, requests=lambda _: sent),
            "ours": Asked(program=ours, requests=lambda _: sent, mark=_FROM_BOARD),
            "sql": Asked(program=by_sql, requests=lambda _: sent),
        }


def _at_a_rate(heard: _Heard) -> Iterator[Measurement]:
    ours, by_sql, floor = heard["ours"], heard["sql"], heard["floor"]
    what = f"GET {ADDRESS}, {RATE:.0f}/s offered"
    yield compared(
        "P15",
        f"{what}: p95, ms against a constant answer",
        milliseconds(ours, 0.95),
        milliseconds(floor, 0.95),
        must=Limit(2.0, is_least=False),
        aim=Limit(1.5, is_least=False),
    )
    for part, name in ((0.5, "p50"), (0.99, "p99"), (1.0, "longest")):
        yield compared("P15", f"{name}, ms", milliseconds(ours, part), milliseconds(floor, part))
    yield compared("P15", "by SQL: p95, ms", milliseconds(by_sql, 0.95), milliseconds(floor, 0.95))
    yield compared(
        "P15", "part of the answers from the read model", [each.marked for each in ours], must=KEPT
    )
    yield from lines_about_servers("P15", "memory", ours, floor)
    yield from lines_about_servers("P15", "by SQL", by_sql, floor)
    yield from lines_about_callers("P15", "500/s", ours, floor, RATE)


def _in_turn(heard: _Heard) -> Iterator[Measurement]:
    ours, by_sql, floor = heard["ours"], heard["sql"], heard["floor"]
    yield compared(
        "P16",
        f"GET {ADDRESS}, {CALLERS} callers who wait: answers/s against a constant answer",
        _rates(ours),
        _rates(floor),
        must=Limit(0.40),
        aim=Limit(0.60),
    )
    yield compared("P16", "p95, ms", milliseconds(ours, 0.95), aim=Limit(30.0, is_least=False))
    yield compared(
        "P16", "p95, ms against a constant answer", milliseconds(ours, 0.95), milliseconds(floor, 0.95)
    )
    yield compared("P16", "by SQL: answers/s", _rates(by_sql), _rates(floor))
    yield compared("P16", "by SQL: p95, ms", milliseconds(by_sql, 0.95), milliseconds(floor, 0.95))
    yield compared(
        "P16", "part of the answers from the read model", [each.marked for each in ours], must=KEPT
    )
    yield from lines_about_servers("P16", "memory", ours, floor)
    yield from lines_about_callers("P16", f"{CALLERS} callers", ours, floor)


def _rates(turns: Sequence[Turn]) -> list[float]:
    return [each.heard.rate for each in turns]


def _answer(program: Program, path: str, headers: Mapping[str, str]) -> bytes:
    asked = urllib.request.Request(f"{program.address}{path}", headers=dict(headers))  # noqa: S310 - loopback
    with urllib.request.urlopen(asked, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
        text: bytes = answer.read()
        return text


def _questions(hotel: Hotel) -> list[str]:
    """Return searches of a hotel for stays in all its types, the same for the same house."""
    chance = random.Random(15)
    home = hotel.house.property
    found: list[str] = []
    for _ in range(_DIFFERENT):
        arrival = home.business_date + timedelta(days=chance.randrange(1, _AHEAD))
        departure = arrival + timedelta(days=chance.randint(1, _MOST_NIGHTS))
        query = {
            "property_id": str(home.property_id),
            "arrival": arrival.isoformat(),
            "departure": departure.isoformat(),
            "adults": chance.randint(1, 2),
        }
        found.append(f"{ADDRESS}?{urlencode(query)}")
    return found
