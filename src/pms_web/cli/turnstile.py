"""How many requests of one process are worked on at once.

Owns the order of those that wait. A process computes one thing at a time, however many threads it has; where all of
them compute by turns, each request takes as long as all together, and the slowest twenty times as long as need be. So
threads are there for clients that are slow to send, and few of them go through here at once. Nobody waits for long: a
request that is itself waiting for somebody far away lets the others pass it.
"""

from __future__ import annotations

from collections.abc import Iterable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["AT_ONCE", "PATIENCE_SECONDS", "Turnstile"]

AT_ONCE = 2
"""One that computes, and one that waits for the database meanwhile."""
PATIENCE_SECONDS = 0.1


class Turnstile:
    """A WSGI application that lets few requests at once into another one.

    A request that has waited for ``patience`` seconds goes in without a place; so there may be more of them, but no
    queue behind a few that take long.
    """

    def __init__(
        self, app: WSGIApplication, *, at_once: int = AT_ONCE, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._app = app
        self._patience = patience
        self._places = SimpleQueue[None]()
        for _ in range(at_once):
            self._places.put(None)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request when there is a place, or when it has waited long enough."""
        has_place = self._has_place()
        try:
            return self._app(environ, start_response)
        finally:
            if has_place:
                self._places.put(None)

    def _has_place(self) -> bool:
        try:
            self._places.get(timeout=self._patience)
        except Empty:
            return False
        return True
