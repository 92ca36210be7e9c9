"""A transaction of somebody else with something of ours in it.

Owns the one trick that makes a booking and the link to the platform's booking one commit: whoever opens a transaction
here finds our writes in it already. Leaves what is written to ``applying``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

from attrs import frozen

from pmscore.channels.ports import ChannelWork
from pmscore.kernel.events import Command
from pmscore.kernel.ports import UnitOfWork

__all__ = ["Accompanied"]


@frozen
class Accompanied(UnitOfWork[ChannelWork]):
    """Opens transactions of ``uow`` in which ``stage`` has written already; both are committed, or neither."""

    uow: UnitOfWork[ChannelWork]
    stage: Callable[[ChannelWork], None]

    def begin(self, command: Command) -> AbstractContextManager[ChannelWork]:
        """Open a transaction and stage in it; each attempt of a use case opens one of its own."""
        return self._begun(command)

    @contextmanager
    def _begun(self, command: Command) -> Generator[ChannelWork]:
        with self.uow.begin(command) as work:
            self.stage(work)
            yield work
