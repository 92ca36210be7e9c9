"""When an operation that nobody works on any more is given up, and what its log says then.

Owns the limit and the text. Leaves what a batch makes of its operations to ``model.operations``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attrs import evolve

from pmscore.channels.model.operations import Operation, OperationStatus

__all__ = ["LEAST_STALE_AFTER", "MARKED_STALE", "given_up", "is_stale"]

LEAST_STALE_AFTER: Final = timedelta(minutes=30)
"""No limit is below this: a full synchronisation may be silent for long."""

MARKED_STALE: Final = "Marked stale"
"""How the error of each operation begins that was given up."""


def is_stale(operation: Operation, now: datetime, after: timedelta) -> bool:
    """Return whether an operation has not ended and was not touched for longer than ``after``."""
    return operation.is_open and now - operation.touched_at > after


def given_up(operation: Operation, now: datetime, after: timedelta) -> Operation:
    """Return a stale operation as a failed one."""
    minutes = after // timedelta(minutes=1)
    error = f"{MARKED_STALE} (no update for {minutes} minutes). Likely worker restart or lost DB connection."
    return evolve(operation, status=OperationStatus.FAILED, error=error, updated_at=now)
