"""Quoting: every combination of type and plan that takes the stay with its price, and every reason of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from attrs import frozen

from pmscore.availability.policies.nearest import nearest_stays, nearest_window
from pmscore.availability.policies.search import sellable_rooms
from pmscore.availability.ports import AvailabilityReader
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import House, UnitType
from pmscore.kernel.errors import InvalidInputError, Violation
from pmscore.kernel.ids import PropertyId, QuoteId, UnitTypeId
from pmscore.kernel.ports import Clock, IdSource
from pmscore.pricing.model.quote import Quote, QuoteRefusal
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.policies.inherited_rules import rules_for_plan
from pmscore.pricing.policies.occupancy import beds_of
from pmscore.pricing.policies.occupied import occupied_percent
from pmscore.pricing.policies.promotions import used_up
from pmscore.pricing.ports import PriceReader
from pmscore.pricing.views.quote_basis import QuoteBasis
from pmscore.pricing.views.quoting import Quoter
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import StayQuestion
from pmscore.restrictions.policies.evaluation import violation_order, violations_of

__all__ = ["QuoteAnswer", "make_quotes"]


@frozen
class QuoteAnswer:
    """The quotes for a request, cheapest first, and the combinations that do not take the stay.

    ``zone`` is where the property is.
    """

    zone: Zone
    quotes: tuple[Quote, ...]
    refusals: tuple[QuoteRefusal, ...]


def make_quotes(
    property_id: PropertyId,
    request: QuoteRequest,
    *,
    availability: AvailabilityReader,
    prices: PriceReader,
    clock: Clock,
    ids: IdSource,
) -> QuoteAnswer:
    """Return a quote or a refusal for every type and plan that the request means. Nothing is written.

    Raises:
        NotFoundError: no such property in this agency, no prices, or no such type.
        InvalidInputError: no such plan, promotion code or extra; a stay outside of the nights that are priced.
    """
    now = clock.now()
    basis = prices.basis(property_id, request.unit_type_ids, request.stay, now, availability=availability)
    house, quoter = basis.house, basis.quoter
    stock = _Stock(availability, basis, request.stay, now)
    uses: Mapping[str, int] = prices.uses(property_id, request.codes) if request.codes else {}
    desk = _Desk(house=house, quoter=quoter, rules=basis.rules, stock=stock, uses=uses, now=now, ids=ids)
    answers = [
        desk.answer(request, unit_type, plan) for plan in _plans(quoter, request) for unit_type in basis.types
    ]
    quotes = sorted(
        (each for each in answers if isinstance(each, Quote)),
        key=lambda each: (each.totals.due, house.types[each.unit_type_id].name, each.plan),
    )
    refusals = tuple(each for each in answers if isinstance(each, QuoteRefusal))
    return QuoteAnswer(house.property.zone, tuple(quotes), refusals)


class _Stock:
    """The rooms left of the types of a request; those around the stay are read once if need be."""

    def __init__(self, reader: AvailabilityReader, basis: QuoteBasis, stay: StayRange, now: datetime) -> None:
        self._reader = reader
        self._ids = [each.unit_type_id for each in basis.types]
        self._now = now
        self._claimed = basis.claimed
        self.window = nearest_window(stay, basis.nights.length - stay.length)
        self._around: dict[UnitTypeId, tuple[int, ...]] | None = None

    def left(self, unit_type: UnitType, nights: DateRange) -> tuple[int, ...]:
        """Return the rooms left on each night."""
        claimed = self._claimed.get(unit_type.unit_type_id)
        return sellable_rooms(unit_type, nights, None if claimed is None else claimed[: nights.length])

    def occupied(self, unit_type: UnitType, stay: StayRange) -> tuple[int, ...]:
        """Return how much of a type is taken on each night of a stay, in whole per cent; without rooms all of it."""
        return occupied_percent(unit_type, stay, self._claimed.get(unit_type.unit_type_id))

    def around(self, unit_type: UnitType) -> tuple[int, ...]:
        """Return the rooms left on each night of the window around the stay."""
        if self._around is None:
            self._around = dict(self._reader.claimed(self._ids, self.window, self._now))
        return sellable_rooms(unit_type, self.window, self._around.get(unit_type.unit_type_id))


@frozen(kw_only=True)
class _Desk:
    """Everything that an answer needs, read once for all combinations."""

    house: House
    quoter: Quoter
    rules: RuleBook
    stock: _Stock
    uses: Mapping[str, int]
    now: datetime
    ids: IdSource

    def answer(self, request: QuoteRequest, unit_type: UnitType, plan: str) -> Quote | QuoteRefusal:
        """Return the quote of one combination, or why there is none."""
        rules = rules_for_plan(self.rules, self.quoter.book, plan)
        question = self._question(request, unit_type, plan)
        reasons = [*self._no_room(request, unit_type, plan), *violations_of(rules, question)]
        occupied = self.stock.occupied(unit_type, request.stay) if self.quoter.has_yield else None
        quote_id = QuoteId(self.ids.new())
        found = self.quoter.quote(
            request, unit_type.unit_type_id, plan, now=self.now, quote_id=quote_id, occupied=occupied
        )
        if isinstance(found, Quote):
            reasons += used_up(found, self.quoter.book, self.uses)
            if not reasons:
                return found
        else:
            reasons += found
        return QuoteRefusal(
            unit_type_id=unit_type.unit_type_id,
            plan=plan,
            stay=request.stay,
            violations=tuple(sorted(set(reasons), key=violation_order)),
            nearest=self._nearest(request, unit_type, plan, rules, question),
        )

    def _question(self, request: QuoteRequest, unit_type: UnitType, plan: str) -> StayQuestion:
        home = self.house.property
        return StayQuestion(
            stay=request.stay,
            unit_type_id=unit_type.unit_type_id,
            asked_at=self.now,
            business_date=home.business_date,
            zone=home.zone,
            check_in_at=home.check_in_at,
            plan=plan,
            channel=request.channel,
        )

    def _no_room(self, request: QuoteRequest, unit_type: UnitType, plan: str) -> Iterator[Violation]:
        """Yield why the type has no room: for the party, or on a night that the stay would claim."""
        book = self.quoter.book
        terms = book.occupancy(book.plan(plan), unit_type.unit_type_id)
        if max(beds_of(terms, party) for party in request.parties) > unit_type.largest_party:
            yield Violation("party_too_large", None, unit_type.largest_party, "type")
        nights = DateRange.of(request.stay.arrival, request.stay.length + unit_type.turnover_nights)
        for night, rooms in zip(nights.nights(), self.stock.left(unit_type, nights), strict=True):
            if rooms < len(request.parties):
                code = "type_full" if night < request.stay.departure else "turnover_taken"
                yield Violation(code, night, str(unit_type.unit_type_id), "type")

    def _nearest(
        self, request: QuoteRequest, unit_type: UnitType, plan: str, rules: RuleBook, question: StayQuestion
    ) -> tuple[StayRange, ...]:
        """Return the nearest stays that would be sold: with room, within the rules, and with a price."""
        found = nearest_stays(
            rules,
            question,
            self.stock.around(unit_type),
            self.stock.window,
            rooms=len(request.parties),
            turnover_nights=unit_type.turnover_nights,
        )
        return tuple(each for each in found if self.quoter.is_priced(unit_type.unit_type_id, plan, each))


def _plans(quoter: Quoter, request: QuoteRequest) -> tuple[str, ...]:
    known = [plan.code for plan in quoter.book.plans]
    for code in request.plans:
        if code not in known:
            raise InvalidInputError("plans", "unknown_plan", value=code, known=", ".join(known))
    return request.plans or tuple(known)
