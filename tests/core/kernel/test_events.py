from __future__ import annotations

import json
from datetime import UTC, date, datetime
from enum import Enum
from typing import ClassVar
from uuid import UUID

import pytest
from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.events import Event, to_json

KEY = UUID("12345678-1234-5678-1234-567812345678")


class Colour(Enum):
    RED = "red"


@frozen(kw_only=True)
class RoomPainted(Event):
    aggregate: ClassVar[str] = "unit"

    colour: Colour
    painted_at: datetime
    stay: StayRange
    fields_changed: tuple[str, ...]


def test_a_payload_holds_the_own_fields_of_an_event_as_plain_json():
    event = RoomPainted(
        kind="room_painted",
        aggregate_id=KEY,
        version=3,
        colour=Colour.RED,
        painted_at=datetime(2027, 5, 1, 12, tzinfo=UTC),
        stay=StayRange.parse("2027-05-01", "2027-05-04"),
        fields_changed=("colour",),
    )
    payload = event.payload()
    assert payload == {
        "colour": "red",
        "painted_at": "2027-05-01T12:00:00+00:00",
        "stay": {"arrival": "2027-05-01", "departure": "2027-05-04"},
        "fields_changed": ["colour"],
    }
    assert json.loads(json.dumps(payload)) == payload


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        ("x", "x"),
        (KEY, str(KEY)),
        (date(2027, 5, 1), "2027-05-01"),
        (Colour.RED, "red"),
        ((1, (2,)), [1, [2]]),
        ({"a": KEY, 1: None}, {"a": str(KEY), "1": None}),
    ],
)
def test_a_value_has_one_json_form(value: object, expected: object):
    assert to_json(value) == expected


@pytest.mark.parametrize("value", [1.5, b"x", [1], {1}, object()])
def test_a_value_without_an_exact_json_form_is_a_mistake_of_the_program(value: object):
    with pytest.raises(MisuseError):
        to_json(value)
