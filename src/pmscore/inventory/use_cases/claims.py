"""Taking nights, with expired holds out of the way.

Owns the rule that an expired hold frees its nights without anyone asking: whoever wants the nights
releases it first, in the same transaction. Most claims meet no such hold, so it is looked for only after a
first attempt has met a taken night.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from pmscore.inventory.model.holds import HoldStatus
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import InventoryWork
from pmscore.kernel.errors import NightsTakenError

__all__ = ["change_stock", "claiming"]

ResultT = TypeVar("ResultT")


def claiming(attempt: Callable[[bool], ResultT]) -> ResultT:
    """Run ``attempt(False)``; where it meets taken nights, run it once more with ``True``.

    ``attempt`` opens a transaction of its own and hands its argument to :func:`change_stock`.

    Raises:
        NightsTakenError: the nights are taken by claims that have not expired.
    """
    try:
        return attempt(False)
    except NightsTakenError:
        return attempt(True)


def change_stock(work: InventoryWork, change: StockChange, *, now: datetime, after_conflict: bool) -> None:
    """Apply ``change`` at the commit of ``work``, after a conflict together with the end of expired holds."""
    if after_conflict:
        for hold in work.holds.expired(change, now):
            decision = hold.ended(HoldStatus.EXPIRED)
            work.holds.save(decision.state)
            work.record(*decision.events)
            work.stock.change(StockChange.releasing(*hold.claims()))
    work.stock.change(change)
