"""What the core needs from outside: time, ids, a transaction, a queue.

Owns the ports that every context shares; each context declares its own repositories beside its use cases.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from pmscore.kernel.events import Command, Event, Json

__all__ = ["Clock", "IdSource", "JobQueue", "UnitOfWork", "Work"]

WorkT_co = TypeVar("WorkT_co", bound="Work", covariant=True)


class Clock(Protocol):
    """Tells the time; the only way in which the core learns it."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""


class IdSource(Protocol):
    """Draws ids that nobody has drawn before and nobody can guess."""

    @abstractmethod
    def new(self) -> UUID:
        """Return a fresh id."""


class Work(Protocol):
    """One transaction on behalf of one command; leaving it without a commit undoes everything."""

    @abstractmethod
    def record(self, *events: Event) -> None:
        """Add events to be stored with the state, in this order."""

    @abstractmethod
    def commit(self) -> None:
        """Make state and events durable, all or nothing.

        Writes are sent here, in one fixed order (key, aggregates, type nights, unit nights, guests,
        events), so two transactions never wait for each other in a circle.

        Raises:
            NightsTakenError: another claim holds wanted nights; nothing was written.
            StaleVersionError: something that was read has changed; nothing was written.
        """

    @abstractmethod
    def commit_once(self, reply: Mapping[str, Json]) -> Mapping[str, Json]:
        """Commit under the command's idempotency key and return the reply that stands for it.

        On repetition nothing is written and the first reply comes back, equal in every field. Without a
        key this is :meth:`commit`.

        Raises:
            KeyReusedError: the key belongs to another request.
            RequestInProgressError: the first request is still running.
        """

    @abstractmethod
    def find_reply(self) -> Mapping[str, Json] | None:
        """Return the reply that is stored under the command's idempotency key; None without one.

        For a repetition whose values would be refused by now: what was done once was done.

        Raises:
            KeyReusedError: the key belongs to another request.
        """


class UnitOfWork(Protocol[WorkT_co]):
    """Opens transactions; one per process, safe to share between threads."""

    @abstractmethod
    def begin(self, command: Command) -> AbstractContextManager[WorkT_co]:
        """Open a transaction that sees and writes the command's agency only."""


class JobQueue(Protocol):
    """Hands work to another process; carries ids only."""

    @abstractmethod
    def enqueue(self, job: str, *ids: UUID) -> None:
        """Ask for ``job`` to be run at least once with ``ids``."""
