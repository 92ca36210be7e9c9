"""Quotes from a price book: what a stay costs, worked out from tables.

Owns the making of a quote and the working out of its lines and steps. Leaves what stays have in common to
``known_kinds``, and whether the stay can be sold to the use case, which asks stock and stay rules. Law: the
same question to the same book gives the same fingerprint. How it works: ``docs/algorithms/quotes.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone, local_date
from pmscore.kernel.errors import Violation
from pmscore.kernel.ids import QuoteId, UnitTypeId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.charges.counting import ChargedStay
from pmscore.pricing.model.charges.lines import TaxResult
from pmscore.pricing.model.night_steps import NightStep
from pmscore.pricing.model.plans import RatePlan
from pmscore.pricing.model.quote import Quote, QuoteSource
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.rules import Stage
from pmscore.pricing.model.stack import Stack
from pmscore.pricing.model.totals import Totals
from pmscore.pricing.policies.charging import carve_inclusions, charge_fees
from pmscore.pricing.policies.occupancy import PartyCharge
from pmscore.pricing.policies.taxing import charge_taxes
from pmscore.pricing.views.charge_shapes import room_charges
from pmscore.pricing.views.known_kinds import KnownKinds, question_of
from pmscore.pricing.views.night_table import NOT_SOLD, written
from pmscore.pricing.views.rate_tables import RateTables
from pmscore.pricing.views.stay_kind import StayAmounts, StayKind

__all__ = ["Quoter"]

HOLDS_FOR: Final = timedelta(hours=24)
MOST_CHARGES: Final = 512


class Quoter(QuoteSource):
    """Makes quotes from one book on the nights of one range; keeps its tables for the next."""

    def __init__(
        self, book: PriceBook, nights: DateRange, zone: Zone, *, holds_for: timedelta = HOLDS_FOR
    ) -> None:
        self.book = book
        self.tables = RateTables(book, nights)
        self._zone = zone
        self._holds_for = holds_for
        self._kinds = KnownKinds(book, self.tables, self)
        self._last_day: tuple[datetime, date] | None = None
        # Whoever is told the total of a quote asks for its lines next.
        self._charges: dict[object, TaxResult] = {}

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
        kind = self._kinds.of(request, unit_type_id, plan_code, booked_on, occupied)
        if isinstance(kind, tuple):
            return kind
        return self._made(kind, request, booked_on, now, quote_id)

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
        return self.tables.stack(
            question_of(quote, quote.unit_type_id, quote.plan, quote.booked_on, quote.occupied)
        )

    def _booked_on(self, now: datetime) -> date:
        """Return the local day of ``now``; quotes come in crowds, so the last one is remembered."""
        last = self._last_day
        if last is None or last[0] is not now:
            last = self._last_day = now, local_date(now, self._zone)
        return last[1]

    def _charged(
        self, plan: RatePlan, asked: QuoteRequest | Quote, nightly: Sequence[Sequence[int]]
    ) -> TaxResult:
        amounts = tuple(map(tuple, nightly))
        key = (plan.code, asked.stay, asked.parties, asked.channel, asked.extras, amounts)
        found = self._charges.get(key)
        if found is None:
            stay = ChargedStay(stay=asked.stay, rooms=asked.parties, channel=asked.channel)
            rooms = room_charges(asked.stay, amounts)
            fees = charge_fees(self.book.fees, asked.extras, stay, rooms)
            charges = (*carve_inclusions(self.book.inclusions_of(plan), stay, rooms), *fees)
            found = charge_taxes(self.book.taxes, charges, stay, self.book.tax_rounding)
            if len(self._charges) >= MOST_CHARGES:
                self._charges.clear()
            self._charges[key] = found
        return found

    def _made(
        self, kind: StayKind, request: QuoteRequest, booked_on: date, now: datetime, quote_id: QuoteId
    ) -> Quote | tuple[Violation, ...]:
        stay = request.stay
        first = self.tables.place(stay)
        found = self._slowly(kind, request) if kind.runs is None else kind.tabled(kind.runs, first)
        if found is None:
            return _unpriced([self._amounts(kind, each, stay) for each in kind.charges], stay, kind.plan.code)
        nightly, written, totals = found
        digest = kind.digest.copy()
        digest.update(b"%d" % stay.arrival.toordinal())
        for amounts in written:
            digest.update(amounts)
        return Quote(
            quote_id,
            kind.offer,
            stay,
            nightly,
            totals,
            booked_on,
            now,
            now + self._holds_for,
            digest.hexdigest(),
        )

    def _slowly(self, kind: StayKind, request: QuoteRequest) -> StayAmounts | None:
        """Return the amounts of a stay that no table has, or whose charges touch each other; None: not sold."""
        nightly = tuple([self._amounts(kind, charge, request.stay) for charge in kind.charges])
        if any(NOT_SOLD in amounts for amounts in nightly):
            return None
        if kind.by_rate is not None:
            totals = Totals(sum(nightly[0]), kind.by_rate.shown, *kind.by_rate.totals_of(nightly[0]))
        else:
            totals = _totals(self._charged(kind.plan, request, nightly), sum(map(sum, nightly)))
        return nightly, list(map(written, nightly)), totals

    def _amounts(self, kind: StayKind, charge: PartyCharge, stay: StayRange) -> tuple[int, ...]:
        return self.tables.amounts(kind.plan, kind.offer.unit_type_id, charge, kind.stack, stay)


def _totals(result: TaxResult, room: int) -> Totals:
    shown = sum(line.charge.amount for line in result.charges)
    return Totals(room, shown - room, result.net, result.tax, result.city_tax)


def _unpriced(nightly: Sequence[Sequence[int]], stay: StayRange, plan: str) -> tuple[Violation, ...]:
    return tuple(
        Violation("no_price", night, plan, "plan")
        for night, amounts in zip(stay.nights(), zip(*nightly, strict=True), strict=True)
        if NOT_SOLD in amounts
    )
