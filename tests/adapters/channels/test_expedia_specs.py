"""What we send to Expedia is valid by the published schemas, and the published answers are read."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.channels.expedia_scenes import (
    EVE,
    MAPPED_RATE,
    NOW,
    ROOM,
    at_hotel,
    confirmed,
    count,
    message,
    pulled,
    pushed,
    rated,
    stored,
    wire_with,
)
from adapters.channels.test_expedia import Laws
from pms_adapters.channels.expedia import MANIFEST, ExpediaGateway
from pms_adapters.channels.expedia.mapping import MOST_CONFIRMED, Service, kind_of_error
from pms_adapters.lab.channel_sim.face import arrived
from pms_adapters.lab.channel_sim.faces.expedia import MOST_BOOKINGS, ExpediaFace
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, OutcomeKind
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.model.revisions import RevisionStatus
from pmscore.dates.ranges import DateRange
from pmscore.pricing.views.matrix_rows import MatrixField as F
from pmscore.testing.clocks import FixedClock

SUBJECTS = {each: each.subject for each in Service}
FLAGS = st.integers(0, 1)
VALUES = {
    F.CLOSED: FLAGS,
    F.CLOSED_TO_ARRIVAL: FLAGS,
    F.CLOSED_TO_DEPARTURE: FLAGS,
    F.MIN_STAY_ARRIVAL: st.integers(0, 60),
    F.MAX_STAY_ARRIVAL: st.integers(0, 400),
}
RULES = st.fixed_dictionaries({}, optional={(each, 0): values for each, values in VALUES.items()}).filter(
    bool
)
RATES = st.one_of(
    st.dictionaries(st.tuples(st.just(F.RATE), st.integers(1, 20)), st.integers(0, 10**9), min_size=1),
    st.fixed_dictionaries({(F.RATE, 0): st.integers(0, 10**9)}),
)
NIGHTS = st.builds(
    lambda start, length: DateRange.of(NOW.date() + timedelta(days=start), length),
    st.integers(0, 400),
    st.integers(1, 100),
)


@pytest.fixture(name="specs", scope="module")
def _specs(shared_dir: Path) -> Path:
    return shared_dir / "specs" / "expedia"


class Schemas:
    """The published schemas, each read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, etree.XMLSchema] = {}

    def check(self, document: bytes) -> None:
        root = etree.fromstring(document)
        name = etree.QName(root).localname
        if name not in self._known:
            self._known[name] = etree.XMLSchema(etree.parse(self._folder / f"{name}.xsd"))
        self._known[name].assertValid(root)


@pytest.fixture(name="schemas", scope="module")
def _schemas(specs: Path) -> Schemas:
    return Schemas(specs / "xsd")


def samples(specs: Path, prefix: str) -> list[Path]:
    found = sorted((specs / "samples").glob(f"{prefix}*.xml"))
    assert found
    return found


def sent(lane: Lane, *entries: Entry, at: At | None = None) -> bytes:
    wire = wire_with(message("update.success"))
    assert pushed(wire, lane, *entries, at=at).outcome.kind is OutcomeKind.DONE
    return wire.calls[0].body


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(NIGHTS, RULES | RATES), min_size=1, max_size=4),
    st.lists(st.tuples(NIGHTS, st.integers(0, 9_999)), min_size=1),
)
def test_every_update_is_valid(schemas: Schemas, said: list, counts: list) -> None:
    schemas.check(sent(Lane.PRICING, *(rated(nights, values) for nights, values in said)))
    schemas.check(sent(Lane.AVAILABILITY, *(count(nights, rooms) for nights, rooms in counts)))


def test_retrievals_and_confirmations_are_valid(schemas: Schemas) -> None:
    wire = wire_with(message("bookings.new"))
    found = ExpediaGateway(wire, FixedClock(NOW)).pull(at_hotel(), "")
    schemas.check(wire.calls[0].body)
    for booking_id in (None, stored(found.revisions[0]).booking_id):
        wire = wire_with(message("confirmation.success"))
        confirmed(wire, *(stored(each, booking_id) for each in found.revisions))
        schemas.check(wire.calls[0].body)
    full = wire_with(message("confirmation.success"))
    confirmed(full, *[stored(found.revisions[0])] * MOST_CONFIRMED)
    (call,) = full.calls
    schemas.check(call.body)


