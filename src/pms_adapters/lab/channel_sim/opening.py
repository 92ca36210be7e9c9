"""Opening simulated platforms with a house each, made from a seed: for the command, the demo and people who write a gateway.

Owns the codes and credentials of such a house and the thread in which guests come along. The same seed gives the same
codes, and the same guests as long as the platform is told the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from attrs import field, frozen

from pms_adapters.http.door import Call
from pms_adapters.http.wire import Wire, asked
from pms_adapters.lab.channel_sim.face import FACES, Face, FaceSetting
from pms_adapters.lab.channel_sim.front import Front
from pms_adapters.lab.channel_sim.sales import Seller
from pms_adapters.lab.channel_sim.server import SimulatedServer, serving
from pmscore.channels.model.calls import Outcome
from pmscore.channels.model.revisions import Revision
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ports import Clock
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_platform import Garbled
from pmscore.testing.clocks import SeededIds
from pmscore.testing.draws import Draws

__all__ = [
    "Knocks",
    "ShiftedClock",
    "SimulatedHouse",
    "Simulation",
    "face_name",
    "open_house",
    "platform_names",
    "simulated",
]

_PLATFORMS: Final[Mapping[str, str]] = {
    "booking_com": "booking_ota",
    "expedia": "expedia_eqc",
    "google": "google_ari",
}
"""Faces whose gateways have names of their own, by their platforms."""


@frozen
class ShiftedClock(Clock):
    """A clock that runs beside another, on another day."""

    clock: Clock
    shift: timedelta = timedelta()

    @classmethod
    def from_day(cls, clock: Clock, day: date) -> ShiftedClock:
        """Return a clock that shows the same time on ``day`` now."""
        now = clock.now()
        return cls(
            clock,
            datetime.combine(day, time(), now.tzinfo) - datetime.combine(now.date(), time(), now.tzinfo),
        )

    def now(self) -> datetime:
        """Return the shifted instant."""
        return self.clock.now() + self.shift


class _Credentials(dict[str, Secret]):
    """Whatever a platform asks for, by its name; they open nothing but a simulation."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def __missing__(self, name: str) -> Secret:
        return self.setdefault(name, Secret(f"simulated-{name}-{self._seed}"))


@frozen(kw_only=True)
class SimulatedHouse:
    """One face with what a connection to it needs."""

    face: Face
    seller: Seller
    listing_id: str
    credentials: Mapping[str, Secret]


@frozen
class Knocks:
    """Where platforms knock when they have sold something, by their names; nobody there is no matter."""

    wire: Wire
    urls: Mapping[str, str] = field(repr=False)

    def knock(self, name: str, body: bytes) -> Outcome | None:
        """Send a message to the house that ``name`` sells for; None where there is no address."""
        url = self.urls.get(name)
        if url is None:
            return None
        headers = {"content-type": "application/json"}
        return asked(
            self.wire, Call(method="POST", url=url, headers=headers, body=body, shows_path=False)
        ).outcome


@frozen(kw_only=True)
class Simulation:
    """Platforms that are served."""

    server: SimulatedServer
    houses: Mapping[str, SimulatedHouse]
    hostility: Hostility
    knocks: Knocks | None = None

    def sell(self, name: str) -> Revision | Garbled | None:
        """Let one guest come along on a platform, which then knocks at the house, once, twice or in vain."""
        face = self.houses[name].face
        if not face.sells:
            return None
        with self.server.lock:
            made = self.houses[name].seller.step()
            body = face.knock(made) if isinstance(made, Revision) else None
            sent = self.hostility.delivered(() if body is None else (body,))
        if self.knocks is not None:
            for each in sent:
                self.knocks.knock(name, each)
        return made

    def as_json(self) -> list[dict[str, Json]]:
        """Return what to enter to connect to each platform."""
        return [self._connection(name, house) for name, house in sorted(self.houses.items())]

    def _connection(self, name: str, house: SimulatedHouse) -> dict[str, Json]:
        rooms: dict[str, Json] = {code: [*rates] for code, rates in house.face.platform.rooms.items()}
        url = self.server.url(name)
        given = house.face.to_enter(url) or house.credentials
        secrets: dict[str, Json] = {key: each.reveal() for key, each in given.items()}
        return {
            "platform": name,
            "base_url": url,
            "listing_id": house.listing_id,
            "credentials": secrets,
            "rooms": rooms,
        }


