"""Random histories of commands, each answered by a store and by the naive model.

Owns how answers and state are compared after each command. Leaves which are tried to ``booking_steps`` and
``stock_steps``, and the rules to ``naive_model`` and ``model_commands``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from pmscore.kernel.errors import NightsTakenError, TransitionError
from pmscore.kernel.ids import BookingId, UnitId
from pmscore.testing.comparison import differences
from pmscore.testing.draws import Chance
from pmscore.testing.model_commands import ModelCommands
from pmscore.testing.naive_model import (
    ModelHouse,
    ModelRefusal,
    ModelRoom,
    ModelType,
)
from pmscore.testing.scenes import FIRST_DAY, Scene

__all__ = ["Duel"]

ResultT = TypeVar("ResultT")
MOST_READS = 1_000


class Duel:
    """One scene, one model of it, and the steps taken so far. Every step raises where the two differ."""

    def __init__(self, scene: Scene, chance: Chance) -> None:
        self._scene = scene
        self._chance = chance
        self._guests = (scene.guest_id, scene.add_guest().guest_id)
        house = scene.house()
        types = {
            type_id: ModelType(
                rooms=[(0, house.types[type_id].capacities[0].rooms)],
                overbooking=house.types[type_id].overbooking,
                turnover=house.types[type_id].turnover_nights,
                units=tuple(unit.unit_id for unit in house.units_of(type_id)),
            )
            for type_id in scene.type_ids
        }
        self._units = tuple(unit_id for each in types.values() for unit_id in each.units)
        self._model = ModelHouse(types=types)
        self._commands = ModelCommands(self._model)
        self.steps: list[str] = []
        self.answers: Counter[str] = Counter()

    def check_log(self) -> None:
        """Compare the event log with the bookings: each version of each was recorded, in order.

        A reader may be shown the newest events later, while some transaction that is none of ours is running
        (the database's own housekeeping); so it reads again before it says that one is missing.
        """
        missing = self._missing_from_log()
        reads = 1
        while missing is not None and reads < MOST_READS:
            missing = self._missing_from_log()
            reads += 1
        if missing is not None:
            self._fail(missing)

    def _missing_from_log(self) -> str | None:
        """Return what the log lacks, in words."""
        versions: dict[UUID, list[int]] = {}
        for event in self._scene.store.events_after((0, 0), self._scene.agency_id):
            if event.aggregate == "booking":
                versions.setdefault(event.aggregate_id, []).append(event.version)
        for booking_id in self._model.bookings:
            last = self._scene.booking(BookingId(booking_id)).version
            found = versions.get(booking_id, [])
            if found != sorted(found) or set(found) != set(range(1, last + 1)):
                return f"booking {booking_id} is at {last}, its events say {found}"
        return None

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
        type_id = self._chance.one_of(tuple(self._model.types))
        unit_type = self._model.types[type_id]
        first = self._model.today + (0 if self._chance.happens(35) else self._chance.below(8))
        end = first + 1 + self._chance.below(4)
        units: dict[int, UnitId] = {}
        if unit_type.units and self._chance.happens(40):
            units = dict.fromkeys(range(first, end), self._chance.one_of(unit_type.units))
        return ModelRoom(
            UUID(int=0), type_id, first, end, 100_00 + self._chance.below(3), unit_type.turnover, units
        )
