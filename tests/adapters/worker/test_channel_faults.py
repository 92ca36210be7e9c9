"""Workers killed, stopped and robbed of their queue while platforms keep them waiting: all comes right without a hand.

Ten whole workers run as programs, with a process for the queue each and shorter patience than usual; so every fault befalls
ten at a time. Ten houses, each with an agency, a connection and a simulated platform of its own, are in play. While the gate
is closed a platform does what it is told and never answers.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from attrs import define, evolve, field

from adapters.postgres.subject import PostgresStore
from adapters.worker.test_supervisor import children
from pms_adapters.crypto.box import AesGcmBox, new_key, read_keys
from pms_adapters.lab.channel_sim.opening import SimulatedHouse, open_house
from pms_adapters.lab.channel_sim.server import SimulatedServer, serving
from pms_adapters.redis.heartbeats import list_workers
from pms_adapters.system import SystemClock, TimeOrderedIds
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.booking.model.listing import BookingFilter
from pmscore.channels.model.ari import Dirty
from pmscore.channels.model.connections import CREDENTIALS_COLUMN, Connection, ConnectionStatus
from pmscore.channels.model.lanes import LaneState
from pmscore.channels.model.manifest import Lane, Platform
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.model.operations import Direction, Operation, OperationStatus, OperationType
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.guests.use_cases import AddGuest, add_guest
from pmscore.inventory.use_cases.houses import CreateHouse, NewUnitType, create_house
from pmscore.kernel.errors import UnreachableError
from pmscore.kernel.ids import ActorId, AgencyId, ConnectionId, LaneId, MappingId, OperationId, RequestId
from pmscore.kernel.paging import Page
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_hostility import Fate, FateKind
from pmscore.testing.scenes import EUR, Scene

pytestmark = [pytest.mark.postgres, pytest.mark.fault]

HOUSES = WORKERS = 10
FEW = 3
ROUNDS = {"nightly": 5}
"""How often each fault is caused, where that is not once."""
PATIENCE = 45.0
"""Seconds within which whatever was lost is to be found again."""
START_SECONDS = 120.0
"""A guard: so many programs take their time to start, which is not what is tried here."""

ROOMS = 4
HORIZON = 500
PLATFORM_SAYS = Fate(kind=FateKind.PASS)
KEY = new_key()
BOX = AesGcmBox(read_keys(KEY))

WORKER = """\
import os
from pms_adapters.settings import Settings
from pms_adapters.worker.processes import end_on_signals
from pms_adapters.worker.supervisor import Supervisor
worker = Supervisor(Settings.from_mapping(os.environ))
end_on_signals(worker.ended.set)
worker.run()
"""

# Python reads this before anything else: the same worker, with leases of two seconds and little patience.
SHORTER = """\
import os
from contextlib import contextmanager
from datetime import timedelta
from attrs import evolve
import pms_adapters.channels.channex.manifest as channex
channex.MANIFEST = evolve(
    channex.MANIFEST, calls=tuple(evolve(each, longest_seconds=1) for each in channex.MANIFEST.calls)
)
import pmscore.channels.use_cases.sweeping as sweeping
sweeping.PATIENCE = timedelta(seconds=4)
import pms_adapters.bootstrap as bootstrap
usual = bootstrap.channel_means

@contextmanager
def shorter(*args):
    with usual(*args) as means:
        yield evolve(means, lease=timedelta(seconds=2))

bootstrap.channel_means = shorter
if "UNSWEPT" in os.environ:
    import pms_adapters.worker.reactions.channels
    from pms_adapters.worker import registry
    registry.DUE_WORK._members.pop("channels", None)
