"""Where the price of a plan comes from, and what a party makes of it: stages 1 and 2, step by step.

Owns the nodes of both stages. Law: they come to what ``policies.planning`` and ``policies.occupancy`` come to.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.money import round_ratio
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.night_steps import Ratio
from pmscore.pricing.model.occupancy import AgeBand, OccupancyTerms, PricedBy
from pmscore.pricing.model.plans import PriceLimits, RatePlan
from pmscore.pricing.model.quote import RuleVersion
from pmscore.pricing.policies.nightly import changed_night
from pmscore.pricing.views.explanation_nodes import Explained, Part

__all__ = ["PriceExplainer", "explained_occupancy"]


class PriceExplainer:
    """Explains the price of one plan for one type; remembers what nights have in common."""

    def __init__(self, book: PriceBook, plan: RatePlan, unit_type_id: UnitTypeId) -> None:
        lineage = [plan]
        while (derivation := lineage[-1].derivation) is not None and derivation.inherits_price:
            lineage.append(book.plan(derivation.parent))
        self._lineage = tuple(reversed(lineage))
        self._prices = self._lineage[0].prices[unit_type_id]
        # Seasons without a price here say nothing, so they need not be asked.
        self._seasons = [each for each in book.seasons if each.name in self._prices.seasons]
        self._by_night: dict[date, Explained] = {}
        self._by_origin: dict[tuple[Part, str, int | None], Explained] = {}

    def on(self, night: date) -> Explained:
        """Return the price of a night on which the plan is sold, and where it comes from."""
        found = self._by_night.get(night)
        if found is None:
            key = code, name, price = self._origin(night)
            found = self._by_origin.get(key)
            if found is None:
                found = Explained(code, name, price)
                for plan in self._lineage:
                    found = _of_plan(plan, found)
                self._by_origin[key] = found
            self._by_night[night] = found
        return found

    def _origin(self, night: date) -> tuple[Part, str, int | None]:
        prices = self._prices
        for dated in prices.dates:
            if night in dated.nights:
                return Part.DATED_PRICE, str(dated.nights), dated.price
        for season in self._seasons:
            if night in season:
                return Part.SEASON_PRICE, season.name, prices.seasons[season.name].by_weekday[night.weekday()]
        week = prices.default
        return Part.DEFAULT_PRICE, "", None if week is None else week.by_weekday[night.weekday()]


def explained_occupancy(terms: OccupancyTerms, party: GuestParty, price: int, after: Ratio) -> Explained:
    """Return what the party makes of a price; the children sum to ``after``."""
    by_person = terms.priced_by is PricedBy.PERSON
    parts = _by_person(terms, party, price) if by_person else _by_unit(terms, party, price)
    return Explained(Part.OCCUPANCY, "", after, tuple(parts), price, kind=terms.priced_by.value)


def _of_plan(plan: RatePlan, origin: Explained) -> Explained:
    """Return the price of a plan from its own or from its parent's."""
    steps = [origin]
    price = origin.after if isinstance(origin.after, int) else 0
    exact = Ratio(price, 1)
    if plan.derivation is not None and plan.derivation.inherits_price:
        operations = plan.derivation.operations
        for at, operation in enumerate(operations, start=1):
            after = changed_night(price, operations[:at])
            steps.append(Explained(Part.OPERATION, "", after, (), exact, operation.operand))
            exact = after
    amount = _limited(exact, plan.limits, steps)
    rule = RuleVersion("plan", plan.code, plan.version)
    return Explained(Part.PLAN_PRICE, plan.code, amount, tuple(steps), rule=rule)


def _limited(exact: Ratio, limits: PriceLimits, steps: list[Explained]) -> int:
    """Return the price within its limits, and add what they did to ``steps``."""
    mode = limits.rounding
    amount = round_ratio(exact.numer, exact.denom * limits.step, mode) * limits.step
    if limits.step > 1 or exact.numer != amount * exact.denom:
        steps.append(Explained(Part.STEP, "", amount, (), exact, limits.step, rounding=mode.value))
    if limits.floor is not None:
        before, amount = amount, max(amount, limits.floor)
        steps.append(Explained(Part.FLOOR, "", amount, (), before, limits.floor))
    if limits.ceiling is not None:
        before, amount = amount, min(amount, limits.ceiling)
        steps.append(Explained(Part.CEILING, "", amount, (), before, limits.ceiling))
    if amount < 0:
        steps.append(Explained(Part.NOT_BELOW_ZERO, "", 0, (), amount))
    return max(amount, 0)


def _by_person(terms: OccupancyTerms, party: GuestParty, price: int) -> Iterator[Explained]:
    bands = [(age, terms.band_of(age)) for age in party.ages]
    adults = party.adults + sum(band is None for _, band in bands)
    yield Explained(Part.ADULTS, "", adults * price, (), operand=price, quantity=adults)
    for age, band in bands:
        if band is not None:
            yield _child(age, band, price)


def _by_unit(terms: OccupancyTerms, party: GuestParty, price: int) -> Iterator[Explained]:
    bands = [(age, terms.band_of(age)) for age in party.ages]
    adults = party.adults + sum(band is None for _, band in bands)
    yield Explained(Part.UNIT, "", price, (), quantity=terms.included)
    if adults > terms.included:
        extra = adults - terms.included
        yield Explained(
            Part.EXTRA_ADULTS, "", extra * terms.extra_adult, (), operand=terms.extra_adult, quantity=extra
        )
    places = max(terms.included - adults, 0)
    for age, band in bands:
        if band is None:
            continue
        if band.fills_place and places:
            places -= 1
            yield Explained(Part.CHILD_IN_PLACE, str(age), 0, kind=_ages(band))
        else:
            yield _child(age, band, terms.extra_adult)
    if places and terms.empty_place:
        off = -terms.empty_place
        yield Explained(Part.EMPTY_PLACES, "", places * off, (), operand=off, quantity=places)


def _child(age: int, band: AgeBand, adult: int) -> Explained:
    if isinstance(band.price, Percent):
        amount: int | Ratio = Ratio(adult * band.price.millionths, WHOLE)
        return Explained(Part.CHILD, str(age), amount, (), operand=band.price, of=adult, kind=_ages(band))
    return Explained(Part.CHILD, str(age), band.price, (), operand=band.price, kind=_ages(band))


def _ages(band: AgeBand) -> str:
    return f"{band.from_age}-{band.to_age - 1}"
