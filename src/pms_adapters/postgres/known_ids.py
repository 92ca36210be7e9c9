"""Ids that come again and again, made once.

Types and units are few and read often; making an id from its text costs ten times finding it. Ids of bookings
and guests are many and stay out.
"""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from pmscore.kernel.ids import UnitId, UnitTypeId

__all__ = ["type_id_of", "unit_id_of"]


@lru_cache(maxsize=1 << 14)
def type_id_of(text: str) -> UnitTypeId:
    """Return the id of a unit type."""
    return UnitTypeId(UUID(text))


@lru_cache(maxsize=1 << 17)
def unit_id_of(text: str) -> UnitId:
    """Return the id of a unit."""
    return UnitId(UUID(text))
