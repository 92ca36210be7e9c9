"""P8, P9 and the growth of the night board: search in memory, without any server.

Owns houses made in memory with the density of those in the databases, and who is measured against whom. Time
is the thread's own on the processor, since nothing here waits for anything but other programs.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from statistics import median
from uuid import UUID

from attrs import frozen

from pms_adapters.lab.bench.floors import intervals, masks
from pms_adapters.lab.bench.grounds import Grounds, Progress
from pms_adapters.lab.bench.house import FIRST_DAY, HOUSE
from pms_adapters.lab.bench.house import House as Numbers
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pmscore.availability.views.night_board import NightBoard
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import Capacity, House, Property, Unit, UnitType
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import UnitId

__all__ = ["Hotel", "board_house", "measure_boards", "measure_growth", "measure_libraries"]

_BOARD_IS_LARGER = 10
_RIVALS: Mapping[str, Callable[[Sequence[tuple[int, int, int]], int], intervals.Search]] = {
    "a scan of a list": intervals.by_scan,
    "intervaltree": intervals.by_interval_tree,
    "portion": intervals.by_portion,
}


def board_house(numbers: Numbers) -> House:
    """Return the house of the databases as the core knows it."""
    start = FIRST_DAY - timedelta(days=10_000)
    per_type = [0] * numbers.types
    for unit in range(numbers.rooms):
        per_type[unit % numbers.types] += 1
    types = [
        UnitType(unit_type_id=type_id, name=f"Type {at:03}", capacities=(Capacity(start, per_type[at]),))
        for at, type_id in enumerate(numbers.type_ids())
    ]
    units = [
        Unit(unit_id=numbers.unit_id(at), unit_type_id=numbers.type_of(at), name=f"{at:05}")
        for at in range(numbers.rooms)
    ]
    home = Property(
        property_id=HOUSE,
        name="Bench",
        zone=Zone("Europe/Lisbon"),
        currency=Currency.of("EUR"),
        business_date=FIRST_DAY,
    )
    return House(
        property=home,
        types={each.unit_type_id: each for each in types},
        units={each.unit_id: each for each in units},
    )


@frozen
class Hotel:
    """A house with its claims, and the same as plain numbers for the floors; nights count from ``origin``."""

    house: House
    horizon: DateRange
    claims: tuple[Claim, ...]
    stays: tuple[tuple[int, int, int], ...]
    ids: tuple[UnitId, ...]

    @classmethod
    def of(cls, numbers: Numbers, bookings: int) -> Hotel:
        """Return a hotel in which each unit has one stay of one to five nights in each week."""
        chance = random.Random(bookings)
        house = board_house(numbers)
        weeks = -(-bookings // numbers.rooms)
        horizon = DateRange.of(FIRST_DAY, weeks * 7)
        # The order of the board: by type, then by name.
        order = sorted(range(numbers.rooms), key=lambda at: (at % numbers.types, at))
        claims: list[Claim] = []
        stays: list[tuple[int, int, int]] = []
        for made in range(bookings):
            place, week = made % numbers.rooms, made // numbers.rooms
            first = week * 7 + chance.randrange(2)
            nights = chance.randint(1, 5)
            unit = order[place]
            claims.append(
                Claim(
                    ClaimKind.BOOKED,
                    UUID(int=made),
                    numbers.type_of(unit),
                    DateRange.of(FIRST_DAY + timedelta(days=first), nights),
                    numbers.unit_id(unit),
                )
            )
            stays.append((place, first, first + nights))
        return cls(
            house, horizon, tuple(claims), tuple(stays), tuple(numbers.unit_id(each) for each in order)
        )

    def asked(self, count: int) -> list[tuple[int, int]]:
        """Return searches of one to seven nights anywhere in the horizon."""
        chance = random.Random(7)
        last = self.horizon.length - 7
        starts = [chance.randrange(last) for _ in range(count)]
        return [(start, start + chance.randint(1, 7)) for start in starts]

    def ranges(self, asked: Sequence[tuple[int, int]]) -> list[StayRange]:
        """Return searches as stays."""
        return [StayRange.of(FIRST_DAY + timedelta(days=first), end - first) for first, end in asked]


def measure_boards(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P8: the board against the bare expression."""
    hotel = Hotel.of(grounds.house, grounds.scale.usual)
    grounds.progress(f"P8: a board of {len(hotel.claims):,} bookings")
    board = NightBoard.of(hotel.house, hotel.horizon, hotel.claims)
    bare = masks.masks_of(hotel.stays, hotel.horizon.length)
    asked = hotel.asked(grounds.scale.searches * _BOARD_IS_LARGER)
    ranges = hotel.ranges(asked)
    _agree(board, ranges, lambda first, end: masks.search(bare, hotel.ids, first, end), asked)
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(grounds.rounds):
        floor.append(masks.seconds_a_search(bare, hotel.ids, asked) * 1e6)
        ours.append(_seconds_a_search(board, ranges) * 1e6)
    yield compared(
        "P8",
        "free units in memory as a list of ids, us against the bare mask expression",
        ours,
        floor,
        must=Limit(2.0, is_least=False),
        aim=Limit(1.3, is_least=False),
    )