def test_the_schemas_find_a_message_that_is_wrong(schemas: Schemas) -> None:
    good = sent(Lane.AVAILABILITY, count(EVE, 3))
    schemas.check(good)
    for old, new in ((b'"3"', b'"-3"'), (b"Inventory", b"Stock"), (b"2011/06", b"2007/02")):
        assert old in good
        with pytest.raises(etree.DocumentInvalid):
            schemas.check(good.replace(old, new))


def test_our_fixtures_are_valid(schemas: Schemas) -> None:
    folder = Path(__file__).resolve().parents[2] / "data" / "channels" / "expedia"
    found = sorted(folder.glob("*.xml"))
    assert len(found) >= 12
    for each in found:
        schemas.check(each.read_bytes())


def test_what_the_face_answers_is_valid(schemas: Schemas) -> None:
    laws = Laws()
    scene = laws.scene()
    face = laws.face
    assert isinstance(face, ExpediaFace)
    day = scene.nights.start
    for _ in range(3):
        scene.platform.oversell(day, day + timedelta(days=9))
    known = scene.gateway.pull(scene.at, "").revisions
    scene.gateway.acknowledge(scene.at, (scene.stored(known[0]),))
    cancelled = scene.platform.cancel(NOW.date())
    assert cancelled is not None
    calls = [
        ("/br", retrieval_of(scene.at)),
        ("/parr", message("products.request")),
        ("/parr", b"<nothing"),
        ("/br", b"<nothing"),
        ("/ar", b"<nothing"),
        ("/bc", b"<nothing"),
        ("/ar", sent(Lane.AVAILABILITY, count(EVE, 3))),
    ]
    for path, body in calls:
        schemas.check(face.answer(arrived("POST", path, {}, body)).body)


def retrieval_of(at: At) -> bytes:
    wire = wire_with(message("bookings.new"))
    ExpediaGateway(wire, FixedClock(NOW)).pull(at, "")
    return wire.calls[0].body


def test_asking_for_products_is_valid_and_the_published_answers_are_read(
    specs: Path, schemas: Schemas
) -> None:
    found = {}
    for each in samples(specs, "par"):
        wire = wire_with(each.read_bytes())
        if each.stem[:6] in {"par-01", "par-03"}:
            _, found[each.stem[:6]] = ExpediaGateway(wire, FixedClock(NOW)).rooms(at_hotel())
            schemas.check(wire.calls[0].body)
    listed = {
        name: {room.room_code: [rate.rate_code for rate in room.rates] for room in rooms}
        for name, rooms in found.items()
    }
    assert listed == {
        "par-01": {"200004626": ["200020648"], "200028738": ["200141446"]},
        "par-03": {"463364": ["25324749A"], "463365": ["25324750A"]},
    }
    assert [room.name for room in found["par-03"]] == ["Ocean View", "Deluxe room"]


# What they have published


def test_every_published_update_could_be_one_of_ours(specs: Path, schemas: Schemas) -> None:
    for each in samples(specs, "ar"):
        schemas.check(each.read_bytes())
    rates = next(each for each in samples(specs, "ar-05"))
    root = etree.fromstring(rates.read_bytes())
    prices = {
        (F.RATE, int(each.attrib["occupancy"])): round(float(each.attrib["rate"]) * 100)
        for each in root.iter("{*}PerOccupancy")
    }
    (span,) = root.iter("{*}DateRange")
    nights = DateRange.parse(span.attrib["from"], span.attrib["to"])
    nights = DateRange.of(nights.start, nights.length + 1)
    (room,), (plan,) = root.iter("{*}RoomType"), root.iter("{*}RatePlan")
    rate = evolve(MAPPED_RATE, room_code=room.attrib["id"], rate_code=plan.attrib["id"])
    at = evolve(at_hotel(), mappings=MappingBook((), (rate,)))
    ours = etree.fromstring(sent(Lane.PRICING, rated(nights, {**prices, (F.CLOSED, 0): 0}), at=at))
    assert shape(ours.find("{*}AvailRateUpdate")) == shape(root.find("{*}AvailRateUpdate"))


def shape(root: etree._Element) -> list[tuple[str, dict[str, str]]]:
    return [(etree.QName(each).localname, dict(each.attrib)) for each in root.iter("*")]


