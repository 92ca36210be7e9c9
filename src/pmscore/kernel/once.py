"""Doing something once, however often it is asked for under one idempotency key.

Owns what a repetition gets where what it asks for would be refused by now. Leaves storing key and reply, in the
transaction of the effect, to the unit of work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from pmscore.kernel.errors import DomainError, StaleVersionError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ports import UnitOfWork, Work

__all__ = ["commit_once", "made_or_repeated"]

MadeT = TypeVar("MadeT")


def made_or_repeated(
    command: Command,
    uow: UnitOfWork[Work],
    make: Callable[[], MadeT],
    restored: Callable[[Mapping[str, Json]], MadeT],
) -> MadeT:
    """Return what ``make`` makes; where it is refused, what the first request under the same key has made.

    A repetition meets what the first one has changed, or what time has: its hold is taken up by now, or the
    version that it expects is the one before its own effect.
    """
    try:
        return make()
    except (DomainError, StaleVersionError):
        if command.once is None:
            raise
        with uow.begin(command) as work:
            reply = work.find_reply()
        if reply is None:
            raise
        return restored(reply)


def commit_once(
    work: Work,
    command: Command,
    made: MadeT,
    reply: Callable[[MadeT], Mapping[str, Json]],
    restored: Callable[[Mapping[str, Json]], MadeT],
) -> MadeT:
    """Commit under the command's key, if it has one, and return what stands for it: ``made``, or what was made before."""
    if command.once is None:
        work.commit()
        return made
    return restored(work.commit_once(reply(made)))
