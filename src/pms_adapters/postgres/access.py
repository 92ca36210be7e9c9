"""Accounts, memberships, keys, sessions and links on PostgreSQL, inside a transaction.

Owns their statements. Leaves finding who is behind a credential to ``access_reader``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import LiteralString

from pms_adapters.postgres.access_rows import (
    KEY_COLUMNS,
    LINK_COLUMNS,
    MEMBERSHIP_COLUMNS,
    SESSION_COLUMNS,
    USER_COLUMNS,
    loaded_key,
    loaded_link,
    loaded_membership,
    loaded_session,
    loaded_user,
    reach_of,
)
from pms_adapters.postgres.session import Session as Transaction
from pms_adapters.postgres.writes import Expectation, WriteSet
from pmscore.access.model.keys import ApiKey
from pmscore.access.model.links import OneTimeLink, Purpose
from pmscore.access.model.sessions import ABSOLUTE_LIFE, IDLE_LIFE, Session
from pmscore.access.model.users import Membership, User
from pmscore.access.ports import (
    ApiKeyRepository,
    LinkRepository,
    MembershipRepository,
    OwnProperties,
    SessionRepository,
    UserRepository,
)
from pmscore.kernel.errors import MisuseError, NotFoundError, StaleVersionError
from pmscore.kernel.ids import ApiKeyId, PropertyId, UserId

__all__ = [
    "PostgresApiKeys",
    "PostgresLinks",
    "PostgresMemberships",
    "PostgresOwnProperties",
    "PostgresSessions",
    "PostgresUsers",
]

_LOCKED = " FOR NO KEY UPDATE"
_USER: LiteralString = f"SELECT {USER_COLUMNS} FROM users u WHERE u.user_id = %s{_LOCKED}"
_USER_BY_EMAIL: LiteralString = f"SELECT {USER_COLUMNS} FROM users u WHERE u.email = %s{_LOCKED}"
_USERS: LiteralString = f"SELECT {USER_COLUMNS} FROM users u WHERE u.user_id = ANY(%s) ORDER BY u.email"
_ADD_USER: LiteralString = """\
INSERT INTO users (user_id, email, name, password_hash, disabled_at, failed_tries, blocked_until, epoch,
                   agency_ids, version)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::uuid[], %s) RETURNING 1"""
_SAVE_USER: LiteralString = """\
UPDATE users SET name = %s, password_hash = %s, disabled_at = %s, failed_tries = %s, blocked_until = %s,
       epoch = %s, agency_ids = %s::uuid[], version = %s
 WHERE user_id = %s AND version < %s RETURNING 1"""
_MEMBERSHIP: LiteralString = (
    f"SELECT {MEMBERSHIP_COLUMNS} FROM memberships m WHERE m.agency_id = %s AND m.user_id = %s{_LOCKED}"
)
_ADMINS: LiteralString = f"""\
SELECT {MEMBERSHIP_COLUMNS} FROM memberships m
 WHERE m.agency_id = %s AND m.role = 'admin' AND m.disabled_at IS NULL ORDER BY m.user_id{_LOCKED}"""
_MEMBERSHIPS: LiteralString = (
    f"SELECT {MEMBERSHIP_COLUMNS} FROM memberships m WHERE m.agency_id = %s ORDER BY m.user_id"
)
_ADD_MEMBERSHIP: LiteralString = """\
INSERT INTO memberships (agency_id, user_id, role, property_ids, disabled_at, version)
VALUES (%s, %s, %s, %s::uuid[], %s, %s) RETURNING 1"""
_SAVE_MEMBERSHIP: LiteralString = """\
UPDATE memberships SET role = %s, property_ids = %s::uuid[], disabled_at = %s, version = %s
 WHERE agency_id = %s AND user_id = %s AND version = %s RETURNING 1"""
_KEY: LiteralString = (
    f"SELECT {KEY_COLUMNS} FROM api_keys k WHERE k.agency_id = %s AND k.key_id = %s{_LOCKED}"
)
_KEYS: LiteralString = (
    f"SELECT {KEY_COLUMNS} FROM api_keys k WHERE k.agency_id = %s ORDER BY k.created_at DESC, k.key_id DESC"
)
_ADD_KEY: LiteralString = """\
INSERT INTO api_keys (agency_id, key_id, name, role, property_ids, key_hash, created_at, expires_at, revoked_at,
                      used_on, version)
