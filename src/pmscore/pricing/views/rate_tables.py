"""Nightly amounts, worked out once for each kind of stay and then cut out as slices.

Owns the tables of one book over a range of nights: what a plan costs for a type, for a party, under the rules that
change all stays of a kind alike. Leaves which rules those are to ``policies.stacking``. Law: a table says what the
stages say, night by night. How it works: ``docs/algorithms/prices.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.night_steps import NightStep
from pmscore.pricing.model.plans import RatePlan
from pmscore.pricing.model.rules import PriceQuestion, PriceRule, exclusion_order
from pmscore.pricing.model.stack import Stack
from pmscore.pricing.policies.nightly import night_amount, night_steps
from pmscore.pricing.policies.occupancy import PartyCharge, party_charge
from pmscore.pricing.policies.planning import PlanPrices, derived_prices, never_sold, own_prices, season_slots
from pmscore.pricing.policies.stacking import stacked
from pmscore.pricing.views.night_table import NOT_SOLD, NightTable

__all__ = ["NOT_SOLD", "RateTables"]

MOST_TABLES: Final = 2_000
_Key: TypeAlias = "tuple[str, UnitTypeId, PartyCharge, tuple[tuple[str, Change], ...]]"


class RateTables:
    """The amounts of all plans of one book on the nights of one range.

    Tables are made when they are first asked for, and forgotten all at once when there are too many.
    """

    def __init__(self, book: PriceBook, nights: DateRange) -> None:
        self.book = book
        self.nights = nights
        self._origin = nights.first_ordinal
        self._end = nights.end_ordinal
        self._sets, self._slots = season_slots(book.seasons, nights)
        self._prices: dict[tuple[str, UnitTypeId], PlanPrices] = {}
        self._rows: dict[tuple[str, UnitTypeId], list[int | None]] = {}
        self.times_cleared = 0
        self._charges: dict[tuple[str, UnitTypeId, GuestParty], PartyCharge] = {}
        self._tables: dict[_Key, NightTable] = {}
        self._groups: Mapping[str, tuple[PriceRule, ...]] = {
            group: tuple(rule for rule in book.rules if rule.group == group)
            for group in exclusion_order(book.rules)
        }
        self._masks = {rule.code: rule.mask_over(nights) for rule in book.rules}

    def row(self, plan: RatePlan, unit_type_id: UnitTypeId) -> Sequence[int | None]:
        """Return the plan's price for each night of the range, before anybody stays; None: not sold."""
        key = (plan.code, unit_type_id)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self.prices(plan, unit_type_id).row(self.nights, self._slots)
        return row

    def prices(self, plan: RatePlan, unit_type_id: UnitTypeId) -> PlanPrices:
        """Return the plan's prices by season, weekday and date."""
        key = (plan.code, unit_type_id)
        found = self._prices.get(key)
        if found is None:
            found = self._prices[key] = self._worked_out(plan, unit_type_id)
        return found

    def charge(self, plan: RatePlan, unit_type_id: UnitTypeId, party: GuestParty) -> PartyCharge:
        """Return what a party makes of the plan's prices."""
        key = (plan.code, unit_type_id, party)
        found = self._charges.get(key)
        if found is None:
            if len(self._charges) >= MOST_TABLES:
                self._charges.clear()
            found = self._charges[key] = party_charge(self.book.occupancy(plan, unit_type_id), party)
        return found

    def stack(self, question: PriceQuestion) -> Stack:
        """Return the rules that change a stay, and those that stand back."""
        return stacked(self._groups, question)

    def amounts(
        self, plan: RatePlan, unit_type_id: UnitTypeId, charge: PartyCharge, stack: Stack, stay: StayRange
    ) -> tuple[int, ...]:
        """Return the amount of each night of a stay, ``NOT_SOLD`` where the plan has no price.

        Raises:
            InvalidInputError: field ``stay``; a night lies outside of the tables.
        """
        first = self.place(stay)
        table = self.table(plan, unit_type_id, charge, stack)
        if table is None:
            return self._night_by_night(plan, unit_type_id, charge, stack, stay)
        return table.amounts[first : first + stay.length]

    def table(
        self, plan: RatePlan, unit_type_id: UnitTypeId, charge: PartyCharge, stack: Stack
    ) -> NightTable | None:
        """Return the table of all stays of a kind; None where a rule changes each night in its own way."""
        shared: list[tuple[str, Change]] = []
        for applied in stack.applied:
            if not isinstance(applied.changes, Change):
                return None
            shared.append((applied.rule.code, applied.changes))
        key = (plan.code, unit_type_id, charge, tuple(shared))
        table = self._tables.get(key)
        if table is None:
            if len(self._tables) >= MOST_TABLES:
                self._tables.clear()
                self.times_cleared += 1
            table = self._tables[key] = NightTable(self._amounts(plan, unit_type_id, charge, shared))
        return table

    def steps(
        self, plan: RatePlan, unit_type_id: UnitTypeId, charge: PartyCharge, stack: Stack, stay: StayRange
    ) -> tuple[tuple[NightStep, ...], ...]:
        """Return, for each night of a stay, the steps from the plan's price to its amount; none where it is not sold.

        Raises:
            InvalidInputError: field ``stay``; a night lies outside of the tables.
        """
        first = self.place(stay)
        row = self.row(plan, unit_type_id)
        found: list[tuple[NightStep, ...]] = []
        for night in range(stay.length):
            at = first + night
            price = row[at]
            changes = self._changes_on(at, night, stack)
            found.append(() if price is None else tuple(night_steps(price, charge, changes)))
        return tuple(found)

    def place(self, stay: StayRange) -> int:
        """Return the place of a stay's first night in the tables.

        Raises:
            InvalidInputError: field ``stay``; a night lies outside of the tables.
        """
        first = stay.arrival.toordinal() - self._origin
        if first < 0 or stay.departure.toordinal() > self._end:
            raise InvalidInputError("stay", "outside_of_tables", range=str(self.nights))
        return first

    def _worked_out(self, plan: RatePlan, unit_type_id: UnitTypeId) -> PlanPrices:
        if unit_type_id not in self.book.types_of(plan):
            return never_sold(self._sets)
        derivation = plan.derivation
        if derivation is None or not derivation.inherits_price:
            return own_prices(plan.prices[unit_type_id], self._sets, plan.limits)
        parent = self.prices(self.book.plan(derivation.parent), unit_type_id)
        return derived_prices(parent, derivation, plan.limits)

    def _amounts(
        self,
        plan: RatePlan,
        unit_type_id: UnitTypeId,
        charge: PartyCharge,
        shared: Sequence[tuple[str, Change]],
    ) -> list[int]:
        masks = [self._masks[code] for code, _ in shared]
        changes = [change for _, change in shared]
        known: dict[tuple[int, int], int] = {}
        table: list[int] = []
        for at, price in enumerate(self.row(plan, unit_type_id)):
            if price is None:
                table.append(NOT_SOLD)
                continue
            pattern = 0
            for bit, mask in enumerate(masks):
                pattern |= (mask >> at & 1) << bit
            amount = known.get((price, pattern))
            if amount is None:
                chosen = [change for bit, change in enumerate(changes) if pattern >> bit & 1]
                amount = known[price, pattern] = night_amount(price, charge, chosen)
            table.append(amount)
        return table

    def _night_by_night(
        self, plan: RatePlan, unit_type_id: UnitTypeId, charge: PartyCharge, stack: Stack, stay: StayRange
    ) -> tuple[int, ...]:
        row = self.row(plan, unit_type_id)
        first = self.place(stay)
        amounts: list[int] = []
        for night in range(stay.length):
            price = row[first + night]
            chosen = [change for _, change in self._changes_on(first + night, night, stack)]
            amounts.append(NOT_SOLD if price is None else night_amount(price, charge, chosen))
        return tuple(amounts)

    def _changes_on(self, at: int, night: int, stack: Stack) -> list[tuple[PriceRule, Change]]:
        found: list[tuple[PriceRule, Change]] = []
        for applied in stack.applied:
            change = applied.changes if isinstance(applied.changes, Change) else applied.changes[night]
            if change is not None and self._masks[applied.rule.code] >> at & 1:
                found.append((applied.rule, change))
        return found
