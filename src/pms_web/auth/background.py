"""Work whose length must not show in an answer.

Owns one thread and a short queue. What is lost when the process ends is asked for again by whoever misses it, so
nothing that must happen belongs here.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from pmscore.kernel.errors import PmsError

__all__ = ["Background"]

MOST_WAITING = 1_000
_log = logging.getLogger("pms_web.auth")


class Background:
    """Runs calls one after the other, after the answer was given."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Callable[[], object]] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def run(self, call: Callable[[], object]) -> bool:
        """Run ``call`` soon; False where too many wait already."""
        with self._lock:
            # Begun at the first call, so that a server that forks first has the thread where it is needed.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="pms-background", daemon=True)
                self._thread.start()
        try:
            self._queue.put_nowait(call)
        except queue.Full:
            _log.warning("background is full; a call was left out")
            return False
        return True

    def wait(self) -> None:
        """Wait until all that was asked for is done."""
        self._queue.join()

    def _work(self) -> None:
        while True:
            call = self._queue.get()
            try:
                call()
            except PmsError as error:
                _log.warning("background call failed: %s", error)
            except Exception:  # noqa: BLE001 - nobody else would see it
                _log.exception("background call broke")
            finally:
                self._queue.task_done()
