"""Which rooms and rates Expedia says that a hotel has, and which plan a booking is of."""

from __future__ import annotations

import pytest
from attrs import evolve

from adapters.channels.expedia_scenes import NOW, PLAN, ROOM, at_hotel, message, pulled, wire_with
from adapters.channels.stub_wire import StubWire
from adapters.channels.test_expedia_wire import same
from pms_adapters.channels.expedia import MANIFEST, ExpediaGateway
from pms_adapters.channels.reference import reference_page
from pmscore.channels.model.calls import OutcomeKind, RemoteRate, RemoteRoom
from pmscore.testing.clocks import FixedClock


def test_active_rooms_are_listed_with_the_plans_that_can_be_told_a_rate() -> None:
    wire = wire_with(message("products"))
    outcome, found = ExpediaGateway(wire, FixedClock(NOW)).rooms(at_hotel())
    assert outcome.kind is OutcomeKind.DONE
    assert found == (RemoteRoom(ROOM, "Double", (RemoteRate(ROOM, PLAN, "Best rate"),)),)
    (call,) = wire.calls
    assert (call.method, call.url) == ("POST", "https://services.expediapartnercentral.com/eqc/parr")
    assert same(call.body, message("products.request"))


def test_a_product_without_a_name_is_named_by_its_id() -> None:
    body = message("products").replace(b'name="Double"', b'name=" "')
    _, (room,) = ExpediaGateway(wire_with(body), FixedClock(NOW)).rooms(at_hotel())
    assert room.name == ROOM


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", OutcomeKind.UNSURE),
        (b"<ProductAvailRateRetrievalRS/>", OutcomeKind.UNSURE),
        (b"<BookingRetrievalRS><ProductList/></BookingRetrievalRS>", OutcomeKind.UNSURE),
        (message("products").replace(b'id="558945"', b'id=""'), OutcomeKind.UNSURE),
        (
            b'<ProductAvailRateRetrievalRS><Error code="1001">?</Error></ProductAvailRateRetrievalRS>',
            OutcomeKind.UNAUTHORISED,
        ),
    ],
    ids=["empty", "no list", "another answer", "no id", "error"],
)
def test_what_is_no_list_of_products_lists_nothing(body: bytes, kind: OutcomeKind) -> None:
    outcome, found = ExpediaGateway(wire_with(body), FixedClock(NOW)).rooms(at_hotel())
    assert (outcome.kind, found) == (kind, ())


def test_without_credentials_nothing_is_asked() -> None:
    wire = StubWire()
    outcome, _ = ExpediaGateway(wire, FixedClock(NOW)).rooms(evolve(at_hotel(), credentials={}))
    assert (outcome.kind, wire.calls) == (OutcomeKind.UNAUTHORISED, [])


@pytest.mark.parametrize(
    ("mapped", "sold", "read"),
    [
        ("556895A", "556895A", "556895A"),
        ("556895A", "556895", "556895A"),
        ("556895", "556895A", "556895"),
        ("556895A", "556896", "556896"),
        ("556895A", "556896A", "556896A"),
        ("A", "", "A"),
    ],
)
def test_a_booking_of_the_twin_of_a_mapped_plan_is_of_the_mapped_plan(
    mapped: str, sold: str, read: str
) -> None:
    at = at_hotel()
    (rate,) = at.mappings.rates
    book = evolve(at.mappings, rates=(evolve(rate, rate_code=mapped),))
    body = message("bookings.new").replace(b'ratePlanID="556895A"', f'ratePlanID="{sold}"'.encode())
    (room,) = pulled(body, evolve(at, mappings=book)).revisions[0].rooms
    assert room.rate_code == read


def test_the_page_about_gateways_says_how_it_stands() -> None:
    page = reference_page([MANIFEST])
    assert "| `expedia_eqc` | expedia | needs a partner account |" in page
    assert "- limits: hotel any number, 1 at once" in page
    assert "- besides: prices by occupancy, lists its rooms" in page
    assert all(each in page for each in MANIFEST.evidence)
