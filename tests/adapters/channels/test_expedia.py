"""The gateway to Expedia keeps the laws of gateways against a face of theirs, and what is special there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from pms_adapters.channels.expedia import ExpediaGateway
from pms_adapters.lab.channel_sim.faces.expedia import ExpediaFace
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.channels.model.calls import At, Push, PushResult
from pmscore.dates.ranges import DateRange
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.gateway_scenes import ScriptedHostility, Spoken
from pmscore.testing.laws.gateways import GatewayLaws

HOTEL = "3546"
CREDENTIALS = {"username": Secret("EQCtestuser"), "password": Secret("long-and-secret")}


class Laws(GatewayLaws):
    gateway: Callable[..., ExpediaGateway] = ExpediaGateway

    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        face = ExpediaFace(
            platform,
            clock=clock,
            credentials=CREDENTIALS,
            hotel_id=HOTEL,
            currency="EUR",
            hostility=hostility,
            occupancies=(1, 2),
        )
        wire = SimulatedWire((face,), clock=clock, hostility=hostility)
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
