"""The worker as one program: a relay and workers of the queue, each a process, started again when they end.

Owns starting, starting again with a growing pause, the heartbeat, and the end: SIGTERM is passed on, what is being
done is finished, and only what does not end in time is killed. Processes end by themselves when this one is gone.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from attrs import define, field

import pmscore
from pms_adapters.queue.rq_queue import open_redis
from pms_adapters.redis.heartbeats import Heartbeat, beat, stop_beating
from pms_adapters.settings import Settings
from pmscore.kernel.errors import PmsError

__all__ = ["Supervisor", "environ_of"]

LONGEST_PAUSE_SECONDS = 30.0
QUIET_SECONDS = 10.0
"""A process that lived so long is started again at once when it ends."""

BEAT_SECONDS = 3.0
END_SECONDS = 20.0
_LOOK_SECONDS = 0.2

_log = logging.getLogger("pms.worker")


@define
class _Child:
    """One process and when it may be started again."""

    kind: str
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = 0.0
    not_before: float = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None


@define
class Supervisor:
    """Keeps the processes of one worker alive; with ``starter``, as long as that process lives."""

    settings: Settings
    workers: int = 1
    commit: str = "unknown"
    starter: int | None = None
    ended: threading.Event = field(factory=threading.Event)
    _children: list[_Child] = field(factory=list)

    def run(self, *, when_ready: Callable[[Heartbeat], None] | None = None) -> None:
        """Run until ``ended`` is set; returns when all processes have ended."""
        me = Heartbeat(
            name=f"pms@{socket.gethostname()}-{os.getpid()}",
            version=pmscore.__version__,
            commit=self.commit,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self._children = [_Child("relay"), *(_Child("queue") for _ in range(self.workers))]
        client = open_redis(self.settings.redis_url or "")
        beaten_at, was_whole = float("-inf"), False
        try:
            self._keep_alive()
            if when_ready is not None:
                when_ready(me)
            while not self.ended.wait(_LOOK_SECONDS) and self.starter in {None, os.getppid()}:
                self._keep_alive()
                is_whole = self._is_whole()
                if is_whole and (not was_whole or time.monotonic() - beaten_at >= BEAT_SECONDS):
                    beaten_at = time.monotonic()
                    _try(lambda: beat(client, me))
                was_whole = is_whole
        finally:
            _try(lambda: stop_beating(client, me))
            self._end()
            client.close()

    def _is_whole(self) -> bool:
        """Whether every process runs."""
        return all(child.is_alive for child in self._children)

    def _keep_alive(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.is_alive:
                continue
            if child.process is not None:
                _note_end(child, child.process.returncode, now)
            if now >= child.not_before:
                child.process = self._started(child.kind)
                child.started_at = now

    def _started(self, kind: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            (sys.executable, "-m", "pms_adapters.worker", kind, str(os.getpid())),
            env=environ_of(self.settings, os.environ),
            stdin=subprocess.DEVNULL,
        )

    def _end(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + END_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def environ_of(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process of the worker: what was found for it, such as embedded servers, stands in it."""
    key = settings.encryption_key
    found = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "ENCRYPTION_KEY": None if key is None else key.reveal(),
    }
    return {**environ, **{name: text for name, text in found.items() if text is not None}}


def _note_end(child: _Child, code: int, now: float) -> None:
    child.process = None
    lived = now - child.started_at
    child.pause = 0.0 if lived >= QUIET_SECONDS else min(LONGEST_PAUSE_SECONDS, child.pause * 2 or 0.5)
    child.not_before = now + child.pause
    _log.warning("%s ended with %s; starting it again in %g s", child.kind, code, child.pause)


def _try(do: Callable[[], None]) -> None:
    try:
        do()
    except PmsError as error:
        _log.warning("no heartbeat: %s", error)
