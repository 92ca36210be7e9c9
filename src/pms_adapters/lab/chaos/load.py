"""A load of bookings, each under an idempotency key, that remembers what every caller was told.

Owns the house under load, the threads and their notes. A caller was told yes (acknowledged), no (refused), or
nothing: the connection broke before the answer came, and only repeating the key can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from threading import Event, Lock, Thread

from attrs import define, evolve, field, frozen

from pms_adapters.bootstrap import Services, with_retries
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.booking.model.booking import Source
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.booking.views import BookingReceipt
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone
from pmscore.guests.model import Guest
from pmscore.inventory.model.house import House
from pmscore.inventory.model.party import Party
from pmscore.inventory.use_cases.houses import CreateHouse, NewUnitType, create_house
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import NightsTakenError, PortError
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import ActorId, AgencyId, GuestId, RequestId
from pmscore.kernel.money import Money

__all__ = ["Notes", "StressedHouse", "open_stressed_house", "under_load"]

_EURO = Currency.of("EUR")
_NIGHTS_IN_PLAY = 60
_ROUTE = "chaos"


@define
class Notes:
    """What the callers of one round were told, by key; the lock is held while one is written down."""

    acknowledged: dict[str, BookingReceipt] = field(factory=dict)
    refused: list[str] = field(factory=list)
    unknown: dict[str, CreateBooking] = field(factory=dict)
    lock: Lock = field(factory=Lock, repr=False)


@frozen(kw_only=True)
class StressedHouse:
    """An agency with a house that is too small for everybody who wants a room: half pooled, half with units."""

    agency_id: AgencyId
    actor_id: ActorId
    house: House

    def request(self, services: Services, number: int) -> CreateBooking:
        """Return the booking that the ``number``-th caller asks for; its reference is its key."""
        types = tuple(self.house.types.values())
        unit_type = types[number % len(types)]
        units = self.house.units_of(unit_type.unit_type_id)
        first = self.house.property.business_date + timedelta(days=number * 7 % _NIGHTS_IN_PLAY)
        nights = 1 + number % 4
        key = services.ids.new().hex
        return CreateBooking(
            request_id=RequestId(services.ids.new()),
            agency_id=self.agency_id,
            actor_id=self.actor_id,
            once=OnceKey(key=key, route=_ROUTE, fingerprint=key),
            property_id=self.house.property.property_id,
            guest=Guest(guest_id=GuestId(services.ids.new()), name="Caller"),
            source=Source(channel="chaos", reference=key),
            rooms=(
                RoomRequest(
                    stay=StayRange.of(first, nights),
                    party=Party(2),
                    nightly=(Money(10_000, _EURO),) * nights,
                    unit_type_id=unit_type.unit_type_id,
                    unit_id=units[number % len(units)].unit_id if units else None,
                ),
            ),
        )

    def book(self, services: Services, command: CreateBooking) -> BookingReceipt:
        """Ask for the booking, for the first time or again.

        Raises:
            NightsTakenError: the nights are taken.
            UnreachableError: nobody knows what became of it.
        """
        # A repetition is another request of the same content; only the key says that it is the same.
        again = evolve(command, request_id=RequestId(services.ids.new()))
        return with_retries(
            lambda: create_booking(again, uow=services.uow, clock=services.clock, ids=services.ids)
        )


def open_stressed_house(services: Services) -> StressedHouse:
    """Make the agency and its house."""
    agency_id, actor_id = AgencyId(services.ids.new()), ActorId(services.ids.new())
    open_agency(
        OpenAgency(
            request_id=RequestId(services.ids.new()),
            agency_id=agency_id,
            actor_id=actor_id,
            name="Chaos",
            slug=f"chaos-{agency_id.hex}",
        ),
        uow=services.uow,
    )
    today = services.clock.now().date()
    house = create_house(
        CreateHouse(
            request_id=RequestId(services.ids.new()),
            agency_id=agency_id,
            actor_id=actor_id,
            name="Stressed house",
            zone=Zone("UTC"),
            currency=_EURO,
            business_date=today,
            types=(
                NewUnitType(name="pooled", rooms=2_000, valid_from=today),
                NewUnitType(
                    name="units",
                    rooms=20,
                    valid_from=today,
                    turnover_nights=1,
                    unit_names=tuple(f"{number:02}" for number in range(20)),
                ),
                NewUnitType(name="large pool", rooms=3_000, valid_from=today),
            ),
        ),
        uow=services.uow,
        ids=services.ids,
    )
    return StressedHouse(agency_id=agency_id, actor_id=actor_id, house=house)


@contextmanager
def under_load(house: StressedHouse, services: Services, *, callers: int) -> Iterator[Notes]:
    """Keep ``callers`` threads booking while the block runs; each stops at its first unknown outcome."""
    notes, stop, numbers = Notes(), Event(), count()
    call = _caller(house, services, notes, stop, numbers)
    threads = [Thread(target=call, name=f"caller-{number}") for number in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield notes
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _caller(
    house: StressedHouse, services: Services, notes: Notes, stop: Event, numbers: Iterator[int]
) -> Callable[[], None]:
    def call() -> None:
        while not stop.is_set():
            command = house.request(services, next(numbers))
            key = command.source.reference
            try:
                receipt = house.book(services, command)
            except NightsTakenError:
                with notes.lock:
                    notes.refused.append(key)
            except PortError:
                with notes.lock:
                    notes.unknown[key] = command
                return
            else:
                with notes.lock:
                    notes.acknowledged[key] = receipt

    return call
