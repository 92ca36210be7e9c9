"""Telling a platform which of its revisions need not come again, and people which bookings found no room.

Owns when that may be said: never before a revision is applied, or known to be out of date. What is oversold is looked
at before the platform is told, so that whoever dies in between does it again. Leaves the effect to the reactions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from attrs import evolve

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.rooms import BookedRoom
from pmscore.channels.model.ari import ANY, UNKNOWN, RowKey
from pmscore.channels.model.calls import At, Outcome, OutcomeKind
from pmscore.channels.model.manifest import CallKind, Confirms
from pmscore.channels.model.revisions import IssueKind, StoredRevision, StoredState
from pmscore.channels.policies.candidates import Standing, candidates, nights_needed
from pmscore.channels.ports import ChannelWork
from pmscore.channels.use_cases.issues import raise_issue
from pmscore.channels.use_cases.lane_runs import LaneRun
from pmscore.channels.use_cases.tokens import called
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import UnitId, UnitTypeId
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["acknowledge", "raise_oversold", "to_acknowledge"]

MOST_AT_ONCE: Final = 200
"""So many are looked at in one run; the others wait for the next one."""
MOST_OPEN: Final = 1_000
_DONE: Final = Outcome(OutcomeKind.DONE)
_TOLD: Final = frozenset({OutcomeKind.DONE, OutcomeKind.PARTLY, OutcomeKind.REFUSED})
_WHOLLY: Final = frozenset({OutcomeKind.DONE})
_KNOWN: Final = (StoredState.APPLIED, StoredState.SUPERSEDED)
_OPEN: Final = (StoredState.RECEIVED, StoredState.QUARANTINED, StoredState.CONFLICT)


def acknowledge(
    run: LaneRun, waiting: Sequence[StoredRevision], goes_on: Callable[[], bool]
) -> tuple[Outcome, int]:
    """Acknowledge what is applied or out of date while ``goes_on``; return how many the platform took.

    As many of one queue go into a call as it takes. One that the platform will never take as it is counts as
    told: it comes again if the platform wants it to. So does one that the platform need not be told at all.
    Of several that it does not take together each is told by itself.

    Raises:
        StoppedError: a limit leaves no room now.
        LaneLostError: somebody else has the lane.
    """
    told, groups = 0, deque(_groups(run, waiting))
    while groups and goes_on():
        group = groups.popleft()
        outcome = _acknowledged(run, group)
        if outcome.kind not in _TOLD:
            return outcome, told
        if _is_taken(outcome, group):
            told += len(group)
        else:
            groups.extendleft((each,) for each in reversed(group))
    return _DONE, told


def raise_oversold(run: LaneRun, applied: Sequence[StoredRevision]) -> int:
    """Raise an issue for each booking that was applied without stock; return how many are new."""
    return sum(_raised(run, stored) for stored in applied)


def to_acknowledge(work: ChannelWork, run: LaneRun) -> tuple[StoredRevision, ...]:
    """Return what is applied or out of date and not acknowledged yet.

    A platform that takes it for a confirmed booking tells the next state of one only when the one before is
    confirmed. While that next state is not applied, the one before is not confirmed again: it would be taken
    for the next one's.
    """
    connection_id = run.begun.connection.connection_id
    known = work.revisions.waiting(connection_id, _KNOWN, MOST_AT_ONCE)
    if not known or run.manifest.confirms is not Confirms.BOOKED:
        return known
    last: dict[str, datetime] = {}
    for each in work.revisions.waiting(connection_id, _OPEN, MOST_OPEN):
        if each.revision is not None:
            last[each.revision.booking_key] = each.received_at
    return tuple(each for each in known if not _is_overtaken(each, last))


def _groups(run: LaneRun, waiting: Sequence[StoredRevision]) -> Iterator[tuple[StoredRevision, ...]]:
    """Yield what goes into one call each, the queue that has waited longest first."""
    queues: dict[str, list[StoredRevision]] = {}
    for each in waiting:
        queues.setdefault(run.begun.gateway.queue_of(each), []).append(each)
    most = run.manifest.most_acknowledged
    for queue in queues.values():
        yield from (tuple(queue[first : first + most]) for first in range(0, len(queue), most))


def _is_overtaken(stored: StoredRevision, last: Mapping[str, datetime]) -> bool:
    key = "" if stored.revision is None else stored.revision.booking_key
    return key in last and stored.received_at < last[key]


def _acknowledged(run: LaneRun, group: Sequence[StoredRevision]) -> Outcome:
    def send(at: At) -> Outcome:
        return run.begun.gateway.acknowledge(at, group)

    def settle(work: ChannelWork, outcome: Outcome) -> None:
        for stored in group if _is_taken(outcome, group) else ():
            now = work.revisions.get(stored.connection_id, stored.revision_id)
            work.revisions.save(evolve(now, acknowledged_at=run.clock.now()))

    return called(run, CallKind.ACKNOWLEDGE, send, _itself, settle=settle)


def _is_taken(outcome: Outcome, group: Sequence[StoredRevision]) -> bool:
    """Return whether a group need not be told again; which of several a platform has refused it may not say."""
    return outcome.kind in (_TOLD if len(group) == 1 else _WHOLLY)


def _itself(outcome: Outcome) -> Outcome:
    return outcome


def _raised(run: LaneRun, stored: StoredRevision) -> int:
    """Open the issue of an oversold booking, with where its rooms could go."""
    booking_id = stored.booking_id
    if booking_id is None:
        return 0
    with run.uow.begin(run.command) as work:
        try:
            booking = work.bookings.read(booking_id)
        except NotFoundError:
            return 0
    if not booking.is_oversold or not booking.claims():
        return 0
    rooms: list[Json] = [_proposed(run, room) for room in booking.rooms if room.is_oversold]
    with run.fenced() as work:
        is_new = raise_issue(
            work,
            run.begun.connection,
            IssueKind.OVERSOLD,
            ids=run.ids,
            now=run.clock.now(),
            revision_id=stored.revision_id,
            booking_id=booking_id,
            details={"rooms": rooms},
        )
    return int(is_new)


def _proposed(run: LaneRun, room: BookedRoom) -> dict[str, Json]:
    house = run.begun.house
    found = candidates(house, _standing(run, room), room, price=_prices(run, room))
    return {
        "room_id": str(room.room_id),
        "unit_type_id": str(room.unit_type_id),
        "arrival": room.stay.arrival.isoformat(),
        "departure": room.stay.departure.isoformat(),
        "candidates": [each.to_json() for each in found],
    }


def _standing(run: LaneRun, room: BookedRoom) -> Standing:
    """Return what stands on the nights of a room, and on all nights of whoever might be moved for it."""
    house = run.begun.house
    nights = nights_needed(house, room)
    occupied: dict[UnitId, int] = {}
    with run.uow.begin(run.command) as work:
        staying = work.bookings.staying(house.property.property_id, nights)
        for claimed in _claimed_nights(staying):
            nights = nights.span(claimed)
        for unit_type_id in house.types:
            occupied.update(work.stock.unit_occupancy(unit_type_id, nights))
    reader = run.means.availability(run.command.agency_id)
    counts = reader.claimed(house.types, nights, run.clock.now())
    return Standing(nights=nights, claimed=counts, occupied=occupied, staying=staying)


def _claimed_nights(bookings: Sequence[Booking]) -> Iterator[DateRange]:
    for booking in bookings:
        for claim in booking.claims():
            yield claim.nights


def _prices(run: LaneRun, room: BookedRoom) -> Mapping[UnitTypeId, int]:
    """Return what the nights cost on this channel as each type: its cheapest rate, as the platform was told last."""
    nights = DateRange.from_stay(room.stay)
    keys = {
        RowKey(rate.mapping_id, MatrixField.RATE, occupancy): rate.unit_type_id
        for rate in run.begun.mappings.rates
        for occupancy in rate.prices_for
    }
    with run.uow.begin(run.command) as work:
        rows = work.cells.read(run.begun.connection.connection_id, keys, nights)
    prices: dict[UnitTypeId, int] = {}
    for key, unit_type_id in keys.items():
        amounts = rows.row(key)
        if not {UNKNOWN, ANY} & {*amounts}:
            prices[unit_type_id] = min(sum(amounts), prices.get(unit_type_id, sum(amounts)))
    return prices
