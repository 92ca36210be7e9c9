"""Putting a backup back, into an empty database and nowhere else, and looking at what came of it.

Owns the order of things: is the file whole, is the database empty and new enough, roles, rows in one transaction, the
log's positions, then what is compared. Broken off anywhere, the database is empty still, or says that it is not done.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote

from attrs import frozen

from pms_adapters.postgres.backup import (
    BackupNote,
    Progress,
    Session,
    checksum,
    checksum_file,
    count_rows,
    note_file,
    open_session,
)
from pms_adapters.postgres.dump_programs import Program, find_program, run_program
from pms_adapters.postgres.migrate import status
from pms_adapters.postgres.migrations.roles import RolePlan, make_roles
from pms_adapters.postgres.restoring import settle_positions
from pms_adapters.postgres.tenancy import BACKUP_ROLE, OWNER_ROLE, Finding, lint_catalogue
from pmscore.kernel.errors import MisconfiguredError

__all__ = ["RestoreReport", "checked_backup", "restore_backup", "seeing_all"]

_RESTORING = re.compile(r'processing data for table "?public\.')
# Schema and extensions are the database's own; roles have been let in before.
_NOT_OURS = re.compile(
    r"^\d+; \d+ \d+ (?:SCHEMA|EXTENSION|(?:COMMENT|ACL) - (?:SCHEMA|EXTENSION)|DEFAULT ACL) "
)
_OCCUPIED: LiteralString = """\
SELECT c.relname FROM pg_class c
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relnamespace = 'public'::regnamespace
   AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.objid = c.oid AND x.deptype = 'e') ORDER BY 1 LIMIT 5"""
_GUARDED: LiteralString = """\
SELECT relname FROM pg_class WHERE relkind = 'r' AND relforcerowsecurity AND relnamespace = 'public'::regnamespace"""
_DUE_BEFORE: LiteralString = (
    "CREATE TEMP TABLE due_before ON COMMIT DROP AS SELECT agency_id, kind, due_at FROM work_due"
)
_DUE_AGAIN: LiteralString = """\
INSERT INTO work_due (agency_id, kind, due_at)
SELECT DISTINCT agency_id, kind, due_at FROM due_before WHERE kind <> 'events' ON CONFLICT DO NOTHING"""
_SEES_ALL: LiteralString = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


@frozen(kw_only=True)
class RestoreReport:
    """What came of a restore.

    ``differing`` are tables with another number of rows than the backup counted: (there, expected). ``findings`` are
    breaches of the tenancy rules. ``pending`` are migrations that this program would run.
    """

    note: BackupNote
    rows: Mapping[str, int]
    differing: Mapping[str, tuple[int, int]]
    findings: tuple[Finding, ...]
    pending: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether everything is there, guarded as it must be, and of this program's schema."""
        return not (self.differing or self.findings or self.pending)


def checked_backup(file: Path, *, progress: Progress = lambda *_: None) -> BackupNote:
    """Return what is said of a backup, after its checksum was compared.

    Raises:
        MisconfiguredError: ``no_backup``, ``no_backup_note`` or ``backup_is_broken``.
    """
    if not file.is_file():
        raise MisconfiguredError(reason="no_backup", file=str(file))
    note = BackupNote.read(note_file(file))
    size = file.stat().st_size
    if size != note.size:
        raise MisconfiguredError(reason="backup_is_broken", file=file.name, size=size, expected=note.size)
    try:
        written = checksum_file(file).read_text(encoding="utf-8").split()[0]
    except (OSError, IndexError):
        written = note.sha256
    found = checksum(file, lambda done, total: progress("Checking", done, total))
    if {written, note.sha256} != {found}:
        raise MisconfiguredError(reason="backup_is_broken", file=file.name, size=size, expected=note.size)
    return note


