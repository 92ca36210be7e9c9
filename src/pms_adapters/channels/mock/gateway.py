"""A gateway in mock mode: the manifest of the real one, answers without a call, the same ones each time.

Owns what is answered and the accounts that are shown. Everything that it says about a connection is flagged
``mock_mode``. Leaves whether the deployment is in mock mode to the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import evolve, frozen

from pmscore.channels.model.calls import (
    At,
    Health,
    Knock,
    Outcome,
    OutcomeKind,
    Pulled,
    Push,
    PushResult,
    RemoteRate,
    RemoteRoom,
)
from pmscore.channels.model.connections import ConnectionStatus
from pmscore.channels.model.manifest import Lane, Manifest, Platform
from pmscore.channels.model.revisions import StoredRevision
from pmscore.channels.ports import ChannelGateway, GatewayBase
from pmscore.kernel.events import Json

__all__ = ["MockGateway", "mocked"]

NOTE: Final = "This is a simulated response. Set CHANNEL_MOCK_MODE=false for real API calls."

_DONE: Final = Outcome(OutcomeKind.DONE)
_PUSHES: Final = ("availability_sync", "pricing_sync")
_ALL: Final = (*_PUSHES, "booking_retrieval")


@frozen
class _Account:
    """What a mock connection shows of the other side."""

    account: str
    listing: str
    capabilities: tuple[str, ...]


_ACCOUNTS: Final[Mapping[Platform, _Account]] = {
    Platform.AIRBNB: _Account("mock_airbnb_host_123456", "mock_listing_987654", _ALL),
    Platform.BOOKING_COM: _Account(
        "mock_booking_hotel_789012", "mock_property_345678", (*_ALL, "channel_manager")
    ),
    Platform.EXPEDIA: _Account("mock_expedia_partner_456789", "mock_vrbo_listing_234567", _ALL),
    Platform.FEWO_DIREKT: _Account("mock_fewo_owner_654321", "mock_fewo_property_876543", _PUSHES),
    Platform.GOOGLE: _Account("mock_google_hotel_112233", "mock_google_listing_998877", _PUSHES),
    Platform.CHANNEX: _Account(
        "mock_channex_account_223344", "mock_channex_property_556677", (*_ALL, "channel_manager")
    ),
    Platform.ALPINEBITS: _Account(
        "mock_alpinebits_partner_334455",
        "mock_alpinebits_hotel_667788",
        ("availability_sync", "booking_retrieval"),
    ),
}


def mocked(gateways: Mapping[str, ChannelGateway]) -> Mapping[str, ChannelGateway]:
    """Return every gateway in mock mode."""
    return {name: MockGateway(each) for name, each in gateways.items()}


class MockGateway(GatewayBase):
    """Stands for ``gateway``, which is asked for its manifest and to read knocks, neither of which is a call."""

    def __init__(self, gateway: ChannelGateway) -> None:
        self._gateway = gateway

    @property
    def manifest(self) -> Manifest:
        """What the real one can, but for limits, tokens and reading back: there is nobody to limit or to read."""
        return evolve(self._gateway.manifest, calls=(), needs_token=False, reads_back=False)

    def check(self, at: At) -> Health:
        """Return healthy for an active connection, and for every other one its status."""
        status, account = at.connection.status, _ACCOUNTS[at.connection.platform]
        capabilities: list[Json] = [*account.capabilities]
        details: dict[str, Json] = {
            "mock_mode": True,
            "simulated": True,
            "connection_status": status.value,
            "note": NOTE,
            "remote_account_id": account.account,
            "remote_listing_id": account.listing,
            "capabilities": capabilities,
        }
        if status is ConnectionStatus.ACTIVE:
            return Health(is_healthy=True, message="Mock: Connection is healthy", details=details)
        return Health(
            is_healthy=False,
            message=f"Mock: Connection status is {status.value}",
            error_code="CONNECTION_INACTIVE",
            details=details,
        )

    def rooms(self, at: At) -> tuple[Outcome, tuple[RemoteRoom, ...]]:
        """Return the rooms and rates that are mapped, as if the platform knew them; refused where the real one is."""
        if not self._gateway.manifest.lists_rooms:
            return super().rooms(at)
        return _DONE, tuple(
            RemoteRoom(
                room.room_code,
                f"Mock: {room.room_code}",
                tuple(
                    RemoteRate(room.room_code, rate.rate_code, f"Mock: {rate.rate_code}", rate.occupancies)
                    for rate in at.mappings.rates
                    if rate.room_code == room.room_code
                ),
            )
            for room in at.mappings.rooms
        )

    def push(self, at: At, push: Push) -> PushResult:
        """Take everything, in a lane that the real one has."""
        if push.lane not in self._gateway.manifest.messages:
            return super().push(at, push)
        return PushResult(_DONE)

    def pull(self, at: At, cursor: str) -> Pulled:
        """Return that nothing was sold."""
        if Lane.BOOKINGS not in self._gateway.manifest.lanes:
            return super().pull(at, cursor)
        return Pulled(outcome=_DONE, cursor=cursor)

    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:  # noqa: ARG002
        """Take note."""
        return _DONE

    def read_knock(self, at: At, knock: Knock) -> Pulled:
        """Let the real one judge: that is no call."""
        return self._gateway.read_knock(at, knock)
