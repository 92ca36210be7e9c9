"""What happens to prices, kept quotes and exchange rates. Ids, codes and amounts only, no personal values."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from attrs import frozen

from pmscore.kernel.events import Event
from pmscore.kernel.ids import HoldId, PropertyId, UnitTypeId

__all__ = ["ExchangeRatesChanged", "PricesChanged", "QuoteHeld", "QuoteKept"]


@frozen(kw_only=True)
class PricesChanged(Event):
    """The price book of a property has a new version; ``parts`` names what differs from the one before."""

    aggregate: ClassVar[str] = "price_book"
    kind: str = "prices.changed"

    parts: tuple[str, ...]


@frozen(kw_only=True)
class QuoteKept(Event):
    """A quote was stored, so that it can be held or booked."""

    aggregate: ClassVar[str] = "quote"
    kind: str = "quote.kept"

    property_id: PropertyId
    unit_type_id: UnitTypeId
    plan: str
    due_minor: int
    currency: str
    fingerprint: str


@frozen(kw_only=True)
class QuoteHeld(Event):
    """The price of a quote is promised until then, with its rooms where there are holds."""

    aggregate: ClassVar[str] = "quote"
    kind: str = "quote.held"

    property_id: PropertyId
    until: datetime
    hold_ids: tuple[HoldId, ...]


@frozen(kw_only=True)
class ExchangeRatesChanged(Event):
    """Rates of these currencies and days were put in, ``count`` of which say something new.

    The aggregate is the agency; rates have no versions, so ``version`` is always 1. ``pairs`` are codes: ``EUR/USD``.
    """

    aggregate: ClassVar[str] = "exchange_rates"
    kind: str = "exchange_rates.changed"

    pairs: tuple[str, ...]
    first_day: date
    last_day: date
    count: int
