"""A wire that ends at a simulated platform in the same process, on simulated time.

Owns what becomes of a call: it passes, is lost on the way there or back, is refused, stalls or comes back as
nonsense, as the hostility draws it. Leaves the messages to the faces. A call that arrives is counted before anything
happens to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from attrs import evolve, frozen

from pms_adapters.http.door import Answer, AnswerTooLargeError, Call, Limits, Retries
from pms_adapters.http.wire import Wire
from pms_adapters.lab.channel_sim.face import Arrived, Face, answer_of, arrived, find_face
from pmscore.kernel.errors import InvalidInputError, UnreachableError
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_hostility import Fate, FateKind, Hostility
from pmscore.testing.clocks import MovableClock

__all__ = ["Met", "SimulatedWire", "met"]

LATENCY: Final = timedelta(milliseconds=120)
"""How long a call is on its way, and its answer."""

_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>One moment, please</title></head><body><p>&nbsp;</body></html>"
)
_PASS: Final = Fate(kind=FateKind.PASS)


@frozen
class Met:
    """What became of a call, and the answer that leaves the platform; None where it never arrived."""

    fate: Fate
    answer: Answer | None


class SimulatedWire(Wire):
    """Carries calls to faces; the clock moves on with each call, and stands at the end of a stall."""

    def __init__(
        self, faces: Iterable[Face], *, clock: MovableClock, hostility: Hostility | None = None
    ) -> None:
        self._faces = tuple(faces)
        self._clock = clock
        self._hostility = hostility

    def send(self, call: Call, *, limits: Limits | None = None, retries: Retries | None = None) -> Answer:
        """Return the answer to ``call``, which is sent once.

        Raises:
            InvalidInputError: for ``url``: no face has the address.
            UnreachableError: the call, or its answer, was lost.
            AnswerTooLargeError: the answer is larger than ``limits`` allow.
        """
        del retries
        found = find_face(self._faces, call.url)
        if found is None:
            raise InvalidInputError("url", "no_face")
        face, address = found
        headers = {
            name: value.reveal() if isinstance(value, Secret) else value
            for name, value in call.headers.items()
        }
        self._clock.advance(LATENCY)
        seen = met(face, arrived(call.method, call.url, headers, call.body, address=address), self._hostility)
        self._clock.advance(LATENCY + timedelta(seconds=seen.fate.stall))
        if seen.fate.kind is FateKind.STALLED:
            raise UnreachableError(reason="timeout")
        if seen.answer is None or seen.fate.kind is FateKind.LOST_AFTER:
            raise UnreachableError(reason="broken_connection")
        if limits is not None and len(seen.answer.body) > limits.largest_answer:
            raise AnswerTooLargeError(most=limits.largest_answer)
        return seen.answer

    def retry_after(self, answer: Answer) -> float | None:
        """Return the seconds that the answer asks to wait, None where it does not say."""
        text = answer.headers.get("retry-after", "")
        if text.isdigit():
            return float(text)
        try:
            return max(0.0, (parsedate_to_datetime(text) - self._clock.now()).total_seconds())
        except (TypeError, ValueError):
            return None


def met(face: Face, call: Arrived, hostility: Hostility | None, *, is_answered: bool = True) -> Met:
    """Let a call meet its fate and return what became of it.

    Without ``is_answered`` the call counts as in flight until the caller ends it, if it arrived.
    """
    fate = _PASS if hostility is None else hostility.fate(face.clock.now())
    if fate.kind is FateKind.LOST_BEFORE:
        return Met(fate, None)
    keeps = face.begin(call)
    try:
        return Met(fate, _answered(face, call, fate, keeps=keeps))
    finally:
        if is_answered:
            face.end(call)


def _answered(face: Face, call: Arrived, fate: Fate, *, keeps: bool) -> Answer:
    match fate.kind:
        case FateKind.OUTAGE | FateKind.FAILED:
            return answer_of(fate.status, _PAGE, content_type="text/html")
        case FateKind.BUSY:
            return evolve(face.too_many(), headers={"retry-after": str(fate.retry_after)})
        case FateKind.TOKEN_EXPIRED if not face.expire_token():
            return answer_of(503, _PAGE, content_type="text/html")
        case _:
            answer = face.answer(call) if keeps else face.too_many()
    return _spoiled(answer, len(call.body) + len(answer.body)) if fate.kind is FateKind.MALFORMED else answer


def _spoiled(answer: Answer, number: int) -> Answer:
    """Return an answer that nobody can read: cut off, or the page of somebody in between."""
    if number % 2 and len(answer.body) > 2:
        return evolve(answer, body=answer.body[: len(answer.body) * 2 // 3], is_cut=True)
    return evolve(answer, body=_PAGE)
