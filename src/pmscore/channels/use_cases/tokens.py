"""Tokens of platforms: one exchange at a time, counted, and kept sealed beside the connection.

Owns when a token is taken, renewed and forgotten. Leaves how it is exchanged to the gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

from attrs import evolve

from pmscore.channels.model.calls import At, Outcome, OutcomeKind, Renewed
from pmscore.channels.model.connections import TOKEN_COLUMN, Connection
from pmscore.channels.model.manifest import CallKind
from pmscore.channels.ports import ChannelWork
from pmscore.channels.use_cases.lane_runs import LaneRun, StoppedError
from pmscore.kernel.secrets import Secret

__all__ = ["called", "present_token"]

AnswerT = TypeVar("AnswerT")
LASTS_AT_LEAST: Final = timedelta(seconds=60)


def called(
    run: LaneRun,
    kind: CallKind,
    send: Callable[[At], AnswerT],
    outcome_of: Callable[[AnswerT], Outcome],
    *,
    ahead: Callable[[ChannelWork], None] | None = None,
    settle: Callable[[ChannelWork, AnswerT], None] | None = None,
) -> AnswerT:
    """Make a call with the token that it needs; where the platform does not take it, once more with a new one.

    Raises:
        StoppedError: a limit leaves no room, no token was to be had, or even a new one was not taken.
        LaneLostError: somebody else has the lane.
    """
    token = present_token(run)
    answer = run.call(kind, send, outcome_of, token=token, ahead=ahead, settle=settle)
    if token is None or outcome_of(answer).kind is not OutcomeKind.UNAUTHORISED:
        return answer
    _forget(run, token)
    answer = run.call(kind, send, outcome_of, token=present_token(run), ahead=ahead, settle=settle)
    if outcome_of(answer).kind is OutcomeKind.UNAUTHORISED:
        # It has just given the token that it does not take: the platform is in trouble, not our credentials.
        raise StoppedError(Outcome(OutcomeKind.DOWN, "token_refused"))
    return answer


def present_token(run: LaneRun) -> Secret | None:
    """Return a token that lasts for a while, None where the platform needs none.

    Only one exchange is on its way: whoever waited for another one finds its token.

    Raises:
        StoppedError: another exchange is on its way, a limit leaves no room, or the platform gave none.
    """
    if not run.manifest.needs_token:
        return None
    if run.token is None:
        run.token = _kept(run) or _renewed(run)
    return run.token


def _kept(run: LaneRun) -> Secret | None:
    with run.uow.begin(run.command) as work:
        connection = work.connections.read(run.begun.connection.connection_id)
    return _opened(run, connection)


def _opened(run: LaneRun, connection: Connection) -> Secret | None:
    if connection.sealed_token is None or connection.token_until is None:
        return None
    if connection.token_until < run.clock.now() + LASTS_AT_LEAST:
        return None
    return run.means.box.open(run.command.agency_id, TOKEN_COLUMN, connection.sealed_token)


def _renewed(run: LaneRun) -> Secret:
    call_id = run.reserve(CallKind.TOKEN)
    kept = _kept(run)
    done = Renewed(Outcome(OutcomeKind.DONE))
    renewed = run.begun.gateway.renew(run.at(None)) if kept is None else done
    with run.uow.begin(run.command) as work:
        run.over(work, CallKind.TOKEN, call_id, renewed.outcome)
        if renewed.token is not None:
            sealed = run.means.box.seal(run.command.agency_id, TOKEN_COLUMN, renewed.token)
            connection = work.connections.get(run.begun.connection.connection_id)
            work.connections.save(evolve(connection, sealed_token=sealed, token_until=renewed.until))
        work.commit()
    token = kept or renewed.token
    if token is None:
        raise StoppedError(renewed.outcome)
    return token


def _forget(run: LaneRun, token: Secret) -> None:
    """Forget a token that the platform does not take, unless somebody has brought another one meanwhile."""
    run.token = None
    with run.uow.begin(run.command) as work:
        connection = work.connections.get(run.begun.connection.connection_id)
        if _opened(run, connection) == token:
            work.connections.save(evolve(connection, sealed_token=None, token_until=None))
            work.commit()
