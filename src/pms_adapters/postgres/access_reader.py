"""Who is behind a credential, found before anybody knows the agency.

Owns the one round trip of each look: the global table names the agency, the transaction is told, and the rest is read
behind that agency's wall.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from sqlalchemy import Engine

from pms_adapters.postgres.access_rows import (
    KEY_COLUMNS,
    MEMBERSHIP_COLUMNS,
    SESSION_COLUMNS,
    USER_COLUMNS,
    loaded_key,
    loaded_membership,
    loaded_session,
    loaded_user,
    slug_hash,
)
from pms_adapters.postgres.session import Row, Session, Statement
from pmscore.access.model.agencies import Agency
from pmscore.access.model.keys import ApiKey
from pmscore.access.model.users import Member, User
from pmscore.access.ports import AccessReader, Place, SessionMember
from pmscore.kernel.ids import AgencyId, ApiKeyId, UserId

__all__ = ["PostgresAccess"]

_NO_AGENCY = AgencyId(UUID(int=0))
_AGENCY: LiteralString = "SELECT agency_id FROM key_index WHERE key_hash = %s AND key_id = agency_id"
_USER: LiteralString = f"SELECT {USER_COLUMNS} FROM users u WHERE u.email = %s"
_MEMBER: LiteralString = f"""\
SELECT {USER_COLUMNS}, {MEMBERSHIP_COLUMNS} FROM memberships m JOIN users u USING (user_id)
 WHERE m.agency_id = %s AND m.user_id = %s"""
_NAME_AGENCY_OF_KEY: LiteralString = (
    "SELECT set_config('app.agency_id', (SELECT agency_id::text FROM key_index WHERE key_hash = %s), true)"
)
_KEY: LiteralString = f"""\
SELECT {KEY_COLUMNS} FROM key_index i JOIN api_keys k USING (agency_id, key_id) WHERE i.key_hash = %s"""
_NAME_AGENCY_OF_SESSION: LiteralString = (
    "SELECT set_config('app.agency_id', (SELECT agency_id::text FROM sessions WHERE session_hash = %s), true)"
)
_SESSION: LiteralString = f"""\
SELECT {SESSION_COLUMNS}, {USER_COLUMNS}, {MEMBERSHIP_COLUMNS}
  FROM sessions s
  LEFT JOIN (memberships m JOIN users u USING (user_id))
    ON m.agency_id = s.agency_id AND m.user_id = s.user_id
 WHERE s.session_hash = %s"""
_AGENCIES: LiteralString = "SELECT agency_ids FROM users WHERE user_id = %s"
_NAME_AGENCY: LiteralString = "SELECT set_config('app.agency_id', %s, true)"
_PLACE: LiteralString = f"""\
SELECT a.name, a.slug, {MEMBERSHIP_COLUMNS} FROM memberships m JOIN agencies a USING (agency_id)
 WHERE m.agency_id = %s AND m.user_id = %s AND m.disabled_at IS NULL"""
_KEY_USED: LiteralString = (
    "UPDATE api_keys SET used_on = %s WHERE agency_id = %s AND key_id = %s AND used_on IS DISTINCT FROM %s"
)
_SESSION_USED: LiteralString = "UPDATE sessions SET seen_at = greatest(seen_at, %s) WHERE session_hash = %s"
_SESSION_WIDTH = SESSION_COLUMNS.count(",") + 1
_USER_WIDTH = USER_COLUMNS.count(",") + 1


class PostgresAccess(AccessReader):
    """The reader on PostgreSQL; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find_agency(self, slug: str) -> AgencyId | None:
        with Session(self._engine, _NO_AGENCY) as session:
            rows = session.read([(_AGENCY, (slug_hash(slug),))])[0]
        return AgencyId(rows[0][0]) if rows else None  # type: ignore[arg-type]

    def find_user(self, email: str) -> User | None:
        with Session(self._engine, _NO_AGENCY) as session:
            rows = session.read([(_USER, (email,))])[0]
        return loaded_user(*rows[0]) if rows else None  # type: ignore[arg-type]

    def find_member(self, agency_id: AgencyId, user_id: UserId) -> Member | None:
        with Session(self._engine, agency_id) as session:
            rows = session.read([(_MEMBER, (agency_id, user_id))])[0]
        return _member(rows[0]) if rows else None

    def find_key(self, key_hash: str) -> ApiKey | None:
        with Session(self._engine, _NO_AGENCY) as session:
            rows = session.read([(_NAME_AGENCY_OF_KEY, (key_hash,)), (_KEY, (key_hash,))])[1]
        return loaded_key(*rows[0]) if rows else None  # type: ignore[arg-type]

    def find_session(self, session_hash: str) -> SessionMember | None:
        asked = [(_NAME_AGENCY_OF_SESSION, (session_hash,)), (_SESSION, (session_hash,))]
        with Session(self._engine, _NO_AGENCY) as transaction:
            rows = transaction.read(asked)[1]
        if not rows:
            return None
        row = rows[0]
        session = loaded_session(*row[:_SESSION_WIDTH])  # type: ignore[arg-type]
        rest = row[_SESSION_WIDTH:]
        return SessionMember(session=session, member=None if rest[0] is None else _member(rest))

    def places(self, user_id: UserId) -> tuple[Place, ...]:
        """Look behind each agency's wall in turn, all of them in one round trip."""
        with Session(self._engine, _NO_AGENCY) as session:
            found = session.read([(_AGENCIES, (user_id,))])[0]
            agency_ids: list[UUID] = found[0][0] if found else []  # type: ignore[assignment]
            asked: list[Statement] = []
            for agency_id in agency_ids:
                asked += [(_NAME_AGENCY, (str(agency_id),)), (_PLACE, (agency_id, user_id))]
            answers = session.read(asked)[1::2] if asked else []
        places = [_place(row) for rows in answers for row in rows]
        return tuple(sorted(places, key=lambda each: (each.agency.name, each.agency.slug)))

    def note_key_use(self, agency_id: AgencyId, key_id: ApiKeyId, day: date) -> None:
        with Session(self._engine, agency_id) as session:
            session.commit([(_KEY_USED, (day, agency_id, key_id, day))])

    def note_session_use(self, session_hash: str, now: datetime) -> None:
        with Session(self._engine, _NO_AGENCY) as session:
            session.commit([(_SESSION_USED, (now, session_hash))])


def _place(row: Row) -> Place:
    name, slug, *rest = row
    membership = loaded_membership(*rest)  # type: ignore[arg-type]
    return Place(
        agency=Agency(agency_id=membership.agency_id, name=str(name), slug=str(slug)), membership=membership
    )


def _member(row: Row) -> Member:
    return Member(
        user=loaded_user(*row[:_USER_WIDTH]),  # type: ignore[arg-type]
        membership=loaded_membership(*row[_USER_WIDTH:]),  # type: ignore[arg-type]
    )
