"""Hypothesis strategies for distribution. Needs ``pip install "pmscore[testing]"``.

Owns what an arbitrary but legal manifest, mapping book, matrix of cells or dirty row looks like; everything
lies within ``TOLD`` and is about ``TOLD_TYPES``. Leaves prices and houses to the other strategies.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final
from uuid import UUID

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ImportError as error:
    raise ImportError(
        'pmscore.testing.channel_strategies needs Hypothesis: pip install "pmscore[testing]"'
    ) from error

from pmscore.channels.model.ari import ANY, UNKNOWN, AriRows, Dirty, RowKey
from pmscore.channels.model.manifest import Lane, Manifest, Platform, Standing
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import ConnectionId, MappingId, UnitTypeId
from pmscore.pricing.views.matrix_rows import PLAN_FIELDS, MatrixField

__all__ = [
    "TOLD",
    "TOLD_CONNECTION",
    "TOLD_TYPES",
    "ari_rows",
    "dirty_rows",
    "told_manifests",
    "told_mappings",
    "told_nights",
]

TOLD: Final = DateRange.of(date(2030, 2, 20), 16)
"""The nights that rows are about; over the end of a February."""

TOLD_TYPES: Final = (UnitTypeId(UUID(int=1)), UnitTypeId(UUID(int=2)))
TOLD_CONNECTION: Final = ConnectionId(UUID(int=40))

_STAYS: Final[tuple[MatrixField, ...]] = tuple(name for name in PLAN_FIELDS if name is not MatrixField.RATE)
_LEFT: Final = (
    MatrixField.CLOSED_TO_DEPARTURE,
    MatrixField.MIN_STAY_ARRIVAL,
    MatrixField.MAX_STAY_ARRIVAL,
    MatrixField.MIN_STAY_THROUGH,
    MatrixField.MAX_STAY_THROUGH,
    MatrixField.ALLOWED_LENGTHS,
)


@st.composite
def told_nights(draw: st.DrawFn, *, within: DateRange = TOLD) -> DateRange:
    """Return nights within a range."""
    first = draw(st.integers(0, within.length - 1))
    length = draw(st.integers(1, within.length - first))
    return DateRange.of(date.fromordinal(within.first_ordinal + first), length)


@st.composite
def told_manifests(draw: st.DrawFn, *, can_rate: bool | None = None) -> Manifest:
    """Return manifests that can close a night in one way or another, and otherwise say whatever they say."""
    said: set[MatrixField] = set(draw(st.sets(st.sampled_from(_STAYS))))
    sells = draw(st.booleans()) or MatrixField.CLOSED not in said
    rates = draw(st.booleans()) if can_rate is None else can_rate
    if rates:
        said.add(MatrixField.RATE)
    pricing = sorted(said)
    cut = draw(st.integers(0, len(pricing)))
    messages = tuple(frozenset(part) for part in (pricing[:cut], pricing[cut:]) if part)
    lanes = {Lane.AVAILABILITY: (frozenset({MatrixField.SELLABLE}),)} if sells else {}
    return Manifest(
        gateway="drawn",
        title="Drawn",
        platforms=frozenset({Platform.CHANNEX}),
        standing=Standing.FORMAT_ONLY,
        evidence=(),
        lanes=frozenset({Lane.PRICING, *lanes}),
        messages={**lanes, **({Lane.PRICING: messages} if messages else {})},
        whole=frozenset(draw(st.sets(st.sampled_from(pricing), max_size=2))) if pricing else frozenset(),
        left_to_platform=frozenset(draw(st.sets(st.sampled_from(_LEFT), max_size=2))),
        has_occupancies=draw(st.booleans()),
        horizon_days=TOLD.length,
        most_entries=draw(st.integers(1, 9)),
        most_nights=draw(st.sampled_from((1, 2, 5, 366))),
    )


@st.composite
def told_mappings(
    draw: st.DrawFn, plans: tuple[str, ...] = ("bar", "flex"), *, occupancies: bool = True
) -> MappingBook:
    """Return mappings of one or both types, each to a room of its own with rates for some of ``plans``."""
    types = draw(st.lists(st.sampled_from(TOLD_TYPES), min_size=1, unique=True))
    rooms: list[MappedRoom] = []
    rates: list[MappedRate] = []
    for type_id in types:
        code = f"R{type_id.int}"
        rooms.append(
            MappedRoom(
                mapping_id=MappingId(UUID(int=100 + type_id.int)),
                connection_id=TOLD_CONNECTION,
                unit_type_id=type_id,
                room_code=code,
            )
        )
        for at, plan in enumerate(draw(st.lists(st.sampled_from(plans), unique=True))):
            told = draw(st.sampled_from(((), (), (1, 2)))) if occupancies else ()
            rates.append(
                MappedRate(
                    mapping_id=MappingId(UUID(int=1_000 * type_id.int + at)),
                    connection_id=TOLD_CONNECTION,
                    unit_type_id=type_id,
                    plan=plan,
                    room_code=code,
                    rate_code=plan,
                    occupancies=told,
                )
            )
    return MappingBook(tuple(rooms), tuple(rates))


@st.composite
def ari_rows(
    draw: st.DrawFn, keys: Iterable[RowKey], *, nights: DateRange = TOLD, is_desired: bool = False
) -> AriRows:
    """Return rows of few different values, ``ANY`` among desired ones and ``UNKNOWN`` among the others."""
    values = st.sampled_from((0, 1, 2, ANY if is_desired else UNKNOWN))
    row = st.lists(values, min_size=nights.length, max_size=nights.length).map(tuple)
    return AriRows(nights, {key: draw(row) for key in keys})


def dirty_rows(lane: Lane) -> SearchStrategy[Dirty]:
    """Return dirty rows of a lane, some of which forget."""
    types = st.none() | st.frozensets(st.sampled_from(TOLD_TYPES), min_size=1)
    return st.builds(
        Dirty,
        dirty_id=st.uuids(),
        connection_id=st.just(TOLD_CONNECTION),
        lane=st.just(lane),
        nights=st.none() | told_nights(),
        unit_type_ids=types,
        forgets=st.booleans(),
    )
