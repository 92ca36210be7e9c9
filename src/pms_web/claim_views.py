"""Blocks and holds as JSON."""

from __future__ import annotations

from typing import Annotated, TypedDict

from pms_web.reply_parts import id_text
from pms_web.wire import DateText, IdText, InstantText, OneOf
from pmscore.inventory.model.blocks import Block, BlockKind
from pmscore.inventory.model.holds import Hold, HoldStatus

__all__ = ["BlockBody", "HoldBody", "block_body", "hold_body"]

BlockBody = TypedDict(
    "BlockBody",
    {
        "id": IdText,
        "property_id": IdText,
        "unit_type_id": IdText,
        "unit_id": IdText,
        "from": DateText,
        "to": DateText,
        "kind": Annotated[str, OneOf(BlockKind)],
        "reason": str,
        "version": int,
    },
)
"""Nights on which a unit is not for sale; ``to`` is not one of them."""


class HoldBody(TypedDict):
    """A room that is kept for somebody until ``expires_at``."""

    id: IdText
    property_id: IdText
    unit_type_id: IdText
    unit_id: IdText | None
    arrival: DateText
    departure: DateText
    expires_at: InstantText
    status: Annotated[str, OneOf(HoldStatus)]
    version: int


def block_body(block: Block) -> BlockBody:
    """Return a block."""
    return {
        "id": str(block.block_id),
        "property_id": str(block.property_id),
        "unit_type_id": str(block.unit_type_id),
        "unit_id": str(block.unit_id),
        "from": block.nights.start.isoformat(),
        "to": block.nights.end.isoformat(),
        "kind": block.kind.value,
        "reason": block.note,
        "version": block.version,
    }


def hold_body(hold: Hold) -> HoldBody:
    """Return a hold."""
    return {
        "id": str(hold.hold_id),
        "property_id": str(hold.property_id),
        "unit_type_id": str(hold.unit_type_id),
        "unit_id": id_text(hold.unit_id),
        "arrival": hold.stay.arrival.isoformat(),
        "departure": hold.stay.departure.isoformat(),
        "expires_at": hold.expires_at.isoformat(),
        "status": hold.status.value,
        "version": hold.version,
    }
