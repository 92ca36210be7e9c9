"""Prices worked out the long way: fractions, one night, one guest and one rule at a time, straight from the book.

Shares no code with ``pmscore.pricing`` but the values that a book is made of; rules are read from their stored form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import ceil, floor

from pmscore.dates.recurrence import Season
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.money import Rounding
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.occupancy import OccupancyTerms, PricedBy
from pmscore.pricing.model.plans import PriceLimits, RatePlan, TypePrices
from pmscore.pricing.model.rules import PriceQuestion, PriceRule

STAGES = {
    "length_of_stay": 3,
    "early_bird": 4,
    "last_minute": 4,
    "yield": 5,
    "promotion": 6,
    "channel": 7,
}


def naive_amounts(book: PriceBook, question: PriceQuestion, party: GuestParty) -> list[int | None]:
    """Return the amount of each night of the stay; None where it is not sold."""
    return [naive_amount(book, question, party, night) for night in question.stay.nights()]


def naive_amount(book: PriceBook, question: PriceQuestion, party: GuestParty, night: date) -> int | None:
    price = plan_price(book, question.plan, question.unit_type_id, night)
    if price is None:
        return None
    occupied = party_price(terms_for(book, question.plan, question.unit_type_id), party, price)
    amount = occupied
    for rule in rules_on(book, question, night):
        change = read_change(rule, question, night)
        assert change is not None
        if "amount" in change:
            amount += Fraction(change["amount"])
        else:
            base = {"running": amount, "plan": Fraction(price), "occupied": occupied}
            amount += base[change.get("base", "running")] * Fraction(change["percent"]) / 100
    return max(floor(amount + Fraction(1, 2)), 0)


def plan_price(book: PriceBook, code: str, unit_type_id: UnitTypeId, night: date) -> int | None:
    plan = by_code(book, code)
    if not is_sold(book, plan, unit_type_id):
        return None
    if plan.prices:
        own = own_price(book.seasons, plan.prices[unit_type_id], night)
        return None if own is None else within(Fraction(own), plan.limits)
    assert plan.derivation is not None
    parent = plan_price(book, plan.derivation.parent, unit_type_id, night)
    if parent is None:
        return None
    price = Fraction(parent)
    for change in plan.derivation.operations:
        if isinstance(change.operand, Percent):
            price *= 1 + Fraction(change.operand.plain()) / 100
        else:
            price += change.operand
    return within(price, plan.limits)


def own_price(seasons: Sequence[Season], prices: TypePrices, night: date) -> int | None:
    for dated in prices.dates:
        if dated.nights.start <= night < dated.nights.end:
            return dated.price
    for season in sorted(seasons, key=lambda each: -each.priority):
        is_in = night in list(season.nights) and season.weekdays.mask >> night.weekday() & 1
        if is_in and season.name in prices.seasons:
            return prices.seasons[season.name].by_weekday[night.weekday()]
    return None if prices.default is None else prices.default.by_weekday[night.weekday()]


def within(price: Fraction, limits: PriceLimits) -> int:
    steps = price / limits.step
    below, above = floor(steps), ceil(steps)
    towards_zero, away = (below, above) if steps >= 0 else (above, below)
    if limits.rounding is Rounding.FLOOR:
        rounded = below
    elif limits.rounding is Rounding.CEILING:
        rounded = above
    elif limits.rounding is Rounding.DOWN:
        rounded = towards_zero
    elif limits.rounding is Rounding.UP:
        rounded = away
    elif abs(steps - towards_zero) != Fraction(1, 2):
        rounded = min(below, above, key=lambda each: abs(steps - each))
    elif limits.rounding is Rounding.HALF_UP:
        rounded = away
    else:
        rounded = below if below % 2 == 0 else above
    amount = rounded * limits.step
    if limits.floor is not None and amount < limits.floor:
        amount = limits.floor
    if limits.ceiling is not None and amount > limits.ceiling:
        amount = limits.ceiling
    return max(amount, 0)


def terms_for(book: PriceBook, code: str, unit_type_id: UnitTypeId) -> OccupancyTerms:
    plan: RatePlan | None = by_code(book, code)
    while plan is not None:
        prices = plan.prices.get(unit_type_id)
        if prices is not None and prices.occupancy is not None:
            return prices.occupancy
        if plan.occupancy is not None:
            return plan.occupancy
        plan = by_code(book, plan.derivation.parent) if plan.derivation is not None else None
    return OccupancyTerms()


def party_price(terms: OccupancyTerms, party: GuestParty, price: int) -> Fraction:
    """Seat the guests one after the other: adults, then children from the oldest down."""
    total = Fraction(0) if terms.priced_by is PricedBy.PERSON else Fraction(price)
    adult = price if terms.priced_by is PricedBy.PERSON else terms.extra_adult
    places = 0 if terms.priced_by is PricedBy.PERSON else terms.included
    guests: list[int | None] = [None] * party.adults
    children = []
    for age in sorted(party.ages, reverse=True):
        has_band = any(band.from_age <= age < band.to_age for band in terms.children)
        (children if has_band else guests).append(age if has_band else None)
    for age in [*guests, *children]:
        band = next(
            (each for each in terms.children if age is not None and each.from_age <= age < each.to_age), None
        )
        if places and (band is None or band.fills_place):
            places -= 1
        elif band is None:
            total += adult
        elif isinstance(band.price, Percent):
            total += adult * Fraction(band.price.plain()) / 100
        else:
            total += band.price
    return total - places * terms.empty_place


def rules_on(book: PriceBook, question: PriceQuestion, night: date) -> list[PriceRule]:
    """Return the rules that change a night, in their order; each asks whether another one stands before it."""
    meant = [rule for rule in book.rules if read_change(rule, question, night) is not None]

    def stands(rule: PriceRule) -> bool:
        ahead = [
            other
            for other in meant
            if rule.group in other.excludes
            or (
                other.group == rule.group
                and STAGES[other.kind] == STAGES[rule.kind]
                and other.rank < rule.rank
            )
        ]
        return not any(stands(other) for other in ahead)

    return sorted(filter(stands, meant), key=lambda rule: (STAGES[rule.kind], rule.rank))


def read_change(rule: PriceRule, question: PriceQuestion, night: date) -> Mapping[str, object] | None:
    """Return what the stored value of a rule says about one night of a stay."""
    lead = max((question.stay.arrival - question.booked_on).days, 0)
    is_meant = (
        (rule.nights is None or rule.nights.start <= night < rule.nights.end)
        and bool(rule.weekdays.mask >> night.weekday() & 1)
        and (rule.booked is None or rule.booked.start <= question.booked_on < rule.booked.end)
        and (not rule.plans or question.plan in rule.plans)
        and (not rule.unit_types or question.unit_type_id in rule.unit_types)
        and (not rule.channels or question.channel in rule.channels)
    )
    if not is_meant:
        return None
    value = rule.value
    match rule.kind:
        case "length_of_stay":
            return reached(value["bands"], question.stay.length)
        case "early_bird":
            return reached(value["bands"], lead)
        case "last_minute":
            near = sorted(
                (band for band in value["until"] if lead <= band["days"]), key=lambda band: band["days"]
            )
            return near[0]["change"] if near else None
        case "yield":
            if question.occupied is None or not value.get("least_lead", 0) <= lead <= value.get(
                "most_lead", 9_999
            ):
                return None
            return reached(value["steps"], question.occupied[(night - question.stay.arrival).days])
        case "promotion":
            return value["change"] if value["code"] in question.codes else None
        case "channel":
            return value["channels"].get(question.channel)
        case other:
            raise AssertionError(f"the naive model does not know {other}")


def reached(bands, count: int) -> Mapping[str, object] | None:
    below = sorted((band for band in bands if band["from"] <= count), key=lambda band: band["from"])
    return below[-1]["change"] if below else None


def by_code(book: PriceBook, code: str) -> RatePlan:
    (found,) = (plan for plan in book.plans if plan.code == code)
    return found


def is_sold(book: PriceBook, plan: RatePlan, unit_type_id: UnitTypeId) -> bool:
    if plan.prices:
        return unit_type_id in plan.prices
    assert plan.derivation is not None
    by_itself = not plan.unit_types or unit_type_id in plan.unit_types
    return by_itself and is_sold(book, by_code(book, plan.derivation.parent), unit_type_id)
