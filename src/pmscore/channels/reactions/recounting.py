"""Counting anew what a channel has sold of its allotments, when a booking was made, changed or ended.

Owns the count, from the bookings that stand, and what is told where rooms that were given back cannot be kept again.
What platforms themselves sell is counted in its own transaction, by ``applying``: then there is nothing left to
change here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import frozen

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import CLAIMING
from pmscore.booking.model.listing import BookingFilter
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.revisions import IssueKind
from pmscore.channels.ports import ChannelWork
from pmscore.channels.reactions.noting import Happened
from pmscore.channels.use_cases.issues import close_issues, raise_issue
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import StockChange
from pmscore.kernel.errors import NightsTakenError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import PropertyId
from pmscore.kernel.paging import MOST_ITEMS, Page
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = ["RECOUNTED", "Recount", "recount_allotments"]

RECOUNTED: Final = ("booking.*",)
"""The events after which a channel may have sold more or fewer rooms than were counted."""

_DAY: Final = timedelta(days=1)


@frozen(kw_only=True)
class Recount(Command):
    """Look at an event for what it changes of allotments."""

    event: Happened


def recount_allotments(
    command: Recount, *, uow: UnitOfWork[ChannelWork], clock: Clock, ids: IdSource
) -> tuple[Allotment, ...]:
    """Bring the allotments of a property in line with the bookings that stand; return those that changed.

    Each in a transaction of its own; a repetition changes nothing. Nights of the past stay as they were. A
    room that somebody gave back is kept again; where the house has sold it meanwhile, the allotment stays as
    it is, and an issue of its connection says so until it fits.
    """
    property_id = _property_of(command.event)
    if property_id is None:
        return ()
    with uow.begin(command) as work:
        found = work.allotments.of(property_id)
    changed: list[Allotment] = []
    for each in found:
        try:
            after = _recounted(command, each, uow=uow, now=clock.now())
        except NightsTakenError:
            _tell(command, each, uow=uow, now=clock.now(), ids=ids)
        else:
            changed += () if after is None else (after,)
    return tuple(changed)


def _recounted(
    command: Command, seen: Allotment, *, uow: UnitOfWork[ChannelWork], now: datetime
) -> Allotment | None:
    """Recount one allotment and return it if that made a difference; None, too, where it has ended.

    Raises:
        NightsTakenError: a room that was given back is not free any more; nothing was written.
    """
    with uow.begin(command) as work:
        house = work.houses.get(seen.property_id)
        # Locked before it is counted: whoever sells moves the count under the same lock.
        locked = work.allotments.locked_of(seen.property_id, seen.channel)
        before = next((each for each in locked if each.allotment_id == seen.allotment_id), None)
        if before is None:
            return None
        closed = [
            close_issues(work, connection, IssueKind.NO_GUARANTEE, now, revision_id=_subject(before))
            for connection in _connections(work, before)
        ]
        decision = before.recounted(_sold(work, before, house, now))
        if decision.events:
            work.allotments.save(decision.state)
            work.record(*decision.events)
            work.stock.change(StockChange(before.claims(), decision.state.claims()))
        if decision.events or any(closed):
            work.commit()
    return decision.state if decision.events else None


def _tell(
    command: Command, allotment: Allotment, *, uow: UnitOfWork[ChannelWork], now: datetime, ids: IdSource
) -> None:
    """Open the issue of an allotment on the connections of its channel, where none is open."""
    details: dict[str, Json] = {
        "allotment_id": str(allotment.allotment_id),
        "unit_type_id": str(allotment.unit_type_id),
        "from": allotment.nights.start.isoformat(),
        "to": allotment.nights.end.isoformat(),
    }
    with uow.begin(command) as work:
        opened = [
            raise_issue(
                work,
                connection,
                IssueKind.NO_GUARANTEE,
                ids=ids,
                now=now,
                revision_id=_subject(allotment),
                details=details,
            )
            for connection in _connections(work, allotment)
        ]
        if any(opened):
            work.commit()


def _connections(work: ChannelWork, allotment: Allotment) -> tuple[Connection, ...]:
    of = (allotment.property_id, allotment.channel)
    return tuple(each for each in work.connections.all_active() if (each.property_id, each.channel) == of)


def _subject(allotment: Allotment) -> str:
    return f"allotment:{allotment.allotment_id}"


def _property_of(event: Happened) -> PropertyId | None:
    """Return the property of an event about a booking, None of others."""
    named = event.payload.get("property_id")
    if not event.kind.startswith("booking.") or not isinstance(named, str):
        return None
    return PropertyId(UUID(named))


def _sold(work: ChannelWork, allotment: Allotment, house: House, now: datetime) -> Mapping[date, int]:
    """Return how many rooms the channel has sold on each night to come, by the bookings that stand."""
    today = local_date(now, house.property.zone)
    to_come = allotment.nights.intersection(DateRange(today, max(allotment.nights.end, today + _DAY)))
    if to_come is None:
        return {}
    counts: Counter[date] = Counter(dict.fromkeys(to_come.nights(), 0))
    for nights in _nights(_bookings(work, allotment, to_come), allotment):
        shared = nights.intersection(to_come)
        counts.update(() if shared is None else shared.nights())
    return counts


def _nights(bookings: Iterable[Booking], allotment: Allotment) -> Iterator[DateRange]:
    for booking in bookings:
        for room in booking.rooms if booking.claims() else ():
            if room.unit_type_id == allotment.unit_type_id:
                yield DateRange.from_stay(room.stay)


def _bookings(work: ChannelWork, allotment: Allotment, nights: DateRange) -> Iterator[Booking]:
    wanted = BookingFilter(
        property_ids=frozenset({allotment.property_id}),
        statuses=frozenset(CLAIMING),
        channel=allotment.channel,
        staying=nights,
    )
    offset = 0
    while True:
        found = work.bookings.find(wanted, Page(limit=MOST_ITEMS, offset=offset))
        yield from found.items
        if not found.has_more:
            return
        offset += MOST_ITEMS