"""


@define
class Gate:
    """Lets calls pass, or keeps their answers; what was called for is done in either case."""

    is_closed: bool = False
    held: int = 0
    dial: int = 0

    def fate(self, _: datetime) -> Fate:
        if not self.is_closed:
            return PLATFORM_SAYS
        self.held += 1
        return Fate(kind=FateKind.STALLED, status=0, stall=60)


@define
class House:
    """A house with its platform."""

    scene: Scene
    sold: SimulatedHouse
    gate: Gate
    connection_id: ConnectionId
    server: SimulatedServer
    lanes: dict[Lane, LaneId]
    today: date
    stays: int = 0

    def book(self) -> None:
        """Let somebody book here, so that the platform has to be told."""
        self.stays += 1
        self.scene.book(StayRange.of(self.today + timedelta(days=10 * self.stays), 2))

    def sell(self) -> None:
        """Let somebody book there, so that we have to be told; and ask."""
        with self.server.lock:
            self.sold.face.platform.sell(self.today + timedelta(days=380), self.today + timedelta(days=480))
        self.wake(Lane.BOOKINGS)

    def wake(self, lane: Lane) -> None:
        with self.scene.begin() as work:
            work.lanes.wake(self.lanes[lane], self.scene.clock.now())
            work.commit()

    def is_settled(self) -> bool:
        """Return whether the platform has what the house has, and the house what the platform sold."""
        return self.tells() == "" and self.knows() == ""

    def tells(self) -> str:
        """Return where the platform differs."""
        span = DateRange.of(self.today, HORIZON - 1)
        (code,) = self.sold.face.platform.rooms
        with self.scene.begin() as work:
            taken = [
                room.stay
                for each in work.bookings.find(BookingFilter(), Page(limit=100)).items
                for room in each.rooms
            ]
        with self.server.lock:
            there = self.sold.face.platform.row(code, "", MatrixField.SELLABLE, span)
        here = tuple(ROOMS - sum(night in each for each in taken) for night in span.nights())
        return "" if there == here else f"{there[:40]} is not {here[:40]}"

    def knows(self) -> str:
        """Return which of the platform's bookings are missing here or doubled."""
        with self.scene.begin() as work:
            links = {each.booking_key for each in work.revisions.links(self.connection_id) if each.booking_id}
            ours = work.bookings.find(BookingFilter(), Page(limit=100)).total
        with self.server.lock:
            sold = set(self.sold.face.platform.bookings)
            is_acknowledged = not self.sold.face.platform.pending()
        if links == sold and ours == self.stays + len(sold) and is_acknowledged:
            return ""
        return f"{len(links)} of {len(sold)} linked, {ours} bookings, all acknowledged: {is_acknowledged}"


def wait_until(is_so: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1)


def settle(street: list[House]) -> None:
    """Wait until all houses and their platforms agree; nobody helps."""
    left = list(street)

    def is_done() -> bool:
        left[:] = [each for each in left if not each.is_settled()]
        return not left

    try:
        wait_until(is_done)
    except AssertionError as error:
        raise AssertionError([(each.tells(), each.knows()) for each in left]) from error


def busy(street: list[House]) -> None:
    """Let much happen behind closed gates, until as many calls as there are workers wait for an answer."""
    for each in street:
        each.gate.is_closed = True
        each.sell()
        each.book()
    wait_until(lambda: sum(each.gate.held for each in street) >= WORKERS)


def open_gates(street: list[House]) -> None:
    for each in street:
        each.gate.is_closed, each.gate.held = False, 0


@pytest.fixture(scope="module")
def store(postgres_database) -> Iterator[PostgresStore]:
    opened = PostgresStore(postgres_database.app_url, postgres_database.admin_url)
    opened.uow._clock = SystemClock()
    yield opened
    opened.close()


@pytest.fixture
def street(store) -> Iterator[list[House]]:
    with ExitStack() as stack:
        yield [opened(store, number, stack) for number in range(HOUSES)]


@pytest.fixture
def few(store) -> Iterator[list[House]]:
    with ExitStack() as stack:
        yield [opened(store, number, stack) for number in range(3)]


def opened(store: PostgresStore, number: int, stack: ExitStack) -> House:
    clock, ids, gate = SystemClock(), TimeOrderedIds(), Gate()
    sold = open_house("channex", seed=number, clock=clock, rooms=1)
    server = stack.enter_context(serving([sold.face], hostility=gate))
    today = clock.now().date()
    agency_id = AgencyId(uuid4())
    asked = {
        "request_id": RequestId(ids.new()),
        "agency_id": agency_id,
        "actor_id": ActorId(ids.new()),
        "property_ids": None,
    }
    open_agency(OpenAgency(**asked, name="Street", slug=f"street-{agency_id.hex}"), uow=store)
    rooms = NewUnitType(name="Room", rooms=ROOMS, valid_from=today - timedelta(days=2))
    house = create_house(
        CreateHouse(
            **asked, name="House", zone=Zone("UTC"), currency=EUR, business_date=today, types=(rooms,)
        ),
        uow=store,
        ids=ids,
    )
    guest = add_guest(AddGuest(**asked, name="Ada"), uow=store, ids=ids)
    scene = Scene(
        store=store,
        ids=ids,
        agency_id=agency_id,
        actor_id=asked["actor_id"],
        property_id=house.property.property_id,
        type_ids=tuple(house.types),
        guest_id=guest.guest_id,
        clock=clock,
    )
    connection_id, lanes = connect(scene, sold, server.url("channex"))
    return House(scene, sold, gate, connection_id, server, lanes, today)


