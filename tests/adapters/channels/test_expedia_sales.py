"""Bookings as Expedia tells them, and our word that we have them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.channels.expedia_scenes import (
    BOOKING,
    HOTEL,
    NOW,
    PLAN,
    ROOM,
    at_hotel,
    confirmed,
    message,
    pulled,
    stored,
    wire_with,
)
from adapters.channels.stub_wire import StubWire
from adapters.channels.test_expedia_wire import body_of, one, same
from pms_adapters.channels.expedia import ExpediaGateway
from pms_adapters.channels.expedia.mapping import MOST_CONFIRMED
from pmscore.channels.model.calls import OutcomeKind, Pulled
from pmscore.channels.model.revisions import Malformed, Revision, RevisionStatus, SoldRoom, SoldTo
from pmscore.channels.policies.entering import storable
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.testing.clocks import FixedClock

BOOKED, MOVED, ENDED = "700100200", "700100201", "700100202"


def told(*changes: tuple[str, str]) -> Pulled:
    """Return what is made of the three bookings with some of their text replaced, each change in its first place."""
    text = message("bookings.new").decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return pulled(text.encode())


def first(*changes: tuple[str, str]) -> Revision:
    return told(*changes).revisions[0]


def test_bookings_are_read_as_they_were_sold() -> None:
    found = told()
    assert (found.outcome.kind, found.malformed, found.has_more) == (OutcomeKind.DONE, (), False)
    assert found.revisions == (
        Revision(
            revision_id=f"{BOOKED}:Book:2026-11-20T09:58:12Z",
            booking_key=BOOKED,
            status=RevisionStatus.NEW,
            revised_at=datetime(2026, 11, 20, 9, 58, 12, tzinfo=UTC),
            rooms=(
                SoldRoom(
                    room_code=ROOM,
                    rate_code=PLAN,
                    stay=StayRange(date(2026, 12, 5), date(2026, 12, 7)),
                    adults=2,
                    child_ages=(4, 9),
                    children=2,
                    nightly=(11_050, 9_500),
                ),
            ),
            currency="EUR",
            guest=SoldTo(name="Maria E. Example", email="guest@example.com", phone="+39 471 5550100 x12"),
            reference=BOOKED,
            requests="1 king; Late arrival, card [card removed]",
            receipt={"booking_id": BOOKED, "confirm_number": ""},
        ),
        Revision(
            revision_id=f"{MOVED}:Modify:2026-11-20T10:01:00Z",
            booking_key=MOVED,
            status=RevisionStatus.CHANGED,
            revised_at=datetime(2026, 11, 20, 10, 1, tzinfo=UTC),
            rooms=(
                SoldRoom(
                    room_code=ROOM,
                    rate_code=PLAN,
                    stay=StayRange(date(2026, 12, 24), date(2026, 12, 25)),
                    adults=1,
                    nightly=(12_000,),
                ),
            ),
            currency="EUR",
            guest=SoldTo(name="Noor Haddad"),
            reference=MOVED,
            receipt={"booking_id": MOVED, "confirm_number": "OUR-17"},
        ),
        Revision(
            revision_id=f"{ENDED}:Cancel:2026-11-20T10:05:00Z",
            booking_key=ENDED,
            status=RevisionStatus.CANCELLED,
            revised_at=datetime(2026, 11, 20, 10, 5, tzinfo=UTC),
            rooms=(),
            currency="EUR",
            guest=SoldTo(name="Lena Vogt"),
            reference=ENDED,
            receipt={"booking_id": ENDED, "confirm_number": "OUR-18"},
        ),
    )


def test_the_nights_of_a_booking_are_what_it_costs_without_taxes() -> None:
    (room,) = first().rooms
    assert sum(room.nightly) == 22_000 - 1_450


def test_asked_is_for_what_was_retrieved_before_too_because_an_answer_may_have_been_lost() -> None:
    wire = wire_with(message("bookings.new"))
    ExpediaGateway(wire, FixedClock(NOW)).pull(at_hotel(), "")
    (call,) = wire.calls
    assert (call.method, call.url) == ("POST", "https://services.expediapartnercentral.com/eqc/br")
    assert same(call.body, message("retrieval.request"))


def test_a_hotel_without_bookings_has_none() -> None:
    found = pulled(b"<BookingRetrievalRS><Bookings/></BookingRetrievalRS>")
    assert (found.outcome.kind, found.revisions, found.malformed) == (OutcomeKind.DONE, (), ())


def test_bookings_of_other_hotels_of_the_account_are_none_of_the_connections() -> None:
    found = told(('<Hotel id="3546"/>', '<Hotel id="9"/>'))
    assert [each.booking_key for each in found.revisions] == [MOVED, ENDED]
    assert found.malformed == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (('type="Book"', 'type="Hold"'), "type: unknown_value"),
        (('type="Book"', ""), "type: missing_or_unfit"),
        (("2026-11-20T09:58:12Z", "yesterday"), "createDateTime: not_an_instant"),
        (("2026-11-20T09:58:12Z", "0001-01-01T00:00:00+14:00"), "createDateTime: not_an_instant"),
        (('arrival="2026-12-05"', 'arrival="2026-02-30"'), "arrival: no_such_day"),
        (('departure="2026-12-07"', 'departure="2026-12-05"'), "departure: not_after_arrival"),
        (('roomTypeID="558945"', 'roomTypeID=""'), "roomTypeID: missing_or_unfit"),
        (('<GuestCount adult="2"', '<GuestCount adult="two"'), "adult: not_a_count"),
        (('<GuestCount adult="2"', '<GuestCount adult="1000"'), "adult: not_a_count"),
        (('age="4"', 'age="-4"'), "age: not_a_count"),
        (('currency="EUR"', 'currency="EURO"'), "currency: unknown_currency"),
        (('baseRate="90.00"', 'baseRate="-90.00"'), "baseRate: negative"),
        (('baseRate="90.00"', 'baseRate="9o.00"'), "baseRate: not_decimal"),
        (('baseRate="90.00"', 'baseRate="90.001"'), "baseRate: too_precise"),
        (('baseRate="90.00"', ""), "baseRate: missing_or_unfit"),
    ],
)  # fmt: skip
def test_a_booking_that_makes_no_sense_is_malformed_with_a_reason_and_hides_no_other(
    change: tuple[str, str], reason: str
) -> None:
    found = told(change)
    assert [each.booking_key for each in found.revisions] == [MOVED, ENDED]
    (malformed,) = found.malformed
    assert malformed.reason == reason
    assert malformed.revision_id.startswith(BOOKED)
    assert malformed.digest


def test_a_booking_without_a_room_is_malformed() -> None:
    text = message("bookings.new").decode().replace("RoomStay", "Stay", 2)
    assert [each.reason for each in pulled(text.encode()).malformed] == ["RoomStay: missing"]


def malformed_with_card() -> Malformed:
    (malformed,) = told(('type="Book"', 'type="Hold"')).malformed
    return malformed


def test_no_card_is_kept_of_what_cannot_be_read() -> None:
    raw = malformed_with_card().raw
    for secret in ("4111", "PaymentCard", "CardHolder", "Ringstrasse", "0928", "VI", 'seriesCode="123"'):
        assert secret not in raw
    assert "Maria" in raw
    assert etree.fromstring(raw.encode()).attrib["id"] == BOOKED
    assert "Maria" not in repr(malformed_with_card())


def test_no_card_is_read_of_what_can_be() -> None:
    found = told()
    shown = (
        f"{found} {[each.receipt for each in found.revisions]} {[each.requests for each in found.revisions]}"
    )
    for secret in ("4111", "0928", "Ringstrasse", "Maria"):
        assert secret not in shown


def test_a_malformed_booking_with_names_that_xml_of_ours_has_not_is_kept_all_the_same() -> None:
    (malformed,) = told(
        ('<StayDate arrival="2026-12-05" departure="2026-12-07"/>', '<Aufenthält ä="1" x="2"/>')
    ).malformed
    assert malformed.reason == "StayDate: missing"
    assert '<Aufenth_lt x="2" _="1"/>' in malformed.raw


@pytest.mark.parametrize(
    ("changes", "code", "nightly"),
    [
        ((('stayDate="2026-12-06"', 'stayDate="2026-12-16"'),), "EUR", (10_275, 10_275)),
        ((('stayDate="2026-12-06"', 'stayDate="2026-12-16"'), ("14.50", "14.49")), "EUR", (10_276, 10_275)),
        (
            (('stayDate="2026-12-06"', 'stayDate="2026-12-16"'), (' amountOfTaxes="14.50"', "")),
            "EUR",
            (11_000, 11_000),
        ),
        (
            (
                ('stayDate="2026-12-06"', 'stayDate="2026-12-16"'),
                ('<Total amountAfterTaxes="220.00" amountOfTaxes="14.50" currency="EUR"/>', ""),
            ),
            "EUR",
            (),
        ),
        ((('"EUR">', '"JPY">'), ("90.00", "9000.00"), ("15.00", "1000"), ("5.50", "50.0")), "JPY", (10_050, 95)),
        ((('"EUR">', '"KWD">'), ("90.00", "9.125")), "KWD", (29_625, 95_000)),
    ],
)  # fmt: skip
def test_nights_cost_what_was_told_to_the_last_unit(
    changes: tuple[tuple[str, str], ...], code: str, nightly: tuple[int, ...]
) -> None:
    revision = first(*changes)
    assert (revision.currency, revision.rooms[0].nightly) == (code, nightly)


def test_taxes_above_the_amount_are_malformed() -> None:
    found = told(('stayDate="2026-12-06"', 'stayDate="2026-12-16"'), ("14.50", "221.00"))
    assert [each.reason for each in found.malformed] == ["amountOfTaxes: more_than_all"]


def test_amounts_without_a_currency_are_those_of_the_house() -> None:
    text = message("bookings.new").decode().replace(' currency="EUR"', "")
    at = evolve(at_hotel(), currency=Currency.of("CHF"))
    assert {each.currency for each in pulled(text.encode(), at).revisions} == {"CHF"}


@pytest.mark.parametrize(
    "change",
    [
        ('roomTypeID="0" ratePlanID="0"', f'roomTypeID="{ROOM}" ratePlanID="{PLAN}"'),
        ('departure="2026-12-12"', 'departure="2034-12-12"'),
        ('arrival="2026-12-10"', 'arrival="soon"'),
    ],
)
def test_a_cancellation_is_known_by_its_booking_whatever_it_says_of_rooms(change: tuple[str, str]) -> None:
    found = told(change)
    assert found.malformed == ()
    ended = found.revisions[2]
    assert (ended.booking_key, ended.status) == (ENDED, RevisionStatus.CANCELLED)
    codes = [room.room_code for room in ended.rooms]
    assert codes == ([ROOM] if change[1].startswith("roomTypeID") else [])


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-11-20T09:58:12", 9), ("2026-11-20T09:58:12+01:00", 8), ("2026-11-20T09:58:12Z", 9)],
)
def test_an_instant_without_a_zone_means_utc(text: str, hour: int) -> None:
    found = first(("2026-11-20T09:58:12Z", text)).revised_at
    assert found == datetime(2026, 11, 20, hour, 58, 12, tzinfo=UTC)


def test_blanks_around_ids_are_no_matter() -> None:
    plain = first()
    for name, code in (("id", BOOKED), ("roomTypeID", ROOM), ("ratePlanID", PLAN), ("id", HOTEL)):
        assert first((f'{name}="{code}"', f'{name}=" {code} "')) == plain


TEXTS = st.text(st.characters(exclude_characters='<&"\r', exclude_categories=("Cs", "Cc")), max_size=30)
VALUES = TEXTS | st.sampled_from(
    ("", "0", "-1", "1e9", "9" * 300, "0001-01-01", "9999-12-31", "NaN", "٣", "1_0")
)
ATTRIBUTES = [
    found.span(1) for found in re.finditer(r'[a-zA-Z]="([^"]*)"', message("bookings.new").decode()[100:])
]


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(ATTRIBUTES), value=VALUES)
def test_whatever_an_attribute_says_each_message_is_read_or_named(place: tuple[int, int], value: str) -> None:
    head, text = message("bookings.new").decode()[:100], message("bookings.new").decode()[100:]
    found = pulled(f"{head}{text[: place[0]]}{value}{text[place[1] :]}".encode())
    if found.outcome.kind is OutcomeKind.DONE:
        is_elsewhere = text[: place[0]].endswith('<Hotel id="') and value.strip() != HOTEL
        assert len(found.revisions) + len(found.malformed) == 3 - is_elsewhere
        assert all(each.reason and each.digest and "4111" not in each.raw for each in found.malformed)
        assert all(isinstance(storable(each), Revision | Malformed) for each in found.revisions)
    else:
        assert found.outcome.kind is OutcomeKind.UNSURE


# Confirming


def test_a_confirmation_carries_our_reference_and_when_we_booked() -> None:
    wire = wire_with(message("confirmation.success"))
    assert confirmed(wire, stored(first())).kind is OutcomeKind.DONE
    (call,) = wire.calls
    assert (call.method, call.url) == ("POST", "https://services.expediapartnercentral.com/eqc/bc")
    assert same(call.body, message("confirmation.request"))


@pytest.mark.parametrize(
    ("number", "kind", "ours"),
    [(0, "Book", BOOKED), (1, "Modify", "OUR-17"), (2, "Cancel", "OUR-18")],
)
def test_what_is_no_booking_of_ours_is_confirmed_under_their_number(
    number: int, kind: str, ours: str
) -> None:
    revision = told().revisions[number]
    for booking_id, expected in ((None, ours), (BOOKING, str(BOOKING))):
        wire = wire_with(message("confirmation.success"))
        confirmed(wire, stored(revision, booking_id))
        said = one(wire, "BookingConfirmNumber")
        assert (said["bookingID"], said["bookingType"]) == (revision.booking_key, kind)
        assert said["confirmNumber"] == expected


def test_ten_confirmations_are_one_message_and_an_error_is_about_all_of_them() -> None:
    many = [stored(first())] * MOST_CONFIRMED
    wire = wire_with(message("confirmation.success"))
    assert confirmed(wire, *many).kind is OutcomeKind.DONE
    (call,) = wire.calls
    assert len([*etree.fromstring(call.body).iter("{*}BookingConfirmNumber")]) == MOST_CONFIRMED
    wire = wire_with(b'<BookingConfirmRS><Error code="4206">Later.</Error></BookingConfirmRS>')
    assert confirmed(wire, *many).kind is OutcomeKind.DOWN
    assert len(wire.calls) == 1


def test_a_confirmation_that_is_warned_about_was_not_taken() -> None:
    wire = wire_with(message("confirmation.warning"))
    outcome = confirmed(wire, stored(first()))
    assert (outcome.kind, outcome.error) == (OutcomeKind.REFUSED, "warning_10081")
    two = wire_with(message("confirmation.warning"))
    assert confirmed(two, stored(first()), stored(first())).kind is OutcomeKind.PARTLY


@pytest.mark.parametrize(
    "body", [b"", b"<html/>", b"<BookingConfirmRS/>", b"<AvailRateUpdateRS><Success/></AvailRateUpdateRS>"]
)
def test_a_confirmation_whose_answer_cannot_be_read_is_in_doubt(body: bytes) -> None:
    assert confirmed(wire_with(body), stored(first())).kind is OutcomeKind.UNSURE


def test_without_credentials_nothing_is_confirmed() -> None:
    wire, at = StubWire(), evolve(at_hotel(), credentials={})
    assert confirmed(wire, stored(first()), at=at).kind is OutcomeKind.UNAUTHORISED
    assert wire.calls == []


def test_the_account_is_written_into_the_body_and_into_nothing_else() -> None:
    wire = wire_with(message("confirmation.success"))
    confirmed(wire, stored(first()))
    (call,) = wire.calls
    assert body_of(wire)[0].attrib["password"] == "long-and-secret"
    assert "long-and-secret" not in f"{call} {dict(call.headers)} {call.url}"
