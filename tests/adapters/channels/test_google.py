"""Google's hotel prices: the laws of gateways against a face of theirs, golden files, and what is special there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from uuid import UUID

import pytest
from attrs import evolve

from adapters.channels.stub_wire import StubWire
from pms_adapters.channels.google import MANIFEST, GoogleGateway
from pms_adapters.channels.google.export import exported
from pms_adapters.channels.google.mapping import PARTNER_KEY, RULES, SAYS, UNLIMITED, MessageKind
from pms_adapters.channels.google.property_data import property_data
from pms_adapters.channels.google.wire import message, outcome_in
from pms_adapters.lab.channel_sim.face import arrived
from pms_adapters.lab.channel_sim.faces.google import GoogleFace
from pms_adapters.lab.channel_sim.opening import open_house as open_simulated
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pms_adapters.serialization.xml import Node, parse
from pms_adapters.settings import Settings
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, OutcomeKind, Push
from pmscore.channels.model.manifest import Lane, Standing
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.dates.nights import MAX_NIGHTS
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.kernel.events import Json
from pmscore.kernel.ids import ConnectionId, MappingId, UnitTypeId
from pmscore.kernel.secrets import Secret
from pmscore.pricing.model.charges.counting import AgeLimit, Per
from pmscore.pricing.model.charges.fees import Inclusion
from pmscore.pricing.model.tiers import CancellationPolicy, FeeSpec
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_houses import connected, open_house, remote_rooms
from pmscore.testing.channel_judging import differences
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import FixedClock, MovableClock
from pmscore.testing.draws import Draws
from pmscore.testing.gateway_scenes import ScriptedHostility, Spoken, at_of
from pmscore.testing.laws.gateways import GatewayLaws
from pmscore.testing.memory import InMemoryStore
from pmscore.testing.price_scenes import price_book

F = MatrixField
GOLDEN = Path(__file__).parents[2] / "data" / "channels" / "google"
KEY = Secret("partner-key-1")
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
OWN, TYPE = ConnectionId(UUID(int=0xC0)), UnitTypeId(UUID(int=0xA1))
ROOM = MappedRoom(mapping_id=MappingId(UUID(int=1)), connection_id=OWN, unit_type_id=TYPE, room_code="DBL")
RATE = MappedRate(
    mapping_id=MappingId(UUID(int=2)),
    connection_id=OWN,
    unit_type_id=TYPE,
    plan="flex",
    room_code="DBL",
    rate_code="BAR",
)
DECEMBER = DateRange(date(2026, 12, 5), date(2026, 12, 9))
EVE = DateRange.of(date(2026, 12, 24), 1)
SAMPLES = {
    MessageKind.COUNTS: "OTA_HotelInvCountNotifRQ.xml",
    MessageKind.RATES: "OTA_HotelRateAmountNotifRQ.xml",
    MessageKind.RULES: "OTA_HotelAvailNotifRQ.xml",
    MessageKind.ROOMS: "transaction.property-data.xml",
}


def face_of(
    platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility | None = None
) -> GoogleFace:
    return GoogleFace(
        platform, clock=clock, partner_key=KEY, hotel_code="hotel-1", currency="EUR", hostility=hostility
    )


class TestGoogleKeepsTheLaws(GatewayLaws):
    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        face = face_of(platform, clock, hostility)
        wire = SimulatedWire((face,), clock=clock, hostility=hostility)
        return Spoken(gateway=GoogleGateway(wire, clock), partner={PARTNER_KEY: KEY})


def stands(**settings: Json) -> At:
    platform = RemotePlatform(
        clock=FixedClock(NOW), chance=Draws(1), rooms={"DBL": ("BAR",), "SGL": ("BAR",)}, currency="EUR"
    )
    spoken = Spoken(
        gateway=GoogleGateway(StubWire(), FixedClock(NOW)), partner={PARTNER_KEY: KEY}, settings=settings
    )
    return evolve(at_of(spoken, platform), mappings=MappingBook((ROOM,), (RATE,)), now=NOW)


def entry(mapping_id: MappingId, nights: DateRange, values: Mapping[tuple[F, int], int]) -> Entry:
    return Entry(mapping_id=mapping_id, nights=nights, values=values)


SAID = {
    MessageKind.COUNTS: (entry(ROOM.mapping_id, DECEMBER, {(F.SELLABLE, 0): 5}),),
    MessageKind.RATES: (
        entry(RATE.mapping_id, DECEMBER, {(F.RATE, 1): 9_500, (F.RATE, 2): 11_000}),
        entry(RATE.mapping_id, EVE, {(F.RATE, 1): 18_000, (F.RATE, 2): 20_050}),
    ),
    MessageKind.RULES: (
        entry(RATE.mapping_id, DECEMBER, {(F.CLOSED, 0): 0, (F.MIN_STAY_ARRIVAL, 0): 2}),
        entry(
            RATE.mapping_id,
            EVE,
            {
                (F.CLOSED, 0): 1,
                (F.CLOSED_TO_ARRIVAL, 0): 1,
                (F.CLOSED_TO_DEPARTURE, 0): 0,
                (F.MIN_STAY_ARRIVAL, 0): 0,
                (F.MAX_STAY_ARRIVAL, 0): 0,
                (F.MIN_STAY_THROUGH, 0): 3,
                (F.MAX_STAY_THROUGH, 0): 14,
            },
        ),
    ),
}


def said(kind: MessageKind, at: At | None = None) -> bytes:
    if kind is MessageKind.ROOMS:
        return rooms_and_packages()
    return message(at or stands(), SAID[kind], token="t-1", partner="partner_key").body


def rooms_and_packages() -> bytes:
    return packages(CancellationPolicy.free_until(1, time(18), then=FeeSpec.whole()))


def packages(cancellation: CancellationPolicy) -> bytes:
    """Return the message about a room and a plan with these terms."""
    scene = open_house(InMemoryStore(), "google")
    type_id, whole = scene.type_ids[1], price_book(scene)
    flex = next(each for each in whole.plans if each.code == "flex")
    breakfast = Inclusion(
        code="breakfast", per=Per.PERSON_NIGHT, amount=900, category="food", counted=AgeLimit()
    )
    book = evolve(
        whole,
        plans=(evolve(flex, inclusions=("breakfast",)),),
        rules=(),
        inclusions=(breakfast,),
        terms={"usual": evolve(whole.terms["usual"], cancellation=cancellation)},
    )
    mappings = MappingBook((evolve(ROOM, unit_type_id=type_id),), (evolve(RATE, unit_type_id=type_id),))
    at = evolve(stands(), mappings=mappings)
    return property_data(at, scene.house(), book, token="t-1", partner="partner_key")


@pytest.mark.parametrize(
    ("cancellation", "said_of_it"),
    [
        (CancellationPolicy.non_refundable(), [{"available": "false"}]),
        (CancellationPolicy(), []),
        (
            CancellationPolicy.free_until(3, time(12), then=FeeSpec.of_nights(1)),
            [{"available": "true", "refundable_until_days": "3", "refundable_until_time": "12:00:00"}],
        ),
    ],
)
def test_when_a_stay_can_be_given_back_is_told_where_one_date_says_it(
    cancellation: CancellationPolicy, said_of_it: list[dict[str, str]]
) -> None:
    assert [dict(each.attr) for each in parse(packages(cancellation)).walk("Refundable")] == said_of_it


@pytest.mark.parametrize("kind", sorted(MessageKind))
def test_messages_are_those_of_the_golden_files(kind: MessageKind) -> None:
    assert said(kind) == (GOLDEN / f"{kind.value}.xml").read_bytes()


def shape(node: Node, above: str = "") -> Iterator[str]:
    """Yield each element and attribute with the way to it."""
    here = f"{above}/{node.name}"
    yield here
    yield from (f"{here}@{name}" for name in node.attr)
    for each in node.elements:
        yield from shape(each, here)


@pytest.mark.parametrize("kind", sorted(MessageKind))
def test_messages_have_nothing_that_the_published_ones_have_not(kind: MessageKind, shared_dir: Path) -> None:
    sample = parse((shared_dir / "specs" / "google-hotel" / SAMPLES[kind]).read_bytes())
    ours = parse(said(kind))
    assert {*shape(ours)} <= {*shape(sample)}
    left_out = {each.rpartition("@")[2].rpartition("/")[2] for each in {*shape(sample)} - {*shape(ours)}}
    days = {"Mon", "Tue", "Weds", "Thur", "Fri", "Sat", "Sun"}
    assert left_out <= days | {"AmountBeforeTax", "RatePlanType"}


@pytest.mark.parametrize(
    ("name", "kind"), [("answer.success.xml", OutcomeKind.DONE), ("answer.error.xml", OutcomeKind.REFUSED)]
)
def test_published_answers_are_read(name: str, kind: OutcomeKind, shared_dir: Path) -> None:
    body = (shared_dir / "specs" / "google-hotel" / name).read_bytes()
    found = outcome_in(body, MessageKind.RATES, token="12345678")
    assert found.kind is kind
    other = outcome_in(body, MessageKind.RATES, token="another")
    assert other.kind is OutcomeKind.UNSURE


def answer(
    inside: str, kind: MessageKind = MessageKind.COUNTS, token: str = "00000000-0000-0000-0000-0000000000aa"
) -> bytes:
    name = f"{SAYS[kind].name}RS"
    return f'<{name} EchoToken="{token}" Version="3.0">{inside}</{name}>'.encode()


@pytest.mark.parametrize(
    ("body", "kind", "word"),
    [
        (answer("<Success/>"), OutcomeKind.DONE, ""),
        (answer('<Errors><Error Code="1001" ShortText="bad room"/></Errors>'), OutcomeKind.REFUSED, "bad room"),
        (answer('<Errors><Error Code="448"/></Errors>'), OutcomeKind.DOWN, "448"),
        (answer('<Errors><Error Code="448"/><Error Code="1001"/></Errors>'), OutcomeKind.REFUSED, "448"),
        (answer("<Success/><Warnings><Warning>no such rate</Warning></Warnings>"), OutcomeKind.REFUSED, "no such rate"),
        (answer(""), OutcomeKind.UNSURE, "shape"),
        (answer("<Success/>", MessageKind.RATES), OutcomeKind.UNSURE, "shape"),
        (answer("<Success/>", token="another"), OutcomeKind.UNSURE, "shape"),
        (answer("<Success/>")[:-9], OutcomeKind.UNSURE, "unreadable"),
        (b"<!DOCTYPE html><html></html>", OutcomeKind.UNSURE, "unreadable"),
        (b"", OutcomeKind.UNSURE, "unreadable"),
    ],
)  # fmt: skip
def test_an_answer_is_success_only_where_it_says_so_and_nothing_else(
    body: bytes, kind: OutcomeKind, word: str
) -> None:
    wire = StubWire()
    wire.answers_with(200, body)
    push = Push(push_id=UUID(int=0xAA), lane=Lane.AVAILABILITY, entries=SAID[MessageKind.COUNTS])
    outcome = GoogleGateway(wire, FixedClock(NOW)).push(stands(), push).outcome
    assert outcome.kind is kind
    assert word in outcome.error


def test_without_the_key_of_a_partner_nothing_is_sent() -> None:
    wire = StubWire()
    gateway = GoogleGateway(wire, FixedClock(NOW))
    at = evolve(stands(), partner={})
    push = Push(push_id=UUID(int=0xAA), lane=Lane.AVAILABILITY, entries=SAID[MessageKind.COUNTS])
    outcome = gateway.push(at, push).outcome
    assert (outcome.kind, outcome.error) == (OutcomeKind.UNAUTHORISED, "partner_settings_missing")
    assert gateway.check(at).error_code == "PARTNER_KEY_MISSING"
    assert not wire.calls


def test_amounts_are_final_unless_a_connection_says_that_taxes_come_on_top() -> None:
    assert b"AmountAfterTax" in said(MessageKind.RATES)
    before = said(MessageKind.RATES, stands(amounts="before_tax"))
    assert b"AmountBeforeTax" in before
    assert b"AmountAfterTax" not in before


def test_what_is_open_is_said_before_every_rule() -> None:
    told = parse(said(MessageKind.RULES))
    statuses = [each.at("RestrictionStatus") for each in told.walk("AvailStatusMessage")]
    words = ["" if each is None else each.attr["Restriction"] for each in statuses]
    assert words == ["Master", "Master", "", "", "Arrival", "Departure"]
    assert UNLIMITED > 30
    assert UNLIMITED <= MAX_NIGHTS


def rooms_face() -> tuple[GoogleFace, RemotePlatform]:
    clock = MovableClock(NOW)
    platform = RemotePlatform(
        clock=clock, chance=Draws(1), rooms={"DBL": ("BAR",), "SGL": ("BAR",)}, currency="EUR"
    )
    return face_of(platform, clock), platform


def sent(face: GoogleFace, kind: MessageKind, body: bytes) -> Node:
    found = face.answer(arrived("POST", f"/{SAYS[kind].path}", {}, body))
    assert found.status == 200, found
    return parse(found.body)


def told(face: GoogleFace, *entries: Entry) -> Node:
    made = message(stands(), entries, token="t-2", partner=KEY.reveal())
    return sent(face, made.kind, made.body)


def test_a_product_is_closed_until_it_is_opened() -> None:
    face, _ = rooms_face()
    night = DECEMBER.start
    told(face, *SAID[MessageKind.COUNTS])
    told(face, entry(RATE.mapping_id, DECEMBER, {(F.RATE, 2): 11_000}))
    assert not face.is_for_sale("DBL", "BAR", night)
    told(face, entry(RATE.mapping_id, DECEMBER, {(F.CLOSED, 0): 0}))
    assert face.is_for_sale("DBL", "BAR", night)
    told(face, entry(RATE.mapping_id, DECEMBER, {(F.CLOSED, 0): 1}))
    assert not face.is_for_sale("DBL", "BAR", night)


def test_rates_replace_those_of_all_numbers_of_guests_so_they_are_said_whole() -> None:
    face, platform = rooms_face()
    told(face, entry(RATE.mapping_id, DECEMBER, {(F.RATE, 1): 9_500, (F.RATE, 2): 11_000}))
    told(face, entry(RATE.mapping_id, DateRange.of(DECEMBER.start, 1), {(F.RATE, 2): 12_000}))
    row = platform.row("DBL", "BAR", F.RATE, DateRange.of(DECEMBER.start, 2), occupancy=1)
    assert row == (None, 9_500)
    assert MANIFEST.whole == {F.RATE}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"hotel-1", b"hotel-2"),
        (b'"DBL"', b'"TRP"'),
        (b'"BAR"', b'"NONE"'),
        (b"2026-12-08", b"2026-12-32"),
        (b"2026-12-08", b"2026-12-01"),
        (b'"EUR"', b'"USD"'),
        (b'EchoToken="t-1"', b'EchoToken="t 1"'),
        (b"95.00", b"95,00"),
        (b"RateAmountMessages ", b"Messages "),
    ],
)  # fmt: skip
def test_a_face_refuses_what_is_wrong_and_takes_nothing_of_it(old: bytes, new: bytes) -> None:
    face, platform = rooms_face()
    body = said(MessageKind.RATES).replace(b'ID="partner_key"', b'ID="partner-key-1"')
    wrong = body.replace(old, new).replace(
        b"/RateAmountMessages>", b"/Messages>" if new == b"Messages " else b"/RateAmountMessages>"
    )
    assert wrong != body
    found = sent(face, MessageKind.RATES, wrong)
    assert found.at("Errors", "Error") is not None
    assert not platform.told
    assert sent(face, MessageKind.RATES, body).child("Success") is not None
    assert platform.told


def test_a_partner_that_nobody_knows_is_not_let_in() -> None:
    face, _ = rooms_face()
    path = f"/{SAYS[MessageKind.COUNTS].path}"
    assert face.answer(arrived("POST", path, {}, said(MessageKind.COUNTS))).status == 403
    assert face.answer(arrived("POST", path, {}, b"<not xml")).status == 400
    assert face.answer(arrived("POST", "/price", {}, b"")).status == 404
    assert face.answer(arrived("GET", path, {}, b"")).status == 404


def test_files_say_all_that_a_hotel_has_to_the_last_cell() -> None:
    store, clock = InMemoryStore(), MovableClock(NOW)
    scene = open_house(store, "export")
    gateway = GoogleGateway(StubWire(), clock)
    channel = connected(store, scene, gateway)
    platform = RemotePlatform(
        clock=scene.clock, chance=Draws(1), rooms=remote_rooms(MANIFEST), currency="EUR"
    )
    face = GoogleFace(
        platform,
        clock=scene.clock,
        partner_key=Secret("partner_key"),
        hotel_code="house-1",
        currency="EUR",
    )
    at = evolve(
        stands(),
        connection=channel.connection(),
        mappings=channel.mappings(),
        partner={},
        zone=Zone("Europe/Berlin"),
        now=scene.clock.now(),
    )
    with scene.begin() as work:
        book = work.prices.find(scene.property_id)
    rows = {lane: channel.wanted(lane) for lane in MANIFEST.messages}
    files = exported(at, scene.house(), book, rows)
    assert differences(channel, platform)
    kinds = [MessageKind(each.name.partition("-")[2].removesuffix(".xml")) for each in files]
    assert [*dict.fromkeys(kinds)] == [*MessageKind]
    assert [each.name[:3] for each in files] == [f"{number:03}" for number in range(1, len(files) + 1)]
    assert b"<PackageID>" in files[0].body
    for kind, each in zip(kinds[1:], files[1:], strict=True):
        assert sent(face, kind, each.body).child("Success") is not None
    assert differences(channel, platform) == ()


def test_the_manifest_tells_that_nobody_has_sent_anything_yet() -> None:
    assert MANIFEST.standing is Standing.NEEDS_ACCOUNT
    assert any("never run" in each for each in MANIFEST.evidence)
    assert MANIFEST.fields_of(Lane.PRICING) >= RULES
    assert MANIFEST.partner_settings == (PARTNER_KEY,)
    assert Lane.BOOKINGS not in MANIFEST.lanes


def test_the_key_of_the_partner_is_a_setting_of_the_deployment_and_shows_nowhere() -> None:
    found = Settings.from_mapping({"GOOGLE_HOTELS_PARTNER_KEY": KEY.reveal()})
    assert dict(found.channel_partner) == {PARTNER_KEY: KEY}
    assert KEY.reveal() not in repr(found)
    assert Settings.from_mapping({}).channel_partner == ()


def test_a_simulated_hotel_can_be_opened() -> None:
    clock = MovableClock(NOW)
    house = open_simulated("google_ari", seed=3, clock=clock)
    gateway = GoogleGateway(SimulatedWire((house.face,), clock=clock), clock)
    spoken = Spoken(
        gateway=gateway, partner={PARTNER_KEY: house.credentials[PARTNER_KEY]}, listing_id=house.listing_id
    )
    assert gateway.check(at_of(spoken, house.face.platform)).is_healthy
