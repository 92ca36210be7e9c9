"""Making what a platform has sold true here: one revision, one effect, in one transaction with all that remembers it.

Owns what is done for each verdict. Leaves the verdict to ``policies.inbound``, bookings to their use cases, what is
remembered to ``remembering``, and what the platform is told to ``use_cases.acknowledging``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from attrs import evolve

from pmscore.booking.model.lifecycle import Act
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.change_status import ChangeStatus, change_status
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.booking.use_cases.replace_rooms import ReplaceRooms, replace_rooms
from pmscore.channels.model.events import BookingSynced, GuestSynced
from pmscore.channels.model.lanes import LaneLostError
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.revisions import IssueKind, SaleKind, StoredRevision, StoredState
from pmscore.channels.policies.entering import guest_of, room_requests, source_of, terms_of
from pmscore.channels.policies.inbound import Obstacle, Verdict, classify, obstacle_to
from pmscore.channels.ports import ChannelWork
from pmscore.channels.reactions.accompanying import Accompanied
from pmscore.channels.reactions.blocking import Blocking, blocked, lifted
from pmscore.channels.reactions.remembering import (
    Applying,
    Effect,
    MovedError,
    Seen,
    looked_up,
    newest_status,
    remember,
)
from pmscore.channels.use_cases.lane_runs import LaneRun
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import Unit
from pmscore.inventory.use_cases.allotments import Sale, move_allotments
from pmscore.kernel.errors import (
    InvalidInputError,
    NightsTakenError,
    NotFoundError,
    StaleVersionError,
    TransitionError,
)
from pmscore.kernel.events import Event, Json
from pmscore.kernel.ids import BlockId, BookingId, GuestId

__all__ = ["apply_revision", "applying_of"]

TRIES: Final = 4
_OPEN: Final = frozenset({StoredState.RECEIVED, StoredState.QUARANTINED})


def applying_of(run: LaneRun) -> Applying:
    """Return how revisions are applied within a run: fenced with its lease."""
    begun = run.begun

    def fence(work: ChannelWork) -> None:
        work.lanes.keep(run.lease, until=run.clock.now() + run.means.lease)

    return Applying(
        command=run.command,
        uow=run.uow,
        clock=run.clock,
        ids=run.ids,
        connection=begun.connection,
        mappings=begun.mappings,
        house=begun.house,
        title=run.manifest.title,
        tells_counts=bool(run.manifest.fields_of(Lane.AVAILABILITY)),
        fence=fence,
    )


def apply_revision(at: Applying, revision_id: str) -> StoredRevision:
    """Apply a revision that waits and return what became of it; one that was done with before is left as it is.

    Raises:
        NotFoundError: there is no such revision.
        LaneLostError: somebody else runs the lane; nothing was written.
        StaleVersionError: what it is about was changed under each of several attempts.
    """
    for _ in range(TRIES - 1):
        try:
            return _Attempt(at, revision_id).result()
        except LaneLostError:
            raise
        except StaleVersionError:
            continue
    return _Attempt(at, revision_id).result()


class _Attempt:
    """One attempt to apply a revision."""

    def __init__(self, at: Applying, revision_id: str) -> None:
        self._at = at
        self._revision_id = revision_id
        self._now: datetime = at.clock.now()

    def result(self) -> StoredRevision:
        """Decide, do it, and return the revision as it is afterwards."""
        at = self._at
        with at.uow.begin(at.command) as work:
            stored, link = looked_up(work, at.connection.connection_id, self._revision_id)
            revision = stored.revision
            if revision is None or stored.state not in _OPEN:
                return stored
            verdict = classify(link, revision, newest_status(work, link, revision))
        self._carry_out(Seen(stored=stored, revision=revision, link=link, verdict=verdict))
        with at.uow.begin(at.command) as work:
            return work.revisions.get(at.connection.connection_id, self._revision_id)

    def _carry_out(self, seen: Seen) -> None:
        match seen.verdict:
            case Verdict.LATE:
                self._late(seen)
            case Verdict.BURY:
                self._alone(seen, self._applied(seen, is_cancelled=True))
            case Verdict.CONFLICT:
                self._conflict(seen, "ended_here")
            case Verdict.CANCEL:
                self._cancel(seen)
            case Verdict.CREATE | Verdict.CHANGE:
                obstacle = obstacle_to(seen.revision, self._at.mappings, self._at.house)
                if obstacle is not None:
                    self._put_aside(seen, obstacle)
                elif seen.revision.kind is SaleKind.BLOCK:
                    self._block(seen)
                else:
                    self._enter(seen)

    def _late(self, seen: Seen) -> None:
        booking_id = None if seen.link is None else seen.link.booking_id
        state, reason = StoredState.SUPERSEDED, seen.verdict.value
        self._alone(seen, Effect(state=state, reason=reason, booking_id=booking_id))

    def _enter(self, seen: Seen) -> None:
        """Make the booking, or give it the rooms that it has now."""
        try:
            if seen.booking_id is None:
                self._create(seen)
            else:
                self._replace(seen, seen.booking_id)
        except TransitionError as error:
            self._conflict(seen, str(error.params["reason"]))
        except NightsTakenError:
            self._conflict(seen, "no_room_for_guest_in_house", IssueKind.OVERSOLD)
        except InvalidInputError as error:
            self._put_aside(seen, Obstacle(kind=IssueKind.MALFORMED, reason=error.reason, what=error.field))
        except NotFoundError as error:
            self._put_aside(seen, Obstacle(kind=IssueKind.UNMAPPED, reason=f"no_such_{error.kind}"))

    def _create(self, seen: Seen) -> None:
        at, connection = self._at, self._at.connection
        booking_id, guest_id = BookingId(at.ids.new()), GuestId(at.ids.new())
        synced = GuestSynced(
            aggregate_id=connection.connection_id,
            version=connection.version,
            property_id=connection.property_id,
            connection_id=connection.connection_id,
            guest_id=guest_id,
            booking_id=booking_id,
        )
        command = CreateBooking(
            request_id=at.command.request_id,
            agency_id=at.command.agency_id,
            actor_id=at.command.actor_id,
            property_ids=at.command.property_ids,
            booking_id=booking_id,
            property_id=at.house.property.property_id,
            guest=guest_of(seen.revision, guest_id, at.title),
            rooms=room_requests(seen.revision, at.mappings, at.house.property.currency),
            source=source_of(seen.revision, connection),
            requests=seen.revision.requests,
            terms=terms_of(seen.revision),
            overrides_rules=True,
            may_oversell=True,
        )
        effect = self._applied(seen, booking_id=booking_id, events=(synced,))
        create_booking(command, uow=self._with(seen, effect, command.rooms), clock=at.clock, ids=at.ids)

    def _replace(self, seen: Seen, booking_id: BookingId) -> None:
        at = self._at
        with at.uow.begin(at.command) as work:
            version = work.bookings.read(booking_id).version
        effect = self._applied(seen, booking_id=booking_id)
        command = ReplaceRooms(
            request_id=at.command.request_id,
            agency_id=at.command.agency_id,
            actor_id=at.command.actor_id,
            property_ids=at.command.property_ids,
            booking_id=booking_id,
            rooms=room_requests(seen.revision, at.mappings, at.house.property.currency),
            requests=seen.revision.requests or None,
            overrides_rules=True,
            may_oversell=True,
            expected_version=version,
        )
        after = replace_rooms(
            command, uow=self._with(seen, effect, command.rooms), clock=at.clock, ids=at.ids
        )
        if after.version == version:
            self._alone(seen, effect)

    def _cancel(self, seen: Seen) -> None:
        """End the booking, or lift the blocks; a guest who is here, or was, is a matter for people."""
        effect = self._applied(seen, booking_id=seen.booking_id, is_cancelled=True)
        if seen.booking_id is None:
            blocked(self._blocking(seen, effect, effect), None)
        else:
            self._end(seen, seen.booking_id, effect)

    def _end(self, seen: Seen, booking_id: BookingId, effect: Effect) -> bool:
        """Cancel the booking; False where that cannot be any more, which is noted instead."""
        at = self._at
        command = ChangeStatus(
            request_id=at.command.request_id,
            agency_id=at.command.agency_id,
            actor_id=at.command.actor_id,
            property_ids=at.command.property_ids,
            booking_id=booking_id,
            act=Act.CANCEL,
            reason="channel",
        )
        try:
            change_status(command, uow=self._with(seen, effect), clock=at.clock)
        except TransitionError as error:
            self._conflict(seen, str(error.params["reason"]))
            return False
        return True

    def _block(self, seen: Seen) -> None:
        """Keep the unit from sale on the nights that the platform keeps."""
        room = seen.revision.rooms[0]
        unit = self._unit_of(room.room_code)
        if unit is None:
            obstacle = Obstacle(kind=IssueKind.UNMAPPED, reason="block_needs_unit", what=room.room_code)
            self._put_aside(seen, obstacle)
        elif seen.booking_id is not None and seen.link is not None:
            # It was a booking before: that ends first, and what is left is looked at again.
            rest = evolve(seen.link, booking_id=None, version=seen.link.version + 1)
            if self._end(seen, seen.booking_id, Effect(state=seen.stored.state, reason="", link=rest)):
                raise MovedError(revision_id=self._revision_id)
        else:
            blocking = self._blocking(seen, self._applied(seen), self._taken(seen, unit))
            blocked(blocking, (unit, DateRange.from_stay(room.stay)))

    def _unit_of(self, room_code: str) -> Unit | None:
        """Return the unit that the platform sells as this room, where that is one."""
        mapped, house = self._at.mappings.room(room_code), self._at.house
        if mapped is None or mapped.unit_type_id not in house.types:
            return None
        return (
            house.only_unit_of(mapped.unit_type_id)
            if mapped.unit_id is None
            else house.units.get(mapped.unit_id)
        )

    def _taken(self, seen: Seen, unit: Unit) -> Effect:
        """Return the effect of a block whose nights are taken: it is remembered, and a person has to look."""
        details: dict[str, Json] = {"reason": "block_on_taken_nights", "unit_id": str(unit.unit_id)}
        return evolve(self._applied(seen), issue=IssueKind.OVERSOLD, details=details)

    def _put_aside(self, seen: Seen, obstacle: Obstacle) -> None:
        if (seen.stored.state, seen.stored.reason) == (StoredState.QUARANTINED, obstacle.reason):
            return
        details: dict[str, Json] = {"reason": obstacle.reason, "what": obstacle.what}
        state = StoredState.QUARANTINED
        self._alone(seen, Effect(state=state, reason=obstacle.reason, issue=obstacle.kind, details=details))

    def _conflict(self, seen: Seen, reason: str, kind: IssueKind = IssueKind.CHANGED_AFTER_END) -> None:
        """Note that a person has to decide; the link stays, so that the revision can be tried again."""
        details: dict[str, Json] = {"reason": reason, "status": seen.revision.status.value}
        booking_id = None if seen.link is None else seen.link.booking_id
        state = StoredState.CONFLICT
        self._alone(
            seen, Effect(state=state, reason=reason, booking_id=booking_id, issue=kind, details=details)
        )

    def _applied(
        self,
        seen: Seen,
        *,
        booking_id: BookingId | None = None,
        is_cancelled: bool = False,
        events: tuple[Event, ...] = (),
    ) -> Effect:
        connection = self._at.connection
        if booking_id is not None:
            synced = BookingSynced(
                aggregate_id=connection.connection_id,
                version=connection.version,
                property_id=connection.property_id,
                connection_id=connection.connection_id,
                booking_id=booking_id,
                revision_id=self._revision_id,
                verdict=seen.verdict.value,
            )
            events = (*events, synced)
        link = seen.linked(connection.connection_id, booking_id=booking_id, is_cancelled=is_cancelled)
        state, reason = StoredState.APPLIED, seen.verdict.value
        return Effect(state=state, reason=reason, link=link, booking_id=booking_id, events=events)

    def _blocking(self, seen: Seen, effect: Effect, without: Effect) -> Blocking:
        """Return how a block is made with ``effect``, or what is noted ``without`` one."""
        at = self._at

        def stage(work: ChannelWork, block_id: BlockId | None) -> None:
            noted = without
            if block_id is not None and effect.link is not None:
                noted = evolve(effect, link=evolve(effect.link, block_ids=(block_id,)))
            remember(work, at, seen, noted, self._now)

        return Blocking(
            command=at.command,
            uow=at.uow,
            now=self._now,
            block_id=BlockId(at.ids.new()),
            property_id=at.house.property.property_id,
            note=at.title,
            old=seen.block_ids,
            stage=stage,
        )

    def _with(self, seen: Seen, effect: Effect, rooms: Sequence[RoomRequest] = ()) -> Accompanied:
        """Return a unit of work for a booking use case, in which the effect is noted and old blocks make way.

        Rooms that are kept for the channel are taken up by ``rooms``, and those of the booking so far go back
        to them.
        """
        taken = [
            Sale(room.unit_type_id, DateRange.from_stay(room.stay))
            for room in rooms
            if room.unit_type_id is not None
        ]

        def stage(work: ChannelWork) -> None:
            remember(work, self._at, seen, effect, self._now)
            freed = lifted(work, seen.block_ids)
            if freed:
                work.stock.change(freed)
            channel = source_of(seen.revision, self._at.connection).channel
            given: list[Sale] = []
            if seen.booking_id is not None:
                booking = work.bookings.get(seen.booking_id)
                channel = booking.source.channel
                if booking.claims():
                    given = [
                        Sale(room.unit_type_id, DateRange.from_stay(room.stay), -1) for room in booking.rooms
                    ]
            if given or taken:
                move_allotments(work, self._at.house.property.property_id, channel, (*given, *taken))

        return Accompanied(self._at.uow, stage)

    def _alone(self, seen: Seen, effect: Effect) -> None:
        at = self._at
        with at.uow.begin(at.command) as work:
            remember(work, at, seen, effect, self._now)
            work.commit()
