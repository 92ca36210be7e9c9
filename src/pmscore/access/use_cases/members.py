"""The people of an agency: accounts made by an operator, roles and reach, closing the door again.

Owns what an agency's admin may do with the agency's people, and what the operator of the machine may do with
accounts. An account belongs to its person: an admin gives or takes a place in the agency and changes nothing
else of it. Leaves invitations to ``inviting``.
"""

from __future__ import annotations

from attrs import field, frozen

from pmscore.access.model.permissions import Role
from pmscore.access.model.users import Member, Membership, User, normalised_email
from pmscore.access.policies.administering import refuse_without_admin
from pmscore.access.policies.passwords import checked_password
from pmscore.access.ports import MemberWork, PasswordHasher
from pmscore.access.use_cases.reaching import refuse_unknown
from pmscore.kernel.errors import InvalidInputError, NotFoundError, StaleVersionError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import PropertyId, UserId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = [
    "AddUser",
    "ChangeMembership",
    "DisableUser",
    "add_user",
    "change_membership",
    "disable_user",
    "get_member",
    "list_members",
]


@frozen(kw_only=True)
class AddUser(Command):
    """Make an account with a password and give it a place in the command's agency."""

    email: str
    name: str
    password: str = field(repr=False)
    role: Role
    reach: frozenset[PropertyId] | None = None


@frozen(kw_only=True)
class ChangeMembership(Command):
    """Set what somebody is in the command's agency; what is None stays as it is.

    ``reach`` names the only properties that they see; ``reaches_all`` gives them all of them. ``version`` is the
    membership's as the asker has read it.
    """

    user_id: UserId
    role: Role | None = None
    reach: frozenset[PropertyId] | None = None
    reaches_all: bool = False
    is_active: bool | None = None
    version: int | None = None


@frozen(kw_only=True)
class DisableUser(Command):
    """Close an account, or open it again, as the operator of the machine."""

    user_id: UserId
    is_disabled: bool = True


def add_user(
    command: AddUser,
    *,
    uow: UnitOfWork[MemberWork],
    passwords: PasswordHasher,
    ids: IdSource,
) -> Member:
    """Write account and membership.

    Raises:
        InvalidInputError: a value cannot be; ``email`` is ``taken`` where there is an account already,
            ``property_ids``
            ``unknown_property`` where the agency has no such one.
    """
    email = normalised_email(command.email)
    password = checked_password(command.password, email=email)
    user = User(
        user_id=UserId(ids.new()),
        email=email,
        name=command.name,
        password_hash=passwords.hash(password),
        agency_ids=(command.agency_id,),
    )
    membership = Membership(
        agency_id=command.agency_id, user_id=user.user_id, role=command.role, property_ids=command.reach
    )
    with uow.begin(command) as work:
        if work.users.find_by_email(email) is not None:
            raise InvalidInputError("email", "taken")
        refuse_unknown(command.reach, work.own_properties)
        work.users.add(user)
        work.memberships.add(membership)
        work.record(*user.invited().events, *membership.told().events)
        work.commit()
    return Member(user=user, membership=membership)


def change_membership(command: ChangeMembership, *, uow: UnitOfWork[MemberWork], clock: Clock) -> Member:
    """Set role, reach and whether the place is open.

    Raises:
        NotFoundError: they have no place in this agency.
        StaleVersionError: the membership has changed since ``version``.
        TransitionError: reason ``last_admin``: nobody could let others in any more.
        InvalidInputError: the reach does not go with the role, or names what is no property of the agency.
    """
    with uow.begin(command) as work:
        admins = work.memberships.admins()
        before = work.memberships.get(command.user_id)
        if command.version is not None and command.version != before.version:
            raise StaleVersionError(user_id=str(command.user_id))
        role = command.role or before.role
        is_active = before.disabled_at is None if command.is_active is None else command.is_active
        decision = before.changed(
            role=role,
            property_ids=_reach(command, before, role),
            disabled_at=None if is_active else before.disabled_at or clock.now(),
        )
        refuse_unknown(command.reach, work.own_properties)
        refuse_without_admin(admins, decision.state)
        work.memberships.save(decision.state)
        work.record(*decision.events)
        users = work.users.named([command.user_id])
        work.commit()
    return Member(user=users[0], membership=decision.state)


def disable_user(command: DisableUser, *, uow: UnitOfWork[MemberWork], clock: Clock) -> User:
    """Close or open an account; every session and token of it ends.

    Raises:
        NotFoundError: there is no such user.
        TransitionError: reason ``last_admin``: the command's agency has no other admin.
    """
    with uow.begin(command) as work:
        user = work.users.get(command.user_id)
        admins = work.memberships.admins()
        membership = work.memberships.find(command.user_id)
        now = clock.now()
        if membership is not None:
            decided = membership.changed(
                role=membership.role,
                property_ids=membership.property_ids,
                disabled_at=now if command.is_disabled else None,
            )
            refuse_without_admin(admins, decided.state)
            work.memberships.save(decided.state)
            work.record(*decided.events)
        decision = user.disabled(now if command.is_disabled else None)
        work.users.save(decision.state)
        work.sessions.end_all(command.user_id)
        work.links.use_up(command.user_id, now)
        work.record(*decision.events)
        work.commit()
    return decision.state


def list_members(command: Command, *, uow: UnitOfWork[MemberWork]) -> tuple[Member, ...]:
    """Return everybody who has a place in the agency, in the order of their addresses."""
    with uow.begin(command) as work:
        places = {each.user_id: each for each in work.memberships.all()}
        users = work.users.named(places)
    return tuple(Member(user=user, membership=places[user.user_id]) for user in users)


def get_member(command: Command, user_id: UserId, *, uow: UnitOfWork[MemberWork]) -> Member:
    """Return somebody of the agency.

    Raises:
        NotFoundError: they have no place in it.
    """
    with uow.begin(command) as work:
        membership = work.memberships.get(user_id)
        users = work.users.named([user_id])
    if not users:
        raise NotFoundError("user", user_id)
    return Member(user=users[0], membership=membership)


def _reach(command: ChangeMembership, before: Membership, role: Role) -> frozenset[PropertyId] | None:
    if command.reaches_all or (role is Role.ADMIN and command.reach is None):
        return None
    return before.property_ids if command.reach is None else command.reach
