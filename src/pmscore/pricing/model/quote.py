"""The answer: what a stay costs under one plan, on which terms, and why; or why it is not sold.

Owns the frozen quote. What it keeps is enough to work out every line and step of it again; that is done on demand by
whoever made it (``QuoteSource``). All amounts are minor units of ``currency``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from attrs import evolve, field, frozen

from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import TransitionError, Violation
from pmscore.kernel.ids import BookingId, HoldId, PropertyId, QuoteId, UnitTypeId
from pmscore.kernel.money import Money
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.charges.lines import TaxResult
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.night_steps import NightStep
from pmscore.pricing.model.stack import Stack
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.totals import Totals

__all__ = [
    "KeptQuote",
    "Offer",
    "Quote",
    "QuoteRefusal",
    "QuoteSource",
    "QuoteStatus",
    "RuleVersion",
]


@frozen
class RuleVersion:
    """A rule or plan that had a part in a quote, and which version of it."""

    kind: str
    code: str
    version: int


class QuoteStatus(StrEnum):
    """What has become of a kept quote; the values are persisted and never renamed."""

    KEPT = "kept"
    HELD = "held"
    BOOKED = "booked"


class QuoteSource(Protocol):
    """Whoever made a quote from ``book``, and can say how."""

    book: PriceBook

    @abstractmethod
    def charged(self, quote: Quote, /) -> TaxResult:
        """Return all lines of a quote with their taxes: those of the nights first, then the fees."""

    @abstractmethod
    def lines_of_nights(self, quote: Quote, /) -> int:
        """Return how many of the lines are nights and what their price contains; the others are fees."""

    @abstractmethod
    def stack(self, quote: Quote, /) -> Stack:
        """Return the rules that changed a quote, and those that stood back."""

    @abstractmethod
    def steps(self, quote: Quote, /) -> tuple[tuple[tuple[NightStep, ...], ...], ...]:
        """Return, for each room of a quote and each of its nights, how the amount came to be."""


@frozen(kw_only=True)
class Offer:
    """What a quote says that does not depend on its nights; stays that are quoted alike share one.

    ``parties`` has one for each room. ``occupied`` is how much of the type was taken on each night in per
    cent, where yield rules asked for it. ``versions`` are those of the book, the plans and the rules that had
    a part.
    """

    property_id: PropertyId
    unit_type_id: UnitTypeId
    plan: str
    parties: tuple[GuestParty, ...]
    channel: str
    codes: tuple[str, ...]
    extras: tuple[str, ...]
    currency: Currency
    terms: Terms | None
    versions: tuple[RuleVersion, ...]
    occupied: tuple[int, ...] | None
    source: QuoteSource = field(eq=False, repr=False)


# Made by position and without slots: that takes a third of the time, and quotes are made by the hundred.
@frozen(slots=False)
class Quote:
    """One stay, one type, one plan, one price.

    ``nightly`` has the amount of each night of each room. ``booked_on`` is the local day on which it was
    made; ``expires_at`` says until when the price holds. Equal ``fingerprint``: the same question answered
    alike, down to the last unit; ids and instants are no part of it.
    """

    quote_id: QuoteId
    offer: Offer
    stay: StayRange
    nightly: tuple[Sequence[int], ...]
    totals: Totals
    booked_on: date
    made_at: datetime
    expires_at: datetime
    fingerprint: str

    @property
    def property_id(self) -> PropertyId:
        """The property that sells the stay."""
        return self.offer.property_id

    @property
    def unit_type_id(self) -> UnitTypeId:
        """The type that is sold."""
        return self.offer.unit_type_id

    @property
    def plan(self) -> str:
        """The code of the plan."""
        return self.offer.plan

    @property
    def parties(self) -> tuple[GuestParty, ...]:
        """Who stays, a party for each room."""
        return self.offer.parties

    @property
    def channel(self) -> str:
        """Who sells it."""
        return self.offer.channel

    @property
    def codes(self) -> tuple[str, ...]:
        """The promotion codes that were given."""
        return self.offer.codes

    @property
    def extras(self) -> tuple[str, ...]:
        """The codes of the fees that the guest chose."""
        return self.offer.extras

    @property
    def currency(self) -> Currency:
        """The currency of all amounts."""
        return self.offer.currency

    @property
    def terms(self) -> Terms | None:
        """On which terms, if the plan has any."""
        return self.offer.terms

    @property
    def versions(self) -> tuple[RuleVersion, ...]:
        """Every version that had a part in it."""
        return self.offer.versions

    @property
    def occupied(self) -> tuple[int, ...] | None:
        """How full the type was, where yield rules asked."""
        return self.offer.occupied

    @property
    def source(self) -> QuoteSource:
        """Who made it, and can say how."""
        return self.offer.source

    @property
    def due(self) -> Money:
        """What the guest pays for everything."""
        return Money(self.totals.due, self.currency)

    @property
    def charged(self) -> TaxResult:
        """All lines with their taxes."""
        return self.source.charged(self)

    def is_expired(self, now: datetime) -> bool:
        """Return whether the price holds no longer."""
        return self.expires_at <= now


@frozen(kw_only=True)
class QuoteRefusal:
    """A type and plan that does not take the stay, with every reason, and the nearest stays that it would take."""

    unit_type_id: UnitTypeId
    plan: str
    stay: StayRange
    violations: tuple[Violation, ...]
    nearest: tuple[StayRange, ...] = ()


@frozen(kw_only=True)
class KeptQuote:
    """A quote that is stored: asked for, held, or booked. ``hold_ids`` keep its rooms, if it was held with stock."""

    quote: Quote
    status: QuoteStatus = QuoteStatus.KEPT
    hold_ids: tuple[HoldId, ...] = ()
    booking_id: BookingId | None = None
    version: int = 1

    def held(self, hold_ids: tuple[HoldId, ...], until: datetime) -> KeptQuote:
        """Return the quote with its price promised until then, and its rooms where they were claimed.

        Raises:
            TransitionError: it is booked already.
        """
        if self.status is QuoteStatus.BOOKED:
            raise TransitionError("hold", self.status.value, quote_id=str(self.quote.quote_id))
        return evolve(
            self,
            quote=evolve(self.quote, expires_at=until),
            status=QuoteStatus.HELD,
            hold_ids=hold_ids,
            version=self.version + 1,
        )

    def booked(self, booking_id: BookingId) -> KeptQuote:
        """Return the quote as taken up by a booking.

        Raises:
            TransitionError: another booking has taken it up.
        """
        if self.status is QuoteStatus.BOOKED:
            raise TransitionError("book", self.status.value, quote_id=str(self.quote.quote_id))
        return evolve(self, status=QuoteStatus.BOOKED, booking_id=booking_id, version=self.version + 1)
