"""``pms backup``: everything as it stands, in one file, with its checksum beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from attrs import asdict

from pms_adapters.embedded.binaries import find_wheel_clients
from pms_adapters.postgres.backup import Progress, checksum_file, make_backup, note_file
from pms_web.cli.servers import read_settings, servers
from pms_web.cli.terminal import progress_bar, show_json
from pmscore.kernel.errors import MisconfiguredError

__all__ = ["backup", "dump_folders", "told"]

_DEBIAN = Path("/usr/lib/postgresql")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def backup(file: Path, *, as_json: bool) -> None:
    """Write a backup of the database of DATABASE_URL, or of the embedded one, to FILE.

    Everybody may go on working meanwhile. It is read as pms_backup, which can change nothing. Beside FILE stand its
    checksum (FILE.sha256) and how many rows each table has (FILE.json); keep the three together, and elsewhere. They
    hold personal data and sealed secrets; the keys of ENCRYPTION_KEY are not in them.

    \b
    Example:
      pms backup pms-2027-03-01.dump
      DATABASE_URL=postgresql://pms_backup:secret@db/pms pms backup /mnt/backups/pms.dump
    """
    if not file.absolute().parent.is_dir():
        raise MisconfiguredError(
            reason="backup_not_writable", folder=str(file.absolute().parent), said="no such folder"
        )
    with (
        servers(read_settings(), attach=True) as place,
        told("Backing up", is_quiet=as_json) as tell,
    ):
        note = make_backup(place.admin_url, file.absolute(), programs=dump_folders(), progress=tell)
    if as_json:
        show_json({"file": str(file), **asdict(note)})
        return
    rows = sum(note.rows.values())
    click.echo(f"{file}: {note.size:,} bytes, {rows:,} rows of {len(note.rows)} tables as of {note.made_at}.")
    click.echo(f"Beside it: {checksum_file(file).name}, {note_file(file).name}.")


def dump_folders() -> tuple[Path, ...]:
    """Return where ``pg_dump`` and ``pg_restore`` may be: the wheel, the path, and Debian's places."""
    wheel = find_wheel_clients()
    found = [wheel] if wheel is not None else []
    found += [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if each]
    if _DEBIAN.is_dir():
        found += sorted(each / "bin" for each in _DEBIAN.iterdir())
    return tuple(found)


@contextmanager
def told(title: str, *, is_quiet: bool) -> Iterator[Progress]:
    """Yield a function that shows a step, and how far it has come."""
    with progress_bar(title, is_quiet=is_quiet) as tell:
        yield lambda _, done, total: tell(done, total)
