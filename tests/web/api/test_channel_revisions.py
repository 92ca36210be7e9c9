"""What platforms have told, over HTTP: read, tried again after a person has acted, and a shrunken feed that is right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from adapters.conftest import PostgresDatabase
from pms_web.app import create_app
from pms_web.revision_views import revision_body
from pms_web.url_parts import code_of, url_part
from pmscore.access.model.permissions import Role
from pmscore.channels.model.calls import Feed, FeedStay, Outcome, OutcomeKind, Pulled, RemoteRate, RemoteRoom
from pmscore.channels.model.manifest import CallGroup, CallKind, Window
from pmscore.channels.model.revisions import (
    Malformed,
    Revision,
    RevisionStatus,
    SaleKind,
    SoldRoom,
    SoldTo,
    StoredRevision,
    StoredState,
)
from pmscore.channels.ports import GatewayBase
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import ConnectionId
from web.channel_web import DONE, HERE, connect, map_rooms, opened, quoted, run_bookings
from web.conftest import TODAY, Web, problem, wrong_fields

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def web(postgres_database: PostgresDatabase) -> Iterator[Web]:
    yield from opened(postgres_database, mock=True)


def told(web: Web, code: str, *, key: str = "K1", first: int = 10) -> Revision:
    """Return a sale of a room for two nights."""
    stay = StayRange(TODAY + timedelta(days=first), TODAY + timedelta(days=first + 2))
    return Revision(
        revision_id=f"{key}/new 1",
        booking_key=key,
        status=RevisionStatus.NEW,
        revised_at=web.here.clock.now(),
        rooms=(SoldRoom(room_code=code, stay=stay, adults=2, child_ages=(4,), nightly=(9_000, 9_000)),),
        currency="EUR",
        guest=SoldTo("Ada Novak", "ada@example.org", "+43 1", "AT"),
        reference=f"ref {key}",
        requests="a cot",
    )


def page(*revisions: Revision) -> Pulled:
    return Pulled(outcome=DONE, revisions=revisions)


def revisions(web: Web, made: dict, **query: object) -> dict:
    answer = web.client.get(f"{HERE}/{made['id']}/revisions", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def issues(web: Web, made: dict) -> list[str]:
    """Return the kinds of the open issues of a connection's property."""
    listed = web.client.get("/api/v1/channel-issues", query_string={"property_id": made["property_id"]})
    return [each["kind"] for each in listed.get_json()["items"]]


def test_what_was_put_aside_is_tried_again_once_its_room_is_mapped(web: Web):
    made = connect(web)
    run_bookings(web, made, page(told(web, "double")))
    (aside,) = revisions(web, made, state="quarantined")["items"]
    assert (aside["reason"], aside["booking_id"], aside["applied_at"]) == ("unmapped_room", None, None)
    assert issues(web, made) == ["unmapped"]
    sale = aside["sale"]
    assert sale["rooms"] == [
        {
            "room_code": "double",
            "rate_code": "",
            "arrival": "2027-03-11",
            "departure": "2027-03-13",
            "adults": 2,
            "children": 1,
            "infants": 0,
        }
    ]
    assert sale["guest"] == {
        "name": "Ada Novak",
        "email": "ada@example.org",
        "phone": "+43 1",
        "country": "AT",
    }
    retry = f"{HERE}/{made['id']}/revisions/{aside['id']}/retry"
    map_rooms(web, made, "double")
    again = web.client.post(retry).get_json()
    assert (again["id"], again["state"]) == (aside["id"], "received")
    run_bookings(web, made)
    (applied,) = revisions(web, made)["items"]
    assert applied["state"] == "applied"
    booking = web.client.get(f"/api/v1/bookings/{applied['booking_id']}").get_json()
    assert (booking["arrival"], booking["departure"]) == ("2027-03-11", "2027-03-13")
    assert issues(web, made) == []
    problem(web.client.post(retry), 409, "illegal_transition")


def test_what_cannot_be_read_is_shown_and_not_tried_again(web: Web):
    made = connect(web)
    malformed = Malformed(digest="d1", reason="no_arrival", raw="<sale of Ada/>", revision_id="M1")
    run_bookings(web, made, Pulled(outcome=DONE, malformed=(malformed,)))
    (found,) = revisions(web, made)["items"]
    assert (found["sale"], found["raw"], found["state"]) == (None, "<sale of Ada/>", "quarantined")
    refused = problem(
        web.client.post(f"{HERE}/{made['id']}/revisions/{found['id']}/retry"), 409, "illegal_transition"
    )
    assert "cannot be read" in refused["detail"]


def test_guests_are_shown_to_those_who_may_read_them(web: Web):
    made = connect(web)
    stored = StoredRevision(
        revision=told(web, "x"),
        malformed=None,
        connection_id=ConnectionId(UUID(made["id"])),
        revision_id="R",
        state=StoredState.RECEIVED,
        received_at=web.here.clock.now(),
    )
    hidden = revision_body(stored, shows_guest=False)
    assert (hidden["sale"]["guest"], hidden["sale"]["requests"]) == (None, None)
    assert not [each for each in ("Ada", "ada@", "+43", "cot") if each in str(hidden)]
    unread = Malformed(digest="d", reason="r", raw="Ada")
    hidden = revision_body(evolve(stored, revision=None, malformed=unread), shows_guest=False)
    assert (hidden["raw"], hidden["sale"]) == (None, None)
    assert revision_body(stored, shows_guest=True)["sale"]["requests"] == "a cot"


