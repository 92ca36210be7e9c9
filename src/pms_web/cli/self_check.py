"""The self-check of ``pms demo --exit``: what a first visitor would try, over HTTP.

Runs as a program of its own beside the app: ``python -m pms_web.cli.self_check ADDRESS PID DESCRIPTOR``. It waits
for the app, makes its calls, writes one JSON line to the descriptor and asks the process PID to end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from attrs import frozen

from pms_web.cli.channel_check import ChannelVisitor
from pms_web.cli.visiting import Answer, Caller, CheckFailedError, expected, listed

__all__ = ["KEY_NAME", "Check", "run_checks", "wait_for"]

WAIT_SECONDS = 30.0
KEY_NAME = "PMS_SELF_CHECK_KEY"
"""The variable that holds the API key: a list of processes shows arguments to everybody."""


@frozen
class Check:
    """One call and whether it was answered as it should be; ``found`` says what came instead, or what there is to say."""

    name: str
    ok: bool
    found: str = ""


def run_checks(address: str, key: str) -> Iterator[Check]:
    """Yield the checks as they are made; what is booked is cancelled again."""
    caller = Caller(address, key)
    visitor, channel = _Visitor(caller), ChannelVisitor(caller)
    checks: tuple[tuple[str, Callable[[], str | None]], ...] = (
        ("health", visitor.health),
        ("readiness", visitor.readiness),
        ("nobody without a key", visitor.stranger),
        ("properties", visitor.properties),
        ("search", visitor.search),
        ("quote", visitor.quote),
        ("book", visitor.book),
        ("repeat with the same key", visitor.repeat),
        ("conflict", visitor.conflict),
        ("availability", visitor.occupied),
        ("cancel", visitor.cancel),
        ("cancel again", visitor.cancel),
        ("channel", channel.connected),
        ("what is booked is gone from the platform", channel.told),
        ("what the platform sells is booked", channel.sold),
    )
    for name, check in checks:
        try:
            said = check()
        except (CheckFailedError, HTTPException, OSError, LookupError, TypeError, ValueError) as error:
            yield Check(name, ok=False, found=f"{error}"[:300] or type(error).__name__)
            return
        yield Check(name, ok=True, found=said or "")


class _Visitor:
    """Somebody who books one night in a holiday home that is free then."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._home: Mapping[str, str] = {}
        self._stay = (date.min, date.min)
        self._key = f"self-check-{uuid4()}"
        self._made: Mapping[str, object] = {}

    def health(self) -> None:
        expected(self._caller.call("GET", "/health"), 200, status="up")

    def readiness(self) -> None:
        # The worker starts beside the app and says so a little later.
        deadline = time.monotonic() + WAIT_SECONDS
        while self._caller.call("GET", "/health/ready").status != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        expected(self._caller.call("GET", "/health/ready"), 200, status="up")

    def stranger(self) -> None:
        unknown = {"Authorization": "Bearer pms_nobody"}
        expected(
            self._caller.call("GET", "/api/v1/properties", None, unknown), 401, error="not_authenticated"
        )

    def properties(self) -> None:
        items = listed(expected(self._caller.call("GET", "/api/v1/properties"), 200), "items")
        if not items:
            raise CheckFailedError("no property")
        homes = [item for item in items if listed(item, "unit_types")[0]["rooms"] == 1]
        home = homes[0]
        self._home = {"id": str(home["id"]), "currency": str(home["currency"])}
        self._stay = (date.fromisoformat(str(home["business_date"])), date.min)

    def search(self) -> None:
        today = self._stay[0]
        for days in range(30, 360):
            arrival = today + timedelta(days=days)
            departure = arrival + timedelta(days=7)
            asked = {
                "arrival": arrival, "departure": departure, "adults": 2, "property_id": self._home["id"],
            }  # fmt: skip
            body = expected(self._caller.call("GET", f"/api/v1/availability/search?{urlencode(asked)}"), 200)
            if listed(body, "offers"):
                self._stay = (arrival, departure)
                return
        raise CheckFailedError("no free week in a year")

    def quote(self) -> None:
        body = {
            "property_id": self._home["id"],
            "arrival": self._stay[0].isoformat(),
            "departure": self._stay[1].isoformat(),
            "adults": 2,
        }
        quotes = listed(expected(self._caller.call("POST", "/api/v1/quotes", body), 200), "quotes")
        if not quotes or not all(listed(each, "lines") for each in quotes):
            raise CheckFailedError("no quote for a week that is free")

    def book(self) -> None:
        self._made = expected(self._post(self._key), 201, status="confirmed")

    def repeat(self) -> None:
        again = expected(self._post(self._key), 201)
        if again != self._made:
            raise CheckFailedError("another answer than the first time")

    def conflict(self) -> None:
        expected(self._post(f"{self._key}-2"), 409, conflict_type="inventory_overlap")

    def occupied(self) -> None:
        asked = {"property_id": self._home["id"], "from": self._stay[0], "to": self._stay[1]}
        body = expected(self._caller.call("GET", f"/api/v1/availability?{urlencode(asked)}"), 200)
        if self._made["id"] not in [each["booking_id"] for each in listed(body, "ranges")]:
            raise CheckFailedError("the booking is not among the occupied ranges")

    def cancel(self) -> None:
        answer = self._caller.call("PATCH", f"/api/v1/bookings/{self._made['id']}", {"status": "cancelled"})
        expected(answer, 200, status="cancelled")

    def _post(self, key: str) -> Answer:
        body = {
            "property_id": self._home["id"],
            "arrival": self._stay[0].isoformat(),
            "departure": self._stay[1].isoformat(),
            "adults": 2,
            "rate": {"amount": "100.00", "currency": self._home["currency"]},
            "guest": {"name": "Self Check"},
        }
        return self._caller.call("POST", "/api/v1/bookings", body, {"Idempotency-Key": key})


def wait_for(address: str, is_worth_waiting: Callable[[], bool], *, seconds: float = WAIT_SECONDS) -> bool:
    """Return True when the app takes calls, False when waiting is of no use any more."""
    parts = urlsplit(address)
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=1)
            connection.request("GET", "/health")
            connection.getresponse().read()
            connection.close()
        except (OSError, HTTPException):
            if time.monotonic() > deadline or not is_worth_waiting():
                return False
            time.sleep(0.05)
        else:
            return True


def _main(address: str, pid: int, descriptor: int) -> None:
    wait_for(address, lambda: os.getppid() == pid)
    checks = [
        {"name": each.name, "ok": each.ok, "found": each.found}
        for each in run_checks(address, os.environ[KEY_NAME])
    ]
    with os.fdopen(descriptor, "w", encoding="utf-8") as line:
        line.write(json.dumps(checks))
    if os.getppid() == pid:
        os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