def connect(scene: Scene, sold: SimulatedHouse, url: str) -> tuple[ConnectionId, dict[Lane, LaneId]]:
    """Connect a house to its platform; everything is to be told."""
    now = scene.clock.now()
    connection_id = ConnectionId(scene.ids.new())
    lanes = {lane: LaneId(scene.ids.new()) for lane in (Lane.AVAILABILITY, Lane.BOOKINGS)}
    secrets = {"api_key": sold.credentials["api_key"].reveal()}
    connection = Connection(
        connection_id=connection_id,
        property_id=scene.property_id,
        platform=Platform.CHANNEX,
        gateway="channex",
        channel="channex",
        status=ConnectionStatus.ACTIVE,
        listing_id=sold.listing_id,
        settings={"base_url": url},
        sealed=BOX.seal(scene.agency_id, CREDENTIALS_COLUMN, Secret(json.dumps(secrets))),
        created_at=now,
        updated_at=now,
    )
    ((room_code, (rate_code,)),) = sold.face.platform.rooms.items()
    of = {"connection_id": connection_id, "unit_type_id": scene.type_ids[0], "room_code": room_code}
    book = MappingBook(
        (MappedRoom(mapping_id=MappingId(scene.ids.new()), **of),),
        (MappedRate(mapping_id=MappingId(scene.ids.new()), plan="flex", rate_code=rate_code, **of),),
    )
    dirt = Dirty(
        dirty_id=scene.ids.new(),
        connection_id=connection_id,
        lane=Lane.AVAILABILITY,
        nights=None,
        unit_type_ids=None,
        forgets=True,
    )
    with scene.begin() as work:
        work.connections.add(connection)
        for lane, lane_id in lanes.items():
            work.lanes.add(LaneState(lane_id=lane_id, connection_id=connection_id, lane=lane, next_at=now))
        work.mappings.replace(connection_id, book)
        work.dirty.add(dirt)
        work.commit()
    return connection_id, lanes


