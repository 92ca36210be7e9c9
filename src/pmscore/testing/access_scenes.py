"""Doubles of what access needs from outside, and people to let in.

Owns a hasher that is quick and counts its work, secrets that can be read again, a letter box, and short names for the
commands. Leaves the store to whoever tests one.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from itertools import count
from typing import TypedDict

from attrs import Factory, define, field, frozen

from pmscore.access.model.permissions import Role
from pmscore.access.model.users import Member, User
from pmscore.access.ports import AccessReader, Mail, MailSender, PasswordHasher
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.access.use_cases.inviting import Invited, InviteUser, invite_user
from pmscore.access.use_cases.keys import CreateKey, NewKey, create_key
from pmscore.access.use_cases.logging_in import LoggedIn, LogIn, log_in
from pmscore.access.use_cases.members import (
    AddUser,
    ChangeMembership,
    add_user,
    change_membership,
)
from pmscore.access.use_cases.passwords import AskForReset, UseLink, ask_for_reset, use_link
from pmscore.access.use_cases.switching import SwitchAgency, switch_agency
from pmscore.kernel.errors import UnreachableError
from pmscore.kernel.events import Command, OnceKey
from pmscore.kernel.ids import ActorId, AgencyId, PropertyId, RequestId, UserId
from pmscore.kernel.ports import IdSource
from pmscore.kernel.secrets import SecretSource
from pmscore.testing.clocks import MovableClock
from pmscore.testing.subject import StoreUnderTest

__all__ = ["PASSWORD", "AccessScene", "CountingHasher", "LetterBox", "NumberedSecrets", "open_access_scene"]

PASSWORD = "four blue herons at noon"  # noqa: S105 - a password of tests
NEW_PASSWORD = "seven green otters at dawn"  # noqa: S105 - a password of tests


@define
class CountingHasher(PasswordHasher):
    """A hasher without strength that counts how often it has worked; ``rules`` are its version."""

    rules: int = 1
    work: int = 0

    def hash(self, password: str) -> str:
        """Return the password behind the version of the rules."""
        self.work += 1
        return f"plain{self.rules}:{password}"

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Compare, and count the work."""
        self.work += 1
        return password_hash is not None and password_hash.partition(":")[2] == password

    def needs_rehash(self, password_hash: str) -> bool:
        """Return whether other rules have made it."""
        return not password_hash.startswith(f"plain{self.rules}:")


