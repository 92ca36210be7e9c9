"""Mappings of both types and a manifest that can say almost everything, for the tests of what platforms are told."""

from __future__ import annotations

from uuid import UUID

import pytest

from core.channels.selling import TOLD_TYPES
from pmscore.channels.model.manifest import Lane, Manifest, Platform, Standing
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.kernel.ids import MappingId
from pmscore.pricing.views.matrix_rows import PLAN_FIELDS, MatrixField
from pmscore.testing.channel_strategies import TOLD, TOLD_CONNECTION


@pytest.fixture(scope="session")
def rooms() -> MappingBook:
    """Both types as rooms, each with both plans."""
    return MappingBook(
        tuple(
            MappedRoom(
                mapping_id=MappingId(UUID(int=100 + each.int)),
                connection_id=TOLD_CONNECTION,
                unit_type_id=each,
                room_code=f"R{each.int}",
            )
            for each in TOLD_TYPES
        ),
        tuple(
            MappedRate(
                mapping_id=MappingId(UUID(int=1_000 * each.int + at)),
                connection_id=TOLD_CONNECTION,
                unit_type_id=each,
                plan=plan,
                room_code=f"R{each.int}",
                rate_code=plan,
            )
            for each in TOLD_TYPES
            for at, plan in enumerate(("bar", "flex"))
        ),
    )


@pytest.fixture(scope="session")
def channex_like() -> Manifest:
    """A gateway that can say all but lengths and limits of the longest stay through."""
    return Manifest(
        gateway="x",
        title="X",
        platforms=frozenset({Platform.CHANNEX}),
        standing=Standing.FORMAT_ONLY,
        evidence=(),
        lanes=frozenset(Lane),
        messages={
            Lane.AVAILABILITY: (frozenset({MatrixField.SELLABLE}),),
            Lane.PRICING: (
                frozenset(PLAN_FIELDS) - {MatrixField.ALLOWED_LENGTHS, MatrixField.MAX_STAY_THROUGH},
            ),
        },
        has_occupancies=True,
        horizon_days=TOLD.length,
    )
