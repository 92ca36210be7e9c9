"""Rate plans: prices of their own by date, season and weekday, or derived from another plan.

Owns what a plan says; what it comes to on a night is worked out in ``policies``, and whether the plans of a house
fit together stands in ``book``.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from attrs import field, frozen

from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.money import Rounding
from pmscore.kernel.text import checked_code, checked_text
from pmscore.pricing.model.changes import Base, Change, checked_amount
from pmscore.pricing.model.occupancy import OccupancyTerms

__all__ = ["DatedPrice", "Derivation", "PriceLimits", "RatePlan", "TypePrices", "WeekPrices"]

_DAYS = 7


@frozen
class WeekPrices:
    """One price a weekday, Monday first, in minor units; None: not sold on that day."""

    by_weekday: tuple[int | None, ...]

    def __attrs_post_init__(self) -> None:
        if len(self.by_weekday) != _DAYS:
            raise InvalidInputError("prices", "not_one_a_weekday")
        for amount in self.by_weekday:
            if amount is not None:
                checked_amount(amount, field="prices")

    @classmethod
    def of(cls, every: int, *, weekend: int | None = None) -> WeekPrices:
        """Return one price for all nights, and another for Friday and Saturday where it is given."""
        end = every if weekend is None else weekend
        return cls((every, every, every, every, end, end, every))


@frozen
class DatedPrice:
    """The price of each night of a range; it goes before seasons. None: not sold."""

    nights: DateRange
    price: int | None

    def __attrs_post_init__(self) -> None:
        if self.price is not None:
            checked_amount(self.price, field="price")


@frozen(kw_only=True)
class TypePrices:
    """The prices of one unit type: of dates, else of the season, else the default; none means not sellable.

    ``seasons`` goes by the season's name. ``occupancy`` replaces the plan's.
    """

    default: WeekPrices | None = None
    seasons: Mapping[str, WeekPrices] = field(factory=dict[str, WeekPrices])
    dates: tuple[DatedPrice, ...] = ()
    occupancy: OccupancyTerms | None = None

    def __attrs_post_init__(self) -> None:
        dates = tuple(sorted(self.dates, key=lambda each: each.nights.start))
        for dated, following in pairwise(dates):
            if dated.nights.overlaps(following.nights):
                raise InvalidInputError("dates", "overlapping", value=following.nights.start.isoformat())
        object.__setattr__(self, "dates", dates)


@frozen(kw_only=True)
class PriceLimits:
    """The step to which a price of the plan is rounded, then the least and the most that it may be."""

    step: int = 1
    rounding: Rounding = Rounding.HALF_UP
    floor: int | None = None
    ceiling: int | None = None

    def __attrs_post_init__(self) -> None:
        if checked_amount(self.step, field="step") < 1:
            raise InvalidInputError("step", "out_of_range", least=1)
        for name, amount in (("floor", self.floor), ("ceiling", self.ceiling)):
            if amount is not None:
                checked_amount(amount, field=name)
        if self.floor is not None and self.ceiling is not None and self.ceiling < self.floor:
            raise InvalidInputError("ceiling", "below_floor", floor=self.floor)


@frozen(kw_only=True)
class Derivation:
    """What a plan takes from its parent.

    ``operations`` are applied to the parent's price from the first to the last. ``inherits`` names the kinds of stay
    rules that hold for this plan as they hold for the parent. Without ``inherits_price`` the plan has its own.
    """

    parent: str
    operations: tuple[Change, ...] = ()
    inherits: frozenset[str] = frozenset()
    inherits_price: bool = True

    def __attrs_post_init__(self) -> None:
        checked_code(self.parent, field="parent")
        if self.operations and not self.inherits_price:
            raise InvalidInputError("operations", "price_not_inherited")
        if any(each.base is not Base.RUNNING for each in self.operations):
            raise InvalidInputError("operations", "no_other_base")


@frozen(kw_only=True)
class RatePlan:
    """One plan of a property: for which types it is sold, at which prices, on which terms.

    ``terms`` names the cancellation and deposit terms; ``inclusions`` the services that its price contains. A
    plan with its parent's prices that names no types is sold for its parent's, and has its parent's occupancy
    where it states none. ``version`` rises with each change.
    """

    code: str
    name: str
    prices: Mapping[UnitTypeId, TypePrices] = field(factory=dict[UnitTypeId, TypePrices])
    derivation: Derivation | None = None
    occupancy: OccupancyTerms | None = None
    limits: PriceLimits = PriceLimits()
    unit_types: frozenset[UnitTypeId] = frozenset()
    inclusions: tuple[str, ...] = ()
    terms: str | None = None
    version: int = 1

    def __attrs_post_init__(self) -> None:
        checked_code(self.code, field="code")
        checked_text(self.name, field="name")
        if self.inherits_price and self.prices:
            raise InvalidInputError("prices", "price_is_inherited")
        if not self.inherits_price and not self.prices:
            raise InvalidInputError("prices", "missing")
        if self.unit_types and not self.inherits_price:
            raise InvalidInputError("unit_types", "only_with_inherited_price")

    @property
    def inherits_price(self) -> bool:
        """Whether its prices come from its parent."""
        return self.derivation is not None and self.derivation.inherits_price
