"""C-receipt and C-window: from a booking's commit to the platform's receipt, and what happens when a limit is reached.

Owns the bookings, one after the other while the worker is idle, and when each was received: the moment from which the
platform would no longer sell the room. Each platform gets fewer calls a minute than it allows, but for C-window.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from uuid import uuid4

from pms_adapters.lab.bench.channel_house import (
    ROOMS,
    Agency,
    ConnectedHouse,
    connected_agency,
    wait_until,
    working,
)
from pms_adapters.lab.bench.grounds import Grounds
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.channels.model.manifest import CallKind
from pmscore.inventory.model.party import Party
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import RequestId
from pmscore.kernel.money import Money

__all__ = ["measure_receipts", "measure_window"]

MOST_A_HOUSE = 5
"""Bookings a house: with what it is told at first, fewer calls than it allows in a minute."""

_MOST_MS = 2_000.0
_AFTER_CLOSING = 20
_CLOSED_SECONDS = 3.0
_LOOK_SECONDS = 0.001
_NIGHT = Money(10_000, Currency.of("EUR"))


def measure_receipts(grounds: Grounds) -> Iterator[Measurement]:
    """Yield C-receipt: milliseconds from the commit to the receipt, where no limit is reached.

    Raises:
        RuntimeError: a booking was never received, or a call came beyond the platform's limits.
    """
    chance = random.Random(11)
    with connected_agency(grounds, "receipts", grounds.scale.platforms) as agency, working(agency, grounds):
        found: list[float] = []
        for number in range(min(grounds.rounds + 1, MOST_A_HOUSE)):
            grounds.progress(f"C-receipt: {len(agency.houses)} bookings, turn {number}")
            took = []
            for house in agency.houses:
                took.append(_received(agency, house, number) * 1e3)
                # So that bookings come at any moment between two looks of the relay.
                time.sleep(0.1 + chance.random() * 0.2)
            if number or grounds.rounds == 1:
                found += took
        if any(house.refusals() for house in agency.houses):
            raise RuntimeError("a platform got more calls than it allows")
    found.sort()
    for part, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"), (1.0, "longest")):
        value = found[min(len(found) - 1, int(part * len(found)))]
        must = Limit(_MOST_MS, is_least=False) if part == 0.99 else None
        what = f"from commit to the platform's receipt, ms, of {len(found)} bookings"
        yield compared("C-receipt", f"{what}: {name}", [value], must=must)


def measure_window(grounds: Grounds) -> Iterator[Measurement]:
    """Yield C-window: what a limit that is reached holds back comes in one call when the window opens.

    Raises:
        RuntimeError: a booking was never received, or a call came beyond the platform's limits.
    """
    kind = CallKind.PUSH_AVAILABILITY.value
    with connected_agency(grounds, "window", 1) as agency, working(agency, grounds):
        (house,) = agency.houses
        before, number = house.calls(kind), 0
        grounds.progress("C-window: bookings until the platform's limit is reached")
        while _is_received(agency, house, number):
            number += 1
        at_once = house.calls(kind) - before
        grounds.progress(f"C-window: {_AFTER_CLOSING} bookings more, then a minute until the window opens")
        for later in range(number + 1, number + 1 + _AFTER_CLOSING):
            _book(agency, house, later)
        booked = time.perf_counter()
        stays = [agency.stay(each) for each in range(number, number + 1 + _AFTER_CLOSING)]
        wait_until(
            lambda: all(house.sellable(each.arrival) == ROOMS - 1 for each in stays),
            "what was held back never came",
            every=_LOOK_SECONDS * 10,
        )
        waited = time.perf_counter() - booked
        held_back = house.calls(kind) - before - at_once
        if house.refusals():
            raise RuntimeError("the platform got more calls than it allows")
    what = f"{number} bookings received one by one in {at_once} calls, then {len(stays)} held back"
    yield compared(
        "C-window",
        f"{what}: calls when the window opens",
        [float(held_back)],
        must=Limit(1.0, is_least=False),
    )
    yield compared(
        "C-window", "seconds from the last of them to their receipt (the window is a minute)", [waited]
    )


def _received(agency: Agency, house: ConnectedHouse, number: int) -> float:
    """Make a booking; return the seconds from its commit until the platform has received it."""
    stay = agency.stay(number)
    _book(agency, house, number)
    committed = time.perf_counter()
    wait_until(
        lambda: house.sellable(stay.arrival) == ROOMS - 1,
        "a platform never received a booking",
        every=_LOOK_SECONDS,
    )
    return time.perf_counter() - committed


def _is_received(agency: Agency, house: ConnectedHouse, number: int) -> bool:
    """Make a booking; return whether it is received soon."""
    stay = agency.stay(number)
    _book(agency, house, number)
    deadline = time.perf_counter() + _CLOSED_SECONDS
    while time.perf_counter() < deadline:
        if house.sellable(stay.arrival) == ROOMS - 1:
            return True
        time.sleep(_LOOK_SECONDS * 10)
    return False


def _book(agency: Agency, house: ConnectedHouse, number: int) -> None:
    stay = agency.stay(number)
    room = RoomRequest(stay=stay, party=Party(2), nightly=(_NIGHT,) * stay.length, unit_type_id=house.type_id)
    command = CreateBooking(
        request_id=RequestId(uuid4()),
        agency_id=agency.agency_id,
        actor_id=agency.actor_id,
        property_id=house.property_id,
        guest=agency.guest_id,
        rooms=(room,),
    )
    parts = agency.services
    create_booking(command, uow=parts.uow, clock=parts.clock, ids=parts.ids)
