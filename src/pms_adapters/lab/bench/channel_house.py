"""Houses that are connected to simulated platforms, and a worker that keeps them in step, for the length of a run.

Owns one agency with as many houses as a line needs, since platforms count calls by house, and the worker's processes
as its supervisor starts them: a relay and one that works the queue off. Leaves the app to ``serving_app`` and what is
measured to ``channel_receipts`` and ``channel_knocks``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from ipaddress import ip_network
from typing import TypedDict
from uuid import uuid4

from attrs import frozen

from pms_adapters.bootstrap import Services, connect
from pms_adapters.crypto.box import new_key
from pms_adapters.lab.bench.grounds import Database, Grounds
from pms_adapters.lab.channel_sim.opening import Simulation, simulated
from pms_adapters.settings import Settings
from pms_adapters.system import SystemClock
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.channels.model.manifest import Platform
from pmscore.channels.use_cases.connections import Connect
from pmscore.channels.use_cases.connections import connect as connect_platform
from pmscore.channels.use_cases.mappings import RateWanted, ReplaceMappings, RoomWanted, replace_mappings
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone
from pmscore.guests.use_cases import AddGuest, add_guest
from pmscore.inventory.use_cases.houses import CreateHouse, NewUnitType, create_house
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ActorId, AgencyId, ConnectionId, GuestId, PropertyId, RequestId, UnitTypeId
from pmscore.kernel.secrets import Secret
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.plans import RatePlan, TypePrices, WeekPrices
from pmscore.pricing.use_cases.prices import SetPrices, set_prices
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["Agency", "ConnectedHouse", "connected_agency", "wait_until", "working"]

ROOMS = 200
PLAN = "flex"
_EUR = Currency.of("EUR")
_END_SECONDS = 20.0
_PATIENCE_SECONDS = 180.0


@frozen(kw_only=True)
class ConnectedHouse:
    """One house with its platform, which it is the only one to sell on."""

    property_id: PropertyId
    type_id: UnitTypeId
    connection_id: ConnectionId
    simulation: Simulation

    def sellable(self, day: date) -> int | None:
        """Return how many rooms the platform may sell on a night, None where it was never told."""
        platform = self.simulation.houses["channex"].face.platform
        with self.simulation.server.lock:
            return platform.cell(next(iter(platform.rooms)), "", MatrixField.SELLABLE, day)

    def is_told(self, day: date) -> bool:
        """Return whether the platform knows rooms and prices up to a night."""
        platform = self.simulation.houses["channex"].face.platform
        with self.simulation.server.lock:
            ((room, (rate, *_)),) = platform.rooms.items()
            told = (
                platform.cell(room, "", MatrixField.SELLABLE, day),
                platform.cell(room, rate, MatrixField.RATE, day),
            )
        return None not in told

    def calls(self, kind: str) -> int:
        """Return how many calls of a kind the platform has counted."""
        with self.simulation.server.lock:
            return self.simulation.houses["channex"].face.platform.calls.total[kind]

    def refusals(self) -> int:
        """Return how many calls came beyond the platform's limits."""
        with self.simulation.server.lock:
            return self.simulation.houses["channex"].face.platform.calls.exceeded


@frozen(kw_only=True)
class Agency:
    """An agency whose houses are connected; ``environ`` is what its processes are told."""

    database: Database
    services: Services
    environ: Mapping[str, str]
    agency_id: AgencyId
    actor_id: ActorId
    guest_id: GuestId
    houses: tuple[ConnectedHouse, ...]
    today: date

    def asking(self) -> Command:
        """Return a question of somebody of the agency."""
        return Command(request_id=RequestId(uuid4()), agency_id=self.agency_id, actor_id=self.actor_id)

    def stay(self, number: int, length: int = 3) -> StayRange:
        """Return a stay by its number; stays of different numbers share no night, up to a hundred of them."""
        return StayRange.of(self.today + timedelta(days=5 + number % 100 * (length + 1)), length)


@contextmanager
def connected_agency(grounds: Grounds, purpose: str, houses: int) -> Iterator[Agency]:
    """Yield an agency with so many houses, each connected to a platform that knows nothing yet; no worker runs."""
    database, redis_url, key = grounds.empty(purpose), grounds.redis_url(), new_key()
    clock = SystemClock()
    settings = Settings(
        database_url=database.url,
        redis_url=redis_url,
        encryption_key=Secret(key),
        outbound_networks=(ip_network("127.0.0.0/8"),),
        module_switches=(("channel_manager", True),),
    )
    environ = {
        "DATABASE_URL": database.url,
        "REDIS_URL": redis_url,
        "ENCRYPTION_KEY": key,
        "OUTBOUND_NETWORKS": "127.0.0.0/8",
        "CHANNEL_MANAGER_ENABLED": "true",
        "LOG_LEVEL": "ERROR",
    }
    with ExitStack() as stack:
        services = stack.enter_context(connect(settings))
        grounds.progress(f"connecting {houses} houses to simulated platforms")
        simulations = [
            stack.enter_context(simulated(["channex"], seed=number + 1, clock=clock, rooms=1))
            for number in range(houses)
        ]
        yield _opened(database, services, environ, simulations)


