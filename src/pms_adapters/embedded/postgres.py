"""PostgreSQL 18 from its wheel, as a server of this process.

Owns addresses, passwords and the command line. ``server`` starts and stops it, ``cluster`` makes its data. Everybody
needs a password, the superuser too. Each role's password follows from the superuser's, so that migrations can set it
and others can find it without another file. No TCP unless a port is asked for, and then loopback only.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import signal
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from pms_adapters.embedded.account import Account
from pms_adapters.embedded.binaries import find_postgres_programs
from pms_adapters.embedded.cluster import DATABASE, SUPERUSER, Cluster
from pms_adapters.embedded.errors import FolderUnusableError
from pms_adapters.embedded.home import Home, folder_mark
from pms_adapters.embedded.server import EmbeddedServer
from pmscore.kernel.errors import MisuseError

__all__ = ["EmbeddedPostgres"]

_USUAL_PORT = 5432
_NOBODY_HAS_THIS_PID = 2_000_000_000  # Linux counts to 4,194,304


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL 18 server in ``home``.

    With ``is_durable`` False commits survive a kill but no power cut, which is faster: for data nobody will miss.
    """

    server = "postgres"
    process = "postgres"
    ending: ClassVar[tuple[tuple[signal.Signals, float], ...]] = (
        (signal.SIGINT, 20.0),
        (signal.SIGQUIT, 5.0),
        (signal.SIGKILL, 5.0),
    )

    def __init__(
        self,
        home: Home,
        *,
        port: int | None = None,
        shared_buffers_mb: int = 256,
        max_connections: int = 100,
        is_durable: bool = True,
        doomed: tuple[Path, ...] = (),
    ) -> None:
        super().__init__(home, port=port, doomed=doomed)
        self._shared_buffers_mb = shared_buffers_mb
        self._max_connections = max_connections
        self._is_durable = is_durable
        self._cluster: Cluster | None = None

    def url(self, *, role: str = SUPERUSER, database: str = DATABASE) -> str:
        """Return the URL for ``role``, password included, in the form that libpq and SQLAlchemy read.

        Raises:
            MisuseError: the server was not started.
            FolderUnusableError: the superuser's password cannot be read.
        """
        return self._address(f"{quote(role, safe='')}:{self.password(role)}", database)

    def password(self, role: str = SUPERUSER) -> str:
        """Return the password that ``role`` has, or is to be given when it is made.

        Raises:
            MisuseError: the server was not started.
            FolderUnusableError: the superuser's password cannot be read.
        """
        secret = self._known_cluster().read_password()
        if role == SUPERUSER:
            return secret
        return hmac.new(secret.encode(), role.encode(), hashlib.sha256).hexdigest()

    def program(self, name: str) -> Path:
        """Return the path of one of PostgreSQL's programs, such as ``pgbench`` or ``pg_dump``."""
        return self._known_cluster().programs / name

    def _address(self, credentials: str = SUPERUSER, database: str = DATABASE) -> str:
        if self._sockets is None:
            raise MisuseError(reason="not_started")
        name = quote(database, safe="")
        if self._port is not None:
            return f"postgresql://{credentials}@127.0.0.1:{self._port}/{name}"
        return f"postgresql://{credentials}@/{name}?host={quote(str(self._sockets))}&port={_USUAL_PORT}"

    def _find_programs(self, account: Account, state: Path) -> None:
        self._cluster = Cluster(
            folder=self.folder,
            programs=find_postgres_programs(account, state),
            account=account,
            is_durable=self._is_durable,
        )

    def _prepare(self, sockets: Path, *, held: tuple[int, ...]) -> tuple[str, ...]:
        cluster = self._known_cluster()
        cluster.prepare(held=held)
        cluster.configure(
            sockets=sockets,
            port=self._port or _USUAL_PORT,
            listens=self._port is not None,
            shared_buffers_mb=self._shared_buffers_mb,
            max_connections=self._max_connections,
            mark=folder_mark(cluster.folder),
        )
        _disown_pid_file(cluster.data)
        options = ("-D", str(cluster.data), "-c", f"config_file={cluster.configuration}")
        return (str(cluster.programs / "postgres"), *options)

    def _is_ready(self, pid: int) -> bool:
        """Read what pg_ctl reads: the postmaster writes its pid first and its state last."""
        file = self._known_cluster().data / "postmaster.pid"
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def _is_accepting(self) -> bool:
        port = str(self._port or _USUAL_PORT)
        where = ("--host", str(self._sockets), "--port", port)
        account = self._known_cluster().account
        return account.run((self.program("pg_isready"), "--quiet", *where)).returncode == 0

    def _known_cluster(self) -> Cluster:
        if self._cluster is None:
            raise MisuseError(reason="not_started")
        return self._cluster


def _disown_pid_file(data: Path) -> None:
    """Make the pid file of a dead postmaster name no living process, so that the next one does not yield to it.

    Only called with the lock held and no process left on the data, which is what the file is there to prove. It is
    not simply removed, because PostgreSQL frees the dead one's shared memory by what else it says.
    """
    file = data / "postmaster.pid"
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        raise FolderUnusableError.of(data, error) from error
    with os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace") as opened:
        pid, newline, rest = opened.read().partition("\n")
        if not (pid.isascii() and pid.isdigit() and newline):
            file.unlink()
            return
        opened.seek(0)
        opened.write(f"{_NOBODY_HAS_THIS_PID}\n{rest}")
        opened.truncate()
