"""Every column that holds sealed texts, and sealing them anew under the newest key.

Owns the list: a new sealed column is one line here (a test compares it with the schema). Works in batches, each a
transaction of its own, and knows what is left by looking: whoever stops it starts it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, LiteralString
from uuid import UUID

import psycopg
from attrs import frozen

from pms_adapters.postgres.errors import translated
from pmscore.channels.model.connections import CREDENTIALS_COLUMN, TOKEN_COLUMN
from pmscore.kernel.errors import MisconfiguredError
from pmscore.kernel.ids import AgencyId
from pmscore.kernel.secrets import SecretBox
from pmscore.webhooks.model.endpoints import SEALED_COLUMN

__all__ = ["SEALED_COLUMNS", "Rotation", "SealedColumn", "rotate_keys"]

BATCH: Final = 200


@frozen(kw_only=True)
class SealedColumn:
    """A column of a tenant table; ``key`` has the rest of its primary key, all of them ids.

    ``place`` is what the texts are bound to besides their agency.
    """

    table: LiteralString
    column: LiteralString
    key: tuple[LiteralString, ...]
    place: str


SEALED_COLUMNS: Final = (
    SealedColumn(
        table="webhook_secrets", column="sealed", key=("endpoint_id", "secret_id"), place=SEALED_COLUMN
    ),
    SealedColumn(
        table="channel_connections", column="sealed", key=("connection_id",), place=CREDENTIALS_COLUMN
    ),
    SealedColumn(
        table="channel_connections", column="sealed_token", key=("connection_id",), place=TOKEN_COLUMN
    ),
)


@frozen(kw_only=True)
class Rotation:
    """What was done: texts sealed anew, those that were current before, and by key those that nobody can open."""

    resealed: int
    current: int
    unreadable: dict[str, int]


@frozen
class _Step:
    """A batch: the place of its last row, None at the end."""

    last: tuple[object, ...] | None
    resealed: int
    current: int
    unreadable: tuple[str, ...]


def rotate_keys(
    url: str,
    box: SecretBox,
    *,
    agency_id: AgencyId | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Rotation:
    """Seal every text anew that the newest key has not sealed; ``progress`` is told how many of how many are done.

    What cannot be opened stays as it is and is counted by its key, so that the key can be brought back.

    Raises:
        MisconfiguredError: row-level security hides agencies from this role, and none was named.
        UnreachableError: the database did not answer; what was committed stays.
    """
    resealed, current, done = 0, 0, 0
    unreadable: dict[str, int] = {}
    with translated(), psycopg.connect(url, autocommit=True) as connection:
        _name_agency(connection, agency_id)
        total = sum(_count(connection, each) for each in SEALED_COLUMNS)
        for column in SEALED_COLUMNS:
            last: tuple[object, ...] | None = ()
            while last is not None:
                with connection.transaction():
                    step = _reseal(connection, column, box, last)
                last = step.last
                resealed, current = resealed + step.resealed, current + step.current
                for key in step.unreadable:
                    unreadable[key] = unreadable.get(key, 0) + 1
                done += step.resealed + step.current + len(step.unreadable)
                if progress is not None:
                    progress(done, max(done, total))
    return Rotation(resealed=resealed, current=current, unreadable=unreadable)


_Connection = psycopg.Connection[tuple[object, ...]]


def _name_agency(connection: _Connection, agency_id: AgencyId | None) -> None:
    if agency_id is not None:
        connection.execute("SELECT set_config('app.agency_id', %s, false)", (str(agency_id),))
        return
    row = connection.execute(
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if row is None or row[0] is not True:
        raise MisconfiguredError(reason="row_security_hides_agencies")


def _count(connection: _Connection, column: SealedColumn) -> int:
    row = connection.execute(
        f"SELECT count(*)::int FROM {column.table} WHERE {column.column} IS NOT NULL"
    ).fetchone()
    return row[0] if row is not None and isinstance(row[0], int) else 0


def _reseal(
    connection: _Connection, column: SealedColumn, box: SecretBox, after: tuple[object, ...]
) -> _Step:
    """Look at the next rows after a key, and seal anew what the newest key has not sealed."""
    keys = ", ".join(("agency_id", *column.key))
    beyond = f"AND ({keys}) > ({', '.join(['%s'] * len(after))})" if after else ""
    rows = connection.execute(
        f"SELECT {keys}, {column.column} FROM {column.table} WHERE {column.column} IS NOT NULL {beyond} ORDER BY {keys} LIMIT {BATCH}"
        " FOR NO KEY UPDATE",
        after,
    ).fetchall()
    resealed, current = 0, 0
    unreadable: list[str] = []
    for *key, sealed in rows:
        agency = AgencyId(key[0] if isinstance(key[0], UUID) else UUID(str(key[0])))
        if box.is_current(str(sealed)):
            current += 1
            continue
        try:
            fresh = box.seal(agency, column.place, box.open(agency, column.place, str(sealed)))
        except MisconfiguredError as error:
            if error.params.get("reason") == "no_encryption_key":
                raise
            unreadable.append(str(error.params.get("key") or "unknown"))
            continue
        where = " AND ".join(f"{name} = %s" for name in ("agency_id", *column.key))
        connection.execute(f"UPDATE {column.table} SET {column.column} = %s WHERE {where}", (fresh, *key))
        resealed += 1
    last = tuple(rows[-1][:-1]) if len(rows) == BATCH else None
    return _Step(last, resealed, current, tuple(unreadable))