def restore_backup(
    file: Path,
    url: str,
    *,
    programs: Sequence[Path],
    roles: RolePlan | None = None,
    progress: Progress = lambda *_: None,
) -> RestoreReport:
    """Put ``file`` into the empty database of ``url``, whose login may make roles or has been given them.

    Raises:
        MisconfiguredError: ``reason`` says what has to be put right; the database is as empty as before.
        UnreachableError: the server did not answer, or went away; likewise.
    """
    note = checked_backup(file, progress=progress)
    with open_session(url) as session:
        _require_empty(session)
        has, needs = session.info.server_version // 10_000, max(note.server, note.program)
        if has < needs:
            raise MisconfiguredError(reason="server_too_old", has=has, needs=needs)
        program = find_program("pg_restore", note.program, programs)
        if program.major > has:
            raise MisconfiguredError(
                reason="no_dump_program", program="pg_restore", needed=has, found=str(program.major)
            )
        make_roles(session, roles or RolePlan())
        _fill(file, url, program, note, progress)
        progress("Settling", 0, 1)
        _settle(session)
    return _report(url, note, progress)


def seeing_all(url: str) -> str:
    """Return ``url`` so that whoever connects with it sees every agency's rows: as it is, or as ``pms_backup``.

    Raises:
        UnreachableError: the server did not answer.
    """
    with open_session(url) as session:
        row = session.execute(_SEES_ALL).fetchone()
    if row is not None and row[0] is True:
        return url
    return f"{url}{'&' if '?' in url else '?'}options={quote(f'-c role={BACKUP_ROLE}', safe='')}"


def _require_empty(session: Session) -> None:
    found = [str(name) for (name,) in session.execute(_OCCUPIED)]
    if found:
        raise MisconfiguredError(reason="not_empty", database=session.info.dbname, tables=", ".join(found))


def _fill(file: Path, url: str, program: Program, note: BackupNote, progress: Progress) -> None:
    """Run pg_restore: all of it in one transaction, so that a failure leaves the database as it was."""
    done = 0

    def hear(line: str) -> None:
        nonlocal done
        if _RESTORING.search(line):
            progress("Restoring", done, len(note.rows))
            done += 1

    listed = run_program(program, ["--list", str(file)], url=None)
    with tempfile.NamedTemporaryFile("w", prefix="pms-restore-", encoding="utf-8") as chosen:
        chosen.write("\n".join(each for each in listed.splitlines() if not _NOT_OURS.match(each)))
        chosen.flush()
        arguments = (
            *("--single-transaction", "--exit-on-error", "--verbose", "--no-password"),
            *("--no-owner", f"--role={OWNER_ROLE}", f"--use-list={chosen.name}", str(file)),
        )
        run_program(program, arguments, url=url, hear=hear)


def _settle(session: Session) -> None:
    """Make the log's positions those of this server, as the owner, whom the policies hold back until told otherwise."""
    with session.transaction():
        session.execute(f"SET LOCAL ROLE {OWNER_ROLE}")
        guarded = [str(name) for (name,) in session.execute(_GUARDED)]
        session.execute(_DUE_BEFORE)
        for name in guarded:
            session.execute(f'ALTER TABLE public."{name}" NO FORCE ROW LEVEL SECURITY')
        settle_positions(session)
        session.execute(_DUE_AGAIN)
        for name in guarded:
            session.execute(f'ALTER TABLE public."{name}" FORCE ROW LEVEL SECURITY')
    session.execute(f"SET ROLE {OWNER_ROLE}")
    session.execute("ANALYZE")
    session.execute("RESET ROLE")


def _report(url: str, note: BackupNote, progress: Progress) -> RestoreReport:
    with open_session(seeing_all(url)) as session:
        rows = count_rows(session, lambda done, total: progress("Counting", done, total))
        findings = lint_catalogue(session)
    # Who has work to do was written anew.
    differing = {
        name: (rows.get(name, 0), note.rows.get(name, 0))
        for name in sorted({*rows, *note.rows} - {"work_due", "relay_positions"})
        if rows.get(name, 0) != note.rows.get(name, 0)
    }
    return RestoreReport(
        note=note, rows=rows, differing=differing, findings=findings, pending=status(url).pending
    )
