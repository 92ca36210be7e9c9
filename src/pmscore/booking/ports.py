"""What booking needs from a store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.listing import BookingFilter
from pmscore.dates.ranges import DateRange
from pmscore.guests.ports import GuestWork
from pmscore.inventory.ports import InventoryWork
from pmscore.kernel.ids import BookingId, PropertyId
from pmscore.kernel.paging import Page, Paged
from pmscore.pricing.ports import QuoteWork
from pmscore.restrictions.ports import RestrictionWork

__all__ = ["BookingRepository", "BookingWork", "PromotionUses", "QuotedBookingWork"]


class BookingRepository(Protocol):
    """Keeps bookings."""

    @abstractmethod
    def add(self, booking: Booking) -> None:
        """Add a new booking."""

    @abstractmethod
    def get(self, booking_id: BookingId) -> Booking:
        """Return the booking, locked until the end of the transaction.

        Raises:
            NotFoundError: no such booking in this agency.
            BusyError: somebody else kept it locked for too long.
        """

    @abstractmethod
    def read(self, booking_id: BookingId) -> Booking:
        """Return the booking as it was last committed, without a lock; it cannot be saved.

        Raises:
            NotFoundError: no such booking in this agency.
        """

    @abstractmethod
    def find(self, wanted: BookingFilter, page: Page) -> Paged[Booking]:
        """Return a page of the bookings that ``wanted`` admits and the actor reaches, newest first, without a lock."""

    @abstractmethod
    def save(self, booking: Booking) -> None:
        """Store a booking that was read in this transaction."""

    @abstractmethod
    def due_options(self, property_id: PropertyId, now: datetime) -> tuple[BookingId, ...]:
        """Return the pending bookings whose option is over, oldest first, at most a thousand."""

    @abstractmethod
    def staying(self, property_id: PropertyId, nights: DateRange) -> tuple[Booking, ...]:
        """Return the bookings with claims on some of ``nights``, locked, in the order of their ids."""


class BookingWork(InventoryWork, GuestWork, RestrictionWork, Protocol):
    """A transaction on bookings and all that they touch."""

    @property
    @abstractmethod
    def bookings(self) -> BookingRepository:
        """The bookings."""


class PromotionUses(Protocol):
    """Counts by the code of the promotion, for each property, how many bookings stand that were made with it."""

    @abstractmethod
    def count(self, property_id: PropertyId, code: str, *, most: int) -> None:
        """Count one more use at the commit; it is the commit that judges, so no use is lost or given twice.

        Raises (at the commit):
            RefusedError: it was used ``most`` times before; nothing was written.
        """

    @abstractmethod
    def give_back(self, property_id: PropertyId, code: str) -> None:
        """Take one use back at the commit: its booking counts as never made. Never below zero."""

    @abstractmethod
    def uses(self, property_id: PropertyId, codes: Iterable[str]) -> Mapping[str, int]:
        """Return how often each of these was used; those that never were are left out."""


class QuotedBookingWork(BookingWork, QuoteWork, Protocol):
    """A transaction on bookings that may have been made from a quote."""

    @property
    @abstractmethod
    def promotions(self) -> PromotionUses:
        """How often promotions were used."""
