"""The repositories of access in memory, and the reader outside of transactions.

Owns what their ports promise; leaves the commit to ``accounts``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import date, datetime
from typing import TypeVar

from attrs import evolve

from pmscore.access.model.agencies import Agency
from pmscore.access.model.keys import ApiKey
from pmscore.access.model.links import OneTimeLink, Purpose
from pmscore.access.model.sessions import Session
from pmscore.access.model.users import Member, Membership, User
from pmscore.access.ports import (
    AccessReader,
    ApiKeyRepository,
    LinkRepository,
    MembershipRepository,
    OwnProperties,
    Place,
    SessionMember,
    SessionRepository,
    UserRepository,
)
from pmscore.kernel.errors import BusyError, NotFoundError
from pmscore.kernel.ids import AgencyId, ApiKeyId, PropertyId, UserId
from pmscore.testing.accounts import Accounts
from pmscore.testing.locks import LockTable
from pmscore.testing.transaction import Transaction

__all__ = [
    "InMemoryAccessReader",
    "InMemoryApiKeys",
    "InMemoryLinks",
    "InMemoryMemberships",
    "InMemoryOwnProperties",
    "InMemorySessions",
    "InMemoryUsers",
]

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


def _locked(
    at: Transaction, kind: str, key: KeyT, kept: Mapping[KeyT, ValueT], pending: Mapping[KeyT, ValueT]
) -> ValueT | None:
    """Return this transaction's own version, else the committed one, locked until the end in all agencies."""
    at.check_open()
    with at.locks.mutex:
        if not at.locks.acquire((kind, key), at.number):
            raise BusyError(kind=kind)
        return pending[key] if key in pending else kept.get(key)


class InMemoryUsers(UserRepository):
    """Accounts."""

    def __init__(self, transaction: Transaction, accounts: Accounts) -> None:
        self._at = transaction
        self._accounts = accounts

    def add(self, user: User) -> None:
        """Add a new account."""
        self._at.check_open()
        self._at.changes.access.added.add(user.user_id)
        self._at.changes.access.users[user.user_id] = user

    def get(self, user_id: UserId) -> User:
        """Return the account, locked."""
        found = _locked(self._at, "user", user_id, self._accounts.users, self._at.changes.access.users)
        if found is None:
            raise NotFoundError("user", user_id)
        return found

    def find_by_email(self, email: str) -> User | None:
        """Return the account with this address, locked."""
        self._at.check_open()
        with self._at.locks.mutex:
            found = [each.user_id for each in self._accounts.users.values() if each.email == email]
        return self.get(found[0]) if found else None

    def named(self, user_ids: Iterable[UserId]) -> tuple[User, ...]:
        """Return accounts in the order of their addresses."""
        self._at.check_open()
        with self._at.locks.mutex:
            found = [self._accounts.users[each] for each in user_ids if each in self._accounts.users]
        return tuple(sorted(found, key=lambda user: user.email))

    def save(self, user: User) -> None:
        """Store an account."""
        self._at.check_open()
        self._at.changes.access.users[user.user_id] = user


class InMemoryMemberships(MembershipRepository):
    """Memberships of the transaction's agency."""

    def __init__(self, transaction: Transaction, accounts: Accounts) -> None:
        self._at = transaction
        self._accounts = accounts
        self._agency_id = transaction.command.agency_id

    def add(self, membership: Membership) -> None:
        """Add a membership."""
        self._at.check_open()
        key = (self._agency_id, membership.user_id)
        self._at.changes.access.added.add(key)
        self._at.changes.access.memberships[key] = membership

    def get(self, user_id: UserId) -> Membership:
        """Return the membership, locked."""
        found = self.find(user_id)
        if found is None:
            raise NotFoundError("user", user_id)
        return found

    def find(self, user_id: UserId) -> Membership | None:
        """Return the membership, locked, or None."""
        key = (self._agency_id, user_id)
        pending = self._at.changes.access.memberships
        return _locked(self._at, "membership", key, self._accounts.memberships, pending)

    def admins(self) -> tuple[Membership, ...]:
        """Return the active admins, locked."""
        found = (self.find(each.user_id) for each in self.all() if each.is_active_admin)
        return tuple(each for each in found if each is not None and each.is_active_admin)

    def all(self) -> tuple[Membership, ...]:
        """Return every membership in the order of the ids."""
        self._at.check_open()
        with self._at.locks.mutex:
            mine = [m for (agency, _), m in self._accounts.memberships.items() if agency == self._agency_id]
        return tuple(sorted(mine, key=lambda each: each.user_id))

    def save(self, membership: Membership) -> None:
        """Store a membership."""
        self._at.check_open()
        self._at.changes.access.memberships[self._agency_id, membership.user_id] = membership