def test_the_list_is_paged_by_state_the_newest_first(web: Web):
    made = connect(web)
    map_rooms(web, made, "double")
    for number in range(3):
        web.here.clock.advance(timedelta(minutes=1))
        code = "double" if number == 1 else "elsewhere"
        run_bookings(web, made, page(told(web, code, key=f"K{number}", first=20 + 3 * number)))
    everything = revisions(web, made)
    assert [each["sale"]["booking_key"] for each in everything["items"]] == ["K2", "K1", "K0"]
    assert (everything["total"], everything["has_more"]) == (3, False)
    first = revisions(web, made, limit=1, offset=1)
    assert [each["sale"]["booking_key"] for each in first["items"]] == ["K1"]
    assert (first["total"], first["limit"], first["offset"], first["has_more"]) == (3, 1, 1, True)
    aside = revisions(web, made, state=["quarantined", "conflict"])
    assert [each["sale"]["booking_key"] for each in aside["items"]] == ["K2", "K0"]
    assert revisions(web, made, state="quarantined,applied")["total"] == 3
    assert revisions(web, made, offset=3)["items"] == []
    assert revisions(web, made, state="conflict")["items"] == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"state": "odd"}, 400, "unknown_choice"),
        ({"limit": 101}, 422, "invalid_input"),
        ({"limit": 0}, 422, "invalid_input"),
        ({"offset": -1}, 422, "invalid_input"),
        ({"status": "applied"}, 422, "invalid_input"),
    ],
    ids=str,
)
def test_a_list_that_cannot_be_is_refused_by_name(web: Web, query, status, code):
    made = connect(web)
    answer = web.client.get(f"{HERE}/{made['id']}/revisions", query_string=query)
    said = quoted(answer, status, code)
    if status == 400:
        states = "'received', 'applied', 'superseded', 'quarantined', 'conflict'"
        assert said == f"Invalid state. Must be one of: [{states}]"


def feed(web: Web, *stays: tuple[str, int]) -> Pulled:
    """Return a good read of the feed of the room "room/1"."""
    read = tuple(
        FeedStay(uid=uid, nights=DateRange.of(TODAY + timedelta(days=first), 2), kind=SaleKind.BOOKING)
        for uid, first in stays
    )
    return Pulled(outcome=DONE, feed=Feed(room_code="room/1", stays=read, read_at=web.here.clock.now()))


def test_a_shrunken_feed_frees_nothing_until_a_person_confirms_it(web: Web):
    made = connect(web, "airbnb", gateway="ical")
    map_rooms(web, made, "room/1")
    run_bookings(web, made, feed(web, ("a", 3), ("b", 6), ("c", 9)))
    for _ in range(3):
        web.here.clock.advance(timedelta(minutes=15))
        run_bookings(web, made, feed(web, ("a", 3)))
    assert issues(web, made) == ["feed_shrunk"]
    assert statuses(web, made) == ["confirmed", "confirmed", "confirmed"]
    confirm = f"{HERE}/{made['id']}/feed/confirm"
    other = web.client.post(confirm, json={"room_code": "room/2"}).get_json()
    assert other == {"connection_id": made["id"], "room_code": "room/2", "ended": 0}
    assert issues(web, made) == ["feed_shrunk"]
    done = web.client.post(confirm, json={"room_code": "room/1"})
    assert (done.status_code, done.get_json()["ended"]) == (200, 2)
    assert issues(web, made) == []
    run_bookings(web, made, feed(web, ("a", 3)))
    assert statuses(web, made) == ["cancelled", "cancelled", "confirmed"]
    assert web.client.post(confirm, json={"room_code": "room/1"}).get_json()["ended"] == 0


def test_what_is_not_held_for_a_person_is_not_ended_by_one(web: Web):
    """One of many is left out: the second look ends it, and nobody can do so before."""
    made = connect(web, "airbnb", gateway="ical")
    map_rooms(web, made, "room/1")
    run_bookings(web, made, feed(web, ("a", 3), ("b", 6), ("c", 9)))
    run_bookings(web, made, feed(web, ("a", 3), ("b", 6)))
    confirm = f"{HERE}/{made['id']}/feed/confirm"
    assert web.client.post(confirm, json={"room_code": "room/1"}).get_json()["ended"] == 0
    run_bookings(web, made)
    assert statuses(web, made) == ["confirmed", "confirmed", "confirmed"]


