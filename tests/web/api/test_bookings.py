"""Making, reading and changing bookings over HTTP."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from adapters.conftest import PostgresDatabase
from pms_adapters.postgres.verify import verify
from pmscore.booking.model.lifecycle import Status
from pmscore.dates.nights import StayRange
from pmscore.inventory.use_cases.holds import PlaceHold, place_hold
from pmscore.kernel.ids import ActorId, RequestId
from web.conftest import TODAY, Web, day, problem, web_on, wrong_fields

pytestmark = pytest.mark.postgres


def test_a_booking_is_made_and_can_be_read(web: Web) -> None:
    answer = web.post(web.booking(10, 3, requests="Late arrival."))
    assert answer.status_code == 201
    made = answer.get_json()
    assert made["status"] == "confirmed"
    assert made["total"] == {"amount": "360.00", "currency": "EUR"}
    assert answer.headers["Location"] == f"/api/v1/bookings/{made['id']}"
    read = web.client.get(answer.headers["Location"]).get_json()
    assert read["guest"]["name"] == "Ada Moreira"
    assert read["requests"] == "Late arrival."
    assert [each["amount"] for each in read["rooms"][0]["nightly"]] == ["120.00"] * 3
    assert {name: read[name] for name in ("id", "reference", "version")} == {
        name: made[name] for name in ("id", "reference", "version")
    }


def test_both_forms_of_an_address_answer_and_neither_redirects(web: Web) -> None:
    made = web.book(200, 1)
    for path in ("/api/v1/properties", f"/api/v1/bookings/{made}", "/health", "/health/ready"):
        assert web.client.get(path).status_code == 200
        assert web.client.get(f"{path}/").status_code == 200
    headers = {"Idempotency-Key": f"slash-{uuid4()}"}
    assert web.client.post("/api/v1/bookings/", json=web.booking(202, 1), headers=headers).status_code == 201


def test_amounts_may_be_given_a_night(web: Web) -> None:
    nightly = [{"amount": "99.90", "currency": "EUR"}, {"amount": "0", "currency": "EUR"}]
    made = web.post(web.booking(12, 2, rate=None, nightly=nightly)).get_json()
    assert made["total"] == {"amount": "99.90", "currency": "EUR"}


def test_several_rooms_are_booked_all_or_none(web: Web) -> None:
    room = {
        "unit_type_id": web.types["Single"],
        "arrival": day(20),
        "departure": day(22),
        "adults": 1,
        "rate": {"amount": "70.00", "currency": "EUR"},
    }
    body = {
        "property_id": str(web.hotel.property.property_id),
        "guest": {"name": "Rita Jardim"},
        "rooms": [room, room],
    }
    assert len(web.post(body).get_json()["rooms"]) == 2
    taken = problem(web.post(body | {"rooms": [room]}), 409, "inventory_overlap")
    assert [each["night"] for each in taken["nights"]] == [day(20), day(21)]


def test_a_taken_unit_is_a_conflict_that_names_the_nights(web: Web) -> None:
    unit = web.units["101"]
    web.book(30, 3, unit_id=unit)
    answer = problem(web.post(web.booking(31, 3, unit_id=unit)), 409, "inventory_overlap")
    assert answer["conflict_type"] == "inventory_overlap"
    assert {(each["night"], each["code"], each["value"]) for each in answer["nights"]} == {
        (day(31), "unit_taken", unit),
        (day(32), "unit_taken", unit),
    }


def test_back_to_back_stays_are_no_conflict(web: Web) -> None:
    unit = web.units["102"]
    web.book(30, 2, unit_id=unit)
    web.book(32, 2, unit_id=unit)


def test_the_night_after_a_departure_from_the_home_stays_empty(web: Web) -> None:
    assert web.post(web.at_home(40, 3)).status_code == 201
    assert web.post(web.at_home(43, 2)).status_code == 409
    assert web.post(web.at_home(44, 2)).status_code == 201


def test_the_same_key_and_body_again_get_the_same_answer_and_one_booking(web: Web) -> None:
    body, key = web.at_home(60, 7), f"again-{uuid4()}"
    first, second = web.post(body, key), web.post(body, key)
    assert (second.status_code, second.data) == (first.status_code, first.data) == (201, first.data)


def test_white_space_and_order_do_not_make_another_request(web: Web) -> None:
    body, key = web.at_home(70, 2), f"order-{uuid4()}"
    first = web.post(body, key)
    reordered = dict(reversed(body.items()))
    assert web.post(reordered, key).data == first.data


def test_the_same_key_with_another_body_is_refused(web: Web) -> None:
    key = f"other-{uuid4()}"
    web.post(web.at_home(80, 2), key)
    problem(web.post(web.at_home(85, 2), key), 422, "idempotency_key_reused")


def test_a_refusal_leaves_the_key_free(web: Web) -> None:
    key = f"free-{uuid4()}"
    problem(web.post(web.booking(90, 1, guest_id=str(uuid4()), guest=None), key), 404, "not_found")
    assert web.post(web.booking(90, 1), key).status_code == 201


@pytest.mark.race
def test_twins_sent_at_once_make_one_booking(web: Web) -> None:
    for attempt in range(5):
        body, key = web.at_home(100 + 5 * attempt, 2), f"twins-{uuid4()}"
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: web.post(body, key), range(6)))  # noqa: B023
        assert {each.status_code for each in answers} == {201}
        assert len({each.data for each in answers}) == 1


@pytest.mark.race
def test_of_many_who_want_the_last_room_exactly_one_gets_it(web: Web) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: web.post(web.at_home(140, 3)), range(12)))
    codes = sorted(each.status_code for each in answers)
    assert codes == [201] + [409] * 11
    lost = [each.get_json() for each in answers if each.status_code == 409]
    assert {each["conflict_type"] for each in lost} == {"inventory_overlap"}


@pytest.mark.parametrize("key", [None, "", " ", "ü", "x" * 201, "two words"])
def test_a_booking_without_a_usable_key_is_refused(web: Web, key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = web.client.post("/api/v1/bookings", json=web.booking(1, 1), headers=headers)
    assert set(wrong_fields(answer)) == {"Idempotency-Key"}


def test_every_mistake_of_a_body_is_named_at_once(web: Web) -> None:
    body = web.booking(3, -1, adults=0, rate={"amount": 12, "currency": "eur"}, guest={"nmae": "x"}, pets=1)
    assert wrong_fields(web.post(body)) == {
        "departure": "not_after_arrival",
        "adults": "no_adult",
        "rate.amount": "not_text",
        "guest.name": "required",
        "guest.nmae": "unknown_field",
        "pets": "unknown_field",
    }


def test_a_party_larger_than_the_room_is_refused_with_the_rule(web: Web) -> None:
    answer = problem(web.post(web.booking(3, 1, "Single", adults=2)), 422, "stay_refused")
    assert [(each["code"], each["value"]) for each in answer["violations"]] == [("party_too_large", 1)]
    assert "at most 1" in answer["violations"][0]["message"]


def test_another_currency_than_the_house_has_is_refused(web: Web) -> None:
    answer = web.post(web.booking(3, 1, rate={"amount": "10.00", "currency": "USD"}))
    assert wrong_fields(answer) == {"nightly": "mixed_currencies"}


@pytest.mark.parametrize("member", ["property_id", "unit_type_id", "unit_id", "guest_id"])
def test_what_does_not_exist_here_is_not_found(web: Web, member: str) -> None:
    body = web.booking(3, 1, **{member: str(uuid4())})
    if member == "guest_id":
        del body["guest"]
    problem(web.post(body), 404, "not_found")


def test_an_option_is_pending_until_its_time(web: Web) -> None:
    made = web.post(web.booking(150, 2, option_until="2027-03-05T18:00:00+01:00")).get_json()
    assert made["status"] == "pending"
    read = web.client.get(f"/api/v1/bookings/{made['id']}").get_json()
    assert read["option_until"] == "2027-03-05T17:00:00+00:00"
    confirmed = web.patch(made["id"], {"status": "confirmed"}).get_json()
    assert (confirmed["status"], confirmed["option_until"]) == ("confirmed", None)


def test_cancelling_frees_the_nights_and_twice_is_once(web: Web) -> None:
    unit = web.units["103"]
    made = web.book(160, 2, unit_id=unit)
    first = web.patch(made, {"status": "cancelled", "reason": "guest_asked"})
    second = web.patch(made, {"status": "cancelled"})
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.data == second.data
    assert first.get_json()["status"] == "cancelled"
    web.book(160, 2, unit_id=unit)
    problem(web.client.delete(f"/api/v1/bookings/{made}"), 405, "method_not_allowed")


def test_a_guest_comes_and_goes(web: Web) -> None:
    made = web.book(0, 2)
    refused = problem(web.patch(made, {"status": "checked_in"}), 409, "illegal_transition")
    assert refused["reason"] == "no_unit_assigned"
    placed = web.patch(made, {"unit_id": web.units["101"]}).get_json()
    assert placed["rooms"][0]["units"] == [{"unit_id": web.units["101"], "from": day(0), "to": day(2)}]
    assert web.patch(made, {"status": "checked_in"}).get_json()["checked_in_on"] == day(0)
    assert web.patch(made, {"status": "confirmed"}).get_json()["status"] == "confirmed"
    web.patch(made, {"status": "checked_in"})
    left = web.patch(made, {"status": "checked_out"}).get_json()
    assert (left["status"], left["checked_out_on"]) == ("checked_out", day(0))
    assert web.patch(made, {"status": "refunded"}).get_json()["status"] == "refunded"
    problem(web.patch(made, {"status": "confirmed"}), 409, "illegal_transition")


def test_a_reinstatement_needs_its_nights(web: Web) -> None:
    unit = web.units["101"]
    made = web.post(web.at_home(170, 2)).get_json()["id"]
    web.patch(made, {"status": "cancelled"})
    assert web.patch(made, {"status": "confirmed"}).get_json()["status"] == "confirmed"
    web.patch(made, {"status": "cancelled"})
    web.post(web.at_home(170, 2))
    problem(web.patch(made, {"status": "confirmed"}), 409, "inventory_overlap")
    assert unit


@pytest.mark.parametrize("status", [each.value for each in Status if each is not Status.CONFIRMED])
def test_no_status_that_can_be_asked_for_breaks_anything(web: Web, status: str) -> None:
    made = web.book(180, 1, "Single")
    answer = web.patch(made, {"status": status})
    assert answer.status_code in {200, 409}
    web.patch(made, {"status": "cancelled"})


def test_a_stay_is_changed_and_keeps_what_is_not_named(web: Web) -> None:
    made = web.book(190, 3)
    shorter = web.patch(made, {"departure": day(192), "notes": "Leaves early."}).get_json()
    assert (shorter["arrival"], shorter["departure"], shorter["notes"]) == (
        day(190),
        day(192),
        "Leaves early.",
    )
    assert shorter["total"]["amount"] == "240.00"
    assert wrong_fields(web.patch(made, {"departure": day(195)})) == {"nightly": "required_for_new_nights"}
    longer = web.patch(
        made, {"departure": day(195), "rate": {"amount": "100.00", "currency": "EUR"}, "adults": 2}
    ).get_json()
    assert longer["total"]["amount"] == "500.00"
    assert longer["rooms"][0]["adults"] == 2


def test_a_change_that_does_not_fit_keeps_the_old_nights(web: Web) -> None:
    web.post(web.at_home(210, 2))
    made = web.post(web.at_home(214, 2)).get_json()["id"]
    rate = {"amount": "90.00", "currency": "EUR"}
    problem(web.patch(made, {"arrival": day(211), "rate": rate}), 409, "inventory_overlap")
    assert web.client.get(f"/api/v1/bookings/{made}").get_json()["arrival"] == day(214)
    assert web.post(web.at_home(214, 2)).status_code == 409


def test_a_change_of_a_version_that_is_gone_is_refused(web: Web) -> None:
    made = web.book(220, 1)
    web.patch(made, {"notes": "First."})
    answer = problem(web.patch(made, {"notes": "Second.", "version": 1}), 409, "stale_version")
    assert answer["conflict_type"] == "stale_version"
    assert web.patch(made, {"notes": "Second.", "version": 2}).status_code == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"body": "nothing_to_change"}),
        ({"status": "gone"}, {"status": "unknown_value"}),
        ({"status": "cancelled", "notes": "x"}, {"notes": "unknown_field"}),
        ({"status": 7}, {"status": "not_text"}),
        ({"arrival": "2027-02-29"}, {"arrival": "no_such_day"}),
        ({"adults": 0}, {"adults": "no_adult"}),
        ({"rooms": []}, {"rooms": "empty"}),
        ({"rooms": [1]}, {"rooms[0]": "not_an_object"}),
        ({"version": "1"}, {"version": "not_a_number"}),
        ({"status": "cancelled", "reason": "Not A Code"}, {"reason": "not_a_code"}),
    ],
)
def test_a_change_that_cannot_be_is_refused(web: Web, body: object, expected: dict[str, str]) -> None:
    made = web.book(230, 1, "Single")
    assert wrong_fields(web.patch(made, body)) == expected
    web.patch(made, {"status": "cancelled"})


def test_unknown_bookings_are_not_found_and_no_ids_are_refused(web: Web) -> None:
    problem(web.client.get(f"/api/v1/bookings/{uuid4()}"), 404, "not_found")
    problem(web.patch(str(uuid4()), {"status": "cancelled"}), 404, "not_found")
    assert wrong_fields(web.client.get("/api/v1/bookings/42")) == {"booking_id": "not_an_id"}


def test_a_hold_is_taken_up_by_its_booking_and_figures_stay_right(
    fresh_web: Web, fresh_postgres_database: PostgresDatabase
) -> None:
    services = fresh_web.services
    hold = place_hold(
        PlaceHold(
            request_id=RequestId(uuid4()),
            agency_id=services.agency_id,
            actor_id=ActorId(uuid4()),
            property_id=fresh_web.home.property.property_id,
            stay=StayRange.of(TODAY + timedelta(days=5), 2),
            expires_at=services.clock.now() + timedelta(hours=1),
        ),
        uow=services.uow,
        clock=services.clock,
        ids=services.ids,
    )
    assert fresh_web.post(fresh_web.at_home(5, 2)).status_code == 409
    taken_up = fresh_web.post(fresh_web.at_home(5, 2, hold_ids=[str(hold.hold_id)]))
    assert taken_up.status_code == 201
    again = fresh_web.post(fresh_web.at_home(5, 2, hold_ids=[str(hold.hold_id)]))
    problem(again, 409, "illegal_transition")
    assert verify(fresh_postgres_database.admin_url) == ()


@pytest.mark.fault
def test_a_booking_that_somebody_else_has_locked_is_busy(postgres_database: PostgresDatabase) -> None:
    for web in web_on(postgres_database.app_url, lock_timeout_ms=100):
        made = web.book(5, 1)
        with psycopg.connect(postgres_database.admin_url) as other:
            other.execute("SELECT 1 FROM bookings WHERE booking_id = %s FOR UPDATE", [made])
            body = problem(web.patch(made, {"status": "cancelled"}), 409, "busy")
            assert body["conflict_type"] == "busy"
        assert web.patch(made, {"status": "cancelled"}).status_code == 200


@pytest.mark.fault
def test_a_key_that_is_being_worked_on_is_in_progress(postgres_database: PostgresDatabase) -> None:
    for web in web_on(postgres_database.app_url, lock_timeout_ms=100):
        body = web.booking(5, 1)
        with psycopg.connect(postgres_database.admin_url) as other:
            other.execute(
                "INSERT INTO idempotency_keys (agency_id, actor_id, route, key, fingerprint, reply, created_at)"
                " VALUES (%s, %s, 'POST /api/v1/bookings', 'held', 'x', '{}', now())",
                [web.services.agency_id, web.services.principal.actor_id],
            )
            problem(web.post(body, "held"), 409, "request_in_progress")
            other.rollback()
        assert web.post(body, "held").status_code == 201


@pytest.mark.fault
def test_a_request_that_gets_no_connection_in_time_is_told_to_come_back(
    postgres_database: PostgresDatabase,
) -> None:
    settings = {"database_pool_size": 1, "database_pool_timeout_seconds": 1, "lock_timeout_ms": 10_000}
    for web in web_on(postgres_database.app_url, **settings):
        made = web.book(5, 1)
        with psycopg.connect(postgres_database.admin_url) as other, ThreadPoolExecutor(1) as pool:
            other.execute("SELECT 1 FROM bookings WHERE booking_id = %s FOR UPDATE", [made])
            waiting = pool.submit(web.patch, made, {"status": "cancelled"})
            _wait_until_somebody_waits(postgres_database)
            answer = web.client.get("/api/v1/properties")
            problem(answer, 503, "service_unavailable")
            assert answer.headers["Retry-After"]
            other.rollback()
            assert waiting.result(20).status_code == 200
        assert web.client.get("/api/v1/properties").status_code == 200


def _wait_until_somebody_waits(database: PostgresDatabase) -> None:
    deadline = time.monotonic() + 10
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        while connection.execute(query).fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.01)
