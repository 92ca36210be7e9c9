"""What is written to Expedia about nights, and what its answers come to."""

from __future__ import annotations

from uuid import UUID

import pytest
from attrs import evolve
from lxml import etree

from adapters.channels.expedia_scenes import (
    ADVENT,
    CREDENTIALS,
    EVE,
    MAPPED_RATE,
    MAPPED_ROOM,
    at_hotel,
    count,
    message,
    pulled,
    pushed,
    rated,
    wire_with,
)
from adapters.channels.stub_wire import StubWire
from pms_adapters.channels.expedia import MANIFEST, ExpediaGateway
from pms_adapters.channels.expedia.mapping import gravest, kind_of_error
from pmscore.channels.model.calls import OutcomeKind, PushResult, Refused
from pmscore.channels.model.manifest import CallKind, Confirms, Lane, Standing
from pmscore.channels.model.mappings import MappingBook
from pmscore.dates.ranges import DateRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import MappingId
from pmscore.pricing.views.matrix_rows import MatrixField as F
from pmscore.testing.clocks import FixedClock
from pmscore.testing.gateway_scenes import START

SUCCESS = message("update.success")
RATES = {(F.RATE, 1): 6_000, (F.RATE, 2): 10_050}
RULES = {
    (F.CLOSED, 0): 0,
    (F.CLOSED_TO_ARRIVAL, 0): 1,
    (F.CLOSED_TO_DEPARTURE, 0): 0,
    (F.MIN_STAY_ARRIVAL, 0): 2,
    (F.MAX_STAY_ARRIVAL, 0): 14,
}


def same(written: bytes, expected: bytes) -> bool:
    """Return whether two documents say the same, but for white space between elements."""
    parser = etree.XMLParser(remove_blank_text=True)
    first, second = (etree.fromstring(each, parser) for each in (written, expected))
    return etree.tostring(first, method="c14n") == etree.tostring(second, method="c14n")


def body_of(wire: StubWire) -> etree._Element:
    (call,) = wire.calls
    return etree.fromstring(call.body)


def one(wire: StubWire, name: str) -> dict[str, str]:
    """Return the attributes of the only element of that name."""
    (found,) = body_of(wire).iter(f"{{*}}{name}")
    return dict(found.attrib)


@pytest.mark.parametrize(
    ("lane", "entries", "sample"),
    [
        (Lane.AVAILABILITY, (count(ADVENT, 3), count(EVE, 0)), "availability"),
        (Lane.PRICING, (rated(ADVENT, RATES), rated(EVE, {(F.RATE, 0): 8_900})), "rates"),
        (Lane.PRICING, (rated(ADVENT, RULES), rated(EVE, {(F.CLOSED, 0): 1})), "rules"),
    ],
    ids=["availability", "rates", "rules"],
)
def test_what_is_pushed_has_the_form_of_their_messages(lane: Lane, entries: tuple, sample: str) -> None:
    wire = wire_with(SUCCESS)
    result = pushed(wire, lane, *entries)
    assert result == PushResult(result.outcome, ())
    assert result.outcome.kind is OutcomeKind.DONE
    (call,) = wire.calls
    assert (call.method, call.url) == ("POST", "https://services.expediapartnercentral.com/eqc/ar")
    assert call.headers["content-type"] == "text/xml; charset=utf-8"
    assert same(call.body, message(f"{sample}.request"))
    assert "secret" not in repr(call)


@pytest.mark.parametrize(
    ("least", "most", "closed", "said"),
    [
        (0, 0, 0, {"minLOS": "1", "maxLOS": "28", "closedToArrival": "false"}),
        (1, 28, 0, {"minLOS": "1", "maxLOS": "28", "closedToArrival": "false"}),
        (28, 60, 1, {"minLOS": "28", "maxLOS": "28", "closedToArrival": "true"}),
        (29, 0, 0, {"minLOS": "28", "maxLOS": "28", "closedToArrival": "true"}),
    ],
)
def test_no_rule_is_said_by_its_bound_and_a_stay_that_is_too_long_for_them_by_closing_the_arrival(
    least: int, most: int, closed: int, said: dict[str, str]
) -> None:
    wire = wire_with(SUCCESS)
    values = {(F.MIN_STAY_ARRIVAL, 0): least, (F.MAX_STAY_ARRIVAL, 0): most, (F.CLOSED_TO_ARRIVAL, 0): closed}
    pushed(wire, Lane.PRICING, rated(EVE, values))
    assert one(wire, "Restrictions") == said


