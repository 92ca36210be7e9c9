"""What happens to prices and kept quotes. Ids, codes and amounts only, no personal values."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from attrs import frozen

from pmscore.kernel.events import Event
from pmscore.kernel.ids import HoldId, PropertyId, UnitTypeId

__all__ = ["PricesChanged", "QuoteHeld", "QuoteKept"]


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
