"""Accounts, memberships, keys, sessions and links in memory, of all agencies of a store.

Owns the state and the judgement at the commit. Leaves reading inside a transaction to ``access_repositories``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from attrs import Factory, define

from pmscore.access.model.keys import ApiKey
from pmscore.access.model.links import OneTimeLink
from pmscore.access.model.sessions import Session
from pmscore.access.model.users import Membership, User
from pmscore.kernel.errors import InvalidInputError, StaleVersionError
from pmscore.kernel.ids import AgencyId, ApiKeyId, UserId

__all__ = ["AccessChanges", "Accounts"]

KeyT = TypeVar("KeyT")


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


@define
class AccessChanges:
    """What one transaction wants to write."""

    users: dict[UserId, User] = Factory(dict[UserId, User])
    memberships: dict[tuple[AgencyId, UserId], Membership] = Factory(
        dict[tuple[AgencyId, UserId], Membership]
    )
    api_keys: dict[tuple[AgencyId, ApiKeyId], ApiKey] = Factory(dict[tuple[AgencyId, ApiKeyId], ApiKey])
    links: dict[tuple[AgencyId, str], OneTimeLink] = Factory(dict[tuple[AgencyId, str], OneTimeLink])
    used_up: list[tuple[AgencyId, UserId, datetime]] = Factory(list[tuple[AgencyId, UserId, datetime]])
    ended: list[tuple[UserId, str | None]] = Factory(list[tuple[UserId, str | None]])
    sessions: dict[str, Session | None] = Factory(dict[str, "Session | None"])
    added: set[object] = Factory(set[object])


@define
class Accounts:
    """Everything that is committed."""

    users: dict[UserId, User] = Factory(dict[UserId, User])
    memberships: dict[tuple[AgencyId, UserId], Membership] = Factory(
        dict[tuple[AgencyId, UserId], Membership]
    )
    api_keys: dict[tuple[AgencyId, ApiKeyId], ApiKey] = Factory(dict[tuple[AgencyId, ApiKeyId], ApiKey])
    links: dict[tuple[AgencyId, str], OneTimeLink] = Factory(dict[tuple[AgencyId, str], OneTimeLink])
    sessions: dict[str, Session] = Factory(dict[str, Session])

    def check(self, changes: AccessChanges) -> None:
        """Refuse what cannot be written, before anything is.

        Raises:
            InvalidInputError: field ``email``: the address has an account.
            StaleVersionError: something is not the next version of what is there.
        """
        emails = {each.email: each.user_id for each in self.users.values()}
        for user in changes.users.values():
            if emails.get(user.email, user.user_id) != user.user_id:
                raise InvalidInputError("email", "taken")
        _check_versions(self.users, changes.users, changes.added)
        _check_versions(self.memberships, changes.memberships, changes.added)
        _check_versions(self.api_keys, changes.api_keys, changes.added)

    def put(self, changes: AccessChanges) -> None:
        """Assign everything; what can be refused was refused before."""
        self.users.update(changes.users)
        self.memberships.update(changes.memberships)
        self.api_keys.update(changes.api_keys)
        self.links.update(changes.links)
        for agency_id, user_id, at in changes.used_up:
            for key, link in list(self.links.items()):
                if key[0] == agency_id and link.user_id == user_id and link.used_at is None:
                    self.links[key] = link.used(at)
        for ended, but in changes.ended:
            for session_hash, session in list(self.sessions.items()):
                if session.user_id == ended and session_hash != but:
                    del self.sessions[session_hash]
        for session_hash, found in changes.sessions.items():
            if found is None:
                self.sessions.pop(session_hash, None)
            else:
                self.sessions[session_hash] = found


def _check_versions(
    kept: Mapping[KeyT, _Versioned], changed: Mapping[KeyT, _Versioned], added: set[object]
) -> None:
    for key, each in changed.items():
        there = kept.get(key)
        is_new = key in added
        if (there is None) != is_new or (there is not None and each.version <= there.version):
            raise StaleVersionError(id=str(key))
