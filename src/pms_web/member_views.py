"""People and keys as they are sent.

Owns the shapes. No hash, no secret and no count of failures is in any of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from pms_web.reply_parts import id_text
from pms_web.wire import DateText, IdText, InstantText
from pmscore.access.model.keys import ApiKey
from pmscore.access.model.permissions import PERMISSIONS, Role
from pmscore.access.model.principals import Principal
from pmscore.access.model.sessions import Session
from pmscore.access.model.users import Member, User
from pmscore.access.policies.secrets import csrf_token
from pmscore.access.ports import Place
from pmscore.access.use_cases.keys import NewKey
from pmscore.kernel.ids import PropertyId

__all__ = [
    "KeyBody",
    "MemberBody",
    "NewKeyBody",
    "PlaceBody",
    "SessionBody",
    "WhoBody",
    "key_body",
    "member_body",
    "new_key_body",
    "session_body",
    "who_body",
]


class MemberBody(TypedDict):
    """Somebody who has a place in the agency; ``property_ids`` null reaches all of it."""

    id: IdText
    email: str
    name: str
    role: Role
    property_ids: list[str] | None
    is_active: bool
    has_password: bool
    version: int


class KeyBody(TypedDict):
    """An API key, without its secret; ``used_on`` is the last day (UTC) of its use."""

    id: IdText
    name: str
    role: Role
    property_ids: list[str] | None
    created_at: InstantText
    expires_at: InstantText | None
    revoked_at: InstantText | None
    used_on: DateText | None


class NewKeyBody(KeyBody):
    """A new key with its text, which is shown this once: ``key`` is null in the answer to a repetition."""

    key: str | None


class SessionBody(TypedDict):
    """A session that has begun; ``csrf_token`` goes into ``X-CSRF-Token`` of every change."""

    user_id: IdText
    name: str
    agency_id: IdText
    agency_ids: list[str]
    csrf_token: str
    expires_at: InstantText


class PlaceBody(TypedDict):
    """An agency that somebody has an open place in, and what they are there; ``is_current`` is the one that is asked."""

    agency_id: IdText
    name: str
    slug: str
    role: Role
    is_current: bool


class WhoBody(TypedDict):
    """Who asks, and what they may; ``memberships`` is empty for a key, ``csrf_token`` null for all but a session."""

    actor_id: IdText
    agency_id: IdText
    role: Role
    means: str
    property_ids: list[str] | None
    permissions: list[str]
    memberships: list[PlaceBody]
    csrf_token: str | None


def member_body(member: Member) -> MemberBody:
    """Return somebody of the agency."""
    return {
        "id": str(member.user.user_id),
        "email": member.user.email,
        "name": member.user.name,
        "role": member.membership.role,
        "property_ids": _reach(member.membership.property_ids),
        "is_active": member.is_active,
        "has_password": member.user.password_hash is not None,
        "version": member.membership.version,
    }


def key_body(key: ApiKey) -> KeyBody:
    """Return a key."""
    return {
        "id": str(key.key_id),
        "name": key.name,
        "role": key.role,
        "property_ids": _reach(key.property_ids),
        "created_at": key.created_at.isoformat(),
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
        "used_on": None if key.used_on is None else key.used_on.isoformat(),
    }


def new_key_body(made: NewKey) -> NewKeyBody:
    """Return a key with its text."""
    return {**key_body(made.key), "key": made.text or None}


def session_body(session: Session, user: User, secret: str) -> SessionBody:
    """Return a session for the page that has begun it."""
    return {
        "user_id": str(user.user_id),
        "name": user.name,
        "agency_id": str(session.agency_id),
        "agency_ids": [str(each) for each in user.agency_ids],
        "csrf_token": csrf_token(secret),
        "expires_at": session.expires_at.isoformat(),
    }


def who_body(principal: Principal, places: Iterable[Place], secret: str) -> WhoBody:
    """Return who asks; ``secret`` is that of their session, empty where they have none."""
    return {
        "actor_id": str(principal.actor_id),
        "agency_id": str(principal.agency_id),
        "role": principal.role,
        "means": principal.means.value,
        "property_ids": _reach(principal.property_ids),
        "permissions": sorted(each.value for each in PERMISSIONS[principal.role]),
        "memberships": [_place(each, principal) for each in places],
        "csrf_token": csrf_token(secret) if secret else None,
    }


def _place(place: Place, principal: Principal) -> PlaceBody:
    return {
        "agency_id": str(place.agency.agency_id),
        "name": place.agency.name,
        "slug": place.agency.slug,
        "role": place.membership.role,
        "is_current": place.agency.agency_id == principal.agency_id,
    }


def _reach(property_ids: frozenset[PropertyId] | None) -> list[str] | None:
    return None if property_ids is None else sorted(str(id_text(each)) for each in property_ids)
