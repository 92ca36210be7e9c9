"""What of a call may be shown: in logs, in errors, in the delivery log.

Owns which parts of an address are secret. Query values and users may be credentials; for some targets the path is,
too. Headers and bodies are never logged by the door.
"""

from __future__ import annotations

import logging
import re
from typing import Final

import httpx

__all__ = ["quiet_libraries", "shown_url"]

_LIBRARIES: Final = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy")
_QUERY_VALUE = re.compile(r"=[^&]*")


def shown_url(url: str, *, shows_path: bool = True) -> str:
    """Return ``url`` with its query values masked and without a user; without ``shows_path`` only its origin."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return "***"
    port = f":{parsed.port}" if parsed.port else ""
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    origin = f"{parsed.scheme}://{host}{port}"
    if not shows_path:
        return f"{origin}/…"
    query = parsed.query.decode("ascii", "replace")
    return origin + parsed.path + (f"?{_QUERY_VALUE.sub('=***', query)}" if query else "")


def quiet_libraries() -> None:
    """Keep the libraries' own lines out of every log: at DEBUG they write headers, at INFO whole addresses."""
    for name in _LIBRARIES:
        logger = logging.getLogger(name)
        if _nothing not in logger.filters:
            logger.addFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False
