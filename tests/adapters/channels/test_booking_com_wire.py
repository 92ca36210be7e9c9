"""What is written to Booking.com, what its answers come to, and how a token is exchanged."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.channels.booking_com_scenes import (
    HOTEL,
    OWN,
    PARTNER,
    TOKEN,
    answer,
    asked,
    at_hotel,
    entry,
    is_same,
    message,
    pushed,
    wire_with,
)
from adapters.channels.stub_wire import StubWire
from pms_adapters.channels.booking_com import MANIFEST
from pmscore.channels.model.calls import At, OutcomeKind
from pmscore.channels.model.manifest import Lane, Standing
from pmscore.channels.model.revisions import StoredRevision, StoredState
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import BookingId, MappingId
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField as F
from pmscore.testing.gateway_scenes import START

EVE = DateRange.of(date(2026, 12, 24), 1)
NAMES = ("OTA_HotelAvailNotif", "OTA_HotelRateAmountNotif")
COUNT = {(F.SELLABLE, 0): 3}
RULES = {
    (F.CLOSED, 0): 0,
    (F.CLOSED_TO_ARRIVAL, 0): 1,
    (F.MIN_STAY_THROUGH, 0): 2,
    (F.MAX_STAY_THROUGH, 0): 0,
}
RATES = {(F.RATE, 0): 9_000, (F.RATE, 3): 11_000}
SUCCESS = answer("OTA_HotelAvailNotifRS", "<Success/>")


def test_each_lane_says_how_much_of_it_was_proved() -> None:
    assert {lane: MANIFEST.standing_of(lane) for lane in Lane} == {
        Lane.AVAILABILITY: Standing.FORMAT_ONLY,
        Lane.PRICING: Standing.FORMAT_ONLY,
        Lane.BOOKINGS: Standing.NEEDS_ACCOUNT,
    }
    assert MANIFEST.most_nights == 1
    assert MANIFEST.poll_seconds == 20


def test_numbers_of_rooms_are_limits_and_no_room_is_a_closed_type() -> None:
    wire = wire_with(SUCCESS)
    result = pushed(wire, entry(EVE, COUNT), entry(EVE.shifted(1), {(F.SELLABLE, 0): 0}))
    assert result.outcome.kind is OutcomeKind.DONE
    (call,) = wire.calls
    assert (call.method, call.url) == (
        "POST",
        "https://supply-xml.booking.com/hotels/ota/OTA_HotelAvailNotif",
    )
    assert is_same(call.body, message("requests.availability"))
    assert call.headers["authorization"] == Secret(f"Bearer {TOKEN.reveal()}")


@pytest.mark.parametrize(("values", "name"), [(RULES, "rules"), (RATES, "rates")], ids=["rules", "rates"])
def test_rules_and_rates_are_said_as_described(values: dict[tuple[F, int], int], name: str) -> None:
    wire = wire_with(
        answer("OTA_HotelRateAmountNotifRS" if name == "rates" else "OTA_HotelAvailNotifRS", "<Success/>")
    )
    assert pushed(wire, entry(EVE, values)).outcome.kind is OutcomeKind.DONE
    assert is_same(wire.calls[0].body, message(f"requests.{name}"))


def test_what_is_not_mapped_is_a_mistake_of_ours() -> None:
    stranger = evolve(entry(EVE, COUNT), mapping_id=MappingId(OWN))
    with pytest.raises(MisuseError):
        pushed(wire_with(SUCCESS), stranger)


_VALUES = {
    F.SELLABLE: st.integers(0, 500),
    F.RATE: st.integers(0, 9_999_999),
    F.CLOSED: st.integers(0, 1),
    F.CLOSED_TO_ARRIVAL: st.integers(0, 1),
    F.CLOSED_TO_DEPARTURE: st.integers(0, 1),
    F.MIN_STAY_THROUGH: st.integers(0, 31),
    F.MAX_STAY_THROUGH: st.integers(0, 31),
}
MESSAGES = [each for lane in (Lane.AVAILABILITY, Lane.PRICING) for each in MANIFEST.messages[lane]]


@given(data=st.data())
@settings(max_examples=60)
def test_every_message_is_valid_by_the_schemas_of_the_standard(
    schemas: dict[str, etree.XMLSchema], data: st.DataObject
) -> None:
    fields = data.draw(st.sampled_from(MESSAGES))
    said = data.draw(st.lists(st.sampled_from(sorted(fields)), min_size=1, unique=True))
    values = {
        (name, occupancy): data.draw(_VALUES[name])
        for name in said
        for occupancy in ((0, 1, 2) if name is F.RATE else (0,))
    }
    nights = data.draw(st.integers(0, 400))
    wire = wire_with(SUCCESS)
    pushed(wire, *(entry(EVE.shifted(nights + number), values) for number in range(3)))
    root = etree.fromstring(wire.calls[0].body)
    schemas[etree.QName(root).localname].assertValid(root)


def test_the_schemas_refuse_a_limit_of_no_rooms(schemas: dict[str, etree.XMLSchema]) -> None:
    said = message("requests.availability").replace(b'BookingLimit="3"', b'BookingLimit="0"')
    assert not schemas["OTA_HotelAvailNotifRQ"].validate(etree.fromstring(said))


@pytest.mark.parametrize(
    ("said", "kind", "error"),
    [
        ("<Success/>", OutcomeKind.DONE, ""),
        ('<Success/><Warnings><Warning ShortText="LOW_RATE" Code="1"/></Warnings>', OutcomeKind.PARTLY, "1 LOW_RATE"),
        ('<Errors><Error Type="6" Code="783" ShortText="NOT_A_VALID_DATE"/></Errors>', OutcomeKind.REFUSED, "783 NOT_A_VALID_DATE"),
        ('<Errors><Error Type="1" Code="187">System currently unavailable</Error></Errors>', OutcomeKind.UNSURE, "187 System currently unavailable"),
        ("<Success/><Errors/>", OutcomeKind.UNSURE, "unreadable_shape"),
        ("", OutcomeKind.UNSURE, "unreadable_shape"),
    ],
    ids=["success", "warning", "refused", "passing", "both", "neither"],
)  # fmt: skip
def test_an_answer_is_one_of_success_and_errors(said: str, kind: OutcomeKind, error: str) -> None:
    entries = (entry(EVE, COUNT), entry(EVE.shifted(1), COUNT))
    result = pushed(wire_with(answer("OTA_HotelAvailNotifRS", said)), *entries)
    assert (result.outcome.kind, result.outcome.error) == (kind, error)
    told = [(each.mapping_id, each.nights, each.fields) for each in result.refused]
    doubted = entries if kind is OutcomeKind.PARTLY else ()
    assert told == [(each.mapping_id, each.nights, {F.SELLABLE}) for each in doubted]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html><body>One moment</body></html>", OutcomeKind.UNSURE),
        (200, SUCCESS[:-9], OutcomeKind.UNSURE),
        (200, answer("OTA_HotelResNotifRS", "<Success/>"), OutcomeKind.UNSURE),
        (401, b"Unauthorized", OutcomeKind.UNAUTHORISED),
        (404, b"Not Found", OutcomeKind.REFUSED),
        (429, b"Too Many Requests", OutcomeKind.BUSY),
        (500, b"", OutcomeKind.UNSURE),
        (503, b"", OutcomeKind.DOWN),
    ],
    ids=["page", "cut", "other", "401", "404", "429", "500", "503"],
)
def test_what_is_no_answer_of_theirs_is_no_success(status: int, body: bytes, kind: OutcomeKind) -> None:
    assert pushed(wire_with(body, status), entry(EVE, COUNT)).outcome.kind is kind
    assert asked(wire_with(body, status)).pull(at_hotel(), "").outcome.kind is kind


def stored(wire: StubWire, at: At, booking_id: BookingId | None) -> StoredRevision:
    first = asked(wire).pull(at, "").revisions[0]
    return StoredRevision(
        revision=first,
        malformed=None,
        connection_id=OWN,
        revision_id=first.revision_id,
        state=StoredState.APPLIED,
        received_at=START,
        booking_id=booking_id,
    )


def test_an_acknowledgement_repeats_the_reservation_and_names_our_booking() -> None:
    at = at_hotel()
    known = stored(wire_with(message("reservations.new")), at, BookingId(UUID(int=0xB00C)))
    wire = wire_with(answer("OTA_HotelResNotifRS", "<Success/>"))
    assert asked(wire).acknowledge(at, (known,)).kind is OutcomeKind.DONE
    (call,) = wire.calls
    assert call.url == "https://secure-supply-xml.booking.com/hotels/ota/OTA_HotelResNotif"
    assert is_same(call.body, message("requests.acknowledgement"))


def test_what_is_no_booking_here_is_acknowledged_by_their_name_alone() -> None:
    at = at_hotel()
    wire = wire_with(answer("OTA_HotelResNotifRS", "<Success/>"))
    asked(wire).acknowledge(at, (stored(wire_with(message("reservations.new")), at, None),))
    assert b"4000000101" in wire.calls[0].body
    assert b'"RT"' not in wire.calls[0].body


def test_each_queue_is_told_what_came_from_it_in_one_call() -> None:
    at = at_hotel()
    new = stored(wire_with(message("reservations.new")), at, None)
    (change, *_) = asked(wire_with(message("reservations.changes"))).pull(at, "changes").revisions
    other = evolve(new, revision=change, revision_id=change.revision_id)
    for one, queue in ((new, "OTA_HotelResNotif"), (other, "OTA_HotelResModifyNotif")):
        wire = wire_with(answer(f"{queue}RS", "<Success/>"))
        gateway = asked(wire)
        assert gateway.queue_of(one) == queue
        assert gateway.acknowledge(at, (one, one)).kind is OutcomeKind.DONE
        (call,) = wire.calls
        assert call.url.rpartition("/")[2] == queue
        assert (b"4000000001" in call.body) is (one is other)


def test_an_acknowledgement_that_is_not_taken_ends_there() -> None:
    at = at_hotel()
    error = '<Errors><Error Type="3" Code="97" ShortText="RESERVATION_NOT_FOUND"/></Errors>'
    wire = wire_with(answer("OTA_HotelResNotifRS", error))
    outcome = asked(wire).acknowledge(at, (stored(wire_with(message("reservations.new")), at, None),))
    assert (outcome.kind, outcome.error) == (OutcomeKind.REFUSED, "97 RESERVATION_NOT_FOUND")


def test_acknowledgements_equal_the_collected_sample_and_are_valid(
    shared_dir: Path, schemas: dict[str, etree.XMLSchema]
) -> None:
    folder = shared_dir / "specs" / "booking-com"
    at = evolve(at_hotel(), now=datetime(2026, 11, 20, 10, 0, 3, tzinfo=UTC))
    sample = (folder / "reservation.ack.xml").read_bytes()
    known = stored(wire_with((folder / "reservation.new.xml").read_bytes()), at, BookingId(OWN))
    wire = wire_with(answer("OTA_HotelResNotifRS", "<Success/>"))
    asked(wire).acknowledge(at, (known,))
    said = wire.calls[0].body
    assert is_same(said.replace(str(OWN).encode(), b"PMS-77"), sample)
    schemas["OTA_HotelResNotifRS"].assertValid(etree.fromstring(said))


def token_of(claims: object) -> str:
    body = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header.{body}.signature"


@pytest.mark.parametrize(
    ("token", "lasts"),
    [
        (token_of({"exp": int((START + timedelta(minutes=40)).timestamp())}), timedelta(minutes=40)),
        (token_of({"exp": int((START + timedelta(days=40)).timestamp())}), timedelta(hours=1)),
        (token_of({"exp": "soon"}), timedelta(hours=1)),
        (token_of({"exp": 10**17}), timedelta(hours=1)),
        (token_of([1]), timedelta(hours=1)),
        ("opaque", timedelta(hours=1)),
        ("a.b!.c", timedelta(hours=1)),
    ],
    ids=["sooner", "later", "text", "beyond", "list", "opaque", "odd"],
)
def test_a_token_lasts_as_long_as_it_says_and_an_hour_at_most(token: str, lasts: timedelta) -> None:
    wire = wire_with(json.dumps({"jwt": token, "ruid": "1"}).encode())
    renewed = asked(wire).renew(at_hotel())
    assert (renewed.token, renewed.until) == (Secret(token), START + lasts)
    (call,) = wire.calls
    assert call.url == "https://connectivity-authentication.booking.com/token-based-authentication/exchange"
    assert json.loads(call.body) == {
        "client_id": PARTNER["booking_com_client_id"].reveal(),
        "client_secret": PARTNER["booking_com_client_secret"].reveal(),
    }
    assert not [each for each in PARTNER.values() if each.reveal() in repr(call)]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"{}", OutcomeKind.UNAUTHORISED),
        (200, b"<html/>", OutcomeKind.UNSURE),
        (200, b'{"ruid": "1"}', OutcomeKind.UNSURE),
        (200, b'{"jwt": "two\\nlines"}', OutcomeKind.UNSURE),
        (200, json.dumps({"jwt": "x" * 9_000}).encode(), OutcomeKind.UNSURE),
        (500, b"", OutcomeKind.UNSURE),
    ],
    ids=["refused", "page", "none", "lines", "long", "500"],
)
def test_an_exchange_that_fails_gives_no_token(status: int, body: bytes, kind: OutcomeKind) -> None:
    renewed = asked(wire_with(body, status)).renew(at_hotel())
    assert (renewed.outcome.kind, renewed.token) == (kind, None)


def test_without_the_partners_settings_nothing_is_called() -> None:
    wire = wire_with(b"{}")
    renewed = asked(wire).renew(evolve(at_hotel(), partner={}))
    assert (renewed.outcome.kind, renewed.outcome.error) == (
        OutcomeKind.UNAUTHORISED,
        "partner_settings_missing",
    )
    assert pushed_without_token(wire) is OutcomeKind.UNAUTHORISED
    assert wire.calls == []


def pushed_without_token(wire: StubWire) -> OutcomeKind:
    return asked(wire).pull(evolve(at_hotel(), token=None), "").outcome.kind


def test_a_check_exchanges_a_token_where_there_is_none() -> None:
    wire = StubWire()
    wire.answers_with(200, json.dumps({"jwt": "fresh"}).encode())
    wire.answers_with(200, message("reservations.new"))
    assert asked(wire).check(evolve(at_hotel(), token=None)).is_healthy
    assert wire.calls[1].headers["authorization"] == Secret("Bearer fresh")
    refused = asked(wire_with(b"", 401)).check(evolve(at_hotel(), token=None))
    assert (refused.is_healthy, refused.error_code) == (False, "CREDENTIALS_REFUSED")


def test_the_address_of_a_connection_stands_for_all_three_hosts() -> None:
    at = at_hotel(base_url="http://127.0.0.1:8090/booking_ota/")
    wire = wire_with(b"{}")
    asked(wire).renew(at)
    asked(wire).pull(at, "")
    asked(wire).pull(at, "changes")
    base = "http://127.0.0.1:8090/booking_ota"
    assert [call.url for call in wire.calls] == [
        f"{base}/token-based-authentication/exchange",
        f"{base}/hotels/ota/OTA_HotelResNotif?hotel_ids={HOTEL}",
        f"{base}/hotels/ota/OTA_HotelResModifyNotif?hotel_ids={HOTEL}",
    ]


@pytest.fixture(scope="session")
def schemas(shared_dir: Path) -> dict[str, etree.XMLSchema]:
    """Return the schemas of release 2003B by the messages that they are of."""
    folder = shared_dir / "specs" / "ota" / "2003B"
    names = (*(f"{name}RQ" for name in NAMES), "OTA_HotelResNotifRS")
    return {name: etree.XMLSchema(etree.parse(folder / f"FS_{name}.xsd")) for name in names}
