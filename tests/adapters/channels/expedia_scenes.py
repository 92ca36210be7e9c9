"""A connection to a hotel at Expedia, and a wire that answers as it is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from attrs import evolve

from adapters.channels.stub_wire import StubWire
from pms_adapters.channels.expedia import ExpediaGateway
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, Outcome, Pulled, Push, PushResult
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.model.revisions import Revision, StoredRevision, StoredState
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import BookingId, ConnectionId, MappingId, UnitTypeId
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import FixedClock
from pmscore.testing.draws import Draws
from pmscore.testing.gateway_scenes import Spoken, at_of

DATA = Path(__file__).resolve().parents[2] / "data" / "channels" / "expedia"
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
HOTEL, ROOM, PLAN = "3546", "558945", "556895A"
CREDENTIALS = {"username": Secret("EQCtestuser"), "password": Secret("long-and-secret")}
ADVENT = DateRange(date(2026, 12, 5), date(2026, 12, 9))
EVE = DateRange.of(date(2026, 12, 24), 1)
BOOKING = BookingId(UUID(int=0xB00C))
OWN, TYPE = ConnectionId(UUID(int=0xC0)), UnitTypeId(UUID(int=0xA1))
MAPPED_ROOM = MappedRoom(
    mapping_id=MappingId(UUID(int=1)), connection_id=OWN, unit_type_id=TYPE, room_code=ROOM
)
MAPPED_RATE = MappedRate(
    mapping_id=MappingId(UUID(int=2)),
    connection_id=OWN,
    unit_type_id=TYPE,
    plan="best",
    room_code=ROOM,
    rate_code=PLAN,
    occupancies=(1, 2),
)


def message(name: str) -> bytes:
    """Return a message of the fixtures."""
    return (DATA / f"{name}.xml").read_bytes()


def at_hotel() -> At:
    """Return a connection to the hotel with one room and one rate mapped."""
    clock = FixedClock(NOW)
    spoken = Spoken(gateway=ExpediaGateway(StubWire(), clock), credentials=CREDENTIALS, listing_id=HOTEL)
    rooms = {ROOM: (PLAN,), "other": ("other",)}
    remote = RemotePlatform(clock=clock, chance=Draws(1), rooms=rooms, currency="EUR")
    book = MappingBook((MAPPED_ROOM,), (MAPPED_RATE,))
    return evolve(at_of(spoken, remote), mappings=book, now=NOW + timedelta(hours=1))


def count(nights: DateRange, rooms: int) -> Entry:
    """Return an entry of a number of rooms."""
    return Entry(mapping_id=MAPPED_ROOM.mapping_id, nights=nights, values={(MatrixField.SELLABLE, 0): rooms})


def rated(nights: DateRange, values: dict[tuple[MatrixField, int], int]) -> Entry:
    """Return an entry of the rate."""
    return Entry(mapping_id=MAPPED_RATE.mapping_id, nights=nights, values=values)


def wire_with(body: bytes, status: int = 200, **headers: str) -> StubWire:
    """Return a wire that answers with a body."""
    wire = StubWire()
    wire.answers_with(status, body, **headers)
    return wire


def pushed(wire: StubWire, lane: Lane, *entries: Entry, at: At | None = None) -> PushResult:
    """Push entries through a wire."""
    push = Push(push_id=UUID(int=9), lane=lane, entries=entries)
    return ExpediaGateway(wire, FixedClock(NOW)).push(at or at_hotel(), push)


def pulled(body: bytes, at: At | None = None) -> Pulled:
    """Return what is made of an answer to a retrieval."""
    return ExpediaGateway(wire_with(body), FixedClock(NOW)).pull(at or at_hotel(), "")


def confirmed(wire: StubWire, *stored: StoredRevision, at: At | None = None) -> Outcome:
    """Confirm revisions through a wire."""
    return ExpediaGateway(wire, FixedClock(NOW)).acknowledge(at or at_hotel(), stored)


def stored(revision: Revision, booking_id: BookingId | None = BOOKING) -> StoredRevision:
    """Return a revision as it is kept once it was applied."""
    return StoredRevision(
        revision=revision,
        malformed=None,
        connection_id=OWN,
        revision_id=revision.revision_id,
        state=StoredState.APPLIED,
        received_at=NOW,
        applied_at=NOW,
        booking_id=booking_id,
    )
