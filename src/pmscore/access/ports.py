"""What access needs from outside: a store, a hasher of passwords, the mail; secrets are the kernel's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from datetime import date, datetime
from typing import Protocol

from attrs import field, frozen

from pmscore.access.model.agencies import Agency
from pmscore.access.model.keys import ApiKey
from pmscore.access.model.links import OneTimeLink, Purpose
from pmscore.access.model.sessions import Session
from pmscore.access.model.users import Member, Membership, User
from pmscore.kernel.ids import AgencyId, ApiKeyId, PropertyId, UserId
from pmscore.kernel.ports import Work

__all__ = [
    "AccessReader",
    "AccessWork",
    "AgencyRepository",
    "ApiKeyRepository",
    "LinkRepository",
    "Mail",
    "MailSender",
    "MemberWork",
    "MembershipRepository",
    "OwnProperties",
    "PasswordHasher",
    "Place",
    "SessionMember",
    "SessionRepository",
    "UserRepository",
]


class PasswordHasher(Protocol):
    """Hashes passwords slowly, so that a stolen hash is worth little."""

    @abstractmethod
    def hash(self, password: str) -> str:
        """Return a salted hash that carries its own parameters."""

    @abstractmethod
    def matches(self, password_hash: str | None, password: str) -> bool:
        """Return whether the password is the one that was hashed; for None, False after the same work."""

    @abstractmethod
    def needs_rehash(self, password_hash: str) -> bool:
        """Return whether the hash was made by rules that are older than today's."""


@frozen(kw_only=True)
class Mail:
    """A letter; ``secret`` is the secret part of the link in it, which no log may show."""

    to: str
    purpose: Purpose
    name: str
    secret: str = field(repr=False)
    expires_at: datetime


class MailSender(Protocol):
    """Sends letters."""

    @abstractmethod
    def send(self, mail: Mail) -> None:
        """Hand the letter over.

        Raises:
            UnreachableError: the mail server did not take it.
        """


class AgencyRepository(Protocol):
    """Keeps agencies."""

    @abstractmethod
    def add(self, agency: Agency) -> None:
        """Add ``agency``; its id must be the one the transaction was opened for."""

    @abstractmethod
    def get(self, agency_id: AgencyId) -> Agency:
        """Return the agency.

        Raises:
            NotFoundError: there is none, or it is not the one the transaction was opened for.
        """


class UserRepository(Protocol):
    """Keeps accounts, of all agencies."""

    @abstractmethod
    def add(self, user: User) -> None:
        """Add a new account.

        Raises:
            InvalidInputError: at the commit, field ``email``: there is one with that address.
        """

    @abstractmethod
    def get(self, user_id: UserId) -> User:
        """Return the account, locked until the end.

        Raises:
            NotFoundError: there is none.
        """

    @abstractmethod
    def find_by_email(self, email: str) -> User | None:
        """Return the account with this normalised address, locked until the end, or None."""

    @abstractmethod
    def named(self, user_ids: Iterable[UserId]) -> tuple[User, ...]:
        """Return accounts, not locked, in the order of their addresses; ids that are none are left out."""

    @abstractmethod
    def save(self, user: User) -> None:
        """Store an account that was read in this transaction, as its next version."""


class MembershipRepository(Protocol):
    """Keeps who is what in the agency of the transaction."""

    @abstractmethod
    def add(self, membership: Membership) -> None:
        """Add a membership."""

    @abstractmethod
    def get(self, user_id: UserId) -> Membership:
        """Return the membership, locked until the end.

        Raises:
            NotFoundError: they have none in this agency.
        """

    @abstractmethod
    def find(self, user_id: UserId) -> Membership | None:
        """Return the membership, locked until the end, or None."""

    @abstractmethod
    def admins(self) -> tuple[Membership, ...]:
        """Return the active admins, locked until the end in the order of their ids."""

    @abstractmethod
    def all(self) -> tuple[Membership, ...]:
        """Return every membership, not locked, in the order of the ids."""

    @abstractmethod
    def save(self, membership: Membership) -> None:
        """Store a membership that was read in this transaction, as its next version."""


class ApiKeyRepository(Protocol):
    """Keeps the keys of the agency of the transaction."""

    @abstractmethod
    def add(self, key: ApiKey) -> None:
        """Add a key, to be found by its hash from the commit on."""

    @abstractmethod
    def get(self, key_id: ApiKeyId) -> ApiKey:
        """Return the key, locked until the end.

        Raises:
            NotFoundError: there is none in this agency.
        """

    @abstractmethod
    def all(self) -> tuple[ApiKey, ...]:
        """Return every key, not locked, the newest first."""

    @abstractmethod
    def save(self, key: ApiKey) -> None:
        """Store a key that was read in this transaction, as its next version."""


