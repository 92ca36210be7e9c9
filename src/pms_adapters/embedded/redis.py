"""Redis as a server of this process: the messenger, whose loss costs time and never data.

Owns addresses, password, data folder and configuration; ``server`` starts and stops it. Everybody needs a password. A
unix socket always, loopback TCP where a port is asked for. What is written survives a kill but for the last second
(``appendfsync everysec``), and nothing is evicted, because a queue is no cache.
"""

from __future__ import annotations

import secrets
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from pms_adapters.embedded.account import Account
from pms_adapters.embedded.binaries import find_redis_program
from pms_adapters.embedded.errors import FolderUnusableError
from pms_adapters.embedded.home import Home
from pms_adapters.embedded.lock import write_private
from pms_adapters.embedded.server import EmbeddedServer
from pmscore.kernel.errors import MisuseError

__all__ = ["EmbeddedRedis"]

_SOCKET = "redis.sock"


class EmbeddedRedis(EmbeddedServer):
    """A Redis server in ``home``.

    ``path`` is where a ``redis-server`` is looked for before the wheel's; None is the process's own search path.
    """

    server = "redis"
    process = "redis-server"
    ending: ClassVar[tuple[tuple[signal.Signals, float], ...]] = (
        (signal.SIGTERM, 10.0),
        (signal.SIGKILL, 5.0),
    )

    def __init__(
        self, home: Home, *, port: int | None = None, path: str | None = None, doomed: tuple[Path, ...] = ()
    ) -> None:
        super().__init__(home, port=port, doomed=doomed)
        self._path = path
        self._program: Path | None = None

    def url(self, *, database: int = 0) -> str:
        """Return the URL, password included, in the form that redis-py reads.

        Raises:
            MisuseError: the server was not started.
        """
        return self._address(f":{self.password()}@", database)

    def password(self) -> str:
        """Return the password, made at the first start.

        Raises:
            MisuseError: the server was not started.
            FolderUnusableError: it cannot be written.
        """
        file = self.folder / "password"
        with suppress(OSError, ValueError):
            known = file.read_text(encoding="ascii").strip()
            if known:
                return known
        made = secrets.token_hex(24)
        write_private(file, made, is_durable=True)
        return made

    def _address(self, credentials: str = "", database: int = 0) -> str:
        if self._sockets is None:
            raise MisuseError(reason="not_started")
        if self._port is not None:
            return f"redis://{credentials}127.0.0.1:{self._port}/{database}"
        return f"unix://{credentials}{quote(str(self._sockets / _SOCKET))}?db={database}"

    def _find_programs(self, account: Account, state: Path) -> None:
        self._program = find_redis_program(account, state, path=self._path)

    def _prepare(self, sockets: Path, *, held: tuple[int, ...]) -> tuple[str, ...]:  # noqa: ARG002
        if self._account is None:
            raise MisuseError(reason="not_started")
        _make_data(self.folder / "data", self._account)
        configuration = self.folder / "redis.conf"
        write_private(configuration, self._settings(sockets))
        self._account.own(configuration)
        return (str(self._program), str(configuration))

    def _settings(self, sockets: Path) -> str:
        lines = (
            "# Written at each start.",
            f"dir {_quote(self.folder / 'data')}",
            f"unixsocket {_quote(sockets / _SOCKET)}",
            "unixsocketperm 700",
            f"port {self._port or 0}",
            "bind 127.0.0.1",
            f"requirepass {self.password()}",
            "daemonize no",
            'logfile ""',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
        )
        return "\n".join(lines) + "\n"

    def _is_ready(self, pid: int) -> bool:  # noqa: ARG002 - answering is proof enough
        return self._is_accepting()

    def _is_accepting(self) -> bool:
        """Whether the server takes the password and has read its data."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(2)
            try:
                line.connect(f"{self._sockets}/{_SOCKET}")
                line.sendall(f"AUTH {self.password()}\r\nPING\r\nQUIT\r\n".encode())
                answer = b""
                while part := line.recv(4096):
                    answer += part
            except OSError:
                return False
        return b"+PONG" in answer


def _make_data(data: Path, account: Account) -> None:
    try:
        with suppress(FileExistsError):
            data.mkdir(mode=0o700)
            account.own(data)
        owner = data.stat().st_uid
    except OSError as error:
        raise FolderUnusableError.of(data, error) from error
    if owner != account.uid:
        raise FolderUnusableError(data, "not_ours")


def _quote(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
