"""One agency's stock board, kept up with the store by the log of events.

Owns the position in the log and what is read again when something has happened. Each turn reads one snapshot: every
event that it shows and that was not there before, and the sources that those name, as the snapshot has them. So the
board is always what the store was at one moment, also where events of a transaction that began earlier come later:
the position stays below the oldest running transaction, and what was read beyond it is remembered one by one. Leaves
when to take a turn, and who may be answered, to ``boards``.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from threading import Lock
from typing import LiteralString, TypeVar
from uuid import UUID

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.postgres.events import Position
from pms_adapters.postgres.houses import HouseMemory, KnownHouse, load_house
from pms_adapters.postgres.session import Row, Session
from pms_adapters.postgres.standings import StandingRows, read_standings, read_standings_of
from pmscore.availability.views.stock_board import StockBoard
from pmscore.dates.nights import FIRST_DAY, LAST_DAY
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import ActorId, AgencyId, PropertyId
from pmscore.kernel.ports import Clock

__all__ = ["FollowedBoard", "OutOfReachError", "ToldEvent"]

NIGHTS_BEFORE, NIGHTS_AFTER = 60, 800
"""The nights of a board, counted from the day on which it was read."""
LONGEST_WINDOW = timedelta(days=7)
MOST_EVENTS = 5_000
_STOCK = frozenset({"booking", "hold", "block", "allotment"})

_PEEK: LiteralString = f"""\
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       (SELECT count(*) FROM (SELECT 1 FROM events WHERE agency_id = %s AND txid >= %s LIMIT {MOST_EVENTS + 1}) AS e),
       (SELECT coalesce(sum(version), 0)::bigint FROM properties WHERE agency_id = %s)"""
_TOLD: LiteralString = f"""\
SELECT txid, seq, aggregate, aggregate_id FROM events
 WHERE agency_id = %s AND txid >= %s ORDER BY txid, seq LIMIT {MOST_EVENTS + 1}"""
_HORIZON: LiteralString = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_VERSIONS: LiteralString = "SELECT property_id, version FROM properties WHERE agency_id = %s"

ResultT = TypeVar("ResultT")


class OutOfReachError(Exception):
    """The board cannot be kept just now: the agency is too large for it, or too much lies beyond the position."""


@frozen
class ToldEvent:
    """Where an event stands, and what it happened to."""

    position: Position
    aggregate: str
    aggregate_id: UUID


class FollowedBoard:
    """An agency's board; turns are taken by one thread, questions come from any."""

    def __init__(
        self,
        engine: Engine,
        agency_id: AgencyId,
        *,
        clock: Clock,
        houses: HouseMemory,
        most_sources: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.agency_id = agency_id
        self.used_at = monotonic()
        self.retry_at = 0.0
        """When a board that could not be kept is tried again."""
        self.as_of: float | None = None
        """When the snapshot that the board shows was not taken yet; None: it is not known to show any."""
        self._engine = engine
        self._clock = clock
        self._memory = houses
        self._most = most_sources
        self._monotonic = monotonic
        self._lock = Lock()
        self._board: StockBoard | None = None
        self._known: tuple[KnownHouse, ...] = ()
        self._versions = 0
        self._horizon = 0
        self._ahead: frozenset[Position] = frozenset()
        self._wrote: dict[ActorId, float] = {}
        self._wrote_lock = Lock()

    def __len__(self) -> int:
        board = self._board
        return 0 if board is None else len(board)

    @property
    def horizon(self) -> int:
        """The transaction below which every event has been read; none will ever appear there."""
        return self._horizon

    @property
    def known(self) -> Sequence[KnownHouse]:
        """The houses with their rules, by name and id."""
        return self._known

    def wrote(self, actor_id: ActorId) -> None:
        """Remember that this actor has changed something: they are not shown a board from before."""
        with self._wrote_lock:
            self._wrote[actor_id] = self._monotonic()

    def is_young(self, oldest_seconds: float) -> bool:
        """Return whether the board shows what the store was so many seconds ago, or later."""
        as_of = self.as_of
        return as_of is not None and self._monotonic() - as_of <= oldest_seconds

    def is_current(self, actor_id: ActorId, oldest_seconds: float) -> bool:
        """Return whether the board is young enough, and shows all that the actor has written through this process."""
        as_of, wrote_at = self.as_of, self._wrote.get(actor_id)
        return self.is_young(oldest_seconds) and (
            wrote_at is None or (as_of is not None and as_of > wrote_at)
        )

    def ask(self, nights: Iterable[DateRange], question: Callable[[StockBoard], ResultT]) -> ResultT | None:
        """Return the answer of the board, None where there is none or it has not all of these nights."""
        with self._lock:
            board = self._board
            if board is None or not all(board.covers(each) for each in nights):
                return None
            return question(board)

    def give_way(self) -> None:
        """Answer nobody until the next turn has succeeded."""
        self.as_of = None

    def forget(self) -> None:
        """Throw the board away; the next turn reads all of it again."""
        self.as_of = None
        with self._lock:
            self._board = None

    def follow(self) -> None:
        """Take one turn: bring the board to a snapshot that is taken now.

        Raises:
            OutOfReachError: it cannot be kept just now.
            UnreachableError: the database did not answer.
        """
        started = self._monotonic()
        today = self._clock.now().date()
        board = self._board
        if board is None or not timedelta() <= today - _read_on(board) <= LONGEST_WINDOW:
            self._read_all(today)
        else:
            with Session(self._engine, self.agency_id) as session:
                values = (self.agency_id, self._horizon, self.agency_id)
                ((horizon, count, versions),) = session.read([(_PEEK, values)])[0]
            if count == len(self._ahead) and versions == self._versions:
                self._stand(_number(horizon), self._ahead)
            else:
                self._catch_up(board)
        self.as_of = started
        with self._wrote_lock:
            self._wrote = {actor: at for actor, at in self._wrote.items() if at >= started}

    def _read_all(self, today: date) -> None:
        nights = _window(today)
        with Session(self._engine, self.agency_id, of_snapshot=True) as session:
            horizon = _number(session.run([(_HORIZON, ())])[0][0][0])
            told, versions = self._read_log(session, horizon)
            known = self._houses(session, versions)
            rows = read_standings(session, nights.start, most=self._most + 1)
            session.abandon()
        if len(rows) > self._most:
            raise OutOfReachError(f"more than {self._most} bookings, holds and blocks")
        board = StockBoard([each.house for each in known], nights, rows.standings())
        self._show(board, known, horizon, told)

    def _catch_up(self, board: StockBoard) -> None:
        with Session(self._engine, self.agency_id, of_snapshot=True) as session:
            horizon = _number(session.run([(_HORIZON, ())])[0][0][0])
            told, versions = self._read_log(session, self._horizon)
            changed = self._changed([each for each in told if each.position not in self._ahead])
            known = self._houses(session, versions)
            rows = StandingRows([], [], [])
            if changed:
                rows = read_standings_of(session, board.nights.start, changed)
            session.abandon()
        sources = {str(source_id) for ids in changed.values() for source_id in ids}
        with self._lock:
            # Until all of it is there, none of it may be seen.
            self._board = None
            board = board.for_houses([each.house for each in known])
            board.replace(sources, rows.standings())
        self._show(board, known, horizon, told)

    def _changed(self, events: Iterable[ToldEvent]) -> Mapping[str, set[UUID]]:
        """Return the sources whose claims may have changed, by aggregate."""
        found: defaultdict[str, set[UUID]] = defaultdict(set)
        for event in events:
            if event.aggregate in _STOCK:
                found[event.aggregate].add(event.aggregate_id)
        return found

    def _read_log(self, session: Session, horizon: int) -> tuple[list[ToldEvent], list[Row]]:
        """Return the events from a transaction on, in the order of the log, and the versions of the houses.

        Raises:
            OutOfReachError: there are too many; what is remembered has been forgotten.
        """
        rows, versions = session.run([(_TOLD, (self.agency_id, horizon)), (_VERSIONS, (self.agency_id,))])
        if len(rows) > MOST_EVENTS:
            self.forget()
            raise OutOfReachError(f"more than {MOST_EVENTS} events beyond the position")
        return [_told(*row) for row in rows], versions  # type: ignore[arg-type]

    def _houses(self, session: Session, versions: list[Row]) -> tuple[KnownHouse, ...]:
        """Return the houses at these versions, of which those that are remembered are not read again."""
        found: list[KnownHouse] = []
        for key, version in versions:
            property_id = PropertyId(key) if isinstance(key, UUID) else PropertyId(UUID(int=0))
            known = self._memory.find(self.agency_id, property_id)
            if known is None or known.house.property.version != version:
                known = load_house(session, property_id)
                self._memory.keep(self.agency_id, known)
            found.append(known)
        self._versions = sum(each.house.property.version for each in found)
        return tuple(
            sorted(found, key=lambda each: (each.house.property.name, each.house.property.property_id))
        )

    def _show(
        self, board: StockBoard, known: tuple[KnownHouse, ...], horizon: int, told: Iterable[ToldEvent]
    ) -> None:
        with self._lock:
            self._board, self._known = board, known
        self._stand(horizon, frozenset(each.position for each in told))

    def _stand(self, horizon: int, read: frozenset[Position]) -> None:
        """Remember the position: all below the horizon, and beyond it these."""
        self._horizon = horizon
        self._ahead = frozenset(each for each in read if each.transaction >= horizon)


def _window(today: date) -> DateRange:
    first = max(today - timedelta(days=NIGHTS_BEFORE), FIRST_DAY)
    return DateRange(first, min(today + timedelta(days=NIGHTS_AFTER), LAST_DAY))


def _read_on(board: StockBoard) -> date:
    return board.nights.start + timedelta(days=NIGHTS_BEFORE)


def _told(txid: int, seq: int, aggregate: str, aggregate_id: UUID) -> ToldEvent:
    return ToldEvent(Position(txid, seq), aggregate, aggregate_id)


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(type(value))
    return value
