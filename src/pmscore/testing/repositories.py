"""The repositories of a transaction in memory.

Owns what each port promises about reading and writing; leaves buffers and locks to ``transaction``, and
the judgement at the commit to ``books`` and ``ledger``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pmscore.access.model.agencies import Agency
from pmscore.access.ports import AgencyRepository
from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.ports import BookingRepository
from pmscore.dates.ranges import DateRange
from pmscore.guests.model import Guest, MetricsChange
from pmscore.guests.ports import GuestRepository
from pmscore.inventory.model.blocks import Block
from pmscore.inventory.model.holds import Hold
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import Claim, StockChange
from pmscore.inventory.ports import BlockRepository, HoldRepository, HouseRepository, StockLedger
from pmscore.kernel.errors import InvalidInputError, MisuseError, NotFoundError
from pmscore.kernel.ids import AgencyId, BlockId, BookingId, GuestId, HoldId, PropertyId, UnitId, UnitTypeId
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.ports import RestrictionRepository
from pmscore.testing.transaction import Transaction

__all__ = [
    "InMemoryAgencies",
    "InMemoryBlocks",
    "InMemoryBookings",
    "InMemoryGuests",
    "InMemoryHolds",
    "InMemoryHouses",
    "InMemoryRestrictions",
    "InMemoryStock",
]

MOST_DUE_OPTIONS = 1000


class InMemoryAgencies(AgencyRepository):
    """Agencies; ``slugs`` are those of the whole store."""

    def __init__(self, transaction: Transaction, slugs: Mapping[str, AgencyId]) -> None:
        self._at = transaction
        self._slugs = slugs

    def add(self, agency: Agency) -> None:
        """Add the agency of the transaction."""
        self._at.check_open()
        if agency.agency_id != self._at.command.agency_id or self._at.books.agency is not None:
            raise MisuseError(reason="not_the_new_agency_of_the_transaction")
        if agency.slug in self._slugs:
            raise InvalidInputError("slug", "taken")
        self._at.changes.agencies.append(agency)

    def get(self, agency_id: AgencyId) -> Agency:
        """Return the agency of the transaction."""
        self._at.check_open()
        found = self._at.books.agency
        if found is None or found.agency_id != agency_id:
            raise NotFoundError("agency", agency_id)
        return found


class InMemoryHouses(HouseRepository):
    """Properties with their types and units."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def get(self, property_id: PropertyId) -> House:
        """Return the house, unlocked; the commit refuses if it has changed by then."""
        self._at.check_open()
        self._at.command.check_reach(property_id, "property", property_id)
        changes = self._at.changes
        if property_id in changes.houses:
            return changes.houses[property_id]
        with self._at.locks.mutex:
            house = self._at.books.houses.get(property_id)
        if house is None:
            raise NotFoundError("property", property_id)
        changes.houses_seen.setdefault(property_id, house.property.version)
        return house

    def lock(self, property_id: PropertyId) -> House:
        """Return the house as it is now, locked."""
        at = self._at
        at.command.check_reach(property_id, "property", property_id)
        return at.locked("property", property_id, at.books.houses, at.changes.houses)

    def add(self, house: House) -> None:
        """Add a new house."""
        self._at.lock_new("property", house.property.property_id)
        self._at.changes.houses[house.property.property_id] = house

    def save(self, house: House) -> None:
        """Store a locked house."""
        self._at.check_locked("property", house.property.property_id)
        self._at.changes.houses[house.property.property_id] = house


class InMemoryStock(StockLedger):
    """The claims."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def change(self, change: StockChange, *, is_last_try: bool = True) -> None:  # noqa: ARG002 - always explains
        """Add ``change`` to what the commit applies."""
        self._at.check_open()
        self._at.changes.stock.append(change)

    def unit_occupancy(self, unit_type_id: UnitTypeId, nights: DateRange) -> Mapping[UnitId, int]:
        """Return the claimed nights of each unit of a type as a mask."""
        self._at.check_open()
        with self._at.locks.mutex:
            books = self._at.books
            units = [
                unit.unit_id
                for house in books.houses.values()
                if unit_type_id in house.types
                for unit in house.units_of(unit_type_id)
            ]
            occupied = books.ledger.units
            masks = {
                unit_id: sum(
                    1 << (ordinal - nights.first_ordinal)
                    for ordinal in range(nights.first_ordinal, nights.end_ordinal)
                    if (unit_id, ordinal) in occupied
                )
                for unit_id in units
            }
        return {unit_id: mask for unit_id, mask in masks.items() if mask}


class InMemoryHolds(HoldRepository):
    """Holds."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def get(self, hold_id: HoldId) -> Hold:
        """Return the hold, locked."""
        found = self._at.locked("hold", hold_id, self._at.books.holds, self._at.changes.holds)
        self._at.command.check_reach(found.property_id, "hold", hold_id)
        return found

    def expired(self, change: StockChange, now: datetime) -> tuple[Hold, ...]:
        """Return the expired holds in the way of ``change``, locked; waits for those that others work on."""
        self._at.check_open()
        at = self._at
        first = min((each.nights.start for each in change.after), default=now.date())
        end = max((each.nights.end for each in change.after), default=first)
        with at.locks.mutex:
            near = [
                hold.hold_id
                for hold in at.books.holds.values()
                if hold.is_expired(now)
                and hold.stay.arrival < end
                and hold.stay.departure + timedelta(days=hold.turnover_nights) > first
                and hold.hold_id not in at.changes.holds
                and _meet(hold.claims(), change.after)
            ]
        locked = [at.locked("hold", hold_id, at.books.holds, at.changes.holds) for hold_id in sorted(near)]
        return tuple(hold for hold in locked if hold.is_expired(now))

    def add(self, hold: Hold) -> None:
        """Add a new hold."""
        self._at.lock_new("hold", hold.hold_id)
        self._at.changes.holds[hold.hold_id] = hold

    def save(self, hold: Hold) -> None:
        """Store a hold that was read in this transaction."""
        self._at.check_locked("hold", hold.hold_id)
        self._at.changes.holds[hold.hold_id] = hold


