"""Channels with a real worker: what the house does reaches the platform, what the platform sells becomes a booking."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import date, timedelta
from ipaddress import ip_network
from uuid import uuid4

import psycopg
import pytest
from attrs import define, evolve, field

from adapters.conftest import PostgresDatabase
from pms_adapters.crypto.box import new_key
from pms_adapters.embedded.redis import EmbeddedRedis
from pms_adapters.lab.channel_sim.opening import Simulation, simulated
from pms_adapters.settings import Settings
from pms_adapters.system import SystemClock, TimeOrderedIds
from pms_adapters.worker.processes import work_off
from pms_adapters.worker.registry import Registered, find_registered
from pms_adapters.worker.relay import RelayLimits
from pms_adapters.worker.runtime import Runtime, open_runtime
from pms_adapters.worker.schedules import USUAL
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.channels.model.connections import CREDENTIALS_COLUMN, Connection, ConnectionStatus
from pmscore.channels.model.lanes import LaneState
from pmscore.channels.model.manifest import Lane, Platform
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.model.operations import OperationFilter, OperationStatus
from pmscore.channels.use_cases.operations import SyncType, TriggerSync, trigger_sync
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone
from pmscore.guests.use_cases import AddGuest, add_guest
from pmscore.inventory.use_cases.houses import CreateHouse, create_house
from pmscore.kernel.ids import ActorId, AgencyId, ConnectionId, LaneId, MappingId, RequestId
from pmscore.kernel.paging import Page
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.price_scenes import price_book, set_book
from pmscore.testing.scenes import EUR, Scene, hotel, pool

pytestmark = pytest.mark.postgres

QUICK = RelayLimits(lease=0.4, patience=0.3, seal=0.0)
ON = (("channel_manager", True),)


@define
class Hotel:
    """A house that is connected to a simulated Channex, whose worker is moved by hand."""

    runtime: Runtime
    simulation: Simulation
    scene: Scene
    admin_url: str
    connection_id: ConnectionId
    lanes: dict[Lane, LaneId]
    today: date = field(factory=lambda: SystemClock().now().date())

    def run(self) -> None:
        """Do everything that is due by now."""
        while self.runtime.relay.round() or len(self.runtime.queue):
            work_off(self.runtime)

    def admin(self, sql: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def let_pass(self) -> None:
        """Let the time until the next look of each lane, and the patience of the sweep, be over."""
        self.admin(
            "UPDATE channel_lanes SET next_at = now() - interval '1 s', asked_until = NULL WHERE agency_id = %s",
            self.scene.agency_id,
        )
        self.admin(
            "INSERT INTO work_due (agency_id, kind) VALUES (%s, 'channels') ON CONFLICT DO NOTHING",
            self.scene.agency_id,
        )

    @property
    def platform(self):
        return self.simulation.houses["channex"].face.platform

    def told(self, day: date) -> int | None:
        """Return how many rooms of the first type the platform may sell on a night."""
        with self.simulation.server.lock:
            return self.platform.cell(next(iter(self.platform.rooms)), "", MatrixField.SELLABLE, day)

    def stay(self, ahead: int = 10, length: int = 2) -> StayRange:
        return StayRange.of(self.today + timedelta(days=ahead), length)

    def bookings(self) -> list[tuple]:
        return self.admin("SELECT channel FROM bookings WHERE agency_id = %s", self.scene.agency_id)

    def operations(self, **wanted: object) -> list:
        with self.scene.begin() as work:
            return list(
                work.operations.page(self.connection_id, OperationFilter(**wanted), Page(limit=100)).items
            )


@pytest.fixture(scope="module")
def settings(postgres_database: PostgresDatabase, redis_server: EmbeddedRedis) -> Settings:
    return Settings(
        database_url=postgres_database.app_url,
        redis_url=redis_server.url(),
        encryption_key=Secret(new_key()),
        outbound_networks=(ip_network("127.0.0.0/8"),),
        module_switches=ON,
    )


@pytest.fixture
def registered() -> Registered:
    known = find_registered()
    return Registered(
        {"channels.note": known.reactions["channels.note"]},
        {"channels.run": known.jobs["channels.run"]},
        {"channels": known.due_work["channels"]},
    )


@pytest.fixture
def house(settings: Settings, registered: Registered, postgres_database: PostgresDatabase) -> Iterator[Hotel]:
    with (
        simulated(["channex"], seed=5, clock=SystemClock()) as simulation,
        open_runtime(settings, registered=registered, limits=QUICK) as runtime,
    ):
        runtime.redis.flushall()
        scene = open_house_of_today(runtime)
        connection_id, lanes = connected(runtime, scene, simulation)
        yield Hotel(runtime, simulation, scene, postgres_database.admin_url, connection_id, lanes)
    with psycopg.connect(postgres_database.admin_url) as connection:
        connection.execute("DELETE FROM work_due")


def open_house_of_today(runtime: Runtime) -> Scene:
    services, today = runtime.services, SystemClock().now().date()
    ids, agency_id = TimeOrderedIds(), AgencyId(uuid4())
    asked = {"request_id": RequestId(uuid4()), "agency_id": agency_id, "actor_id": ActorId(uuid4())}
    open_agency(OpenAgency(**asked, name="Seehof", slug=agency_id.hex[:20]), uow=services.uow)
    types = tuple(evolve(each, valid_from=today) for each in (hotel(3), pool(4)))
    made = create_house(
        CreateHouse(
            **asked,
            name="Seehof",
            zone=Zone("Europe/Berlin"),
            currency=EUR,
            business_date=today,
            types=types,
        ),
        uow=services.uow,
        ids=ids,
    )
    guest = add_guest(AddGuest(**asked, name="Ada Novak"), uow=services.uow, ids=ids)
    scene = Scene(
        store=services.uow,
        ids=ids,
        agency_id=agency_id,
        actor_id=asked["actor_id"],
        property_id=made.property.property_id,
        type_ids=tuple(made.types),
        guest_id=guest.guest_id,
        clock=SystemClock(),
    )
    set_book(scene, price_book(scene))
    return scene


def connected(runtime: Runtime, scene: Scene, simulation: Simulation):
    (other_side,) = simulation.as_json()
    connection_id, now = ConnectionId(uuid4()), scene.clock.now()
    lanes = {lane: LaneId(uuid4()) for lane in Lane}
    secret = Secret(json.dumps(other_side["credentials"] or {"api_key": "simulated-api_key-5"}))
    with scene.begin() as work:
        connection = Connection(
            connection_id=connection_id,
            property_id=scene.property_id,
            platform=Platform.CHANNEX,
            gateway="channex",
            channel="channex",
            status=ConnectionStatus.ACTIVE,
            listing_id=other_side["listing_id"],
            settings={"base_url": other_side["base_url"]},
            sealed=runtime.services.channels.box.seal(scene.agency_id, CREDENTIALS_COLUMN, secret),
            created_at=now,
            updated_at=now,
        )
        made = connection.connected()
        work.connections.add(connection)
        for lane, lane_id in lanes.items():
            work.lanes.add(LaneState(lane_id=lane_id, connection_id=connection_id, lane=lane, next_at=now))
        work.record(*made.events)
        work.commit()
    rooms, rates = [], []
    for type_id, (room_code, codes) in zip(scene.type_ids, other_side["rooms"].items(), strict=True):
        pair = {"connection_id": connection_id, "unit_type_id": type_id, "room_code": room_code}
        rooms.append(MappedRoom(mapping_id=MappingId(uuid4()), **pair))
        rates.append(MappedRate(mapping_id=MappingId(uuid4()), **pair, plan="flex", rate_code=codes[0]))
    with scene.begin() as work:
        work.mappings.replace(connection_id, MappingBook(tuple(rooms), tuple(rates)))
        work.commit()
    return connection_id, lanes


def test_what_the_house_sells_is_gone_from_the_platform(house: Hotel):
    house.run()
    when = house.stay()
    assert [house.told(when.arrival), house.told(when.departure)] == [3, 3]
    house.scene.book(when)
    house.run()
    assert [house.told(when.arrival), house.told(when.departure)] == [2, 3]


def test_what_the_platform_sells_is_a_booking_here_and_the_platform_knows(house: Hotel):
    house.run()
    with house.simulation.server.lock:
        sold = None
        while sold is None:
            sold = house.platform.sell(house.today + timedelta(days=5), house.today + timedelta(days=50))
        assert not house.platform.is_all_known
    house.let_pass()
    house.run()
    assert house.bookings() == [("booking_com",)]
    assert house.platform.is_all_known
    (room,) = sold.rooms
    if room.room_code == next(iter(house.platform.rooms)):
        assert house.told(room.stay.arrival) == 2


def test_a_queue_that_forgets_costs_patience_and_nothing_else(house: Hotel):
    house.run()
    when = house.stay(20)
    house.scene.book(when)
    while house.runtime.relay.round():
        pass
    house.runtime.redis.flushall()
    assert house.told(when.arrival) == 3
    deadline = time.monotonic() + 30
    while house.told(when.arrival) != 2:
        assert time.monotonic() < deadline, "it was forgotten"
        house.run()
        time.sleep(0.02)


def test_a_sync_that_was_asked_for_without_a_queue_is_done_when_it_is_back(house: Hotel):
    house.run()
    parts = house.runtime.services
    made = trigger_sync(
        TriggerSync(**house.scene.asked(), connection_id=house.connection_id, sync_type=SyncType.FULL),
        uow=parts.uow,
        clock=parts.clock,
        ids=parts.ids,
        means=parts.channels,
    )
    assert {each.status for each in made.operations} == {OperationStatus.TRIGGERED}
    house.run()
    of_batch = house.operations(batch_id=made.batch_id)
    assert len(of_batch) == 3
    assert {each.status for each in of_batch} == {OperationStatus.SUCCESS}


def test_an_agency_whose_module_was_taken_away_calls_nobody(house: Hotel):
    house.admin(
        "INSERT INTO agency_features (agency_id, module, is_enabled, version, changed_at)"
        " VALUES (%s, 'channel_manager', false, 1, now())",
        house.scene.agency_id,
    )
    house.run()
    assert house.told(house.stay().arrival) is None
    house.admin("DELETE FROM agency_features WHERE agency_id = %s", house.scene.agency_id)
    USUAL["channel_roll"].does(house.scene.agency_id, house.runtime.services)
    house.run()
    assert house.told(house.stay().arrival) == 3
