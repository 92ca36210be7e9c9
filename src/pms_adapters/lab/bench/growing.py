"""What a booking and a refusal cost in a house with few and with many bookings already there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from pms_adapters.lab.bench.grounds import Database, Grounds
from pms_adapters.lab.bench.making import Shop
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.kernel.errors import NightsTakenError

__all__ = ["measure_writes"]

_TURNS = 4
"""The two houses take turns so many times in one round, so that a busy moment hits both."""


def measure_writes(grounds: Grounds) -> Iterator[Measurement]:
    """Yield the growth of booking and of being refused, through the use case."""
    scale = grounds.scale
    databases = [grounds.database(scale.small), grounds.database(scale.largest)]
    shops = [Shop.on(each.url, each.house) for each in databases]
    made: list[list[float]] = [[], []]
    refused: list[list[float]] = [[], []]
    count = max(scale.bookings // (2 * _TURNS), 5)
    few = max(count // 3, 5)
    for number in range(grounds.rounds + 1):
        grounds.progress(f"growth of bookings: round {number} of {grounds.rounds}")
        seconds = [[0.0, 0.0], [0.0, 0.0]]
        for _ in range(_TURNS):
            for at, (shop, database) in enumerate(zip(shops, databases, strict=True)):
                slots = grounds.slots(database, count)
                seconds[0][at] += _seconds(shop, shop.commands(slots), is_free=True)
                seconds[1][at] += _seconds(shop, shop.commands(slots[:few]), is_free=False)
        if number:
            for at in (0, 1):
                made[at].append(seconds[0][at] / (count * _TURNS) * 1e3)
                refused[at].append(seconds[1][at] / (few * _TURNS) * 1e3)
    for shop in shops:
        shop.engine.dispose()
    yield _line("G-insert", "a booking", made, databases)
    yield _line("G-refuse", "a booking refused", refused, databases)


def _line(
    key: str, what: str, times: Sequence[Sequence[float]], databases: Sequence[Database]
) -> Measurement:
    small, large = databases
    return compared(
        key,
        f"{what} by the use case, ms at {large.bookings:,} against {small.bookings:,} bookings",
        times[1],
        times[0],
        must=Limit(1.20, is_least=False),
    )


def _seconds(shop: Shop, commands: Sequence[CreateBooking], *, is_free: bool) -> float:
    """Return how long it takes to send the commands, each of which is taken, or refused."""
    refusals = 0
    started = time.perf_counter()
    for command in commands:
        try:
            create_booking(command, uow=shop.uow, clock=shop.clock, ids=shop.ids)
        except NightsTakenError:
            refusals += 1
    seconds = time.perf_counter() - started
    if refusals != (0 if is_free else len(commands)):
        raise AssertionError(f"{refusals} of {len(commands)} bookings were refused")
    return seconds
