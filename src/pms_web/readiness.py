"""Asking every component whether it is there.

Owns how long a component may take to answer, and the shape of the answer. Leaves the questions to the probes. A probe
runs on a thread of its own, one a component, so that one that hangs costs a time-out and not the app.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as ProbeTimeoutError
from threading import Lock

from pmscore.kernel.errors import PmsError
from pmscore.kernel.events import Json, to_json
from pmscore.kernel.ports import Clock

__all__ = ["COMPONENTS", "ComponentDownError", "Probe", "Readiness"]

COMPONENTS = ("db", "redis", "worker", "schema")
PROBE_SECONDS = 2.0

Probe = Callable[[], Mapping[str, object] | None]
"""Asks one component whether it is there: raises if not, else returns details, None where it is switched off."""


class ComponentDownError(Exception):
    """A component is not there; the text says in a few words why."""


class Readiness:
    """Asks every component; safe to share between threads."""

    def __init__(self, probes: Mapping[str, Probe], clock: Clock, *, seconds: float = PROBE_SECONDS) -> None:
        self._probes = probes
        self._clock = clock
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(probes)), thread_name_prefix="probe")
        self._running: dict[str, Future[Mapping[str, object] | None]] = {}
        self._lock = Lock()

    def check(self) -> dict[str, Json]:
        """Return the state of all components, those that are switched off as up and skipped."""
        asked = {name: self._ask(name) for name in COMPONENTS if name in self._probes}
        components: dict[str, Json] = {}
        for name in COMPONENTS:
            state = _skipped() if name not in asked else self._outcome(asked[name])
            components[name] = {**state, "checked_at": self._now()}
        is_up = all(isinstance(each, dict) and each["status"] == "up" for each in components.values())
        return {"status": "up" if is_up else "down", "components": components, "checked_at": self._now()}

    def _ask(self, name: str) -> Future[Mapping[str, object] | None]:
        """Return the running question to a component, or ask a new one: never two at once."""
        with self._lock:
            running = self._running.get(name)
            if running is None or running.done():
                running = self._running[name] = self._pool.submit(self._probes[name])
            return running

    def _outcome(self, question: Future[Mapping[str, object] | None]) -> dict[str, Json]:
        try:
            details = question.result(timeout=self._seconds)
        except ProbeTimeoutError:
            return {"status": "down", "error": f"no answer within {self._seconds:g} seconds"}
        except (ComponentDownError, PmsError) as error:
            return {"status": "down", "error": str(error)}
        except Exception as error:  # noqa: BLE001 - whatever a component says, readiness answers
            return {"status": "down", "error": f"{type(error).__name__}"}
        if details is None:
            return _skipped()
        return {"status": "up", "details": to_json(details)} if details else {"status": "up"}

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _skipped() -> dict[str, Json]:
    return {"status": "up", "details": {"skipped": True}}