def measure_libraries(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P9: the board against what one would take instead, at both sizes."""
    scale = grounds.scale
    for size in (scale.usual, *((scale.large,) if scale.large else ())):
        hotel = Hotel.of(grounds.house, size)
        board = NightBoard.of(hotel.house, hotel.horizon, hotel.claims)
        for name, make in _RIVALS.items():
            grounds.progress(f"P9: {name} at {size:,} bookings")
            try:
                rival = make(hotel.stays, grounds.house.rooms)
            except ImportError:
                grounds.progress(f"P9: {name} is not installed and left out; pmscore[bench] brings it")
                continue
            ours, theirs = _duel(grounds, hotel, board, rival)
            is_usual = size == scale.usual
            yield compared(
                "P9",
                f"free units in memory, us against {name}, {size:,} bookings",
                ours,
                theirs,
                must=Limit(50.0) if is_usual else None,
                aim=None if is_usual else Limit(500.0 if "scan" in name else 300.0),
                inverted=True,
            )


def _duel(
    grounds: Grounds, hotel: Hotel, board: NightBoard, rival: intervals.Search
) -> tuple[list[float], list[float]]:
    """Return the microseconds of a search, ours and the rival's, by round."""
    asked = hotel.asked(grounds.scale.searches)
    ranges = hotel.ranges(asked)
    few = asked[: max(2, min(len(asked), 250_000 // len(hotel.claims)))]
    _agree(board, ranges, lambda first, end: [hotel.ids[each] for each in rival(first, end)], few)
    ours: list[float] = []
    theirs: list[float] = []
    gc.collect()
    for _ in range(grounds.rounds):
        gc.disable()  # a large tree makes every collection dear, which is no fault of the search
        started = time.thread_time()
        for first, end in few:
            rival(first, end)
        theirs.append((time.thread_time() - started) / len(few) * 1e6)
        gc.enable()
        ours.append(_seconds_a_search(board, ranges) * 1e6)
    return ours, theirs


def measure_growth(grounds: Grounds) -> Iterator[Measurement]:
    """Yield the growth of the board: with bookings, with rooms, and its cold start."""
    scale = grounds.scale
    small, large = (scale.usual, scale.large) if scale.large else (scale.small, scale.usual)
    grounds.progress(f"growth: boards of {small:,} and {large:,} bookings")
    hotels = [Hotel.of(grounds.house, size) for size in (small, large)]
    boards = [NightBoard.of(each.house, each.horizon, each.claims) for each in hotels]
    asked = hotels[0].asked(scale.searches * _BOARD_IS_LARGER)
    yield _growth_line(
        "G-board",
        f"free units in memory, us at {large:,} against {small:,} bookings",
        [_listing(board, hotels[0].ranges(asked)) for board in boards],
        grounds.rounds * 3,
        must=Limit(1.10, is_least=False),
    )
    yield from _cold_starts(hotels, grounds.rounds, grounds.progress)
    del hotels
    rooms = [
        Numbers(max(scale.rooms // 10, scale.types), scale.types),
        Numbers(scale.rooms * 10, scale.types),
    ]
    grounds.progress(f"growth: houses of {rooms[0].rooms:,} and {rooms[1].rooms:,} rooms")
    houses = [Hotel.of(each, each.rooms * 20) for each in rooms]
    factor = rooms[1].rooms / rooms[0].rooms
    boards = [NightBoard.of(each.house, each.horizon, each.claims) for each in houses]
    searches = [each.ranges(each.asked(scale.searches)) for each in houses]
    sizes = f"us at {rooms[1].rooms:,} against {rooms[0].rooms:,} rooms"
    yield _growth_line(
        "G-rooms",
        f"free rooms by type in memory, {sizes}",
        [_counting(*each) for each in zip(boards, searches, strict=True)],
        grounds.rounds,
        must=Limit(factor / 4, is_least=False),
    )
    yield _growth_line(
        "G-rooms",
        f"free units in memory as a list of ids, {sizes}",
        [_listing(*each) for each in zip(boards, searches, strict=True)],
        grounds.rounds,
        aim=Limit(factor, is_least=False),
    )


def _cold_starts(hotels: Sequence[Hotel], rounds: int, progress: Progress) -> Iterator[Measurement]:
    costs: list[list[float]] = [[], []]
    for number in range(rounds):
        progress(f"growth: cold start, round {number + 1} of {rounds}")
        for hotel, cost in zip(hotels, costs, strict=True):
            started = time.thread_time()
            NightBoard.of(hotel.house, hotel.horizon, hotel.claims)
            cost.append((time.thread_time() - started) / len(hotel.claims) * 1e6)
    yield compared(
        "G-start",
        f"cold start of the board, us a booking at {len(hotels[1].claims):,} bookings",
        [median(costs[1])],
        must=Limit(2.0, is_least=False),
    )
    yield compared(
        "G-start",
        f"cold start, us a booking at {len(hotels[1].claims):,} against {len(hotels[0].claims):,}",
        costs[1],
        costs[0],
        must=Limit(1.35, is_least=False),
    )


def _growth_line(
    key: str,
    measure: str,
    sizes: Sequence[Callable[[], float]],
    rounds: int,
    *,
    must: Limit | None = None,
    aim: Limit | None = None,
) -> Measurement:
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for seconds, found in zip(sizes, times, strict=True):
            found.append(seconds() * 1e6)
    return compared(key, measure, times[1], times[0], must=must, aim=aim)


def _listing(board: NightBoard, ranges: Sequence[StayRange]) -> Callable[[], float]:
    return lambda: _seconds_a_search(board, ranges)


def _counting(board: NightBoard, ranges: Sequence[StayRange]) -> Callable[[], float]:
    def seconds() -> float:
        started = time.thread_time()
        for stay in ranges:
            board.free_unit_counts(stay)
        return (time.thread_time() - started) / len(ranges)

    return seconds


def _seconds_a_search(board: NightBoard, ranges: Sequence[StayRange]) -> float:
    started = time.thread_time()
    for stay in ranges:
        board.free_units(stay)
    return (time.thread_time() - started) / len(ranges)


def _agree(
    board: NightBoard,
    ranges: Sequence[StayRange],
    rival: Callable[[int, int], Sequence[object]],
    asked: Sequence[tuple[int, int]],
) -> None:
    """Make sure that both answer the same, or the comparison would mean nothing."""
    for stay, (first, end) in list(zip(ranges, asked, strict=False))[:5]:
        if list(board.free_units(stay)) != list(rival(first, end)):
            raise AssertionError(f"the answers for {stay} differ")
