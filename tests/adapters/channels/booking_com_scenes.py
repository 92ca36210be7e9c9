"""A house on Booking.com for tests: two rooms and a rate each, messages of ours, and a wire that answers with them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from attrs import evolve
from lxml import etree

from adapters.channels.stub_wire import StubWire
from pms_adapters.channels.booking_com import BookingComGateway
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, Push, PushResult
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import ConnectionId, MappingId, UnitTypeId
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import FixedClock
from pmscore.testing.draws import Draws
from pmscore.testing.gateway_scenes import START, Spoken, at_of

DATA = Path(__file__).parents[2] / "data" / "channels" / "booking_com"
HOTEL, ROOM, RATE = "998877", "1234501", "111222"
PARTNER = {
    "booking_com_client_id": Secret("5B5DCB72-client"),
    "booking_com_client_secret": Secret("long-and-secret-77"),
}
TOKEN = Secret("header.claims.signature")
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
    rate_code=RATE,
)
PUSH_ID = UUID(int=0xF00D)


def message(name: str) -> bytes:
    return (DATA / f"{name}.xml").read_bytes()


def at_hotel(**settings: str) -> At:
    """Return on whose behalf the gateway is asked: a hotel whose token is good."""
    rooms = {ROOM: (RATE,), "1234502": ("111333",)}
    platform = RemotePlatform(clock=FixedClock(START), chance=Draws(1), rooms=rooms, currency="EUR")
    gateway = BookingComGateway(StubWire(), FixedClock(START))
    spoken = Spoken(gateway=gateway, partner=PARTNER, listing_id=HOTEL, settings=settings)
    mappings = MappingBook((MAPPED_ROOM,), (MAPPED_RATE,))
    return evolve(at_of(spoken, platform), mappings=mappings, token=TOKEN)


def wire_with(body: bytes, status: int = 200, **headers: str) -> StubWire:
    wire = StubWire()
    wire.answers_with(status, body, **headers)
    return wire


def asked(wire: StubWire) -> BookingComGateway:
    return BookingComGateway(wire, FixedClock(START))


def entry(nights: DateRange, values: dict[tuple[MatrixField, int], int]) -> Entry:
    is_count = any(name is MatrixField.SELLABLE for name, _ in values)
    mapped = MAPPED_ROOM if is_count else MAPPED_RATE
    return Entry(mapping_id=mapped.mapping_id, nights=nights, values=values)


def pushed(wire: StubWire, *entries: Entry) -> PushResult:
    is_count = all((MatrixField.SELLABLE, 0) in each.values for each in entries)
    lane = Lane.AVAILABILITY if is_count else Lane.PRICING
    return asked(wire).push(at_hotel(), Push(push_id=PUSH_ID, lane=lane, entries=entries))


def is_same(written: bytes, expected: bytes) -> bool:
    """Return whether two documents say the same, but for white space between elements."""
    parser = etree.XMLParser(remove_blank_text=True)
    first, second = (etree.fromstring(each, parser) for each in (written, expected))
    return etree.tostring(first, method="c14n") == etree.tostring(second, method="c14n")


def answer(name: str, said: str) -> bytes:
    return f'<{name} xmlns="http://www.opentravel.org/OTA/2003/05">{said}</{name}>'.encode()