class InMemoryApiKeys(ApiKeyRepository):
    """Keys of the transaction's agency."""

    def __init__(self, transaction: Transaction, accounts: Accounts) -> None:
        self._at = transaction
        self._accounts = accounts
        self._agency_id = transaction.command.agency_id

    def add(self, key: ApiKey) -> None:
        """Add a key."""
        self._at.check_open()
        name = (self._agency_id, key.key_id)
        self._at.changes.access.added.add(name)
        self._at.changes.access.api_keys[name] = key

    def get(self, key_id: ApiKeyId) -> ApiKey:
        """Return the key, locked."""
        name = (self._agency_id, key_id)
        found = _locked(self._at, "api_key", name, self._accounts.api_keys, self._at.changes.access.api_keys)
        if found is None:
            raise NotFoundError("api_key", key_id)
        return found

    def all(self) -> tuple[ApiKey, ...]:
        """Return every key, the newest first."""
        self._at.check_open()
        with self._at.locks.mutex:
            mine = [k for (agency, _), k in self._accounts.api_keys.items() if agency == self._agency_id]
        return tuple(sorted(mine, key=lambda each: (each.created_at, each.key_id), reverse=True))

    def save(self, key: ApiKey) -> None:
        """Store a key."""
        self._at.check_open()
        self._at.changes.access.api_keys[self._agency_id, key.key_id] = key


class InMemorySessions(SessionRepository):
    """Sessions."""

    def __init__(self, transaction: Transaction, accounts: Accounts) -> None:
        self._at = transaction
        self._accounts = accounts

    def add(self, session: Session) -> None:
        """Add a session."""
        self._at.check_open()
        self._at.changes.access.sessions[session.session_hash] = session

    def find(self, session_hash: str) -> Session | None:
        """Return the session, locked, or None."""
        return _locked(
            self._at, "session", session_hash, self._accounts.sessions, self._at.changes.access.sessions
        )

    def end(self, session_hash: str) -> None:
        """End one session."""
        self._at.check_open()
        self._at.changes.access.sessions[session_hash] = None

    def end_all(self, user_id: UserId, *, but: str | None = None) -> None:
        """End every session of somebody but one."""
        self._at.check_open()
        self._at.changes.access.ended.append((user_id, but))

    def purge(self, now: datetime) -> None:
        """Forget the sessions that are over."""
        self._at.check_open()
        with self._at.locks.mutex:
            over = [name for name, each in self._accounts.sessions.items() if not each.is_valid(now)]
        for session_hash in over:
            self._at.changes.access.sessions.setdefault(session_hash, None)


