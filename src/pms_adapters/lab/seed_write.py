"""From drawn stays to rows: drafts with their whole history, and batches of them in one transaction each.

Owns what a stay has become by the business date. The drafting and the steps of the life cycle are the core's
policies; the claims go through the statement that every booking goes through.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from attrs import evolve, frozen

from pms_adapters.bootstrap import Services
from pms_adapters.lab.seed_stays import Draw, DrawKind
from pmscore.booking.model.booking import Booking, Source
from pmscore.booking.model.events import BookingCreated
from pmscore.booking.model.lifecycle import Act, Status
from pmscore.booking.policies.drafting import RoomRequest, draft_room, placed_throughout
from pmscore.booking.policies.transitions import stepped
from pmscore.dates.nights import StayRange
from pmscore.guests.model import Guest
from pmscore.inventory.model.house import House
from pmscore.inventory.model.party import Party
from pmscore.inventory.model.stock import StockChange
from pmscore.kernel.events import Command, Event
from pmscore.kernel.ids import BookingId, BookingRoomId, GuestId, PropertyId
from pmscore.kernel.money import Money
from pmscore.kernel.ports import IdSource

__all__ = ["Drafted", "drafted", "write_bookings", "write_guests"]

PLACED_DAYS_AHEAD = 3
_STEP = "seeded"


@frozen
class Drafted:
    """A booking as it stands today, and the events that led there."""

    booking: Booking
    events: tuple[Event, ...]

    @property
    def is_spent(self) -> bool:
        """Whether it adds to what its guest has spent, which takes another way through the store."""
        return self.booking.status is Status.CHECKED_OUT


def drafted(
    draw: Draw, house: House, guest_id: GuestId, *, ids: IdSource, random: Random, now: datetime
) -> Drafted:
    """Return what has become of a drawn stay by the business date of its house."""
    today = house.property.business_date
    stay = StayRange.of(draw.arrival, draw.nights)
    request = RoomRequest(
        stay=stay,
        party=Party(draw.adults, draw.children),
        nightly=tuple(Money(minor, house.property.currency) for minor in draw.nightly),
        unit_type_id=draw.unit.unit_type_id,
    )
    room = draft_room(request, house, BookingRoomId(ids.new()))
    is_stay = draw.kind is DrawKind.STAY
    if is_stay and draw.arrival <= today + timedelta(days=PLACED_DAYS_AHEAD):
        room = evolve(room, placements=placed_throughout(draw.unit, stay))
    is_option = is_stay and draw.luck >= 97 and draw.arrival > today + timedelta(days=10)
    booking = Booking(
        booking_id=BookingId(ids.new()),
        property_id=house.property.property_id,
        guest_id=guest_id,
        status=Status.PENDING if is_option else Status.CONFIRMED,
        currency=house.property.currency,
        rooms=(room,),
        created_at=min(_at(draw.arrival - timedelta(days=draw.ahead), 7, random), now),
        source=Source(channel=draw.channel, segment=draw.segment),
        requests=draw.requests,
        option_until=now + timedelta(days=1 + draw.luck % 7) if is_option else None,
    )
    events: list[Event] = [BookingCreated(aggregate_id=booking.booking_id, version=1, booking=booking)]
    for act, day in _steps(draw, today):
        decision = stepped(booking, act, today=day, now=min(_at(day, 12, random), now), reason=_STEP)
        booking = decision.state
        events.extend(decision.events)
    return Drafted(booking, tuple(events))


def _steps(draw: Draw, today: date) -> tuple[tuple[Act, date], ...]:
    """Return what was done to a booking until today, and when."""
    if draw.kind is DrawKind.EXTRA:
        if draw.luck < 15 and draw.arrival < today:
            return ((Act.MARK_NO_SHOW, draw.arrival),)
        return ((Act.CANCEL, min(today, draw.arrival - timedelta(days=draw.ahead // 2))),)
    has_come = draw.arrival < today or (draw.arrival == today and draw.luck < 50)
    if not has_come:
        return ()
    check_in = (Act.CHECK_IN, draw.arrival)
    has_left = draw.departure < today or (draw.departure == today and draw.luck < 60)
    return (check_in, (Act.CHECK_OUT, draw.departure)) if has_left else (check_in,)


def write_guests(services: Services, command: Command, guests: Sequence[Guest]) -> None:
    """Write new profiles in one transaction."""
    with services.uow.begin(command) as work:
        for guest in guests:
            work.guests.add(guest)
            work.record(*guest.added().events)
        work.commit()


def write_bookings(
    services: Services, command: Command, property_id: PropertyId, batch: Sequence[Drafted]
) -> None:
    """Write bookings of one property in one transaction: claims, rows, figures and history, all or none.

    Raises:
        NightsTakenError: one of them does not fit; nothing was written.
    """
    with services.uow.begin(command) as work:
        work.houses.get(property_id)
        for each in batch:
            work.bookings.add(each.booking)
            work.record(*each.events)
            work.guests.count(each.booking.metrics_since(None))
        claims = [claim for each in batch for claim in each.booking.claims()]
        if claims:
            work.stock.change(StockChange.claiming(*claims))
        work.commit()


def _at(day: date, hour: int, random: Random) -> datetime:
    return datetime.combine(day, time(hour + random.randrange(10), random.randrange(60)), UTC)
