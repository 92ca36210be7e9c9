"""What ``pms smoke`` tries on a running app, one thing after another, as a program of somebody's would.

Owns the checks and taking back what they have made. Leaves settings, lines and how the command ends to ``smoke``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

from attrs import define, field

from pms_adapters.http.door import Answer
from pms_web.cli.calling import CalledApp, body_of, items_of
from pms_web.cli.sync_poll import FAILED, SUCCESS, Poll
from pmscore.channels.use_cases.operations import SyncType
from pmscore.kernel.events import Json

__all__ = ["CheckFailedError", "CheckSkippedError", "CheckUnknownError", "SmokeChecks"]

_CONNECTIONS: Final = "/api/v1/channel-connections"
_BLOCKS: Final = "/api/v1/availability/blocks"
_BLOCK_AHEAD, _BLOCK_NIGHTS = range(30, 120, 3), timedelta(days=3)
_GAP_AHEAD: Final = range(60, 147)
_STAY: Final = timedelta(days=2)
_REASON: Final = "smoke-test"
_SHOWN: Final = 200


class CheckFailedError(Exception):
    """The app does not do what it should."""


class CheckSkippedError(Exception):
    """There is nothing to try, or nobody asked for it."""


class CheckUnknownError(Exception):
    """It could not be found out."""


@define(kw_only=True)
class SmokeChecks:
    """The checks; ``property_id`` and ``connection_id`` are found where none is named, and kept for the next ones."""

    app: CalledApp
    say: Callable[[str], None]
    property_id: str = ""
    connection_id: str = ""
    sync_type: SyncType = SyncType.AVAILABILITY
    polls: int = 20
    interval: float = 2.0
    pause: Callable[[float], None] = time.sleep
    _house: Mapping[str, Json] = field(factory=dict, init=False)

    @property
    def today(self) -> date:
        """The day that the property is in."""
        return date.fromisoformat(str(self._house["business_date"]))

    def health(self) -> None:
        """The process runs."""
        if self._got("/health").get("status") != "up":
            raise CheckFailedError("/health (not 'up')")

    def readiness(self) -> None:
        """Everything that the app needs is there."""
        answer = self.app.send("GET", "/health/ready")
        components = body_of(answer).get("components")
        found = components if isinstance(components, dict) else {}
        states = {name: each.get("status") for name, each in found.items() if isinstance(each, dict)}
        down = [f"{name} component (status: {state})" for name, state in states.items() if state != "up"]
        if answer.status != 200 or down or not states:
            raise CheckFailedError(", ".join(down) or _said(answer))

    def credentials(self) -> None:
        """Whoever calls is known."""
        who = self._got("/api/v1/auth/me")
        self.say(f"  {who.get('role')} by {who.get('means')}")

    def property_found(self) -> None:
        """There is a property; one that is named but unknown is replaced by the first."""
        if self.property_id:
            answer = self.app.send("GET", f"/api/v1/properties/{self.property_id}")
            if answer.status == 200:
                self._house = body_of(answer)
                return
            if answer.status not in {404, 422}:
                raise CheckFailedError(_said(answer))
        houses = items_of(self._got("/api/v1/properties?limit=1"))
        if not houses:
            raise CheckUnknownError("PID not set and could not auto-derive")
        found = str(houses[0]["id"])
        if self.property_id:
            self.say(f"⚠️ PID invalid (Property not found). Using fallback PID={found} from /properties")
        self.property_id, self._house = found, houses[0]

    def availability(self) -> None:
        """What is occupied can be read."""
        self._ranges(self.today, self.today + timedelta(days=7))

    def connection_found(self) -> None:
        """There is a connection to a platform."""
        answer = self.app.send("GET", f"{_CONNECTIONS}/{self.connection_id}?limit=1")
        if answer.status == 404 and not self.connection_id:
            raise CheckSkippedError("the module channel_manager is off")
        if answer.status != 200:
            raise CheckFailedError(_said(answer))
        if not self.connection_id:
            found = items_of(body_of(answer))
            if not found:
                raise CheckSkippedError("no connection")
            self.connection_id = str(found[0]["id"])

    def sync(self) -> None:
        """A sync is done, says so in the log, and moves the time of the last one."""
        if not self.connection_id:
            raise CheckSkippedError("no connection")
        address = f"{_CONNECTIONS}/{self.connection_id}"
        before = self._got(address).get("last_sync_at")
        poll = Poll(
            send=self.app.send, say=self._indented, pause=self.pause, most=self.polls, interval=self.interval
        )
        ended = poll.run(self.connection_id, self.sync_type)
        if ended == FAILED:
            raise CheckFailedError("the sync has failed")
        if ended != SUCCESS:
            raise CheckUnknownError("the sync was not done in time: is a worker running?")
        after = self._got(address).get("last_sync_at")
        if after is None or after == before:
            raise CheckFailedError(f"last_sync_at stayed {before}")

    def block(self) -> None:
        """A block is seen, refuses an overlapping booking, and is lifted again whatever happens."""
        start, unit_id, type_id = self._free_unit()
        end = start + _BLOCK_NIGHTS
        nights = {"from": start.isoformat(), "to": end.isoformat()}
        wanted = {"property_id": self.property_id, "unit_id": unit_id, **nights, "reason": _REASON}
        made = self._post(_BLOCKS, wanted)
        if made.status != 201:
            raise CheckFailedError(_said(made))
        block_id = str(body_of(made)["id"])
        try:
            seen = [each for each in self._ranges(start, end) if each.get("block_id") == block_id]
            if [each.get("kind") for each in seen] != ["block"]:
                raise CheckFailedError("the block is not among the occupied ranges")
            taken = self._book(start + timedelta(days=1), end, type_id, unit_id)
            if taken.status == 201:
                self._cancel(str(body_of(taken)["id"]))
            if taken.status != 409 or body_of(taken).get("conflict_type") != "inventory_overlap":
                raise CheckFailedError(f"a booking over the block: {_said(taken)}")
        finally:
            self._done(self.app.send("DELETE", f"{_BLOCKS}/{block_id}"), 204, f"block {block_id} stays")

    def back_to_back(self) -> None:
        """One stay may begin on the day on which another ends; both are cancelled again whatever happens."""
        arrival, type_id, unit_id = self._gap()
        made: list[str] = []
        try:
            for start in (arrival, arrival + _STAY):
                answer = self._book(start, start + _STAY, type_id, unit_id)
                if answer.status != 201:
                    raise CheckFailedError(f"the stay from {start}: {_said(answer)}")
                made.append(str(body_of(answer)["id"]))
        finally:
            for each in made:
                self._cancel(each)

    def _free_unit(self) -> tuple[date, str, str]:
        """Return the first night of three that a unit is free on, in 30 days or as soon as there are such, the unit and its type."""
        kinds = items_of(self._house, "unit_types")
        # Nights that stay empty after a departure are nobody's range, and taken all the same.
        margin = timedelta(days=max((int(str(each["turnover_nights"])) for each in kinds), default=0))
        for ahead in _BLOCK_AHEAD:
            start = self.today + timedelta(days=ahead)
            found = self._ranges(start - margin, start + _BLOCK_NIGHTS + margin)
            taken = {each.get("unit_id") for each in found}
            for kind in kinds:
                for unit in items_of(kind, "units"):
                    if unit["id"] not in taken:
                        return start, str(unit["id"]), str(kind["id"])
        raise CheckSkippedError("no unit is free for three nights")

    def _gap(self) -> tuple[date, str, str]:
        """Return four nights of a unit that may be sold two by two; a type that is cleaned for a night is none."""
        kinds = {
            str(each["id"]) for each in items_of(self._house, "unit_types") if not each["turnover_nights"]
        }
        for ahead in _GAP_AHEAD if kinds else ():
            arrival = self.today + timedelta(days=ahead)
            whole = self._offers(arrival, arrival + 2 * _STAY, kinds)
            parts = [self._offers(each, each + _STAY, set(whole)) for each in (arrival, arrival + _STAY)]
            for kind, units in whole.items():
                if units and all(kind in part for part in parts):
                    return arrival, kind, units[0]
        raise CheckSkippedError("no gap of four nights")

    def _offers(self, arrival: date, departure: date, kinds: set[str]) -> dict[str, list[str]]:
        if not kinds:
            return {}
        asked: list[tuple[str, object]] = [
            ("arrival", arrival),
            ("departure", departure),
            ("adults", 1),
            ("property_id", self.property_id),
            *(("unit_type_id", each) for each in sorted(kinds)),
        ]
        offers = items_of(self._got(f"/api/v1/availability/search?{urlencode(asked)}"), "offers")
        units = {str(each["unit_type_id"]): each["free_units"] for each in offers}
        return {kind: [*map(str, free)] for kind, free in units.items() if isinstance(free, list)}

    def _book(self, arrival: date, departure: date, type_id: str, unit_id: str) -> Answer:
        body: dict[str, Json] = {
            "property_id": self.property_id,
            "unit_type_id": type_id,
            "unit_id": unit_id,
            "arrival": arrival.isoformat(),
            "departure": departure.isoformat(),
            "adults": 1,
            "rate": {"amount": "1", "currency": self._house["currency"]},
            "guest": {"name": "Smoke Test"},
        }
        return self._post("/api/v1/bookings", body)

    def _cancel(self, booking_id: str) -> None:
        answer = self.app.send("PATCH", f"/api/v1/bookings/{booking_id}", {"status": "cancelled"})
        self._done(answer, 200, f"booking {booking_id} stays")

    def _done(self, answer: Answer, status: int, otherwise: str) -> None:
        if answer.status != status:
            raise CheckFailedError(f"{otherwise}: {_said(answer)}")

    def _post(self, path: str, body: Mapping[str, Json]) -> Answer:
        return self.app.send("POST", path, body, {"idempotency-key": f"{_REASON}-{uuid4()}"})

    def _ranges(self, start: date, end: date) -> list[Mapping[str, Json]]:
        asked = urlencode({"property_id": self.property_id, "from": start, "to": end})
        return items_of(self._got(f"/api/v1/availability?{asked}"), "ranges")

    def _got(self, path: str) -> Mapping[str, Json]:
        answer = self.app.send("GET", path)
        if answer.status != 200:
            raise CheckFailedError(_said(answer))
        return body_of(answer)

    def _indented(self, text: str) -> None:
        self.say(f"  {text}")


def _said(answer: Answer) -> str:
    """Return what an answer that is not the right one says, in a few words."""
    if not answer.status:
        return "no answer"
    detail = body_of(answer).get("detail")
    text = detail if isinstance(detail, str) else answer.body[:_SHOWN].decode("utf-8", "replace")
    return f"status {answer.status} {text}".rstrip()
