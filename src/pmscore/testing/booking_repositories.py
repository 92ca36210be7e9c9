"""Guests and bookings in memory, inside a transaction.

Owns what their ports promise about reading, listing and writing; leaves buffers and locks to ``transaction``, and the
judgement at the commit to ``books``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.listing import BookingFilter
from pmscore.booking.ports import BookingRepository
from pmscore.dates.ranges import DateRange
from pmscore.guests.model import Guest, MetricsChange
from pmscore.guests.ports import GuestRepository
from pmscore.kernel.errors import NotFoundError, StaleVersionError
from pmscore.kernel.ids import BookingId, GuestId, PropertyId
from pmscore.kernel.paging import Page, Paged
from pmscore.testing.repositories import paged
from pmscore.testing.transaction import Transaction

__all__ = ["InMemoryBookings", "InMemoryGuests"]

MOST_DUE_OPTIONS = 1000


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
            own = self._at.changes.guests.get(guest_id)
            found = own or self._at.books.guests.get(guest_id)
            if found is None or (own is None and not self._reaches(found)):
                raise NotFoundError("guest", guest_id)
        return found

    def get_all(self, guest_ids: Iterable[GuestId]) -> Mapping[GuestId, Guest]:
        """Return these profiles as of now."""
        return {each: self.get(each) for each in guest_ids}

    def save(self, guest: Guest) -> None:
        """Store a changed profile at the commit."""
        self._at.check_open()
        with self._at.locks.mutex:
            self._at.lock("guest", guest.guest_id)
            stored = self._at.books.guests.get(guest.guest_id)
        if stored is None or stored.version != guest.version - 1:
            raise StaleVersionError(guest_id=str(guest.guest_id))
        self._at.changes.guests[guest.guest_id] = guest

    def find(self, text: str, page: Page) -> Paged[Guest]:
        """Return a page of the guests whose name or e-mail contains ``text``, by name and id."""
        self._at.check_open()
        wanted = text.lower()
        with self._at.locks.mutex:
            found = [
                guest
                for guest in self._at.books.guests.values()
                if (wanted in guest.name.lower() or wanted in guest.email.lower()) and self._reaches(guest)
            ]
        return paged(sorted(found, key=lambda each: (each.name, each.guest_id)), page)

    def _reaches(self, guest: Guest) -> bool:
        """Return whether the guest has a booking where the actor may look."""
        command = self._at.command
        return command.property_ids is None or any(
            booking.guest_id == guest.guest_id and command.reaches(booking.property_id)
            for booking in self._at.books.bookings.values()
        )

    def count(self, change: MetricsChange) -> None:
        """Move the figures at the commit."""
        self._at.check_open()
        if change:
            self._at.changes.metrics.append(change)


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

    def find(self, wanted: BookingFilter, page: Page) -> Paged[Booking]:
        """Return a page of the bookings that ``wanted`` admits, newest first."""
        self._at.check_open()
        with self._at.locks.mutex:
            found = [
                booking
                for booking in self._at.books.bookings.values()
                if wanted.admits(booking) and self._at.command.reaches(booking.property_id)
            ]
        found.sort(key=lambda each: (each.created_at, each.booking_id), reverse=True)
        return paged(found, page)

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
