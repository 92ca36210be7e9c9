"""What the simulator itself answers, beside the platforms: what they know and have sold, and one more guest on request.

Owns two addresses that no platform has. ``GET /`` is for whoever wants to look; ``POST /sales/<platform>`` lets a
guest come along at once.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from attrs import define, field

from pms_adapters.http.door import Answer
from pms_adapters.lab.channel_sim.face import Arrived, Face, answer_of
from pmscore.channels.model.revisions import Revision
from pmscore.dates.ranges import DateRange
from pmscore.kernel.events import Json
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_platform import Garbled, RemotePlatform

__all__ = ["Front"]

_NIGHTS: Final = timedelta(days=60)
_SALES: Final = "/sales/"


@define
class Front:
    """The front desk of the simulator; ``sell`` lets one guest come along on a platform."""

    faces: Mapping[str, Face]
    sell: Callable[[str], Revision | Garbled | None] | None = field(default=None, init=False)

    def answer(self, call: Arrived, lock: threading.Lock) -> Answer | None:
        """Return the answer to a call, None where it is not for the desk; ``lock`` guards the platforms."""
        if (call.method, call.path) == ("GET", "/"):
            with lock:
                return _json({name: self._shown(face) for name, face in self.faces.items()})
        name = call.path.removeprefix(_SALES)
        if call.method == "POST" and name in self.faces and call.path != name and self.sell is not None:
            return _json({"sold": _sale(self.sell(name))})
        return None

    def _shown(self, face: Face) -> dict[str, Json]:
        platform, today = face.platform, face.clock.now().date()
        nights = DateRange(today, today + _NIGHTS)
        bookings: list[Json] = [_sale(each) for each in platform.bookings.values()]
        calls: dict[str, Json] = {**platform.calls.total}
        return {
            "cells_told": platform.told,
            "calls": calls,
            "calls_beyond_limits": platform.calls.exceeded,
            "is_all_acknowledged": platform.is_all_known,
            "bookings": bookings,
            "sellable": _sellable(platform, nights),
        }


def _sellable(platform: RemotePlatform, nights: DateRange) -> dict[str, Json]:
    """Return how many rooms may be sold, by room code and night; null where the platform was never told."""
    found: dict[str, Json] = {}
    for code in platform.rooms:
        row = platform.row(code, "", MatrixField.SELLABLE, nights)
        found[code] = {
            (nights.start + timedelta(days=ahead)).isoformat(): value for ahead, value in enumerate(row)
        }
    return found


def _sale(made: Revision | Garbled | None) -> Json:
    if not isinstance(made, Revision):
        return None
    rooms: list[Json] = [
        {
            "room_code": each.room_code,
            "arrival": each.stay.arrival.isoformat(),
            "departure": each.stay.departure.isoformat(),
        }
        for each in made.rooms
    ]
    return {
        "booking_key": made.booking_key,
        "reference": made.reference,
        "status": made.status.value,
        "rooms": rooms,
    }


def _json(body: Mapping[str, Json]) -> Answer:
    return answer_of(200, json.dumps(body).encode(), content_type="application/json")
