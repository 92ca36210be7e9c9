"""Commands on bookings, drawn and tried on a store and the naive model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from pmscore.booking.model.lifecycle import Act
from pmscore.booking.use_cases.amend import RoomAmendment
from pmscore.booking.use_cases.assign_automatically import AssignmentReport
from pmscore.booking.views import BookingReceipt
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import BookingId, HoldId
from pmscore.kernel.money import Money
from pmscore.testing.comparison import units_by_night
from pmscore.testing.draws import Chance
from pmscore.testing.driver import Duel
from pmscore.testing.naive_model import (
    STEPS,
    ModelBooking,
    ModelRoom,
)
from pmscore.testing.scenes import EUR, FIRST_DAY, Scene, nights, stay

__all__ = ["BookingSteps"]

ACTS = (
    (4, Act.CONFIRM),
    (1, Act.DECLINE),
    (1, Act.EXPIRE),
    (6, Act.CANCEL),
    (8, Act.CHECK_IN),
    (2, Act.UNDO_CHECK_IN),
    (6, Act.CHECK_OUT),
    (3, Act.UNDO_CHECK_OUT),
    (3, Act.MARK_NO_SHOW),
    (6, Act.REINSTATE),
    (1, Act.REFUND),
)


class BookingSteps(Duel):
    """Making, repeating, changing, moving and ending bookings."""

    def __init__(self, scene: Scene, chance: Chance) -> None:
        super().__init__(scene, chance)
        self._made: list[tuple[Callable[[], BookingReceipt], BookingReceipt]] = []

    def create(self) -> None:
        """Make a booking of one or two rooms, sometimes optional, oversellable, or taking up a hold."""
        rooms = [self._drawn_room() for _ in range(1 + self._chance.happens(20))]
        guest = self._chance.one_of(self._guests)
        is_optional, may_oversell = self._chance.happens(20), self._chance.happens(8)
        hold_ids = (
            (self._chance.one_of(tuple(self._model.holds)),)
            if self._model.holds and self._chance.happens(25)
            else ()
        )
        once = OnceKey(f"step-{len(self.steps)}", "POST /bookings", "same")
        now = self._now()
        requests = tuple(
            self._scene.request(
                stay(room.first, room.end - room.first),
                unit_type_id=room.type_id,
                unit_id=next(iter(room.units.values()), None),
                rate=Money(room.rate, EUR),
            )
            for room in rooms
        )

        def make() -> BookingReceipt:
            return self._scene.book(
                *requests,
                guest=guest,
                once=once,
                option_until=now + timedelta(hours=1) if is_optional else None,
                hold_ids=tuple(HoldId(each) for each in hold_ids),
                may_oversell=may_oversell,
            )

        def model(receipt: BookingReceipt | None) -> None:
            for at, room in enumerate(rooms):
                room.room_id = receipt.room_ids[at] if receipt else UUID(int=at)
                only_unit = self._commands.only_unit(room.type_id)
                if not room.units and only_unit is not None:
                    room.units = dict.fromkeys(range(room.first, room.end), only_unit)
            booking = ModelBooking("pending" if is_optional else "confirmed", guest, rooms, now)
            booking.option_until = now + timedelta(hours=1) if is_optional else None
            booking_id = receipt.booking_id if receipt else UUID(int=99)
            self._commands.create(booking_id, booking, now, hold_ids=hold_ids, may_oversell=may_oversell)

        receipt = self._both(f"create {rooms} holds={hold_ids} oversell={may_oversell}", make, model)
        if receipt is not None:
            self._made.append((make, receipt))

    def repeat(self) -> None:
        """Send an earlier request once more, with its key; nothing may happen."""
        if self._made:
            make, receipt = self._chance.one_of(self._made)
            again = self._both(f"repeat {receipt.reference}", make, lambda _: None)
            if again != receipt:
                self._fail(f"the reply was {receipt}, and is now {again}")

    def act(self) -> None:
        """Take some booking some step."""
        if self._model.bookings:
            booking_id = self._chance.one_of(tuple(self._model.bookings))
            status = self._model.bookings[booking_id].status
            fitting = tuple(each for each in Act if status in STEPS[each.value])
            act = (
                self._chance.one_of(fitting)
                if fitting and self._chance.happens(50)
                else self._chance.weighted(ACTS)
            )
            now = self._now()
            self._both(
                f"{act.value} {booking_id}",
                lambda: self._scene.act(BookingId(booking_id), act),
                lambda _: self._commands.act(booking_id, act.value, now),
                touched=booking_id,
            )

    def amend(self) -> None:
        """Change nights, rate and sometimes type of one room."""
        if self._model.bookings:
            booking_id, number, room = self._drawn_booked_room()
            type_id = (
                self._chance.one_of(tuple(self._model.types)) if self._chance.happens(15) else room.type_id
            )
            first = room.first
            if self._chance.happens(50):
                first = max(first + self._chance.below(5) - 2, self._model.today)
            end = first + 1 + self._chance.below(5)
            rate, now = 100_00 + self._chance.below(3), self._now()
            amendment = RoomAmendment(
                room_id=self._scene.booking(BookingId(booking_id)).rooms[number].room_id,
                stay=stay(first, end - first),
                unit_type_id=type_id,
                nightly=(Money(rate, EUR),) * (end - first),
            )
            self._both(
                f"amend {booking_id} room {number} to {first}-{end} of {type_id}",
                lambda: self._scene.amend(BookingId(booking_id), amendment),
                lambda _: self._commands.amend(booking_id, number, type_id, first, end, rate, now),
                touched=booking_id,
            )

    def assign(self) -> None:
        """Give a room a unit of its own or another type, from its first night or a later one, or take it back."""
        if self._model.bookings:
            booking_id, number, room = self._drawn_booked_room()
            own = self._model.types[room.type_id].units
            units = own if own and self._chance.happens(80) else self._units
            unit_id = None if self._chance.happens(15) else self._chance.one_of(units)
            start = room.first + (
                self._chance.below(room.end - room.first) if self._chance.happens(35) else 0
            )
            locks, now = self._chance.one_of((None, None, True, False)), self._now()
            room_id = self._scene.booking(BookingId(booking_id)).rooms[number].room_id
            self._both(
                f"assign {booking_id} room {number} to {unit_id} from {start} locks={locks}",
                lambda: self._scene.assign(
                    BookingId(booking_id),
                    room_id,
                    unit_id,
                    from_night=FIRST_DAY + timedelta(days=start),
                    locks=locks,
                ),
                lambda _: self._commands.assign(booking_id, number, unit_id, start, now, locks=locks),
                touched=booking_id,
            )

    def assign_all(self) -> None:
        """Assign arrivals automatically; the model takes over what came of it, and checks that it may."""
        arrivals = nights(self._model.today + self._chance.below(4), 1 + self._chance.below(6))
        moves_others, may_split = self._chance.happens(50), self._chance.happens(50)

        def model(report: AssignmentReport | None) -> None:
            unplaced = {each for left in report.unplaced for each in left.room_ids} if report else set[UUID]()
            first, end = ((day - FIRST_DAY).days for day in (arrivals.start, arrivals.end))
            for booking_id, booking in self._model.bookings.items():
                for room, stored in zip(
                    booking.rooms, self._scene.booking(BookingId(booking_id)).rooms, strict=True
                ):
                    units = units_by_night(stored)
                    may_move = moves_others and booking.status == "confirmed" and not room.is_locked
                    if units != room.units and (
                        not first <= room.first < end or (room.units and not may_move)
                    ):
                        self._fail(f"room {room.room_id} was moved from {room.units} to {units}")
                    room.units = units
                    if self._commands.lacks_unit(booking, room, first, end) and room.room_id not in unplaced:
                        self._fail(f"room {room.room_id} has no unit, and the report does not say why")

        self._both(
            f"assign_all {arrivals} moves={moves_others} splits={may_split}",
            lambda: self._scene.assign_all(arrivals, moves_others=moves_others, may_split=may_split),
            model,
        )

    def _drawn_booked_room(self) -> tuple[UUID, int, ModelRoom]:
        booking_id = self._chance.one_of(tuple(self._model.bookings))
        rooms = self._model.bookings[booking_id].rooms
        number = self._chance.below(len(rooms))
        return booking_id, number, rooms[number]
