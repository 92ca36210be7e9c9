"""Guest profiles and their figures.

Owns who a guest is and how many stays and how much money they brought. Leaves the stays themselves to
booking, and money paid to the folio.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar

from attrs import evolve, frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Decision, Event
from pmscore.kernel.ids import GuestId
from pmscore.kernel.money import Money
from pmscore.kernel.text import checked_text

__all__ = ["Guest", "GuestAdded", "GuestChanged", "GuestMetrics", "MetricsChange"]

_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")


@frozen(kw_only=True)
class GuestAdded(Event):
    """A profile was made; who it is stands in the guest tables only."""

    aggregate: ClassVar[str] = "guest"
    kind: str = "guest.created"


@frozen(kw_only=True)
class GuestChanged(Event):
    """A profile was changed; ``fields`` are the names of what is another now, never the values."""

    aggregate: ClassVar[str] = "guest"
    kind: str = "guest.updated"

    fields: tuple[str, ...]


@frozen(kw_only=True)
class GuestMetrics:
    """What a guest's bookings add up to.

    ``total_bookings`` counts those that were not cancelled, declined, expired or refunded; ``first`` and
    ``last_booking_at`` are when the first and last of them were made. ``total_spent`` is the agreed amount
    of checked-out stays, one sum a currency, ordered by its code. ``average_rating`` is in hundredths, and
    None until a rating is entered.
    """

    total_bookings: int = 0
    total_spent: tuple[Money, ...] = ()
    first_booking_at: datetime | None = None
    last_booking_at: datetime | None = None
    average_rating: int | None = None


@frozen(kw_only=True)
class MetricsChange:
    """What one change of one booking does to its guest's figures.

    ``bookings`` is -1, 0 or 1; ``spent`` may be negative. When a booking stops counting, the store finds
    the first and last of those that are left.
    """

    guest_id: GuestId
    bookings: int
    spent: Money
    booked_at: datetime

    def __bool__(self) -> bool:
        return self.bookings != 0 or self.spent.minor != 0


@frozen(kw_only=True)
class Guest:
    """One person who stays or pays.

    ``country`` is ISO 3166 alpha-2, or empty. ``updated_at`` is None while the profile is as it was made.
    """

    guest_id: GuestId
    name: str
    email: str = ""
    phone: str = ""
    country: str = ""
    metrics: GuestMetrics = GuestMetrics()
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    version: int = 1

    def __attrs_post_init__(self) -> None:
        checked_text(self.name, field="name")
        checked_text(self.phone, field="phone", longest=40, may_be_empty=True)
        if self.email and not _MAIL.match(checked_text(self.email, field="email", longest=254)):
            raise InvalidInputError("email", "not_an_address")
        if self.country and not _COUNTRY.match(self.country):
            raise InvalidInputError("country", "not_a_country_code")

    def changed(
        self, *, now: datetime, name: str | None, email: str | None, phone: str | None, country: str | None
    ) -> Decision[Guest]:
        """Return the profile with other values (None leaves one as it is), and what was changed.

        Raises:
            InvalidInputError: a value holds what it cannot.
        """
        changed = evolve(
            self,
            name=self.name if name is None else name,
            email=self.email if email is None else email,
            phone=self.phone if phone is None else phone,
            country=self.country if country is None else country,
        )
        others = tuple(
            field
            for field in ("country", "email", "name", "phone")
            if getattr(changed, field) != getattr(self, field)
        )
        if not others:
            return Decision(self, ())
        changed = evolve(changed, updated_at=now, version=self.version + 1)
        event = GuestChanged(aggregate_id=self.guest_id, version=changed.version, fields=others)
        return Decision(changed, (event,))

    def added(self) -> Decision[Guest]:
        """Return the new profile and its event."""
        return Decision(self, (GuestAdded(aggregate_id=self.guest_id, version=self.version),))
