"""The gateway to AlpineBits: the laws of gateways against a portal's face, its messages, and what answers mean."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.channels.alpinebits_scenes import (
    ADDRESS,
    CREDENTIALS,
    DATA,
    DOUBLE,
    HOTEL,
    NOW,
    RATE,
    answering,
    bare,
    check,
    form_of,
    made_at,
    request_of,
    sample,
)
from adapters.channels.wire_world import Shorter, wire_world
from adapters.http.receiver import LOOPBACK
from pms_adapters.channels.alpinebits import AlpineBitsGateway
from pms_adapters.http.door import HttpDoor
from pms_adapters.http.guard import Guard
from pms_adapters.lab.channel_sim.faces.alpinebits import AlpineBitsFace
from pms_adapters.lab.channel_sim.opening import simulated
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, OutcomeKind, Push, PushResult
from pmscore.channels.model.manifest import Lane
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.gateway_scenes import ScriptedHostility, Spoken, at_of
from pmscore.testing.laws.gateways import GatewayLaws
from pmscore.testing.memory import InMemoryStore

SELLABLE = (MatrixField.SELLABLE, 0)
IN_AUGUST = DateRange(date(2020, 8, 11), date(2020, 8, 21))
SUCCESS = "FreeRooms-OTA_HotelInvCountNotifRS-success"


class Laws(GatewayLaws):
    gateway: Callable[..., AlpineBitsGateway] = AlpineBitsGateway

    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        face = AlpineBitsFace(platform, clock=clock, hotel_code=HOTEL, hostility=hostility, **CREDENTIALS)
        wire = SimulatedWire((face,), clock=clock, hostility=hostility)
        return Spoken(
            gateway=type(self).gateway(wire, clock),
            credentials=CREDENTIALS,
            listing_id=HOTEL,
            settings={"base_url": AlpineBitsFace.addresses[0]},
        )


class TestAlpineBitsKeepsTheLaws(Laws):
    pass


class EndsOneLater(AlpineBitsGateway):
    def push(self, at: At, push: Push) -> PushResult:
        entries = tuple(
            evolve(each, nights=DateRange.of(each.nights.start, each.nights.length + 1))
            for each in push.entries
        )
        return super().push(at, evolve(push, entries=entries))


def test_the_laws_catch_an_end_that_is_one_night_too_late() -> None:
    broken = type("Broken", (Laws,), {"gateway": EndsOneLater})()
    with pytest.raises(AssertionError):
        broken.test_every_declared_field_arrives_on_its_nights_and_on_no_other()


# What we write


def pushing(*entries: Entry, is_complete: bool = False) -> Push:
    return Push(push_id=UUID(int=9), lane=Lane.AVAILABILITY, entries=entries, is_complete=is_complete)


def free(nights: DateRange, count: int) -> Entry:
    return Entry(mapping_id=DOUBLE.mapping_id, nights=nights, values={SELLABLE: count})


AUGUST = (
    free(DateRange.of(date(2020, 8, 1), 10), 3),
    free(IN_AUGUST, 0),
    free(DateRange.of(date(2020, 8, 21), 10), 1),
)


@pytest.mark.parametrize(
    ("name", "push"),
    [
        ("FreeRooms-OTA_HotelInvCountNotifRQ", pushing(*AUGUST, is_complete=True)),
        ("FreeRooms-OTA_HotelInvCountNotifRQ-delta", pushing(free(IN_AUGUST, 1), free(AUGUST[2].nights, 0))),
    ],
    ids=["complete", "delta"],
)
def test_free_rooms_are_said_as_in_the_samples(name: str, push: Push) -> None:
    gateway, wire = answering(sample(SUCCESS))
    assert gateway.push(made_at(), push).outcome.kind is OutcomeKind.DONE
    (call,) = wire.calls
    assert bare(request_of(call)) == bare(sample(name), "HotelName")
    check(request_of(call))


def test_free_rooms_keep_opentravels_own_schema(shared_dir: Path) -> None:
    gateway, wire = answering(sample(SUCCESS))
    gateway.push(made_at(), pushing(*AUGUST, is_complete=True))
    gateway.push(made_at(), pushing(*AUGUST))
    for call in wire.calls:
        check(request_of(call), shared_dir / "specs" / "ota" / "2011A" / "OTA_HotelInvCountNotifRQ.xsd")


def test_our_samples_are_the_collected_ones(shared_dir: Path) -> None:
    ours = sorted(DATA.glob("*.xml"))
    assert len(ours) == 12
    for each in ours:
        assert each.read_bytes() == (shared_dir / "specs" / "alpinebits" / each.name).read_bytes(), each.name


@settings(max_examples=20)
@given(
    cells=st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 90), st.integers(0, 9)), min_size=1, max_size=5
    ),
    is_complete=st.booleans(),
)
def test_every_message_of_free_rooms_keeps_the_schema(
    cells: list[tuple[int, int, int]], is_complete: bool
) -> None:
    entries, start = [], NOW.date()
    for gap, length, count in cells:
        nights = DateRange.of(start + timedelta(days=gap), length)
        entries.append(free(nights, count))
        start = nights.end
    gateway, wire = answering(sample(SUCCESS))
    gateway.push(made_at(), pushing(*entries, is_complete=is_complete))
    check(request_of(wire.calls[0]))


def test_the_schema_takes_what_the_samples_say_and_no_other() -> None:
    check(sample("FreeRooms-OTA_HotelInvCountNotifRQ"))
    for wrong in (b'End="2020-08-10"', b'CountType="2"', b'HotelCode="123"'):
        assert wrong in sample("FreeRooms-OTA_HotelInvCountNotifRQ")
        with pytest.raises(etree.DocumentInvalid):
            check(sample("FreeRooms-OTA_HotelInvCountNotifRQ").replace(wrong, b'Else="1"'))


def test_a_rate_is_no_matter_of_free_rooms() -> None:
    gateway, wire = answering(sample(SUCCESS))
    with pytest.raises(MisuseError):
        gateway.push(made_at(), pushing(evolve(free(IN_AUGUST, 1), mapping_id=RATE.mapping_id)))
    assert wire.calls == []


def test_a_message_travels_in_a_form_with_name_password_and_version() -> None:
    gateway, wire = answering(sample(SUCCESS))
    gateway.push(made_at(), pushing(free(IN_AUGUST, 1)))
    (call,) = wire.calls
    assert (call.method, call.url) == ("POST", ADDRESS)
    form = form_of(call)
    assert sorted(form) == ["action", "request"]
    assert form["action"] == b"OTA_HotelInvCountNotif:FreeRooms"
    secret = call.headers["authorization"]
    assert isinstance(secret, Secret)
    assert b64decode(secret.reveal().removeprefix("Basic ")) == b"frangart-inn:long-and-secret"
    assert call.headers["x-alpinebits-clientprotocolversion"] == "2020-10"
    assert call.headers["x-alpinebits-clientid"] == "pmscore"
    assert "long-and-secret" not in repr(call)


def test_a_portal_that_knows_us_by_a_name_hears_it() -> None:
    gateway, wire = answering(sample(SUCCESS))
    at = evolve(made_at(), credentials={**CREDENTIALS, "client_id": Secret("hotel-7")})
    gateway.push(at, pushing(free(IN_AUGUST, 1)))
    assert wire.calls[0].headers["x-alpinebits-clientid"] == "hotel-7"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"credentials": {}}, "credentials_missing"),
        ({"credentials": {**CREDENTIALS, "username": Secret("a:b")}}, "credentials_missing"),
        ({"connection": evolve(made_at().connection, settings={})}, "address_missing"),
    ],
    ids=["nothing", "a name that no header can say", "no address"],
)
def test_without_what_is_needed_nothing_is_called(changed: dict[str, object], error: str) -> None:
    gateway, wire = answering(sample(SUCCESS))
    at = evolve(made_at(), **changed)
    outcome = gateway.push(at, pushing(free(IN_AUGUST, 1))).outcome
    assert (outcome.kind, outcome.error) == (OutcomeKind.UNAUTHORISED, error)
    wanted = "ADDRESS_MISSING" if error == "address_missing" else "CREDENTIALS_REFUSED"
    assert gateway.check(at).error_code == wanted
    assert wire.calls == []


# A whole set, and over HTTP


def test_a_complete_set_replaces_what_the_portal_has_and_a_delta_does_not() -> None:
    scene = Laws().scene()
    first, second = scene.at.mappings.rooms
    later = DateRange.of(scene.nights.start + timedelta(days=30), 2)
    one = Entry(mapping_id=first.mapping_id, nights=scene.nights, values={SELLABLE: 3})
    other = Entry(mapping_id=second.mapping_id, nights=later, values={SELLABLE: 2})
    assert scene.pushed(Lane.AVAILABILITY, (one,)).outcome.kind is OutcomeKind.DONE
    assert scene.pushed(Lane.AVAILABILITY, (other,)).outcome.kind is OutcomeKind.DONE
    assert [row[1:-1] for row in scene.told(one).values()] == [(3, 3, 3)]
    assert scene.gateway.push(scene.at, pushing(other, is_complete=True)).outcome.kind is OutcomeKind.DONE
    assert [set(row) for row in scene.told(one).values()] == [{None}]
    assert [row[1:-1] for row in scene.told(other).values()] == [(2, 2)]


def test_the_first_push_of_a_house_is_a_complete_set_and_those_after_it_are_not() -> None:
    seen: list[bool] = []

    class Watched(Shorter):
        def push(self, at: At, push: Push) -> PushResult:
            seen.append(push.is_complete)
            return self._gateway.push(at, push)

    world = wire_world(InMemoryStore(), "alpinebits", 1, days=2, dial=0, breaks=Watched)
    world.live()
    world.settle()
    assert seen[0]
    assert len(seen) > 1
    assert not any(seen[1:])


@pytest.fixture(name="door")
def _door() -> Iterator[HttpDoor]:
    with HttpDoor(Guard(networks=LOOPBACK), clock=MovableClock(NOW)) as door:
        yield door


def test_a_simulated_portal_is_served_over_http(door: HttpDoor) -> None:
    clock = MovableClock(NOW)
    with simulated(("alpinebits",), seed=3, clock=clock) as simulation:
        house = simulation.houses["alpinebits"]
        gateway = AlpineBitsGateway(door, clock)
        spoken = Spoken(
            gateway=gateway,
            credentials={name: house.credentials[name] for name in ("username", "password")},
            listing_id=house.listing_id,
            settings={"base_url": simulation.server.url("alpinebits")},
        )
        at = at_of(spoken, house.face.platform)
        assert gateway.check(at).is_healthy
        nights = DateRange.of(NOW.date() + timedelta(days=1), 60)
        entries = [
            Entry(mapping_id=each.mapping_id, nights=nights, values={SELLABLE: 5})
            for each in at.mappings.rooms
        ]
        assert gateway.push(at, pushing(*entries)).outcome.kind is OutcomeKind.DONE
        with simulation.server.lock:
            made = house.face.platform.sell(nights.start, nights.start)
        assert made is not None
        assert [each.booking_key for each in gateway.pull(at, "").revisions] == [made.booking_key]
