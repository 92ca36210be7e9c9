"""The rebuild of the board that searches are answered from: from the rows of a server to the first answer.

Owns rows as the driver hands them over, made in memory, so that fetching them is not measured. Time is the thread's
own on the processor; what the collector of garbage does on the way is in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median

from pms_adapters.lab.bench.boards import Hotel
from pms_adapters.lab.bench.floors import masks
from pms_adapters.lab.bench.grounds import Grounds
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.postgres.session import Row
from pms_adapters.postgres.standings import StandingRows
from pmscore.availability.views.stock_board import StockBoard
from pmscore.dates.ranges import DateRange

__all__ = ["measure_rebuild"]

_NOW = datetime(2020, 1, 1, tzinfo=UTC)


def measure_rebuild(grounds: Grounds) -> Iterator[Measurement]:
    """Yield what a rebuild costs a booking, that it is linear, and how it compares with nothing but the masks."""
    scale = grounds.scale
    sizes = (scale.usual, scale.large) if scale.large else (scale.small, scale.usual)
    grounds.progress(f"rebuild: boards of {sizes[0]:,} and {sizes[1]:,} bookings")
    hotels = [Hotel.of(grounds.house, size) for size in sizes]
    plain = [_rows(each, turnover_nights=0) for each in hotels]
    turned = _rows(hotels[1], turnover_nights=1)
    _agree(hotels[0], plain[0])
    small: list[float] = []
    large: list[float] = []
    with_turnover: list[float] = []
    bare: list[float] = []
    for number in range(grounds.rounds):
        grounds.progress(f"rebuild: round {number + 1} of {grounds.rounds}")
        small.append(_microseconds(hotels[0], plain[0]))
        large.append(_microseconds(hotels[1], plain[1]))
        with_turnover.append(_microseconds(hotels[1], turned))
        bare.append(_bare_microseconds(hotels[1]))
    bookings = f"{sizes[1]:,}"
    yield compared(
        "G-rebuild",
        f"rebuild of the search board from the server's rows, us a booking at {bookings}",
        [median(large)],
        must=Limit(2.0, is_least=False),
    )
    yield compared(
        "G-rebuild",
        f"rebuild of the search board, us a booking at {bookings} against {sizes[0]:,}",
        large,
        small,
        must=Limit(1.5, is_least=False),
    )
    yield compared(
        "G-rebuild",
        f"rebuild of the search board at {bookings}, us a booking, turnover nights after each stay against none",
        with_turnover,
        large,
    )
    yield compared(
        "G-rebuild",
        f"rebuild of the search board at {bookings}, us a booking, against the bare masks alone",
        large,
        bare,
    )


def _rows(hotel: Hotel, *, turnover_nights: int) -> StandingRows:
    """Return the claims of a hotel as the server sends them."""
    rooms: list[Row] = [
        (
            str(claim.source_id),
            claim.kind.value,
            str(claim.unit_type_id),
            str(claim.unit_id),
            claim.nights.first_ordinal,
            claim.nights.end_ordinal,
            turnover_nights,
            None,
        )
        for claim in hotel.claims
    ]
    return StandingRows(rooms, [], [])


def _microseconds(hotel: Hotel, rows: StandingRows) -> float:
    started = time.thread_time()
    StockBoard([hotel.house], hotel.horizon, rows.standings())
    return (time.thread_time() - started) / len(rows) * 1e6


def _bare_microseconds(hotel: Hotel) -> float:
    started = time.thread_time()
    masks.masks_of(hotel.stays, hotel.horizon.length)
    return (time.thread_time() - started) / len(hotel.stays) * 1e6


def _agree(hotel: Hotel, rows: StandingRows) -> None:
    """Make sure that the board is the one whose cost is told."""
    board = StockBoard([hotel.house], hotel.horizon, rows.standings())
    bare = masks.masks_of(hotel.stays, hotel.horizon.length)
    for (first, end), stay in zip(hotel.asked(20), hotel.ranges(hotel.asked(20)), strict=True):
        nights = DateRange.from_stay(stay)
        ours = board.free_units(dict.fromkeys(hotel.house.types, nights), _NOW)
        if {each for units in ours.values() for each in units} != set(
            masks.search(bare, hotel.ids, first, end)
        ):
            raise AssertionError(f"the answers for {stay} differ")
