"""Mock mode: the agreed answers, the same each time, and no call."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from attrs import evolve

from adapters.channels.stub_wire import StubWire
from pms_adapters.channels import made_gateways
from pms_adapters.channels.mock import MockGateway, mocked
from pmscore.channels.model.calls import At, Knock, OutcomeKind
from pmscore.channels.model.connections import ConnectionStatus
from pmscore.channels.model.manifest import Lane, Platform
from pmscore.channels.ports import ChannelGateway
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import NotAuthenticatedError
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import FixedClock, MovableClock
from pmscore.testing.gateway_scenes import GatewayScene, ScriptedHostility, Spoken, at_of

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
THREE = ["availability_sync", "pricing_sync", "booking_retrieval"]


def real_gateways(wire: StubWire) -> dict[str, ChannelGateway]:
    return dict(made_gateways(wire, FixedClock(NOW), points=()))


def scene_of(gateway: ChannelGateway) -> GatewayScene:
    clock = MovableClock(NOW)
    platform = RemotePlatform(
        clock=clock, chance=None, rooms={"ONE": ("BAR",), "TWO": ("FLEX",)}, currency="EUR"
    )
    return GatewayScene(
        gateway=gateway,
        platform=platform,
        hostility=ScriptedHostility(),
        clock=clock,
        at=at_of(Spoken(gateway=gateway), platform),
    )


def on(at: At, platform: str, status: ConnectionStatus = ConnectionStatus.ACTIVE) -> At:
    return evolve(at, connection=evolve(at.connection, platform=Platform(platform), status=status))


@pytest.mark.parametrize(
    ("platform", "account", "listing", "capabilities"),
    [
        ("airbnb", "mock_airbnb_host_123456", "mock_listing_987654", THREE),
        ("booking_com", "mock_booking_hotel_789012", "mock_property_345678", [*THREE, "channel_manager"]),
        ("expedia", "mock_expedia_partner_456789", "mock_vrbo_listing_234567", THREE),
        ("fewo_direkt", "mock_fewo_owner_654321", "mock_fewo_property_876543", THREE[:2]),
        ("google", "mock_google_hotel_112233", "mock_google_listing_998877", THREE[:2]),
    ],
)
def test_an_active_connection_shows_the_agreed_account(
    platform: str, account: str, listing: str, capabilities: list[str]
) -> None:
    scene = scene_of(MockGateway(real_gateways(StubWire())["channex"]))
    found = scene.gateway.check(on(scene.at, platform))
    assert (found.is_healthy, found.message, found.error_code) == (True, "Mock: Connection is healthy", "")
    assert found.details == {
        "mock_mode": True,
        "simulated": True,
        "connection_status": "active",
        "note": "This is a simulated response. Set CHANNEL_MOCK_MODE=false for real API calls.",
        "remote_account_id": account,
        "remote_listing_id": listing,
        "capabilities": capabilities,
    }


@pytest.mark.parametrize("status", [each for each in ConnectionStatus if each is not ConnectionStatus.ACTIVE])
def test_a_connection_that_is_not_active_is_not_healthy(status: ConnectionStatus) -> None:
    scene = scene_of(MockGateway(real_gateways(StubWire())["channex"]))
    found = scene.gateway.check(on(scene.at, "airbnb", status))
    assert (found.is_healthy, found.message) == (False, f"Mock: Connection status is {status.value}")
    assert found.error_code == "CONNECTION_INACTIVE"
    assert (found.details["mock_mode"], found.details["connection_status"]) == (True, status.value)


@pytest.mark.parametrize("platform", list(Platform))
def test_every_platform_has_an_account_to_show(platform: Platform) -> None:
    scene = scene_of(MockGateway(real_gateways(StubWire())["channex"]))
    assert scene.gateway.check(on(scene.at, platform.value)).details["remote_account_id"]


def test_no_gateway_calls_anybody_in_mock_mode_and_all_that_the_real_one_can_succeeds() -> None:
    wire = StubWire()
    real = real_gateways(wire)
    assert "channex" in real
    for name, gateway in mocked(real).items():
        scene, manifest = scene_of(gateway), real[name].manifest
        for lane, messages in manifest.messages.items():
            for message in messages:
                result = scene.pushed(lane, scene.entries(message))
                assert (result.outcome.kind, result.refused) == (OutcomeKind.DONE, ())
        pulled = gateway.pull(scene.at, "")
        has_bookings = Lane.BOOKINGS in manifest.lanes
        assert pulled.outcome.kind is (OutcomeKind.DONE if has_bookings else OutcomeKind.REFUSED)
        assert (pulled.revisions, pulled.malformed, pulled.has_more) == ((), (), False)
        assert gateway.acknowledge(scene.at, ()).kind is OutcomeKind.DONE
        outcome, rooms = gateway.rooms(scene.at)
        assert (outcome.kind is OutcomeKind.DONE) == manifest.lists_rooms
        assert [each.room_code for each in rooms] == (["ONE", "TWO"] if manifest.lists_rooms else [])
        nights = DateRange.of(date(2026, 12, 1), 2)
        assert not gateway.manifest.reads_back
        assert gateway.read_back(scene.at, Lane.AVAILABILITY, nights).outcome.error == "not_supported"
        assert gateway.manifest.lanes == manifest.lanes
        assert not gateway.manifest.needs_token
        assert gateway.check(scene.at) == gateway.check(scene.at)
    assert wire.calls == []


def test_a_lane_that_the_real_one_has_not_is_refused() -> None:
    scene = scene_of(MockGateway(real_gateways(StubWire())["channex"]))
    assert scene.pushed(Lane.BOOKINGS, ()).outcome.error == "not_supported"


def test_a_forged_knock_is_refused_in_mock_mode_too() -> None:
    scene = scene_of(MockGateway(real_gateways(StubWire())["channex"]))
    with pytest.raises(NotAuthenticatedError):
        scene.gateway.read_knock(scene.at, Knock(headers={}, body=b"{}", received_at=NOW))
