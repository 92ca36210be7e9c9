"""What the quotes for a stay are made from: the house, its stay rules, its prices, and what is taken.

Owns which types and which nights that takes. Leaves reading it to the ports and quoting to the use case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House, UnitType
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.views.quoting import Quoter
from pmscore.restrictions.model.book import RuleBook

__all__ = ["QuoteBasis", "nights_claimed", "types_meant"]


@frozen(kw_only=True)
class QuoteBasis:
    """Everything that a stay is quoted from, as it was when it was asked for.

    ``types`` are those that are meant; ``claimed`` counts what is taken of each on ``nights``, those that a
    stay in any of them would claim. Types of which nothing is taken may be absent.
    """

    house: House
    rules: RuleBook
    quoter: Quoter
    types: tuple[UnitType, ...]
    nights: DateRange
    claimed: Mapping[UnitTypeId, tuple[int, ...]]


def types_meant(house: House, unit_type_ids: Iterable[UnitTypeId]) -> tuple[UnitType, ...]:
    """Return the types of a house that are asked for; all of them where none is named.

    Raises:
        NotFoundError: the house has no such type.
    """
    return tuple([house.type_of(each) for each in unit_type_ids]) or tuple(house.types.values())


def nights_claimed(stay: StayRange, types: Iterable[UnitType]) -> DateRange:
    """Return the nights of a stay, and after them those of the longest turnover."""
    longest = max((each.turnover_nights for each in types), default=0)
    return DateRange.of(stay.arrival, stay.length + longest)
