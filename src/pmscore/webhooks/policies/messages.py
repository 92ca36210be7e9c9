"""What a message says: by default only which thing changed, so that whoever receives it asks for the rest with rights.

Owns the form of the Standard Webhooks specification (``type``, ``timestamp``, ``data``) and the limit of 20 kB.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from attrs import Factory, frozen

from pmscore.kernel.events import Json
from pmscore.kernel.ids import EventId

__all__ = ["LARGEST_MESSAGE", "TEST_KIND", "Happening", "message", "test_message"]

LARGEST_MESSAGE: Final = 20_000
TEST_KIND: Final = "webhook.test"


@frozen(kw_only=True)
class Happening:
    """An event as the log has it; ``payload`` has ids and field names, never personal values."""

    event_id: EventId
    kind: str
    aggregate: str
    aggregate_id: UUID
    version: int
    at: datetime
    payload: Mapping[str, Json] = Factory(dict[str, Json])


def message(event: Happening, *, is_full: bool) -> str:
    """Return the body of a message: ids only, or with ``is_full`` all that the event says, where it is small enough.

    ``is_cut`` in it says that something was left out because of its size.
    """
    named: dict[str, Json] = {
        "event_id": str(event.event_id),
        "aggregate": event.aggregate,
        "id": str(event.aggregate_id),
        "version": event.version,
    }
    told = {name: value for name, value in event.payload.items() if is_full or name.endswith(("_id", "_ids"))}
    more: dict[str, Json] = {"payload": told} if is_full else {**told}
    written = _written(event.kind, event.at, {**more, **named})
    if len(written.encode()) <= LARGEST_MESSAGE:
        return written
    return _written(event.kind, event.at, {**named, "is_cut": True})


def test_message(endpoint_id: UUID, now: datetime) -> str:
    """Return the body of a message that says nothing but that messages arrive."""
    return _written(TEST_KIND, now, {"aggregate": "webhook", "id": str(endpoint_id)})


def _written(kind: str, at: datetime, content: Mapping[str, Json]) -> str:
    instant = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": kind, "timestamp": instant, "data": content}, separators=(",", ":"))
