"""Going over to another agency without logging in again.

Owns what happens to the session: it gets a new secret, as after a log-in, and lives no longer than it would have.
Leaves passwords to ``logging_in``.
"""

from __future__ import annotations

from attrs import frozen

from pmscore.access.model.refusals import CredentialsError
from pmscore.access.model.sessions import AgencySwitched
from pmscore.access.policies.secrets import fingerprint, new_secret
from pmscore.access.ports import MemberWork
from pmscore.access.use_cases.logging_in import LoggedIn
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import UserId
from pmscore.kernel.ports import Clock, UnitOfWork
from pmscore.kernel.secrets import SecretSource

__all__ = ["SwitchAgency", "switch_agency"]


@frozen(kw_only=True)
class SwitchAgency(Command):
    """Take a session over to the agency of the command; ``session_hash`` is that of the session as it is."""

    user_id: UserId
    session_hash: str


def switch_agency(
    command: SwitchAgency, *, uow: UnitOfWork[MemberWork], secrets: SecretSource, clock: Clock
) -> LoggedIn:
    """End the session and begin it again, under another secret, in the command's agency.

    Raises:
        NotFoundError: they have no open place there, or there is no such agency: one answer for both.
        CredentialsError: the session has ended in the meantime.
    """
    secret = new_secret(secrets)
    with uow.begin(command) as work:
        user = work.users.get(command.user_id)
        membership = work.memberships.find(command.user_id)
        if membership is None or membership.disabled_at is not None:
            raise NotFoundError("agency", command.agency_id)
        now = clock.now()
        session = work.sessions.find(command.session_hash)
        if session is None or session.user_id != command.user_id or not session.is_valid(now):
            raise CredentialsError("session_over")
        if user.disabled_at is not None:
            raise CredentialsError("not_a_member")
        moved = session.moved(fingerprint(secret), command.agency_id, now)
        work.sessions.end(session.session_hash)
        work.sessions.add(moved)
        work.record(AgencySwitched(aggregate_id=user.user_id, version=user.version))
        work.commit()
    return LoggedIn(session=moved, user=user, secret=secret)
