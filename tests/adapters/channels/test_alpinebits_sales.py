"""What a portal tells of its sales: read as it was sold, acknowledged by id, and never with anybody's card."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from adapters.channels.alpinebits_scenes import (
    HOTEL,
    NOW,
    answering,
    bare,
    check,
    form_of,
    made_at,
    pulled,
    request_of,
    sample,
    sold,
)
from adapters.channels.test_alpinebits import Laws
from pms_adapters.channels.alpinebits import AlpineBitsGateway
from pms_adapters.channels.alpinebits.rounds import Round
from pms_adapters.serialization.xml import Element, element
from pmscore.channels.model.calls import At, OutcomeKind, Pulled
from pmscore.channels.model.revisions import Revision, RevisionStatus, SoldRoom, SoldTo
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.testing.gateway_scenes import GatewayScene

CARD = b"4444333322221111"
RESERVATION = sample("GuestRequests-OTA_ResRetrieveRS-reservation")
REPORTED = b'<OTA_NotifReportRS Version="1.0"><Success/></OTA_NotifReportRS>'


def test_the_sample_reservation_is_read_as_it_was_sold() -> None:
    found = pulled(RESERVATION)
    assert (found.outcome.kind, found.malformed, found.has_more) == (OutcomeKind.DONE, (), False)
    (revision,) = found.revisions
    stay = StayRange(date(2012, 1, 1), date(2012, 1, 12))
    assert revision.revision_id.startswith("6b34fe24ac2ff810:Reserved:")
    assert evolve(revision, revision_id="") == Revision(
        revision_id="",
        booking_key="6b34fe24ac2ff810",
        status=RevisionStatus.NEW,
        revised_at=datetime(2012, 3, 21, 14, tzinfo=UTC),
        rooms=(
            SoldRoom(
                room_code="bigsuite",
                rate_code="123456-xyz",
                stay=stay,
                adults=2,
                child_ages=(3, 9),
                children=2,
                nightly=(2_719,) * 2 + (2_718,) * 9,
            ),
        ),
        currency="EUR",
        guest=SoldTo(
            name="Otto Mustermann", email="otto.mustermann@example.com", phone="+4934567891", country="DE"
        ),
        reference="6b34fe24ac2ff810",
        requests="included services: Parkplatz, Schwimmbad, Skipass\nSind Hunde erlaubt? Mfg. Otto Mustermann.",
        receipt={"type": "14", "id": "6b34fe24ac2ff810"},
    )
    assert sum(revision.rooms[0].nightly) == 29_900


def test_nobodys_card_is_kept_whatever_becomes_of_the_message() -> None:
    assert CARD in RESERVATION
    (revision,) = pulled(RESERVATION).revisions
    assert CARD.decode() not in repr(revision) + revision.requests + repr(revision.receipt)
    (malformed,) = pulled(RESERVATION.replace(b'"Reserved"', b'"Pending"')).malformed
    assert "Otto" in malformed.raw
    assert CARD.decode() not in malformed.raw
    assert "PaymentCard" not in malformed.raw
    assert "Otto" not in repr(malformed)


def test_another_card_makes_no_other_revision_and_another_room_does() -> None:
    def name(body: bytes) -> str:
        return pulled(body).revisions[0].revision_id

    assert name(RESERVATION.replace(CARD, b"4111111111111111")) == name(RESERVATION)
    assert name(
        RESERVATION.replace(b'Gender="Male" BirthDate="1980-01-01"', b'BirthDate="1980-01-01" Gender="Male"')
    ) == name(RESERVATION)
    assert name(RESERVATION.replace(b'"bigsuite"', b'"DOUBLE"')) != name(RESERVATION)


def test_a_card_number_in_a_comment_is_masked() -> None:
    body = RESERVATION.replace(b"Sind Hunde erlaubt?", b"Karte 4111 1111 1111 1111, cvv: 123")
    (revision,) = pulled(body).revisions
    assert "4111" not in revision.requests
    assert "123" not in revision.requests


def test_an_empty_list_and_an_error_are_what_they_say() -> None:
    empty = pulled(sample("GuestRequests-OTA_ResRetrieveRS-reservation-empty"))
    assert (empty.outcome.kind, empty.revisions, empty.malformed) == (OutcomeKind.DONE, (), ())
    refused = pulled(sample("GuestRequests-OTA_ResRetrieveRS-error"))
    assert (refused.outcome.kind, refused.outcome.error) == (
        OutcomeKind.UNAUTHORISED,
        "392: Invalid hotel code",
    )
    assert refused.cursor == ""


# Reservations that differ


def stay(
    code: str = "DOUBLE",
    start: str = "2026-12-05",
    end: str = "2026-12-08",
    total: str = "300.01",
    **more: str,
) -> Element:
    parts = [
        element("RoomTypes", element("RoomType", RoomTypeCode=code)),
        element("GuestCounts", element("GuestCount", Count="2")),
        element("TimeSpan", Start=start, End=end),
    ]
    if total:
        parts.append(element("Total", AmountAfterTax=total, CurrencyCode=more.get("currency", "EUR")))
    return element("RoomStay", *parts)


def reservation(
    *stays: Element, status: str = "Reserved", kind: str = "14", key: str = "r-1", **attr: str
) -> Element:
    told = {"CreateDateTime": "2026-11-20T10:00:00Z", "ResStatus": status} | attr
    hotel = element("ResGlobalInfo", element("BasicPropertyInfo", HotelCode=HOTEL))
    rooms = (element("RoomStays", *stays),) if stays else ()
    return Element("HotelReservation", told, "", (element("UniqueID", Type=kind, ID=key), *rooms, hotel))


def test_changes_and_cancellations_belong_to_their_reservation() -> None:
    body = sold(
        reservation(stay()),
        reservation(stay(end="2026-12-09"), status="Modify", CreateDateTime="2026-11-20T11:00:00+01:00"),
        reservation(status="Cancelled", kind="15", LastModifyDateTime="2026-11-21T08:00:00"),
    )
    new, changed, cancelled = pulled(body).revisions
    assert {each.booking_key for each in (new, changed, cancelled)} == {"r-1"}
    assert [each.status for each in (new, changed, cancelled)] == [*RevisionStatus]
    assert len({each.revision_id for each in (new, changed, cancelled)}) == 3
    assert new.revised_at == changed.revised_at
    assert cancelled.revised_at == datetime(2026, 11, 21, 7, tzinfo=UTC), "the house's time"
    assert (cancelled.rooms, cancelled.currency, cancelled.receipt["type"]) == ((), "EUR", "15")


def test_several_rooms_are_several_rooms() -> None:
    (revision,) = pulled(sold(reservation(stay(), stay("bigsuite", total="")))).revisions
    assert [each.room_code for each in revision.rooms] == ["DOUBLE", "bigsuite"]
    assert [each.nightly for each in revision.rooms] == [(10_001, 10_000, 10_000), ()]


@pytest.mark.parametrize(
    ("total", "currency", "nightly"),
    [
        ("300", "EUR", (10_000,) * 3), ("300.0", "EUR", (10_000,) * 3), ("300.0000", "EUR", (10_000,) * 3),
        ("0", "EUR", (0,) * 3), ("30000", "JPY", (10_000,) * 3), ("30000.00", "JPY", (10_000,) * 3),
        ("0.031", "KWD", (11, 10, 10)),
    ],
)  # fmt: skip
def test_a_stay_costs_what_was_told_to_the_last_unit(
    total: str, currency: str, nightly: tuple[int, ...]
) -> None:
    (revision,) = pulled(sold(reservation(stay(total=total, currency=currency)))).revisions
    assert revision.currency == currency
    assert revision.rooms[0].nightly == nightly
    assert sum(nightly) == round(float(total) * 10 ** Currency.of(currency).digits)


def test_reservations_of_another_hotel_are_none_of_the_connections() -> None:
    body = RESERVATION.replace(b'HotelCode="123"', b'HotelCode="124"')
    found = pulled(body)
    assert (found.outcome.kind, found.revisions, found.malformed) == (OutcomeKind.DONE, (), ())


MALFORMED = {
    "a day that is none": (reservation(stay(start="2026-02-30")), "RoomStays.0.arrival: no_such_day"),
    "a negative price": (reservation(stay(total="-3.00")), "RoomStays.0.Total: negative"),
    "a price in words": (reservation(stay(total="3,00")), "RoomStays.0.Total: not_decimal"),
    "a price too precise": (reservation(stay(total="3.001")), "RoomStays.0.Total: too_precise"),
    "a request for a quote": (reservation(stay(), status="Requested"), "ResStatus: quote_request"),
    "an end before its start": (reservation(stay(end="2026-12-01")), "RoomStays.0.departure: not_after_arrival"),
    "another status": (reservation(stay(), status="Waiting"), "ResStatus: unknown_value"),
    "no id": (reservation(stay(), key=" "), "UniqueID.ID: no_id"),
    "no instant": (reservation(stay(), CreateDateTime="soon"), "CreateDateTime: not_an_instant"),
    "no nights": (reservation(element("RoomStay")), "RoomStays.0.TimeSpan: required"),
    "no rooms": (reservation(), "RoomStays: empty"),
    "no such currency": (reservation(stay(currency="EURO")), "currency: unknown_currency"),
    "too many guests": (
        reservation(element("RoomStay", element("GuestCounts", element("GuestCount", Count="500")),
                            element("TimeSpan", Start="2026-12-05", End="2026-12-06"))),
        "RoomStays.0.GuestCount: out_of_range",
    ),
    "too many rooms": (reservation(*[stay()] * 101), "RoomStays: too_many"),
    "two currencies": (reservation(stay(), stay(currency="CHF")), "Total.CurrencyCode: several"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(MALFORMED))
def test_what_makes_no_sense_is_malformed_with_a_reason_and_hides_no_other(name: str) -> None:
    odd, reason = MALFORMED[name]
    found = pulled(sold(odd, reservation(stay(), key="good")))
    assert [each.booking_key for each in found.revisions] == ["good"]
    (malformed,) = found.malformed
    assert malformed.reason == reason
    assert malformed.raw.startswith("<?xml")
    again = pulled(sold(odd)).malformed[0]
    assert (again.digest, again.revision_id) == (malformed.digest, malformed.revision_id)


def test_a_malformed_change_is_another_one_than_its_malformed_reservation() -> None:
    body = sold(*(reservation(status=each) for each in ("Reserved", "Modify", "Requested")))
    ids = [each.revision_id for each in pulled(body).malformed]
    assert ids[0] == "r-1"
    assert len(set(ids)) == 3


# Questions, acknowledgements, rounds


def test_questions_and_acknowledgements_are_said_as_in_the_samples() -> None:
    gateway, wire = answering(sample("GuestRequests-OTA_ResRetrieveRS-reservation-empty"))
    began = Round(datetime(2012, 3, 21, 14, 15, tzinfo=UTC), NOW).written()
    gateway.pull(made_at(), began)
    asked = request_of(wire.calls[0])
    ours, theirs = bare(asked), bare(sample("GuestRequests-OTA_ReadRQ"), "HotelName")
    start = [each.attr["Start"] for root in (ours, theirs) for each in root.walk("SelectionCriteria")]
    assert len({datetime.fromisoformat(each) for each in start}) == 1
    assert bare(asked, "Start") == bare(sample("GuestRequests-OTA_ReadRQ"), "HotelName", "Start")
    gateway, wire = answering(REPORTED)
    (known,) = pulled(RESERVATION).revisions
    ended = evolve(known, receipt={"type": "15", "id": "c24e8b15ca469388"})
    scene = Laws().scene()
    outcome = gateway.acknowledge(made_at(), (scene.stored(known), scene.stored(ended)))
    assert outcome.kind is OutcomeKind.DONE
    (call,) = wire.calls
    assert form_of(call)["action"] == b"OTA_NotifReport:GuestRequests"
    reported = [(each.attr["Type"], each.attr["ID"]) for each in bare(request_of(call)).walk("UniqueID")]
    theirs_too = [
        (each.attr["Type"], each.attr["ID"])
        for each in bare(sample("GuestRequests-OTA_ReadRQ-ack")).walk("UniqueID")
    ]
    assert reported == theirs_too[:2]
    for body in (asked, request_of(call)):
        check(body)


def test_questions_keep_opentravels_own_schema(shared_dir: Path) -> None:
    gateway, wire = answering(sample("GuestRequests-OTA_ResRetrieveRS-reservation-empty"))
    gateway.pull(made_at(), "")
    gateway.pull(made_at(), Round(NOW, NOW).written())
    for call in wire.calls:
        check(request_of(call), shared_dir / "specs" / "ota" / "2011A" / "OTA_ReadRQ.xsd")


def test_nothing_to_acknowledge_is_no_call() -> None:
    gateway, wire = answering(REPORTED)
    assert gateway.acknowledge(made_at(), ()).kind is OutcomeKind.DONE
    assert wire.calls == []


def test_a_round_asks_for_what_nobody_knows_and_then_for_what_was_made_since_the_last_one() -> None:
    gateway, wire = answering(sample("GuestRequests-OTA_ResRetrieveRS-reservation-empty"))

    def start(cursor: str, at: At) -> tuple[str | None, Pulled]:
        found = gateway.pull(at, cursor)
        asked = bare(request_of(wire.calls[-1])).at("ReadRequests", "HotelReadRequest", "SelectionCriteria")
        return None if asked is None else asked.attr["Start"], found

    at = made_at()
    asked, first = start("", at)
    assert (asked, first.has_more) == (None, False)
    later = evolve(at, now=NOW + timedelta(hours=1))
    asked, half = start(first.cursor, later)
    assert (asked, half.has_more) == (None, True)
    asked, whole = start(half.cursor, later)
    assert (asked, whole.has_more) == ("2026-11-21T08:45:00+00:00", False)
    asked, broken_off = start(half.cursor, evolve(at, now=NOW + timedelta(hours=9)))
    assert (asked, broken_off.has_more) == ("2026-11-21T08:45:00+00:00", True)
    assert Round.read(broken_off.cursor) == Round.read(whole.cursor) == Round(later.now)


@given(st.text(max_size=80))
def test_any_text_is_a_cursor(text: str) -> None:
    found = Round.read(text)
    assert Round.read(found.written()) == (found if found.since else Round())


class Forgetful(AlpineBitsGateway):
    """Asks for what nobody has acknowledged, and for nothing else."""

    def pull(self, at: At, cursor: str) -> Pulled:
        return super().pull(at, "")


def _missed(gateway: type[AlpineBitsGateway]) -> set[str]:
    """Let a booking change between our question and our acknowledgement; return what we never hear of."""
    scene: GatewayScene = type("Changed", (Laws,), {"gateway": gateway})().scene()
    day = scene.nights.start
    heard: list[Revision] = []
    cursor = ""

    def ask() -> list[Revision]:
        nonlocal cursor
        found, has_more = [], True
        while has_more:
            page = scene.gateway.pull(evolve(scene.at, now=scene.clock.now()), cursor)
            assert page.outcome.kind is OutcomeKind.DONE
            found += page.revisions
            cursor, has_more = page.cursor, page.has_more
        return found

    for _ in range(3):
        scene.platform.oversell(day, day)
        heard += ask()
        scene.clock.advance(timedelta(seconds=2))
        scene.platform.change(scene.clock.now().date(), is_blind=True)
        for each in heard:
            scene.gateway.acknowledge(scene.at, (scene.stored(each),))
        scene.clock.advance(timedelta(minutes=5))
    heard += ask()
    told = {each.revision_id.split(":")[0] + each.revised_at.isoformat() for each in heard}
    return {each.booking_key + each.revised_at.isoformat() for each in scene.platform.history} - told


def test_a_change_that_an_acknowledgement_swallows_is_heard_of_all_the_same() -> None:
    assert _missed(AlpineBitsGateway) == set()
    assert _missed(Forgetful), "the control would notice nothing"
