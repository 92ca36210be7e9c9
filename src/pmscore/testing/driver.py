"""Random histories of commands, each answered by a store and by the naive model.

Owns which commands are tried and how the two are compared after each. Leaves the rules to ``naive_model``
and ``model_commands``; :mod:`pmscore.testing.histories` runs it from Hypothesis.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from pmscore.booking.model.lifecycle import Act
from pmscore.booking.use_cases.amend import RoomAmendment
from pmscore.booking.views import BookingReceipt
from pmscore.inventory.model.blocks import BlockKind
from pmscore.kernel.errors import NightsTakenError, TransitionError
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import BlockId, BookingId, HoldId, UnitId
from pmscore.kernel.money import Money
from pmscore.testing.comparison import differences
from pmscore.testing.model_commands import ModelCommands
from pmscore.testing.naive_model import (
    STEPS,
    ModelBlock,
    ModelBooking,
    ModelHold,
    ModelHouse,
    ModelRefusal,
    ModelRoom,
    ModelType,
)
from pmscore.testing.scenes import EUR, FIRST_DAY, Scene, nights, stay

__all__ = ["Chance", "History"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

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


class Chance(Protocol):
    """Where a history's choices come from: a seed, or Hypothesis."""

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``."""
        ...


class History:
    """One scene, one model of it, and the steps taken so far. Every step raises where the two differ."""

    def __init__(self, scene: Scene, chance: Chance) -> None:
        self._scene = scene
        self._chance = chance
        self._guests = (scene.guest_id, scene.add_guest().guest_id)
        house = scene.house()
        types = {
            type_id: ModelType(
                rooms=[(0, unit_type.capacities[0].rooms)],
                overbooking=unit_type.overbooking,
                turnover=unit_type.turnover_nights,
                units=tuple(unit.unit_id for unit in house.units_of(type_id)),
            )
            for type_id, unit_type in house.types.items()
        }
        self._units = tuple(unit_id for each in types.values() for unit_id in each.units)
        self._model = ModelHouse(types=types)
        self._commands = ModelCommands(self._model)
        self._made: list[tuple[Callable[[], BookingReceipt], BookingReceipt]] = []
        self.steps: list[str] = []
        self.answers: Counter[str] = Counter()
        self._kinds: tuple[tuple[int, Callable[[], None]], ...] = (
            (30, self.create),
            (3, self.repeat),
            (32, self.act),
            (12, self.amend),
            (12, self.assign),
            (8, self.hold),
            (4, self.release),
            (5, self.block),
            (3, self.lift),
            (4, self.wait),
            (5, self.advance),
            (4, self.set_rooms),
        )

    def step(self) -> None:
        """Try one command of a random kind, and compare."""
        self._weighted(self._kinds)()

    def create(self) -> None:
        """Make a booking of one or two rooms, sometimes optional, oversellable, or taking up a hold."""
        rooms = [self._drawn_room() for _ in range(1 + self._happens(20))]
        guest = self._one_of(self._guests)
        is_optional, may_oversell = self._happens(20), self._happens(8)
        hold_ids = (
            (self._one_of(tuple(self._model.holds)),) if self._model.holds and self._happens(25) else ()
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
            booking_id = receipt.booking_id if receipt else UUID(int=99)
            self._commands.create(booking_id, booking, now, hold_ids=hold_ids, may_oversell=may_oversell)

        receipt = self._both(f"create {rooms} holds={hold_ids} oversell={may_oversell}", make, model)
        if receipt is not None:
            self._made.append((make, receipt))

    def repeat(self) -> None:
        """Send an earlier request once more, with its key; nothing may happen."""
        if self._made:
            make, receipt = self._one_of(self._made)
            again = self._both(f"repeat {receipt.reference}", make, lambda _: None)
            if again != receipt:
                self._fail(f"the reply was {receipt}, and is now {again}")

    def act(self) -> None:
        """Take some booking some step."""
        if self._model.bookings:
            booking_id = self._one_of(tuple(self._model.bookings))
            status = self._model.bookings[booking_id].status
            fitting = tuple(each for each in Act if status in STEPS[each.value])
            act = self._one_of(fitting) if fitting and self._happens(50) else self._weighted(ACTS)
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
            type_id = self._one_of(tuple(self._model.types)) if self._happens(15) else room.type_id
            first = room.first
            if self._happens(50):
                first = max(first + self._below(5) - 2, self._model.today)
            end = first + 1 + self._below(5)
            rate, now = 100_00 + self._below(3), self._now()
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
            units = own if own and self._happens(80) else self._units
            unit_id = None if self._happens(15) else self._one_of(units)
            start = room.first + (self._below(room.end - room.first) if self._happens(35) else 0)
            locks, now = self._one_of((None, None, True, False)), self._now()
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

    def hold(self) -> None:
        """Hold a type or a unit for up to an hour."""
        room, minutes, now = self._drawn_room(), 15 + self._below(45), self._now()
        unit_id = next(iter(room.units.values()), None)
        hold = ModelHold(
            room.type_id, unit_id, room.first, room.end, room.turnover, now + timedelta(minutes=minutes)
        )
        self._both(
            f"hold {hold}",
            lambda: self._scene.hold(
                stay(room.first, room.end - room.first),
                minutes=minutes,
                unit_type_id=room.type_id,
                unit_id=unit_id,
            ),
            lambda made: self._commands.hold(made.hold_id if made else UUID(int=98), hold, now),
        )

    def release(self) -> None:
        """Release some hold."""
        if self._model.holds:
            hold_id = self._one_of(tuple(self._model.holds))
            self._both(
                f"release {hold_id}",
                lambda: self._scene.release(HoldId(hold_id)),
                lambda _: self._commands.release(hold_id),
            )

    def block(self) -> None:
        """Block some unit."""
        unit_id, kind = self._one_of(self._units), self._one_of(tuple(BlockKind))
        first, now = self._model.today + self._below(8), self._now()
        end = first + 1 + self._below(4)
        counted_as = "out_of_order" if kind is BlockKind.OUT_OF_ORDER else "blocked"
        block = ModelBlock(counted_as, self._model.type_of(unit_id), unit_id, first, end)
        self._both(
            f"block {block}",
            lambda: self._scene.block(unit_id, nights(first, end - first), kind),
            lambda made: self._commands.block(made.block_id if made else UUID(int=97), block, now),
        )

    def lift(self) -> None:
        """Lift some block."""
        if self._model.blocks:
            block_id = self._one_of(tuple(self._model.blocks))
            self._both(
                f"lift {block_id}",
                lambda: self._scene.lift(BlockId(block_id)),
                lambda _: self._commands.lift(block_id),
            )

    def wait(self) -> None:
        """Let minutes pass, so that holds end."""
        minutes = 10 + self._below(80)
        self._scene.clock.advance(timedelta(minutes=minutes))
        self.steps.append(f"wait {minutes} minutes")

    def advance(self) -> None:
        """Move to the next business date."""
        self._both("advance", self._scene.advance, lambda _: None)
        self._model.today += 1

    def set_rooms(self) -> None:
        """Change a type's capacity from today or a later night on."""
        type_id = self._one_of(tuple(self._model.types))
        rooms, first = 1 + self._below(4), self._model.today + self._below(6)
        self._both(
            f"set {type_id} to {rooms} rooms from {first}",
            lambda: self._scene.set_rooms(type_id, rooms, first=first),
            lambda _: self._model.set_rooms(type_id, rooms, first),
        )

    def check_log(self) -> None:
        """Compare the event log with the bookings: each version of each was recorded once, in order."""
        versions: dict[UUID, list[int]] = {}
        for event in self._scene.store.events_after((0, 0)):
            if event.agency_id == self._scene.agency_id and event.aggregate == "booking":
                versions.setdefault(event.aggregate_id, []).append(event.version)
        for booking_id in self._model.bookings:
            last = self._scene.booking(BookingId(booking_id)).version
            if versions.get(booking_id) != list(range(1, last + 1)):
                self._fail(f"booking {booking_id} is at {last}, its events say {versions.get(booking_id)}")

    def _both(
        self,
        step: str,
        command: Callable[[], ResultT],
        model: Callable[[ResultT | None], None],
        *,
        touched: UUID | None = None,
    ) -> ResultT | None:
        """Send the command, do the same to the model, and compare answers and state."""
        self.steps.append(step)
        result, reason, taken = self._answer(command)
        wanted, conflict = "done", ModelRefusal("done")
        try:
            model(result)
        except ModelRefusal as refusal:
            wanted, conflict = refusal.reason, refusal
        self.answers[f"{step.partition(' ')[0]} {wanted}"] += 1
        if reason != wanted:
            self._fail(
                f"the store says {reason} {sorted(taken)}, the model {wanted} {sorted(conflict.taken)}"
            )
        if not taken <= conflict.taken:
            self._fail(f"the store found {sorted(taken)} taken, the model {sorted(conflict.taken)}")
        for difference in differences(self._scene, self._model, self._guests, touched):
            self._fail(difference)
        return result

    def _answer(
        self, command: Callable[[], ResultT]
    ) -> tuple[ResultT | None, str, set[tuple[str, int, str]]]:
        try:
            return command(), "done", set()
        except TransitionError:
            return None, "transition", set()
        except NightsTakenError as error:
            taken = {
                (each.code, (each.night - FIRST_DAY).days, str(each.value))
                for each in error.violations
                if each.night is not None
            }
            return None, "taken", taken

    def _fail(self, difference: str) -> None:
        history = "\n".join(f"  {number:3} {step}" for number, step in enumerate(self.steps))
        raise AssertionError(f"{difference}\nafter\n{history}")

    def _now(self) -> datetime:
        return self._scene.clock.now()

    def _drawn_room(self) -> ModelRoom:
        type_id = self._one_of(tuple(self._model.types))
        unit_type = self._model.types[type_id]
        first = self._model.today + (0 if self._happens(35) else self._below(8))
        end = first + 1 + self._below(4)
        units: dict[int, UnitId] = {}
        if unit_type.units and self._happens(40):
            units = dict.fromkeys(range(first, end), self._one_of(unit_type.units))
        return ModelRoom(UUID(int=0), type_id, first, end, 100_00 + self._below(3), unit_type.turnover, units)

    def _drawn_booked_room(self) -> tuple[UUID, int, ModelRoom]:
        booking_id = self._one_of(tuple(self._model.bookings))
        rooms = self._model.bookings[booking_id].rooms
        number = self._below(len(rooms))
        return booking_id, number, rooms[number]

    def _below(self, limit: int) -> int:
        return self._chance.below(limit)

    def _happens(self, percent: int) -> bool:
        return self._chance.below(100) < percent

    def _one_of(self, items: Sequence[ItemT]) -> ItemT:
        return items[self._chance.below(len(items))]

    def _weighted(self, items: Sequence[tuple[int, ItemT]]) -> ItemT:
        at = self._chance.below(sum(weight for weight, _ in items))
        for weight, item in items:
            at -= weight
            if at < 0:
                return item
        return items[-1][1]
