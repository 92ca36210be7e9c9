"""Saying which of our types and plans is which room and rate of a platform, and what is missing among them.

Owns replacing all pairs of a connection at once. A pair that stays the same keeps its id, and with it what the
platform was told; every other one gets a new id.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve, frozen

from pmscore.channels.model.events import MappingChanged
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.policies.mapping_check import Gap, gaps
from pmscore.channels.ports import ChannelMeans, ChannelWork
from pmscore.channels.use_cases.gateways import gateway_of
from pmscore.inventory.model.house import House
from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ConnectionId, MappingId, UnitId, UnitTypeId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.kernel.text import checked_text
from pmscore.restrictions.model.book import RuleBook

__all__ = [
    "CheckMappings",
    "RateWanted",
    "ReplaceMappings",
    "RoomWanted",
    "check_mappings",
    "replace_mappings",
]

MOST_GUESTS = 50


@frozen(kw_only=True)
class RoomWanted:
    """A type that is to be sold as a room of the platform."""

    unit_type_id: UnitTypeId
    room_code: str
    unit_id: UnitId | None = None


@frozen(kw_only=True)
class RateWanted:
    """A plan that is to be sold for a type as a rate of a room."""

    unit_type_id: UnitTypeId
    plan: str
    room_code: str
    rate_code: str
    occupancies: tuple[int, ...] = ()


@frozen(kw_only=True)
class ReplaceMappings(Command):
    """Put these pairs in place of those that a connection has."""

    connection_id: ConnectionId
    rooms: tuple[RoomWanted, ...]
    rates: tuple[RateWanted, ...]


@frozen(kw_only=True)
class CheckMappings(Command):
    """Look for what is missing or wrong in the pairs of a connection."""

    connection_id: ConnectionId


def replace_mappings(
    command: ReplaceMappings,
    *,
    uow: UnitOfWork[ChannelWork],
    clock: Clock,
    ids: IdSource,
    means: ChannelMeans,
) -> MappingBook:
    """Replace the pairs of a connection; revisions that waited for a pair are tried again.

    Raises:
        NotFoundError: no such connection within reach.
        InvalidInputError: field ``rooms`` or ``rates``: a type or unit that the house has not, an empty code,
            a code twice, or
            a number of guests that cannot be.
    """
    now = clock.now()
    with uow.begin(command) as work:
        connection = work.connections.get(command.connection_id)
        if connection.property_id is None:
            raise InvalidInputError("rooms", "not_found")
        (house,) = means.availability(command.agency_id).houses([connection.property_id])
        _require_sound(command, house)
        before = work.mappings.book(command.connection_id)
        after = MappingBook(
            tuple(_room(each, command.connection_id, before, ids) for each in command.rooms),
            tuple(_rate(each, command.connection_id, before, ids) for each in command.rates),
        )
        if _all_ids(after) == _all_ids(before):
            return before
        work.cells.forget_mapping(sorted(_all_ids(before) - _all_ids(after)))
        work.mappings.replace(command.connection_id, after)
        changed = evolve(connection, version=connection.version + 1, updated_at=now)
        work.connections.save(changed)
        for lane in work.lanes.of(command.connection_id):
            if lane.lane is Lane.BOOKINGS:
                work.lanes.wake(lane.lane_id, now)
        work.record(
            MappingChanged(
                aggregate_id=command.connection_id,
                version=changed.version,
                property_id=connection.property_id,
                rooms=len(after.rooms),
                rates=len(after.rates),
            )
        )
        work.commit()
    return after


def check_mappings(
    command: CheckMappings, *, uow: UnitOfWork[ChannelWork], means: ChannelMeans
) -> tuple[Gap, ...]:
    """Return what is missing or wrong in the pairs of a connection.

    Raises:
        NotFoundError: no such connection within reach, or it is of no property.
        MisconfiguredError: its gateway is not installed.
    """
    with uow.begin(command) as work:
        connection = work.connections.read(command.connection_id)
        if connection.property_id is None:
            raise NotFoundError("property", None)
        mappings = work.mappings.book(command.connection_id)
        book = work.prices.find(connection.property_id)
    gateway = gateway_of(connection, means)
    reader = means.availability(command.agency_id)
    (house,) = reader.houses([connection.property_id])
    rules = reader.rules([connection.property_id]).get(connection.property_id, RuleBook())
    return gaps(house, book, mappings, gateway.manifest, rules.rules)


def _require_sound(command: ReplaceMappings, house: House) -> None:
    for field, types, codes in (
        (
            "rooms",
            [each.unit_type_id for each in command.rooms],
            [(each.room_code,) for each in command.rooms],
        ),
        (
            "rates",
            [each.unit_type_id for each in command.rates],
            [(each.room_code, each.rate_code) for each in command.rates],
        ),
    ):
        if any(each not in house.types for each in types):
            raise InvalidInputError(field, "not_found")
        for code in (each for pair in codes for each in pair):
            checked_text(code, field=field)
        if len({*codes}) < len(codes):
            raise InvalidInputError(field, "repeated")
    if any(each.unit_id is not None and each.unit_id not in house.units for each in command.rooms):
        raise InvalidInputError("rooms", "not_found")
    if not all(1 <= each <= MOST_GUESTS for rate in command.rates for each in rate.occupancies):
        raise InvalidInputError("rates", "out_of_range", least=1, most=MOST_GUESTS)


def _room(wanted: RoomWanted, connection_id: ConnectionId, before: MappingBook, ids: IdSource) -> MappedRoom:
    made = MappedRoom(
        mapping_id=MappingId(ids.new()),
        connection_id=connection_id,
        unit_type_id=wanted.unit_type_id,
        room_code=wanted.room_code.strip(),
        unit_id=wanted.unit_id,
    )
    known = before.room(made.room_code)
    return known if known is not None and evolve(made, mapping_id=known.mapping_id) == known else made


def _rate(wanted: RateWanted, connection_id: ConnectionId, before: MappingBook, ids: IdSource) -> MappedRate:
    made = MappedRate(
        mapping_id=MappingId(ids.new()),
        connection_id=connection_id,
        unit_type_id=wanted.unit_type_id,
        plan=wanted.plan,
        room_code=wanted.room_code.strip(),
        rate_code=wanted.rate_code.strip(),
        occupancies=tuple(sorted({*wanted.occupancies})),
    )
    known = before.rate(made.room_code, made.rate_code)
    return known if known is not None and evolve(made, mapping_id=known.mapping_id) == known else made


def _all_ids(book: MappingBook) -> frozenset[MappingId]:
    every: Iterable[MappedRoom | MappedRate] = (*book.rooms, *book.rates)
    return frozenset(each.mapping_id for each in every)
