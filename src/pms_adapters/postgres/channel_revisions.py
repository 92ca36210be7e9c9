"""What platforms have sold, on PostgreSQL: revisions, the bookings that stand for them, and knocks.

Owns that each is known once, and the lock on a booking's key whether it is linked or not. Leaves the documents to
``channel_rows``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.channel_lanes import due_now
from pms_adapters.postgres.channel_rows import (
    LINK_COLUMNS,
    REVISION_COLUMNS,
    loaded_link,
    loaded_revision,
    payload_of,
    storable,
)
from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.listing import read_page
from pms_adapters.postgres.session import Session
from pms_adapters.postgres.writes import WriteSet
from pmscore.channels.model.calls import KeptKnock, Knock
from pmscore.channels.model.revisions import Link, StoredRevision, StoredState
from pmscore.channels.policies.forgetting import is_personal, over_at
from pmscore.channels.ports import KnockRepository, RevisionRepository
from pmscore.kernel.errors import MisuseError, NotFoundError, StaleVersionError
from pmscore.kernel.ids import AgencyId, ConnectionId
from pmscore.kernel.paging import Page, Paged

__all__ = ["PostgresKnocks", "PostgresRevisions"]

_ADD: LiteralString = """\
INSERT INTO channel_revisions (state, reason, payload, raw, received_at, applied_at, acknowledged_at, booking_id,
                               booking_key, status, revised_at, over_at, is_personal, agency_id, connection_id,
                               revision_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING 1"""
_SAVE: LiteralString = """\
UPDATE channel_revisions
   SET state = %s, reason = %s, payload = %s, raw = %s, received_at = %s, applied_at = %s, acknowledged_at = %s,
       booking_id = %s, booking_key = %s, status = %s, revised_at = %s, over_at = %s, is_personal = %s
 WHERE agency_id = %s AND connection_id = %s AND revision_id = %s RETURNING 1"""
_GET: LiteralString = f"""\
SELECT {REVISION_COLUMNS} FROM channel_revisions r
 WHERE r.agency_id = %s AND r.connection_id = %s AND r.revision_id = %s FOR NO KEY UPDATE"""
_WAITING: LiteralString = f"""\
SELECT {REVISION_COLUMNS} FROM channel_revisions r
 WHERE r.agency_id = %s AND r.connection_id = %s AND r.state = ANY (%s::text[]) AND r.acknowledged_at IS NULL
 ORDER BY r.received_at, r.revision_id COLLATE "C" LIMIT %s"""
_FORGET: LiteralString = """\
WITH gone AS (
  UPDATE channel_revisions
     SET payload = payload - 'guest' - 'requests', raw = CASE WHEN raw IS NOT NULL THEN '' END, is_personal = false
   WHERE agency_id = %s AND (connection_id, revision_id) IN (
           SELECT r.connection_id, r.revision_id FROM channel_revisions r
            WHERE r.agency_id = %s AND r.over_at < %s AND r.is_personal AND r.state <> 'received'
              AND NOT EXISTS (SELECT 1 FROM channel_issues i
                               WHERE i.agency_id = r.agency_id AND i.connection_id = r.connection_id
                                 AND i.revision_id = r.revision_id AND i.closed_at IS NULL)
            ORDER BY r.over_at LIMIT %s FOR NO KEY UPDATE OF r SKIP LOCKED)
  RETURNING 1)
SELECT count(*)::int FROM gone"""
_LOCK_KEY: LiteralString = "SELECT pg_advisory_xact_lock(%s)"
_LINK: LiteralString = f"""\
SELECT {LINK_COLUMNS} FROM channel_links WHERE agency_id = %s AND connection_id = %s AND booking_key = %s"""
_LINKS: LiteralString = f"""\
SELECT {LINK_COLUMNS} FROM channel_links WHERE agency_id = %s AND connection_id = %s
 ORDER BY booking_key COLLATE "C\""""
_PUT_LINK: LiteralString = """\
INSERT INTO channel_links (agency_id, connection_id, booking_key, booking_id, block_ids, revision_id, revised_at,
                           is_cancelled, first_night, end_date, missing_since, version)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (agency_id, connection_id, booking_key) DO UPDATE
   SET booking_id = excluded.booking_id, block_ids = excluded.block_ids, revision_id = excluded.revision_id,
       revised_at = excluded.revised_at, is_cancelled = excluded.is_cancelled, first_night = excluded.first_night,
       end_date = excluded.end_date, missing_since = excluded.missing_since, version = excluded.version
RETURNING 1"""
_ADD_KNOCK: LiteralString = """\
INSERT INTO channel_knocks (agency_id, connection_id, digest, received_at, headers, body)
VALUES (%s, %s, %s, %s, %s, %s::text::bytea) ON CONFLICT DO NOTHING RETURNING 1"""
_KNOCKS: LiteralString = """\
SELECT digest, received_at, headers, body FROM channel_knocks
 WHERE agency_id = %s AND connection_id = %s AND done_at IS NULL ORDER BY received_at, digest LIMIT %s"""
_KNOCKS_DONE: LiteralString = """\
UPDATE channel_knocks SET done_at = %s WHERE agency_id = %s AND connection_id = %s AND digest = ANY (%s::text[])"""
_DROP_KNOCKS: LiteralString = """\
WITH gone AS (
  DELETE FROM channel_knocks WHERE agency_id = %s AND (connection_id, digest) IN (
           SELECT k.connection_id, k.digest FROM channel_knocks k
            WHERE k.agency_id = %s AND k.done_at < %s ORDER BY k.done_at LIMIT %s FOR UPDATE SKIP LOCKED)
  RETURNING 1)
SELECT count(*)::int FROM gone"""


class PostgresRevisions(RevisionRepository):
    """Revisions and links; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes
        self._locked: set[tuple[ConnectionId, str]] = set()
        self._looked_for: set[tuple[ConnectionId, str]] = set()

    def add(self, stored: StoredRevision) -> bool:
        is_new = bool(self._session.rows(_ADD, *self._values(stored)))
        if is_new:
            self._writes.is_begun = True
            self._locked.add((stored.connection_id, stored.revision_id))
        return is_new

    def get(self, connection_id: ConnectionId, revision_id: str) -> StoredRevision:
        rows = self._session.rows(_GET, self._session.agency_id, connection_id, revision_id)
        if not rows:
            raise NotFoundError("channel_revision", (connection_id, revision_id))
        self._locked.add((connection_id, revision_id))
        return loaded_revision(*rows[0])  # type: ignore[arg-type]

    def save(self, stored: StoredRevision) -> None:
        if (stored.connection_id, stored.revision_id) not in self._locked:
            raise MisuseError(saved_unread=stored.revision_id)
        self._writes.must((_SAVE, self._values(stored)), StaleVersionError(revision_id=stored.revision_id))

    def waiting(
        self, connection_id: ConnectionId, states: Iterable[StoredState], most: int
    ) -> tuple[StoredRevision, ...]:
        wanted = sorted(each.value for each in states)
        rows = self._session.rows(_WAITING, self._session.agency_id, connection_id, wanted, most)
        return tuple(loaded_revision(*row) for row in rows)  # type: ignore[arg-type]

    def page(
        self, connection_id: ConnectionId, states: Iterable[StoredState], page: Page
    ) -> Paged[StoredRevision]:
        wanted = sorted({each.value for each in states} or {each.value for each in StoredState})
        listed: LiteralString = "channel_revisions r WHERE r.agency_id = %s AND r.connection_id = %s AND r.state = ANY (%s::text[])"
        return read_page(
            self._session, REVISION_COLUMNS, (listed, (self._session.agency_id, connection_id, wanted)),
            'r.received_at DESC, r.revision_id COLLATE "C" DESC', page,
            lambda row: loaded_revision(*row),  # type: ignore[arg-type]
        )  # fmt: skip

    def link(self, connection_id: ConnectionId, booking_key: str) -> Link | None:
        keys = (self._session.agency_id, connection_id, booking_key)
        _, rows = self._session.run([(_LOCK_KEY, (_lock_number(*keys),)), (_LINK, keys)])
        # The lock is lost with the transaction, so its commit is to be this one.
        self._writes.is_begun = True
        self._looked_for.add((connection_id, booking_key))
        return loaded_link(*rows[0]) if rows else None  # type: ignore[arg-type]

    def save_link(self, link: Link) -> None:
        if (link.connection_id, link.booking_key) not in self._looked_for:
            raise MisuseError(saved_unread=link.booking_key)
        nights = link.nights
        values = (
            self._session.agency_id, link.connection_id, link.booking_key, link.booking_id, link.block_ids,
            link.revision_id, link.revised_at, link.is_cancelled, None if nights is None else nights.start,
            None if nights is None else nights.end, link.missing_since, link.version,
        )  # fmt: skip
        self._writes.must((_PUT_LINK, values), StaleVersionError(booking_key=link.booking_key))

    def links(self, connection_id: ConnectionId) -> tuple[Link, ...]:
        rows = self._session.rows(_LINKS, self._session.agency_id, connection_id)
        return tuple(loaded_link(*row) for row in rows)  # type: ignore[arg-type]

    def purge(self, before: datetime, *, most: int) -> int:
        agency_id = self._session.agency_id
        return _counted(self._session, self._writes, _FORGET, agency_id, agency_id, before, most)

    def _values(self, of: StoredRevision) -> tuple[object, ...]:
        revision = of.revision
        raw = None if of.malformed is None else str(storable(of.malformed.raw))
        return (
            of.state.value, of.reason, payload_of(of), raw, of.received_at, of.applied_at, of.acknowledged_at,
            of.booking_id, "" if revision is None else revision.booking_key,
            "" if revision is None else revision.status.value, None if revision is None else revision.revised_at,
            over_at(of), is_personal(of), self._session.agency_id, of.connection_id, of.revision_id,
        )  # fmt: skip


class PostgresKnocks(KnockRepository):
    """Knocks; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def add(self, connection_id: ConnectionId, knock: Knock) -> bool:
        headers: Mapping[str, str] = knock.headers
        values = (
            self._session.agency_id, connection_id, knock.digest, knock.received_at,
            as_document(storable(dict(headers))), "\\x" + knock.body.hex(),
        )  # fmt: skip
        is_new = bool(self._session.rows(_ADD_KNOCK, *values))
        if is_new:
            self._writes.is_begun = True
            self._writes.may(due_now(self._session.agency_id))
        return is_new

    def take(self, connection_id: ConnectionId, most: int) -> tuple[KeptKnock, ...]:
        rows = self._session.rows(_KNOCKS, self._session.agency_id, connection_id, most)
        return tuple(_loaded_knock(*row) for row in rows)  # type: ignore[arg-type]

    def done(self, connection_id: ConnectionId, digests: Iterable[str], now: datetime) -> None:
        keys = (self._session.agency_id, connection_id)
        self._writes.may((_KNOCKS_DONE, (now, *keys, sorted(digests))))

    def purge(self, before: datetime, *, most: int) -> int:
        agency_id = self._session.agency_id
        return _counted(self._session, self._writes, _DROP_KNOCKS, agency_id, agency_id, before, most)


def _counted(session: Session, writes: WriteSet, sql: LiteralString, *values: object) -> int:
    """Run a statement that changes rows, and return how many it says there were."""
    writes.is_begun = True
    ((count,),) = session.rows(sql, *values)
    return count if isinstance(count, int) else 0


def _lock_number(agency_id: AgencyId, connection_id: UUID, booking_key: str) -> int:
    mixed = blake2b(
        agency_id.bytes + connection_id.bytes + booking_key.encode(errors="replace"), digest_size=8
    )
    return int.from_bytes(mixed.digest(), signed=True)


def _loaded_knock(digest: str, received_at: datetime, headers: dict[str, str], body: bytes) -> KeptKnock:
    return KeptKnock(digest=digest, knock=Knock(headers, bytes(body), received_at))