class NumberedSecrets(SecretSource):
    """Secrets that differ, also between the runs of one store, and have the form of real ones."""

    def __init__(self, ids: IdSource) -> None:
        self._ids = ids
        self._numbers = count()

    def draw(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        seed = f"{self._ids.new().hex}{next(self._numbers)}".encode()
        return hashlib.shake_256(seed).digest(size)


@define
class LetterBox(MailSender):
    """Keeps the letters; one that is broken takes none."""

    letters: list[Mail] = Factory(list[Mail])
    is_broken: bool = False

    def send(self, mail: Mail) -> None:
        """Keep the letter."""
        if self.is_broken:
            raise UnreachableError(reason="no_mail_server")
        self.letters.append(mail)


class _Asked(TypedDict):
    request_id: RequestId
    agency_id: AgencyId
    actor_id: ActorId


@frozen(kw_only=True)
class AccessScene:
    """An agency in a store with one admin; its methods are commands."""

    store: StoreUnderTest
    ids: IdSource
    agency_id: AgencyId
    secrets: NumberedSecrets
    passwords: CountingHasher = field(factory=CountingHasher)
    mail: LetterBox = field(factory=LetterBox)
    clock: MovableClock = field(factory=lambda: MovableClock(datetime(2030, 1, 1, 12, tzinfo=UTC)))

    @property
    def reader(self) -> AccessReader:
        """The store's reader."""
        return self.store.access()

    def asked(self, actor: UserId | None = None) -> _Asked:
        """Return what every command says."""
        return {
            "request_id": RequestId(self.ids.new()),
            "agency_id": self.agency_id,
            "actor_id": ActorId(actor or self.ids.new()),
        }

    def asking_once(self, once: OnceKey | None) -> _Asked:
        """Return what a command under a key says: the same actor each time, to whom the key belongs."""
        return self.asked(None if once is None else UserId(self.agency_id))

    def command(self) -> Command:
        """Return a bare command."""
        return Command(**self.asked())

    def email(self, name: str) -> str:
        """Return an address that no other scene of the store has."""
        return f"{name}@{self.agency_id.hex}.example"

    def add(
        self,
        name: str = "admin",
        role: Role = Role.ADMIN,
        *,
        password: str = PASSWORD,
        reach: frozenset[PropertyId] | None = None,
    ) -> Member:
        """Add somebody with a password."""
        command = AddUser(
            **self.asked(), email=self.email(name), name=name, password=password, role=role, reach=reach
        )
        return add_user(command, uow=self.store, passwords=self.passwords, ids=self.ids)

    def invite(
        self,
        email: str,
        role: Role = Role.STAFF,
        *,
        reach: frozenset[PropertyId] | None = None,
    ) -> tuple[Member, Mail]:
        """Invite somebody for the first time."""
        invited = self.invite_once(email, role, reach=reach)
        if invited.letter is None:
            raise AssertionError(email)
        return invited.member, invited.letter

    def invite_once(
        self,
        email: str,
        role: Role = Role.STAFF,
        *,
        reach: frozenset[PropertyId] | None = None,
        once: OnceKey | None = None,
    ) -> Invited:
        """Invite somebody, or do so again under the same key."""
        command = InviteUser(
            **self.asking_once(once), email=email, name="Invited", role=role, reach=reach, once=once
        )
        return invite_user(command, uow=self.store, secrets=self.secrets, clock=self.clock, ids=self.ids)

    def change(
        self,
        member: Member,
        role: Role | None = None,
        *,
        is_active: bool | None = None,
        reach: frozenset[PropertyId] | None = None,
    ) -> Member:
        """Change what somebody is."""
        command = ChangeMembership(
            **self.asked(), user_id=member.user.user_id, role=role, is_active=is_active, reach=reach
        )
        return change_membership(command, uow=self.store, clock=self.clock)

    def log_in(
        self,
        email: str,
        password: str = PASSWORD,
        *,
        agency_id: AgencyId | None = None,
        old_session: str | None = None,
    ) -> LoggedIn:
        """Log in."""
        asked = LogIn(
            request_id=RequestId(self.ids.new()),
            email=email,
            password=password,
            agency_id=agency_id,
            old_session=old_session,
        )
        return log_in(
            asked,
            uow=self.store,
            reader=self.reader,
            passwords=self.passwords,
            secrets=self.secrets,
            clock=self.clock,
        )

    def switch(self, begun: LoggedIn, agency_id: AgencyId) -> LoggedIn:
        """Take a session over to an agency."""
        command = SwitchAgency(
            request_id=RequestId(self.ids.new()),
            agency_id=agency_id,
            actor_id=begun.user.actor_id,
            user_id=begun.user.user_id,
            session_hash=begun.session.session_hash,
        )
        return switch_agency(command, uow=self.store, secrets=self.secrets, clock=self.clock)

    def ask_for_reset(self, email: str) -> None:
        """Ask for a link."""
        ask_for_reset(
            AskForReset(request_id=RequestId(self.ids.new()), email=email),
            uow=self.store,
            reader=self.reader,
            secrets=self.secrets,
            clock=self.clock,
            mail=self.mail,
        )

    def use_link(self, secret: str, password: str = NEW_PASSWORD) -> User:
        """Choose a password with a link."""
        asked = UseLink(request_id=RequestId(self.ids.new()), secret=secret, new_password=password)
        return use_link(asked, uow=self.store, passwords=self.passwords, clock=self.clock)

    def key(
        self,
        role: Role = Role.STAFF,
        *,
        expires_at: datetime | None = None,
        reach: frozenset[PropertyId] | None = None,
        once: OnceKey | None = None,
    ) -> NewKey:
        """Make an API key."""
        command = CreateKey(
            **self.asking_once(once), name="Till", role=role, expires_at=expires_at, reach=reach, once=once
        )
        return create_key(command, uow=self.store, secrets=self.secrets, clock=self.clock, ids=self.ids)


def open_access_scene(store: StoreUnderTest, ids: IdSource) -> AccessScene:
    """Open a new agency in ``store``; nobody is in it yet."""
    scene = AccessScene(store=store, ids=ids, agency_id=AgencyId(ids.new()), secrets=NumberedSecrets(ids))
    slug = f"access-{scene.agency_id.hex}"
    open_agency(OpenAgency(**scene.asked(), name="Access", slug=slug), uow=store)
    return scene