class InMemoryBlocks(BlockRepository):
    """Blocks."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def get(self, block_id: BlockId) -> Block:
        """Return the block, locked."""
        found = self._at.locked("block", block_id, self._at.books.blocks, self._at.changes.blocks)
        self._at.command.check_reach(found.property_id, "block", block_id)
        return found

    def add(self, block: Block) -> None:
        """Add a new block."""
        self._at.lock_new("block", block.block_id)
        self._at.changes.blocks[block.block_id] = block

    def remove(self, block: Block) -> None:
        """Remove a block that was read in this transaction."""
        self._at.check_locked("block", block.block_id)
        self._at.changes.blocks[block.block_id] = None


class InMemoryGuests(GuestRepository):
    """Guests."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def add(self, guest: Guest) -> None:
        """Add a new profile."""
        self._at.lock_new("guest", guest.guest_id)
        self._at.changes.guests[guest.guest_id] = guest

    def get(self, guest_id: GuestId) -> Guest:
        """Return the profile as of now, unlocked."""
        self._at.check_open()
        with self._at.locks.mutex:
            found = self._at.changes.guests.get(guest_id) or self._at.books.guests.get(guest_id)
        if found is None:
            raise NotFoundError("guest", guest_id)
        return found

    def count(self, change: MetricsChange) -> None:
        """Move the figures at the commit."""
        self._at.check_open()
        if change:
            self._at.changes.metrics.append(change)


class InMemoryRestrictions(RestrictionRepository):
    """Rule books."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def get(self, property_id: PropertyId) -> RuleBook:
        """Return the property's rules."""
        self._at.check_open()
        if not self._at.command.reaches(property_id):
            return RuleBook()
        with self._at.locks.mutex:
            pending, committed = self._at.changes.rule_books, self._at.books.rule_books
            return pending.get(property_id) or committed.get(property_id) or RuleBook()

    def save(self, property_id: PropertyId, book: RuleBook) -> None:
        """Store the rules of a locked property."""
        self._at.check_locked("property", property_id)
        self._at.changes.rule_books[property_id] = book


class InMemoryBookings(BookingRepository):
    """Bookings."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def add(self, booking: Booking) -> None:
        """Add a new booking."""
        self._at.lock_new("booking", booking.booking_id)
        self._at.changes.bookings[booking.booking_id] = booking

    def get(self, booking_id: BookingId) -> Booking:
        """Return the booking, locked."""
        found = self._at.locked("booking", booking_id, self._at.books.bookings, self._at.changes.bookings)
        self._at.command.check_reach(found.property_id, "booking", booking_id)
        return found

    def read(self, booking_id: BookingId) -> Booking:
        """Return the booking, not locked."""
        self._at.check_open()
        with self._at.locks.mutex:
            found = self._at.books.bookings.get(booking_id)
        if found is None:
            raise NotFoundError("booking", booking_id)
        self._at.command.check_reach(found.property_id, "booking", booking_id)
        return found

    def save(self, booking: Booking) -> None:
        """Store a booking that was read in this transaction."""
        self._at.check_locked("booking", booking.booking_id)
        self._at.changes.bookings[booking.booking_id] = booking

    def due_options(self, property_id: PropertyId, now: datetime) -> tuple[BookingId, ...]:
        """Return the pending bookings whose option is over, the oldest option first."""
        self._at.check_open()
        with self._at.locks.mutex:
            due = sorted(
                (booking.option_until, booking.booking_id)
                for booking in self._at.books.bookings.values()
                if booking.property_id == property_id
                and self._at.command.reaches(property_id)
                and booking.status is Status.PENDING
                and booking.option_until is not None
                and booking.option_until <= now
            )
        return tuple(booking_id for _, booking_id in due[:MOST_DUE_OPTIONS])

    def staying(self, property_id: PropertyId, nights: DateRange) -> tuple[Booking, ...]:
        """Return the bookings with claims on some of ``nights``, locked, in the order of their ids."""
        self._at.check_open()
        with self._at.locks.mutex:
            ids = sorted(
                booking.booking_id
                for booking in self._at.books.bookings.values()
                if booking.property_id == property_id
                and self._at.command.reaches(property_id)
                and _claims_some(booking, nights)
            )
        bookings = [self.get(booking_id) for booking_id in ids]
        return tuple(booking for booking in bookings if _claims_some(booking, nights))


def _claims_some(booking: Booking, nights: DateRange) -> bool:
    return any(claim.nights.overlaps(nights) for claim in booking.claims())


def _meet(held: Iterable[Claim], wanted: Iterable[Claim]) -> bool:
    wishes = tuple(wanted)
    return any(
        one.unit_type_id == other.unit_type_id and one.nights.overlaps(other.nights)
        for one in held
        for other in wishes
    )
