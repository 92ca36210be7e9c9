"""The gateway to Expedia keeps the laws of gateways against a face of theirs, and what is special there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from attrs import evolve

from adapters.channels.expedia_scenes import NOW
from adapters.channels.stub_wire import StubWire
from adapters.http.receiver import LOOPBACK
from pms_adapters.channels.expedia import ExpediaGateway
from pms_adapters.channels.expedia.mapping import MOST_CONFIRMED, Service
from pms_adapters.channels.expedia.sales import retrieval_body
from pms_adapters.channels.expedia.wire import request
from pms_adapters.http.door import HttpDoor
from pms_adapters.http.guard import Guard
from pms_adapters.lab.channel_sim.face import arrived
from pms_adapters.lab.channel_sim.faces.expedia import MOST_BOOKINGS, ExpediaFace
from pms_adapters.lab.channel_sim.faces.expedia_taking import HIGHEST_RATE
from pms_adapters.lab.channel_sim.opening import SimulatedHouse, open_house
from pms_adapters.lab.channel_sim.server import serving
from pms_adapters.lab.channel_sim.wire import SimulatedWire, met
from pms_adapters.serialization.xml import Node, parse
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, OutcomeKind, Push, PushResult
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.revisions import RevisionStatus
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import BookingId
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_hostility import FateKind
from pmscore.testing.channel_platform import ArrivalCount, RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.gateway_scenes import GatewayScene, ScriptedHostility, Spoken, at_of, fate
from pmscore.testing.laws.gateways import GatewayLaws

HOTEL = "3546"
CREDENTIALS = {"username": Secret("EQCtestuser"), "password": Secret("long-and-secret")}


class Laws(GatewayLaws):
    gateway: Callable[..., ExpediaGateway] = ExpediaGateway
    face: ExpediaFace

    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        platform.calls = ArrivalCount(ExpediaFace.limits)
        self.face = ExpediaFace(
            platform,
            clock=clock,
            credentials=CREDENTIALS,
            hotel_id=HOTEL,
            currency="EUR",
            hostility=hostility,
            occupancies=(1, 2),
        )
        wire = SimulatedWire((self.face,), clock=clock, hostility=hostility)
        return Spoken(gateway=type(self).gateway(wire, clock), credentials=CREDENTIALS, listing_id=HOTEL)


class TestExpediaKeepsTheLaws(Laws):
    pass


class EndsOneLater(ExpediaGateway):
    def push(self, at: At, push: Push) -> PushResult:
        entries = tuple(
            evolve(each, nights=DateRange.of(each.nights.start, each.nights.length + 1))
            for each in push.entries
        )
        return super().push(at, evolve(push, entries=entries))


def test_the_laws_catch_a_gateway_that_tells_one_night_too_many() -> None:
    broken = type("Broken", (Laws,), {"gateway": EndsOneLater})()
    with pytest.raises(AssertionError):
        broken.test_every_declared_field_arrives_on_its_nights_and_on_no_other()


# The face


def scene() -> tuple[ExpediaFace, GatewayScene]:
    laws = Laws()
    made = laws.scene()
    return laws.face, made


def test_a_second_message_of_a_hotel_is_refused_while_one_is_worked_on_and_counted() -> None:
    face, made = scene()
    body = retrieval_body(made.at)
    calls = [arrived("POST", path, {}, body) for path in ("/br", "/ar")]
    first = met(face, calls[0], None, is_answered=False)
    second = met(face, calls[1], None, is_answered=False)
    assert first.answer is not None
    assert second.answer is not None
    assert b"3210" not in first.answer.body
    assert b"3210" in second.answer.body
    assert (second.answer.status, face.platform.calls.exceeded) == (200, 1)
    wire = StubWire([second.answer])
    assert ExpediaGateway(wire, made.clock).pull(made.at, "").outcome.kind is OutcomeKind.BUSY
    for each in calls:
        face.end(each)
    assert made.gateway.pull(made.at, "").outcome.kind is OutcomeKind.DONE
    assert face.platform.calls.exceeded == 1


def test_the_next_message_of_a_booking_comes_only_when_the_one_before_is_confirmed() -> None:
    face, made = scene()
    day = made.nights.start
    sold = made.platform.oversell(day, day)
    other = made.platform.oversell(day, day)
    made.clock.advance(timedelta(minutes=1))
    while made.platform.bookings[sold.booking_key].status is RevisionStatus.NEW:
        made.platform.cancel(day - timedelta(days=1))
    kinds: list[list[str]] = []
    for _ in range(3):
        found = made.gateway.pull(made.at, "").revisions
        mine = [each for each in found if each.booking_key == sold.booking_key]
        kinds.append([each.status.value for each in mine])
        for each in mine:
            assert made.gateway.acknowledge(made.at, (made.stored(each),)).kind is OutcomeKind.DONE
    assert kinds == [["new"], ["cancelled"], []]
    reference = str(BookingId(UUID(int=0xB00C)))
    assert face.confirmed == {
        (sold.booking_key, "Book"): reference,
        (sold.booking_key, "Cancel"): reference,
    }
    assert other.booking_key in made.platform.bookings


def test_an_answer_has_125_bookings_at_most_and_the_others_come_when_these_are_confirmed() -> None:
    _, made = scene()
    day = made.nights.start
    sold = {made.platform.oversell(day, day).booking_key for _ in range(130)}
    first = made.gateway.pull(made.at, "")
    assert (len(first.revisions), first.has_more, first.cursor) == (MOST_BOOKINGS, False, "")
    again = made.gateway.pull(made.at, "")
    assert [each.booking_key for each in again.revisions] == [each.booking_key for each in first.revisions]
    stored = [made.stored(each) for each in first.revisions]
    for begin in range(0, len(stored), MOST_CONFIRMED):
        group = stored[begin : begin + MOST_CONFIRMED]
        assert made.gateway.acknowledge(made.at, group).kind is OutcomeKind.DONE
    rest = made.gateway.pull(made.at, "").revisions
    assert {each.booking_key for each in (*first.revisions, *rest)} == sold
    assert len(rest) == 5


def test_a_booking_whose_answer_was_lost_comes_again_only_because_it_is_asked_for() -> None:
    face, made = scene()
    day = made.nights.start
    made.platform.oversell(day, day)
    made.hostility.meets(fate(FateKind.LOST_AFTER))
    assert made.gateway.pull(made.at, "").outcome.kind is OutcomeKind.UNSURE
    carefree = face.answer(arrived("POST", "/br", {}, request(made.at, Service.RETRIEVAL)))
    assert parse(carefree.body) == Node("BookingRetrievalRS", elements=(Node("Bookings"),))
    assert len(made.gateway.pull(made.at, "").revisions) == 1


def test_a_message_that_was_never_told_cannot_be_confirmed() -> None:
    _, made = scene()
    day = made.nights.start
    sold = made.platform.oversell(day, day)
    early = evolve(sold, receipt={"booking_id": sold.booking_key})
    made.gateway.acknowledge(made.at, (made.stored(early),))
    assert not made.platform.is_all_known
    unknown = evolve(sold, receipt={"booking_id": "1"})
    outcome = made.gateway.acknowledge(made.at, (made.stored(unknown),))
    assert (outcome.kind, outcome.error) == (OutcomeKind.REFUSED, "error_3080")


def test_a_rate_out_of_bounds_is_warned_about_and_the_others_are_taken() -> None:
    _, made = scene()
    rate = made.at.mappings.rates[0]
    values = {(MatrixField.RATE, 1): 9_000, (MatrixField.RATE, 2): HIGHEST_RATE + 1}
    result = made.pushed(
        Lane.PRICING, (Entry(mapping_id=rate.mapping_id, nights=made.nights, values=values),)
    )
    assert result.outcome.kind is OutcomeKind.PARTLY
    assert [(each.mapping_id, each.nights, each.fields) for each in result.refused] == [
        (rate.mapping_id, made.nights, frozenset({MatrixField.RATE}))
    ]


def test_rules_that_are_left_out_fall_back_which_is_why_they_travel_together() -> None:
    _, made = scene()
    rate = made.at.mappings.rates[0]
    for values in ({(MatrixField.MIN_STAY_ARRIVAL, 0): 3}, {(MatrixField.CLOSED_TO_ARRIVAL, 0): 1}):
        made.pushed(Lane.PRICING, (Entry(mapping_id=rate.mapping_id, nights=made.nights, values=values),))
    codes = (rate.room_code, rate.rate_code)
    assert made.platform.row(*codes, MatrixField.MIN_STAY_ARRIVAL, made.nights) == (0, 0, 0)
    assert made.platform.row(*codes, MatrixField.CLOSED_TO_ARRIVAL, made.nights) == (1, 1, 1)


@contextmanager
def served() -> Iterator[tuple[SimulatedHouse, HttpDoor, At]]:
    """Yield a simulated hotel, a door that reaches it over loopback, and a connection to it."""
    clock, hostility = MovableClock(NOW), ScriptedHostility()
    house = open_house("expedia_eqc", seed=5, clock=clock, hostility=hostility, occupancies=(1, 2))
    with (
        serving((house.face,), hostility=hostility, longest_stall=3.0) as server,
        HttpDoor(Guard(networks=LOOPBACK), clock=clock) as door,
    ):
        spoken = Spoken(
            gateway=ExpediaGateway(door, clock),
            credentials=house.credentials,
            listing_id=house.listing_id,
            settings={"base_url": server.url("expedia_eqc")},
        )
        hostility.meets(fate(FateKind.STALLED))
        yield house, door, at_of(spoken, house.face.platform)


def test_over_http_a_hotel_that_is_still_being_answered_is_busy() -> None:
    with served() as (house, door, at), ThreadPoolExecutor(1) as pool:
        gateway = ExpediaGateway(door, MovableClock(NOW))
        platform = house.face.platform
        slow = pool.submit(gateway.pull, at, "")
        while not platform.calls.total and not slow.done():
            pass
        assert gateway.pull(at, "").outcome.kind is OutcomeKind.BUSY
        assert slow.result().outcome.kind is OutcomeKind.UNSURE
        assert platform.calls.exceeded == 1
        sold = platform.oversell(NOW.date(), NOW.date())
        (found,) = gateway.pull(at, "").revisions
        assert (found.booking_key, found.rooms) == (sold.booking_key, sold.rooms)
        assert gateway.check(at).is_healthy
        assert platform.calls.exceeded == 1