def test_rules_and_the_rates_of_all_occupancies_travel_whole() -> None:
    rates, rules = MANIFEST.messages[Lane.PRICING]
    assert rates <= MANIFEST.whole
    assert rules - MANIFEST.whole == {F.CLOSED}
    assert not rates & rules


def test_more_rooms_than_they_take_are_as_many_as_they_take() -> None:
    wire = wire_with(SUCCESS)
    pushed(wire, Lane.AVAILABILITY, count(EVE, 6_000))
    assert one(wire, "Inventory") == {"totalInventoryAvailable": "4999"}


@pytest.mark.parametrize(("code", "minor", "said"), [("JPY", 9_000, "9000"), ("KWD", 9_125, "9.125")])
def test_a_rate_has_the_digits_of_its_currency(code: str, minor: int, said: str) -> None:
    wire = wire_with(SUCCESS)
    at = evolve(at_hotel(), currency=Currency.of(code))
    pushed(wire, Lane.PRICING, rated(EVE, {(F.RATE, 0): minor}), at=at)
    assert one(wire, "PerDay") == {"rate": said}
    assert one(wire, "Rate") == {"currency": code}


def test_characters_that_mean_something_in_xml_are_written_so_that_they_mean_nothing() -> None:
    wire = wire_with(SUCCESS)
    odd = evolve(MAPPED_ROOM, room_code='<"&>')
    at = evolve(at_hotel(), mappings=MappingBook((odd,), ()))
    pushed(wire, Lane.AVAILABILITY, count(EVE, 1), at=at)
    assert one(wire, "RoomType") == {"id": '<"&>'}


# Answers


def test_warnings_in_an_answer_of_success_name_the_nights_that_were_not_taken() -> None:
    result = pushed(
        wire_with(message("update.warnings")), Lane.PRICING, rated(ADVENT, RATES), rated(EVE, RATES)
    )
    assert result.outcome.kind is OutcomeKind.PARTLY
    reason = "7013 The rate is beyond the bounds of this room."
    sixth = ADVENT.start.replace(day=6)
    expected = [DateRange.of(sixth, 2), EVE]
    assert result.refused == tuple(
        Refused(mapping_id=MAPPED_RATE.mapping_id, nights=nights, fields=frozenset({F.RATE}), reason=reason)
        for nights in expected
    )


OTHER = evolve(MAPPED_RATE, mapping_id=MappingId(UUID(int=3)), rate_code="9B")


