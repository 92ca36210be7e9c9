"""What was made as the replies that are stored under an idempotency key, and back; parts of a house by themselves.

Owns the forms of blocks, holds and allotments: a repetition gets what was made, even when it is gone by now.
Of a new house or a part of one only the ids are stored that were drawn for it: the same request with the same
ids makes the same house.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from uuid import UUID

from attrs import define, frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.blocks import Block, BlockKind
from pmscore.inventory.model.holds import Hold, HoldStatus
from pmscore.inventory.model.house import House, Unit, UnitType
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import AllotmentId, BlockId, HoldId, PropertyId, UnitId, UnitTypeId
from pmscore.kernel.ports import IdSource

__all__ = [
    "TypeInHouse",
    "UnitInHouse",
    "allotment_from_reply",
    "allotment_reply",
    "block_from_reply",
    "block_reply",
    "hold_from_reply",
    "hold_reply",
    "ids_reply",
    "recorded_ids",
    "recorded_version",
]


@frozen(kw_only=True)
class TypeInHouse:
    """A type with its units, and the property's business date and version when it was looked at."""

    property_id: PropertyId
    business_date: date
    version: int
    unit_type: UnitType
    units: tuple[Unit, ...]

    @classmethod
    def of(cls, house: House, unit_type_id: UnitTypeId) -> TypeInHouse:
        """Return one of the house's types.

        Raises:
            NotFoundError: it has no such type.
        """
        return cls(
            property_id=house.property.property_id,
            business_date=house.property.business_date,
            version=house.property.version,
            unit_type=house.type_of(unit_type_id),
            units=house.units_of(unit_type_id),
        )


@frozen(kw_only=True)
class UnitInHouse:
    """A unit, and the property's version when it was looked at."""

    property_id: PropertyId
    version: int
    unit: Unit

    @classmethod
    def of(cls, house: House, unit_id: UnitId) -> UnitInHouse:
        """Return one of the house's units.

        Raises:
            NotFoundError: it has no such unit.
        """
        return cls(
            property_id=house.property.property_id, version=house.property.version, unit=house.unit(unit_id)
        )


def ids_reply(*drawn: UUID, **more: Json) -> dict[str, Json]:
    """Return ids as JSON in the order in which they were drawn."""
    return {"ids": [str(each) for each in drawn], **more}


def recorded_ids(reply: Mapping[str, Json]) -> IdSource:
    """Return a source that draws the ids of :func:`ids_reply` again.

    Raises:
        MisuseError: it did not write the reply; or, later, more ids are drawn than were.
    """
    match reply:
        case {"ids": list(ids)}:
            return _RecordedIds(iter([UUID(str(each)) for each in ids]))
        case _:
            raise MisuseError(reason="not_a_reply_of_ids")


def recorded_version(reply: Mapping[str, Json]) -> int:
    """Return the version of the property that a reply names.

    Raises:
        MisuseError: it names none.
    """
    version = reply.get("version")
    if not isinstance(version, int):
        raise MisuseError(reason="not_a_reply_of_a_house")
    return version


@define
class _RecordedIds(IdSource):
    _left: Iterator[UUID]

    def new(self) -> UUID:
        """Return the next id that was drawn."""
        try:
            return next(self._left)
        except StopIteration:
            raise MisuseError(reason="more_ids_than_were_drawn") from None


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


def allotment_reply(allotment: Allotment) -> dict[str, Json]:
    """Return an allotment as JSON."""
    return {
        "allotment_id": str(allotment.allotment_id),
        "property_id": str(allotment.property_id),
        "unit_type_id": str(allotment.unit_type_id),
        "channel": allotment.channel,
        "first_night": allotment.nights.start.isoformat(),
        "end": allotment.nights.end.isoformat(),
        "guaranteed": allotment.guaranteed,
        "cap": allotment.cap,
        "release_days": allotment.release_days,
        "release_on": None if allotment.release_on is None else allotment.release_on.isoformat(),
        "sold": list(allotment.sold),
        "released_until": None if allotment.released_until is None else allotment.released_until.isoformat(),
        "version": allotment.version,
    }


def allotment_from_reply(reply: Mapping[str, Json]) -> Allotment:
    """Return the allotment that :func:`allotment_reply` wrote.

    Raises:
        MisuseError: it did not.
    """
    match reply:
        case {
            "allotment_id": str(allotment_id),
            "property_id": str(property_id),
            "unit_type_id": str(unit_type_id),
            "channel": str(channel),
            "first_night": str(first_night),
            "end": str(end),
            "guaranteed": int(guaranteed),
            "cap": (int() | None) as cap,
            "release_days": (int() | None) as release_days,
            "release_on": (str() | None) as release_on,
            "sold": list(sold),
            "released_until": (str() | None) as released_until,
            "version": int(version),
        }:
            return Allotment(
                allotment_id=AllotmentId(UUID(allotment_id)),
                property_id=PropertyId(UUID(property_id)),
                unit_type_id=UnitTypeId(UUID(unit_type_id)),
                channel=channel,
                nights=DateRange(date.fromisoformat(first_night), date.fromisoformat(end)),
                guaranteed=guaranteed,
                cap=cap,
                release_days=release_days,
                release_on=_day(release_on),
                sold=tuple(each for each in sold if isinstance(each, int)),
                released_until=_day(released_until),
                version=version,
            )
        case _:
            raise MisuseError(reason="not_a_reply_of_an_allotment")


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
