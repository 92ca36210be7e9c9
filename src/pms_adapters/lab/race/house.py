"""The raced house: contests set up and fought through the use cases.

Owns the translation from wishes to commands. Who is asked when is ``run``'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from attrs import evolve, frozen

from pms_adapters.bootstrap import Services
from pms_adapters.lab.race.contests import TYPES, Contest, Kind, Wish
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.assign import AssignRoom, assign_room
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.booking.views import BookingReceipt
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone
from pmscore.guests.model import Guest
from pmscore.inventory.model.party import Party
from pmscore.inventory.use_cases.holds import PlaceHold, place_hold
from pmscore.inventory.use_cases.houses import CreateHouse, NewUnitType, create_house
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import (
    ActorId,
    AgencyId,
    BookingId,
    BookingRoomId,
    GuestId,
    PropertyId,
    RequestId,
    UnitId,
    UnitTypeId,
)
from pmscore.kernel.money import Money
from pmscore.kernel.ports import Clock

__all__ = ["RacedHouse", "open_raced_house", "prepare"]

_EURO = Currency.of("EUR")
_HOLD_MINUTES = 30


@frozen
class _Earlier(Clock):
    """A clock that is an hour behind another, under which holds are placed that have expired by now."""

    clock: Clock

    def now(self) -> datetime:
        """Return the instant an hour ago."""
        return self.clock.now() - timedelta(hours=1)


@frozen(kw_only=True)
class RacedHouse:
    """Where everything is, as plain ids, so that other processes can be told.

    ``movers`` are the bookings that contestants have before a ``MOVE``, by contest and contestant.
    """

    agency_id: AgencyId
    actor_id: ActorId
    property_id: PropertyId
    first_day: date
    types: Mapping[str, UnitTypeId]
    units: Mapping[str, tuple[UnitId, ...]]
    movers: Mapping[tuple[int, int], tuple[BookingId, BookingRoomId]]

    def attempt(self, services: Services, contest: Contest, contestant: int) -> None:
        """Try to get what the contestant wants.

        Raises:
            NightsTakenError: somebody else has it.
        """
        wishes = contest.wishes_of(contestant)
        if contest.kind is Kind.MOVE:
            self._move(services, self.movers[contest.number, contestant], wishes[0])
        else:
            self.book(services, wishes)

    def book(self, services: Services, wishes: tuple[Wish, ...]) -> BookingReceipt:
        """Book a room for each wish, all or none."""
        command = CreateBooking(
            request_id=RequestId(services.ids.new()),
            agency_id=self.agency_id,
            actor_id=self.actor_id,
            property_id=self.property_id,
            guest=Guest(guest_id=GuestId(services.ids.new()), name="Racer"),
            rooms=tuple(self._room(wish) for wish in wishes),
        )
        return create_booking(command, uow=services.uow, clock=services.clock, ids=services.ids)

    def place_expired_hold(self, services: Services, wish: Wish) -> None:
        """Place a hold that keeps its nights although its time is over."""
        clock = _Earlier(services.clock)
        command = PlaceHold(
            request_id=RequestId(services.ids.new()),
            agency_id=self.agency_id,
            actor_id=self.actor_id,
            property_id=self.property_id,
            stay=self._stay(wish),
            expires_at=clock.now() + timedelta(minutes=_HOLD_MINUTES),
            unit_type_id=self.types[wish.unit_type],
            unit_id=self._unit_of(wish),
        )
        place_hold(command, uow=services.uow, clock=clock, ids=services.ids)

    def _move(self, services: Services, mover: tuple[BookingId, BookingRoomId], wish: Wish) -> None:
        booking_id, room_id = mover
        command = AssignRoom(
            request_id=RequestId(services.ids.new()),
            agency_id=self.agency_id,
            actor_id=self.actor_id,
            booking_id=booking_id,
            room_id=room_id,
            unit_id=self._unit_of(wish),
        )
        assign_room(command, uow=services.uow, clock=services.clock)

    def _room(self, wish: Wish) -> RoomRequest:
        return RoomRequest(
            stay=self._stay(wish),
            party=Party(2),
            nightly=(Money(10_000, _EURO),) * wish.nights,
            unit_type_id=self.types[wish.unit_type],
            unit_id=self._unit_of(wish),
        )

    def _stay(self, wish: Wish) -> StayRange:
        return StayRange.of(self.first_day + timedelta(days=wish.first), wish.nights)

    def _unit_of(self, wish: Wish) -> UnitId | None:
        return None if wish.unit is None else self.units[wish.unit_type][wish.unit]


def open_raced_house(services: Services, contestants: int) -> RacedHouse:
    """Make an agency and a house for a race of so many contestants."""
    agency_id, actor_id = AgencyId(services.ids.new()), ActorId(services.ids.new())
    open_agency(
        OpenAgency(
            request_id=RequestId(services.ids.new()),
            agency_id=agency_id,
            actor_id=actor_id,
            name="Race",
            slug=f"race-{agency_id.hex}",
        ),
        uow=services.uow,
    )
    first_day = services.clock.now().date() + timedelta(days=1)
    house = create_house(
        CreateHouse(
            request_id=RequestId(services.ids.new()),
            agency_id=agency_id,
            actor_id=actor_id,
            name="Raced house",
            zone=Zone("UTC"),
            currency=_EURO,
            business_date=first_day,
            types=tuple(
                NewUnitType(
                    name=each.name,
                    rooms=contestants + 1 if each.rooms is None else each.rooms,
                    valid_from=first_day,
                    turnover_nights=each.turnover_nights,
                    unit_names=tuple(str(number) for number in range(each.units)),
                )
                for each in TYPES
            ),
        ),
        uow=services.uow,
        ids=services.ids,
    )
    types = {each.name: each.unit_type_id for each in house.types.values()}
    return RacedHouse(
        agency_id=agency_id,
        actor_id=actor_id,
        property_id=house.property.property_id,
        first_day=first_day,
        types=types,
        units={name: tuple(unit.unit_id for unit in house.units_of(key)) for name, key in types.items()},
        movers={},
    )


def prepare(
    house: RacedHouse, services: Services, contests: Iterable[Contest], contestants: int
) -> RacedHouse:
    """Place the expired holds and the bookings that will want to move; return the house that knows them."""
    movers: dict[tuple[int, int], tuple[BookingId, BookingRoomId]] = {}
    for contest in contests:
        for wish in contest.expired_holds:
            house.place_expired_hold(services, wish)
        if contest.kind is Kind.MOVE:
            wish = evolve(contest.wishes[0][0], unit=None)
            for contestant in range(contestants):
                receipt = house.book(services, (wish,))
                movers[contest.number, contestant] = (receipt.booking_id, receipt.room_ids[0])
    return evolve(house, movers=movers)
