"""Steps of the life cycle and moves of rooms, asked for by their names."""

from __future__ import annotations

from itertools import count

import pytest
from attrs import evolve

from pms_web.app import create_app
from pms_web.wiring import whoever_serves
from pmscore.access.model.permissions import Role
from web.conftest import Web, day, problem, wrong_fields

pytestmark = pytest.mark.postgres

_NUMBERS = count(1)


def act(web: Web, booking_id: str, action: str, body: object = None, key: str | None = None, **headers: str):
    headers["Idempotency-Key"] = key or f"actions-{next(_NUMBERS)}"
    address = f"/api/v1/bookings/{booking_id}/{action}"
    return web.client.post(address, json={} if body is None else body, headers=headers)


def read(web: Web, booking_id: str) -> dict:
    return web.client.get(f"/api/v1/bookings/{booking_id}").get_json()


def test_a_guest_comes_and_goes_by_name(web: Web):
    made = web.book(0, 2, unit_id=web.units["101"])
    for action, status in (
        ("check-in", "checked_in"),
        ("undo-check-in", "confirmed"),
        ("check-in", "checked_in"),
        ("check-out", "checked_out"),
        ("undo-check-out", "checked_in"),
        ("check-out", "checked_out"),
        ("refund", "refunded"),
    ):
        answer = act(web, made, action)
        assert (answer.status_code, answer.get_json()["status"]) == (200, status), action
        assert answer.headers["ETag"] == f'"{read(web, made)["version"]}"'


def test_options_are_confirmed_declined_and_expire(web: Web):
    until = {"option_until": "2027-03-05T18:00:00+01:00"}
    first, second, third = (web.book(at, 1, "Single", **until) for at in (20, 21, 22))
    assert act(web, first, "confirm").get_json()["status"] == "confirmed"
    assert act(web, second, "decline").get_json()["status"] == "declined"
    running = problem(act(web, third, "expire"), 409, "illegal_transition")
    assert running["reason"] == "option_is_running"
    assert running["detail"] == (
        "This cannot expire: its option is still running; decline it to free the nights now, or wait until its time is"
        " over."
    )


def test_cancelling_twice_is_once_and_answers_alike(web: Web):
    made = web.book(30, 2, unit_id=web.units["102"])
    first = act(web, made, "cancel", {"reason": "guest_request"})
    second = act(web, made, "cancel")
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.data == second.data
    assert first.get_json()["cancellation"] is None
    assert act(web, made, "reinstate").get_json()["status"] == "confirmed"
    web.client.post(
        "/api/v1/properties/" + str(web.home.property.property_id) + "/advance-business-date",
        json={"to": day(40)},
    )
    villa = web.post(web.at_home(40, 2)).get_json()["id"]
    assert act(web, villa, "no-show").get_json()["status"] == "no_show"


def test_a_repetition_gets_the_first_answer_whatever_became_of_the_booking(web: Web):
    made = web.book(50, 2)
    cancelled = act(web, made, "cancel", key="once", **{"If-Match": '"1"'})
    assert act(web, made, "reinstate").status_code == 200
    again = act(web, made, "cancel", key="once", **{"If-Match": '"1"'})
    assert (again.status_code, again.data) == (200, cancelled.data)
    assert read(web, made)["status"] == "confirmed"
    other = act(web, made, "cancel", {"reason": "other"}, key="once")
    problem(other, 422, "idempotency_key_reused")
    stale = act(web, made, "cancel", **{"If-Match": '"1"'})
    problem(stale, 409, "stale_version")
    without = web.client.post(f"/api/v1/bookings/{made}/cancel", json={})
    assert wrong_fields(without) == {"Idempotency-Key": "required"}
    assert wrong_fields(act(web, made, "cancel", {"reason": "No!"})) == {"reason": "not_a_code"}


def test_a_room_is_given_a_unit_and_moved_from_a_night_on(web: Web):
    made = web.book(60, 4)
    given = act(web, made, "assign", {"unit_id": web.units["101"], "locks": True}, key="given")
    assert given.status_code == 200, given.text
    assert read(web, made)["rooms"][0]["is_locked"]
    problem(
        act(web, made, "move", {"unit_id": web.units["102"], "from_night": day(62)}),
        409,
        "illegal_transition",
    )
    assert act(web, made, "assign", {"unit_id": web.units["101"], "locks": False}).status_code == 200
    moved = act(web, made, "move", {"unit_id": web.units["102"], "from_night": day(62)})
    assert moved.status_code == 200, moved.text
    units = read(web, made)["rooms"][0]["units"]
    assert units == [
        {"unit_id": web.units["101"], "from": day(60), "to": day(62)},
        {"unit_id": web.units["102"], "from": day(62), "to": day(64)},
    ]
    assert (
        act(web, made, "assign", {"unit_id": web.units["101"], "locks": True}, key="given").data == given.data
    )
    assert read(web, made)["rooms"][0]["units"] == units
    assert act(web, made, "assign", {"unit_id": None}).status_code == 200
    assert read(web, made)["rooms"][0]["units"] == []
    outside = act(web, made, "move", {"unit_id": web.units["102"], "from_night": day(70)})
    assert wrong_fields(outside) == {"from_night": "outside_the_stay"}


def test_a_taken_unit_is_named_with_its_nights(web: Web):
    web.book(80, 2, unit_id=web.units["101"])
    made = web.book(81, 2)
    answer = problem(act(web, made, "assign", {"unit_id": web.units["101"]}), 409, "inventory_overlap")
    assert [each["night"] for each in answer["nights"]] == [day(81)]


def test_a_room_has_to_be_named_where_there_are_several(web: Web):
    rooms = [
        {
            "unit_type_id": web.types["Double"],
            "arrival": day(90),
            "departure": day(91),
            "adults": 1,
            "rate": {"amount": "90.00", "currency": "EUR"},
        }
    ] * 2
    body = {
        "property_id": str(web.hotel.property.property_id),
        "rooms": rooms,
        "guest": {"name": "Ada Moreira"},
    }
    made = web.post(body).get_json()
    unit = {"unit_id": web.units["103"]}
    assert wrong_fields(act(web, made["id"], "assign", unit)) == {"room_id": "required"}
    named = {**unit, "room_id": made["rooms"][1]["room_id"]}
    assert act(web, made["id"], "assign", named).status_code == 200


def test_steps_out_of_reach_are_not_found_and_a_booking_is_never_removed(web: Web):
    made = web.book(100, 1)
    home = web.home.property.property_id
    who = evolve(whoever_serves(web.services.agency_id), role=Role.MANAGER, property_ids=frozenset({home}))
    client = create_app(evolve(web.here, identify=lambda _: who)).test_client()
    key = {"Idempotency-Key": "far"}
    address = f"/api/v1/bookings/{made}"
    problem(client.post(f"{address}/cancel", json={}, headers=key), 404, "not_found")
    problem(client.post(f"{address}/assign", json={"unit_id": None}, headers=key), 404, "not_found")
    problem(web.client.delete(address), 405, "method_not_allowed")
    assert read(web, made)["status"] == "confirmed"
