"""Which of our types and plans is which room and rate of a platform.

Owns the pairs and finding them. Leaves what is missing among them to ``policies.mapping_check``. Where a
type, a plan, a code or the occupancies of a pair change, it gets a new id: what the platform was told under
the old one says nothing about the new one.
"""

from __future__ import annotations

from attrs import Factory, field, frozen

from pmscore.kernel.ids import ConnectionId, MappingId, UnitId, UnitTypeId

__all__ = ["MappedRate", "MappedRoom", "MappingBook"]


@frozen(kw_only=True)
class MappedRoom:
    """A type that is sold as a room of the platform; ``unit_id`` where the platform sells one unit by itself."""

    mapping_id: MappingId
    connection_id: ConnectionId
    unit_type_id: UnitTypeId
    room_code: str
    unit_id: UnitId | None = None


@frozen(kw_only=True)
class MappedRate:
    """A plan that is sold for a type as a rate of a room of the platform.

    ``occupancies`` are the numbers of adults whose price is told one by one; without any, the price of the included
    guests is told, as occupancy 0.
    """

    mapping_id: MappingId
    connection_id: ConnectionId
    unit_type_id: UnitTypeId
    plan: str
    room_code: str
    rate_code: str
    occupancies: tuple[int, ...] = ()

    @property
    def prices_for(self) -> tuple[int, ...]:
        """The occupancies of the rows of its rate: 0 where the included guests are meant."""
        return self.occupancies or (0,)


def _rooms_by_code(book: MappingBook) -> dict[str, MappedRoom]:
    return {each.room_code: each for each in book.rooms}


def _rates_by_code(book: MappingBook) -> dict[tuple[str, str], MappedRate]:
    return {(each.room_code, each.rate_code): each for each in book.rates}


def _by_id(book: MappingBook) -> dict[MappingId, MappedRoom | MappedRate]:
    every: tuple[MappedRoom | MappedRate, ...] = (*book.rooms, *book.rates)
    return {each.mapping_id: each for each in every}


@frozen
class MappingBook:
    """All pairs of one connection."""

    rooms: tuple[MappedRoom, ...] = ()
    rates: tuple[MappedRate, ...] = ()
    _rooms: dict[str, MappedRoom] = field(
        init=False, repr=False, eq=False, default=Factory(_rooms_by_code, takes_self=True)
    )
    _rates: dict[tuple[str, str], MappedRate] = field(
        init=False, repr=False, eq=False, default=Factory(_rates_by_code, takes_self=True)
    )
    _by_id: dict[MappingId, MappedRoom | MappedRate] = field(
        init=False, repr=False, eq=False, default=Factory(_by_id, takes_self=True)
    )

    def room(self, code: str) -> MappedRoom | None:
        """Return what is sold as the room of that code."""
        return self._rooms.get(code)

    def rate(self, room_code: str, rate_code: str) -> MappedRate | None:
        """Return what is sold as the rate of that code for the room."""
        return self._rates.get((room_code, rate_code))

    def by_id(self, mapping_id: MappingId) -> MappedRoom | MappedRate | None:
        """Return the pair with this id."""
        return self._by_id.get(mapping_id)
