"""Quotes from a price book: what a stay costs, worked out from tables.

Owns the making of a quote and the working out of its lines and steps. Leaves whether the stay can be sold to the use
case, which asks stock and stay rules. Law: the same question to the same book gives the same fingerprint. How it
works: ``docs/algorithms/quotes.md``.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Final, TypeAlias

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.recurrence import Weekdays
from pmscore.dates.zones import Zone, local_date
from pmscore.kernel.errors import InvalidInputError, Violation
from pmscore.kernel.ids import QuoteId, UnitTypeId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.charges.counting import ChargedStay
from pmscore.pricing.model.charges.lines import TaxResult
from pmscore.pricing.model.charges.taxes import RoundingScope
from pmscore.pricing.model.night_steps import NightStep
from pmscore.pricing.model.plans import RatePlan
from pmscore.pricing.model.quote import Quote, QuoteSource, RuleVersion, Totals
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.rules import PriceQuestion, PriceRule, Stage
from pmscore.pricing.model.stack import Stack
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.policies.charging import carve_inclusions, charge_fees
from pmscore.pricing.policies.occupancy import PartyCharge
from pmscore.pricing.policies.taxing import charge_taxes
from pmscore.pricing.views.charge_shapes import (
    NOTHING,
    Charged,
    ChargeShape,
    RateShape,
    has_shapes,
    rate_shape_of,
    room_charges,
    shape_of,
)
from pmscore.pricing.views.night_table import NOT_SOLD, NightTable, RunningSums
from pmscore.pricing.views.rate_tables import RateTables

__all__ = ["Quoter"]

HOLDS_FOR: Final = timedelta(hours=24)
MOST_KINDS: Final = 50_000
_Key: TypeAlias = "tuple[object, ...]"
_Run: TypeAlias = "tuple[int, int, RunningSums]"
_Amounts: TypeAlias = "tuple[list[array[int]], Totals]"


@frozen(kw_only=True)
class _Kind:
    """Stays that are quoted alike, wherever they begin."""

    plan: RatePlan
    unit_type_id: UnitTypeId
    stack: Stack
    charges: tuple[PartyCharge, ...]
    length: int
    tables: tuple[NightTable, ...]
    runs: tuple[_Run, ...] | None
    constant: Charged
    by_rate: RateShape | None
    terms: Terms | None
    versions: tuple[RuleVersion, ...]
    occupied: tuple[int, ...] | None
    digest: blake2b


class Quoter(QuoteSource):
    """Makes quotes from one book on the nights of one range; keeps its tables for the next."""

    def __init__(
        self, book: PriceBook, nights: DateRange, zone: Zone, *, holds_for: timedelta = HOLDS_FOR
    ) -> None:
        self.book = book
        self.tables = RateTables(book, nights)
        self._zone = zone
        self._holds_for = holds_for
        self._kinds: dict[_Key, _Kind] = {}
        self._times_cleared = 0
        self._classes: dict[object, int] = {}
        self._last_day: tuple[datetime, date] | None = None
        self._has_shapes = has_shapes(book)
        self._turn = _turn_of(book.rules)
        self._known_codes = frozenset(str(rule.value.get("code")) for rule in book.rules)

    def quote(
        self,
        request: QuoteRequest,
        unit_type_id: UnitTypeId,
        plan_code: str,
        *,
        now: datetime,
        quote_id: QuoteId,
        occupied: tuple[int, ...] | None = None,
    ) -> Quote | tuple[Violation, ...]:
        """Return the quote, or why there is no price for the stay.

        ``occupied`` is how much of the type is taken on each night in per cent, where somebody has counted.

        Raises:
            NotFoundError: the property has no such plan.
            InvalidInputError: field ``codes`` (no such promotion), ``extras`` (no such fee) or ``stay`` (outside of
                the nights that are priced).
        """
        booked_on = self._booked_on(now)
        key = self._key(request, unit_type_id, plan_code, booked_on) if occupied is None else None
        kind = self._kinds.get(key) if key is not None else None
        if kind is None:
            found = self._kind(request, unit_type_id, self.book.plan(plan_code), booked_on, occupied)
            if isinstance(found, tuple):
                return found
            kind = found
            if key is not None:
                self._remember(key, kind)
        return self._made(kind, request, booked_on, now, quote_id)

    def _remember(self, key: _Key, kind: _Kind) -> None:
        """Keep a kind as long as its tables are kept."""
        if len(self._kinds) >= MOST_KINDS or self._times_cleared != self.tables.times_cleared:
            self._kinds.clear()
            self._times_cleared = self.tables.times_cleared
        self._kinds[key] = kind

    @property
    def has_yield(self) -> bool:
        """Whether some rule asks how full the house is."""
        return any(rule.stage is Stage.YIELD for rule in self.book.rules)

    def is_priced(self, unit_type_id: UnitTypeId, plan_code: str, stay: StayRange) -> bool:
        """Return whether the plan has a price for the type on each night; outside of the tables it has none."""
        nights = self.tables.nights
        if not nights.contains(stay):
            return False
        first = self.tables.place(stay)
        row = self.tables.row(self.book.plan(plan_code), unit_type_id)
        return None not in row[first : first + stay.length]

    def charged(self, quote: Quote, /) -> TaxResult:
        """Return all lines of a quote of this book with their taxes: those of the nights first, then the fees."""
        return self._charged(self.book.plan(quote.plan), quote, quote.nightly)

    def lines_of_nights(self, quote: Quote, /) -> int:
        """Return how many of the lines are nights and what their price contains; the others are fees."""
        inclusions = self.book.inclusions_of(self.book.plan(quote.plan))
        if not inclusions:
            return len(quote.parties) * quote.stay.length
        stay = ChargedStay(stay=quote.stay, rooms=quote.parties, channel=quote.channel)
        return len(carve_inclusions(inclusions, stay, room_charges(quote.stay, quote.nightly)))

    def steps(self, quote: Quote, /) -> tuple[tuple[tuple[NightStep, ...], ...], ...]:
        """Return, for each room of a quote of this book and each of its nights, how the amount came to be."""
        plan = self.book.plan(quote.plan)
        stack = self.stack(quote)
        return tuple(
            self.tables.steps(
                plan,
                quote.unit_type_id,
                self.tables.charge(plan, quote.unit_type_id, party),
                stack,
                quote.stay,
            )
            for party in quote.parties
        )

    def stack(self, quote: Quote, /) -> Stack:
        """Return the rules that changed a quote, and those that stood back."""
        asked = (quote.stay, quote.unit_type_id, quote.plan, quote.booked_on, quote.channel, quote.codes)
        return self.tables.stack(_question(*asked, quote.occupied))

    def _key(self, request: QuoteRequest, unit_type_id: UnitTypeId, plan: str, booked_on: date) -> _Key:
        """Return what stays must have in common to be quoted alike."""
        stay = request.stay
        first = stay.arrival.toordinal()
        return (
            unit_type_id,
            plan,
            request.parties,
            request.channel,
            stay.departure.toordinal() - first,
            first - booked_on.toordinal(),
            request.codes,
            request.extras,
            first % self._turn if self._turn else first,
        )

    def _booked_on(self, now: datetime) -> date:
        """Return the local day of ``now``; quotes come in crowds, so the last one is remembered."""
        last = self._last_day
        if last is None or last[0] is not now:
            last = self._last_day = now, local_date(now, self._zone)
        return last[1]

    def _kind(
        self,
        request: QuoteRequest,
        unit_type_id: UnitTypeId,
        plan: RatePlan,
        booked_on: date,
        occupied: tuple[int, ...] | None,
    ) -> _Kind | tuple[Violation, ...]:
        for code in request.codes:
            if code not in self._known_codes:
                raise InvalidInputError("codes", "unknown_code", value=code)
        if unit_type_id not in self.book.types_of(plan):
            return (Violation("plan_not_sold_for_type", None, plan.code, "plan"),)
        asked = (request.stay, unit_type_id, plan.code, booked_on, request.channel, request.codes)
        stack = self.tables.stack(_question(*asked, occupied))
        # A code whose rule stands back for a better one is no mistake of the guest's.
        met = [each.rule for each in stack.applied] + [each.rule for each in stack.passed_over]
        used = {str(rule.value.get("code")) for rule in met}
        if unused := [code for code in request.codes if code not in used]:
            return tuple(Violation("code_does_not_apply", None, code, "plan") for code in unused)
        charges = tuple(self.tables.charge(plan, unit_type_id, party) for party in request.parties)
        tables = [self.tables.table(plan, unit_type_id, charge, stack) for charge in charges]
        kept = tuple(table for table in tables if table is not None)
        shape = self._shape(plan, request) if len(kept) == len(charges) else None
        terms = self.book.terms_of(plan)
        versions = (
            RuleVersion("book", "", self.book.version),
            *(RuleVersion("plan", each.code, each.version) for each in self.book.lineage(plan.code)),
            *(RuleVersion("rule", each.rule.code, each.rule.version) for each in stack.applied),
        )
        return _Kind(
            plan=plan,
            unit_type_id=unit_type_id,
            stack=stack,
            charges=charges,
            length=request.stay.length,
            tables=kept,
            runs=None if shape is None else _runs(shape, kept),
            constant=NOTHING if shape is None else shape.constant,
            by_rate=self._rate_shape(plan, request),
            terms=terms,
            versions=versions,
            occupied=occupied,
            digest=blake2b(_prefix(request, unit_type_id, plan.code, versions, terms), digest_size=16),
        )

    def _shape(self, plan: RatePlan, request: QuoteRequest) -> ChargeShape | None:
        if not self._has_shapes:
            return None
        stay = ChargedStay(stay=request.stay, rooms=request.parties, channel=request.channel)
        return shape_of(self.book, self.book.inclusions_of(plan), stay, request.extras, self._classes)

    def _rate_shape(self, plan: RatePlan, request: QuoteRequest) -> RateShape | None:
        if self.book.tax_rounding.scope is RoundingScope.PER_LINE or self.book.inclusions_of(plan):
            return None
        stay = ChargedStay(stay=request.stay, rooms=request.parties, channel=request.channel)
        return rate_shape_of(self.book, stay, request.extras)

    def _charged(
        self, plan: RatePlan, asked: QuoteRequest | Quote, nightly: Sequence[Sequence[int]]
    ) -> TaxResult:
        stay = ChargedStay(stay=asked.stay, rooms=asked.parties, channel=asked.channel)
        rooms = room_charges(asked.stay, nightly)
        fees = charge_fees(self.book.fees, asked.extras, stay, rooms)
        charges = (*carve_inclusions(self.book.inclusions_of(plan), stay, rooms), *fees)
        return charge_taxes(self.book.taxes, charges, stay, self.book.tax_rounding)

    def _made(
        self, kind: _Kind, request: QuoteRequest, booked_on: date, now: datetime, quote_id: QuoteId
    ) -> Quote | tuple[Violation, ...]:
        stay = request.stay
        first = self.tables.place(stay)
        found = self._slowly(kind, request) if kind.runs is None else _tabled(kind, kind.runs, first)
        if found is None:
            nightly = [self._amounts(kind, charge, stay) for charge in kind.charges]
            return _unpriced(nightly, stay, kind.plan.code)
        nightly, totals = found
        digest = kind.digest.copy()
        digest.update(b"%d" % stay.arrival.toordinal())
        for amounts in nightly:
            digest.update(amounts.tobytes())
        return Quote(
            quote_id=quote_id,
            property_id=self.book.property_id,
            unit_type_id=kind.unit_type_id,
            plan=kind.plan.code,
            stay=stay,
            parties=request.parties,
            channel=request.channel,
            codes=request.codes,
            extras=request.extras,
            currency=self.book.currency,
            nightly=tuple([tuple(amounts) for amounts in nightly]),
            totals=totals,
            terms=kind.terms,
            versions=kind.versions,
            occupied=kind.occupied,
            booked_on=booked_on,
            made_at=now,
            expires_at=now + self._holds_for,
            fingerprint=digest.hexdigest(),
            source=self,
        )

    def _slowly(self, kind: _Kind, request: QuoteRequest) -> _Amounts | None:
        """Return the amounts of a stay that no table has, or whose charges touch each other; None: not sold."""
        nightly = [self._amounts(kind, charge, request.stay) for charge in kind.charges]
        if any(NOT_SOLD in amounts for amounts in nightly):
            return None
        if kind.by_rate is not None:
            return nightly, Totals(sum(nightly[0]), kind.by_rate.shown, *kind.by_rate.totals_of(nightly[0]))
        return nightly, _totals(self._charged(kind.plan, request, nightly), sum(map(sum, nightly)))

    def _amounts(self, kind: _Kind, charge: PartyCharge, stay: StayRange) -> array[int]:
        return self.tables.amounts(kind.plan, kind.unit_type_id, charge, kind.stack, stay)


def _tabled(kind: _Kind, runs: tuple[_Run, ...], first: int) -> _Amounts | None:
    """Return the amounts and totals of a stay from tables; None where a night is not sold."""
    end = first + kind.length
    nightly: list[array[int]] = []
    room = 0
    for table in kind.tables:
        if table.unsold[end] != table.unsold[first]:
            return None
        nightly.append(table.amounts[first:end])
        room += table.gross[end] - table.gross[first]
    constant = kind.constant
    net, tax, city_tax = constant.net, constant.tax, constant.city_tax
    for start, until, (nets, taxes, city_taxes) in runs:
        net += nets[first + until] - nets[first + start]
        tax += taxes[first + until] - taxes[first + start]
        city_tax += city_taxes[first + until] - city_taxes[first + start]
    return nightly, Totals(room, constant.shown, net, tax, city_tax)


def _runs(shape: ChargeShape, tables: Sequence[NightTable]) -> tuple[_Run, ...]:
    """Return, for each run of nights that bear the same taxes, its place in the stay and its running sums."""
    return tuple(
        (each.start, each.end, table.sums(each.key, each.totals_of))
        for table, classes in zip(tables, shape.classes, strict=True)
        for each in classes
    )


def _turn_of(rules: Iterable[PriceRule]) -> int:
    """Return after how many days a stay meets the same rules again; zero where that is never so."""
    if any(rule.nights is not None or rule.booked is not None for rule in rules):
        return 0
    return 7 if any(rule.weekdays != Weekdays.EVERY for rule in rules) else 1


def _question(
    stay: StayRange,
    unit_type_id: UnitTypeId,
    plan: str,
    booked_on: date,
    channel: str,
    codes: tuple[str, ...],
    occupied: tuple[int, ...] | None,
) -> PriceQuestion:
    return PriceQuestion(
        stay=stay,
        unit_type_id=unit_type_id,
        plan=plan,
        booked_on=booked_on,
        channel=channel,
        codes=frozenset(codes),
        occupied=occupied,
    )


def _prefix(
    request: QuoteRequest,
    unit_type_id: UnitTypeId,
    plan: str,
    versions: tuple[RuleVersion, ...],
    terms: Terms | None,
) -> bytes:
    """Return what a fingerprint says beside the first night and the amounts."""
    asked = (request.stay.length, request.parties, request.channel, request.codes, request.extras)
    said = repr((str(unit_type_id), plan, asked, versions)).encode()
    return said + (b"" if terms is None else terms.to_bytes())


def _totals(result: TaxResult, room: int) -> Totals:
    shown = sum(line.charge.amount for line in result.charges)
    return Totals(room, shown - room, result.net, result.tax, result.city_tax)


def _unpriced(nightly: Sequence[array[int]], stay: StayRange, plan: str) -> tuple[Violation, ...]:
    return tuple(
        Violation("no_price", night, plan, "plan")
        for night, amounts in zip(stay.nights(), zip(*nightly, strict=True), strict=True)
        if NOT_SOLD in amounts
    )
