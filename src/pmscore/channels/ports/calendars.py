"""Writing the calendars that platforms fetch from us."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from pmscore.channels.views.calendar import BusyRange

__all__ = ["CalendarWriter"]


class CalendarWriter(Protocol):
    """Writes what a room's calendar says in a form that platforms read."""

    @abstractmethod
    def written(self, ranges: Iterable[BusyRange], *, made_at: datetime) -> bytes:
        """Return the calendar, made at an instant."""

    @abstractmethod
    def tag(self, ranges: Iterable[BusyRange]) -> str:
        """Return an opaque tag, the same as long as the calendar says the same."""
