"""Log lines: one object of JSON a line for machines, or text for people; and never a secret or a personal value.

Owns the shape of a line and what is blotted out. The core and the libraries know ``logging`` alone, and
nothing is set up on import: the process that serves, or works, calls :func:`configure_logs` once. What a line
says of a request comes from whoever serves requests.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson
import structlog

from pmscore.kernel.errors import PmsError
from pmscore.kernel.secrets import MASK

__all__ = ["ACCESS", "About", "configure_logs", "masked"]

ACCESS: Final = "pms.access"
"""The logger of the lines that are made of safe values only, one a request; nothing is looked for in them."""

_TOO_TALKATIVE: Final = ("httpcore", "httpx", "urllib3", "rq.worker", "opentelemetry")
"""They write addresses and headers of others; only what goes wrong is of interest."""

_NAMES: Final = re.compile(
    r"(?i)passw|secret|token|authori[sz]ation|cookie|credential|api_?key|private|signature|e_?mail|phone|birth|"
    r"passport|iban|card|street|(?:^|_)(?:guest|person|first|last|full|sur)_?name"
)
_SHAPES: Final = re.compile(
    r"(?P<user>://[^\s/:@]*):[^\s/@]+@"
    r"|(?i:\b(?P<scheme>bearer|basic))\s+[A-Za-z0-9._~+/=-]{6,}"
    r"|\bpms_[A-Za-z0-9]+_[A-Za-z0-9_-]{8,}|\bwhsec_[A-Za-z0-9+/=]+"
    r"|\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
    r"|(?i:(?P<name>\b[a-z_]*(?:password|secret|token|api_?key|signature|authorization|cookie)[\"']?\s*[=:]\s*[\"']?))"
    r"[^\s,;&\"')]+"
    r"|[\w.%+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\+[0-9][0-9 ()/-]{6,}[0-9]"
)

Line = MutableMapping[str, Any]

About = Callable[[], Mapping[str, str | None]]
"""Says whose request is being worked on, in names and values; nothing where there is none."""


def configure_logs(
    *,
    level: str,
    is_json: bool,
    is_frank: bool = False,
    known: frozenset[str] = frozenset(),
    about: About = dict,
    stream: TextIO | None = None,
) -> None:
    """Let everything that is logged in this process leave by one way; repeating it changes the way.

    ``known`` are secrets of this process, blotted out wherever they stand. ``is_frank`` shows what foreign exceptions
    say of themselves, which may be a value that somebody sent: for a developer's own machine only.
    """
    # No line says them, and each line would look for them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    hide = _Hiding(known)
    render: tuple[structlog.types.Processor, ...] = (
        (structlog.processors.JSONRenderer(default=str),)
        if is_json
        else (structlog.dev.ConsoleRenderer(colors=(stream or sys.stderr).isatty(), sort_keys=False),)
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.ExtraAdder(),
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                _Tracing(is_frank=is_frank),
                hide,
                lambda _, __, line: {**line, **about()},
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    access = logging.getLogger(ACCESS)
    access.handlers.clear()
    access.propagate = not is_json
    if is_json:
        fast = logging.StreamHandler(stream or sys.stderr)
        fast.setFormatter(_AccessLine(about))
        access.addHandler(fast)
    for name in _TOO_TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


def masked(text: str) -> str:
    """Return ``text`` with everything blotted out that has the shape of a secret, an e-mail or a telephone number."""
    return _SHAPES.sub(_blot, text)


def _blot(found: re.Match[str]) -> str:
    if found["user"] is not None:
        return f"{found['user']}:{MASK}@"
    if found["scheme"] is not None:
        return f"{found['scheme']} {MASK}"
    return f"{found['name'] or ''}{MASK}"


class _AccessLine(logging.Formatter):
    """Writes the one line that each request has, in a third of the time that the way of all others takes."""

    def __init__(self, about: About) -> None:
        super().__init__()
        self._about = about

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat()[:-6]
        told = record.__dict__
        line = {
            "event": record.msg,
            "logger": ACCESS,
            "level": "info",
            "status": told.get("status"),
            "duration_ms": told.get("duration_ms"),
            **self._about(),
            "at": f"{at}Z",
        }
        return orjson.dumps(line).decode()


class _Hiding:
    """Blots out values by the name they have, by their shape, and those that are known to be secret."""

    def __init__(self, known: frozenset[str]) -> None:
        words = sorted((re.escape(each) for each in known if len(each) >= 6), key=len, reverse=True)
        self._known = re.compile("|".join(words)) if words else None

    def __call__(self, _: object, __: str, line: Line) -> Line:
        if line.get("logger") == ACCESS:
            return line
        return {name: value if name[0] == "_" else self._shown(name, value) for name, value in line.items()}

    def _shown(self, name: str, value: object) -> object:
        if _NAMES.search(name):
            return MASK
        match value:
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {str(each): self._shown(str(each), inner) for each, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._shown("", each) for each in value]
            case _:
                text = masked(str(value))
                return text if self._known is None else self._known.sub(MASK, text)


class _Tracing:
    """Writes down an exception: where it came from, and what it says of itself only where that can be no one's data.

    Errors of the tree hold neither secrets nor personal values. What a driver or a library says may be the row, or
    the text, that somebody has sent.
    """

    def __init__(self, *, is_frank: bool) -> None:
        self._is_frank = is_frank

    def __call__(self, _: object, __: str, line: Line) -> Line:
        # The handler's formatter would add the text of the exception once more.
        record: logging.LogRecord = line["_record"]
        info, record.exc_info, record.exc_text = record.exc_info, None, None
        line.pop("exc_info", None)
        if info and info[1] is not None:
            line["exception"] = "".join(self._told(info[1], set()))
        return line

    def _told(self, error: BaseException, seen: set[int]) -> Iterator[str]:
        seen.add(id(error))
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is not None and id(cause) not in seen:
            yield from self._told(cause, seen)
            yield "which led to\n"
        yield from traceback.format_tb(error.__traceback__)
        yield f"{type(error).__qualname__}{self._message(error)}\n"

    def _message(self, error: BaseException) -> str:
        if self._is_frank or isinstance(error, PmsError):
            return f": {error}"
        code = getattr(error, "sqlstate", None) or getattr(error, "errno", None)
        return "" if code is None else f" ({code})"
