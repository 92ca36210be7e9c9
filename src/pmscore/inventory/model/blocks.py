"""Blocks: nights on which a unit is not for sale.

Owns the kinds of block and what they claim. Leaves maintenance tickets and tasks to housekeeping.
"""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import ClassVar

from attrs import evolve, frozen

from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Decision, Event
from pmscore.kernel.ids import BlockId, PropertyId, UnitId, UnitTypeId
from pmscore.kernel.text import checked_text

__all__ = ["Block", "BlockChanged", "BlockFilter", "BlockKind"]

LONGEST_BLOCK_NIGHTS = 1096


class BlockKind(Enum):
    """Why a unit is blocked; ``OUT_OF_ORDER`` is counted apart, since reports take it off the rooms."""

    MANUAL = "manual"
    MAINTENANCE = "maintenance"
    OWNER_STAY = "owner_stay"
    OUT_OF_ORDER = "out_of_order"


@frozen(kw_only=True)
class BlockChanged(Event):
    """A block was made, or lifted."""

    aggregate: ClassVar[str] = "block"

    property_id: PropertyId
    unit_id: UnitId
    block_kind: str
    first_night: date
    end: date


@frozen(kw_only=True)
class Block:
    """A unit kept from sale on each night of a range. ``note`` is for staff and stays out of events."""

    block_id: BlockId
    property_id: PropertyId
    unit_id: UnitId
    unit_type_id: UnitTypeId
    nights: DateRange
    kind: BlockKind
    note: str = ""
    version: int = 1

    def __attrs_post_init__(self) -> None:
        checked_text(self.note, field="note", longest=500, may_be_empty=True)
        if self.nights.length > LONGEST_BLOCK_NIGHTS:
            raise InvalidInputError("end", "too_long", most_nights=LONGEST_BLOCK_NIGHTS)

    def made(self) -> Decision[Block]:
        """Return the new block and its event."""
        return Decision(self, (_event(self, "block.created"),))

    def lifted(self) -> Decision[Block]:
        """Return the block as it was lifted and its event."""
        after = evolve(self, version=self.version + 1)
        return Decision(after, (_event(after, "block.removed"),))

    def claims(self) -> tuple[Claim, ...]:
        """Return what the block claims while it stands."""
        is_broken = self.kind is BlockKind.OUT_OF_ORDER
        kind = ClaimKind.OUT_OF_ORDER if is_broken else ClaimKind.BLOCKED
        return (Claim(kind, self.block_id, self.unit_type_id, self.nights, self.unit_id),)


def _event(block: Block, kind: str) -> BlockChanged:
    return BlockChanged(
        kind=kind,
        aggregate_id=block.block_id,
        version=block.version,
        unit_id=block.unit_id,
        property_id=block.property_id,
        block_kind=block.kind.value,
        first_night=block.nights.start,
        end=block.nights.end,
    )


@frozen(kw_only=True)
class BlockFilter:
    """Conditions of a list of blocks, which all hold; one that is left out lets everything pass.

    ``nights`` are those of which a block has at least one; ``note`` is the whole note.
    """

    property_id: PropertyId | None = None
    nights: DateRange | None = None
    note: str | None = None

    def admits(self, block: Block) -> bool:
        """Return whether the list shows the block."""
        return (
            (self.property_id is None or block.property_id == self.property_id)
            and (self.nights is None or block.nights.overlaps(self.nights))
            and (self.note is None or block.note == self.note)
        )