@pytest.mark.parametrize(
    ("text", "nights"),
    [
        ("[Room Type ID 558945; Rate Plan ID 556895A; Stay Date 2026-12-08] odd", {0: 1}),
        ("[Room Type ID: 558945; Rate Plan ID: 9B; Stay Date: 2026-12-05] odd", {1: 1}),
        ("[Rate Plan ID 9B] odd", {1: 4}),
        ("[Room Type ID 558945; Stay Date 2026-12-05] odd", {0: 1, 1: 1}),
        ("[Room Type ID 558945; Rate Plan ID 556895A; Stay Date soon] odd", {0: 4}),
        ("[Room Type ID 558945; Rate Plan ID 556895A; Stay Date 2026-12-09] the night after", {0: 4, 1: 4}),
        ("[Rate Plan ID of somebody else; Stay Date 2026-12-05]", {0: 4, 1: 4}),
        ("odd", {0: 4, 1: 4}),
        ("", {0: 4, 1: 4}),
        ("[", {0: 4, 1: 4}),
    ],
)
def test_a_warning_that_is_not_clear_puts_all_in_doubt_rather_than_nothing(
    text: str, nights: dict[int, int]
) -> None:
    at = evolve(at_hotel(), mappings=MappingBook((MAPPED_ROOM,), (MAPPED_RATE, OTHER)))
    entries = (rated(ADVENT, RULES), evolve(rated(ADVENT, RULES), mapping_id=OTHER.mapping_id))
    body = f'<AvailRateUpdateRS><Success><Warning code="7013">{text}</Warning></Success></AvailRateUpdateRS>'
    result = pushed(wire_with(body.encode()), Lane.PRICING, *entries, at=at)
    assert result.outcome.kind is OutcomeKind.PARTLY
    assert result.outcome.error
    found = {
        number: sum(each.nights.length for each in result.refused if each.mapping_id == entry.mapping_id)
        for number, entry in enumerate(entries)
    }
    assert {number: length for number, length in found.items() if length} == nights
    assert all(each.fields == frozenset(name for name, _ in RULES) for each in result.refused)


KINDS = {
    1001: OutcomeKind.UNAUTHORISED,
    2002: OutcomeKind.REFUSED,
    2010: OutcomeKind.REFUSED,
    3010: OutcomeKind.REFUSED,
    3080: OutcomeKind.REFUSED,
    3081: OutcomeKind.REFUSED,
    3202: OutcomeKind.UNAUTHORISED,
    3203: OutcomeKind.REFUSED,
    3204: OutcomeKind.REFUSED,
    3210: OutcomeKind.BUSY,
    4000: OutcomeKind.UNSURE,
    4001: OutcomeKind.UNSURE,
    4004: OutcomeKind.UNSURE,
    4007: OutcomeKind.UNSURE,
    4100: OutcomeKind.REFUSED,
    4101: OutcomeKind.REFUSED,
    4206: OutcomeKind.DOWN,
    5000: OutcomeKind.UNSURE,
    3999: OutcomeKind.REFUSED,
    6999: OutcomeKind.UNSURE,
    7013: OutcomeKind.REFUSED,
}


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("code", sorted(KINDS))
def test_each_error_is_told_by_its_number_whatever_the_status(code: int, status: int) -> None:
    assert kind_of_error(code) is KINDS[code]
    body = f'<AvailRateUpdateRS><Error code="{code}">Because.</Error></AvailRateUpdateRS>'.encode()
    wire = wire_with(body, status, retry_after="7")
    outcome = pushed(wire, Lane.AVAILABILITY, count(EVE, 1)).outcome
    assert (outcome.kind, outcome.error, outcome.retry_after) == (KINDS[code], f"error_{code}", 7)
    assert ExpediaGateway(wire, FixedClock(START)).pull(at_hotel(), "4").outcome.kind is KINDS[code]


@pytest.mark.parametrize(
    ("codes", "decides"),
    [
        ((3203, 3204), OutcomeKind.REFUSED),
        ((3203, 4206), OutcomeKind.DOWN),
        ((4206, 5000), OutcomeKind.UNSURE),
        ((5000, 3210), OutcomeKind.BUSY),
        ((3210, 1001), OutcomeKind.UNAUTHORISED),
    ],
)
def test_of_several_errors_nothing_is_refused_for_good_while_one_may_pass_by_itself(
    codes: tuple[int, ...], decides: OutcomeKind
) -> None:
    for order in (codes, codes[::-1]):
        assert kind_of_error(gravest(order)) is decides


def test_errors_of_an_answer_are_told_together() -> None:
    outcome = pushed(wire_with(message("update.errors")), Lane.AVAILABILITY, count(EVE, 1)).outcome
    assert (outcome.kind, outcome.error) == (OutcomeKind.REFUSED, "error_3203")


