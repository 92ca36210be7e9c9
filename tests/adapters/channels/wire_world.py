"""A world whose gateway speaks through a wire to a face of the platform, whichever gateway that is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from attrs import evolve

from adapters.channels.feed_world import FeedWorld
from adapters.channels.stub_wire import StubWire
from pms_adapters.channels import made_gateways
from pms_adapters.http.wire import Wire
from pms_adapters.lab.channel_sim.face import FACES, FaceSetting
from pms_adapters.lab.channel_sim.faces.ical import IcalFace, feed_address
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.ports import ChannelGateway
from pmscore.kernel.events import Json
from pmscore.kernel.ports import Clock
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_houses import remote_rooms
from pmscore.testing.channel_platform import ArrivalCount, RemotePlatform
from pmscore.testing.channel_world import World
from pmscore.testing.clocks import FixedClock, MovableClock
from pmscore.testing.draws import Draws
from pmscore.testing.subject import StoreUnderTest

HORIZON, POLL, FEED_POLL = 60, 6 * 3600, 3 * 3600
START = datetime(2026, 11, 21, 9, tzinfo=UTC)

Broken = Callable[[ChannelGateway], ChannelGateway]
"""Puts something wrong between the engine and a gateway."""


class Shorter:
    """A gateway whose manifest looks less far ahead, and asks less often, so that a month passes quickly."""

    def __init__(self, gateway: ChannelGateway) -> None:
        self._gateway = gateway
        self.manifest = shorter(gateway.manifest)

    def __getattr__(self, name: str) -> object:
        return getattr(self._gateway, name)


def shorter(manifest: Manifest) -> Manifest:
    # Looking at the platform each hour would repair what a world is to find out.
    poll = manifest.poll_seconds and (FEED_POLL if manifest.exports_calendar else POLL)
    return evolve(manifest, horizon_days=HORIZON, poll_seconds=poll, reads_back=False)


def gateway_names() -> tuple[str, ...]:
    """Return the gateways that there is a face for."""
    faces = {name for name, _ in FACES}
    return tuple(name for name in sorted(_gateways(StubWire(), FixedClock(START))) if name in faces)


def pushing_names() -> tuple[str, ...]:
    """Return those of them that are told our nights; calendars are only shown to whoever reads them."""
    made = _gateways(StubWire(), FixedClock(START))
    return tuple(name for name in gateway_names() if made[name].manifest.fields)


def days_of(name: str, days: int) -> int:
    """Return how long a world lasts in which so much happens as in ``days`` of one that is asked for bookings."""
    made = _gateways(StubWire(), FixedClock(START))
    return days if Lane.BOOKINGS in made[name].manifest.lanes else 2 * days


def wire_world(
    store: StoreUnderTest,
    name: str,
    seed: int,
    *,
    dial: int = 100,
    days: int = 30,
    sweeps: bool = True,
    breaks: Broken = lambda gateway: gateway,
) -> World:
    """Return a world of a gateway; ``breaks`` stands between the engine and it."""
    known = _gateways(StubWire(), FixedClock(START))[name].manifest
    credentials = {each.name: f"simulated-{each.name}" for each in known.credentials if each.is_required}
    partner = {each: Secret(f"simulated-{each}") for each in known.partner_settings}
    if known.exports_calendar:
        # The platform gives the addresses of its feeds out; there is nothing else to know.
        at = IcalFace.addresses[0]
        credentials = {f"url.{code}": feed_address(at, "house-1", code) for code in remote_rooms(known)}
    calendars: list[IcalFace] = []

    connection: dict[str, Json] = {"sends_ari": True}

    def makes(
        manifest: Manifest, platform: RemotePlatform, hostility: Hostility, clock: MovableClock
    ) -> ChannelGateway:
        setting = FaceSetting(
            clock=clock,
            chance=Draws(seed),
            rooms=platform.rooms,
            currency="EUR",
            listing_id="house-1",
            credentials=partner | {key: Secret(text) for key, text in credentials.items()},
            hostility=hostility,
            sold_on="Vrbo" if known.exports_calendar and seed % 2 == 0 else "",
            occupancies=(1, 2) if manifest.has_occupancies else (),
            remote=platform,
        )
        face = FACES.get(name)(setting)
        if not known.base_urls:
            # Each portal has an address of its own.
            connection["base_url"] = face.addresses[0]
        if face.limits:
            # What the platform publishes, which is not read from our manifest.
            platform.calls = ArrivalCount(face.limits)
        if isinstance(face, IcalFace):
            calendars.append(face)
        wire = SimulatedWire((face,), clock=clock, hostility=hostility)
        return breaks(Shorter(_gateways(wire, clock)[name]))

    kind = FeedWorld if known.exports_calendar else World
    world = kind(
        store,
        shorter(known),
        seed,
        dial=dial,
        days=days,
        sweeps=sweeps,
        makes=makes,
        credentials=credentials,
        partner=partner,
        connection=connection,
    )
    return world.peopled(calendars[0], Draws(seed * 8 + 6)) if isinstance(world, FeedWorld) else world


def _gateways(wire: Wire, clock: Clock) -> dict[str, ChannelGateway]:
    return dict(made_gateways(wire, clock, points=()))