class SessionRepository(Protocol):
    """Keeps sessions, of all agencies."""

    @abstractmethod
    def add(self, session: Session) -> None:
        """Add a session."""

    @abstractmethod
    def find(self, session_hash: str) -> Session | None:
        """Return the session, locked until the end, or None; of two who move it at once, one finds it."""

    @abstractmethod
    def end(self, session_hash: str) -> None:
        """End one session; one that has ended already stays so."""

    @abstractmethod
    def end_all(self, user_id: UserId, *, but: str | None = None) -> None:
        """End every session of somebody, in all agencies, but for the one with this hash."""

    @abstractmethod
    def purge(self, now: datetime) -> None:
        """Forget the sessions that can no longer be used."""


class LinkRepository(Protocol):
    """Keeps the one-time links of the agency of the transaction."""

    @abstractmethod
    def add(self, link: OneTimeLink) -> None:
        """Add a link."""

    @abstractmethod
    def find(self, link_hash: str) -> OneTimeLink | None:
        """Return the link, locked until the end, or None; of two who hold it at once, one sees it used."""

    @abstractmethod
    def live(self, user_id: UserId, purpose: Purpose, now: datetime) -> int:
        """Return how many of somebody's links can still be used."""

    @abstractmethod
    def save(self, link: OneTimeLink) -> None:
        """Store a link that was read in this transaction."""

    @abstractmethod
    def use_up(self, user_id: UserId, now: datetime) -> None:
        """Mark every link of somebody as used, at the commit: a password that was set ends them all."""


class OwnProperties(Protocol):
    """Says which properties the agency of the transaction has; they themselves are a neighbour's."""

    @abstractmethod
    def known(self, property_ids: Iterable[PropertyId]) -> frozenset[PropertyId]:
        """Return those of the ids that are properties of the agency, not locked: a property never leaves it."""


class AccessWork(Work, Protocol):
    """A transaction that can set up an agency."""

    @property
    @abstractmethod
    def agencies(self) -> AgencyRepository:
        """The agencies."""


class MemberWork(Work, Protocol):
    """A transaction on accounts and what they may do; locks accounts first, then memberships, then the rest."""

    @property
    @abstractmethod
    def users(self) -> UserRepository:
        """The accounts."""

    @property
    @abstractmethod
    def memberships(self) -> MembershipRepository:
        """Who is what in the agency."""

    @property
    @abstractmethod
    def api_keys(self) -> ApiKeyRepository:
        """The agency's keys."""

    @property
    @abstractmethod
    def sessions(self) -> SessionRepository:
        """The sessions."""

    @property
    @abstractmethod
    def links(self) -> LinkRepository:
        """The agency's one-time links."""

    @property
    @abstractmethod
    def own_properties(self) -> OwnProperties:
        """The properties of the agency, which a reach may name."""


@frozen(kw_only=True)
class SessionMember:
    """A session and whose it is; ``member`` is None where they have left the agency."""

    session: Session
    member: Member | None


@frozen(kw_only=True)
class Place:
    """An agency that somebody has an open place in, and what they are there."""

    agency: Agency
    membership: Membership


class AccessReader(Protocol):
    """Finds who is behind a credential, before anybody knows which agency it is for; one round trip each."""

    @abstractmethod
    def find_agency(self, slug: str) -> AgencyId | None:
        """Return the agency that has this name in addresses, or None."""

    @abstractmethod
    def find_user(self, email: str) -> User | None:
        """Return the account with this normalised address, not locked, or None."""

    @abstractmethod
    def find_member(self, agency_id: AgencyId, user_id: UserId) -> Member | None:
        """Return an account with its membership in the agency, or None."""

    @abstractmethod
    def find_key(self, key_hash: str) -> ApiKey | None:
        """Return the key with this hash, whichever agency's it is, or None."""

    @abstractmethod
    def find_session(self, session_hash: str) -> SessionMember | None:
        """Return the session with this hash and whose it is, or None."""

    @abstractmethod
    def places(self, user_id: UserId) -> tuple[Place, ...]:
        """Return the agencies in which somebody may act, in the order of their names; none for an id of nobody."""

    @abstractmethod
    def note_key_use(self, agency_id: AgencyId, key_id: ApiKeyId, day: date) -> None:
        """Remember that the key was used on that day."""

    @abstractmethod
    def note_session_use(self, session_hash: str, now: datetime) -> None:
        """Remember that the session was used."""
