"""The gateway to Channex: the laws of gateways against a face of theirs, samples, and what is special there."""

from __future__ import annotations

from pms_adapters.channels.channex import ChannexGateway
from pms_adapters.lab.channel_sim.faces.channex import ChannexFace
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.gateway_scenes import ScriptedHostility, Spoken
from pmscore.testing.laws.gateways import GatewayLaws

PROPERTY = "716305c4-561a-4561-a187-7f5b8aeb5920"
KEY = Secret("uHq8-long-and-secret")


class TestChannexKeepsTheLaws(GatewayLaws):
    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        face = ChannexFace(
            platform,
            clock=clock,
            api_key=KEY,
            property_id=PROPERTY,
            currency="EUR",
            hostility=hostility,
            occupancies=(1, 2),
        )
        wire = SimulatedWire((face,), clock=clock, hostility=hostility)
        return Spoken(gateway=ChannexGateway(wire, clock), credentials={"api_key": KEY}, listing_id=PROPERTY)
