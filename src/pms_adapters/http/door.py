"""Calling out: one request, its limits, and when it is sent again.

Owns time-outs, the largest answer, retries with growing pauses, and one log line a try without headers, bodies or
query values. Whatever the status, an answer is returned; only no answer is an error. Leaves where a call may go to
``guard`` and what an answer means to the caller.
"""

from __future__ import annotations

import logging
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final, Self

import httpcore
import httpx
from attrs import field, frozen

from pms_adapters.http.guard import Guard
from pms_adapters.http.redaction import quiet_libraries, shown_url
from pms_adapters.http.transport import GuardedTransport, Resolve, resolve
from pmscore.kernel.errors import InvalidInputError, PortError, UnreachableError
from pmscore.kernel.ports import Clock
from pmscore.kernel.secrets import Secret

__all__ = ["NO_RETRIES", "Answer", "AnswerTooLargeError", "Call", "HttpDoor", "Limits", "Retries"]

_log = logging.getLogger("pms_adapters.http")

_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_TRY_LATER: Final = frozenset({408, 425, 429})
_NOT_DONE: Final = frozenset({425, 429})


class AnswerTooLargeError(PortError):
    """The answer is larger than it may be, or packed in a way that we do not read."""

    code = "answer_too_large"


@frozen(kw_only=True)
class Limits:
    """Seconds and bytes; ``total_seconds`` is for one try as a whole.

    With ``cuts_answer`` an answer is read up to ``largest_answer`` and the rest is left; without, it is refused.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 10.0
    total_seconds: float = 10.0
    largest_answer: int = 2_000_000
    cuts_answer: bool = False


@frozen(kw_only=True)
class Retries:
    """How often and when a call is sent again: after 1, 2 and 4 seconds.

    A ``Retry-After`` of the answer wins where it is longer; one beyond ``longest_pause`` ends the tries.
    """

    pauses: tuple[float, ...] = (1.0, 2.0, 4.0)
    longest_pause: float = 60.0


NO_RETRIES: Final = Retries(pauses=())
"""For a caller that keeps its own list of what to send again."""


@frozen(kw_only=True)
class Call:
    """What to send. ``is_repeatable`` None goes by the method; True for a POST that has an idempotency key.

    A header that is a ``Secret`` never shows. ``shows_path`` False where the path itself is a credential.
    """

    method: str
    url: str = field(repr=lambda url: shown_url(url, shows_path=False))
    headers: Mapping[str, str | Secret] = field(factory=dict)
    body: bytes = field(default=b"", repr=False)
    is_repeatable: bool | None = None
    shows_path: bool = True

    @property
    def may_be_repeated(self) -> bool:
        """Whether sending it twice has the effect of sending it once."""
        return self.method in _REPEATABLE if self.is_repeatable is None else self.is_repeatable

    @property
    def shown(self) -> str:
        """The address as it may be logged."""
        return shown_url(self.url, shows_path=self.shows_path)


@frozen(kw_only=True)
class Answer:
    """What came back; header names are in lower case. ``seconds`` is the last try, ``retry_count`` the tries before."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    seconds: float
    retry_count: int = 0
    is_cut: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 200 to 299."""
        return 200 <= self.status < 300


class HttpDoor:
    """Sends calls; safe to share between threads, closed at the end of the process."""

    def __init__(
        self,
        guard: Guard,
        *,
        clock: Clock,
        find: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        sleep: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        quiet_libraries()
        self.guard = guard
        self._clock = clock
        self._sleep = sleep
        self._monotonic = monotonic
        self._transport = GuardedTransport(guard, find=find, tls=tls, monotonic=monotonic)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def send(self, call: Call, *, limits: Limits | None = None, retries: Retries | None = None) -> Answer:
        """Return the answer to ``call``, sent again where that is safe and sensible.

        Raises:
            InvalidInputError: for ``url``: the guard does not let it pass; nothing was sent.
            UnreachableError: no answer, the last time either; ``reason`` says in a word why.
            AnswerTooLargeError: the answer is larger than it may be.
        """
        self.guard.target(call.url)
        limits, retries = limits or Limits(), retries or Retries()
        for count, pause in enumerate((*retries.pauses, None)):
            try:
                answer = self._try(call, limits, count)
            except _NoAnswerError as failed:
                _log.warning("%s %s failed: %s (try %d)", call.method, call.shown, failed.reason, count + 1)
                if pause is None or not (call.may_be_repeated or failed.is_unsent):
                    raise UnreachableError(
                        retry_count=count, reason=failed.reason, host=httpx.URL(call.url).host[:255]
                    ) from failed
            else:
                wait = self._wait(call, answer, pause, retries)
                if wait is None:
                    return answer
                pause = wait  # noqa: PLW2901 - the answer asked for a longer one
            self._sleep(pause)
        raise AssertionError  # the last try returns or raises

    def _wait(self, call: Call, answer: Answer, pause: float | None, retries: Retries) -> float | None:
        """Return how long to wait before the next try, None where the answer stands."""
        is_passing = answer.status >= 500 or answer.status in _TRY_LATER
        if pause is None or not is_passing or not (call.may_be_repeated or answer.status in _NOT_DONE):
            return None
        asked = self.retry_after(answer) or 0.0
        return None if asked > retries.longest_pause else max(pause, asked)

    def retry_after(self, answer: Answer) -> float | None:
        """Return the seconds that the answer asks to wait, None where it does not say."""
        text = answer.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return float(text)
        try:
            at = parsedate_to_datetime(text)
            return max(0.0, (at - self._clock.now()).total_seconds())
        except (TypeError, ValueError, OverflowError):
            return None

    def _try(self, call: Call, limits: Limits, count: int) -> Answer:
        started = self._monotonic()
        request = httpx.Request(
            call.method,
            call.url,
            headers={"accept-encoding": "gzip", "user-agent": "pmscore", "connection": "keep-alive"}
            | {name.lower(): _text(value) for name, value in call.headers.items()},
            content=call.body,
            extensions={
                "timeout": {
                    "connect": limits.connect_seconds,
                    "read": limits.read_seconds,
                    "write": limits.read_seconds,
                    "pool": limits.connect_seconds,
                }
            },
        )
        try:
            with self._transport.until(started + limits.total_seconds):
                response = self._transport.handle_request(request)
                try:
                    body, is_cut = _read(response, limits)
                finally:
                    response.close()
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise _NoAnswerError(error) from error
        answer = Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=body,
            seconds=self._monotonic() - started,
            retry_count=count,
            is_cut=is_cut,
        )
        _log.info(
            "%s %s %d in %d ms (try %d)",
            call.method, call.shown, answer.status, round(answer.seconds * 1000), count + 1,
        )  # fmt: skip
        return answer


class _NoAnswerError(Exception):
    """One try without an answer; ``is_unsent`` where nothing can have reached the other side."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.is_unsent = isinstance(
            error, httpcore.ConnectError | httpcore.ConnectTimeout | httpcore.PoolTimeout
        )
        self.reason = _reason(error)