def platform_names() -> tuple[str, ...]:
    """Return the platforms that can be simulated."""
    return tuple(name for name, _ in FACES)


def face_name(named: str) -> str:
    """Return the name of a face, which may be asked for by the platform's own name, too."""
    return _PLATFORMS.get(named, named)


def open_house(
    name: str,
    *,
    seed: int,
    clock: Clock,
    hostility: Hostility | None = None,
    rooms: int = 2,
    rates: int = 1,
    currency: str = "EUR",
    occupancies: tuple[int, ...] = (),
) -> SimulatedHouse:
    """Return a platform with a house of ``rooms`` room types with ``rates`` rates each.

    Raises:
        InvalidInputError: ``platform``: it cannot be simulated.
    """
    if name not in platform_names():
        raise InvalidInputError("platform", "unknown_value", known=", ".join(platform_names()))
    ids = SeededIds(f"channel-sim/{seed}/{name}")
    codes = {_code(ids.new()): tuple(_code(ids.new()) for _ in range(rates)) for _ in range(rooms)}
    setting = FaceSetting(
        clock=clock,
        chance=Draws(seed),
        rooms=codes,
        currency=currency,
        listing_id=_code(ids.new()),
        credentials=_Credentials(seed),
        hostility=hostility,
        occupancies=occupancies,
        sold_on="BookingCom",
    )
    face = FACES.get(name)(setting)
    dial = 0 if hostility is None else hostility.dial
    return SimulatedHouse(
        face=face,
        seller=Seller(face.platform, chance=Draws(seed + 1), clock=clock, dial=dial),
        listing_id=setting.listing_id,
        credentials=setting.credentials,
    )


@contextmanager
def simulated(
    names: Sequence[str],
    *,
    seed: int,
    clock: Clock,
    dial: int = 0,
    host: str = "127.0.0.1",
    port: int = 0,
    sales_every: float | None = None,
    told: Callable[[str, Revision | Garbled], None] | None = None,
    rooms: int = 2,
    rates: int = 1,
    currency: str = "EUR",
    knocks: Knocks | None = None,
) -> Iterator[Simulation]:
    """Serve platforms until the block ends.

    With ``sales_every`` a guest comes along on each of them after so many seconds; ``told`` hears what they did, and
    ``knocks`` says where the platforms tell of it.

    Raises:
        InvalidInputError: ``platform`` or ``dial``.
    """
    hostility = Hostility(dial, Draws(seed + 2))
    houses = {
        name: open_house(
            name, seed=seed, clock=clock, hostility=hostility, rooms=rooms, rates=rates, currency=currency
        )
        for name in names
    }
    faces = tuple(each.face for each in houses.values())
    front = Front({each.name: each for each in faces})
    with serving(faces, host=host, port=port, hostility=hostility, front=front) as server:
        simulation = Simulation(server=server, houses=houses, hostility=hostility, knocks=knocks)
        front.sell = simulation.sell
        is_over = threading.Event()
        thread = threading.Thread(target=_sell, args=(simulation, sales_every, told, is_over), daemon=True)
        if sales_every is not None:
            thread.start()
        try:
            yield simulation
        finally:
            is_over.set()
            if sales_every is not None:
                thread.join(5)


def _sell(
    simulation: Simulation,
    every: float,
    told: Callable[[str, Revision | Garbled], None] | None,
    is_over: threading.Event,
) -> None:
    while not is_over.wait(every):
        for name in simulation.houses:
            made = simulation.sell(name)
            if made is not None and told is not None:
                told(name, made)


def _code(made: UUID) -> str:
    return str(made)