VALUES (%s, %s, %s, %s, %s::uuid[], %s, %s, %s, %s, %s, %s) RETURNING 1"""
_INDEX_KEY: LiteralString = (
    "INSERT INTO key_index (key_hash, agency_id, key_id) VALUES (%s, %s, %s) RETURNING 1"
)
_SAVE_KEY: LiteralString = (
    "UPDATE api_keys SET revoked_at = %s, version = %s"
    " WHERE agency_id = %s AND key_id = %s AND version = %s RETURNING 1"
)
_SESSION: LiteralString = f"SELECT {SESSION_COLUMNS} FROM sessions s WHERE s.session_hash = %s FOR UPDATE"
_ADD_SESSION: LiteralString = """\
INSERT INTO sessions (session_hash, user_id, agency_id, created_at, seen_at) VALUES (%s, %s, %s, %s, %s)
RETURNING 1"""
_END_SESSIONS: LiteralString = (
    "DELETE FROM sessions WHERE user_id = %s AND session_hash IS DISTINCT FROM %s RETURNING 1"
)
# A few at a time and none that others are at, so a log-in never waits for the cleaning.
_PURGE: LiteralString = """\
DELETE FROM sessions WHERE session_hash IN (
  SELECT s.session_hash FROM sessions s WHERE s.seen_at <= %s OR s.created_at <= %s
   ORDER BY s.seen_at LIMIT 20 FOR UPDATE SKIP LOCKED) RETURNING 1"""
_LINK: LiteralString = (
    f"SELECT {LINK_COLUMNS} FROM one_time_links l WHERE l.agency_id = %s AND l.link_hash = %s{_LOCKED}"
)
_LIVE_LINKS: LiteralString = """\
SELECT count(*)::int FROM one_time_links l
 WHERE l.agency_id = %s AND l.user_id = %s AND l.purpose = %s AND l.used_at IS NULL AND l.expires_at > %s"""
_ADD_LINK: LiteralString = """\
INSERT INTO one_time_links (agency_id, link_hash, user_id, purpose, expires_at, used_at)
VALUES (%s, %s, %s, %s, %s, %s) RETURNING 1"""
_SAVE_LINK: LiteralString = (
    "UPDATE one_time_links SET used_at = %s WHERE agency_id = %s AND link_hash = %s RETURNING 1"
)
_OWN: LiteralString = (
    "SELECT p.property_id FROM properties p WHERE p.agency_id = %s AND p.property_id = ANY(%s::uuid[])"
)
_USE_UP: LiteralString = "UPDATE one_time_links SET used_at = %s WHERE agency_id = %s AND user_id = %s AND used_at IS NULL RETURNING 1"


class _Repository:
    """What all of these share: a transaction to read in, and writes that wait for the commit."""

    def __init__(self, session: Transaction, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes
        self._agency_id = session.agency_id

    def _write(self, sql: LiteralString, *values: object, rows: int | None = 1) -> None:
        stale = StaleVersionError()
        self._writes.aggregates.append(Expectation((sql, values), rows, stale))


class PostgresUsers(_Repository, UserRepository):
    """Accounts on PostgreSQL."""

    def add(self, user: User) -> None:
        self._write(
            _ADD_USER, user.user_id, user.email, user.name, user.password_hash, user.disabled_at,
            user.failed_tries, user.blocked_until, user.epoch, list(user.agency_ids), user.version,
        )  # fmt: skip

    def get(self, user_id: UserId) -> User:
        rows = self._session.rows(_USER, user_id)
        if not rows:
            raise NotFoundError("user", user_id)
        return loaded_user(*rows[0])  # type: ignore[arg-type]

    def find_by_email(self, email: str) -> User | None:
        rows = self._session.rows(_USER_BY_EMAIL, email)
        return loaded_user(*rows[0]) if rows else None  # type: ignore[arg-type]

    def named(self, user_ids: Iterable[UserId]) -> tuple[User, ...]:
        rows = self._session.rows(_USERS, list(user_ids))
        return tuple(loaded_user(*row) for row in rows)  # type: ignore[arg-type]

    def save(self, user: User) -> None:
        self._write(
            _SAVE_USER, user.name, user.password_hash, user.disabled_at, user.failed_tries,
            user.blocked_until, user.epoch, list(user.agency_ids), user.version, user.user_id, user.version,
        )  # fmt: skip


class PostgresMemberships(_Repository, MembershipRepository):
    """Memberships on PostgreSQL."""

    def add(self, membership: Membership) -> None:
        self._write(
            _ADD_MEMBERSHIP, self._agency_id, membership.user_id, membership.role.value,
            reach_of(membership.property_ids), membership.disabled_at, membership.version,
        )  # fmt: skip

    def get(self, user_id: UserId) -> Membership:
        found = self.find(user_id)
        if found is None:
            raise NotFoundError("user", user_id)
        return found

    def find(self, user_id: UserId) -> Membership | None:
        rows = self._session.rows(_MEMBERSHIP, self._agency_id, user_id)
        return loaded_membership(*rows[0]) if rows else None  # type: ignore[arg-type]

    def admins(self) -> tuple[Membership, ...]:
        return _memberships(self._session.rows(_ADMINS, self._agency_id))

    def all(self) -> tuple[Membership, ...]:
        return _memberships(self._session.rows(_MEMBERSHIPS, self._agency_id))

    def save(self, membership: Membership) -> None:
        self._write(
            _SAVE_MEMBERSHIP, membership.role.value, reach_of(membership.property_ids),
            membership.disabled_at, membership.version, self._agency_id, membership.user_id,
            membership.version - 1,
        )  # fmt: skip


class PostgresApiKeys(_Repository, ApiKeyRepository):
    """Keys on PostgreSQL."""

    def add(self, key: ApiKey) -> None:
        self._write(
            _ADD_KEY, self._agency_id, key.key_id, key.name, key.role.value, reach_of(key.property_ids),
            key.key_hash, key.created_at, key.expires_at, key.revoked_at, key.used_on, key.version,
        )  # fmt: skip
        self._write(_INDEX_KEY, key.key_hash, self._agency_id, key.key_id)

    def get(self, key_id: ApiKeyId) -> ApiKey:
        rows = self._session.rows(_KEY, self._agency_id, key_id)
        if not rows:
            raise NotFoundError("api_key", key_id)
        return loaded_key(*rows[0])  # type: ignore[arg-type]

    def all(self) -> tuple[ApiKey, ...]:
        rows = self._session.rows(_KEYS, self._agency_id)
        return tuple(loaded_key(*row) for row in rows)  # type: ignore[arg-type]

    def save(self, key: ApiKey) -> None:
        self._write(_SAVE_KEY, key.revoked_at, key.version, self._agency_id, key.key_id, key.version - 1)


class PostgresSessions(_Repository, SessionRepository):
    """Sessions on PostgreSQL."""

    def add(self, session: Session) -> None:
        self._write(
            _ADD_SESSION, session.session_hash, session.user_id, session.agency_id, session.created_at,
            session.seen_at,
        )  # fmt: skip

    def find(self, session_hash: str) -> Session | None:
        rows = self._session.rows(_SESSION, session_hash)
        return loaded_session(*rows[0]) if rows else None  # type: ignore[arg-type]

    def end(self, session_hash: str) -> None:
        self._write("DELETE FROM sessions WHERE session_hash = %s RETURNING 1", session_hash, rows=None)

    def end_all(self, user_id: UserId, *, but: str | None = None) -> None:
        self._write(_END_SESSIONS, user_id, but, rows=None)

    def purge(self, now: datetime) -> None:
        self._write(_PURGE, now - IDLE_LIFE, now - ABSOLUTE_LIFE, rows=None)


class PostgresLinks(_Repository, LinkRepository):
    """Links on PostgreSQL."""

    def add(self, link: OneTimeLink) -> None:
        self._write(
            _ADD_LINK, self._agency_id, link.link_hash, link.user_id, link.purpose.value, link.expires_at,
            link.used_at,
        )  # fmt: skip

    def find(self, link_hash: str) -> OneTimeLink | None:
        rows = self._session.rows(_LINK, self._agency_id, link_hash)
        return loaded_link(*rows[0]) if rows else None  # type: ignore[arg-type]

    def live(self, user_id: UserId, purpose: Purpose, now: datetime) -> int:
        ((count,),) = self._session.rows(_LIVE_LINKS, self._agency_id, user_id, purpose.value, now)
        if not isinstance(count, int):
            raise MisuseError(count=type(count).__name__)
        return count

    def save(self, link: OneTimeLink) -> None:
        self._write(_SAVE_LINK, link.used_at, self._agency_id, link.link_hash)

    def use_up(self, user_id: UserId, now: datetime) -> None:
        self._write(_USE_UP, now, self._agency_id, user_id, rows=None)


class PostgresOwnProperties(OwnProperties):
    """The agency's properties on PostgreSQL."""

    def __init__(self, session: Transaction) -> None:
        self._session = session

    def known(self, property_ids: Iterable[PropertyId]) -> frozenset[PropertyId]:
        rows = self._session.rows(_OWN, self._session.agency_id, list(property_ids))
        return frozenset(PropertyId(found) for (found,) in rows)  # type: ignore[arg-type]


def _memberships(rows: Sequence[tuple[object, ...]]) -> tuple[Membership, ...]:
    return tuple(loaded_membership(*row) for row in rows)  # type: ignore[arg-type]
