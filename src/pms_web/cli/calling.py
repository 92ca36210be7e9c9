"""Calling a running app as any program does: with a key, or with a session of somebody who logs in.

Owns credentials, redirects, and that no answer is an answer too. Leaves what is asked for to the commands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_network
from typing import Final
from urllib.parse import urljoin, urlsplit

from attrs import define, field

from pms_adapters.http.door import NO_RETRIES, Answer, Call, HttpDoor
from pms_adapters.http.guard import Guard
from pms_adapters.system import SystemClock
from pmscore.kernel.errors import PmsError
from pmscore.kernel.events import Json
from pmscore.kernel.secrets import Secret

__all__ = ["CalledApp", "app_at", "body_of", "items_of"]

_MOVED: Final = frozenset({301, 302, 307, 308})
_MOST_MOVES: Final = 5

Sends = Callable[[Call], Answer]


@define
class CalledApp:
    """An app at an address; ``shown`` are the headers by which it knows who calls."""

    url: str
    send_call: Sends = field(repr=False)
    say: Callable[[str], None] = field(repr=False)
    shown: dict[str, str | Secret] = field(factory=dict, repr=False)

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Json] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer; status 0 with a line said where there is none. Moves on the same host are followed."""
        sent = b"" if body is None else json.dumps(body).encode()
        given: dict[str, str | Secret] = {**self.shown, **(headers or {})}
        if body is not None:
            given["content-type"] = "application/json"
        url = f"{self.url.rstrip('/')}{path}"
        answer = self._once(Call(method=method, url=url, headers=given, body=sent))
        for _ in range(_MOST_MOVES):
            target = urljoin(url, answer.headers.get("location", ""))
            if answer.status not in _MOVED or not _is_same_place(url, target):
                break
            url = target
            answer = self._once(Call(method=method, url=url, headers=given, body=sent))
        return answer

    def use_key(self, token: str) -> None:
        """Show a key or a token from now on."""
        self.shown = {"authorization": Secret(f"Bearer {token}")}

    def log_in(self, email: str, password: str) -> Answer:
        """Begin a session, which is shown from now on where it begins; return the answer."""
        answer = self.send("POST", "/api/v1/auth/log-in", {"email": email, "password": password})
        csrf = body_of(answer).get("csrf_token")
        if answer.is_success and isinstance(csrf, str):
            self.shown = {"cookie": Secret(_cookie(answer)), "x-csrf-token": Secret(csrf)}
        return answer

    def _once(self, call: Call) -> Answer:
        try:
            return self.send_call(call)
        except PmsError as error:
            self.say(f"No answer: {error}")
            return Answer(status=0, headers={}, body=b"", seconds=0.0)


@contextmanager
def app_at(url: str, say: Callable[[str], None]) -> Iterator[CalledApp]:
    """Yield the app at ``url``, wherever that is: whoever runs a command says where it calls."""
    guard = Guard(networks=(ip_network("0.0.0.0/0"), ip_network("::/0")), allows_plain_http=True)
    with HttpDoor(guard, clock=SystemClock()) as door:
        yield CalledApp(url, lambda call: door.send(call, retries=NO_RETRIES), say)


def body_of(answer: Answer) -> Mapping[str, Json]:
    """Return the object that an answer holds, an empty one where it holds none."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def items_of(body: Mapping[str, Json], name: str = "items") -> list[Mapping[str, Json]]:
    """Return the objects of a list in a body; none where there is no such list."""
    items = body.get(name)
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


def _is_same_place(url: str, target: str) -> bool:
    """Return whether credentials may go to ``target``, too: the same host, and nothing less than the encryption there was."""
    here, there = urlsplit(url), urlsplit(target)
    if here.hostname != there.hostname or there.scheme not in {"http", "https"}:
        return False
    if here.scheme == there.scheme:
        return here.port == there.port
    return there.scheme == "https" and there.port in {None, here.port}


def _cookie(answer: Answer) -> str:
    try:
        cookies = SimpleCookie(answer.headers.get("set-cookie", ""))
    except CookieError:
        return ""
    return "; ".join(f"{name}={each.value}" for name, each in cookies.items())
