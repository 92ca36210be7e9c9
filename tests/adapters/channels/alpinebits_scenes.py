"""What the tests of AlpineBits share: a hotel with two mapped rooms, the samples, and answers to a gateway."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email.parser import BytesParser
from functools import cache
from pathlib import Path
from uuid import UUID

from attrs import evolve
from lxml import etree

from adapters.channels.stub_wire import StubWire
from pms_adapters.channels.alpinebits import AlpineBitsGateway
from pms_adapters.http.door import Call
from pms_adapters.serialization.xml import Element, Node, element, parse, written
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, Pulled, Push
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import ConnectionId, MappingId, UnitTypeId
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import FixedClock
from pmscore.testing.gateway_scenes import Spoken, at_of

DATA = Path(__file__).resolve().parents[2] / "data" / "channels" / "alpinebits"
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
NAMESPACE = "http://www.opentravel.org/OTA/2003/05"
ADDRESS = "https://portal.example/alpinebits"
HOTEL = "123"
CREDENTIALS = {"username": Secret("frangart-inn"), "password": Secret("long-and-secret")}
OWN, TYPE = ConnectionId(UUID(int=0xC0)), UnitTypeId(UUID(int=0xA1))


def room(number: int, code: str) -> MappedRoom:
    return MappedRoom(
        mapping_id=MappingId(UUID(int=number)), connection_id=OWN, unit_type_id=TYPE, room_code=code
    )


DOUBLE, SUITE = room(1, "DOUBLE"), room(2, "bigsuite")
RATE = MappedRate(
    mapping_id=MappingId(UUID(int=3)),
    connection_id=OWN,
    unit_type_id=TYPE,
    plan="best",
    room_code="bigsuite",
    rate_code="123456-xyz",
)


FREE = Push(
    push_id=UUID(int=9),
    lane=Lane.AVAILABILITY,
    entries=(
        Entry(
            mapping_id=DOUBLE.mapping_id,
            nights=DateRange(date(2020, 8, 11), date(2020, 8, 21)),
            values={(MatrixField.SELLABLE, 0): 1},
        ),
    ),
)


def made_at() -> At:
    clock = FixedClock(NOW)
    spoken = Spoken(
        gateway=AlpineBitsGateway(StubWire(), clock),
        credentials=CREDENTIALS,
        listing_id=HOTEL,
        settings={"base_url": f"{ADDRESS}/"},
    )
    scene = RemotePlatform(
        clock=clock, chance=None, rooms={"one": ("rate",), "two": ("rate",)}, currency="EUR"
    )
    return evolve(at_of(spoken, scene), mappings=MappingBook((DOUBLE, SUITE), (RATE,)))


def answering(body: bytes, status: int = 200) -> tuple[AlpineBitsGateway, StubWire]:
    wire = StubWire()
    wire.answers_with(status, body)
    return AlpineBitsGateway(wire, FixedClock(NOW)), wire


def pulled(body: bytes) -> Pulled:
    return answering(body)[0].pull(made_at(), "")


def sample(name: str) -> bytes:
    return (DATA / f"{name}.xml").read_bytes()


def document(root: Element) -> bytes:
    return written(root, namespace=NAMESPACE)


def sold(*reservations: Element) -> bytes:
    """Return the answer that tells of some reservations."""
    listed = element("ReservationsList", *reservations)
    return document(element("OTA_ResRetrieveRS", element("Success"), listed, Version="7.000"))


def form_of(call: Call) -> dict[str, bytes]:
    """Return the fields of a form, read by the library of mail."""
    kind = str(call.headers["content-type"])
    message = BytesParser().parsebytes(f"content-type: {kind}\r\n\r\n".encode() + call.body)
    return {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
        for part in message.get_payload()
    }


def request_of(call: Call) -> bytes:
    return form_of(call)["request"]


def bare(body: bytes, *ignored: str) -> Node:
    """Return a document without attributes that do not matter."""

    def stripped(node: Node) -> Node:
        attr = {name: value for name, value in node.attr.items() if name not in {"schemaLocation", *ignored}}
        return evolve(node, attr=attr, elements=tuple(map(stripped, node.elements)))

    return stripped(parse(body))


@cache
def schema(path: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(path))


def check(body: bytes, path: Path = DATA / "requests.xsd") -> None:
    """Hold a document to a schema.

    Raises:
        etree.DocumentInvalid: it breaks it; says where.
    """
    schema(path).assertValid(etree.fromstring(body))
