"""People who log in, and what each of them is in an agency.

Owns the account (one for all agencies), the membership (one an agency) and their events. Leaves sessions, links and
keys to their modules, and who is allowed what to ``permissions``.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import ClassVar

from attrs import evolve, field, frozen

from pmscore.access.model.permissions import Role
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Decision, Event
from pmscore.kernel.ids import ActorId, AgencyId, PropertyId, UserId
from pmscore.kernel.text import checked_text

__all__ = [
    "Member",
    "Membership",
    "MembershipChanged",
    "PasswordChanged",
    "User",
    "UserDisabled",
    "UserInvited",
    "check_reach",
    "normalised_email",
]

_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\Z")
MOST_PROPERTIES = 1_000


@frozen(kw_only=True)
class UserInvited(Event):
    """Somebody was given an account, or a place in one more agency; who they are stands with the account only."""

    aggregate: ClassVar[str] = "user"
    kind: str = "user.invited"


@frozen(kw_only=True)
class PasswordChanged(Event):
    """A password was set: by its ``means``, ``own`` (knowing the old one), ``link`` or ``operator``."""

    aggregate: ClassVar[str] = "user"
    kind: str = "user.passwordChanged"
    means: str


@frozen(kw_only=True)
class UserDisabled(Event):
    """An account was closed, or opened again."""

    aggregate: ClassVar[str] = "user"
    kind: str = "user.disabled"
    is_disabled: bool


@frozen(kw_only=True)
class MembershipChanged(Event):
    """What somebody may do in the agency was set; ``property_ids`` None reaches all of it."""

    aggregate: ClassVar[str] = "membership"
    kind: str = "membership.changed"
    role: Role
    property_ids: tuple[PropertyId, ...] | None
    is_active: bool


def normalised_email(text: str) -> str:
    """Return an e-mail address in the one form that is kept: NFKC, lower case.

    Raises:
        InvalidInputError: field ``email``; it is no address.
    """
    checked_text(text, field="email", longest=254)
    email = unicodedata.normalize("NFKC", text.strip()).lower()
    if not _MAIL.match(email) or not email.isprintable() or len(email) > 254:
        raise InvalidInputError("email", "not_an_address")
    return email


def check_reach(role: Role, property_ids: frozenset[PropertyId] | None) -> None:
    """Refuse a role that nobody can be given, and a reach that does not go with it.

    Admins set everybody's reach, their own too, so theirs is the whole agency; an owner owns named properties.

    Raises:
        InvalidInputError: ``role`` is that of everybody; or ``property_ids`` names some for an admin, none for an
            owner, or too many.
    """
    if role is Role.GUEST:
        raise InvalidInputError("role", "unknown_value", allowed="admin, manager, staff, owner, accountant")
    if role is Role.ADMIN and property_ids is not None:
        raise InvalidInputError("property_ids", "admin_reaches_all")
    if role is Role.OWNER and not property_ids:
        raise InvalidInputError("property_ids", "required")
    if property_ids is not None and len(property_ids) > MOST_PROPERTIES:
        raise InvalidInputError("property_ids", "too_many", most=MOST_PROPERTIES)


@frozen(kw_only=True)
class User:
    """One account, for all agencies.

    ``password_hash`` is None until the person has chosen a password. ``failed_tries`` counts log-ins since the last
    one that succeeded, and until ``blocked_until`` none is looked at. ``epoch`` rises whenever everything that was
    given out before must end: tokens name it. ``agency_ids`` are those with a membership: where to look for it.
    """

    user_id: UserId
    email: str
    name: str
    password_hash: str | None = field(default=None, repr=False)
    disabled_at: datetime | None = None
    failed_tries: int = 0
    blocked_until: datetime | None = None
    epoch: int = 1
    agency_ids: tuple[AgencyId, ...] = ()
    version: int = 1

    def __attrs_post_init__(self) -> None:
        checked_text(self.name, field="name")

    @property
    def actor_id(self) -> ActorId:
        """The name under which events know them."""
        return ActorId(self.user_id)

    def invited(self) -> Decision[User]:
        """Return the account with the event of its making."""
        return Decision(self, (UserInvited(aggregate_id=self.user_id, version=self.version),))

    def joining(self, agency_id: AgencyId) -> User:
        """Return the account as one that has a membership in the agency."""
        agencies = tuple(sorted({*self.agency_ids, agency_id}))
        return evolve(self, agency_ids=agencies, version=self.version + 1)

    def trying(self, failed_tries: int, blocked_until: datetime | None) -> User:
        """Return the account with its count of failures set."""
        return evolve(self, failed_tries=failed_tries, blocked_until=blocked_until, version=self.version + 1)

    def with_password(self, password_hash: str, means: str) -> Decision[User]:
        """Return the account with another password; what was given out under the old one ends."""
        changed = evolve(
            self,
            password_hash=password_hash,
            failed_tries=0,
            blocked_until=None,
            epoch=self.epoch + 1,
            version=self.version + 1,
        )
        event = PasswordChanged(aggregate_id=self.user_id, version=changed.version, means=means)
        return Decision(changed, (event,))

    def rehashed(self, password_hash: str) -> User:
        """Return the account with the same password, hashed by newer rules."""
        return evolve(self, password_hash=password_hash, version=self.version + 1)

    def ending_everything(self) -> User:
        """Return the account under a new epoch."""
        return evolve(self, epoch=self.epoch + 1, version=self.version + 1)

    def disabled(self, at: datetime | None) -> Decision[User]:
        """Return the account closed as of ``at``, or open again for None; what was given out ends."""
        changed = evolve(self, disabled_at=at, epoch=self.epoch + 1, version=self.version + 1)
        event = UserDisabled(aggregate_id=self.user_id, version=changed.version, is_disabled=at is not None)
        return Decision(changed, (event,))


@frozen(kw_only=True)
class Membership:
    """What somebody is in one agency.

    ``property_ids`` are the only properties that they may see and touch; None means all. One that is disabled is as
    good as none.
    """

    agency_id: AgencyId
    user_id: UserId
    role: Role
    property_ids: frozenset[PropertyId] | None = None
    disabled_at: datetime | None = None
    version: int = 1

    def __attrs_post_init__(self) -> None:
        check_reach(self.role, self.property_ids)

    @property
    def is_active_admin(self) -> bool:
        """Whether they can let others in."""
        return self.role is Role.ADMIN and self.disabled_at is None

    def told(self) -> Decision[Membership]:
        """Return the membership with the event that says what it is."""
        reach = None if self.property_ids is None else tuple(sorted(self.property_ids))
        event = MembershipChanged(
            aggregate_id=self.user_id,
            version=self.version,
            role=self.role,
            property_ids=reach,
            is_active=self.disabled_at is None,
        )
        return Decision(self, (event,))

    def changed(
        self, *, role: Role, property_ids: frozenset[PropertyId] | None, disabled_at: datetime | None
    ) -> Decision[Membership]:
        """Return the membership as it is to be."""
        return evolve(
            self, role=role, property_ids=property_ids, disabled_at=disabled_at, version=self.version + 1
        ).told()


@frozen(kw_only=True)
class Member:
    """An account and what it is in one agency, read together."""

    user: User
    membership: Membership

    @property
    def is_active(self) -> bool:
        """Whether they may act."""
        return self.user.disabled_at is None and self.membership.disabled_at is None
