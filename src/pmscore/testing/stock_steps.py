"""Commands on holds, blocks, capacity and time, drawn and tried on a store and the naive model."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from pmscore.inventory.model.blocks import BlockKind
from pmscore.kernel.ids import BlockId, HoldId
from pmscore.testing.driver import Duel
from pmscore.testing.naive_model import (
    ModelBlock,
    ModelHold,
)
from pmscore.testing.scenes import nights, stay

__all__ = ["StockSteps"]


class StockSteps(Duel):
    """Holding, blocking, waiting, and changing how much there is."""

    def hold(self) -> None:
        """Hold a type or a unit for up to an hour."""
        room, minutes, now = self._drawn_room(), 15 + self._chance.below(45), self._now()
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
            hold_id = self._chance.one_of(tuple(self._model.holds))
            self._both(
                f"release {hold_id}",
                lambda: self._scene.release(HoldId(hold_id)),
                lambda _: self._commands.release(hold_id),
            )

    def block(self) -> None:
        """Block some unit."""
        unit_id, kind = self._chance.one_of(self._units), self._chance.one_of(tuple(BlockKind))
        first, now = self._model.today + self._chance.below(8), self._now()
        end = first + 1 + self._chance.below(4)
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
            block_id = self._chance.one_of(tuple(self._model.blocks))
            self._both(
                f"lift {block_id}",
                lambda: self._scene.lift(BlockId(block_id)),
                lambda _: self._commands.lift(block_id),
            )

    def wait(self) -> None:
        """Let minutes pass, so that holds end."""
        minutes = 10 + self._chance.below(80)
        self._scene.clock.advance(timedelta(minutes=minutes))
        self.steps.append(f"wait {minutes} minutes")

    def advance(self) -> None:
        """Move to the next business date."""
        self._both("advance", self._scene.advance, lambda _: None)
        self._model.today += 1

    def set_rooms(self) -> None:
        """Change a type's capacity from today or a later night on."""
        type_id = self._chance.one_of(tuple(self._model.types))
        rooms, first = 1 + self._chance.below(4), self._model.today + self._chance.below(6)
        self._both(
            f"set {type_id} to {rooms} rooms from {first}",
            lambda: self._scene.set_rooms(type_id, rooms, first=first),
            lambda _: self._model.set_rooms(type_id, rooms, first),
        )
