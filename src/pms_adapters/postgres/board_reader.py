"""The availability reader that search uses: the agency's stock board while it is young, the database otherwise.

Owns the choice, once for each reader, so that one search is not answered half from memory. What occupies a house asks
whose claims they are, and is always read from the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, TypeVar

from pms_adapters.postgres.availability import PostgresAvailability
from pms_adapters.postgres.boards import Boards
from pms_adapters.postgres.followed import FollowedBoard
from pms_adapters.postgres.houses import KnownHouse
from pmscore.availability.model import OccupiedRange
from pmscore.availability.ports import AvailabilityReader
from pmscore.availability.views.stock_board import StockBoard
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.ids import ActorId, AgencyId, PropertyId, UnitId, UnitTypeId
from pmscore.restrictions.model.book import RuleBook

__all__ = ["BOARD", "SQL", "BoardReader"]

BOARD: Final = "board"
SQL: Final = "sql"

ResultT = TypeVar("ResultT")


class BoardReader(AvailabilityReader):
    """One agency's stock, as far as ``reach`` goes; made for one question of one actor."""

    def __init__(
        self,
        boards: Boards,
        agency_id: AgencyId,
        actor_id: ActorId,
        *,
        otherwise: PostgresAvailability,
        reach: frozenset[PropertyId] | None = None,
    ) -> None:
        self._boards = boards
        self._key = agency_id, actor_id
        self._otherwise = otherwise
        self._reach = reach
        self._board: FollowedBoard | None = None
        self._source = ""

    @property
    def source(self) -> str:
        """Where the answers came from: ``board``, or ``sql`` as soon as one did; empty before any was given."""
        return self._source

    def houses(self, property_ids: Iterable[PropertyId] = ()) -> tuple[House, ...]:
        wanted = tuple(property_ids)
        board = self._chosen()
        if board is None:
            return self._otherwise.houses(wanted)
        known = self._reached(board)
        if not wanted:
            return tuple(each.house for each in known)
        by_id = {each.house.property.property_id: each.house for each in known}
        for property_id in wanted:
            if property_id not in by_id:
                # It may have been made a moment ago.
                return self._by_sql().houses(wanted)
        return tuple(each.house for each in known if each.house.property.property_id in wanted)

    def rules(self, property_ids: Iterable[PropertyId]) -> Mapping[PropertyId, RuleBook]:
        wanted = frozenset(property_ids)
        board = self._chosen()
        if board is None:
            return self._otherwise.rules(wanted)
        found = ((each.house.property.property_id, each.rules) for each in self._reached(board))
        return {property_id: rules for property_id, rules in found if property_id in wanted}

    def claimed(
        self, unit_type_ids: Iterable[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, tuple[int, ...]]:
        wanted = tuple(unit_type_ids)
        found = self._asked((nights,), lambda board: board.claimed(wanted, nights, now))
        return self._by_sql().claimed(wanted, nights, now) if found is None else found

    def claims_by_kind(
        self, unit_type_ids: Iterable[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, Mapping[ClaimKind, tuple[int, ...]]]:
        wanted = tuple(unit_type_ids)
        found = self._asked((nights,), lambda board: board.claims_by_kind(wanted, nights, now))
        return self._by_sql().claims_by_kind(wanted, nights, now) if found is None else found

    def free_units(
        self, wanted: Mapping[UnitTypeId, DateRange], now: datetime
    ) -> Mapping[UnitTypeId, tuple[UnitId, ...]]:
        found = self._asked(wanted.values(), lambda board: board.free_units(wanted, now))
        return self._by_sql().free_units(wanted, now) if found is None else found

    def occupied(
        self, property_id: PropertyId, nights: DateRange, now: datetime
    ) -> tuple[OccupiedRange, ...]:
        return self._by_sql().occupied(property_id, nights, now)

    def _chosen(self) -> FollowedBoard | None:
        """Return the board if this reader answers from it, chosen at its first question."""
        if not self._source:
            self._board = self._boards.find_current(*self._key)
            self._source = SQL if self._board is None else BOARD
            self._boards.count(self._source)
        return self._board

    def _asked(
        self, nights: Iterable[DateRange], question: Callable[[StockBoard], ResultT]
    ) -> ResultT | None:
        board = self._chosen()
        return None if board is None else board.ask(nights, question)

    def _by_sql(self) -> PostgresAvailability:
        """Return the database, from which this and all later questions are answered."""
        if self._source != SQL:
            self._boards.count(SQL, instead_of=self._source)
            self._source, self._board = SQL, None
        return self._otherwise

    def _reached(self, board: FollowedBoard) -> tuple[KnownHouse, ...]:
        reach = self._reach
        return tuple(
            each for each in board.known if reach is None or each.house.property.property_id in reach
        )
