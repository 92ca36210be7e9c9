"""How full a type is, as yield rules ask it.

Law: whole per cent of the rooms of each night, never more than a hundred; a type without rooms is full.
"""

from __future__ import annotations

from collections.abc import Sequence

from pmscore.availability.policies.search import capacities
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import UnitType

__all__ = ["occupied_percent"]


def occupied_percent(unit_type: UnitType, stay: StayRange, claimed: Sequence[int] | None) -> tuple[int, ...]:
    """Return how much of a type is taken on each night of a stay.

    ``claimed`` has the claims of each night from the arrival on, and perhaps of more nights; None: there are none.
    """
    rooms = capacities(unit_type, DateRange.from_stay(stay))
    claims = (0,) * stay.length if claimed is None else claimed[: stay.length]
    return tuple(
        min(100 * each // count, 100) if count else 100 for each, count in zip(claims, rooms, strict=True)
    )
