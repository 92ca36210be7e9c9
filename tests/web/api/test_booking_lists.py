"""Lists of bookings over HTTP, and what of a guest is shown to whom."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve

from pms_web.app import create_app
from pms_web.wiring import whoever_serves
from pmscore.access.model.permissions import Permission, Role, permits
from web.conftest import Web, day, problem, wrong_fields

pytestmark = pytest.mark.postgres

BOOKINGS = "/api/v1/bookings"


@pytest.fixture(scope="module")
def made(web: Web) -> Mapping[str, str]:
    """Bookings by name, in the order in which they were made."""
    other = {"name": "Noor van der Haddad", "phone": "+49 30 1234"}
    hotel = {
        "first": web.book(1, 2, notes="Rings from +49 30 1234"),
        "second": web.book(3, 2, "Single", guest=other),
        "third": web.book(8, 1, source={"channel": "airbnb", "reference": "HM123"}),
    }
    assert web.patch(hotel["third"], {"status": "cancelled"}).status_code == 200
    villa = web.post(web.at_home(3, 4)).get_json()["id"]
    return {**hotel, "villa": villa}


def listed(web: Web, **query: object) -> list[str]:
    answer = web.client.get(BOOKINGS, query_string=query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.get_json()["items"]]


def test_bookings_are_listed_newest_first_a_page_at_a_time(web: Web, made: Mapping[str, str]):
    newest = [*reversed(made.values())]
    assert sorted(listed(web)) == sorted(newest)
    pages = [listed(web, limit=2, offset=offset) for offset in (0, 2)]
    assert [len(each) for each in pages] == [2, 2]
    assert pages[0] + pages[1] == listed(web)
    body = web.client.get(BOOKINGS, query_string={"limit": 3}).get_json()
    assert (body["total"], body["limit"], body["offset"], body["has_more"]) == (4, 3, 0, True)
    one = web.client.get(f"{BOOKINGS}/{made['first']}").get_json()
    assert one in web.client.get(BOOKINGS).get_json()["items"]


def test_each_condition_lets_its_bookings_pass(web: Web, made: Mapping[str, str]):
    one = web.client.get(f"{BOOKINGS}/{made['second']}").get_json()
    hotel = str(web.hotel.property.property_id)
    for query, names in (
        ({"property_id": hotel}, {"first", "second", "third"}),
        ({"property_id": [hotel, str(web.home.property.property_id)]}, set(made)),
        ({"status": "cancelled"}, {"third"}),
        ({"status": "cancelled,confirmed", "property_id": hotel}, {"first", "second", "third"}),
        ({"arrival_from": day(3)}, {"second", "third", "villa"}),
        ({"arrival_from": day(3), "arrival_to": day(4)}, {"second", "villa"}),
        ({"departure_to": day(5)}, {"first"}),
        ({"departure_from": day(5), "departure_to": day(6)}, {"second"}),
        ({"staying_from": day(2), "staying_to": day(3)}, {"first"}),
        ({"staying_from": day(6)}, {"third", "villa"}),
        ({"guest_id": one["guest"]["id"]}, {"second"}),
        ({"channel": "airbnb"}, {"third"}),
        ({"channel_reference": "HM123"}, {"third"}),
        ({"channel_reference": "HM12"}, set()),
        ({"reference": one["reference"]}, {"second"}),
        ({"reference": one["reference"].lower().replace("0", "o")}, {"second"}),
        ({"reference": one["reference"], "status": "cancelled"}, set()),
    ):
        assert set(listed(web, **query)) == {made[name] for name in names}, query


def test_what_cannot_be_asked_is_named(web: Web):
    query = {"arrival_from": day(3), "arrival_to": day(3), "status": "gone", "reference": "12", "limit": 101}
    answer = web.client.get(BOOKINGS, query_string=query)
    assert wrong_fields(answer) == {
        "arrival_to": "not_after_start",
        "status[0]": "unknown_value",
        "reference": "not_a_reference",
        "limit": "out_of_range",
    }
    nowhere = {"property_id": "0190163d-8694-739b-aea5-966c26f8ad91"}
    problem(web.client.get(BOOKINGS, query_string=nowhere), 404, "not_found")
    assert web.client.get(BOOKINGS, query_string={"channel": "\0"}).status_code in {200, 422}


@pytest.mark.parametrize("role", [role for role in Role if permits(role, Permission.READ_BOOKINGS)])
def test_only_who_may_read_guests_sees_more_than_initials(web: Web, made: Mapping[str, str], role: Role):
    """In a list and in a single booking; texts that people write about people count as theirs."""
    who = evolve(whoever_serves(web.services.agency_id), role=role)
    client = create_app(evolve(web.here, identify=lambda _: who)).test_client()
    one = client.get(f"{BOOKINGS}/{made['second']}").get_json()
    (again,) = client.get(BOOKINGS, query_string={"reference": one["reference"]}).get_json()["items"]
    assert again == one
    text = client.get(BOOKINGS).text + client.get(f"{BOOKINGS}/{made['first']}").text
    sees_all = permits(role, Permission.READ_GUESTS)
    assert one["guest"]["name"] == ("Noor van der Haddad" if sees_all else "N. V. D. H.")
    for secret in ("Moreira", "ada@example.com", "1234", "Rings"):
        assert (secret in text) is sees_all, secret
    assert role is not Role.OWNER or not sees_all


def test_whoever_reaches_one_property_sees_its_bookings_alone(web: Web, made: Mapping[str, str]):
    home = web.home.property.property_id
    who = evolve(whoever_serves(web.services.agency_id), role=Role.MANAGER, property_ids=frozenset({home}))
    client = create_app(evolve(web.here, identify=lambda _: who)).test_client()
    found = client.get(BOOKINGS).get_json()
    assert [each["id"] for each in found["items"]] == [made["villa"]]
    assert found["total"] == 1
    hotel = {"property_id": str(web.hotel.property.property_id)}
    problem(client.get(BOOKINGS, query_string=hotel), 404, "not_found")
