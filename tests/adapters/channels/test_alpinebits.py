"""The gateway to AlpineBits: the laws of gateways against a portal's face, samples, and what is special there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from pms_adapters.channels.alpinebits import AlpineBitsGateway
from pms_adapters.lab.channel_sim.faces.alpinebits import AlpineBitsFace
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.channels.model.calls import At, Push, PushResult
from pmscore.dates.ranges import DateRange
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.gateway_scenes import ScriptedHostility, Spoken
from pmscore.testing.laws.gateways import GatewayLaws

CREDENTIALS = {"username": Secret("frangart-inn"), "password": Secret("long-and-secret")}
HOTEL = "123"


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