def statuses(web: Web, made: dict) -> list[str]:
    """Return the statuses of all bookings of a connection's property."""
    listed = web.client.get("/api/v1/bookings", query_string={"property_id": made["property_id"]})
    return sorted(each["status"] for each in listed.get_json()["items"])


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"room_code": "required"}),
        ({"room_code": 7}, {"room_code": "not_text"}),
        ({"room_code": "x" * 201}, {"room_code": "too_long"}),
        ({"room_code": "x", "sure": True}, {"sure": "unknown_field"}),
    ],
    ids=["nothing", "a number", "too long", "more"],
)
def test_a_confirmation_names_a_room(web: Web, body, fields):
    made = connect(web)
    assert wrong_fields(web.client.post(f"{HERE}/{made['id']}/feed/confirm", json=body)) == fields


def test_strangers_find_nothing_and_staff_may_not(web: Web):
    made = connect(web)
    run_bookings(web, made, page(told(web, "nowhere")))
    (aside,) = revisions(web, made)["items"]
    calls = (
        ("GET", f"{HERE}/{{}}/revisions", None),
        ("GET", f"{HERE}/{{}}/rooms", None),
        ("POST", f"{HERE}/{{}}/revisions/{aside['id']}/retry", None),
        ("POST", f"{HERE}/{{}}/feed/confirm", {"room_code": "nowhere"}),
    )
    staff = create_app(
        evolve(web.here, identify=lambda _: evolve(web.services.principal, role=Role.STAFF))
    ).test_client()
    for method, path, body in calls:
        gone = web.client.open(path.format(uuid4()), method=method, json=body)
        assert quoted(gone, 404, "not_found") == "Connection not found"
        problem(staff.open(path.format(made["id"]), method=method, json=body), 403, "permission_denied")
    for unknown in ("none", "~", "~bm9uZQ", "~%00"):
        answer = web.client.post(f"{HERE}/{made['id']}/revisions/{unknown}/retry")
        problem(answer, 404, "not_found")
    assert revisions(web, made)["items"] == [aside]


class Listing(GatewayBase):
    """Lists rooms, or fails as it is told."""

    def __init__(self, manifest, answer) -> None:
        self._manifest, self._answer = manifest, answer

    @property
    def manifest(self):
        return self._manifest

    def rooms(self, at):
        return self._answer


ROOM = RemoteRoom("r1", "Double room", (RemoteRate("r1", "bar", "Best rate", (1, 2)),))


def listing(web: Web, answer: object, *calls: CallGroup):
    """Return a client of an app whose Channex gateway answers so, and limits calls so."""
    manifest = evolve(web.here.channels.gateways["channex"].manifest, calls=calls)
    means = evolve(web.here.channels, gateways={"channex": Listing(manifest, answer)})
    return create_app(evolve(web.here, channels=means)).test_client()


def test_the_rooms_of_a_platform_are_listed_by_whatever_gateway_can(web: Web):
    made = connect(web)
    found = listing(web, (DONE, (ROOM,))).get(f"{HERE}/{made['id']}/rooms")
    assert found.get_json() == {
        "connection_id": made["id"],
        "is_listed": True,
        "rooms": [
            {
                "room_code": "r1",
                "name": "Double room",
                "rates": [{"rate_code": "bar", "name": "Best rate", "occupancies": [1, 2]}],
            }
        ],
    }
    other = connect(web, "airbnb", gateway="ical")
    unlisted = web.client.get(f"{HERE}/{other['id']}/rooms").get_json()
    assert unlisted == {"connection_id": other["id"], "is_listed": False, "rooms": []}


@pytest.mark.parametrize(
    "kind", [OutcomeKind.BUSY, OutcomeKind.DOWN, OutcomeKind.REFUSED, OutcomeKind.UNAUTHORISED, OutcomeKind.UNSURE]
)  # fmt: skip
def test_a_platform_that_does_not_answer_is_no_list_without_rooms(web: Web, kind: OutcomeKind):
    made = connect(web)
    client = listing(web, (Outcome(kind, "nothing to say"), ()))
    body = problem(client.get(f"{HERE}/{made['id']}/rooms"), 503, "platform_unavailable")
    assert kind.value in body["detail"]


def test_asking_for_rooms_is_a_call_like_any_other(web: Web):
    """One beyond what the platform takes is not made; a minute later there is room for it."""
    made = connect(web)
    limit = CallGroup(name="few", kinds=frozenset({CallKind.CHECK}), windows=(Window(calls=2, seconds=60),))
    client = listing(web, (DONE, (ROOM,)), limit)
    rooms = f"{HERE}/{made['id']}/rooms"
    assert [client.get(rooms).status_code for _ in range(2)] == [200, 200]
    body = problem(client.get(rooms), 503, "platform_unavailable")
    assert "rate_limited" in body["detail"]
    web.here.clock.advance(timedelta(seconds=62))
    assert client.get(rooms).status_code == 200


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_a_code_in_an_address_is_the_same_code_when_it_is_read(code: str):
    part = url_part(code)
    assert code_of(part) == code
    assert not set(part) & set("/?#% .")


@given(st.text(alphabet="~aZ09-_=/. %", max_size=12))
def test_no_two_forms_stand_for_one_code(part: str):
    code = code_of(part)
    assert code is None or url_part(code) == part
