"""Taking a backup: everything as it stood at one instant, in one file that is whole or not there.

Owns the file, its checksum and its description, and as whom it is read: ``pms_backup``, read only. Leaves putting one
back to ``restore`` and the programs to ``dump_programs``.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import LiteralString

import psycopg
from attrs import asdict, frozen

from pms_adapters.postgres.dump_programs import find_program, run_program
from pms_adapters.postgres.errors import translated
from pms_adapters.postgres.migrate import status
from pms_adapters.postgres.tenancy import BACKUP_ROLE
from pmscore.kernel.errors import MisconfiguredError

__all__ = [
    "BackupNote",
    "Progress",
    "checksum",
    "checksum_file",
    "count_rows",
    "make_backup",
    "note_file",
    "open_session",
]

Progress = Callable[[str, int, int], None]
"""Is told the step, how many are done, and how many there are."""

_BLOCK = 1 << 20
_CONNECT_SECONDS = 5
_DUMPING = re.compile(r'dumping contents of table "?public\.')
_TABLES: LiteralString = """\
SELECT c.relname FROM pg_class c
 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
   AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.objid = c.oid AND x.deptype = 'e') ORDER BY 1"""
_WHO: LiteralString = """\
SELECT r.rolname, r.rolsuper OR r.rolbypassrls,
       coalesce((SELECT b.rolbypassrls AND pg_has_role(b.oid, %s) FROM pg_roles b WHERE b.rolname = %s), false)
  FROM pg_roles r WHERE r.rolname = current_user"""

Session = psycopg.Connection[tuple[object, ...]]


@frozen(kw_only=True)
class BackupNote:
    """What is said of a backup in the file beside it; ``rows`` counts the rows of each table at its instant."""

    made_at: str
    server: int
    program: int
    revision: str | None
    size: int
    sha256: str
    rows: Mapping[str, int]

    def write(self, file: Path) -> None:
        """Write the note."""
        file.write_text(json.dumps(asdict(self), indent=2, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> BackupNote:
        """Return the note that stands in ``file``.

        Raises:
            MisconfiguredError: there is none, or it cannot be read.
        """
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise MisconfiguredError(reason="no_backup_note", file=file.name) from error


def note_file(file: Path) -> Path:
    """Return where the description of a backup stands."""
    return file.with_name(f"{file.name}.json")


def checksum_file(file: Path) -> Path:
    """Return where the checksum of a backup stands, as ``sha256sum --check`` reads it."""
    return file.with_name(f"{file.name}.sha256")


def make_backup(
    url: str,
    file: Path,
    *,
    programs: Sequence[Path],
    progress: Progress = lambda *_: None,
) -> BackupNote:
    """Write a backup of the database to ``file``, and beside it its checksum and its description.

    Everybody may go on working; what is committed later is not in it. ``programs`` are folders in which a ``pg_dump``
    may be. Until it is whole the file has another name, so a backup that was broken off leaves none.

    Raises:
        MisconfiguredError: ``reason`` says what has to be put right.
        UnreachableError: the database did not answer, or went away.
    """
    if file.exists():
        raise MisconfiguredError(reason="backup_exists", file=str(file))
    revision = status(url).current
    draft = file.with_name(f".{file.name}.part-{secrets.token_hex(4)}")
    with open_session(url) as session:
        major = session.info.server_version // 10_000
        program = find_program("pg_dump", major, programs)
        role = _role_of(session)
        with session.transaction():
            snapshot = _snapshot(session, role)
            made_at = datetime.now(UTC)
            rows = count_rows(session, lambda done, total: progress("Counting", done, total))
            arguments = [
                "--format=custom",
                "--verbose",
                "--no-password",
                f"--snapshot={snapshot}",
                "--schema=public",
            ]
            arguments += [f"--file={draft}", *([f"--role={role}"] if role else [])]
            try:
                with _writing(draft):
                    hear = _counted(lambda done: progress("Writing", done, len(rows)))
                    run_program(program, arguments, url=url, hear=hear, read_only=True)
                    note = BackupNote(
                        made_at=made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
                        server=major,
                        program=program.major,
                        revision=revision,
                        size=draft.stat().st_size,
                        sha256=checksum(draft, lambda done, total: progress("Checking", done, total)),
                        rows=rows,
                    )
                    _publish(draft, file, note)
            finally:
                draft.unlink(missing_ok=True)
    return note


@contextmanager
def open_session(url: str) -> Iterator[Session]:
    """Yield a session without time-outs of statements; errors come translated.

    Raises:
        MisconfiguredError: the database refuses the login.
        UnreachableError: no server.
    """
    status(url)  # says better than a bare connection what is wrong with an address
    with (
        translated(),
        psycopg.connect(
            url.replace("postgresql+psycopg://", "postgresql://", 1),
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            options="-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0",
            application_name="pms backup",
        ) as session,
    ):
        yield session


def count_rows(session: Session, progress: Callable[[int, int], None] = lambda *_: None) -> dict[str, int]:
    """Return the number of rows of each of our tables, as this session sees them."""
    names = [str(name) for (name,) in session.execute(_TABLES)]
    found: dict[str, int] = {}
    for done, name in enumerate(names):
        progress(done, len(names))
        row = session.execute(f'SELECT count(*) FROM public."{name}"').fetchone()
        found[name] = int(str(row[0])) if row is not None else 0
    return found


def checksum(file: Path, progress: Callable[[int, int], None] = lambda *_: None) -> str:
    """Return the SHA-256 of a file."""
    total, done, digest = file.stat().st_size, 0, hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
            done += len(block)
            progress(done, total)
    return digest.hexdigest()


def _role_of(session: Session) -> str | None:
    """Return the role to read as, None where the login itself has to do.

    Raises:
        MisconfiguredError: the login sees the rows of one agency at a time.
    """
    right = "SET" if session.info.server_version >= 160_000 else "MEMBER"
    row = session.execute(_WHO, (right, BACKUP_ROLE)).fetchone()
    login, sees_all, can_become = row or ("", False, False)
    if login != BACKUP_ROLE and can_become:
        return BACKUP_ROLE
    if not sees_all:
        raise MisconfiguredError(reason="backup_sees_too_little", login=str(login))
    return None


def _snapshot(session: Session, role: str | None) -> str:
    session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if role is not None:
        session.execute(f"SET LOCAL ROLE {role}")
    session.execute("SET LOCAL row_security = off")  # an error rather than a row left out
    row = session.execute("SELECT pg_export_snapshot()").fetchone()
    return str(row[0]) if row is not None else ""


def _counted(tell: Callable[[int], None]) -> Callable[[str], None]:
    done = 0

    def hear(line: str) -> None:
        nonlocal done
        if _DUMPING.search(line):
            tell(done)
            done += 1

    return hear


@contextmanager
def _writing(draft: Path) -> Iterator[None]:
    """Say in our words what a file system refuses."""
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield
    except OSError as error:
        reason = "no_space" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "backup_not_writable"
        raise MisconfiguredError(reason=reason, said=str(error.strerror), folder=str(draft.parent)) from error


def _publish(draft: Path, file: Path, note: BackupNote) -> None:
    """Give the draft its name, last of all: whoever finds it finds it whole, with what belongs to it."""
    _sync(draft)
    beside = {path: path.with_name(f".{path.name}.part") for path in (note_file(file), checksum_file(file))}
    try:
        note.write(beside[note_file(file)])
        beside[checksum_file(file)].write_text(f"{note.sha256}  {file.name}\n", encoding="utf-8")
        for part in beside.values():
            _sync(part)
        for path, part in beside.items():
            part.replace(path)
    finally:
        for part in beside.values():
            part.unlink(missing_ok=True)
    draft.replace(file)
    _sync(file.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
