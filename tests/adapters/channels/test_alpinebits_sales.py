"""What a portal tells of its sales: read as it was sold, acknowledged by id, and never with anybody's card."""

from __future__ import annotations

from datetime import UTC, date, datetime
from random import Random

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.channels.alpinebits_scenes import (
    HOTEL,
    document,
    pulled,
    sample,
    sold,
)
from pms_adapters.serialization.xml import Element, Node, element, parse, written
from pmscore.channels.model.calls import OutcomeKind
from pmscore.channels.model.revisions import Revision, RevisionStatus, SoldRoom, SoldTo
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency

CARD = b"4444333322221111"
RESERVATION = sample("GuestRequests-OTA_ResRetrieveRS-reservation")


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


def _spoiled(node: Node, chance: Random, depth: int = 0) -> Element:
    """Return an element of a document in which some things are left out, doubled, or say something else."""
    attr = {
        name: chance.choice((value, value, value, "", "x", "-1", "2026-02-31", "9" * 30, "\u0663"))
        for name, value in node.attr.items()
        if chance.random() > 0.05
    }
    children = [_spoiled(each, chance, depth + 1) for each in node.elements]
    kept = [
        each
        for each in children
        if depth < 2 or chance.random() > 0.05
        for _ in range(chance.choice((1, 1, 1, 2)))
    ]
    return Element(node.name, attr, node.text, tuple(kept))


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_whatever_a_reservation_says_nothing_is_raised_and_nothing_is_lost(chance: Random) -> None:
    root = _spoiled(parse(RESERVATION), chance)
    listed = [each for part in root.elements if part.name == "ReservationsList" for each in part.elements]
    other = [each for each in listed if b'"123"' not in written(each)]
    found = pulled(document(root))
    assert found.outcome.kind is OutcomeKind.DONE
    read = len(found.revisions) + len(found.malformed)
    assert len(listed) - len(other) <= read <= len(listed)
    assert CARD.decode() not in repr(found) + "".join(each.raw for each in found.malformed)


def test_names_that_are_none_of_ours_are_kept_with_what_we_know() -> None:
    odd = b'<HotelReservation o:1="x" xmlns:o="o"><o:2nd/><\xc3\xa4:\xc3\xb6 \xc3\xa4="1"/><o:-/></HotelReservation>'
    body = (
        b"<OTA_ResRetrieveRS><Success/><ReservationsList>" + odd + b"</ReservationsList></OTA_ResRetrieveRS>"
    )
    (malformed,) = pulled(body).malformed
    assert malformed.raw.endswith('<HotelReservation _1="x"><_2nd/><_ _="1"/><_-/></HotelReservation>')