@define
class Programs:
    """Workers as programs that can be started again."""

    folder: Path
    environment: dict[str, str]
    redis_url: str
    running: list[subprocess.Popen] = field(factory=list)

    def start(self, count: int = WORKERS, **more: str) -> None:
        """Start so many workers beside those that run, and wait until they live."""
        environment, before = {**self.environment, **more}, {*self.names()}
        self.running += [
            subprocess.Popen([sys.executable, self.folder / "worker.py"], env=environment)
            for _ in range(count)
        ]
        wait_until(lambda: len({*self.names()} - before) >= count, START_SECONDS)

    def names(self) -> list[str]:
        """Return which workers live, as far as anybody can say."""
        try:
            return [each.name for each in list_workers(self.redis_url)]
        except UnreachableError:
            return []

    def queues(self) -> list[int]:
        """Return the processes that work the queue off."""
        return [
            each for parent in self.running for each in children(parent.pid) if b"queue" in command_of(each)
        ]

    def kill_parents(self) -> None:
        for each in self.running:
            each.kill()
        for each in self.running:
            each.wait(PATIENCE)
        self.running.clear()

    def end(self, those: Iterable[subprocess.Popen] | None = None) -> None:
        """Kill those workers, or all, with their processes at once."""
        for each in [*(self.running if those is None else those)]:
            for pid in (*children(each.pid), each.pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            each.wait(PATIENCE)
            self.running.remove(each)


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture(scope="module")
def workshop(postgres_database, redis_server, tmp_path_factory) -> Iterator[Programs]:
    folder = tmp_path_factory.mktemp("worker")
    (folder / "worker.py").write_text(WORKER)
    (folder / "sitecustomize.py").write_text(SHORTER)
    programs = Programs(
        folder,
        {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
            "DATABASE_URL": postgres_database.app_url,
            "REDIS_URL": redis_server.url(),
            "ENCRYPTION_KEY": KEY,
            "OUTBOUND_NETWORKS": "127.0.0.0/8",
            "OUTBOUND_PLAIN_HTTP": "true",
            "CHANNEL_MANAGER_ENABLED": "true",
            "LOG_LEVEL": "ERROR",
        },
        redis_server.url(),
    )
    yield programs
    programs.end()


@pytest.fixture
def programs(workshop) -> Programs:
    """Return ten workers that run; those of the test before go on, if they still do."""
    if len(workshop.running) != WORKERS or any(each.poll() is not None for each in workshop.running):
        workshop.end()
        workshop.start()
    return workshop


def test_processes_for_the_queue_are_killed_in_the_middle_of_calls(programs, street, profile):
    settle(street)
    for _ in range(ROUNDS.get(profile, 1)):
        busy(street)
        killed = programs.queues()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        assert len(killed) == WORKERS
        open_gates(street)
        settle(street)


def test_processes_are_stopped_until_others_have_taken_over_and_then_go_on(programs, street, profile):
    settle(street)
    for _ in range(ROUNDS.get(profile, 1)):
        busy(street)
        stopped, before = programs.queues(), [*programs.running]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        assert len(stopped) == WORKERS
        programs.start(FEW)
        others = [each for each in programs.running if each not in before]
        try:
            open_gates(street)
            for each in street:
                each.book()
            settle(street)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        for each in street:
            each.book()
            each.sell()
        settle(street)
        programs.end(others)


def test_whole_workers_are_killed_first_their_parents_and_then_all_of_them(programs, street, profile):
    settle(street)
    for _ in range(ROUNDS.get(profile, 1)):
        busy(street)
        orphans = programs.queues()
        assert len(orphans) == len(programs.running) == WORKERS
        programs.kill_parents()
        open_gates(street)
        programs.start()
        settle(street)
        wait_until(lambda dead=orphans: not any(command_of(pid) for pid in dead))
        busy(street)
        programs.end()
        open_gates(street)
        programs.start()
        settle(street)


def test_redis_is_killed_in_the_middle_of_calls_and_comes_back_empty(programs, street, redis_server, profile):
    settle(street)
    for _ in range(ROUNDS.get(profile, 1)):
        busy(street)
        redis_server.kill()
        open_gates(street)
        for each in street:
            each.book()
        redis_server.start()
        settle(street)


def test_a_connection_that_nobody_can_work_on_ends_among_the_dead_and_its_neighbours_go_on(programs, few):
    settle(few)
    poisoned, *others = few
    with poisoned.scene.begin() as work:
        found = work.connections.get(poisoned.connection_id)
        work.connections.save(evolve(found, sealed="pms1.nobody.can-open-this"))
        operation = Operation(
            operation_id=OperationId(uuid4()),
            connection_id=poisoned.connection_id,
            lane_id=poisoned.lanes[Lane.AVAILABILITY],
            operation_type=OperationType.AVAILABILITY_UPDATE,
            direction=Direction.OUTBOUND,
            status=OperationStatus.TRIGGERED,
            created_at=poisoned.scene.clock.now(),
        )
        work.operations.add(operation)
        work.lanes.wake(operation.lane_id, operation.created_at)
        work.commit()
    for each in others:
        each.book()
        each.sell()
    settle(others)

    def ended() -> Operation | None:
        with poisoned.scene.begin() as work:
            found = work.operations.get(operation.operation_id)
        return found if found.status is OperationStatus.FAILED else None

    wait_until(lambda: ended() is not None)
    dead = ended()
    assert dead.error == "encryption_key_missing after 3 retries"
    assert dead.details["dead_letter"] is True
    with poisoned.scene.begin() as work:
        assert work.lanes.get(operation.lane_id).failures >= 4


@pytest.fixture
def unswept(workshop) -> Iterator[Programs]:
    """Return one worker that never looks for what is due; nobody else runs."""
    workshop.end()
    workshop.start(1, UNSWEPT="1")
    yield workshop
    workshop.end()


@pytest.mark.usefixtures("unswept")
def test_without_the_sweep_nothing_that_was_lost_is_found(few, postgres_database):
    """The control: the queue alone does not bring it back."""
    with psycopg.connect(postgres_database.admin_url) as connection:
        (waiting,) = connection.execute(
            "SELECT count(*) FROM work_due WHERE kind = 'channels' AND agency_id = %s",
            (few[0].scene.agency_id,),
        ).fetchone()
    assert waiting
    time.sleep(3)
    assert not any(each.is_settled() for each in few)