def _reason(error: Exception) -> str:
    match error:
        case httpcore.PoolTimeout():
            return "no_free_connection"
        case httpcore.TimeoutException():
            return "timeout"
        case httpcore.ConnectError() if isinstance(_cause(error), ssl.SSLError):
            return "tls_failed"
        case httpcore.ConnectError() if "name" in str(error):
            return "name_not_resolved"
        case httpcore.ConnectError():
            return "no_connection"
        case _:
            return "broken_connection"


def _cause(error: BaseException) -> BaseException | None:
    found = error.__cause__ or error.__context__
    return found if found is None or isinstance(found, ssl.SSLError) else _cause(found)


def _read(response: httpx.Response, limits: Limits) -> tuple[bytes, bool]:
    """Return the body, unpacked, and whether it was cut."""
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding not in {"identity", "gzip", ""} and not limits.cuts_answer:
        raise AnswerTooLargeError(reason="unknown_encoding")
    unpack = zlib.decompressobj(31).decompress if encoding == "gzip" else _as_is
    body = bytearray()
    try:
        for chunk in response.iter_raw():
            body += unpack(chunk, limits.largest_answer + 1 - len(body))
            if len(body) > limits.largest_answer:
                if limits.cuts_answer:
                    return bytes(body[: limits.largest_answer]), True
                raise AnswerTooLargeError(most=limits.largest_answer)
    except zlib.error as error:
        raise AnswerTooLargeError(reason="broken_encoding") from error
    return bytes(body), False


def _as_is(chunk: bytes, most: int) -> bytes:
    return chunk[:most]


def _text(value: str | Secret) -> str:
    text = value.reveal() if isinstance(value, Secret) else value
    if not text.isascii() or not text.isprintable():
        raise InvalidInputError("headers", "unprintable")
    return text
