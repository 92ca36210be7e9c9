"""Logging in and out with a password.

Owns the order of things: a try is taken before the password is looked at, the slow hash runs outside of transactions,
and whoever is refused learns the same for every reason, after the same work.
"""

from __future__ import annotations

from attrs import evolve, field, frozen

from pmscore.access.model.refusals import LogInRefusedError
from pmscore.access.model.sessions import LogInFailed, Session, UserLoggedIn, UserLoggedOut
from pmscore.access.model.users import User, normalised_email
from pmscore.access.policies.back_off import may_try, taking_a_try
from pmscore.access.policies.passwords import LONGEST_PASSWORD, prepared
from pmscore.access.policies.secrets import fingerprint, new_secret
from pmscore.access.ports import AccessReader, MemberWork, PasswordHasher
from pmscore.kernel.errors import BusyError, InvalidInputError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import AgencyId, RequestId, UserId
from pmscore.kernel.ports import Clock, UnitOfWork
from pmscore.kernel.secrets import SecretSource

__all__ = [
    "LogIn",
    "LogOut",
    "LoggedIn",
    "log_in",
    "log_out",
    "take_try",
]


@frozen(kw_only=True)
class LogIn:
    """Begin a session.

    ``agency_id`` may be left out by somebody who is in one agency. ``old_session`` is the secret that the browser has
    sent along, which ends here: nobody goes on under a session that somebody else may have planted.
    """

    request_id: RequestId
    email: str
    password: str = field(repr=False)
    agency_id: AgencyId | None = None
    old_session: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class LoggedIn:
    """A session that has begun; ``secret`` is for the browser's cookie and kept nowhere."""

    session: Session
    user: User
    secret: str = field(repr=False)


@frozen(kw_only=True)
class LogOut(Command):
    """End the session with this hash, or with ``everywhere`` every session and token of the user."""

    user_id: UserId
    session_hash: str
    everywhere: bool = False


def log_in(
    asked: LogIn,
    *,
    uow: UnitOfWork[MemberWork],
    reader: AccessReader,
    passwords: PasswordHasher,
    secrets: SecretSource,
    clock: Clock,
) -> LoggedIn:
    """Check the password and begin a session with a new id.

    Raises:
        LogInRefusedError: the account, the password, the agency or the moment is wrong; one answer for all.
    """
    user = _find_user(reader, asked.email)
    agencies = _agencies_of(user, asked.agency_id)
    if user is None or not agencies:
        passwords.matches(None, _hashable(asked.password))
        raise LogInRefusedError("no_such_account")
    who = Command(request_id=asked.request_id, agency_id=agencies[0], actor_id=user.actor_id)
    try:
        password_hash = take_try(who, user.user_id, uow=uow, clock=clock)
    except BusyError:
        # Somebody is guessing so hard that this try did not get its turn; only an account can be so busy, so say no more.
        password_hash = None
    matched = passwords.matches(password_hash, _hashable(asked.password))
    if not matched:
        _record_failure(who, user.user_id, uow=uow)
        raise LogInRefusedError("waiting" if password_hash is None else "wrong_password")
    rehashed = None
    if password_hash is not None and passwords.needs_rehash(password_hash):
        rehashed = passwords.hash(prepared(asked.password))
    for agency_id in agencies:
        there = evolve(who, agency_id=agency_id)
        begun = _begin_session(there, asked, user.user_id, rehashed, uow=uow, secrets=secrets, clock=clock)
        if begun is not None:
            return begun
    raise LogInRefusedError("disabled")


def take_try(who: Command, user_id: UserId, *, uow: UnitOfWork[MemberWork], clock: Clock) -> str | None:
    """Count one try against the account and return the hash to compare with; None where no password is looked at."""
    with uow.begin(who) as work:
        user = work.users.get(user_id)
        now = clock.now()
        if not may_try(user, now):
            return None
        work.users.save(taking_a_try(user, now))
        work.commit()
        return user.password_hash


def log_out(command: LogOut, *, uow: UnitOfWork[MemberWork]) -> None:
    """End sessions; repeating it changes nothing more.

    Raises:
        NotFoundError: there is no such user.
    """
    with uow.begin(command) as work:
        user = work.users.get(command.user_id)
        if command.everywhere:
            user = user.ending_everything()
            work.users.save(user)
            work.sessions.end_all(user.user_id)
        else:
            work.sessions.end(command.session_hash)
        work.record(
            UserLoggedOut(aggregate_id=user.user_id, version=user.version, everywhere=command.everywhere)
        )
        work.commit()


def _find_user(reader: AccessReader, email: str) -> User | None:
    try:
        return reader.find_user(normalised_email(email))
    except InvalidInputError:
        return None


def _agencies_of(user: User | None, wanted: AgencyId | None) -> tuple[AgencyId, ...]:
    """Return the agencies in which somebody may have meant to log in."""
    if user is None or user.disabled_at is not None:
        return ()
    return tuple(each for each in user.agency_ids if wanted in {None, each})


def _hashable(password: str) -> str:
    # Nobody has a longer one, and nobody may keep us busy with hashing a megabyte.
    return prepared(password[: LONGEST_PASSWORD * 2])[: LONGEST_PASSWORD + 1]


def _record_failure(who: Command, user_id: UserId, *, uow: UnitOfWork[MemberWork]) -> None:
    with uow.begin(who) as work:
        (user,) = work.users.named([user_id])
        event = LogInFailed(aggregate_id=user_id, version=user.version, failed_tries=user.failed_tries)
        work.record(event)
        work.commit()


def _begin_session(
    who: Command,
    asked: LogIn,
    user_id: UserId,
    rehashed: str | None,
    *,
    uow: UnitOfWork[MemberWork],
    secrets: SecretSource,
    clock: Clock,
) -> LoggedIn | None:
    """Begin a session in the command's agency; None where the door is closed there."""
    secret = new_secret(secrets)
    with uow.begin(who) as work:
        user = work.users.get(user_id)
        membership = work.memberships.find(user_id)
        # Both may have changed while the password was being looked at.
        if user.disabled_at is not None or membership is None or membership.disabled_at is not None:
            return None
        user = user.trying(0, None)
        if rehashed is not None:
            user = evolve(user, password_hash=rehashed)
        now = clock.now()
        session = Session(
            session_hash=fingerprint(secret),
            user_id=user_id,
            agency_id=who.agency_id,
            created_at=now,
            seen_at=now,
        )
        work.users.save(user)
        work.sessions.purge(now)
        if asked.old_session is not None:
            work.sessions.end(fingerprint(asked.old_session))
        work.sessions.add(session)
        work.record(UserLoggedIn(aggregate_id=user_id, version=user.version))
        work.commit()
    return LoggedIn(session=session, user=user, secret=secret)
