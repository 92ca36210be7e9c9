"""The gateway to Channex: the laws of gateways against a face of theirs, samples, and what is special there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from adapters.channels.stub_wire import StubWire
from pms_adapters.channels.channex import MANIFEST, ChannexGateway
from pms_adapters.channels.channex.gateway import KNOCK_HEADER
from pms_adapters.channels.channex.mapping import channel_of
from pms_adapters.lab.channel_sim.faces.channex import ChannexFace
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import (
    At,
    Knock,
    OutcomeKind,
    Push,
    PushResult,
    Refused,
    RemoteRate,
    RemoteRoom,
)
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.model.revisions import Revision, RevisionStatus, SoldRoom, SoldTo
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import NotAuthenticatedError
from pmscore.kernel.ids import ConnectionId, MappingId, UnitTypeId
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import FixedClock, MovableClock
from pmscore.testing.gateway_scenes import GatewayScene, ScriptedHostility, Spoken, at_of
from pmscore.testing.laws.gateways import GatewayLaws

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PROPERTY = "716305c4-561a-4561-a187-7f5b8aeb5920"
ROOM = "994d1375-dbbd-4072-8724-b2ab32ce781b"
PLAN = "bab451e7-9ab1-4cc4-aa16-107bf7bbabb2"
KEY = Secret("uHq8-long-and-secret")
IN_DECEMBER = DateRange(date(2026, 12, 5), date(2026, 12, 9))
EVE = DateRange.of(date(2026, 12, 24), 1)
OWN, TYPE = ConnectionId(UUID(int=0xC0)), UnitTypeId(UUID(int=0xA1))
MAPPED_ROOM = MappedRoom(
    mapping_id=MappingId(UUID(int=1)), connection_id=OWN, unit_type_id=TYPE, room_code=ROOM
)
MAPPED_RATE = MappedRate(
    mapping_id=MappingId(UUID(int=2)),
    connection_id=OWN,
    unit_type_id=TYPE,
    plan="best",
    room_code=ROOM,
    rate_code=PLAN,
)
F = MatrixField


class Laws(GatewayLaws):
    gateway: Callable[..., ChannexGateway] = ChannexGateway

    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        face = ChannexFace(
            platform,
            clock=clock,
            api_key=KEY,
            property_id=PROPERTY,
            currency="EUR",
            hostility=hostility,
            occupancies=(1, 2),
        )
        wire = SimulatedWire((face,), clock=clock, hostility=hostility)
        return Spoken(
            gateway=type(self).gateway(wire, clock), credentials={"api_key": KEY}, listing_id=PROPERTY
        )


class TestChannexKeepsTheLaws(Laws):
    pass


class EndsOneLater(ChannexGateway):
    def push(self, at: At, push: Push) -> PushResult:
        entries = tuple(
            evolve(each, nights=DateRange.of(each.nights.start, each.nights.length + 1))
            for each in push.entries
        )
        return super().push(at, evolve(push, entries=entries))


class Swaps(ChannexGateway):
    def push(self, at: At, push: Push) -> PushResult:
        swapped = {F.CLOSED_TO_ARRIVAL: F.CLOSED_TO_DEPARTURE, F.CLOSED_TO_DEPARTURE: F.CLOSED_TO_ARRIVAL}
        entries = tuple(
            evolve(
                each, values={(swapped.get(name, name), n): value for (name, n), value in each.values.items()}
            )
            for each in push.entries
        )
        return super().push(at, evolve(push, entries=entries))


class Lenient(ChannexGateway):
    def push(self, at: At, push: Push) -> PushResult:
        return evolve(super().push(at, push), refused=())


@pytest.mark.parametrize(
    ("gateway", "law"),
    [
        (EndsOneLater, "test_every_declared_field_arrives_on_its_nights_and_on_no_other"),
        (Lenient, "test_what_the_platform_does_not_know_is_refused_by_name"),
    ],
)
def test_the_laws_catch_a_gateway_that_breaks_them(gateway: type[ChannexGateway], law: str) -> None:
    broken = type("Broken", (Laws,), {"gateway": gateway})()
    with pytest.raises(AssertionError):
        getattr(broken, law)()


def test_arrival_and_departure_are_told_apart() -> None:
    def told(gateway: type[ChannexGateway]) -> tuple[int | None, ...]:
        laws = type("Swapped", (Laws,), {"gateway": gateway})()
        scene: GatewayScene = laws.scene()
        rate = scene.at.mappings.rates[0]
        entry = Entry(mapping_id=rate.mapping_id, nights=scene.nights, values={(F.CLOSED_TO_ARRIVAL, 0): 1})
        scene.pushed(Lane.PRICING, (entry,))
        return scene.platform.row(rate.room_code, rate.rate_code, F.CLOSED_TO_ARRIVAL, scene.nights)

    assert told(ChannexGateway) == (1, 1, 1)
    assert told(Swaps) == (None, None, None)


# What we write


def test_what_is_pushed_has_the_form_of_the_documented_messages(samples: Samples) -> None:
    room, rate = MAPPED_ROOM.mapping_id, MAPPED_RATE.mapping_id
    counts = (
        Entry(mapping_id=room, nights=IN_DECEMBER, values={(F.SELLABLE, 0): 3}),
        Entry(mapping_id=room, nights=EVE, values={(F.SELLABLE, 0): 0}),
    )
    rules = {(F.RATE, 0): 10_000, (F.MIN_STAY_ARRIVAL, 0): 2, (F.CLOSED_TO_DEPARTURE, 0): 0}
    prices = (
        Entry(mapping_id=rate, nights=IN_DECEMBER, values=rules),
        Entry(mapping_id=rate, nights=EVE, values={(F.CLOSED, 0): 1}),
    )
    for lane, entries, path, sample in (
        (Lane.AVAILABILITY, counts, "/availability", "availability.request"),
        (Lane.PRICING, prices, "/restrictions", "restrictions.request"),
    ):
        wire = StubWire()
        wire.answers_with(200, samples.bytes("ari.response"))
        result = ChannexGateway(wire, FixedClock(NOW)).push(made_at(), pushing(lane, *entries))
        assert result == PushResult(result.outcome, ())
        assert result.outcome.kind is OutcomeKind.DONE
        (call,) = wire.calls
        assert (call.method, call.url) == ("POST", f"https://app.channex.io/api/v1{path}")
        assert call.headers["user-api-key"] == KEY
        assert json.loads(call.body) == samples(sample)


CELLS = st.dictionaries(
    st.sampled_from(sorted(MANIFEST.fields_of(Lane.PRICING))), st.integers(0, 40), min_size=1
)


@settings(max_examples=20)
@given(
    cells=st.lists(CELLS, min_size=1, max_size=4),
    counts=st.lists(st.integers(0, 50), min_size=1, max_size=4),
    start=st.integers(0, 400),
    length=st.integers(1, 60),
)
def test_every_push_keeps_the_schema(
    cells: list[dict[MatrixField, int]], counts: list[int], start: int, length: int
) -> None:
    document = json.loads((DATA / "requests.schema.json").read_text("utf-8"))
    nights = DateRange.of(date.fromordinal(NOW.date().toordinal() + start), length)
    prices = tuple(
        Entry(
            mapping_id=MAPPED_RATE.mapping_id,
            nights=nights,
            values={
                (name, 0 if name is not F.RATE or at % 2 else at + 1): value for name, value in each.items()
            },
        )
        for at, each in enumerate(cells)
    )
    rooms = tuple(
        Entry(mapping_id=MAPPED_ROOM.mapping_id, nights=nights, values={(F.SELLABLE, 0): count})
        for count in counts
    )
    for lane, entries, part in (
        (Lane.AVAILABILITY, rooms, "availability"),
        (Lane.PRICING, prices, "restrictions"),
    ):
        wire = StubWire()
        wire.answers_with(200, b'{"data": [], "meta": {"message": "Success", "warnings": []}}')
        ChannexGateway(wire, FixedClock(NOW)).push(made_at(), pushing(lane, *entries))
        schema = {"$ref": f"#/$defs/{part}", "$defs": document["$defs"]}
        Draft202012Validator(schema).validate(json.loads(wire.calls[0].body))


def test_the_schema_takes_the_documented_messages_and_no_other(samples: Samples) -> None:
    document = samples("requests.schema")
    for part, sample in (("availability", "availability.request"), ("restrictions", "restrictions.request")):
        validator = Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": document["$defs"]})
        message = samples(sample)
        validator.validate(message)
        message["values"][0]["surprise"] = 1
        assert not validator.is_valid(message)


def test_the_staging_system_is_reached_where_the_connection_says_so(samples: Samples) -> None:
    wire = StubWire()
    wire.answers_with(200, samples.bytes("properties.response"))
    at = made_at()
    staging = evolve(at, connection=evolve(at.connection, settings={"environment": "staging"}))
    assert ChannexGateway(wire, FixedClock(NOW)).check(staging).is_healthy
    assert wire.calls[0].url.startswith("https://staging.channex.io/api/v1/properties?")


# What we read


def test_a_page_of_the_feed_is_read_as_it_was_sold(samples: Samples) -> None:
    wire = StubWire()
    wire.answers_with(200, samples.bytes("booking_revisions.feed.response"))
    pulled = ChannexGateway(wire, FixedClock(NOW)).pull(made_at(), "")
    assert pulled.outcome.kind is OutcomeKind.DONE
    assert pulled.revisions == (
        Revision(
            revision_id="dddddddd-0000-4000-8000-000000000001",
            booking_key="eeeeeeee-0000-4000-8000-000000000001",
            status=RevisionStatus.NEW,
            revised_at=datetime(2026, 11, 20, 9, 58, 12, tzinfo=UTC),
            rooms=(
                SoldRoom(
                    room_code=ROOM,
                    rate_code=PLAN,
                    stay=StayRange(date(2026, 12, 5), date(2026, 12, 7)),
                    adults=2,
                    nightly=(9_000, 9_000),
                ),
            ),
            currency="EUR",
            guest=SoldTo(name="Maria Example", email="guest@example.com", country="DE"),
            channel="booking_com",
            reference="9996013801",
        ),
    )
    assert (pulled.malformed, pulled.cursor, pulled.has_more) == ((), "", False)
    asked = parse_qs(urlsplit(wire.calls[0].url).query)
    assert asked["filter[property_id]"] == [PROPERTY]
    assert asked["pagination[page]"] == ["1"]


def test_pages_are_fetched_one_call_each_until_there_is_no_more(samples: Samples) -> None:
    page = samples("booking_revisions.feed.response")
    page["meta"] |= {"page": 2, "limit": 50, "total": 120}
    wire = StubWire()
    wire.answers_with(200, json.dumps(page).encode())
    gateway = ChannexGateway(wire, FixedClock(NOW))
    second = gateway.pull(made_at(), "2")
    assert (second.cursor, second.has_more, len(wire.calls)) == ("3", True, 1)
    page["meta"]["page"] = 3
    wire.answers_with(200, json.dumps(page).encode())
    wire.answers.pop(0)
    third = gateway.pull(made_at(), second.cursor)
    assert (third.cursor, third.has_more) == ("", False)
    assert parse_qs(urlsplit(wire.calls[1].url).query)["pagination[page]"] == ["3"]


def test_rooms_rates_and_the_occupancies_that_are_priced_one_by_one_are_listed(samples: Samples) -> None:
    plans = samples("rate_plans.response")
    per_person = json.loads(json.dumps(plans["data"][0]))
    per_person["id"] = "per-person"
    per_person["attributes"] |= {
        "title": "By person",
        "sell_mode": "per_person",
        "options": [{"occupancy": each, "is_primary": each == 2, "rate": 0} for each in (2, 1, 3)],
    }
    plans["data"].append(per_person)
    plans["meta"]["total"] = 2
    wire = StubWire()
    wire.answers_with(200, samples.bytes("room_types.response"))
    wire.answers_with(200, json.dumps(plans).encode())
    outcome, found = ChannexGateway(wire, FixedClock(NOW)).rooms(made_at())
    assert outcome.kind is OutcomeKind.DONE
    assert found == (
        RemoteRoom(
            ROOM,
            "Double",
            (
                RemoteRate(ROOM, PLAN, "Best Available Rate"),
                RemoteRate(ROOM, "per-person", "By person", (1, 2, 3)),
            ),
        ),
    )


def test_a_warning_in_an_answer_of_success_names_the_cells_that_were_not_taken(samples: Samples) -> None:
    wire = StubWire()
    wire.answers_with(200, samples.bytes("ari.response-warning"))
    values = {(F.RATE, 0): 10_000, (F.CLOSED, 0): 0}
    around = DateRange(date(2026, 12, 3), date(2026, 12, 7))
    entries = (
        Entry(mapping_id=MAPPED_RATE.mapping_id, nights=around, values=values),
        Entry(mapping_id=MAPPED_RATE.mapping_id, nights=EVE, values=values),
    )
    result = ChannexGateway(wire, FixedClock(NOW)).push(made_at(), pushing(Lane.PRICING, *entries))
    assert result.outcome.kind is OutcomeKind.PARTLY
    assert result.refused == (
        Refused(
            mapping_id=MAPPED_RATE.mapping_id,
            nights=DateRange(date(2026, 12, 5), date(2026, 12, 7)),
            fields=frozenset({F.RATE}),
            reason="rate: must be greater than or equal to 0",
        ),
    )


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"warning": {"something_new": ["is odd"]}}, {F.RATE, F.CLOSED}),
        ({"warning": {}}, {F.RATE, F.CLOSED}),
        ({"warning": None}, {F.RATE, F.CLOSED}),
        ({"rate_plan_id": "of somebody else"}, {F.RATE, F.CLOSED}),
        ({"rate_plan_id": None}, {F.RATE, F.CLOSED}),
        ({"date_from": None}, {F.RATE, F.CLOSED}),
        ({"warning": {"stop_sell": ["is invalid"]}}, {F.CLOSED}),
    ],
)
def test_a_warning_that_is_not_clear_puts_all_in_doubt_rather_than_nothing(
    samples: Samples, change: dict[str, object], fields: set[MatrixField]
) -> None:
    document = samples("ari.response-warning")
    document["meta"]["warnings"][0] |= change
    wire = StubWire()
    wire.answers_with(200, json.dumps(document).encode())
    values = {(F.RATE, 0): 10_000, (F.CLOSED, 0): 0}
    entry = Entry(mapping_id=MAPPED_RATE.mapping_id, nights=IN_DECEMBER, values=values)
    result = ChannexGateway(wire, FixedClock(NOW)).push(made_at(), pushing(Lane.PRICING, entry))
    assert result.outcome.kind is OutcomeKind.PARTLY
    (refused,) = result.refused
    assert (refused.mapping_id, refused.nights, refused.fields) == (entry.mapping_id, IN_DECEMBER, fields)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (0, OutcomeKind.UNAUTHORISED),
        (1, OutcomeKind.REFUSED),
        (2, OutcomeKind.REFUSED),
        (3, OutcomeKind.BUSY),
    ],
)
def test_documented_errors_are_told_by_their_code(samples: Samples, number: int, kind: OutcomeKind) -> None:
    error = samples("errors")[number]
    wire = StubWire()
    wire.answers_with(error["status"], json.dumps(error["body"]).encode(), retry_after="60")
    gateway = ChannexGateway(wire, FixedClock(NOW))
    entry = Entry(mapping_id=MAPPED_ROOM.mapping_id, nights=EVE, values={(F.SELLABLE, 0): 1})
    outcome = gateway.push(made_at(), pushing(Lane.AVAILABILITY, entry)).outcome
    assert (outcome.kind, outcome.error) == (kind, error["body"]["errors"]["code"])
    assert outcome.retry_after == (60 if kind is OutcomeKind.BUSY else None)
    assert gateway.pull(made_at(), "4").outcome.kind is kind
    assert gateway.pull(made_at(), "4").cursor == "4"


@pytest.mark.parametrize("status", [200, 400, 404, 422])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>One moment</html>",
        b'{"data": [',
        b"[]",
        b"null",
        b'{"ok": true}',
        b'{"meta": 1, "errors": []}',
    ],
)
def test_an_answer_that_is_not_theirs_neither_did_nor_refused_anything(status: int, body: bytes) -> None:
    wire = StubWire()
    wire.answers_with(status, body)
    gateway = ChannexGateway(wire, FixedClock(NOW))
    entry = Entry(mapping_id=MAPPED_ROOM.mapping_id, nights=EVE, values={(F.SELLABLE, 0): 1})
    assert gateway.push(made_at(), pushing(Lane.AVAILABILITY, entry)).outcome.kind is OutcomeKind.UNSURE
    assert gateway.pull(made_at(), "").outcome.kind is OutcomeKind.UNSURE
    assert gateway.rooms(made_at())[0].kind is OutcomeKind.UNSURE
    for lane in (Lane.AVAILABILITY, Lane.PRICING):
        assert gateway.read_back(made_at(), lane, EVE).outcome.kind is OutcomeKind.UNSURE


def test_a_revision_that_was_acknowledged_before_is_acknowledged(samples: Samples) -> None:
    wire = StubWire()
    error = samples("errors")[1]
    wire.answers_with(404, json.dumps(error["body"]).encode())
    scene = Laws().scene()
    sold = evolve(scene.platform.oversell(EVE.start, EVE.start), revision_id="a/b c")
    gateway = ChannexGateway(wire, FixedClock(NOW))
    assert gateway.acknowledge(made_at(), (scene.stored(sold),)).kind is OutcomeKind.DONE
    assert wire.calls[0].url == "https://app.channex.io/api/v1/booking_revisions/a%2Fb%20c/ack"
    assert wire.calls[0].method == "POST"


def test_without_a_key_nothing_is_called() -> None:
    wire = StubWire()
    gateway, at = ChannexGateway(wire, FixedClock(NOW)), evolve(made_at(), credentials={})
    assert gateway.pull(at, "").outcome.error == "credentials_missing"
    assert gateway.check(at).error_code == "CREDENTIALS_REFUSED"
    assert wire.calls == []


def test_a_key_for_another_property_is_not_healthy(samples: Samples) -> None:
    wire = StubWire()
    wire.answers_with(200, samples.bytes("properties.response"))
    at = made_at()
    other = evolve(at, connection=evolve(at.connection, listing_id="other"))
    found = ChannexGateway(wire, FixedClock(NOW)).check(other)
    assert (found.is_healthy, found.error_code) == (False, "LISTING_UNKNOWN")


# Bookings that are not as they should be


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("status",), "pending", "status: unknown_value"),
        (("id",), "", "data.0.attributes.id: no_id"),
        (("booking_id",), None, "data.0.attributes.booking_id: not_text"),
        (("currency",), "EURO", "currency: unknown_currency"),
        (("inserted_at",), "yesterday", "inserted_at: not_an_instant"),
        (("inserted_at",), "0001-01-01T00:00:00+05:00", "inserted_at: not_an_instant"),
        (("rooms",), [], "rooms: empty"),
        (("rooms", 0, "is_cancelled"), True, "rooms: empty"),
        (("rooms", 0, "checkin_date"), "2026-02-30", "data.0.attributes.rooms.0.arrival: no_such_day"),
        (
            ("rooms", 0, "checkout_date"),
            "2026-12-05",
            "data.0.attributes.rooms.0.departure: not_after_arrival",
        ),
        (("rooms", 0, "days", "2026-12-05"), "-90.00", "data.0.attributes.rooms.0.days.2026-12-05: negative"),
        (
            ("rooms", 0, "days", "2026-12-05"),
            "9o.00",
            "data.0.attributes.rooms.0.days.2026-12-05: not_decimal",
        ),
        (
            ("rooms", 0, "days", "2026-12-05"),
            "90.001",
            "data.0.attributes.rooms.0.days.2026-12-05: too_precise",
        ),
        (("rooms", 0, "occupancy", "adults"), -2, "data.0.attributes.rooms.0.occupancy.adults: out_of_range"),
        (("customer",), "Maria", "data.0.attributes.customer: not_an_object"),
    ],
)
def test_a_revision_that_makes_no_sense_is_malformed_with_a_reason_and_hides_no_other(
    samples: Samples, path: tuple[str | int, ...], value: object, reason: str
) -> None:
    page = samples("booking_revisions.feed.response")
    good = json.loads(json.dumps(page["data"][0]))
    _put(page["data"][0]["attributes"], path, value)
    page["data"].append(good)
    pulled = _pulled(page)
    assert len(pulled.revisions) == 1
    (malformed,) = pulled.malformed
    assert malformed.reason == reason
    assert malformed.revision_id == good["id"]
    assert json.loads(malformed.raw)["attributes"]["unique_id"] == "BDC-9996013801"


def test_no_card_number_is_kept_of_notes_or_of_what_cannot_be_read(samples: Samples) -> None:
    page = samples("booking_revisions.feed.response")
    page["data"][0]["attributes"] |= {"notes": "late; card 4111 1111 1111 1111 cvv: 123"}
    (revision,) = _pulled(page).revisions
    assert "4111" not in revision.requests
    assert revision.requests.startswith("late; card ")
    page["data"][0]["attributes"]["status"] = "odd"
    (malformed,) = _pulled(page).malformed
    assert "4111" not in malformed.raw
    assert "Maria" not in repr(malformed)


@pytest.mark.parametrize(
    ("room", "currency", "nightly"),
    [
        ({"days": {}, "amount": "100.01"}, "EUR", (5_001, 5_000)),
        ({"days": {"2026-12-05": "90.00"}, "amount": "180.00"}, "EUR", (9_000, 9_000)),
        ({"days": None, "amount": None}, "EUR", ()),
        ({"days": {"2026-12-05": "90", "2026-12-06": 91}}, "EUR", (9_000, 9_100)),
        ({"days": {"2026-12-05": "9000.00", "2026-12-06": "9000"}}, "JPY", (9_000, 9_000)),
        ({"days": {"2026-12-05": "9.1000", "2026-12-06": "9.125"}}, "KWD", (9_100, 9_125)),
    ],
)
def test_nights_cost_what_was_told_to_the_last_unit(
    samples: Samples, room: dict[str, object], currency: str, nightly: tuple[int, ...]
) -> None:
    page = samples("booking_revisions.feed.response")
    page["data"][0]["attributes"]["currency"] = currency
    page["data"][0]["attributes"]["rooms"][0] |= room
    (revision,) = _pulled(page).revisions
    assert revision.rooms[0].nightly == nightly


def test_changed_and_cancelled_revisions_of_several_rooms(samples: Samples) -> None:
    page = samples("booking_revisions.feed.response")
    said = page["data"][0]["attributes"]
    second = json.loads(json.dumps(said["rooms"][0])) | {"room_type_id": None, "is_cancelled": True}
    children = {"adults": 1, "children": 2, "infants": 1, "ages": [4, 9]}
    third = json.loads(json.dumps(said["rooms"][0])) | {"occupancy": children}
    said |= {"status": "modified", "rooms": [said["rooms"][0], second, third], "ota_name": "Airbnb"}
    (changed,) = _pulled(page).revisions
    assert (changed.status, len(changed.rooms), changed.channel) == (RevisionStatus.CHANGED, 2, "airbnb")
    family = changed.rooms[1]
    assert (family.adults, family.children, family.infants, family.child_ages) == (1, 2, 1, (4, 9))
    said["status"] = "cancelled"
    (cancelled,) = _pulled(page).revisions
    assert (cancelled.status, len(cancelled.rooms)) == (RevisionStatus.CANCELLED, 3)
    said["rooms"] = []
    assert _pulled(page).revisions[0].rooms == ()


def test_a_derived_plan_or_the_option_of_an_occupancy_is_the_plan_that_is_mapped(samples: Samples) -> None:
    page = samples("booking_revisions.feed.response")
    room = page["data"][0]["attributes"]["rooms"][0]
    room |= {"rate_plan_id": "option-of-one", "meta": {"parent_rate_plan_id": PLAN}}
    assert _pulled(page).revisions[0].rooms[0].rate_code == PLAN
    room |= {"rate_plan_id": PLAN, "meta": {"parent_rate_plan_id": "another"}}
    assert _pulled(page).revisions[0].rooms[0].rate_code == PLAN
    room |= {"rate_plan_id": "unknown", "meta": {}}
    assert _pulled(page).revisions[0].rooms[0].rate_code == "unknown"


def test_bookings_are_read_back_over_all_pages_and_a_list_without_end_is_none(samples: Samples) -> None:
    page = samples("booking_revisions.feed.response")
    said = page["data"][0]["attributes"]
    said |= {"id": said.pop("booking_id"), "revision_id": said["id"]}
    odd = {"id": "odd", "type": "booking", "attributes": {"id": "odd", "property_id": PROPERTY}}
    page["data"].append(odd)
    page["meta"]["total"] = 4
    wire = StubWire()
    wire.answers_with(200, json.dumps(page).encode())
    found = ChannexGateway(wire, FixedClock(NOW)).read_back(made_at(), Lane.BOOKINGS, IN_DECEMBER)
    assert found.outcome.kind is OutcomeKind.DONE
    assert [each.booking_key for each in found.bookings] == ["eeeeeeee-0000-4000-8000-000000000001"] * 2
    asked = [parse_qs(urlsplit(call.url).query) for call in wire.calls]
    assert [each["pagination[page]"] for each in asked] == [["1"], ["2"]]
    assert asked[0]["filter[departure_date][gte]"] == ["2026-12-06"]
    assert asked[0]["filter[arrival_date][lte]"] == ["2026-12-08"]
    page["meta"]["total"] = 10**6
    wire = StubWire()
    wire.answers_with(200, json.dumps(page).encode())
    found = ChannexGateway(wire, FixedClock(NOW)).read_back(made_at(), Lane.BOOKINGS, IN_DECEMBER)
    assert (found.outcome.kind, found.outcome.error) == (OutcomeKind.UNSURE, "too_many_pages")
    assert len(wire.calls) < 100


def test_a_house_of_more_rates_than_an_answer_holds_is_not_read_back() -> None:
    wire, at = StubWire(), made_at()
    rates = tuple(
        evolve(MAPPED_RATE, mapping_id=MappingId(UUID(int=n)), rate_code=str(n)) for n in range(100, 160)
    )
    many = evolve(at, mappings=evolve(at.mappings, rates=rates))
    nights = DateRange.of(NOW.date(), 500)
    gateway = ChannexGateway(wire, FixedClock(NOW))
    refused = gateway.read_back(many, Lane.PRICING, nights).outcome
    assert (refused.kind, refused.error) == (OutcomeKind.REFUSED, "too_much_to_read")
    assert wire.calls == []
    wire.answers_with(200, b'{"data": {}}')
    assert gateway.read_back(many, Lane.AVAILABILITY, nights).outcome.kind is OutcomeKind.DONE
    assert gateway.read_back(at, Lane.PRICING, nights).outcome.kind is OutcomeKind.DONE


def test_bookings_of_other_properties_of_the_account_are_none_of_the_connections(samples: Samples) -> None:
    page = samples("booking_revisions.feed.response")
    page["data"][0]["attributes"]["property_id"] = "another"
    pulled = _pulled(page)
    assert (pulled.outcome.kind, pulled.revisions, pulled.malformed) == (OutcomeKind.DONE, (), ())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("BookingCom", "booking_com"), ("Booking.com", "booking_com"), ("Airbnb", "airbnb"), ("AirBNB", "airbnb"), ("Expedia", "expedia"),
        ("VRBO", "fewo_direkt"), ("Google Hotel ARI", "google"), ("Hostel World!", "hostel_world"), ("", ""),
    ],
)  # fmt: skip
def test_the_platform_behind_the_hub_has_our_code(name: str, code: str) -> None:
    assert channel_of(name) == code


# Knocks


def test_a_documented_knock_is_heard_and_believed_in_nothing(samples: Samples) -> None:
    found = _heard(samples.bytes("webhook.booking"))
    assert found.outcome.kind is OutcomeKind.DONE
    assert (found.revisions, found.malformed, found.has_more) == ((), (), False)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not json", b"[]", b"{}", b'{"event": "booking"}',
        b'{"event": "booking", "property_id": "another"}',
        b'{"event": "message", "property_id": "716305c4-561a-4561-a187-7f5b8aeb5920"}',
        b'{"event": 1, "property_id": "716305c4-561a-4561-a187-7f5b8aeb5920"}',
        b"[" * 100_000, b" " * 30_000,
    ],
)  # fmt: skip
def test_what_is_no_knock_of_theirs_about_this_property_is_refused(body: bytes) -> None:
    with pytest.raises(NotAuthenticatedError):
        _heard(body)


def test_a_connection_with_a_webhook_secret_hears_nothing_without_it(samples: Samples) -> None:
    body, secret = samples.bytes("webhook.booking"), Secret("knock-knock")
    credentials = {"api_key": KEY, "webhook_secret": secret}
    assert _heard(body, credentials, {KNOCK_HEADER.title(): "knock-knock"}).outcome.kind is OutcomeKind.DONE
    for headers in ({}, {KNOCK_HEADER: "knock"}, {KNOCK_HEADER: "knöck-knock"}):
        with pytest.raises(NotAuthenticatedError) as caught:
            _heard(body, credentials, headers)
        assert "knock-knock" not in str(caught.value)


# Where the samples are


DATA = Path(__file__).resolve().parents[2] / "data" / "channels" / "channex"


class Samples:
    """The documented messages: a fresh copy each time."""

    def __call__(self, name: str) -> dict:
        return json.loads(self.bytes(name))

    def bytes(self, name: str) -> bytes:
        return (DATA / f"{name}.json").read_bytes()


@pytest.fixture(name="samples", scope="module")
def _samples() -> Samples:
    return Samples()


def test_our_samples_are_the_collected_ones(shared_dir: Path, samples: Samples) -> None:
    folder = shared_dir / "specs" / "channex"
    names = {each.stem for each in folder.glob("*.json")} - {"behaviour"}
    assert names
    assert names <= {each.stem for each in DATA.glob("*.json")}
    for name in names:
        assert samples(name) == json.loads((folder / f"{name}.json").read_text("utf-8")), name
    behaviour = json.loads((folder / "behaviour.json").read_text("utf-8"))
    assert behaviour["base"] == MANIFEST.base_urls


def made_at() -> At:
    spoken = Spoken(
        gateway=ChannexGateway(StubWire(), FixedClock(NOW)),
        credentials={"api_key": KEY},
        listing_id=PROPERTY,
    )
    scene = RemotePlatform(
        clock=FixedClock(NOW), chance=None, rooms={ROOM: (PLAN,), "other": ("other",)}, currency="EUR"
    )
    return evolve(at_of(spoken, scene), mappings=MappingBook((MAPPED_ROOM,), (MAPPED_RATE,)))


def pushing(lane: Lane, *entries: Entry) -> Push:
    return Push(push_id=UUID(int=9), lane=lane, entries=entries)


def _pulled(page: dict) -> object:
    wire = StubWire()
    wire.answers_with(200, json.dumps(page).encode())
    return ChannexGateway(wire, FixedClock(NOW)).pull(made_at(), "")


def _heard(body: bytes, credentials: dict | None = None, headers: dict | None = None) -> object:
    at = made_at() if credentials is None else evolve(made_at(), credentials=credentials)
    knock = Knock(headers=headers or {}, body=body, received_at=NOW)
    return ChannexGateway(StubWire(), FixedClock(NOW)).read_knock(at, knock)


def _put(document: dict, path: tuple[str | int, ...], value: object) -> None:
    for part in path[:-1]:
        document = document[part]
    document[path[-1]] = value
