"""The gateway to Booking.com: the laws of gateways against a face of theirs, messages, tokens and limits."""

from __future__ import annotations

from pms_adapters.channels.booking_com import BookingComGateway
from pms_adapters.lab.channel_sim.faces.booking_com import BookingComFace
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.gateway_scenes import ScriptedHostility, Spoken
from pmscore.testing.laws.gateways import GatewayLaws

HOTEL = "998877"
PARTNER = {
    "booking_com_client_id": Secret("5B5DCB72-client"),
    "booking_com_client_secret": Secret("long-and-secret-77"),
}


class Laws(GatewayLaws):
    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        face = BookingComFace(
            platform,
            clock=clock,
            client_id=PARTNER["booking_com_client_id"],
            client_secret=PARTNER["booking_com_client_secret"],
            hotel_code=HOTEL,
            currency="EUR",
            hostility=hostility,
            occupancies=(1, 2),
        )
        wire = SimulatedWire((face,), clock=clock, hostility=hostility)
        return Spoken(gateway=BookingComGateway(wire, clock), partner=PARTNER, listing_id=HOTEL)


class TestBookingComKeepsTheLaws(Laws):
    pass
