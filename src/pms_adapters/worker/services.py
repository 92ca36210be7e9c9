"""What reactions and jobs are given.

Owns the rule that a reaction has one transaction, which carries its inbox row: the effect and the note that it was
had are written together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from uuid import UUID

from attrs import define, field, frozen
from sqlalchemy import Engine

from pms_adapters.postgres.inbox import AlreadyDoneError, done_once, done_statement
from pms_adapters.postgres.session import Row, Session, Statement, UnmetError
from pms_adapters.postgres.transaction import PostgresUnitOfWork, PostgresWork
from pms_adapters.postgres.writes import Expectation
from pms_adapters.settings import Settings
from pmscore.channels.ports import ChannelMeans
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ActorId, AgencyId, EventId
from pmscore.kernel.ports import Clock, IdSource, JobQueue
from pmscore.webhooks.ports import WebhookMeans

__all__ = ["WORKER", "OnceUnitOfWork", "ReactionServices", "WorkerServices"]

WORKER = ActorId(UUID("00000000-0000-4000-8000-000000000017"))
"""Who acts where nobody asked: the worker itself."""


@frozen(kw_only=True)
class WorkerServices:
    """The parts of a worker; ``uow`` opens transactions of use cases, ``queue`` takes jobs."""

    engine: Engine
    uow: PostgresUnitOfWork
    clock: Clock
    ids: IdSource
    queue: JobQueue
    settings: Settings
    webhooks: WebhookMeans
    channels: ChannelMeans


@define
class ReactionServices:
    """What one reaction to one event may use.

    Either use cases through ``uow``, which take one commit, or ``write``. The reaction does nothing further then.
    """

    agency_id: AgencyId
    event_id: EventId
    reaction: str
    worker: WorkerServices
    calls_out: bool = False
    has_written: bool = field(default=False, init=False)

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.worker.clock

    @property
    def ids(self) -> IdSource:
        """Fresh ids."""
        return self.worker.ids

    @property
    def uow(self) -> OnceUnitOfWork:
        """The unit of work for a use case, with the inbox row in its transaction.

        Raises:
            MisuseError: the reaction calls out, or has written already.
        """
        self._may_write()
        return OnceUnitOfWork(
            self.worker.uow, done_statement(self.agency_id, self.event_id, self.reaction), self._wrote
        )

    def read(self, statement: Statement) -> list[Row]:
        """Return the rows of a statement that only reads, seen as the agency."""
        with Session(self.worker.engine, self.agency_id) as session:
            return session.read([statement])[0]

    def write(self, *statements: Statement) -> list[list[Row]]:
        """Run statements as the agency in one transaction with the inbox row; return the rows of each.

        Raises:
            MisuseError: the reaction calls out, or has written already.
            AlreadyDoneError: another worker was faster; nothing was written.
        """
        self._may_write()
        once = done_once(self.agency_id, self.event_id, self.reaction)
        try:
            with Session(self.worker.engine, self.agency_id) as session:
                answers = session.commit([once, *statements])
        except UnmetError as unmet:
            if unmet.index != 0:
                raise
            raise AlreadyDoneError from unmet
        self._wrote()
        return answers[1 : 1 + len(statements)]

    def _may_write(self) -> None:
        if self.calls_out or self.has_written:
            reason = "calls_out" if self.calls_out else "has_written"
            raise MisuseError(reaction=self.reaction, reason=reason)

    def _wrote(self) -> None:
        self.has_written = True


class OnceUnitOfWork:
    """Opens transactions for use cases; the one that commits carries a statement that must touch one row."""

    def __init__(self, uow: PostgresUnitOfWork, once: Statement, wrote: Callable[[], None]) -> None:
        self._uow = uow
        self._once = once
        self._wrote = wrote

    def begin(self, command: Command) -> _OnceWork:
        """Open a transaction for the command's agency."""
        work = self._uow.begin(command)
        work.require(Expectation(self._once, 1, AlreadyDoneError()))
        return _OnceWork(work, self._wrote)


class _OnceWork:
    """A transaction that says so when it has committed."""

    def __init__(self, work: PostgresWork, wrote: Callable[[], None]) -> None:
        self._work = work
        self._wrote = wrote

    def __enter__(self) -> PostgresWork:
        return self._work.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._work.__exit__(kind, error, trace)
        if self._work.is_committed:
            self._wrote()
