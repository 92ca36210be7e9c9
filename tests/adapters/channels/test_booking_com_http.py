"""Booking.com over real connections: one address stands for its three hosts, and the platform's own name for its face."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from adapters.http.receiver import LOOPBACK
from pms_adapters.channels.booking_com import MANIFEST, BookingComGateway
from pms_adapters.http.door import HttpDoor
from pms_adapters.http.guard import Guard
from pms_adapters.lab.channel_sim.opening import face_name, platform_names, simulated
from pmscore.channels.model.calls import OutcomeKind
from pmscore.channels.model.manifest import Lane
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.clocks import MovableClock
from pmscore.testing.gateway_scenes import START, GatewayScene, ScriptedHostility, Spoken, at_of


def test_a_simulated_house_is_told_nights_and_tells_what_it_has_sold() -> None:
    clock, name = MovableClock(START), face_name("booking_com")
    with (
        simulated([name], seed=5, clock=clock) as simulation,
        HttpDoor(Guard(networks=LOOPBACK), clock=clock) as door,
    ):
        (entered,) = simulation.as_json()
        house = simulation.houses[name]
        spoken = Spoken(
            gateway=BookingComGateway(door, clock),
            partner={each: house.credentials[each] for each in MANIFEST.partner_settings},
            listing_id=house.listing_id,
            settings={"base_url": entered["base_url"]},
        )
        platform = house.face.platform
        at = at_of(spoken, platform)
        rates = tuple(evolve(each, occupancies=()) for each in at.mappings.rates)
        scene = GatewayScene(
            gateway=spoken.gateway,
            platform=platform,
            hostility=ScriptedHostility(),
            clock=clock,
            at=evolve(at, mappings=evolve(at.mappings, rates=rates)),
        ).authorised()
        assert scene.gateway.check(scene.at).is_healthy
        for lane, field in ((Lane.AVAILABILITY, MatrixField.SELLABLE), (Lane.PRICING, MatrixField.RATE)):
            entries = scene.entries(frozenset({field}))
            assert scene.pushed(lane, entries).outcome.kind is OutcomeKind.DONE
            assert all(row[1] for entry in entries for row in scene.told(entry).values())
        sold = platform.oversell(scene.nights.start, scene.nights.start + timedelta(days=9))
        (pulled,) = scene.gateway.pull(scene.at, "").revisions
        assert (pulled.booking_key, pulled.rooms[0].nightly) == (sold.booking_key, sold.rooms[0].nightly)
        assert scene.gateway.acknowledge(scene.at, (scene.stored(pulled),)).kind is OutcomeKind.DONE
        assert platform.is_all_known


def test_platforms_are_known_by_their_own_names_too() -> None:
    names = platform_names()
    assert {face_name(each) for each in ("booking_com", "expedia", "google", "channex")} <= set(names)
    assert all(face_name(each) == each for each in names)
