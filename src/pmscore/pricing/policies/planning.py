"""What a plan costs by season, weekday and date, before anybody stays: stage 1.

Law: the price of a date goes before the season's, the season's before the default; none of them means not sold. A
derived plan changes each of its parent's prices, then rounds to its step, then keeps to its floor and ceiling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from attrs import frozen

from pmscore.dates.ranges import DateRange
from pmscore.dates.recurrence import Season
from pmscore.kernel.money import round_ratio
from pmscore.pricing.model.night_steps import Ratio
from pmscore.pricing.model.plans import Derivation, PriceLimits, TypePrices, WeekPrices
from pmscore.pricing.policies.nightly import changed_night

__all__ = ["PlanPrices", "SeasonSet", "derived_prices", "limited", "never_sold", "own_prices", "season_slots"]

SeasonSet: TypeAlias = "tuple[str, ...]"
"""The seasons of a night by name, strongest first."""

_DAYS = 7
_NOT_SOLD = WeekPrices((None,) * _DAYS)


@frozen
class PlanPrices:
    """All prices of one plan for one type.

    ``by_slot`` has seven prices, Monday first, for each set of seasons that some night is in; ``dated`` go before
    them, ascending, without overlap.
    """

    by_slot: tuple[int | None, ...]
    dated: tuple[tuple[DateRange, int | None], ...]

    def row(self, nights: DateRange, slots: Sequence[int]) -> list[int | None]:
        """Return the price of each night; ``slots`` has the place of each night in ``by_slot``."""
        row = [self.by_slot[slot] for slot in slots]
        origin, end = nights.first_ordinal, nights.end_ordinal
        for dates, price in self.dated:
            first, last = max(dates.first_ordinal, origin), min(dates.end_ordinal, end)
            if first < last:
                row[first - origin : last - origin] = [price] * (last - first)
        return row


def season_slots(
    seasons: Sequence[Season], nights: DateRange
) -> tuple[tuple[SeasonSet, ...], tuple[int, ...]]:
    """Return the sets of seasons that nights of the range are in, and the place of each night among their prices."""
    ordered = sorted(seasons, key=lambda each: (-each.priority, each.name))
    origin = nights.first_night
    masks = [(each.name, each.nights_in(nights).mask(origin)) for each in ordered]
    places: dict[SeasonSet, int] = {}
    slots: list[int] = []
    for offset, ordinal in enumerate(range(nights.first_ordinal, nights.end_ordinal)):
        found = tuple([name for name, mask in masks if mask >> offset & 1])
        slots.append(places.setdefault(found, len(places)) * _DAYS + (ordinal - 1) % _DAYS)
    return tuple(places), tuple(slots)


def never_sold(sets: Sequence[SeasonSet]) -> PlanPrices:
    """Return the prices of a type that a plan is not sold for."""
    return PlanPrices((None,) * (_DAYS * len(sets)), ())


def own_prices(prices: TypePrices, sets: Sequence[SeasonSet], limits: PriceLimits) -> PlanPrices:
    """Return a plan's own prices for the sets of seasons; the strongest season that it has a price for counts."""
    default = prices.default or _NOT_SOLD
    weeks = [
        next((prices.seasons[name] for name in found if name in prices.seasons), default) for found in sets
    ]
    return PlanPrices(
        tuple(
            None if price is None else limited(Ratio(price, 1), limits)
            for week in weeks
            for price in week.by_weekday
        ),
        tuple(
            (each.nights, None if each.price is None else limited(Ratio(each.price, 1), limits))
            for each in prices.dates
        ),
    )


def derived_prices(parent: PlanPrices, derivation: Derivation, limits: PriceLimits) -> PlanPrices:
    """Return the prices of a plan that takes them from its parent's; what the parent does not sell stays unsold."""

    def derived(price: int | None) -> int | None:
        return None if price is None else limited(changed_night(price, derivation.operations), limits)

    return PlanPrices(
        tuple(derived(price) for price in parent.by_slot),
        tuple((nights, derived(price)) for nights, price in parent.dated),
    )


def limited(price: Ratio, limits: PriceLimits) -> int:
    """Return a price rounded to the step, then within floor and ceiling, never below zero."""
    rounded = round_ratio(price.numer, price.denom * limits.step, limits.rounding) * limits.step
    if limits.floor is not None:
        rounded = max(rounded, limits.floor)
    if limits.ceiling is not None:
        rounded = min(rounded, limits.ceiling)
    return max(rounded, 0)