@contextmanager
def working(agency: Agency, grounds: Grounds) -> Iterator[None]:
    """Let a worker run, a relay and one that works the queue off, and yield when every platform knows its house."""
    grounds.progress("starting a worker; it tells every platform all there is")
    environ = {**os.environ, **agency.environ}
    processes = [
        subprocess.Popen(
            (sys.executable, "-m", "pms_adapters.worker", kind, str(os.getpid())),
            env=environ,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for kind in ("relay", "queue")
    ]
    try:
        last = agency.today + timedelta(days=400)
        wait_until(lambda: all(each.is_told(last) for each in agency.houses), "a platform was never told")
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(
    holds: Callable[[], bool], complaint: str, *, seconds: float = _PATIENCE_SECONDS, every: float = 0.05
) -> None:
    """Look until something holds.

    Raises:
        RuntimeError: it did not come to that in time.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(complaint)
        time.sleep(every)


def _opened(
    database: Database, services: Services, environ: Mapping[str, str], simulations: Sequence[Simulation]
) -> Agency:
    uow, ids, clock = services.uow, services.ids, services.clock
    agency_id, actor_id, today = AgencyId(uuid4()), ActorId(uuid4()), clock.now().date()
    asked = _Asked(request_id=RequestId(uuid4()), agency_id=agency_id, actor_id=actor_id)
    open_agency(OpenAgency(**asked, name="Bench", slug=agency_id.hex), uow=uow)
    guest = add_guest(AddGuest(**asked, name="Ada Novak"), uow=uow, ids=ids)
    return Agency(
        database=database,
        services=services,
        environ=environ,
        agency_id=agency_id,
        actor_id=actor_id,
        guest_id=guest.guest_id,
        houses=tuple(_house(asked, number, today, services, each) for number, each in enumerate(simulations)),
        today=today,
    )


class _Asked(TypedDict):
    request_id: RequestId
    agency_id: AgencyId
    actor_id: ActorId


def _house(
    asked: _Asked, number: int, today: date, services: Services, simulation: Simulation
) -> ConnectedHouse:
    uow, ids, clock, means = services.uow, services.ids, services.clock, services.channels
    made = create_house(
        CreateHouse(
            **asked,
            name=f"House {number}",
            zone=Zone("UTC"),
            currency=_EUR,
            business_date=today,
            types=(NewUnitType(name="Room", rooms=ROOMS, valid_from=today),),
        ),
        uow=uow,
        ids=ids,
    )
    property_id, (type_id,) = made.property.property_id, made.types
    prices = {type_id: TypePrices(default=WeekPrices.of(10_000, weekend=12_000))}
    plan = RatePlan(code=PLAN, name="Flexible", prices=prices)
    book = PriceBook(property_id=property_id, currency=_EUR, plans=(plan,))
    set_prices(SetPrices(**asked, book=book), uow=uow)
    (other_side,) = simulation.as_json()
    connection = connect_platform(
        Connect(
            **asked,
            property_id=property_id,
            platform=Platform.CHANNEX,
            listing_id=str(other_side["listing_id"]),
            settings={"base_url": other_side["base_url"]},
            credentials={"api_key": simulation.houses["channex"].credentials["api_key"].reveal()},
            is_tested=False,
        ),
        uow=uow,
        clock=clock,
        ids=ids,
        means=means,
    )
    ((room, (rate, *_)),) = simulation.houses["channex"].face.platform.rooms.items()
    replace_mappings(
        ReplaceMappings(
            **asked,
            connection_id=connection.connection_id,
            rooms=(RoomWanted(unit_type_id=type_id, room_code=room),),
            rates=(RateWanted(unit_type_id=type_id, plan=PLAN, room_code=room, rate_code=rate),),
        ),
        uow=uow,
        clock=clock,
        ids=ids,
        means=means,
    )
    return ConnectedHouse(
        property_id=property_id,
        type_id=type_id,
        connection_id=connection.connection_id,
        simulation=simulation,
    )
