"""From something that happened in the house to what may differ from what platforms have.

Owns which nights and types an event can touch. Leaves whether anything really differs to the run of a lane: a row too
many costs a look, a row too few would leave a wrong cell, so whatever is not sure to be narrow is wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from attrs import field, frozen

from pmscore.channels.model.ari import Dirty
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.policies.dialects import folds_closures, touched
from pmscore.channels.ports import ChannelMeans, ChannelWork
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import MOST_TURNOVER_NIGHTS
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.kernel.ports import IdSource, UnitOfWork
from pmscore.pricing.model.rules import Stage

__all__ = ["NOTED", "Happened", "Note", "is_noted", "note_event"]

NOTED: Final = (
    "booking.*",
    "hold.*",
    "block.*",
    "allotment.*",
    "house.*",
    "unit_type.*",
    "unit.*",
    "prices.changed",
    "restrictions.changed",
    "channel.mappingChanged",
    "channel.connectionChanged",
    "pms.external.connected",
)
"""The events that can make a difference."""

_STOCK: Final = ("booking.", "hold.", "block.", "allotment.")
_CONNECTION: Final = "channel_connection"
_HARMLESS: Final = frozenset({"knock_digest", "calendar_digest", "webhook_token", "calendar_token", "status"})
"""Fields of a connection after whose change the platform still has what it had."""


@frozen(kw_only=True)
class Happened:
    """An event as the log has it."""

    kind: str
    aggregate: str
    aggregate_id: UUID
    payload: Mapping[str, Json] = field(factory=dict[str, Json])


@frozen(kw_only=True)
class Note(Command):
    """Look at an event for what it changes on platforms."""

    event: Happened


@frozen
class _Touched:
    """Nights and types of a lane; None: all."""

    lane: Lane
    nights: DateRange | None = None
    unit_type_ids: frozenset[UnitTypeId] | None = None
    forgets: bool = False


def note_event(command: Note, *, uow: UnitOfWork[ChannelWork], ids: IdSource, means: ChannelMeans) -> int:
    """Add a row for each lane of each active connection that the event may concern; return how many."""
    event = command.event
    rows: list[Dirty] = []
    with uow.begin(command) as work:
        for connection in work.connections.all_active():
            gateway = means.gateways.get(connection.gateway)
            if gateway is None or not _is_of(event, connection):
                continue
            rows += [
                Dirty(
                    dirty_id=ids.new(),
                    connection_id=connection.connection_id,
                    lane=each.lane,
                    nights=each.nights,
                    unit_type_ids=each.unit_type_ids,
                    forgets=each.forgets,
                )
                for each in _touched(event, connection, gateway.manifest, work)
                if gateway.manifest.fields_of(each.lane)
            ]
        if rows:
            work.dirty.add(*rows)
            work.commit()
    return len(rows)


def is_noted(kind: str) -> bool:
    """Return whether events of this kind can make a difference."""
    return kind in NOTED or f"{kind.partition('.')[0]}.*" in NOTED


def _is_of(event: Happened, connection: Connection) -> bool:
    if connection.property_id is None:
        return False
    if event.aggregate == _CONNECTION:
        return event.aggregate_id == connection.connection_id
    named = event.payload.get("property_id")
    return event.aggregate_id == connection.property_id or named == str(connection.property_id)


def _touched(
    event: Happened, connection: Connection, manifest: Manifest, work: ChannelWork
) -> tuple[_Touched, ...]:
    if event.aggregate == _CONNECTION:
        return _by_connection(event)
    if event.kind.startswith(_STOCK):
        nights, types = _of_stock(event)
        counts = _Touched(Lane.AVAILABILITY, nights, types)
        if not _prices_follow_counts(connection.property_id, work):
            return (counts,)
        return counts, _Touched(Lane.PRICING, nights, types)
    if event.kind == "prices.changed":
        return _folded(manifest, _Touched(Lane.PRICING))
    if event.kind == "restrictions.changed":
        return _folded(manifest, _Touched(Lane.PRICING, _of_rules(event, manifest)))
    return _Touched(Lane.AVAILABILITY), _Touched(Lane.PRICING)


def _by_connection(event: Happened) -> tuple[_Touched, ...]:
    """Return everything; where it may be another listing than before, nobody knows what that has."""
    fields = event.payload.get("fields")
    named = {str(each) for each in fields} if isinstance(fields, list) else None
    if event.kind == "channel.connectionChanged" and named is not None:
        forgets = not named <= _HARMLESS
    else:
        forgets = event.kind == "pms.external.connected"
    return _Touched(Lane.AVAILABILITY, forgets=forgets), _Touched(Lane.PRICING, forgets=forgets)


def _folded(manifest: Manifest, pricing: _Touched) -> tuple[_Touched, ...]:
    """Return a change of plans or rules, and of counts where a closed night is said by a count of none."""
    if not folds_closures(manifest):
        return (pricing,)
    return pricing, _Touched(Lane.AVAILABILITY, pricing.nights)


def _prices_follow_counts(property_id: PropertyId | None, work: ChannelWork) -> bool:
    book = None if property_id is None else work.prices.find(property_id)
    return book is not None and any(rule.stage is Stage.YIELD for rule in book.rules)


def _of_rules(event: Happened, manifest: Manifest) -> DateRange | None:
    """Return the nights of which a platform may have to be told something else; None: all."""
    first, end = _day(event.payload.get("first_night")), _day(event.payload.get("end"))
    return None if first is None or end is None else touched(DateRange(first, end), manifest)


def _of_stock(event: Happened) -> tuple[DateRange | None, frozenset[UnitTypeId] | None]:
    """Return the nights and types whose counts may have changed; None: any, because what was before is not told."""
    payload = event.payload
    if event.kind == "booking.created":
        return _of_rooms(payload.get("rooms"))
    if event.kind.startswith("hold."):
        nights = _nights(payload.get("arrival"), payload.get("departure"))
        return nights, _types(payload.get("unit_type_id"))
    if event.kind in ("block.created", "block.removed"):
        return _nights(payload.get("first_night"), payload.get("end")), None
    return None, None


def _of_rooms(rooms: Json) -> tuple[DateRange | None, frozenset[UnitTypeId] | None]:
    found: DateRange | None = None
    types: set[UnitTypeId] = set()
    for room in rooms if isinstance(rooms, list) else []:
        if not isinstance(room, dict):
            return None, None
        nights = _nights(room.get("arrival"), room.get("departure"))
        units = room.get("units")
        of_units = (
            [each.get("unit_type_id") for each in units if isinstance(each, dict)]
            if isinstance(units, list)
            else []
        )
        named = _types(room.get("unit_type_id"), *of_units)
        if nights is None or named is None:
            return None, None
        found = nights if found is None else found.span(nights)
        types |= named
    return (None, None) if found is None else (found, frozenset(types))


def _nights(first: Json, end: Json) -> DateRange | None:
    """Return the nights between two dates, with those that a room may stay empty after a stay."""
    start, until = _day(first), _day(end)
    if start is None or until is None:
        return None
    return DateRange(start, until + timedelta(days=MOST_TURNOVER_NIGHTS))


def _types(*texts: Json) -> frozenset[UnitTypeId] | None:
    if not all(isinstance(each, str) for each in texts):
        return None
    return frozenset(UnitTypeId(UUID(str(each))) for each in texts)


def _day(text: Json) -> date | None:
    return date.fromisoformat(text) if isinstance(text, str) else None
