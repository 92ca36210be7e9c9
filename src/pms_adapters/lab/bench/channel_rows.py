"""C-diff, C-year and C-delta: what a platform should have, what differs and how it is packed, without any server.

Owns the lines. The house is that of P13, its year as a platform with Channex' manifest would be told it. The floors
are bare lists: of the same cells for the difference, of the rows of P13 for what is made anew. Time is the thread's
own on the processor, and no garbage is collected meanwhile.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from attrs import evolve, field, frozen

from pms_adapters.channels.channex.manifest import MANIFEST
from pms_adapters.lab.bench.floors import ari_rows
from pms_adapters.lab.bench.grounds import Grounds
from pms_adapters.lab.bench.house import FIRST_DAY, HOUSE, hex_id
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.lab.bench.rating_house import DAYS, NIGHTS, RatedHouse
from pmscore.availability.model import TypeNights
from pmscore.channels.model.ari import AriRows, AriRun, Entry, RowKey
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.policies.diffing import runs
from pmscore.channels.policies.packing import cells_of, entries, pushes
from pmscore.channels.views.desired import desired, keys_of
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import Capacity, House, Property, UnitType
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import ConnectionId, MappingId, UnitTypeId

__all__ = ["measure_booking", "measure_difference", "measure_year"]

_ROOM, _RATE, _CONNECTION = 30, 31, 32
_NOW = datetime(2029, 12, 31, 12, tzinfo=UTC)
_LANES = (Lane.AVAILABILITY, Lane.PRICING)
_CHANGED_NIGHTS = 5
_STAY = 3
_YEAR: Manifest = evolve(MANIFEST, horizon_days=DAYS)


def measure_difference(grounds: Grounds) -> Iterator[Measurement]:
    """Yield C-diff: cells of a year compared a second, where each row differs on a few nights, and where none does."""
    year = _Year.of(grounds)
    after = year.rows(Lane.PRICING)
    rows = {key: row for key, row in after.rows.items() if not any(each < 0 for each in row)}
    before, after = AriRows(NIGHTS, _changed(rows)), AriRows(NIGHTS, rows)
    old, new = _bare(before), _bare(after)
    _agree(runs(before, after), ari_rows.difference(old, new))
    same = AriRows(NIGHTS, {key: (*row,) for key, row in rows.items()})
    cells = len(rows) * DAYS
    ours: list[float] = []
    floor: list[float] = []
    equal: list[float] = []
    for number in range(grounds.rounds + 1):
        grounds.progress(f"C-diff: {cells:,} cells, round {number} of {grounds.rounds}")
        theirs = cells / _seconds(lambda: ari_rows.difference(old, new))
        mine = cells / _seconds(lambda: runs(before, after))
        alike = cells / _seconds(lambda: runs(same, after))
        if number:
            floor.append(theirs)
            ours.append(mine)
            equal.append(alike)
    what = (
        f"cells compared a second, {len(rows):,} rows of a year with {_CHANGED_NIGHTS} nights changed in each"
    )
    yield compared("C-diff", f"{what}, against bare lists", ours, floor)
    yield compared("C-diff", "the same where nothing has changed, against bare lists that have", equal, floor)


def measure_year(grounds: Grounds) -> Iterator[Measurement]:
    """Yield C-year: a year of all types and plans told to a platform that knows nothing."""
    year = _Year.of(grounds)
    scene = year.house.scene
    blank = _blank(ari_rows.build(scene))
    ours: list[float] = []
    floor: list[float] = []
    told = year.told(NIGHTS)
    for number in range(grounds.rounds + 1):
        grounds.progress(f"C-year: round {number} of {grounds.rounds}")
        theirs = _seconds(lambda: ari_rows.difference(blank, ari_rows.build(scene))) * 1e3
        mine = _seconds(lambda: year.told(NIGHTS)) * 1e3
        if number:
            floor.append(theirs)
            ours.append(mine)
    size = f"{grounds.scale.rated_types} types x {grounds.scale.rated_plans} plans"
    yield compared(
        "C-year",
        f"a year of {size} worked out, compared and packed, ms against bare lists made and compared",
        ours,
        floor,
    )
    yield compared(
        "C-year",
        f"entries for {told.cells:,} cells (ratio: cells an entry)",
        [told.entries],
        [told.cells],
        inverted=True,
    )
    yield compared(
        "C-year",
        "messages for these entries (ratio: of the fewest that the platform's size allows)",
        [told.messages],
        [told.fewest],
        must=Limit(1.0, is_least=False),
    )


def measure_booking(grounds: Grounds) -> Iterator[Measurement]:
    """Yield C-delta: what a booking of three nights is told with, and what it costs beside a whole year."""
    year = _Year.of(grounds)
    scene = year.house.scene
    (number, first), *_ = year.house.quiet(1, _STAY, types=grounds.scale.rated_types)
    nights = DateRange.of(FIRST_DAY + timedelta(days=first), _STAY)
    booked = year.booked(number, first)
    kept = {lane: year.rows(lane, nights, number) for lane in _LANES}
    told = booked.told(nights, number, kept)
    if (told.cells, told.entries, told.messages) != (_STAY, 1, 1):
        raise AssertionError(f"a booking of {_STAY} nights is told as {told}")
    old = ari_rows.build(scene)
    ours: list[float] = []
    floor: list[float] = []
    for turn in range(grounds.rounds + 1):
        grounds.progress(f"C-delta: round {turn} of {grounds.rounds}")
        theirs = _seconds(lambda: ari_rows.difference(old, ari_rows.build(scene))) * 1e3
        mine = (
            _seconds(lambda: _often(grounds.scale.changes, lambda: booked.told(nights, number, kept))) * 1e3
        )
        if turn:
            floor.append(theirs)
            ours.append(mine / grounds.scale.changes)
    yield compared(
        "C-delta",
        f"a booking of {_STAY} nights, both lanes looked at: {told.cells} cells in {told.entries} entry in"
        f" {told.messages} message, ms against a year of bare lists made and compared",
        ours,
        floor,
        inverted=True,
    )


@frozen
class _Told:
    """What was told: cells, entries and messages, and the fewest messages that can hold the entries."""

    cells: int = 0
    entries: int = 0
    messages: int = 0
    fewest: int = 0

    def with_message(self, found: tuple[Entry, ...], sent: int) -> _Told:
        cells = sum(run.nights.length for run in cells_of(found))
        fewest = -(-len(found) // _YEAR.most_entries)
        return _Told(
            self.cells + cells, self.entries + len(found), self.messages + sent, self.fewest + fewest
        )


@frozen
class _Year:
    """The house as a connection sees it."""

    house: RatedHouse
    counts: tuple[TypeNights, ...]
    home: House
    mappings: MappingBook
    _empty: AriRows = field(init=False, factory=lambda: AriRows(NIGHTS, {}))

    @classmethod
    def of(cls, grounds: Grounds) -> _Year:
        types, plans = grounds.scale.rated_types, grounds.scale.rated_plans
        house = RatedHouse.of(types, plans)
        return cls(house, house.counts, _home(house), _mappings(types, plans))

    def booked(self, number: int, first: int) -> _Year:
        """Return the same with one booking more of a type."""
        more = self.house.booking(number, first, _STAY, 1)
        (claims,) = self.counts[number].claims.values()
        (added,) = more.claims.values()
        (kind,) = more.claims
        taken = evolve(
            self.counts[number], claims={kind: (*claims[:first], *added, *claims[first + _STAY :])}
        )
        return evolve(self, counts=(*self.counts[:number], taken, *self.counts[number + 1 :]))

    def rows(self, lane: Lane, nights: DateRange = NIGHTS, number: int | None = None) -> AriRows:
        """Return what a platform should have, of all types or of one."""
        types = None if number is None else frozenset({RatedHouse.type_id(number)})
        return desired(
            self.mappings,
            _YEAR,
            house=self.home,
            book=self.house.book,
            rules=self.house.rules,
            counts=[
                _cut(each, nights) for each in self.counts if types is None or each.unit_type_id in types
            ],
            nights=nights,
            now=_NOW,
            channel="channex",
            keys=keys_of(self.mappings, _YEAR, lane, types),
        ).rows

    def told(
        self, nights: DateRange, number: int | None = None, kept: dict[Lane, AriRows] | None = None
    ) -> _Told:
        """Return what telling it comes to, where a platform has what is ``kept``."""
        told = _Told()
        for lane in _LANES:
            wanted = self.rows(lane, nights, number)
            found = runs(AriRows(nights, {}) if kept is None else kept[lane], wanted)
            for fields in _YEAR.messages[lane]:
                packed = entries(found, wanted, _YEAR, fields)
                told = told.with_message(packed, len(pushes(packed, _YEAR)))
        return told


def _home(house: RatedHouse) -> House:
    home = Property(
        property_id=HOUSE,
        name="Bench",
        zone=Zone("Europe/Lisbon"),
        currency=Currency.of("EUR"),
        business_date=FIRST_DAY,
    )
    types: dict[UnitTypeId, UnitType] = {
        each.unit_type_id: UnitType(
            unit_type_id=each.unit_type_id,
            name=f"Type {number}",
            capacities=(Capacity(FIRST_DAY, each.capacity[0]),),
            overbooking=each.overbooking,
        )
        for number, each in enumerate(house.counts)
    }
    return House(property=home, types=types, units={})


def _mappings(types: int, plans: int) -> MappingBook:
    connection_id = ConnectionId(hex_id(_CONNECTION, 0))
    rooms = [
        MappedRoom(
            mapping_id=MappingId(hex_id(_ROOM, number)),
            connection_id=connection_id,
            unit_type_id=RatedHouse.type_id(number),
            room_code=f"room-{number}",
        )
        for number in range(types)
    ]
    rates = [
        MappedRate(
            mapping_id=MappingId(hex_id(_RATE, number * plans + plan)),
            connection_id=connection_id,
            unit_type_id=RatedHouse.type_id(number),
            plan=RatedHouse.code(plan),
            room_code=f"room-{number}",
            rate_code=f"rate-{number}-{plan}",
        )
        for number in range(types)
        for plan in range(plans)
    ]
    return MappingBook(tuple(rooms), tuple(rates))


def _cut(counts: TypeNights, nights: DateRange) -> TypeNights:
    if nights == counts.nights:
        return counts
    first = nights.first_ordinal - counts.nights.first_ordinal
    end = first + nights.length
    claims = {kind: row[first:end] for kind, row in counts.claims.items()}
    return evolve(counts, nights=nights, capacity=counts.capacity[first:end], claims=claims)


def _changed(rows: dict[RowKey, tuple[int, ...]]) -> dict[RowKey, tuple[int, ...]]:
    """Return the rows as they were before a few neighbouring nights of each were changed."""
    chance = random.Random(7)
    found: dict[RowKey, tuple[int, ...]] = {}
    for key, row in rows.items():
        first = chance.randrange(DAYS - _CHANGED_NIGHTS)
        end = first + _CHANGED_NIGHTS
        found[key] = (*row[:first], *(each + 1 for each in row[first:end]), *row[end:])
    return found


def _bare(rows: AriRows) -> ari_rows.Rows:
    return ari_rows.Rows([], [[*rows.rows[key]] for key in sorted(rows.rows)], [])


def _blank(rows: ari_rows.Rows) -> ari_rows.Rows:
    """Return as many rows of which nobody knows anything."""

    def unknown(found: Iterable[list[int]]) -> list[list[int]]:
        return [[-2] * len(row) for row in found]

    return ari_rows.Rows(unknown(rows.counts), unknown(rows.rates), [unknown(each) for each in rows.stays])


def _agree(ours: tuple[AriRun, ...], bare: list[ari_rows.Run]) -> None:
    """Make sure that both find the same, or the comparison would mean nothing."""
    mine = [(run.nights.first_ordinal, run.nights.end_ordinal, run.value) for run in ours]
    origin = NIGHTS.first_ordinal
    if mine != [(origin + first, origin + end, value) for _, _, first, end, value in bare]:
        raise AssertionError("the differences are others")


def _often(times: int, call: Callable[[], object]) -> None:
    for _ in range(times):
        call()


def _seconds(call: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    try:
        started = time.thread_time()
        call()
        return time.thread_time() - started
    finally:
        gc.enable()
