"""P20: messages of a platform, kept over HTTP beside bookings at the same rate, and how soon what they tell is booked here.

Owns what is sent and when it was seen to be done: a reader of its own looks for bookings every few milliseconds.
Leaves the rounds of calls to ``in_turns``, the app to ``serving_app``, houses and worker to ``channel_house``.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID, uuid4

import psycopg
from attrs import define, field, frozen

from pms_adapters.bootstrap import connect
from pms_adapters.crypto.box import new_key
from pms_adapters.lab.bench.booking_over_http import BookingRequests
from pms_adapters.lab.bench.calling import http_call, schedule
from pms_adapters.lab.bench.channel_house import Agency, ConnectedHouse, connected_agency, wait_until, working
from pms_adapters.lab.bench.grounds import Database, Grounds
from pms_adapters.lab.bench.house import ACTOR, AGENCY, HOUSE
from pms_adapters.lab.bench.in_turns import Asked, heard_in_turns, lines_about_callers, milliseconds
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.lab.bench.programs import Program, serving
from pms_adapters.lab.bench.serving_app import Served, staff_headers
from pms_adapters.settings import Settings
from pmscore.channels.model.manifest import Platform
from pmscore.channels.model.revisions import Revision
from pmscore.channels.use_cases.addresses import NewTokens, new_tokens
from pmscore.channels.use_cases.connections import Connect
from pmscore.channels.use_cases.connections import connect as connect_platform
from pmscore.kernel.ids import RequestId
from pmscore.kernel.secrets import Secret

__all__ = ["measure_knocks"]

RATE = 200.0
CALLERS = 64
SALES_A_HOUSE = 12
"""So many messages a house: each is fetched and acknowledged, fewer calls than it allows in a minute."""

_ADDRESS = "/channel-webhooks/"
_LISTING = "bench-listing"
_MOST_MS, _AIM_MS = 2_000.0, 100.0
_HALF = 0.5
_LOOK_SECONDS = 0.005
_ANSWER_SECONDS = 30.0
_KEPT = "SELECT count(*) FROM channel_knocks"
_BOOKED = (
    "SELECT connection_id, booking_key FROM channel_links WHERE agency_id = %s AND booking_id IS NOT NULL"
)
_ON: Mapping[str, str] = {"CHANNEL_MANAGER_ENABLED": "true", "PUBLIC_REQUESTS_PER_MINUTE": "100000000"}


def measure_knocks(grounds: Grounds, served: Served) -> Iterator[Measurement]:
    """Yield P20: messages kept beside bookings made, and from a message to the booking with a worker at half load.

    Raises:
        RuntimeError: another number of messages was kept than was answered, or a sale never became a booking.
    """
    yield from _kept(grounds, served)
    yield from _processed(grounds, served)


def _kept(grounds: Grounds, served: Served) -> Iterator[Measurement]:
    database, key = served.database(grounds), new_key()
    ours = served.app(grounds, ENCRYPTION_KEY=key, **_ON)
    knocks = _Knocks(_connected(database, key))
    bookings = BookingRequests(grounds, database, staff_headers(database, AGENCY))
    asked = {
        "bookings": Asked(program=ours, requests=bookings),
        "knocks": Asked(program=ours, requests=knocks),
    }
    callers = served.callers(grounds)
    count = grounds.scale.calls
    heard = heard_in_turns(grounds, callers, asked, what="P20", count=count, rate=RATE, lines=CALLERS)
    with psycopg.connect(database.admin_url) as connection:
        row = connection.execute(_KEPT).fetchone()
    if row is None or row[0] != knocks.made:
        raise RuntimeError(f"{knocks.made} messages were answered, {row and row[0]} were kept")
    mine, theirs = heard["knocks"], heard["bookings"]
    yield compared(
        "P20",
        f"POST {_ADDRESS}<token>, kept before it is answered, {RATE:.0f}/s offered: p99, ms against a booking's",
        milliseconds(mine, 0.99),
        milliseconds(theirs, 0.99),
        must=Limit(1.5, is_least=False),
        aim=Limit(1.2, is_least=False),
    )
    for part, name in ((0.5, "p50"), (0.95, "p95"), (1.0, "longest")):
        yield compared("P20", f"{name}, ms", milliseconds(mine, part), milliseconds(theirs, part))
    yield from lines_about_callers("P20", f"{RATE:.0f}/s", mine, theirs, RATE)


def _processed(grounds: Grounds, served: Served) -> Iterator[Measurement]:
    """Yield how soon a sale is a booking here: sales at half the rate that the worker can keep."""
    with connected_agency(grounds, "knocks", grounds.scale.platforms) as agency:
        doors = [_door(agency, house) for house in agency.houses]
        app = (*served.command, "--workers", "1", "--threads", "4")
        with (
            serving(app, {**agency.environ, **_ON, **_NO_CHECKS}) as program,
            working(agency, grounds),
            _watching(agency) as seen,
        ):
            burst = _burst(grounds, program, agency, doors, seen)
            took = _at_half(grounds, program, agency, doors, seen, burst * _HALF)
        if any(house.refusals() for house in agency.houses):
            raise RuntimeError("a platform got more calls than it allows")
    what = f"from a platform's message to the booking, one worker at half load ({burst * _HALF:.1f}/s), ms"
    took.sort()
    for part, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"), (1.0, "longest")):
        value = took[min(len(took) - 1, int(part * len(took)))]
        is_bound = part == 0.99
        yield compared(
            "P20",
            f"{what}, of {len(took)}: {name}",
            [value],
            must=Limit(_MOST_MS, is_least=False) if is_bound else None,
            aim=Limit(_AIM_MS, is_least=False) if is_bound else None,
        )
    yield compared(
        "P20", "sales a second that one worker books and tells the platform's other rooms of", [burst]
    )


_NO_CHECKS: Mapping[str, str] = {"ENABLE_REDIS_HEALTHCHECK": "false", "ENABLE_WORKER_HEALTHCHECK": "false"}


@define
class _Knocks:
    """Requests that are a platform's messages, each about another sale."""

    token: Secret
    made: int = 0

    def __call__(self, count: int) -> tuple[bytes, ...]:
        self.made += count
        return tuple(
            http_call("POST", _ADDRESS + self.token.reveal(), json.dumps(_message()).encode())
            for _ in range(count)
        )


