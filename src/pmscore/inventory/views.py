"""Blocks and holds as the replies that are stored under an idempotency key, and back.

Owns the two forms: a repetition gets what was made, even when it is gone by now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.blocks import Block, BlockKind
from pmscore.inventory.model.holds import Hold, HoldStatus
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import BlockId, HoldId, PropertyId, UnitId, UnitTypeId

__all__ = ["block_from_reply", "block_reply", "hold_from_reply", "hold_reply"]


def block_reply(block: Block) -> dict[str, Json]:
    """Return a block as JSON."""
    return {
        "block_id": str(block.block_id),
        "property_id": str(block.property_id),
        "unit_id": str(block.unit_id),
        "unit_type_id": str(block.unit_type_id),
        "first_night": block.nights.start.isoformat(),
        "end": block.nights.end.isoformat(),
        "kind": block.kind.value,
        "note": block.note,
        "version": block.version,
    }


def block_from_reply(reply: Mapping[str, Json]) -> Block:
    """Return the block that :func:`block_reply` wrote.

    Raises:
        MisuseError: it did not.
    """
    match reply:
        case {
            "block_id": str(block_id),
            "property_id": str(property_id),
            "unit_id": str(unit_id),
            "unit_type_id": str(unit_type_id),
            "first_night": str(first_night),
            "end": str(end),
            "kind": str(kind),
            "note": str(note),
            "version": int(version),
        }:
            return Block(
                block_id=BlockId(UUID(block_id)),
                property_id=PropertyId(UUID(property_id)),
                unit_id=UnitId(UUID(unit_id)),
                unit_type_id=UnitTypeId(UUID(unit_type_id)),
                nights=DateRange(date.fromisoformat(first_night), date.fromisoformat(end)),
                kind=BlockKind(kind),
                note=note,
                version=version,
            )
        case _:
            raise MisuseError(reason="not_a_reply_of_a_block")


def hold_reply(hold: Hold) -> dict[str, Json]:
    """Return a hold as JSON."""
    return {
        "hold_id": str(hold.hold_id),
        "property_id": str(hold.property_id),
        "unit_type_id": str(hold.unit_type_id),
        "unit_id": None if hold.unit_id is None else str(hold.unit_id),
        "arrival": hold.stay.arrival.isoformat(),
        "departure": hold.stay.departure.isoformat(),
        "turnover_nights": hold.turnover_nights,
        "expires_at": hold.expires_at.isoformat(),
        "status": hold.status.value,
        "version": hold.version,
    }


def hold_from_reply(reply: Mapping[str, Json]) -> Hold:
    """Return the hold that :func:`hold_reply` wrote.

    Raises:
        MisuseError: it did not.
    """
    match reply:
        case {
            "hold_id": str(hold_id),
            "property_id": str(property_id),
            "unit_type_id": str(unit_type_id),
            "unit_id": (str() | None) as unit_id,
            "arrival": str(arrival),
            "departure": str(departure),
            "turnover_nights": int(turnover_nights),
            "expires_at": str(expires_at),
            "status": str(status),
            "version": int(version),
        }:
            return Hold(
                hold_id=HoldId(UUID(hold_id)),
                property_id=PropertyId(UUID(property_id)),
                unit_type_id=UnitTypeId(UUID(unit_type_id)),
                unit_id=None if unit_id is None else UnitId(UUID(unit_id)),
                stay=StayRange(date.fromisoformat(arrival), date.fromisoformat(departure)),
                turnover_nights=turnover_nights,
                expires_at=datetime.fromisoformat(expires_at),
                status=HoldStatus(status),
                version=version,
            )
        case _:
            raise MisuseError(reason="not_a_reply_of_a_hold")
