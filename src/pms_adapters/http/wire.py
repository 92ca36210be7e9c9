"""What a gateway speaks through, and what an answer means before anybody has read its body.

Owns the port that the door and the simulator share, and the one table from statuses and broken calls to outcomes.
Leaves what a body says to each gateway, and when to try again to the engine: a call is sent exactly once here.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Final, Protocol

from attrs import frozen

from pms_adapters.http.door import NO_RETRIES, Answer, AnswerTooLargeError, Call, Limits, Retries
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.channels.model.calls import Outcome, OutcomeKind
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.manifest import Manifest
from pmscore.kernel.errors import InvalidInputError, PmsError, UnreachableError

__all__ = ["CHANNEL_LIMITS", "Reply", "Wire", "asked", "base_url", "outcome_of"]

CHANNEL_LIMITS: Final = Limits(connect_seconds=5, read_seconds=15, total_seconds=15, largest_answer=5_000_000)
"""Of one call to a platform; shorter than a call may be counted as in flight (``CallGroup.longest_seconds``)."""

_UNSENT: Final = frozenset({"no_connection", "name_not_resolved", "tls_failed", "no_free_connection"})
_REFUSED_FOR_US: Final = frozenset({401, 403, 407})
_NOT_NOW: Final = frozenset({425, 503})


class Wire(Protocol):
    """Carries one call to the other side; ``HttpDoor`` is one, the simulator in process another."""

    @abstractmethod
    def send(self, call: Call, *, limits: Limits | None = None, retries: Retries | None = None) -> Answer:
        """Return the answer to ``call``, whatever its status.

        Raises:
            InvalidInputError: for ``url`` or ``headers``: nothing was sent.
            UnreachableError: no answer; ``reason`` says in a word why.
            AnswerTooLargeError: the answer is larger than it may be.
        """

    @abstractmethod
    def retry_after(self, answer: Answer) -> float | None:
        """Return the seconds that the answer asks to wait, None where it does not say."""


@frozen
class Reply:
    """What became of one call: its outcome by status alone, and the answer where there is one."""

    outcome: Outcome
    answer: Answer | None = None


def asked(wire: Wire, call: Call, *, limits: Limits = CHANNEL_LIMITS) -> Reply:
    """Send ``call`` once and return what became of it; raises for nothing that the other side does."""
    try:
        answer = wire.send(call, limits=limits, retries=NO_RETRIES)
    except (InvalidInputError, UnreachableError, AnswerTooLargeError) as error:
        return Reply(outcome_of(error))
    return Reply(outcome_of(answer, retry_after=wire.retry_after(answer)), answer)


def outcome_of(found: Answer | PmsError, *, retry_after: float | None = None) -> Outcome:
    """Return what an answer's status, or an error in place of an answer, says about the call.

    ``DOWN`` only where the call surely had no effect. A redirect is a page of somebody in between, so it is
    as good as no answer.
    """
    if isinstance(found, PmsError):
        return Outcome(_kind_of_error(found), _word(found))
    status = found.status
    if 200 <= status < 300:
        return Outcome(OutcomeKind.DONE)
    error = f"http_{status}"
    if status == 429:
        return Outcome(OutcomeKind.BUSY, error, retry_after)
    if status in _REFUSED_FOR_US:
        return Outcome(OutcomeKind.UNAUTHORISED, error)
    if status in _NOT_NOW:
        return Outcome(OutcomeKind.DOWN, error, retry_after)
    if 400 <= status < 500 and status != 408:
        return Outcome(OutcomeKind.REFUSED, error)
    return Outcome(OutcomeKind.UNSURE, error, retry_after)


def base_url(manifest: Manifest, connection: Connection) -> str:
    """Return where the platform of a connection listens, without a slash at the end.

    ``base_url`` among its settings wins, for a simulator or a proxy; the guard of the door checks it like every
    address. Otherwise ``environment`` names one of the manifest's, ``production`` where it says nothing.
    """
    own = connection.settings.get("base_url")
    if isinstance(own, str) and own:
        return own.rstrip("/")
    environment = connection.settings.get("environment")
    name = environment if isinstance(environment, str) else "production"
    return manifest.base_urls.get(name, "").rstrip("/")


def _kind_of_error(error: PmsError) -> OutcomeKind:
    match error:
        case InvalidInputError(field="headers"):
            return OutcomeKind.UNAUTHORISED
        case InvalidInputError():
            return OutcomeKind.DOWN
        case UnreachableError() if error.params.get("reason") in _UNSENT:
            return OutcomeKind.DOWN
        case _:
            return OutcomeKind.UNSURE


def _word(error: PmsError) -> str:
    if isinstance(error, UnreadableError):
        return f"unreadable_{error.reason}"
    return str(error.params.get("reason") or error.code)
