"""What is missing or wrong in the mappings of a connection, before anything is sent.

Owns the list. Leaves what a platform cannot be told on which nights to the losses of ``views.desired``, and sentences
for people to the web.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum

from attrs import frozen

from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.inventory.model.house import House
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import MappingId, UnitTypeId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.plans import RatePlan
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.pricing.views.matrix_stays import field_of
from pmscore.restrictions.model.rules import Rule

__all__ = ["Gap", "GapKind", "gaps"]


class GapKind(StrEnum):
    """What is missing or wrong; the values are shown and never renamed."""

    TYPE_UNMAPPED = "type_unmapped"
    """Nothing of the platform is this type."""
    PLAN_UNMAPPED = "plan_unmapped"
    """A plan that is sold for a mapped type is no rate of its room."""
    CODE_TWICE = "code_mapped_twice"
    """Two mappings have the same code; the platform cannot be told both."""
    TYPE_UNKNOWN = "type_unknown"
    """The house has no such type any more."""
    PLAN_UNKNOWN = "plan_unknown"
    """The price book has no such plan any more, or the property no prices at all."""
    PLAN_WITHOUT_PRICE = "plan_without_price"
    """The plan is not sold for the type: its nights are told as closed."""
    ROOM_UNMAPPED = "room_unmapped"
    """A rate belongs to a room that is not mapped to the same type."""
    PARTY_TOO_LARGE = "occupancy_over_largest_party"
    """A price is to be told for more guests than the type takes."""
    NO_OCCUPANCIES = "occupancies_not_supported"
    """Prices are to be told by occupancy, and the gateway has one price a night."""
    UNIT_NOT_COUNTED = "unit_not_counted"
    """A single unit is mapped, and the gateway tells counts of types."""
    TAXES_ADDED = "taxes_are_added"
    """Some fee or tax comes on top of the nights: the platform is told the price before it."""
    LEFT_TO_PLATFORM = "rule_left_to_platform"
    """Only the platform's own settings can keep a rule of this kind."""


@frozen(kw_only=True)
class Gap:
    """One thing that is missing or wrong; ``detail`` is a code, a kind of rule, or a number of guests."""

    kind: GapKind
    mapping_id: MappingId | None = None
    unit_type_id: UnitTypeId | None = None
    plan: str = ""
    room_code: str = ""
    detail: str = ""


def gaps(
    house: House,
    book: PriceBook | None,
    mappings: MappingBook,
    manifest: Manifest,
    rules: Iterable[Rule],
) -> tuple[Gap, ...]:
    """Return what is missing or wrong, mapping by mapping and then for the connection."""
    return (
        *_twice(mappings),
        *(gap for room in mappings.rooms for gap in _of_room(room, house, manifest)),
        *(gap for rate in mappings.rates for gap in _of_rate(rate, house, book, mappings, manifest)),
        *_unmapped(house, book, mappings, manifest),
        *_rules(rules, manifest),
        *_charges(book, manifest),
    )


def _twice(mappings: MappingBook) -> Iterator[Gap]:
    rooms = Counter(room.room_code for room in mappings.rooms)
    rates = Counter((rate.room_code, rate.rate_code) for rate in mappings.rates)
    for code, times in sorted(rooms.items()):
        if times > 1:
            yield Gap(kind=GapKind.CODE_TWICE, room_code=code)
    for (room_code, rate_code), times in sorted(rates.items()):
        if times > 1:
            yield Gap(kind=GapKind.CODE_TWICE, room_code=room_code, detail=rate_code)


def _of_room(room: MappedRoom, house: House, manifest: Manifest) -> Iterator[Gap]:
    if room.unit_type_id not in house.types:
        yield _gap(GapKind.TYPE_UNKNOWN, room)
    if room.unit_id is not None and MatrixField.SELLABLE in manifest.fields:
        yield _gap(GapKind.UNIT_NOT_COUNTED, room)


def _of_rate(
    rate: MappedRate, house: House, book: PriceBook | None, mappings: MappingBook, manifest: Manifest
) -> Iterator[Gap]:
    room = mappings.room(rate.room_code)
    if room is None or room.unit_type_id != rate.unit_type_id:
        yield _gap(GapKind.ROOM_UNMAPPED, rate)
    unit_type = house.types.get(rate.unit_type_id)
    if unit_type is None:
        yield _gap(GapKind.TYPE_UNKNOWN, rate)
    plan = _plan(book, rate.plan)
    if book is None or plan is None:
        yield _gap(GapKind.PLAN_UNKNOWN, rate)
    elif rate.unit_type_id not in book.types_of(plan):
        yield _gap(GapKind.PLAN_WITHOUT_PRICE, rate)
    if rate.occupancies and not manifest.has_occupancies:
        yield _gap(GapKind.NO_OCCUPANCIES, rate)
    for guests in rate.occupancies:
        if unit_type is not None and guests > unit_type.largest_party:
            yield _gap(GapKind.PARTY_TOO_LARGE, rate, str(guests))


def _unmapped(
    house: House, book: PriceBook | None, mappings: MappingBook, manifest: Manifest
) -> Iterator[Gap]:
    mapped = {room.unit_type_id for room in mappings.rooms}
    for type_id in sorted(house.types.keys() - mapped):
        yield Gap(kind=GapKind.TYPE_UNMAPPED, unit_type_id=type_id)
    if book is None or not manifest.fields_of(Lane.PRICING):
        return
    pairs = {(rate.unit_type_id, rate.plan) for rate in mappings.rates}
    for plan in book.plans:
        for type_id in sorted(book.types_of(plan) & mapped):
            if (type_id, plan.code) not in pairs:
                yield Gap(kind=GapKind.PLAN_UNMAPPED, unit_type_id=type_id, plan=plan.code)


def _rules(rules: Iterable[Rule], manifest: Manifest) -> Iterator[Gap]:
    left = manifest.left_to_platform - manifest.fields
    for kind in sorted({rule.kind for rule in rules if field_of(rule.kind) in left}):
        yield Gap(kind=GapKind.LEFT_TO_PLATFORM, detail=kind)


def _plan(book: PriceBook | None, code: str) -> RatePlan | None:
    try:
        return None if book is None else book.plan(code)
    except NotFoundError:
        return None


def _charges(book: PriceBook | None, manifest: Manifest) -> Iterator[Gap]:
    if book is None or MatrixField.RATE not in manifest.fields:
        return
    if any(fee.is_mandatory for fee in book.fees) or any(not tax.is_inclusive for tax in book.taxes.taxes):
        yield Gap(kind=GapKind.TAXES_ADDED)


def _gap(kind: GapKind, mapped: MappedRoom | MappedRate, detail: str = "") -> Gap:
    return Gap(
        kind=kind,
        mapping_id=mapped.mapping_id,
        unit_type_id=mapped.unit_type_id,
        plan=mapped.plan if isinstance(mapped, MappedRate) else "",
        room_code=mapped.room_code,
        detail=detail,
    )
