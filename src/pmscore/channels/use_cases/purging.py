"""Deleting what the log of a connection says of the past, for good.

Owns how old is old, the word of whoever means it, and the event that says it was done. Leaves asking for
operations to ``operations``, and what is deleted without anybody asking to ``sweeping``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from pmscore.channels.model.events import LogsPurged
from pmscore.channels.model.operations import PurgeCount
from pmscore.channels.ports import ChannelWork
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ConnectionId
from pmscore.kernel.ports import Clock, UnitOfWork

__all__ = ["PURGE_PHRASE", "PurgeLogs", "preview_purge", "purge_logs"]

PURGE_PHRASE: Final = "PURGE"
"""What somebody writes who means it."""

LEAST_RETENTION: Final = 1
MOST_RETENTION: Final = 3650
_DAY: Final = timedelta(days=1)


@frozen(kw_only=True)
class PurgeLogs(Command):
    """Delete operations of a connection that are older than ``retention_days``, all of them where it is None.

    ``phrase`` says that it is meant.
    """

    connection_id: ConnectionId
    retention_days: int | None
    phrase: str = ""


def preview_purge(command: PurgeLogs, *, uow: UnitOfWork[ChannelWork], clock: Clock) -> PurgeCount:
    """Return what a purge would delete; nothing is written.

    Raises:
        NotFoundError: no such connection in this agency.
        InvalidInputError: field ``retention_days``.
    """
    before = _before(command, clock.now())
    with uow.begin(command) as work:
        work.connections.read(command.connection_id)
        return work.operations.count(command.connection_id, before)


def purge_logs(command: PurgeLogs, *, uow: UnitOfWork[ChannelWork], clock: Clock) -> int:
    """Delete operations of a connection, and record that it was done; return how many.

    Raises:
        NotFoundError: no such connection in this agency.
        InvalidInputError: field ``confirm``: the phrase is not ``PURGE``; or field ``retention_days``.
    """
    if command.phrase != PURGE_PHRASE:
        raise InvalidInputError("confirm", "not_the_phrase", phrase=PURGE_PHRASE)
    before = _before(command, clock.now())
    with uow.begin(command) as work:
        connection = work.connections.get(command.connection_id)
        deleted = work.operations.purge(command.connection_id, before)
        work.record(
            LogsPurged(
                aggregate_id=connection.connection_id,
                version=connection.version,
                property_id=connection.property_id,
                before=before,
                deleted=deleted,
            )
        )
        work.commit()
    return deleted


def _before(command: PurgeLogs, now: datetime) -> datetime:
    if command.retention_days is None:
        # Later than whatever was written by a clock that is ahead.
        return now + _DAY
    if not LEAST_RETENTION <= command.retention_days <= MOST_RETENTION:
        raise InvalidInputError("retention_days", "out_of_range", least=LEAST_RETENTION, most=MOST_RETENTION)
    return now - timedelta(days=command.retention_days)