@pytest.mark.parametrize("status", [200, 400, 404, 422])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>One moment</html>",
        b"<!DOCTYPE html><html/>",
        SUCCESS[:100],
        b"<AvailRateUpdateRS/>",
        b"<BookingConfirmRS><Success/></BookingConfirmRS>",
        b'<AvailRateUpdateRS><Error code="soon">?</Error></AvailRateUpdateRS>',
        b"<AvailRateUpdateRS><Error>?</Error></AvailRateUpdateRS>",
        b'<AvailRateUpdateRS><Error code="3203">?</Error><Error>?</Error></AvailRateUpdateRS>',
    ],
)
def test_an_answer_that_is_not_theirs_neither_did_nor_refused_anything(status: int, body: bytes) -> None:
    wire = wire_with(body, status)
    assert pushed(wire, Lane.AVAILABILITY, count(EVE, 1)).outcome.kind is OutcomeKind.UNSURE
    found = ExpediaGateway(wire, FixedClock(START)).pull(at_hotel(), "4")
    assert (found.outcome.kind, found.cursor) == (OutcomeKind.UNSURE, "4")


def test_an_answer_in_any_namespace_is_read() -> None:
    for name in (
        "",
        "http://www.expediaconnect.com/EQC/AR/2007/02",
        "http://www.expediaconnect.com/EQC/AR/2099/01",
    ):
        body = f'<x:AvailRateUpdateRS xmlns:x="{name or "urn:x"}"><x:Success/></x:AvailRateUpdateRS>'
        result = pushed(wire_with(body.encode()), Lane.AVAILABILITY, count(EVE, 1))
        assert result.outcome.kind is OutcomeKind.DONE


# The connection


def test_without_credentials_nothing_is_called() -> None:
    for left in CREDENTIALS:
        wire = StubWire()
        gateway, at = ExpediaGateway(wire, FixedClock(START)), at_hotel()
        at = evolve(at, credentials={left: CREDENTIALS[left]})
        assert gateway.pull(at, "").outcome.error == "credentials_missing"
        assert gateway.check(at).error_code == "CREDENTIALS_REFUSED"
        assert pushed(wire, Lane.AVAILABILITY, count(EVE, 1), at=at).outcome.kind is OutcomeKind.UNAUTHORISED
        assert wire.calls == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (1001, "CREDENTIALS_REFUSED"),
        (3202, "LISTING_UNKNOWN"),
        (5000, "PLATFORM_UNAVAILABLE"),
        (3210, "PLATFORM_UNAVAILABLE"),
    ],
)
def test_a_check_says_what_is_wrong(code: int, said: str) -> None:
    body = f'<BookingRetrievalRS><Error code="{code}">Because.</Error></BookingRetrievalRS>'.encode()
    found = ExpediaGateway(wire_with(body), FixedClock(START)).check(at_hotel())
    assert (found.is_healthy, found.error_code) == (False, said)
    assert str(code) in found.message


def test_the_manifest_says_how_it_stands_and_that_one_message_is_on_its_way() -> None:
    assert MANIFEST.standing is Standing.NEEDS_ACCOUNT
    assert MANIFEST.confirms is Confirms.BOOKED
    (group,) = MANIFEST.calls
    assert (group.in_flight, group.kinds) == (1, frozenset(CallKind))
    assert all(field.is_secret and field.is_required for field in MANIFEST.credentials)


def test_a_simulator_or_proxy_is_reached_where_the_connection_says_so() -> None:
    wire, at = wire_with(SUCCESS), at_hotel()
    at = evolve(
        at, connection=evolve(at.connection, settings={"base_url": "http://127.0.0.1:8090/expedia_eqc/"})
    )
    pushed(wire, Lane.AVAILABILITY, count(EVE, 1), at=at)
    assert wire.calls[0].url == "http://127.0.0.1:8090/expedia_eqc/ar"


def test_an_answer_of_errors_to_a_retrieval_has_no_bookings() -> None:
    found = pulled(message("bookings.error"))
    assert (found.outcome.kind, found.revisions, found.malformed) == (OutcomeKind.UNAUTHORISED, (), ())