def _message() -> dict[str, object]:
    payload = {"booking_id": str(uuid4()), "property_id": _LISTING, "revision_id": str(uuid4())}
    return {"event": "booking", "property_id": _LISTING, "user_id": None, "payload": payload}


def _connected(database: Database, key: str) -> Secret:
    """Connect the bench's house, and return the token of its address for messages."""
    with connect(Settings(database_url=database.url, encryption_key=Secret(key))) as services:
        made = connect_platform(
            Connect(
                request_id=RequestId(services.ids.new()),
                agency_id=AGENCY,
                actor_id=ACTOR,
                property_id=HOUSE,
                platform=Platform.CHANNEX,
                listing_id=_LISTING,
                credentials={"api_key": "bench"},
                is_tested=False,
            ),
            uow=services.uow,
            clock=services.clock,
            ids=services.ids,
            means=services.channels,
        )
        wanted = NewTokens(
            request_id=RequestId(services.ids.new()),
            agency_id=AGENCY,
            actor_id=ACTOR,
            connection_id=made.connection_id,
        )
        return new_tokens(wanted, uow=services.uow, clock=services.clock, means=services.channels).knock


_Sale: TypeAlias = "tuple[UUID, str]"


@frozen
class _Door:
    """A house's address for messages, and who sells it."""

    house: ConnectedHouse
    token: Secret

    def sell(self, first: int, agency: Agency) -> Revision:
        """Let somebody book on the platform; return what it then tells."""
        platform = self.house.simulation.houses["channex"].face.platform
        with self.house.simulation.server.lock:
            while True:
                day = agency.today + timedelta(days=first)
                sold = platform.sell(day, day + timedelta(days=300))
                if sold is not None:
                    return sold

    def key(self, sold: Revision) -> _Sale:
        """Return the name of a sale: platforms of different houses may use the same keys."""
        return self.house.connection_id, sold.booking_key

    def body(self, sold: Revision) -> bytes:
        """Return the message about a sale."""
        return self.house.simulation.houses["channex"].face.knock(sold) or b""


