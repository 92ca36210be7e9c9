"""A small agency to try things on: a house, a guest, a clock, and one line for every command.

Owns the setting of laws, histories and examples. Sends commands through the use cases and nothing else.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import TypedDict

from attrs import field, frozen

from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import Act
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.amend import AmendBooking, RoomAmendment, amend_booking
from pmscore.booking.use_cases.assign import AssignRoom, assign_room
from pmscore.booking.use_cases.assign_automatically import (
    AssignAutomatically,
    AssignmentReport,
    assign_automatically,
)
from pmscore.booking.use_cases.change_status import ChangeStatus, change_status
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.booking.views import BookingReceipt
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.guests.model import Guest
from pmscore.guests.use_cases import AddGuest, add_guest
from pmscore.inventory.model.blocks import Block, BlockKind
from pmscore.inventory.model.holds import Hold
from pmscore.inventory.model.house import Capacity, House, Unit, UnitType
from pmscore.inventory.model.party import Party
from pmscore.inventory.use_cases.blocks import BlockUnit, LiftBlock, block_unit, lift_block
from pmscore.inventory.use_cases.holds import PlaceHold, ReleaseHold, place_hold, release_hold
from pmscore.inventory.use_cases.houses import (
    AdvanceBusinessDate,
    CreateHouse,
    NewUnitType,
    SetCapacity,
    advance_business_date,
    create_house,
    set_capacity,
)
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Command, OnceKey
from pmscore.kernel.ids import (
    ActorId,
    AgencyId,
    BlockId,
    BookingId,
    BookingRoomId,
    GuestId,
    HoldId,
    PropertyId,
    RequestId,
    UnitId,
    UnitTypeId,
)
from pmscore.kernel.money import Money
from pmscore.kernel.ports import IdSource
from pmscore.testing.clocks import MovableClock
from pmscore.testing.subject import StoreUnderTest, StoreWork

__all__ = ["EUR", "FIRST_DAY", "RATE", "Scene", "hotel", "nights", "open_scene", "pool", "stay"]

FIRST_DAY = date(2030, 1, 1)
"""The business date on which every scene opens; its clock shows noon of that day in UTC."""

EUR = Currency.of("EUR")
RATE = Money(100_00, EUR)


class _Asked(TypedDict):
    request_id: RequestId
    agency_id: AgencyId
    actor_id: ActorId
    property_ids: frozenset[PropertyId] | None


def stay(first: int, length: int = 1) -> StayRange:
    """Return a stay by the number of its first night (0 is ``FIRST_DAY``) and its length."""
    return StayRange.of(FIRST_DAY + timedelta(days=first), length)


def nights(first: int, length: int = 1) -> DateRange:
    """Return a range by the number of its first night and its length."""
    return DateRange.of(FIRST_DAY + timedelta(days=first), length)


def hotel(rooms: int = 2, *, turnover_nights: int = 0, overbooking: int = 0) -> NewUnitType:
    """Return a type whose rooms are units."""
    return NewUnitType(
        name=f"Room of {rooms}",
        rooms=rooms,
        valid_from=FIRST_DAY,
        unit_names=tuple(str(101 + number) for number in range(rooms)),
        turnover_nights=turnover_nights,
        overbooking=overbooking,
    )


def pool(rooms: int = 2, *, turnover_nights: int = 0, overbooking: int = 0) -> NewUnitType:
    """Return a type that is sold by number alone."""
    return NewUnitType(
        name=f"Pool of {rooms}",
        rooms=rooms,
        valid_from=FIRST_DAY,
        turnover_nights=turnover_nights,
        overbooking=overbooking,
    )


@frozen(kw_only=True)
class Scene:
    """One agency with one house and one guest in a store; its methods are commands."""

    store: StoreUnderTest
    ids: IdSource
    agency_id: AgencyId
    actor_id: ActorId
    property_id: PropertyId
    type_ids: tuple[UnitTypeId, ...]
    guest_id: GuestId
    reach: frozenset[PropertyId] | None = None
    clock: MovableClock = field(factory=lambda: MovableClock(datetime(2030, 1, 1, 12, tzinfo=UTC)))

    def asked(self) -> _Asked:
        """Return what every command of this agency says, with a request id of its own."""
        return {
            "request_id": RequestId(self.ids.new()),
            "agency_id": self.agency_id,
            "actor_id": self.actor_id,
            "property_ids": self.reach,
        }

    def command(self, once: OnceKey | None = None) -> Command:
        """Return a bare command, to open a transaction with."""
        return Command(**self.asked(), once=once)

    def begin(self, once: OnceKey | None = None) -> AbstractContextManager[StoreWork]:
        """Open a transaction of this agency."""
        return self.store.begin(self.command(once))

    def house(self) -> House:
        """Return the house as it is now."""
        with self.begin() as work:
            return work.houses.get(self.property_id)

    def type(self, number: int = 0) -> UnitType:
        """Return one of the types, in the order in which they were given to :func:`open_scene`."""
        return self.house().types[self.type_ids[number]]

    def unit(self, number: int = 0, type_number: int = 0) -> Unit:
        """Return one of a type's units, in the order of their names."""
        return self.house().units_of(self.type_ids[type_number])[number]

    def guest(self) -> Guest:
        """Return the guest as of now."""
        with self.begin() as work:
            return work.guests.get(self.guest_id)

    def booking(self, booking_id: BookingId) -> Booking:
        """Return a booking as it is now."""
        with self.begin() as work:
            return work.bookings.get(booking_id)

    def request(
        self,
        when: StayRange,
        *,
        unit_type_id: UnitTypeId | None = None,
        unit_id: UnitId | None = None,
        rate: Money = RATE,
    ) -> RoomRequest:
        """Return a room for one adult at the same rate every night, of the first type unless one is named."""
        if unit_type_id is None and unit_id is None:
            unit_type_id = self.type_ids[0]
        return RoomRequest(
            stay=when,
            party=Party(1),
            nightly=(rate,) * when.length,
            unit_type_id=unit_type_id,
            unit_id=unit_id,
        )

    def book(
        self,
        *rooms: RoomRequest | StayRange,
        guest: GuestId | Guest | None = None,
        once: OnceKey | None = None,
        option_until: datetime | None = None,
        hold_ids: tuple[HoldId, ...] = (),
        may_oversell: bool = False,
    ) -> BookingReceipt:
        """Make a booking; a stay stands for a room of the first type."""
        command = CreateBooking(
            **self.asked(),
            property_id=self.property_id,
            guest=guest or self.guest_id,
            rooms=tuple(self.request(room) if isinstance(room, StayRange) else room for room in rooms),
            once=once,
            option_until=option_until,
            hold_ids=hold_ids,
            may_oversell=may_oversell,
        )
        return create_booking(command, uow=self.store, clock=self.clock, ids=self.ids)

    def act(self, booking_id: BookingId, act: Act) -> Booking:
        """Take a booking one step through its life cycle."""
        command = ChangeStatus(**self.asked(), booking_id=booking_id, act=act, reason="scene")
        return change_status(command, uow=self.store, clock=self.clock)

    def amend(self, booking_id: BookingId, *amendments: RoomAmendment) -> Booking:
        """Change rooms of a booking."""
        command = AmendBooking(**self.asked(), booking_id=booking_id, rooms=amendments)
        return amend_booking(command, uow=self.store, clock=self.clock)

    def move_stay(self, booking_id: BookingId, when: StayRange, *, rate: Money = RATE) -> Booking:
        """Change the stay of a booking's first room."""
        room_id = self.booking(booking_id).rooms[0].room_id
        change = RoomAmendment(room_id=room_id, stay=when, nightly=(rate,) * when.length)
        return self.amend(booking_id, change)

    def assign(
        self,
        booking_id: BookingId,
        room_id: BookingRoomId,
        unit_id: UnitId | None,
        *,
        from_night: date | None = None,
        locks: bool | None = None,
    ) -> Booking:
        """Give a room a unit, or take it back."""
        command = AssignRoom(
            **self.asked(),
            booking_id=booking_id,
            room_id=room_id,
            unit_id=unit_id,
            from_night=from_night,
            locks=locks,
        )
        return assign_room(command, uow=self.store, clock=self.clock)

    def assign_all(
        self, arrivals: DateRange, *, moves_others: bool = True, may_split: bool = False
    ) -> AssignmentReport:
        """Give a unit to every room that arrives in the range and has none."""
        command = AssignAutomatically(
            **self.asked(),
            property_id=self.property_id,
            arrivals=arrivals,
            moves_others=moves_others,
            may_split=may_split,
        )
        return assign_automatically(command, uow=self.store, clock=self.clock)

    def hold(
        self,
        when: StayRange,
        *,
        minutes: int = 30,
        unit_type_id: UnitTypeId | None = None,
        unit_id: UnitId | None = None,
        once: OnceKey | None = None,
    ) -> Hold:
        """Hold a room, of the first type unless one is named."""
        if unit_type_id is None and unit_id is None:
            unit_type_id = self.type_ids[0]
        command = PlaceHold(
            **self.asked(),
            property_id=self.property_id,
            stay=when,
            expires_at=self.clock.now() + timedelta(minutes=minutes),
            unit_type_id=unit_type_id,
            unit_id=unit_id,
            once=once,
        )
        return place_hold(command, uow=self.store, clock=self.clock, ids=self.ids)

    def release(self, hold_id: HoldId) -> Hold:
        """Give up a hold."""
        return release_hold(ReleaseHold(**self.asked(), hold_id=hold_id), uow=self.store)

    def block(
        self,
        unit_id: UnitId,
        when: DateRange,
        kind: BlockKind = BlockKind.MANUAL,
        *,
        once: OnceKey | None = None,
    ) -> Block:
        """Block a unit."""
        command = BlockUnit(
            **self.asked(), property_id=self.property_id, unit_id=unit_id, nights=when, kind=kind, once=once
        )
        return block_unit(command, uow=self.store, clock=self.clock, ids=self.ids)

    def lift(self, block_id: BlockId) -> None:
        """Lift a block."""
        lift_block(LiftBlock(**self.asked(), block_id=block_id), uow=self.store)

    def set_rooms(
        self, unit_type_id: UnitTypeId, rooms: int, *, first: int = 0, overbooking: int | None = None
    ) -> House:
        """Change the capacity of a type from a night on."""
        capacity = Capacity(FIRST_DAY + timedelta(days=first), rooms)
        command = SetCapacity(
            **self.asked(),
            property_id=self.property_id,
            unit_type_id=unit_type_id,
            capacity=capacity,
            overbooking=overbooking,
        )
        return set_capacity(command, uow=self.store)

    def advance(self, days: int = 1) -> House:
        """Move the business date, and the clock with it."""
        today = self.house().property.business_date
        self.clock.advance(timedelta(days=days))
        command = AdvanceBusinessDate(
            **self.asked(), property_id=self.property_id, to=today + timedelta(days=days)
        )
        return advance_business_date(command, uow=self.store)

    def add_guest(self, name: str = "Noor Haddad") -> Guest:
        """Add another guest."""
        return add_guest(AddGuest(**self.asked(), name=name), uow=self.store, ids=self.ids)


def open_scene(store: StoreUnderTest, ids: IdSource, *types: NewUnitType) -> Scene:
    """Open a new agency in ``store`` with a house of ``types`` (two hotel rooms unless given) and a guest."""
    agency_id = AgencyId(ids.new())
    asked: _Asked = {
        "request_id": RequestId(ids.new()),
        "agency_id": agency_id,
        "actor_id": ActorId(ids.new()),
        "property_ids": None,
    }
    open_agency(OpenAgency(**asked, name="Scene", slug=f"scene-{agency_id.hex}"), uow=store)
    house = create_house(
        CreateHouse(
            **asked,
            name="Seehof",
            zone=Zone("Europe/Berlin"),
            currency=EUR,
            business_date=FIRST_DAY,
            types=types or (hotel(),),
        ),
        uow=store,
        ids=ids,
    )
    guest = add_guest(AddGuest(**asked, name="Ada Novak"), uow=store, ids=ids)
    return Scene(
        store=store,
        ids=ids,
        agency_id=agency_id,
        actor_id=asked["actor_id"],
        property_id=house.property.property_id,
        type_ids=tuple(house.types),
        guest_id=guest.guest_id,
    )