class InMemoryLinks(LinkRepository):
    """Links of the transaction's agency."""

    def __init__(self, transaction: Transaction, accounts: Accounts) -> None:
        self._at = transaction
        self._accounts = accounts
        self._agency_id = transaction.command.agency_id

    def add(self, link: OneTimeLink) -> None:
        """Add a link."""
        self.save(link)

    def find(self, link_hash: str) -> OneTimeLink | None:
        """Return the link, locked, or None."""
        key = (self._agency_id, link_hash)
        return _locked(self._at, "link", key, self._accounts.links, self._at.changes.access.links)

    def live(self, user_id: UserId, purpose: Purpose, now: datetime) -> int:
        """Return how many links can still be used."""
        self._at.check_open()
        with self._at.locks.mutex:
            mine = [each for (agency, _), each in self._accounts.links.items() if agency == self._agency_id]
        return sum(
            each.user_id == user_id and each.purpose is purpose and each.is_valid(now) for each in mine
        )

    def save(self, link: OneTimeLink) -> None:
        """Store a link."""
        self._at.check_open()
        self._at.changes.access.links[self._agency_id, link.link_hash] = link

    def use_up(self, user_id: UserId, now: datetime) -> None:
        """Mark every link of somebody as used at the commit."""
        self._at.check_open()
        self._at.changes.access.used_up.append((self._agency_id, user_id, now))


class InMemoryOwnProperties(OwnProperties):
    """The properties of the transaction's agency."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def known(self, property_ids: Iterable[PropertyId]) -> frozenset[PropertyId]:
        """Return those that are the agency's."""
        self._at.check_open()
        with self._at.locks.mutex:
            return frozenset(property_ids) & self._at.books.houses.keys()


class InMemoryAccessReader(AccessReader):
    """Finds who is behind a credential; ``slugs`` are those of all agencies, ``agency_of`` finds one by its id."""

    def __init__(
        self,
        accounts: Accounts,
        slugs: Mapping[str, AgencyId],
        agency_of: Callable[[AgencyId], Agency | None],
        locks: LockTable,
    ) -> None:
        self._accounts = accounts
        self._slugs = slugs
        self._agency_of = agency_of
        self._mutex = locks.mutex

    def find_agency(self, slug: str) -> AgencyId | None:
        """Return the agency with this name in addresses."""
        with self._mutex:
            return self._slugs.get(slug)

    def find_user(self, email: str) -> User | None:
        """Return the account with this address."""
        with self._mutex:
            return next((each for each in self._accounts.users.values() if each.email == email), None)

    def find_member(self, agency_id: AgencyId, user_id: UserId) -> Member | None:
        """Return an account with its membership."""
        with self._mutex:
            return self._member(agency_id, user_id)

    def find_key(self, key_hash: str) -> ApiKey | None:
        """Return the key with this hash."""
        with self._mutex:
            found = (each for each in self._accounts.api_keys.values() if each.key_hash == key_hash)
            return next(found, None)

    def find_session(self, session_hash: str) -> SessionMember | None:
        """Return the session with this hash and whose it is."""
        with self._mutex:
            session = self._accounts.sessions.get(session_hash)
            if session is None:
                return None
            return SessionMember(session=session, member=self._member(session.agency_id, session.user_id))

    def places(self, user_id: UserId) -> tuple[Place, ...]:
        """Return the open places of somebody."""
        with self._mutex:
            mine = [each for (_, user), each in self._accounts.memberships.items() if user == user_id]
            found = [(self._agency_of(each.agency_id), each) for each in mine if each.disabled_at is None]
        places = [Place(agency=agency, membership=each) for agency, each in found if agency is not None]
        return tuple(sorted(places, key=lambda each: (each.agency.name, each.agency.slug)))

    def note_key_use(self, agency_id: AgencyId, key_id: ApiKeyId, day: date) -> None:
        """Remember the day."""
        with self._mutex:
            key = self._accounts.api_keys.get((agency_id, key_id))
            if key is not None:
                self._accounts.api_keys[agency_id, key_id] = evolve(key, used_on=day)

    def note_session_use(self, session_hash: str, now: datetime) -> None:
        """Remember the use."""
        with self._mutex:
            session = self._accounts.sessions.get(session_hash)
            if session is not None:
                self._accounts.sessions[session_hash] = session.seen(now)

    def _member(self, agency_id: AgencyId, user_id: UserId) -> Member | None:
        user = self._accounts.users.get(user_id)
        membership = self._accounts.memberships.get((agency_id, user_id))
        return None if user is None or membership is None else Member(user=user, membership=membership)
