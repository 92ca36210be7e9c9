"""Inviting somebody: a place in the agency, and a letter with a link to choose a password.

Owns what an invitation does once, however often it is asked for. Leaves what becomes of the place to ``members``, and
sending the letter to whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from uuid import UUID

from attrs import evolve, frozen

from pmscore.access.model.links import Purpose
from pmscore.access.model.permissions import Role
from pmscore.access.model.users import Member, Membership, User, normalised_email
from pmscore.access.ports import Mail, MemberWork
from pmscore.access.use_cases.passwords import make_link
from pmscore.access.use_cases.reaching import refuse_unknown
from pmscore.kernel.errors import InvalidInputError, MisuseError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import PropertyId, UserId
from pmscore.kernel.once import made_or_repeated
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.kernel.secrets import SecretSource

__all__ = ["InviteUser", "Invited", "invite_user"]


@frozen(kw_only=True)
class InviteUser(Command):
    """Give somebody a place in the command's agency, and a link to choose a password where they have none."""

    email: str
    name: str
    role: Role
    reach: frozenset[PropertyId] | None = None


@frozen(kw_only=True)
class Invited:
    """Somebody as they were invited, and the letter to send them: None for a repetition, whose letter was made before."""

    member: Member
    letter: Mail | None


def invite_user(
    command: InviteUser,
    *,
    uow: UnitOfWork[MemberWork],
    secrets: SecretSource,
    clock: Clock,
    ids: IdSource,
) -> Invited:
    """Give somebody a place; a repetition under the same key returns it as it was given, and writes no second letter.

    Raises:
        InvalidInputError: a value cannot be; ``email`` is ``taken`` where they have a place here already,
            ``property_ids`` ``unknown_property`` where the agency has no such one.
        KeyReusedError: the idempotency key belongs to another request.
    """
    email = normalised_email(command.email)
    restored = partial(_restored, command, uow, clock)

    def attempt() -> Invited:
        with uow.begin(command) as work:
            user = _joining(command, work, email, ids)
            membership = _membership(command, user.user_id)
            refuse_unknown(command.reach, work.own_properties)
            work.memberships.add(membership)
            work.record(*user.invited().events, *membership.told().events)
            letter = make_link(
                work, user, command.agency_id, Purpose.INVITATION, secrets=secrets, clock=clock
            )
            reply = _reply(user, ids)
            stored = work.commit_once(reply)
        if stored != reply:
            return restored(stored)
        return Invited(member=Member(user=user, membership=membership), letter=letter)

    return made_or_repeated(command, uow, attempt, restored)


def _joining(command: InviteUser, work: MemberWork, email: str, ids: IdSource) -> User:
    """Return the account with a place in the agency, added or saved."""
    known = work.users.find_by_email(email)
    if known is None:
        user = User(
            user_id=UserId(ids.new()), email=email, name=command.name, agency_ids=(command.agency_id,)
        )
        work.users.add(user)
        return user
    user = known.joining(command.agency_id)
    if work.memberships.find(user.user_id) is not None:
        raise InvalidInputError("email", "taken")
    work.users.save(user)
    return user


def _membership(command: InviteUser, user_id: UserId) -> Membership:
    return Membership(
        agency_id=command.agency_id, user_id=user_id, role=command.role, property_ids=command.reach
    )


def _reply(user: User, ids: IdSource) -> Mapping[str, Json]:
    """Return what tells an invitation from every other; who was invited stands with the account alone."""
    return {
        "invitation_id": str(ids.new()),
        "user_id": str(user.user_id),
        "has_password": user.password_hash is not None,
        "is_disabled": user.disabled_at is not None,
    }


def _restored(
    command: InviteUser, uow: UnitOfWork[MemberWork], clock: Clock, reply: Mapping[str, Json]
) -> Invited:
    """Return somebody as they were when they were invited, whatever has become of them since."""
    match reply:
        case {"user_id": str(text), "has_password": bool(has_password), "is_disabled": bool(is_disabled)}:
            user_id = UserId(UUID(text))
        case _:
            raise MisuseError(reply=", ".join(sorted(reply)))
    with uow.begin(command) as work:
        (user,) = work.users.named([user_id])
    user = evolve(
        user,
        password_hash=user.password_hash if has_password else None,
        disabled_at=(user.disabled_at or clock.now()) if is_disabled else None,
    )
    return Invited(member=Member(user=user, membership=_membership(command, user_id)), letter=None)
