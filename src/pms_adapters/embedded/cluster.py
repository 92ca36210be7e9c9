"""The data directory of an embedded PostgreSQL: making it, and the configuration that it is started with.

A directory is made beside its place and moved there when it is whole, so an initdb that was killed half-way leaves
nothing that could be taken for data. What lies in the place and is no data directory is set aside, never deleted.
The configuration is written anew at each start, outside the directory; ``local.conf`` beside it is the operator's.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from pms_adapters.embedded.account import Account
from pms_adapters.embedded.errors import FolderUnusableError, NoServerAccountError, ServerFailedError
from pms_adapters.embedded.lock import write_private

__all__ = ["DATABASE", "SUPERUSER", "Cluster"]

DATABASE = "pms"
SUPERUSER = "postgres"
_VERSION = "18"
_DRAFT = "data.draft-"


@frozen(kw_only=True)
class Cluster:
    """The data of one server, in ``folder``; not durable: survives a kill, but no power cut, and is faster."""

    folder: Path
    programs: Path
    account: Account
    is_durable: bool = True

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def configuration(self) -> Path:
        """The file that the server reads its settings from."""
        return self.folder / "postgresql.conf"

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    def read_password(self) -> str:
        """Return the password of the superuser.

        Raises:
            FolderUnusableError: it cannot be read.
        """
        try:
            return self._password_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise FolderUnusableError(self.folder, "password_unreadable") from error

    def prepare(self, *, held: tuple[int, ...]) -> None:
        """Make the data directory unless there is one; ``held`` stays open in the programs that do it.

        Raises:
            FolderUnusableError: no room, no right, or data of another PostgreSQL.
            NoServerAccountError: the account has no name in the user database, which initdb asks for.
            ServerFailedError: initdb failed.
        """
        for draft in self.folder.glob(f"{_DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)
        if self._is_made():
            if not self._has_password():
                self._renew_password(held)
            return
        if self.data.exists():
            self._set_aside()
        self._make(held)

    def _is_made(self) -> bool:
        try:
            version = (self.data / "PG_VERSION").read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return False
        if not (self.data / "global" / "pg_control").exists():
            return False
        if version != _VERSION:
            raise FolderUnusableError(self.data, "other_version", detail=version[:20])
        if self.data.stat().st_uid != self.account.uid:
            raise FolderUnusableError(self.data, "not_ours")
        return True

    def _has_password(self) -> bool:
        with suppress(FolderUnusableError):
            return bool(self.read_password())
        return False

    def _set_aside(self) -> None:
        for number in range(1, 1000):
            aside = self.folder / f"data.broken-{number}"
            if not aside.exists():
                self.data.rename(aside)
                return
        raise FolderUnusableError(self.folder, "full")

    def _make(self, held: tuple[int, ...]) -> None:
        password = secrets.token_hex(24)
        try:
            draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=self.folder))
            self.account.own(draft)
        except OSError as error:
            raise FolderUnusableError.of(self.folder, error) from error
        try:
            self._run_initdb(draft, password, held)
            self._run_single(draft, f"CREATE DATABASE {DATABASE};\n", held)
            write_private(self._password_file, password, is_durable=self.is_durable)
            draft.rename(self.data)
            if self.is_durable:
                _sync_folder(self.folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _run_initdb(self, draft: Path, password: str, held: tuple[int, ...]) -> None:
        told = self.folder / ".initdb-password"
        told.unlink(missing_ok=True)
        write_private(told, f"{password}\n")
        try:
            self.account.own(told)
            self._run(
                (
                    *("initdb", "--pgdata", str(draft), "--username", SUPERUSER, "--pwfile", str(told)),
                    *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
                    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"),
                    *(() if self.is_durable else ("--no-sync",)),
                ),
                held,
            )
        finally:
            told.unlink(missing_ok=True)

    def _run_single(self, data: Path, sql: str, held: tuple[int, ...]) -> None:
        """Run one statement in a server of its own that nobody can connect to."""
        options = ("-c", "exit_on_error=on", "-c", f"fsync={'on' if self.is_durable else 'off'}")
        self._run(("postgres", "--single", "-D", str(data), *options, SUPERUSER), held, text=sql)

    def _run(self, command: tuple[str, ...], held: tuple[int, ...], *, text: str | None = None) -> None:
        answer = self.account.run((self.programs / command[0], *command[1:]), held=held, text=text)
        if answer.returncode == 0:
            return
        if not self.account.has_name():
            raise NoServerAccountError("user_without_name", uid=self.account.uid)
        if "No space left on device" in answer.stdout or "Disk quota exceeded" in answer.stdout:
            raise FolderUnusableError(self.folder, "full")
        told = [line for line in answer.stdout.splitlines() if "error" in line or "FATAL" in line]
        raise ServerFailedError(
            "postgres", step=command[0], detail=(told or [answer.stdout])[-1].strip()[-300:]
        )

    def _renew_password(self, held: tuple[int, ...]) -> None:
        password = secrets.token_hex(24)
        write_private(self._password_file, password, is_durable=self.is_durable)
        self._run_single(self.data, f"ALTER ROLE {SUPERUSER} PASSWORD '{password}';\n", held)

    def configure(
        self,
        *,
        sockets: Path,
        port: int,
        listens: bool,
        shared_buffers_mb: int,
        max_connections: int,
        mark: str,
    ) -> None:
        """Write the settings for the next start; ``mark`` shows in the titles of the server's processes.

        Raises:
            FolderUnusableError: no room, or no right to.
        """
        durable = "on" if self.is_durable else "off"
        settings = {
            "listen_addresses": "127.0.0.1" if listens else "",
            "port": port,
            "unix_socket_directories": f'"{sockets}"',
            "unix_socket_permissions": "0700",
            "cluster_name": mark,
            "max_connections": max_connections,
            "shared_buffers": f"{shared_buffers_mb}MB",
            "effective_cache_size": f"{max(1024, shared_buffers_mb * 3)}MB",
            "work_mem": "8MB",
            "maintenance_work_mem": "64MB",
            "fsync": durable,
            # Even here: without it a killed server would forget what it has said was committed.
            "synchronous_commit": "on",
            "full_page_writes": durable,
            "wal_level": "replica" if self.is_durable else "minimal",
            "max_wal_senders": 10 if self.is_durable else 0,
            "max_wal_size": "1GB",
            "random_page_cost": 1.1,
            "jit": "off",
            "deadlock_timeout": "200ms",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %u@%d ",
            "log_checkpoints": "off",
            "password_encryption": "scram-sha-256",
        }
        lines = [f"{name} = {_quote(value)}" for name, value in settings.items()]
        lines = ["# Written at each start. Put your own settings into local.conf beside this file.", *lines]
        lines.append("include_if_exists 'local.conf'")
        write_private(self.configuration, "\n".join(lines) + "\n")
        self.account.own(self.configuration)


def _quote(value: object) -> str:
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
