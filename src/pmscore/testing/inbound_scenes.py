"""A small house on a platform that tells what a test puts into it: no limits, no hostility, one line for every step.

Owns the setting of the laws of what comes in. Leaves platforms that live by themselves to ``channel_platform``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from attrs import evolve

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.listing import BookingFilter
from pmscore.channels.model.calls import At, Knock, Outcome, OutcomeKind, Pulled
from pmscore.channels.model.connections import Connection, ConnectionStatus
from pmscore.channels.model.lanes import LaneState
from pmscore.channels.model.manifest import Lane, Manifest, Platform, Standing
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.model.revisions import (
    Issue,
    Link,
    Revision,
    RevisionStatus,
    SaleKind,
    SoldRoom,
    SoldTo,
    StoredRevision,
)
from pmscore.channels.ports import ChannelMeans, ChannelWork, GatewayBase, Retry
from pmscore.channels.reactions.applying import apply_revision
from pmscore.channels.reactions.pulling import pull_lane
from pmscore.channels.reactions.remembering import Applying
from pmscore.channels.use_cases.issues import received
from pmscore.channels.use_cases.lane_runs import Begun, LaneEnd, LaneRun
from pmscore.dates.nights import StayRange
from pmscore.inventory.model.blocks import Block, BlockFilter
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import BookingId, ConnectionId, LaneId, MappingId, UnitId
from pmscore.kernel.paging import Page
from pmscore.kernel.ports import UnitOfWork
from pmscore.testing.access_scenes import NumberedSecrets
from pmscore.testing.scenes import Scene, stay
from pmscore.testing.webhook_scenes import LabelledBox

__all__ = ["DONE", "InboundScene", "Telling", "open_inbound_scene"]

ResultT = TypeVar("ResultT")

DONE = Outcome(OutcomeKind.DONE)
RATE_CODE = "BAR"
_MANIFEST = Manifest(
    gateway="telling",
    title="Telling",
    platforms=frozenset({Platform.CHANNEX}),
    standing=Standing.FORMAT_ONLY,
    evidence=(),
    lanes=frozenset({Lane.BOOKINGS}),
    messages={},
)


class Telling(GatewayBase):
    """Tells the pages that it is given, one a call, and notes what it is told; ``outcome`` is that of every call."""

    def __init__(self) -> None:
        self.pages: list[Pulled] = []
        self.heard: dict[bytes, Pulled] = {}
        self.acknowledged: list[str] = []
        self.outcome = DONE

    @property
    def manifest(self) -> Manifest:
        """One lane, and no limits."""
        return _MANIFEST

    def pull(self, at: At, cursor: str) -> Pulled:  # noqa: ARG002
        """Return the next page."""
        if self.outcome is not DONE or not self.pages:
            return Pulled(outcome=self.outcome, cursor=cursor)
        page = self.pages.pop(0)
        return evolve(page, cursor=f"{len(self.pages)} left", has_more=bool(self.pages))

    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:  # noqa: ARG002
        """Note them."""
        if self.outcome is DONE:
            self.acknowledged += [each.revision_id for each in revisions]
        return self.outcome

    def read_knock(self, at: At, knock: Knock) -> Pulled:  # noqa: ARG002
        """Return what stands for this body."""
        return self.heard[knock.body]


class _Once(Retry):
    """Tries nothing again."""

    def __call__(self, call: Callable[[], ResultT]) -> ResultT:
        """Return what it returns."""
        return call()


class InboundScene:
    """One connection of a house whose types are sold as R1, R2 and so on, each with one rate."""

    def __init__(self, scene: Scene, connection: Connection, lane_id: LaneId) -> None:
        self.scene = scene
        self.connection = connection
        self.lane_id = lane_id
        self.gateway = Telling()

    @property
    def connection_id(self) -> ConnectionId:
        """The connection."""
        return self.connection.connection_id

    def map_rooms(self, *numbers: int, unit_ids: Mapping[int, UnitId] | None = None) -> None:
        """Map these types (1 is the first) in place of what was mapped."""
        new, units = self.scene.ids.new, unit_ids or {}
        rooms = tuple(
            MappedRoom(
                mapping_id=MappingId(new()),
                connection_id=self.connection_id,
                unit_type_id=self.scene.type_ids[number - 1],
                room_code=f"R{number}",
                unit_id=units.get(number),
            )
            for number in numbers
        )
        rates = tuple(
            MappedRate(
                mapping_id=MappingId(new()),
                connection_id=self.connection_id,
                unit_type_id=room.unit_type_id,
                plan="flex",
                room_code=room.room_code,
                rate_code=RATE_CODE,
            )
            for room in rooms
        )
        with self.scene.begin() as work:
            work.mappings.replace(self.connection_id, MappingBook(rooms, rates))
            work.commit()

    @contextmanager
    def running(self, uow: UnitOfWork[ChannelWork] | None = None) -> Generator[LaneRun]:
        """Hold the lease of the lane; it is given back at the end of the block, whatever happens."""
        scene, now = self.scene, self.scene.clock.now()
        with scene.begin() as work:
            lease = work.lanes.claim(self.lane_id, now=now, until=now + timedelta(seconds=30))
            work.commit()
        if lease is None:
            raise MisuseError(lane="taken")
        with scene.begin() as work:
            state, mappings = work.lanes.get(self.lane_id), work.mappings.book(self.connection_id)
        begun = Begun(
            state=state,
            connection=self.connection,
            mappings=mappings,
            house=scene.house(),
            gateway=self.gateway,
            credentials={},
            operations=(),
            dirty=(),
            started_at=now,
        )
        means = ChannelMeans(
            gateways={"telling": self.gateway},
            box=LabelledBox(),
            secrets=NumberedSecrets(scene.ids),
            partner={},
            availability=scene.store.availability,
            prices=scene.store.prices,
            retry=_Once(),
        )
        uow = scene.store if uow is None else uow
        run = LaneRun(begun, lease, scene.command(), uow=uow, clock=scene.clock, ids=scene.ids, means=means)
        try:
            yield run
        finally:
            with scene.begin() as work:
                work.lanes.finish(run.lease, evolve(state, attempts=0, next_at=None))
                work.commit()

    def run(self, uow: UnitOfWork[ChannelWork] | None = None) -> LaneEnd:
        """Run the lane once."""
        with self.running(uow) as run:
            return pull_lane(run)

    def tell(self, *told: Revision) -> LaneEnd:
        """Let the platform tell these on one page, and run the lane."""
        self.gateway.pages.append(Pulled(outcome=DONE, revisions=told))
        return self.run()

    def keep(self, *told: Revision) -> None:
        """Store revisions as a pull does, and leave them at that."""
        with self.scene.begin() as work:
            for each in told:
                work.revisions.add(received(self.connection_id, each, self.scene.clock.now()))
            work.commit()

    def applying(self, fence: Callable[[ChannelWork], None] | None = None) -> Applying:
        """Return how revisions are applied without a lane around it, so without a lease that keeps others off."""
        with self.scene.begin() as work:
            mappings = work.mappings.book(self.connection_id)
        return Applying(
            command=self.scene.command(),
            uow=self.scene.store,
            clock=self.scene.clock,
            ids=self.scene.ids,
            connection=self.connection,
            mappings=mappings,
            house=self.scene.house(),
            title="Telling",
            tells_counts=True,
            fence=fence or _no_fence,
        )

    def apply(self, *told: Revision) -> None:
        """Store and apply revisions one after the other."""
        at = self.applying()
        for each in told:
            self.keep(each)
            apply_revision(at, each.revision_id)

    def revision(
        self,
        status: RevisionStatus = RevisionStatus.NEW,
        *rooms: SoldRoom,
        minute: int = 0,
        key: str = "K1",
        revision_id: str | None = None,
        kind: SaleKind = SaleKind.BOOKING,
        currency: str = "EUR",
        guest: SoldTo | None = None,
        requests: str = "",
    ) -> Revision:
        """Return a revision of a booking; two nights from the fourth day on in R1 unless rooms are given."""
        is_cancelled = status is RevisionStatus.CANCELLED
        return Revision(
            revision_id=revision_id or f"{key}-{status.value}-{minute}",
            booking_key=key,
            status=status,
            kind=kind,
            revised_at=self.scene.clock.now() + timedelta(minutes=minute),
            rooms=rooms or (() if is_cancelled else (self.room(stay(3, 2)),)),
            currency=currency,
            guest=guest or SoldTo("Ada Novak", "ada@example.org", "+43 1", "at"),
            reference=f"ref {key}",
            requests=requests,
        )

    def room(
        self, when: StayRange, number: int = 1, *, night: int = 10_000, nightly: tuple[int, ...] | None = None
    ) -> SoldRoom:
        """Return a room for two as it is sold, at one price a night or at given ones."""
        amounts = (night,) * when.length if nightly is None else nightly
        return SoldRoom(room_code=f"R{number}", rate_code=RATE_CODE, stay=when, adults=2, nightly=amounts)

    def stored(self, revision_id: str) -> StoredRevision:
        """Return a revision as it is kept."""
        with self.scene.begin() as work:
            return work.revisions.get(self.connection_id, revision_id)

    def link(self, key: str = "K1") -> Link | None:
        """Return what stands for a booking of the platform."""
        with self.scene.begin() as work:
            return work.revisions.link(self.connection_id, key)

    def booking(self, key: str = "K1") -> Booking:
        """Return the booking that stands for one of the platform."""
        link = self.link(key)
        if link is None or link.booking_id is None:
            raise MisuseError(booking_key=key)
        return self.scene.booking(link.booking_id)

    def bookings(self) -> tuple[Booking, ...]:
        """Return every booking of the house."""
        with self.scene.begin() as work:
            return work.bookings.find(BookingFilter(), Page()).items

    def blocks(self) -> tuple[Block, ...]:
        """Return every block of the house."""
        with self.scene.begin() as work:
            return work.blocks.find(BlockFilter(), Page()).items

    def issues(self, *, is_open: bool = True) -> tuple[Issue, ...]:
        """Return what people have to look at, or have looked at."""
        with self.scene.begin() as work:
            return work.issues.find(None, Page(), is_open=is_open).items

    def booking_ids(self) -> set[BookingId]:
        """Return the ids of all bookings."""
        return {each.booking_id for each in self.bookings()}


def open_inbound_scene(scene: Scene) -> InboundScene:
    """Connect the house of a scene to a platform; all of its types are mapped."""
    now = scene.clock.now()
    connection = Connection(
        connection_id=ConnectionId(scene.ids.new()),
        property_id=scene.property_id,
        platform=Platform.CHANNEX,
        gateway="telling",
        channel="beds",
        status=ConnectionStatus.ACTIVE,
        created_at=now,
        updated_at=now,
    )
    lane_id = LaneId(scene.ids.new())
    with scene.begin() as work:
        work.connections.add(connection)
        work.lanes.add(
            LaneState(
                lane_id=lane_id, connection_id=connection.connection_id, lane=Lane.BOOKINGS, next_at=now
            )
        )
        work.commit()
    inbound = InboundScene(scene, connection, lane_id)
    inbound.map_rooms(*range(1, len(scene.type_ids) + 1))
    return inbound


def _no_fence(_work: ChannelWork) -> None:
    """Let everybody through."""
