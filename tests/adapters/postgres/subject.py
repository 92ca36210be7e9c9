"""The PostgreSQL store as the laws see it: a thin wrapper with what only tests need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from pms_adapters.postgres.access_reader import PostgresAccess
from pms_adapters.postgres.availability import PostgresAvailability
from pms_adapters.postgres.engine import open_engine
from pms_adapters.postgres.events import Position as StoredPosition
from pms_adapters.postgres.events import read_events
from pms_adapters.postgres.exchange import PostgresExchangeRates
from pms_adapters.postgres.pricing import PostgresPrices, QuoterMemory
from pms_adapters.postgres.transaction import PostgresUnitOfWork, PostgresWork
from pms_adapters.postgres.verify import verify
from pms_adapters.system import SystemClock, TimeOrderedIds
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ActorId, AgencyId, RequestId
from pmscore.testing.journal import LoggedEvent, Position

BY_SEQUENCE = """\
SELECT agency_id, txid, seq, kind, aggregate, aggregate_id, version, actor_id, request_id, payload
  FROM events WHERE seq > %s ORDER BY seq"""

# A guard against hanging: a crowd on a slow machine is to get its turn, and be told what it would be told there.
PATIENT_MS = 60_000


class PostgresStore:
    """All of a store under test, on one migrated database."""

    def __init__(self, app_url: str, admin_url: str, *, lock_timeout_ms: int = PATIENT_MS) -> None:
        self.engine = open_engine(
            app_url,
            size=40,
            wait_seconds=30,
            lock_timeout_ms=lock_timeout_ms,
            statement_timeout_ms=2 * PATIENT_MS,
        )
        self.quoters = QuoterMemory()
        self.uow = PostgresUnitOfWork(
            self.engine, clock=SystemClock(), ids=TimeOrderedIds(), quoters=self.quoters
        )
        self._admin_url = admin_url
        self._hook: Callable[[], None] | None = None

    @contextmanager
    def begin(self, command: Command) -> Iterator[PostgresWork]:
        with self.uow.begin(command) as work:
            self._hold_open(work)
            yield work

    def events_after(self, position: Position, agency_id: AgencyId | None = None) -> tuple[LoggedEvent, ...]:
        after = StoredPosition(*position)
        found = [
            (agency_id, event)
            for agency_id in (self._agencies_with_events() if agency_id is None else [agency_id])
            for event in read_events(self.engine, agency_id, after=after, limit=100_000)
        ]
        found.sort(key=lambda pair: pair[1].position)
        return tuple(
            LoggedEvent(
                position=(event.position.transaction, event.position.sequence),
                agency_id=agency_id,
                actor_id=event.actor_id,
                request_id=event.request_id,
                kind=event.kind,
                aggregate=event.aggregate,
                aggregate_id=event.aggregate_id,
                version=event.version,
                payload=event.payload,
            )
            for agency_id, event in found
        )

    def events_after_sequence(self, sequence: int) -> tuple[LoggedEvent, ...]:
        with psycopg.connect(self._admin_url) as connection:
            rows = connection.execute(BY_SEQUENCE, (sequence,)).fetchall()
        return tuple(
            LoggedEvent(
                position=(txid, seq),
                agency_id=AgencyId(agency_id),
                actor_id=ActorId(actor_id),
                request_id=RequestId(request_id),
                kind=kind,
                aggregate=aggregate,
                aggregate_id=aggregate_id,
                version=version,
                payload=payload,
            )
            for agency_id, txid, seq, kind, aggregate, aggregate_id, version, actor_id, request_id, payload in rows
        )

    def violated_invariants(self) -> tuple[str, ...]:
        # The laws write bookings without their events, which only use cases record.
        found = (each for each in verify(self._admin_url) if each.code != "history_is_whole")
        return tuple(f"{each.says}: {each.where}" for each in found)

    @contextmanager
    def before_visible(self, hook: Callable[[], None]) -> Iterator[None]:
        self._hook = hook
        try:
            yield
        finally:
            self._hook = None

    def availability(self, agency_id: AgencyId) -> PostgresAvailability:
        return PostgresAvailability(self.engine, agency_id)

    def prices(self, agency_id: AgencyId) -> PostgresPrices:
        return PostgresPrices(self.engine, agency_id, self.quoters)

    def exchange_rates(self, agency_id: AgencyId) -> PostgresExchangeRates:
        return PostgresExchangeRates(self.engine, agency_id)

    def access(self) -> PostgresAccess:
        return PostgresAccess(self.engine)

    def close(self) -> None:
        self.engine.dispose()

    def _agencies_with_events(self) -> list[AgencyId]:
        with psycopg.connect(self._admin_url) as connection:
            rows = connection.execute("SELECT DISTINCT agency_id FROM events").fetchall()
        return [AgencyId(row[0]) for row in rows]

    def _hold_open(self, work: PostgresWork) -> None:
        """Let the next commit write everything, then call the hook, and only then commit."""
        session = work._session
        commit, run_whole = session.commit, session.run_whole

        def held_commit(statements: Any = ()) -> Any:
            if self._hook is None:
                return commit(statements)
            session.run(list(statements) or [("SELECT 1", ())])
            self._fire()
            return commit()

        def held_whole(*statements: Any) -> Any:
            if self._hook is None:
                return run_whole(*statements)
            session.run([("SELECT 1", ())])
            answer = run_whole(*statements)
            self._fire()
            commit()
            return answer

        session.commit = held_commit
        session.run_whole = held_whole

    def _fire(self) -> None:
        hook, self._hook = self._hook, None
        if hook is not None:
            hook()