def _door(agency: Agency, house: ConnectedHouse) -> _Door:
    parts = agency.services
    wanted = NewTokens(
        request_id=RequestId(uuid4()),
        agency_id=agency.agency_id,
        actor_id=agency.actor_id,
        connection_id=house.connection_id,
    )
    tokens = new_tokens(wanted, uow=parts.uow, clock=parts.clock, means=parts.channels)
    return _Door(house, tokens.knock)


@define
class _Seen:
    """When each sale was first seen to be a booking."""

    at: dict[_Sale, float] = field(factory=dict)
    is_over: threading.Event = field(factory=threading.Event)

    def look(self, url: str, agency: Agency) -> None:
        """Look until it is over."""
        with psycopg.connect(url, autocommit=True) as connection:
            while not self.is_over.wait(_LOOK_SECONDS):
                booked = connection.execute(_BOOKED, (agency.agency_id,)).fetchall()
                now = time.perf_counter()
                for connection_id, key in booked:
                    self.at.setdefault((connection_id, key), now)


@contextmanager
def _watching(agency: Agency) -> Iterator[_Seen]:
    seen = _Seen()
    thread = threading.Thread(target=seen.look, args=(agency.database.admin_url, agency), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        seen.is_over.set()
        thread.join(5)


def _burst(grounds: Grounds, program: Program, agency: Agency, doors: list[_Door], seen: _Seen) -> float:
    """Return how many sales a second the worker gets through, where all houses have one at once."""
    grounds.progress(f"P20: a sale in each of {len(doors)} houses at once")
    sold = [(door, door.sell(2, agency)) for door in doors]
    pushed = [door.house.calls("push_availability") for door in doors]
    with closing(_line(program)) as line:
        started = time.perf_counter()
        for door, each in sold:
            _knock(line, door, each)
    keys = {door.key(each) for door, each in sold}
    wait_until(lambda: keys <= seen.at.keys(), "a sale never became a booking")
    wait_until(
        lambda: all(
            door.house.calls("push_availability") > before for door, before in zip(doors, pushed, strict=True)
        ),
        "a platform was never told of what it sold",
        every=0.01,
    )
    return len(sold) / (time.perf_counter() - started)


def _at_half(
    grounds: Grounds, program: Program, agency: Agency, doors: list[_Door], seen: _Seen, rate: float
) -> list[float]:
    """Return the milliseconds from each message to its booking, of messages that do not know of each other."""
    count = len(doors) * min(grounds.rounds, SALES_A_HOUSE)
    grounds.progress(f"P20: {count} sales, {rate:.1f} a second")
    knocked: dict[_Sale, float] = {}
    with closing(_line(program)) as line:
        started = time.perf_counter()
        for number, at in enumerate(schedule(count, rate, 5)):
            door = doors[number % len(doors)]
            sold = door.sell(2, agency)
            time.sleep(max(0.0, started + at - time.perf_counter()))
            knocked[door.key(sold)] = time.perf_counter()
            _knock(line, door, sold)
    wait_until(lambda: knocked.keys() <= seen.at.keys(), "a sale never became a booking")
    return [(seen.at[key] - at) * 1e3 for key, at in knocked.items()]


def _line(program: Program) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(program.host, program.port, timeout=_ANSWER_SECONDS)


def _knock(line: http.client.HTTPConnection, door: _Door, sold: Revision) -> None:
    headers = {"Content-Type": "application/json"}
    line.request("POST", _ADDRESS + door.token.reveal(), door.body(sold), headers)
    answer = line.getresponse()
    text = answer.read()
    if answer.status != http.client.OK:
        raise RuntimeError(f"answered with {answer.status}: {text[:300]!r}")
