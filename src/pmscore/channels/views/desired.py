"""What a platform should have: a pure function of the house, its prices, rules and counts, and the moment of asking.

Owns how the rows come together. Leaves rates and stay rules to the year matrix, rules about the moment of
asking to ``policies.asking``, and what a platform can be told to ``policies.dialects``. Law: rows of some
nights are those nights of the rows of more, so looking at what has changed gives the same as looking at
everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from attrs import field, frozen

from pmscore.availability.model import TypeNights
from pmscore.channels.model.ari import ANY, AriRows, Loss, RowKey
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.policies.asking import Closures, asking_closures
from pmscore.channels.policies.dialects import folds_closures, looked_ahead, translated
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.house import House
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.plans import RatePlan, TypePrices
from pmscore.pricing.views.matrix import YearMatrix
from pmscore.pricing.views.matrix_rows import MatrixField, MatrixRows, Pair
from pmscore.pricing.views.matrix_stays import STAY_FIELDS, StayRows
from pmscore.pricing.views.rate_tables import NOT_SOLD
from pmscore.restrictions.model.book import RuleBook

__all__ = ["LOOKS_EVERY", "Wanted", "desired", "keys_of"]

LOOKS_EVERY: Final = timedelta(hours=1)
"""So long what is desired has to hold: then all nights are looked at again."""

_NO_PLAN: Final = "no:plan"
"""The code that rules are looked up for where a room is sold without a plan; none of them names it."""

_Row: TypeAlias = "tuple[int, ...]"


@frozen
class Wanted:
    """What a platform should have, in fields that it can be told, and what of our rules these do not say."""

    rows: AriRows
    losses: tuple[Loss, ...] = ()


def keys_of(
    mappings: MappingBook,
    manifest: Manifest,
    lane: Lane,
    unit_type_ids: Collection[UnitTypeId] | None = None,
) -> tuple[RowKey, ...]:
    """Return the rows that a lane tells the platform; of some types only, where they are named."""
    fields = manifest.fields_of(lane)
    keys = [
        RowKey(room.mapping_id, MatrixField.SELLABLE)
        for room in mappings.rooms
        if MatrixField.SELLABLE in fields and _is_meant(room, unit_type_ids)
    ]
    for rate in mappings.rates:
        if not _is_meant(rate, unit_type_ids):
            continue
        for name in sorted(fields - {MatrixField.SELLABLE}):
            told = rate.prices_for if name is MatrixField.RATE else (0,)
            keys += [RowKey(rate.mapping_id, name, occupancy) for occupancy in told]
    return tuple(keys)


def desired(
    mappings: MappingBook,
    manifest: Manifest,
    *,
    house: House,
    book: PriceBook | None,
    rules: RuleBook,
    counts: Iterable[TypeNights],
    nights: DateRange,
    now: datetime,
    channel: str,
    keys: Iterable[RowKey],
    allotted: Iterable[Allotment] = (),
) -> Wanted:
    """Return what these rows should be on ``nights``, for whoever books through ``channel``.

    ``counts`` are of the types that are sold; one without counts has nothing to sell. ``allotted`` are the
    allotments of the channel: what they keep is to be sold beside what is free, and never more than they
    allow. Without a price book there are no rows of rates. Where a plan is not sold the night is closed, and
    its rate is ``ANY``.
    """
    wanted = frozenset(keys)
    ground = _Ground(
        mappings=mappings,
        manifest=manifest,
        house=house,
        book=book,
        rules=rules,
        counts=tuple(counts),
        allotted=tuple(allotted),
        nights=nights,
        wide=looked_ahead(nights, manifest),
        channel=channel,
        now=now,
    )
    rows, losses = translated(AriRows(ground.wide, ground.rows(wanted)), manifest, mappings)
    cut = rows.between(nights).rows
    told = AriRows(nights, {key: row for key, row in cut.items() if key in wanted})
    return Wanted(told, tuple(each for each in losses if each.nights.overlaps(nights)))


@frozen(kw_only=True)
class _Ground:
    """What rows are made of; those of rules reach over ``wide`` nights, the others over ``nights`` and are filled up."""

    mappings: MappingBook
    manifest: Manifest
    house: House
    book: PriceBook | None
    rules: RuleBook
    counts: tuple[TypeNights, ...]
    allotted: tuple[Allotment, ...]
    nights: DateRange
    wide: DateRange
    channel: str
    now: datetime
    _closed: dict[tuple[int, int], tuple[_Row, _Row]] = field(
        init=False, factory=dict[tuple[int, int], "tuple[_Row, _Row]"]
    )

    def rows(self, wanted: frozenset[RowKey]) -> dict[RowKey, _Row]:
        """Return our own rows: all that the wanted ones depend on."""
        rooms = [
            each for each in self.mappings.rooms if RowKey(each.mapping_id, MatrixField.SELLABLE) in wanted
        ]
        found = self._counted(rooms)
        ids = {key.mapping_id for key in wanted}
        folds = folds_closures(self.manifest)
        codes = {room.room_code for room in rooms} if folds else set[str]()
        rates = [each for each in self.mappings.rates if each.mapping_id in ids or each.room_code in codes]
        if self.book is not None and rates:
            found.update(self._priced(self.book, rates, wanted))
        if folds:
            priced = {rate.room_code for rate in rates} if self.book is not None else set[str]()
            found.update(self._ruled([room for room in rooms if room.room_code not in priced]))
        return found

    def _counted(self, rooms: Iterable[MappedRoom]) -> dict[RowKey, _Row]:
        by_type: dict[UnitTypeId, _Row] = {}
        for room in rooms:
            if room.unit_type_id not in by_type:
                by_type[room.unit_type_id] = self._sellable(room.unit_type_id)
        return {RowKey(room.mapping_id, MatrixField.SELLABLE): by_type[room.unit_type_id] for room in rooms}

    def _sellable(self, unit_type_id: UnitTypeId) -> _Row:
        row = [0] * self.wide.length
        origin = self.nights.first_ordinal
        for counts in self.counts:
            if counts.unit_type_id != unit_type_id:
                continue
            offset = counts.nights.first_ordinal - origin
            first, end = max(offset, 0), min(offset + counts.nights.length, self.nights.length)
            if first < end:
                row[first:end] = counts.sellable()[first - offset : end - offset]
        for allotment in self.allotted:
            if allotment.unit_type_id == unit_type_id and allotment.channel == self.channel:
                offset = allotment.nights.first_ordinal - origin
                for at, (kept, most) in enumerate(
                    zip(allotment.kept(), allotment.room_to_sell(), strict=True), offset
                ):
                    if 0 <= at < self.nights.length:
                        row[at] = row[at] + kept if most is None else min(row[at] + kept, most)
        return tuple(row)

    def _priced(
        self, book: PriceBook, rates: Sequence[MappedRate], wanted: frozenset[RowKey]
    ) -> dict[RowKey, _Row]:
        """Return prices and rules of rates."""
        stays = self._stays(book, sorted({(each.unit_type_id, each.plan) for each in rates}))
        types = {each.unit_type_id for each in rates}
        known = {plan.code for plan in book.plans}
        matrices: dict[int, MatrixRows] = {}
        found: dict[RowKey, _Row] = {}
        for rate in rates:
            pair = rate.unit_type_id, rate.plan
            rules = stays[pair] if rate.plan in known else _blank(self.wide.length)
            unsold: _Row = ()
            for occupancy in rate.prices_for:
                rows = matrices.get(occupancy)
                if rows is None:
                    rows = matrices[occupancy] = self._matrix(book, occupancy, types)
                row = rows.row(MatrixField.RATE, *pair)
                if NOT_SOLD in row:
                    unsold = tuple([int(each == NOT_SOLD) for each in row])
                    row = tuple([ANY if each == NOT_SOLD else each for each in row])
                key = RowKey(rate.mapping_id, MatrixField.RATE, occupancy)
                if key in wanted:
                    found[key] = row + (ANY,) * (self.wide.length - len(row))
            for name, row in rules.items():
                is_closed = name is MatrixField.CLOSED and bool(unsold)
                found[RowKey(rate.mapping_id, name)] = _joined(row, unsold) if is_closed else row
        return found

    def _ruled(self, rooms: Sequence[MappedRoom]) -> dict[RowKey, _Row]:
        """Return the rules of rooms that are sold without a plan."""
        if not rooms:
            return {}
        home = self.house.property
        types = {room.unit_type_id for room in rooms}
        plan = RatePlan(code=_NO_PLAN, name=_NO_PLAN, prices={each: TypePrices() for each in types})
        book = PriceBook(property_id=home.property_id, currency=home.currency, plans=(plan,))
        stays = self._stays(book, sorted((each, _NO_PLAN) for each in types))
        return {
            RowKey(room.mapping_id, name): row
            for room in rooms
            for name, row in stays[room.unit_type_id, _NO_PLAN].items()
        }

    def _matrix(self, book: PriceBook, occupancy: int, types: Collection[UnitTypeId]) -> MatrixRows:
        matrix = YearMatrix(
            book,
            RuleBook(),
            self.counts,
            self.nights,
            booked_on=local_date(self.now, self.house.property.zone),
            channel=self.channel,
            adults=occupancy or None,
            types=types,
        )
        return matrix.rows

    def _stays(self, book: PriceBook, pairs: Sequence[Pair]) -> dict[Pair, dict[MatrixField, _Row]]:
        """Return the stay rules of pairs, closures of the moment of asking among them."""
        known = {plan.code for plan in book.plans}
        pairs = [pair for pair in pairs if pair[1] in known]
        until = self.now + LOOKS_EVERY
        closures = asking_closures(
            self.rules.rules, self.house, self.wide, self.now, until, channel=self.channel
        )
        rows = StayRows(book, self.rules, self.wide, self.channel)
        found: dict[Pair, dict[MatrixField, _Row]] = {pair: {} for pair in pairs}
        for name in STAY_FIELDS:
            for pair, row in zip(pairs, rows.rows(name, pairs), strict=True):
                found[pair][name] = row
        for pair in pairs if closures else ():
            for closed, mask in _closed_for(pair, book, closures).items():
                found[pair][closed] = self._with_mask(found[pair][closed], mask)
        return found

    def _with_mask(self, row: _Row, mask: int) -> _Row:
        """Return a row closed where the mask says so; equal ones are one and the same."""
        key = id(row), mask
        kept = self._closed.get(key)
        if kept is None:
            # The row is kept with it, so that no other one gets its id.
            after = tuple([each | (mask >> at & 1) for at, each in enumerate(row)])
            kept = self._closed[key] = row, after
        return kept[1]


def _closed_for(pair: Pair, book: PriceBook, closures: Closures) -> Mapping[MatrixField, int]:
    type_id, code = pair
    found: dict[MatrixField, int] = {}
    for (rule_type, plan, kind), masks in closures.items():
        if rule_type not in {None, type_id} or not (plan is None or plan in book.rule_owners(code, kind)):
            continue
        for name, mask in masks.items():
            found[name] = found.get(name, 0) | mask
    return found


def _joined(row: _Row, unsold: _Row) -> _Row:
    return (*[each | more for each, more in zip(row, unsold, strict=False)], *row[len(unsold) :])


def _blank(length: int) -> dict[MatrixField, _Row]:
    return dict.fromkeys(STAY_FIELDS, (0,) * length)


def _is_meant(mapped: MappedRoom | MappedRate, unit_type_ids: Collection[UnitTypeId] | None) -> bool:
    return unit_type_ids is None or mapped.unit_type_id in unit_type_ids
