"""Before a worker starts: waiting until database and Redis can be reached, by name and then by TCP.

Owns what is tried and for how long. Leaves what happens when a server goes away later to the processes.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from attrs import frozen
from psycopg.conninfo import conninfo_to_dict

from pms_adapters.settings import Settings
from pmscore.kernel.errors import UnreachableError

__all__ = ["Place", "places", "wait_for_servers"]

CONNECT_SECONDS = 3.0


@frozen
class Place:
    """Where a server listens: a host and a port, or with ``port`` None the path of a socket."""

    name: str
    host: str
    port: int | None

    def __str__(self) -> str:
        where = self.host if self.port is None else f"{self.host}:{self.port}"
        return f"{self.name} ({where})"

    def is_there(self) -> bool:
        """Return whether somebody takes a connection there."""
        try:
            if self.port is None:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                    line.settimeout(CONNECT_SECONDS)
                    line.connect(self.host)
            else:
                socket.create_connection((self.host, self.port), timeout=CONNECT_SECONDS).close()
        except OSError:
            return False
        return True


def places(settings: Settings) -> tuple[Place, ...]:
    """Return the servers to wait for; WORKER_WAIT_DB_HOST and its like come before what the URLs say."""
    found = []
    if settings.database_url is not None:
        found.append(_overridden(_database(settings.database_url), settings.worker_wait_db))
    if settings.redis_url is not None:
        found.append(_overridden(_redis(settings.redis_url), settings.worker_wait_redis))
    return tuple(found)


def wait_for_servers(
    settings: Settings,
    say: Callable[[str], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> None:
    """Return when all servers take connections.

    Raises:
        UnreachableError: one of them did not within WORKER_WAIT_TIMEOUT.
    """
    deadline = now() + settings.worker_wait_timeout_seconds
    for place in places(settings):
        say(f"Waiting for {place}...")
        while not place.is_there():
            if now() >= deadline:
                raise UnreachableError(
                    reason="not_there_in_time",
                    server=str(place),
                    seconds=settings.worker_wait_timeout_seconds,
                )
            sleep(settings.worker_wait_interval_seconds)
        say(f"✓ {place.name} is ready")
    say("✓ All dependencies ready")


def _overridden(place: Place, by: tuple[str | None, int | None]) -> Place:
    host, port = by
    if host is None and port is None:
        return place
    return Place(place.name, host or place.host, port or place.port or _USUAL_PORTS[place.name])


def _database(url: str) -> Place:
    known = conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1))
    host = str(known.get("host") or "localhost").split(",")[0]
    port = int(str(known.get("port") or _USUAL_PORTS["Database"]).split(",")[0])
    if host.startswith("/"):
        return Place("Database", f"{host}/.s.PGSQL.{port}", None)
    return Place("Database", host, port)


def _redis(url: str) -> Place:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return Place("Redis", unquote(parts.path), None)
    return Place("Redis", parts.hostname or "localhost", parts.port or _USUAL_PORTS["Redis"])


_USUAL_PORTS = {"Database": 5432, "Redis": 6379}