def test_the_published_answers_to_updates_are_read(specs: Path) -> None:
    night = DateRange.parse("2012-08-01", "2012-08-06")
    rates = [
        evolve(MAPPED_RATE, mapping_id=each, room_code="32241", rate_code=code)
        for each, code in (
            (MAPPED_RATE.mapping_id, "23123"),
            (at_hotel().mappings.rooms[0].mapping_id, "52333"),
        )
    ]
    at = evolve(at_hotel(), mappings=MappingBook((), tuple(rates)))
    entries = [evolve(rated(night, {(F.RATE, 0): 1}), mapping_id=each.mapping_id) for each in rates]
    found = {
        each.stem[:5]: pushed(wire_with(each.read_bytes()), Lane.PRICING, *entries, at=at)
        for each in samples(specs, "ar")
        if each.stem.endswith("RS")
    }
    kinds = {name: (result.outcome.kind, result.outcome.error[:10]) for name, result in found.items()}
    assert kinds == {
        "ar-18": (OutcomeKind.DONE, ""),
        "ar-20": (OutcomeKind.PARTLY, "7013 One o"),
        "ar-21": (OutcomeKind.REFUSED, "error_3203"),
    }
    assert [(each.mapping_id, each.nights) for each in found["ar-20"].refused] == [
        (each.mapping_id, night) for each in rates
    ]


def test_the_published_bookings_are_read(specs: Path) -> None:
    found = {
        each.stem[:5]: pulled(each.read_bytes())
        for each in samples(specs, "br")
        if each.stem.endswith("BookingRetrievalRS")
    }
    assert all(each.outcome.kind is OutcomeKind.DONE and not each.malformed for each in found.values())
    new, other = found["br-03"].revisions
    (room,) = new.rooms
    assert (new.booking_key, new.status, new.currency) == ("2543453245546", RevisionStatus.NEW, "EUR")
    assert (room.room_code, room.rate_code, room.stay.length) == ("965645", "956589", 7)
    assert (room.adults, room.child_ages, room.children) == (2, (1, 17), 2)
    assert room.nightly == (19_000,) * 7
    assert (new.guest.name, new.guest.phone) == ("John F. Smith", "+1 514 5558975 x3233")
    assert "Late check-in" in new.requests
    assert (other.booking_key, other.rooms[0].nightly) == ("35645", (13_500, 13_500))
    (changed,) = found["br-04"].revisions
    assert (changed.status, changed.rooms[0].nightly) == (RevisionStatus.CHANGED, (11_500,) * 4)
    assert changed.receipt["confirm_number"] == "EXP4433"
    ended = found["br-05"].revisions
    assert [(each.booking_key, each.status, each.rooms) for each in ended] == [
        ("5634564", RevisionStatus.CANCELLED, ()),
        ("5465498", RevisionStatus.CANCELLED, ()),
    ]


def test_the_published_answer_to_a_confirmation_is_read(specs: Path) -> None:
    (answer,) = samples(specs, "br-14")
    first = pulled(message("bookings.new")).revisions[0]
    outcome = confirmed(wire_with(answer.read_bytes()), stored(first))
    assert (outcome.kind, outcome.error) == (OutcomeKind.REFUSED, "warning_10081")


def test_addresses_namespaces_and_numbers_are_the_collected_ones(specs: Path) -> None:
    told = json.loads((specs / "behaviour.json").read_text("utf-8"))
    base = MANIFEST.base_urls["production"]
    assert {each.value.upper(): f"{base}/{each.value}" for each in Service}.items() <= told["urls"].items()
    assert told["namespaces"]["AR request"] == Service.AVAIL_RATE.namespace
    assert told["namespaces"]["BR"] == Service.RETRIEVAL.namespace
    assert told["namespaces"]["PAR"] == Service.PRODUCTS.namespace
    assert told["namespaces"]["BC"].startswith(Service.CONFIRM.namespace)
    assert str(MOST_BOOKINGS) in told["limits"]
    for codes, text in told["error_codes"].items():
        may_pass = "retry" in text.replace("do not retry", "")
        for code in map(int, codes.split("/")):
            kind = kind_of_error(code)
            if may_pass:
                assert kind in {OutcomeKind.UNSURE, OutcomeKind.DOWN}, code
            elif code == 3210:
                assert kind is OutcomeKind.BUSY
            else:
                assert kind in {OutcomeKind.REFUSED, OutcomeKind.UNAUTHORISED}, code


def test_rooms_of_the_fixtures_are_those_that_are_mapped() -> None:
    assert {room.room_code for each in pulled(message("bookings.new")).revisions for room in each.rooms} == {
        ROOM
    }
