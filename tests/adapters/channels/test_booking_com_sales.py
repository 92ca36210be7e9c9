"""What Booking.com tells of its reservations, and what is never kept of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.channels.booking_com_scenes import answer, asked, at_hotel, message, wire_with
from pms_adapters.channels.booking_com.rooms import sold_room
from pms_adapters.serialization.xml import parse
from pmscore.channels.model.calls import OutcomeKind, Pulled
from pmscore.channels.model.revisions import Revision, RevisionStatus, SoldRoom, SoldTo
from pmscore.channels.policies.cards import MASKED
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError

NEW, CHANGED, CANCELLED = RevisionStatus.NEW, RevisionStatus.CHANGED, RevisionStatus.CANCELLED
CARD = ("4111", "SeriesCode", "0129", "Muster</CardHolderName>", "CardNumber")
STAY = """\
<RoomStay><RoomTypes><RoomType RoomTypeCode="1"/></RoomTypes>{rates}
<GuestCounts><GuestCount AgeQualifyingCode="10" Count="2"/></GuestCounts>
<TimeSpan Start="2026-12-05" End="2026-12-07"/>{total}</RoomStay>"""


def told(body: bytes, cursor: str = "") -> Pulled:
    pulled = asked(wire_with(body)).pull(at_hotel(), cursor)
    assert pulled.outcome.kind is OutcomeKind.DONE, pulled.outcome
    return pulled


def stay(arrival: int, departure: int) -> StayRange:
    return StayRange(date(2026, 12, arrival), date(2026, 12, departure))


def test_a_reservation_of_several_rooms_is_read_as_it_was_sold() -> None:
    pulled = told(message("reservations.new"))
    (found,) = pulled.revisions
    assert (found.booking_key, found.reference, found.status) == ("4000000101", "4000000101", NEW)
    assert found.revised_at == datetime(2026, 11, 21, 8, 59, 40, tzinfo=UTC)
    assert (found.currency, found.channel) == ("EUR", "")
    assert found.guest == SoldTo("Mara Muster", "mara.77@guest.example", "+43 1 5550", "at")
    assert found.rooms == (
        SoldRoom(
            room_code="1234501",
            rate_code="111222",
            stay=stay(5, 7),
            adults=2,
            child_ages=(7,),
            children=1,
            infants=1,
            nightly=(9_000, 11_050),
        ),
        SoldRoom(
            room_code="1234502",
            rate_code="111333",
            stay=stay(5, 8),
            adults=1,
            nightly=(3_334, 3_333, 3_333),
        ),
    )
    assert (pulled.cursor, pulled.has_more) == ("changes", True)


def test_cards_are_kept_nowhere() -> None:
    pulled = told(message("reservations.new"))
    (found,), (malformed,) = pulled.revisions, pulled.malformed
    assert found.requests == f"Late arrival, card {MASKED}"
    assert (malformed.revision_id, malformed.reason) == ("4000000103", "departure: not_after_arrival")
    assert "1234501" in malformed.raw
    kept = f"{found.rooms} {found.requests} {found.receipt} {found.guest.name} {malformed.raw}"
    assert not [each for each in CARD if each in kept]


def test_another_hotels_reservations_are_no_business_of_ours() -> None:
    pulled = told(message("reservations.new"))
    assert "4000000102" not in {each.booking_key for each in pulled.revisions}
    assert "4000000102" not in {each.revision_id for each in pulled.malformed}


def test_changes_and_both_words_for_a_cancellation_are_understood() -> None:
    pulled = told(message("reservations.changes"), "changes")
    assert [(each.booking_key, each.status) for each in pulled.revisions] == [
        ("4000000001", CHANGED),
        ("4000000002", CANCELLED),
        ("4000000003", CANCELLED),
    ]
    assert (pulled.cursor, pulled.has_more) == ("", False)
    assert [(each.revision_id, each.reason) for each in pulled.malformed] == [
        ("4000000004", "ResStatus: unknown_value")
    ]


def test_amounts_of_a_currency_without_decimals_are_read_as_they_are() -> None:
    first = told(message("reservations.changes"), "changes").revisions[0]
    assert (first.currency, first.rooms[0].nightly) == ("JPY", (9_000, 9_000, 9_000))


def test_a_state_is_known_by_what_it_says_and_not_by_when_it_was_told() -> None:
    def first(body: bytes) -> Revision:
        return told(body).revisions[0]

    said = message("reservations.new")
    later = said.replace(b"2026-11-21T08:59:40", b"2026-11-21T09:00:00")
    without_card = said.replace(b'CardNumber="4111111111111111"', b"")
    other = said.replace(b'AmountAfterTax="11050"', b'AmountAfterTax="11051"').replace(b'"20050"', b'"20051"')
    assert first(later).revision_id == first(said).revision_id == first(without_card).revision_id
    assert first(later).revised_at > first(said).revised_at
    assert first(other).revision_id != first(said).revision_id
    dated = said.replace(
        b"<HotelReservation ", b'<HotelReservation LastModifyDateTime="2026-11-21T07:00:00Z" '
    )
    assert first(dated).revised_at == datetime(2026, 11, 21, 7, tzinfo=UTC)
    assert first(dated).revision_id != first(said).revision_id


def test_a_reservation_that_changed_before_our_first_year_is_nonsense_and_hides_no_other() -> None:
    said = message("reservations.new")
    before = b'<HotelReservation LastModifyDateTime="0001-01-01T00:00:00+05:00" '
    pulled = told(said.replace(b"<HotelReservation ", before, 1))
    assert pulled.malformed[0].reason == "LastModifyDateTime: not_an_instant"
    assert pulled.revisions == told(said).revisions[1:]


def test_a_cancellation_before_it_was_ever_fetched_is_one() -> None:
    said = message("reservations.new").replace(
        b"<HotelReservation ", b'<HotelReservation ResStatus="Cancelled" '
    )
    assert told(said).revisions[0].status is CANCELLED


@pytest.mark.parametrize(
    ("rates", "total", "nightly"),
    [
        ("", '<Total AmountAfterTax="18000" DecimalPlaces="2" CurrencyCode="EUR"/>', (9_000, 9_000)),
        ("", '<Total AmountAfterTax="180" DecimalPlaces="0" CurrencyCode="EUR"/>', (9_000, 9_000)),
        ("", '<Total AmountAfterTax="1800100" DecimalPlaces="4" CurrencyCode="EUR"/>', (9_001, 9_000)),
        ("", "", ()),
        ("5:9000 6:8000", '<Total AmountAfterTax="17000" DecimalPlaces="2"/>', (9_000, 8_000)),
        ("5:9000 6:8000", "", (9_000, 8_000)),
        ("5:9000 6:8000", '<Total AmountAfterTax="18000" DecimalPlaces="2"/>', (9_000, 9_000)),
        ("5:18000", '<Total AmountAfterTax="18000" DecimalPlaces="2"/>', (9_000, 9_000)),
        ("5:9000 6:4000 6:4000", "", (9_000, 8_000)),
    ],
    ids=["total", "whole", "four", "none", "nights", "alone", "other", "first", "twice"],
)
def test_the_total_of_a_room_decides(rates: str, total: str, nightly: tuple[int, ...]) -> None:
    said = "".join(
        f'<RoomRate EffectiveDate="2026-12-0{night}"><Rates><Rate>'
        f'<Total AmountAfterTax="{minor}" DecimalPlaces="2"/></Rate></Rates></RoomRate>'
        for night, minor in (each.split(":") for each in rates.split())
    )
    node = parse(STAY.format(rates=f"<RoomRates>{said}</RoomRates>", total=total).encode())
    assert sold_room(node, Currency.of("EUR")).nightly == nightly


@pytest.mark.parametrize(
    ("total", "field"),
    [
        ('<Total AmountAfterTax="180.00" DecimalPlaces="2"/>', "AmountAfterTax"),
        ('<Total AmountAfterTax="-1" DecimalPlaces="2"/>', "AmountAfterTax"),
        ('<Total AmountAfterTax="18001" DecimalPlaces="3"/>', "DecimalPlaces"),
        ('<Total AmountAfterTax="18000" DecimalPlaces="x"/>', "DecimalPlaces"),
        ('<Total AmountAfterTax="18000" DecimalPlaces="2" CurrencyCode="USD"/>', "CurrencyCode"),
        ("<Total/>", "AmountAfterTax"),
    ],
    ids=["decimal", "negative", "digits", "places", "currency", "nothing"],
)
def test_an_amount_that_is_none_is_malformed(total: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        sold_room(parse(STAY.format(rates="", total=total).encode()), Currency.of("EUR"))
    assert caught.value.field == field


@pytest.mark.parametrize(
    "broken",
    [
        lambda said: said.replace(b"<TimeSpan ", b"<Nights "),
        lambda said: said.replace(b'Count="2"', b'Count="many"'),
        lambda said: said.replace(b'"4000000101"', b'""'),
        lambda said: said.replace(b'CurrencyCode="EUR"', b'CurrencyCode="ZZZ"'),
        lambda said: said.replace(b'CurrencyCode="EUR"', b'CurrencyCode="USD"', 1),
        lambda said: said.replace(b"RoomStays>", b"Stays>"),
    ],
    ids=["nights", "guests", "id", "currency", "currencies", "rooms"],
)
def test_what_makes_no_sense_is_told_as_malformed(broken: object) -> None:
    assert callable(broken)
    said = broken(message("reservations.new").replace(b"</TimeSpan>", b"</Nights>"))
    assert isinstance(said, bytes)
    pulled = told(said)
    assert pulled.revisions == ()
    assert all(each.reason and each.digest for each in pulled.malformed)
    assert len(pulled.malformed) == 2


def test_names_that_nobody_uses_are_nonsense_and_no_error() -> None:
    said = message("reservations.new").replace(b"<RoomTypes>", "<Räume/><RoomTypes>".encode())
    (malformed,) = told(said).malformed
    assert "<R_ume/><RoomTypes>" in malformed.raw


@given(cut=st.integers(1, 4_000))
def test_a_queue_that_is_cut_off_tells_nothing(cut: int) -> None:
    said = message("reservations.new")
    pulled = asked(wire_with(said[: len(said) - cut])).pull(at_hotel(), "changes")
    assert (pulled.outcome.kind, pulled.revisions, pulled.cursor) == (OutcomeKind.UNSURE, (), "changes")


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (answer("OTA_HotelResNotifRS", '<Errors><Error Code="97" ShortText="NO"/></Errors>'), OutcomeKind.REFUSED, "97 NO"),
        (answer("OTA_HotelResModifyNotifRQ", ""), OutcomeKind.UNSURE, "unreadable_shape"),
        (answer("OTA_HotelResNotifRQ", ""), OutcomeKind.UNSURE, "unreadable_shape"),
    ],
    ids=["error", "other-queue", "undated"],
)  # fmt: skip
def test_what_is_no_queue_tells_nothing(body: bytes, kind: OutcomeKind, error: str) -> None:
    pulled = asked(wire_with(body)).pull(at_hotel(), "")
    assert (pulled.outcome.kind, pulled.outcome.error, pulled.cursor) == (kind, error, "")


def test_the_collected_samples_are_read_as_they_mean(shared_dir: Path) -> None:
    folder = shared_dir / "specs" / "booking-com"

    def only(name: str, cursor: str) -> Revision:
        (found,) = told((folder / f"{name}.xml").read_bytes(), cursor).revisions
        return found

    new, changed = only("reservation.new", ""), only("reservation.modified", "changes")
    assert told((folder / "reservation.empty.xml").read_bytes()).revisions == ()
    assert {new.booking_key, changed.booking_key} == {"4000000001"}
    assert [(each.status, each.rooms[0].stay, each.rooms[0].nightly) for each in (new, changed)] == [
        (NEW, stay(5, 7), (9_000, 9_000)),
        (CHANGED, stay(5, 8), (9_000, 9_000, 9_000)),
    ]
    for each in (new, changed):
        assert each.guest == SoldTo("Maria Example", "guest.alias@guest.booking.com")
        assert (each.rooms[0].room_code, each.rooms[0].rate_code, each.rooms[0].adults) == (
            "1234501",
            "111222",
            2,
        )
        assert each.requests == "Late arrival"
        assert each.receipt["date"] == "2026-11-20T09:58:12"
