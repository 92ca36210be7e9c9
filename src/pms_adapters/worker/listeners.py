"""Listeners in this process: functions that hear events as they are read from the log, for as long as it runs.

Owns registration, the check of the agency at every emission, trying again, and counts. Nothing is kept: who must not
miss an event is a reaction (``registry``). A listener hears one agency's events only, the one it was registered for.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from threading import Lock

from attrs import define, field, frozen
from sqlalchemy import Engine

from pms_adapters.postgres.events import Position, StoredEvent, read_events
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import AgencyId

__all__ = ["MOST_LISTENERS", "Listeners", "follow"]

MOST_LISTENERS = 100
PAUSES_SECONDS = (1.0, 2.0, 4.0)

Listener = Callable[[AgencyId, StoredEvent], None]

_log = logging.getLogger("pms.worker.listeners")


@frozen
class _Registration:
    agency_id: AgencyId
    kinds: frozenset[str]
    listener: Listener
    name: str

    def hears(self, agency_id: AgencyId, kind: str) -> bool:
        return self.agency_id == agency_id and ("*" in self.kinds or kind in self.kinds)


@define
class Listeners:
    """The listeners of a process; safe to share between threads.

    ``sleep`` waits between tries; ``most`` is how many listeners an agency may have.
    """

    most: int = MOST_LISTENERS
    sleep: Callable[[float], None] = time.sleep
    heard: Counter[str] = field(factory=Counter, init=False)
    """How many events each listener has taken in, by its name."""
    given_up: Counter[str] = field(factory=Counter, init=False)
    """How many events each listener failed on to the last try, by its name."""
    _registered: list[_Registration] = field(factory=list, init=False)
    _lock: Lock = field(factory=Lock, init=False)

    def register(
        self, agency_id: AgencyId, kinds: Iterable[str], listener: Listener, *, name: str
    ) -> Callable[[], None]:
        """Let ``listener`` hear the agency's events of some kinds, ``"*"`` for all; return what ends that.

        Raises:
            MisuseError: the agency has as many listeners as it may have, or one of this name.
        """
        made = _Registration(agency_id, frozenset(kinds), listener, name)
        with self._lock:
            of_agency = [each for each in self._registered if each.agency_id == agency_id]
            if len(of_agency) >= self.most:
                raise MisuseError(listener=name, reason="too_many", most=self.most)
            if any(each.name == name for each in of_agency):
                raise MisuseError(listener=name, reason="name_taken")
            self._registered.append(made)

        def end() -> None:
            with self._lock:
                self._registered[:] = [each for each in self._registered if each is not made]

        return end

    def count(self, agency_id: AgencyId) -> int:
        """Return how many listeners the agency has."""
        with self._lock:
            return sum(each.agency_id == agency_id for each in self._registered)

    def emit(self, agency_id: AgencyId, event: StoredEvent) -> None:
        """Let every listener of the agency hear the event; those that fail try again after all others have heard it."""
        with self._lock:
            hearing = [each for each in self._registered if each.hears(agency_id, event.kind)]
        failed = [each for each in hearing if not self._heard(each, event)]
        for pause in PAUSES_SECONDS:
            if not failed:
                return
            self.sleep(pause)
            failed = [each for each in failed if not self._heard(each, event)]
        for each in failed:
            with self._lock:
                self.given_up[each.name] += 1
            _log.error("listener %s gave up on event %s", each.name, event.event_id)

    def _heard(self, registration: _Registration, event: StoredEvent) -> bool:
        try:
            registration.listener(registration.agency_id, event)
        except Exception as error:  # noqa: BLE001 - a listener that fails harms no other
            _log.warning("listener %s failed: %s", registration.name, type(error).__name__)
            return False
        with self._lock:
            self.heard[registration.name] += 1
        return True


def follow(engine: Engine, agency_id: AgencyId, listeners: Listeners, after: Position) -> Position:
    """Emit what has happened in the agency after a position, in order; return the position reached.

    Row-level security shows the events of this agency only.

    Raises:
        UnreachableError: the database did not answer; what was emitted was heard.
    """
    for event in read_events(engine, agency_id, after=after):
        listeners.emit(agency_id, event)
        after = event.position
    return after
