"""A connection of a small agency, to try a store on: its lanes, and one line for every write.

Owns what the laws of the store of channels do. Leaves platforms and gateways to whoever plays one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import evolve, frozen

from pmscore.channels.model.ari import AriRows, Dirty
from pmscore.channels.model.connections import Connection, ConnectionStatus
from pmscore.channels.model.lanes import LaneLease, LaneState
from pmscore.channels.model.manifest import Lane, Platform
from pmscore.channels.model.operations import Direction, Operation, OperationStatus, OperationType
from pmscore.channels.model.revisions import (
    Revision,
    RevisionStatus,
    SoldRoom,
    SoldTo,
    StoredRevision,
    StoredState,
)
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import BatchId, ConnectionId, LaneId, OperationId
from pmscore.testing.scenes import Scene, stay

__all__ = ["ChannelScene", "open_channel_scene"]

LEASE = timedelta(seconds=30)


@frozen
class ChannelScene:
    """One connection with its three lanes; each method is a transaction of its own."""

    scene: Scene
    connection: Connection
    lanes: dict[Lane, LaneId]

    @property
    def connection_id(self) -> ConnectionId:
        """The id of the connection."""
        return self.connection.connection_id

    @property
    def now(self) -> datetime:
        """What the clock shows."""
        return self.scene.clock.now()

    def state(self, lane: Lane = Lane.AVAILABILITY) -> LaneState:
        """Return a lane as it was committed."""
        with self.scene.begin() as work:
            return work.lanes.get(self.lanes[lane])

    def claim(self, lane: Lane = Lane.AVAILABILITY) -> LaneLease | None:
        """Try to claim a lane for half a minute."""
        with self.scene.begin() as work:
            lease = work.lanes.claim(self.lanes[lane], now=self.now, until=self.now + LEASE)
            work.commit()
        return lease

    def claimed(self, lane: Lane = Lane.AVAILABILITY) -> LaneLease:
        """Claim a lane that is free."""
        lease = self.claim(lane)
        assert lease is not None, "the lane is taken"
        return lease

    def finish(self, lease: LaneLease, state: LaneState | None = None) -> None:
        """End a run; with nothing to be done next unless ``state`` says so."""
        with self.scene.begin() as work:
            after = state or evolve(work.lanes.get(lease.lane_id), next_at=None, attempts=0)
            work.lanes.finish(lease, after)
            work.commit()

    def wake(self, lane: Lane, at: datetime) -> None:
        """Let a lane be due at an instant."""
        with self.scene.begin() as work:
            work.lanes.wake(self.lanes[lane], at)
            work.commit()

    def due(self, most: int = 10) -> tuple[Lane, ...]:
        """Take what is due, for half a minute."""
        with self.scene.begin() as work:
            taken = work.lanes.take_due(now=self.now, until=self.now + LEASE, most=most)
            work.commit()
        return tuple(each.lane for each in taken)

    def next_at(self) -> datetime | None:
        """Return when something will be due."""
        with self.scene.begin() as work:
            return work.lanes.next_at(self.now)

    def dirt(self, lane: Lane = Lane.AVAILABILITY, nights: DateRange | None = None) -> Dirty:
        """Add a dirty row."""
        row = Dirty(
            dirty_id=self.scene.ids.new(),
            connection_id=self.connection_id,
            lane=lane,
            nights=nights,
            unit_type_ids=None if nights is None else frozenset(self.scene.type_ids),
            forgets=nights is not None,
        )
        with self.scene.begin() as work:
            work.dirty.add(row)
            work.commit()
        return row

    def clean(self, *rows: Dirty) -> None:
        """Remove dirty rows."""
        with self.scene.begin() as work:
            work.dirty.remove(each.dirty_id for each in rows)
            work.commit()

    def put(self, rows: AriRows, lease: LaneLease | None = None) -> None:
        """Store cells, behind the fence of a lease where one is given."""
        with self.scene.begin() as work:
            if lease is not None:
                work.lanes.keep(lease, until=self.now + LEASE)
            work.cells.put(self.connection_id, rows)
            work.commit()

    def revision(
        self, key: str = "B1", *, number: int = 1, state: StoredState = StoredState.RECEIVED
    ) -> StoredRevision:
        """Return a revision that comes now; it is not stored."""
        return StoredRevision(
            revision=Revision(
                revision_id=f"{key}/{number}",
                booking_key=key,
                status=RevisionStatus.NEW if number == 1 else RevisionStatus.CHANGED,
                revised_at=self.now,
                rooms=(
                    SoldRoom(
                        room_code="R'1", stay=stay(3, 2), adults=2, child_ages=(7,), nightly=(9_900, 10_000)
                    ),
                ),
                currency="EUR",
                guest=SoldTo(name="Zoë \\ O'Hara", email="z@example.org", phone="+43", country="AT"),
                channel="beds",
                reference="X-1",
                requests="Late \n arrival",
                receipt={"unit": [1, {"a": None}], "is": True},
            ),
            malformed=None,
            connection_id=self.connection_id,
            revision_id=f"{key}/{number}",
            state=state,
            received_at=self.now,
        )

    def store(self, *revisions: StoredRevision) -> tuple[bool, ...]:
        """Store revisions; say of each whether it was new."""
        with self.scene.begin() as work:
            added = tuple(work.revisions.add(each) for each in revisions)
            work.commit()
        return added

    def operation(
        self,
        status: OperationStatus = OperationStatus.TRIGGERED,
        *,
        lane: Lane = Lane.AVAILABILITY,
        batch_id: BatchId | None = None,
    ) -> Operation:
        """Return an operation that is asked for now; it is not stored."""
        return Operation(
            operation_id=OperationId(self.scene.ids.new()),
            connection_id=self.connection_id,
            lane_id=self.lanes[lane],
            operation_type=_TYPES[lane],
            direction=Direction.INBOUND if lane is Lane.BOOKINGS else Direction.OUTBOUND,
            status=status,
            details={"manual_trigger": True, "said": "'é' \\"},
            batch_id=batch_id,
            created_at=self.now,
        )

    def log(self, operations: Iterable[Operation]) -> tuple[Operation, ...]:
        """Store operations, and return them."""
        kept = tuple(operations)
        with self.scene.begin() as work:
            for each in kept:
                work.operations.add(each)
            work.commit()
        return kept

    def change(self, **changes: object) -> Connection:
        """Store the connection with other values."""
        with self.scene.begin() as work:
            found = work.connections.get(self.connection_id)
            after = evolve(found, version=found.version + 1, **changes)  # type: ignore[arg-type]
            work.connections.save(after)
            work.commit()
        return after


_TYPES = {
    Lane.AVAILABILITY: OperationType.AVAILABILITY_UPDATE,
    Lane.PRICING: OperationType.PRICING_UPDATE,
    Lane.BOOKINGS: OperationType.BOOKINGS_SYNC,
}


def open_channel_scene(scene: Scene, platform: Platform = Platform.CHANNEX) -> ChannelScene:
    """Connect the house of a scene, and return its connection; nothing is due."""
    now = scene.clock.now()
    connection = Connection(
        connection_id=ConnectionId(scene.ids.new()),
        property_id=scene.property_id,
        platform=platform,
        gateway="channex",
        channel=platform.value,
        status=ConnectionStatus.ACTIVE,
        listing_id="L-1",
        settings={"mode": "pcs", "deep": {"list": [1, None, "ä"]}},
        created_at=now,
        updated_at=now,
    )
    lanes = {lane: LaneId(scene.ids.new()) for lane in Lane}
    with scene.begin() as work:
        work.connections.add(connection)
        for lane, lane_id in lanes.items():
            state = LaneState(
                lane_id=lane_id,
                connection_id=connection.connection_id,
                lane=lane,
                next_at=None,
                rolled_on=None,
            )
            work.lanes.add(state)
        work.commit()
    return ChannelScene(scene, connection, lanes)
