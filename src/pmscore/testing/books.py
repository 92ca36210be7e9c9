"""What one agency has in memory, and how a commit changes it.

Owns the aggregates of one agency and the writing of a finished transaction: everything is worked out first
and assigned last, so a refusal leaves no trace. Leaves locks, buffers and the log to ``memory``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import TypeAlias

from attrs import Factory, define, evolve, frozen

from pmscore.access.model.agencies import Agency
from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import COUNTED
from pmscore.guests.model import Guest, GuestMetrics, MetricsChange
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.blocks import Block
from pmscore.inventory.model.holds import Hold
from pmscore.inventory.model.house import House, UnitType
from pmscore.inventory.model.stock import StockChange
from pmscore.kernel.errors import (
    MisuseError,
    NightsTakenError,
    NotFoundError,
    RefusedError,
    StaleHouseError,
    StaleVersionError,
    Violation,
)
from pmscore.kernel.events import Json
from pmscore.kernel.ids import (
    AllotmentId,
    BlockId,
    BookingId,
    GuestId,
    HoldId,
    PropertyId,
    QuoteId,
    UnitId,
    UnitTypeId,
)
from pmscore.kernel.money import Money
from pmscore.modules.model import Feature
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.model.quote import KeptQuote
from pmscore.pricing.views.quoting import Quoter
from pmscore.restrictions.model.book import RuleBook
from pmscore.testing.accounts import AccessChanges
from pmscore.testing.channel_log import ChannelChanges, ChannelLog
from pmscore.testing.ledger import Ledger, LedgerUpdate, TypeKey, TypeNight
from pmscore.testing.webhook_log import WebhookChanges, WebhookLog

__all__ = ["Books", "Changes", "OnceName", "PromotionUse", "RateKey", "StoredReply"]

OnceName: TypeAlias = tuple[str, str, str]
"""Key, route and principal of an idempotent request."""
StoredReply: TypeAlias = tuple[str, Mapping[str, Json]]
"""Fingerprint of the first request, and the reply that stands for it."""
RateKey: TypeAlias = tuple[str, str, date]
"""The codes of both currencies, and the day."""


@frozen
class PromotionUse:
    """One more use of a promotion, which may be used ``most`` times."""

    property_id: PropertyId
    code: str
    most: int


@define
class Changes:
    """What one transaction wants to write."""

    agencies: list[Agency] = Factory(list[Agency])
    houses: dict[PropertyId, House] = Factory(dict[PropertyId, House])
    guests: dict[GuestId, Guest] = Factory(dict[GuestId, Guest])
    bookings: dict[BookingId, Booking] = Factory(dict[BookingId, Booking])
    holds: dict[HoldId, Hold] = Factory(dict[HoldId, Hold])
    blocks: dict[BlockId, Block | None] = Factory(dict[BlockId, "Block | None"])
    allotments: dict[AllotmentId, Allotment | None] = Factory(dict[AllotmentId, "Allotment | None"])
    rule_books: dict[PropertyId, RuleBook] = Factory(dict[PropertyId, RuleBook])
    metrics: list[MetricsChange] = Factory(list[MetricsChange])
    stock: list[StockChange] = Factory(list[StockChange])
    added: set[tuple[str, object]] = Factory(set[tuple[str, object]])
    houses_seen: dict[PropertyId, int] = Factory(dict[PropertyId, int])
    price_books: list[PriceBook] = Factory(list[PriceBook])
    quotes: dict[QuoteId, KeptQuote | None] = Factory(dict[QuoteId, "KeptQuote | None"])
    promotion_uses: list[PromotionUse] = Factory(list[PromotionUse])
    given_back: list[tuple[PropertyId, str]] = Factory(list[tuple[PropertyId, str]])
    access: AccessChanges = Factory(AccessChanges)
    exchange_rates: dict[RateKey, ExchangeRate] = Factory(dict[RateKey, ExchangeRate])
    features: dict[str, Feature] = Factory(dict[str, Feature])
    webhooks: WebhookChanges = Factory(WebhookChanges)
    channels: ChannelChanges = Factory(ChannelChanges)


@define
class Books:
    """The committed state of one agency."""

    agency: Agency | None = None
    houses: dict[PropertyId, House] = Factory(dict[PropertyId, House])
    guests: dict[GuestId, Guest] = Factory(dict[GuestId, Guest])
    bookings: dict[BookingId, Booking] = Factory(dict[BookingId, Booking])
    holds: dict[HoldId, Hold] = Factory(dict[HoldId, Hold])
    blocks: dict[BlockId, Block] = Factory(dict[BlockId, Block])
    allotments: dict[AllotmentId, Allotment] = Factory(dict[AllotmentId, Allotment])
    rule_books: dict[PropertyId, RuleBook] = Factory(dict[PropertyId, RuleBook])
    replies: dict[OnceName, StoredReply] = Factory(dict[OnceName, StoredReply])
    ledger: Ledger = Factory(Ledger)
    types: dict[UnitTypeId, UnitType] = Factory(dict[UnitTypeId, UnitType])
    units: set[UnitId] = Factory(set[UnitId])
    price_books: dict[PropertyId, tuple[PriceBook, ...]] = Factory(dict[PropertyId, tuple[PriceBook, ...]])
    quotes: dict[QuoteId, KeptQuote] = Factory(dict[QuoteId, KeptQuote])
    promotion_uses: dict[tuple[PropertyId, str], int] = Factory(dict[tuple[PropertyId, str], int])
    exchange_rates: dict[RateKey, ExchangeRate] = Factory(dict[RateKey, ExchangeRate])
    features: dict[str, Feature] = Factory(dict[str, Feature])
    webhooks: WebhookLog = Factory(WebhookLog)
    channels: ChannelLog = Factory(ChannelLog)
    quoters: dict[tuple[PropertyId, int, date], Quoter] = Factory(dict[tuple[PropertyId, int, date], Quoter])

    def write(self, changes: Changes) -> None:
        """Write everything, or raise and write nothing.

        Raises:
            StaleHouseError: a house has changed since the transaction saw it.
            StaleVersionError: a price book, a module's switch, an endpoint or a delivery is not the next version.
            RefusedError: a promotion is used up.
            NightsTakenError: nights are taken, or a new capacity is too small.
            NotFoundError: something that is written belongs to nothing in this agency.
            MisuseError: something new has an id that is there already.
        """
        self._refuse_stale(changes.houses_seen)
        self._refuse_twins(changes.added)
        self._refuse_strays(changes)
        self._refuse_stale_prices(changes.price_books)
        self._refuse_used_up(changes.promotion_uses)
        self._refuse_stale_features(changes.features.values())
        self.webhooks.check(changes.webhooks)
        self.channels.check(changes.channels)
        update = self.judged(changes)
        if update.violations:
            raise NightsTakenError(tuple(update.violations))
        self.put(changes, update)

    def judged(self, changes: Changes) -> LedgerUpdate:
        """Return what the claims of ``changes`` come to."""
        if not (changes.stock or changes.houses):
            return LedgerUpdate()
        types = self.types
        for house in changes.houses.values():
            types = {**types, **house.types}
        net = sum(changes.stock, StockChange((), ()))
        return self.ledger.judged(net, types, self._rewritten(changes.houses.values()))

    def put(self, changes: Changes, update: LedgerUpdate) -> None:
        """Assign everything; what can be refused was refused before."""
        for agency in changes.agencies:
            self.agency = agency
        for house in changes.houses.values():
            self.types.update(house.types)
            self.units.update(house.units)
        self.houses.update(changes.houses)
        for guest_id, guest in changes.guests.items():
            # Figures are moved by bookings alone, also while somebody corrects the name.
            stored = self.guests.get(guest_id)
            self.guests[guest_id] = guest if stored is None else evolve(guest, metrics=stored.metrics)
        self.bookings.update(changes.bookings)
        for change in changes.metrics:
            guest = self.guests[change.guest_id]
            self.guests[change.guest_id] = evolve(guest, metrics=self._moved(guest.metrics, change))
        self.holds.update(changes.holds)
        self.rule_books.update(changes.rule_books)
        for block_id, block in changes.blocks.items():
            if block is None:
                del self.blocks[block_id]
            else:
                self.blocks[block_id] = block
        for allotment_id, allotment in changes.allotments.items():
            if allotment is None:
                del self.allotments[allotment_id]
            else:
                self.allotments[allotment_id] = allotment
        self._put_prices(changes)
        self.exchange_rates.update(changes.exchange_rates)
        self.features.update(changes.features)
        self.webhooks.put(changes.webhooks)
        self.channels.put(changes.channels)
        self.ledger.apply(update)

    def _put_prices(self, changes: Changes) -> None:
        for book in changes.price_books:
            self.price_books[book.property_id] = (*self.price_books.get(book.property_id, ()), book)
        for quote_id, kept in changes.quotes.items():
            if kept is None:
                del self.quotes[quote_id]
            else:
                self.quotes[quote_id] = kept
        for use in changes.promotion_uses:
            key = (use.property_id, use.code)
            self.promotion_uses[key] = self.promotion_uses.get(key, 0) + 1
        for key in changes.given_back:
            self.promotion_uses[key] = max(0, self.promotion_uses.get(key, 0) - 1)

    def _refuse_stale_prices(self, books: Iterable[PriceBook]) -> None:
        for book in books:
            if book.version != len(self.price_books.get(book.property_id, ())) + 1:
                raise StaleVersionError(property_id=str(book.property_id))

    def _refuse_stale_features(self, features: Iterable[Feature]) -> None:
        for feature in features:
            there = self.features.get(feature.module)
            if there is not None and feature.version != there.version + 1:
                raise StaleVersionError(module=feature.module)

    def _refuse_used_up(self, uses: Iterable[PromotionUse]) -> None:
        for use in uses:
            if self.promotion_uses.get((use.property_id, use.code), 0) >= use.most:
                raise RefusedError((Violation("code_used_up", None, use.code, "plan"),))

    def _refuse_stale(self, seen: Mapping[PropertyId, int]) -> None:
        for property_id, version in seen.items():
            found = self.houses[property_id].property.version
            if found != version:
                raise StaleHouseError(property_id=str(property_id), expected=version, found=found)

    def _refuse_twins(self, added: set[tuple[str, object]]) -> None:
        if not added:
            return
        present: dict[str, Collection[object]] = {
            "property": self.houses,
            "guest": self.guests,
            "booking": self.bookings,
            "hold": self.holds,
            "block": self.blocks,
            "allotment": self.allotments,
            "quote": self.quotes,
            "webhook": self.webhooks.endpoints,
            "channel_connection": self.channels.connections,
            "channel_operation": self.channels.operations,
        }
        for kind, key in added:
            if key in present[kind]:
                raise MisuseError(reason="added_twice", kind=kind, id=str(key))

    def _refuse_strays(self, changes: Changes) -> None:
        if self.agency is None and not changes.agencies:
            raise NotFoundError("agency", "of the command")
        for booking in changes.bookings.values():
            if booking.guest_id not in self.guests and booking.guest_id not in changes.guests:
                raise NotFoundError("guest", booking.guest_id)
        for change in changes.metrics:
            if change.guest_id not in self.guests and change.guest_id not in changes.guests:
                raise NotFoundError("guest", change.guest_id)
        for book in changes.price_books:
            if book.property_id not in self.houses and book.property_id not in changes.houses:
                raise NotFoundError("property", book.property_id)
        for stock in changes.stock:
            for claim in stock.after:
                if claim.unit_id is not None and claim.unit_id not in self.units:
                    raise NotFoundError("unit", claim.unit_id)

    def _rewritten(self, houses: Iterable[House]) -> dict[TypeKey, TypeNight]:
        rows: dict[TypeKey, TypeNight] = {}
        for house in houses:
            before = self.houses.get(house.property.property_id)
            for type_id, unit_type in house.types.items():
                old = before.types.get(type_id) if before is not None else None
                if old is not None and old != unit_type:
                    rows.update(self.ledger.rewritten(unit_type, house.property.business_date))
        return rows

    def _moved(self, metrics: GuestMetrics, change: MetricsChange) -> GuestMetrics:
        spent = {each.currency.code: each for each in metrics.total_spent}
        code = change.spent.currency.code
        spent[code] = spent.get(code, Money.zero(change.spent.currency)) + change.spent
        first, last = metrics.first_booking_at, metrics.last_booking_at
        if change.bookings > 0:
            first = min(first or change.booked_at, change.booked_at)
            last = max(last or change.booked_at, change.booked_at)
        elif change.bookings < 0:
            first, last = self._first_and_last(change.guest_id)
        return evolve(
            metrics,
            total_bookings=metrics.total_bookings + change.bookings,
            total_spent=tuple(amount for _, amount in sorted(spent.items()) if amount.minor),
            first_booking_at=first,
            last_booking_at=last,
        )

    def _first_and_last(self, guest_id: GuestId) -> tuple[datetime | None, datetime | None]:
        counted = (each for each in self.bookings.values() if each.status in COUNTED)
        made = [each.created_at for each in counted if each.guest_id == guest_id]
        return min(made, default=None), max(made, default=None)
