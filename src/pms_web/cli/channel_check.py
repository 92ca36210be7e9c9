"""The self-check's look at the channel of the demo: from the house to the platform, and from the platform to the house.

Owns waiting for what takes a moment: as long as something moves, and no longer than a bound. What the
platform knows is asked of the platform itself. A demo without a platform passes with a word.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

from pms_web.cli.visiting import Caller, CheckFailedError, expected, listed

__all__ = ["ChannelVisitor"]

CONNECTIONS = "/api/v1/channel-connections"
PATIENCE_SECONDS = 60.0
TELL_SECONDS = 5.0
LOOK_SECONDS = 0.2
MOST_GUESTS = 40
FIRST_DAY = 30
NONE = "none: the module is off, or no platform is simulated"


class ChannelVisitor:
    """Somebody who can look into the house and into the simulated platform."""

    def __init__(self, caller: Caller, *, patience: float = PATIENCE_SECONDS) -> None:
        self._caller = caller
        self._patience = patience
        self._connection: Mapping[str, object] = {}
        self._platform: Caller | None = None

    def connected(self) -> str | None:
        """The hotel is connected to a platform of this machine, and the connection works."""
        answer = self._caller.call("GET", CONNECTIONS)
        if answer.status == 404:
            return NONE
        for each in listed(expected(answer, 200), "items"):
            settings = each["platform_metadata"]
            base_url = settings.get("base_url", "") if isinstance(settings, dict) else ""
            parts = urlsplit(base_url)
            if parts.hostname == "127.0.0.1" and each["status"] == "active":
                self._connection, self._platform = each, Caller(f"{parts.scheme}://{parts.netloc}")
        if self._platform is None:
            return NONE
        health = expected(self._caller.call("POST", f"{self._here}/test", {}), 200)
        if health["healthy"] is not True:
            raise CheckFailedError(str(health["message"]))
        return f"{self._connection['platform_type']} at {self._platform.address}"

    def told(self) -> str | None:
        """A room that is booked is no longer sold by the platform."""
        if self._platform is None:
            return NONE
        rooms = listed(self._got(f"{self._here}/mappings"), "rooms")
        self._wait("the platform knows the house", lambda: self._knows(rooms))
        room_code, night, before, booking_id = self._booked(rooms)
        try:
            self._wait("the platform knows of the booking", lambda: self._free(room_code)[night] < before)
        finally:
            cancelling = {"status": "cancelled"}
            expected(self._caller.call("PATCH", f"/api/v1/bookings/{booking_id}", cancelling), 200)
        return None

    def sold(self) -> str | None:
        """What a guest of the platform books is a booking of the house, and the platform is told that it is known."""
        if self._platform is None:
            return NONE
        for _ in range(MOST_GUESTS):
            sale = expected(self._platform.call("POST", "/sales/channex"), 200)["sold"]
            if isinstance(sale, dict) and sale["status"] == "new":
                break
        else:
            raise CheckFailedError("no guest of the platform found a room")
        path = f"/api/v1/bookings?channel_reference={sale['reference']}"
        self._wait("the sale is booked", lambda: bool(listed(self._got(path), "items")))
        self._wait("the platform hears that", lambda: bool(self._shown()["is_all_acknowledged"]))
        return None

    @property
    def _here(self) -> str:
        return f"{CONNECTIONS}/{self._connection['id']}"

    def _knows(self, rooms: list[dict[str, object]]) -> bool:
        """Whether the platform was told the last night of each room that it can show."""
        return all(list(self._free(str(each["room_code"])).values())[-1] >= 0 for each in rooms)

    def _booked(self, rooms: list[dict[str, object]]) -> tuple[str, str, int, str]:
        """Book two nights that the platform sells; return room, first night, rooms there before, and the booking."""
        property_id = self._connection["property_id"]
        house = self._got(f"/api/v1/properties/{property_id}")
        for each in rooms:
            code = str(each["room_code"])
            for night, free in list(self._free(code).items())[FIRST_DAY:]:
                arrival = date.fromisoformat(night)
                body = {
                    "property_id": property_id,
                    "unit_type_id": each["unit_type_id"],
                    "arrival": night,
                    "departure": (arrival + timedelta(days=2)).isoformat(),
                    "adults": 2,
                    "rate": {"amount": "100.00", "currency": house["currency"]},
                    "guest": {"name": "Self Check"},
                }
                named = {"Idempotency-Key": f"self-check-{uuid4()}"}
                answer = self._caller.call("POST", "/api/v1/bookings", body, named) if free > 0 else None
                if answer is not None and answer.status == 201:
                    return code, night, free, str(answer.body["id"])
        raise CheckFailedError("no free night that the platform sells")

    def _free(self, room_code: str) -> dict[str, int]:
        """Return how many rooms the platform may sell by night; -1 where it was never told."""
        sellable = self._shown()["sellable"]
        found = sellable.get(room_code) if isinstance(sellable, dict) else None
        if not isinstance(found, dict):
            raise CheckFailedError(f"the platform has no room {room_code}")
        return {night: -1 if number is None else int(number) for night, number in found.items()}

    def _shown(self) -> Mapping[str, object]:
        """Return what the platform shows of itself."""
        if self._platform is None:
            raise CheckFailedError(NONE)
        (shown,) = expected(self._platform.call("GET", "/"), 200).values()
        if not isinstance(shown, dict):
            raise CheckFailedError("the platform shows nothing")
        return shown

    def _got(self, path: str) -> Mapping[str, object]:
        return expected(self._caller.call("GET", path), 200)

    def _wait(self, what: str, is_so: Callable[[], bool]) -> None:
        """Wait until it is so; say from time to time what is waited for, and what has moved.

        Raises:
            CheckFailedError: it was not so in time.
        """
        started = told = time.monotonic()
        while not is_so():
            now = time.monotonic()
            if now - started > self._patience:
                raise CheckFailedError(f"waited {self._patience:.0f} s until {what}")
            if now - told > TELL_SECONDS:
                told = now
                cells = self._shown()["cells_told"]
                print(f"Waiting until {what}; it was told {cells} cells so far.", file=sys.stderr)
            time.sleep(LOOK_SECONDS)
