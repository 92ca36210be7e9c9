"""Choosing a password: with the old one, with a one-time link, or by an operator at the terminal.

Owns what ends with an old password: every other session, every token, every link.
"""

from __future__ import annotations

from attrs import field, frozen

from pmscore.access.model.links import LIFETIMES, MOST_LIVE_LINKS, LinkMade, OneTimeLink, Purpose
from pmscore.access.model.refusals import LinkRefusedError, LogInRefusedError
from pmscore.access.model.users import User, normalised_email
from pmscore.access.policies.passwords import checked_password, prepared
from pmscore.access.policies.secrets import fingerprint, link_agency, link_text, new_secret
from pmscore.access.ports import (
    AccessReader,
    Mail,
    MailSender,
    MemberWork,
    PasswordHasher,
)
from pmscore.access.use_cases.logging_in import take_try
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ActorId, AgencyId, RequestId, UserId
from pmscore.kernel.ports import Clock, UnitOfWork
from pmscore.kernel.secrets import SecretSource

__all__ = [
    "AskForReset",
    "ChangePassword",
    "SetPassword",
    "UseLink",
    "ask_for_reset",
    "change_password",
    "make_link",
    "set_password",
    "use_link",
]


@frozen(kw_only=True)
class ChangePassword(Command):
    """Replace one's own password; the session with ``session_hash`` goes on, all others end."""

    user_id: UserId
    old_password: str = field(repr=False)
    new_password: str = field(repr=False)
    session_hash: str | None = None


@frozen(kw_only=True)
class SetPassword(Command):
    """Replace somebody's password, as the operator of the machine."""

    user_id: UserId
    new_password: str = field(repr=False)


@frozen(kw_only=True)
class AskForReset:
    """Send a link to whoever has an account with this address, and do nothing for an address without one."""

    request_id: RequestId
    email: str


@frozen(kw_only=True)
class UseLink:
    """Choose a password with the secret of a link."""

    request_id: RequestId
    secret: str = field(repr=False)
    new_password: str = field(repr=False)


def change_password(
    command: ChangePassword, *, uow: UnitOfWork[MemberWork], passwords: PasswordHasher, clock: Clock
) -> User:
    """Check the old password, as a log-in would, and replace it.

    Raises:
        LogInRefusedError: the old one is wrong, or it is tried too often.
        InvalidInputError: the new one will not do.
    """
    with uow.begin(command) as work:
        email = work.users.get(command.user_id).email
    new = checked_password(command.new_password, email=email, field="new_password")
    old_hash = take_try(command, command.user_id, uow=uow, clock=clock)
    if not passwords.matches(old_hash, prepared(command.old_password)):
        raise LogInRefusedError("wrong_password")
    return _replace(
        command, command.user_id, passwords.hash(new), "own", uow=uow, clock=clock, but=command.session_hash
    )


def set_password(
    command: SetPassword, *, uow: UnitOfWork[MemberWork], passwords: PasswordHasher, clock: Clock
) -> User:
    """Replace the password without asking for the old one.

    Raises:
        InvalidInputError: it will not do.
        NotFoundError: there is no such user.
    """
    new = checked_password(command.new_password, field="password")
    return _replace(command, command.user_id, passwords.hash(new), "operator", uow=uow, clock=clock)


def ask_for_reset(
    asked: AskForReset,
    *,
    uow: UnitOfWork[MemberWork],
    reader: AccessReader,
    secrets: SecretSource,
    clock: Clock,
    mail: MailSender,
) -> None:
    """Make a link and send it to the address that is kept, never to the one that was typed.

    Whoever calls this for a visitor does so after the answer has been given, so the answer tells nothing.

    Raises:
        InvalidInputError: the text is no address.
        UnreachableError: the mail server did not take the letter.
    """
    user = reader.find_user(normalised_email(asked.email))
    if user is None or user.disabled_at is not None or not user.agency_ids:
        return
    who = Command(request_id=asked.request_id, agency_id=user.agency_ids[0], actor_id=user.actor_id)
    letter: Mail | None = None
    with uow.begin(who) as work:
        user = work.users.get(user.user_id)
        if work.links.live(user.user_id, Purpose.RESET, clock.now()) < MOST_LIVE_LINKS:
            letter = make_link(work, user, who.agency_id, Purpose.RESET, secrets=secrets, clock=clock)
            work.commit()
    if letter is not None:
        mail.send(letter)


def make_link(
    work: MemberWork,
    user: User,
    agency_id: AgencyId,
    purpose: Purpose,
    *,
    secrets: SecretSource,
    clock: Clock,
) -> Mail:
    """Add a link to a transaction and return the letter that carries it, to be sent after the commit."""
    text = link_text(agency_id, new_secret(secrets))
    link = OneTimeLink(
        link_hash=fingerprint(text),
        agency_id=agency_id,
        user_id=user.user_id,
        purpose=purpose,
        expires_at=clock.now() + LIFETIMES[purpose],
    )
    work.links.add(link)
    work.record(LinkMade(aggregate_id=user.user_id, version=user.version, purpose=purpose))
    return Mail(to=user.email, purpose=purpose, name=user.name, secret=text, expires_at=link.expires_at)


def use_link(asked: UseLink, *, uow: UnitOfWork[MemberWork], passwords: PasswordHasher, clock: Clock) -> User:
    """Set the password and use the link up; of several who try at once, one succeeds.

    Raises:
        LinkRefusedError: the link was used, has expired, or never was.
        InvalidInputError: the password will not do; the link stays good.
    """
    agency_id = link_agency(asked.secret)
    if agency_id is None:
        raise LinkRefusedError
    who = Command(request_id=asked.request_id, agency_id=agency_id, actor_id=ActorId(agency_id))
    link_hash = fingerprint(asked.secret)
    with uow.begin(who) as work:
        link = work.links.find(link_hash)
        if link is None or not link.is_valid(clock.now()):
            raise LinkRefusedError
        (user,) = work.users.named([link.user_id])
    new = checked_password(asked.new_password, email=user.email, field="password")
    whose = Command(request_id=asked.request_id, agency_id=agency_id, actor_id=user.actor_id)
    return _replace(whose, user.user_id, passwords.hash(new), "link", uow=uow, clock=clock, link=link_hash)


def _replace(
    who: Command,
    user_id: UserId,
    password_hash: str,
    means: str,
    *,
    uow: UnitOfWork[MemberWork],
    clock: Clock,
    but: str | None = None,
    link: str | None = None,
) -> User:
    """Write the new hash and end everything that came of the old one."""
    with uow.begin(who) as work:
        user = work.users.get(user_id)
        now = clock.now()
        if link is not None:
            found = work.links.find(link)
            if found is None or not found.is_valid(now) or user.disabled_at is not None:
                raise LinkRefusedError
        decision = user.with_password(password_hash, means)
        work.users.save(decision.state)
        work.links.use_up(user_id, now)
        work.sessions.end_all(user_id, but=but)
        work.record(*decision.events)
        work.commit()
    return decision.state
