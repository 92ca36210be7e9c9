"""Google's hotel prices: the laws of gateways against a face of theirs, golden files, and what is special there."""

from __future__ import annotations

from pms_adapters.channels.google import GoogleGateway
from pms_adapters.channels.google.mapping import PARTNER_KEY
from pms_adapters.lab.channel_sim.faces.google import GoogleFace
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.gateway_scenes import ScriptedHostility, Spoken
from pmscore.testing.laws.gateways import GatewayLaws

KEY = Secret("partner-key-1")


class TestGoogleKeepsTheLaws(GatewayLaws):
    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        face = GoogleFace(
            platform, clock=clock, partner_key=KEY, hotel_code="hotel-1", currency="EUR", hostility=hostility
        )
        wire = SimulatedWire((face,), clock=clock, hostility=hostility)
        return Spoken(gateway=GoogleGateway(wire, clock), partner={PARTNER_KEY: KEY})
