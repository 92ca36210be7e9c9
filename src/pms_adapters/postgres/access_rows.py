"""From rows of access to the model.

Owns the columns of each and their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from pmscore.access.model.keys import ApiKey
from pmscore.access.model.links import OneTimeLink, Purpose
from pmscore.access.model.permissions import Role
from pmscore.access.model.sessions import Session
from pmscore.access.model.users import Membership, User
from pmscore.access.policies.secrets import fingerprint
from pmscore.kernel.ids import AgencyId, ApiKeyId, PropertyId, UserId

__all__ = [
    "KEY_COLUMNS",
    "LINK_COLUMNS",
    "MEMBERSHIP_COLUMNS",
    "SESSION_COLUMNS",
    "USER_COLUMNS",
    "loaded_key",
    "loaded_link",
    "loaded_membership",
    "loaded_session",
    "loaded_user",
    "reach_of",
    "slug_hash",
]

USER_COLUMNS: LiteralString = (
    "u.user_id, u.email, u.name, u.password_hash, u.disabled_at, u.failed_tries, u.blocked_until, u.epoch,"
    " u.agency_ids, u.version"
)
MEMBERSHIP_COLUMNS: LiteralString = "m.agency_id, m.user_id, m.role, m.property_ids, m.disabled_at, m.version"
KEY_COLUMNS: LiteralString = (
    "k.agency_id, k.key_id, k.name, k.role, k.property_ids, k.key_hash, k.created_at, k.expires_at,"
    " k.revoked_at, k.used_on, k.version"
)
LINK_COLUMNS: LiteralString = "l.agency_id, l.link_hash, l.user_id, l.purpose, l.expires_at, l.used_at"
SESSION_COLUMNS: LiteralString = "s.session_hash, s.user_id, s.agency_id, s.created_at, s.seen_at"


def reach_of(property_ids: Iterable[PropertyId] | None) -> list[PropertyId] | None:
    """Return a reach as it is stored."""
    return None if property_ids is None else sorted(property_ids)


def loaded_user(
    user_id: UUID, email: str, name: str, password_hash: str | None, disabled_at: datetime | None,
    failed_tries: int, blocked_until: datetime | None, epoch: int, agency_ids: list[UUID], version: int,
) -> User:  # fmt: skip
    """Return an account."""
    return User(
        user_id=UserId(user_id),
        email=email,
        name=name,
        password_hash=password_hash,
        disabled_at=disabled_at,
        failed_tries=failed_tries,
        blocked_until=blocked_until,
        epoch=epoch,
        agency_ids=tuple(AgencyId(each) for each in agency_ids),
        version=version,
    )


def loaded_membership(
    agency_id: UUID, user_id: UUID, role: str, property_ids: list[UUID] | None, disabled_at: datetime | None,
    version: int,
) -> Membership:  # fmt: skip
    """Return a membership."""
    return Membership(
        agency_id=AgencyId(agency_id),
        user_id=UserId(user_id),
        role=Role(role),
        property_ids=_reach(property_ids),
        disabled_at=disabled_at,
        version=version,
    )


def loaded_key(
    agency_id: UUID, key_id: UUID, name: str, role: str, property_ids: list[UUID] | None, key_hash: str,
    created_at: datetime, expires_at: datetime | None, revoked_at: datetime | None, used_on: date | None,
    version: int,
) -> ApiKey:  # fmt: skip
    """Return a key."""
    return ApiKey(
        agency_id=AgencyId(agency_id),
        key_id=ApiKeyId(key_id),
        name=name,
        role=Role(role),
        property_ids=_reach(property_ids),
        key_hash=key_hash,
        created_at=created_at,
        expires_at=expires_at,
        revoked_at=revoked_at,
        used_on=used_on,
        version=version,
    )


def loaded_link(
    agency_id: UUID, link_hash: str, user_id: UUID, purpose: str, expires_at: datetime,
    used_at: datetime | None,
) -> OneTimeLink:  # fmt: skip
    """Return a link."""
    return OneTimeLink(
        agency_id=AgencyId(agency_id),
        link_hash=link_hash,
        user_id=UserId(user_id),
        purpose=Purpose(purpose),
        expires_at=expires_at,
        used_at=used_at,
    )


def loaded_session(
    session_hash: str, user_id: UUID, agency_id: UUID, created_at: datetime, seen_at: datetime
) -> Session:
    """Return a session."""
    return Session(
        session_hash=session_hash,
        user_id=UserId(user_id),
        agency_id=AgencyId(agency_id),
        created_at=created_at,
        seen_at=seen_at,
    )


def _reach(property_ids: list[UUID] | None) -> frozenset[PropertyId] | None:
    return None if property_ids is None else frozenset(PropertyId(each) for each in property_ids)


def slug_hash(slug: str) -> str:
    """Return the entry of an agency's name in the index that is read before anybody knows the agency."""
    return fingerprint(f"agency:{slug}")
