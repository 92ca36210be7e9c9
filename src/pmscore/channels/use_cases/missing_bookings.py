"""Whether a platform and the house know of the same bookings.

Owns the comparison with what the platform reads back. What the house lacks is stored as a revision and goes the way
of all revisions; what the platform lacks is for a person to look at, and nothing is undone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from attrs import evolve

from pmscore.channels.model.calls import At, OutcomeKind, ReadBack
from pmscore.channels.model.events import DriftFound
from pmscore.channels.model.manifest import CallKind, Lane
from pmscore.channels.model.revisions import IssueKind, Link, Revision, RevisionStatus, SaleKind
from pmscore.channels.ports import ChannelWork
from pmscore.channels.use_cases.issues import raise_issue, received
from pmscore.channels.use_cases.lane_runs import LaneRun
from pmscore.channels.use_cases.reconciling import Drift, Found
from pmscore.channels.use_cases.tokens import called
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date

__all__ = ["reconcile_bookings"]

_PREFIX: Final = "reconciled"


def reconcile_bookings(run: LaneRun) -> Found:
    """Read the bookings of the platform that are still to come, and store those that the house lacks or has otherwise.

    Raises:
        StoppedError: a limit leaves no room, or there is no token.
        LaneLostError: somebody else has the lane.
    """
    today = local_date(run.clock.now(), run.begun.house.property.zone)
    nights = DateRange.of(today, run.manifest.horizon_days)
    found: list[Counter[Drift]] = [Counter()]

    def read(at: At) -> ReadBack:
        return run.begun.gateway.read_back(at, Lane.BOOKINGS, nights)

    def settle(work: ChannelWork, answer: ReadBack) -> None:
        if answer.outcome.kind is OutcomeKind.DONE:
            found.append(_compared(work, run, answer.bookings, nights))

    answer = called(run, CallKind.READ_BACK, read, lambda each: each.outcome, settle=settle)
    return Found(outcome=answer.outcome, drift=found[-1])


def _compared(
    work: ChannelWork, run: LaneRun, there: Iterable[Revision], nights: DateRange
) -> Counter[Drift]:
    connection, now = run.begun.connection, run.clock.now()
    links = {each.booking_key: each for each in work.revisions.links(connection.connection_id)}
    bookings = {each.booking_key: each for each in there if _is_to_come(each, nights)}
    counts: Counter[Drift] = Counter()
    for key, booking in sorted(bookings.items()):
        drift = _missed(links.get(key), booking)
        if drift is None:
            continue
        stored = evolve(booking, revision_id=_id_of(booking))
        if work.revisions.add(received(connection.connection_id, stored, now)):
            counts[drift] += 1
    for key, link in sorted(links.items()):
        if key in bookings or link.is_cancelled or link.booking_id is None:
            continue
        if link.nights is None or link.nights.start < nights.start or link.nights.end > nights.end:
            continue
        counts[Drift.EXTRA_HERE] += raise_issue(
            work,
            connection,
            IssueKind.DRIFT,
            ids=run.ids,
            now=now,
            booking_id=link.booking_id,
            revision_id=f"{_PREFIX}:{key}",
            details={"booking_key": key, "reason": "unknown_there"},
        )
    counts = +counts
    if counts:
        work.record(
            DriftFound(
                aggregate_id=connection.connection_id,
                version=connection.version,
                property_id=connection.property_id,
                connection_id=connection.connection_id,
                lane=Lane.BOOKINGS.value,
                found={each.value: count for each, count in sorted(counts.items())},
            )
        )
        work.lanes.wake(run.lane_id, now)
    return counts


def _is_to_come(booking: Revision, nights: DateRange) -> bool:
    return booking.kind is SaleKind.BOOKING and all(
        room.stay.arrival >= nights.start for room in booking.rooms
    )


def _missed(link: Link | None, booking: Revision) -> Drift | None:
    """Return how the house does not know what the platform has."""
    is_cancelled = booking.status is RevisionStatus.CANCELLED
    if link is None:
        return None if is_cancelled else Drift.MISSING_HERE
    if link.revised_at < booking.revised_at or (is_cancelled and not link.is_cancelled):
        return Drift.DIFFERS_HERE
    return None


def _id_of(booking: Revision) -> str:
    """Return the id of the state that was read: the same state is stored once."""
    text = "|".join(
        f"{room.room_code}/{room.rate_code}/{room.stay.arrival}/{room.stay.departure}"
        for room in booking.rooms
    )
    said = f"{booking.status.value}|{booking.revised_at.isoformat()}|{text}"
    return f"{_PREFIX}:{booking.booking_key}:{sha256(said.encode()).hexdigest()[:16]}"
