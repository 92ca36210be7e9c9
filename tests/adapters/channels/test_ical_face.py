"""A platform that knows us by calendars: what its feeds say, on bad days too, and a month of them and a house."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from attrs import evolve

from adapters.channels.feed_world import (
    UNIT_ROOM,
    FeedWorld,
    exported,
    kept_otherwise,
    room_nights,
    sold_out_otherwise,
)
from adapters.channels.wire_world import Broken, Shorter, wire_world
from adapters.http.receiver import LOOPBACK
from pms_adapters.channels.ical import IcalGateway
from pms_adapters.channels.ical.reader import read_calendar
from pms_adapters.http.door import HttpDoor
from pms_adapters.http.guard import Guard
from pms_adapters.lab.channel_sim.face import FaceSetting, arrived
from pms_adapters.lab.channel_sim.faces.ical import IcalFace, open_ical
from pms_adapters.lab.channel_sim.faces.ical_texts import AIRBNB, VRBO, FeedStyle, taken_nights
from pms_adapters.lab.channel_sim.opening import simulated
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.channels.model.calls import At, OutcomeKind, Pulled
from pmscore.channels.model.revisions import SaleKind
from pmscore.dates.ranges import DateRange
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_judging import lost_or_doubled
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.draws import Draws
from pmscore.testing.gateway_scenes import START, GatewayScene, ScriptedHostility, Spoken, at_of
from pmscore.testing.laws.gateways import GatewayLaws
from pmscore.testing.memory import InMemoryStore

ROOM = "994d1375-dbbd-4072-8724-b2ab32ce781b"
STYLES = pytest.mark.parametrize("style", [AIRBNB, VRBO], ids=["airbnb", "vrbo"])


def face_of(
    platform: RemotePlatform,
    clock: MovableClock,
    style: FeedStyle = AIRBNB,
    hostility: Hostility | None = None,
) -> IcalFace:
    return IcalFace(
        platform, clock=clock, listing_id="house-1", chance=Draws(3), hostility=hostility, style=style
    )


class TestCalendarsOfAPlatformKeepTheLaws(GatewayLaws):
    has_feed = True

    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        face = face_of(platform, clock)
        wire = SimulatedWire((face,), clock=clock, hostility=hostility)
        return Spoken(gateway=IcalGateway(wire, clock), credentials=face.to_enter(face.addresses[0]))


def pair(style: FeedStyle = AIRBNB, dial: int = 0) -> tuple[GatewayScene, IcalFace]:
    """Return a gateway that reads the feed of one room, and the face that shows it."""
    clock, hostility = MovableClock(START), ScriptedHostility()
    hostility.dial = dial
    platform = RemotePlatform(clock=clock, chance=Draws(7), rooms={ROOM: (), "other": ()}, currency="EUR")
    face = face_of(platform, clock, style, hostility)
    gateway = IcalGateway(SimulatedWire((face,), clock=clock), clock)
    address = {f"url.{ROOM}": face.to_enter(face.addresses[0])[f"url.{ROOM}"]}
    at = at_of(Spoken(gateway=gateway, credentials=address), with_rates(platform))
    scene = GatewayScene(gateway=gateway, platform=platform, hostility=hostility, clock=clock, at=at)
    return scene, face


def sold_in(platform: RemotePlatform, room_code: str) -> DateRange:
    while True:
        sold = platform.oversell(date(2026, 12, 5), date(2026, 12, 20))
        if sold.rooms[0].room_code == room_code:
            return DateRange.from_stay(sold.rooms[0].stay)


@STYLES
def test_a_feed_shows_what_stands_guests_and_nights_that_are_only_kept(style: FeedStyle) -> None:
    scene, face = pair(style)
    kept = DateRange.of(date(2027, 1, 4), 5)
    uid = face.keep(ROOM, kept)
    nights = sold_in(scene.platform, ROOM)
    feed = scene.gateway.pull(scene.at, "").feed
    assert feed is not None
    assert feed.room_code == ROOM
    assert [(each.nights, each.kind) for each in feed.stays] == [
        (nights, SaleKind.BOOKING),
        (kept, SaleKind.BLOCK),
    ]
    assert bool(feed.stays[0].reference) is style.tells_code
    assert len({each.uid for each in feed.stays}) == 2
    face.give_back(uid)
    scene.platform.cancel(START.date())
    after = scene.gateway.pull(scene.at, "").feed
    assert after is not None
    assert not {each.uid for each in after.stays} & {each.uid for each in feed.stays}


def test_an_unchanged_feed_is_told_as_such_and_shows_that_it_was_read() -> None:
    scene, _ = pair()
    sold_in(scene.platform, ROOM)
    mine = {each.revision_id for each in scene.platform.pending() if each.rooms[0].room_code == ROOM}
    first = scene.gateway.pull(scene.at, "")
    assert {each.revision_id for each in scene.platform.pending()} >= mine
    later = evolve(scene.at, now=START + timedelta(hours=1))
    second = scene.gateway.pull(later, first.cursor)
    assert second.feed is not None
    assert second.feed.is_unchanged
    assert not {each.revision_id for each in scene.platform.pending()} & mine


def test_only_its_address_opens_a_feed() -> None:
    _, face = pair()
    opens = face.to_enter("")[f"url.{ROOM}"].reveal()
    for method, target, status in (
        ("GET", opens, 200),
        ("POST", opens, 405),
        ("GET", opens[:-1], 403),
        ("GET", opens.replace(ROOM, "nobody"), 404),
        ("GET", opens.replace(".ics", ".txt"), 404),
    ):
        assert face.answer(arrived(method, target, {}, b"")).status == status, target


def test_bad_days_show_nothing_or_little_or_no_calendar_and_never_little_twice_in_a_row() -> None:
    scene, face = pair(dial=100)
    for _ in range(12):
        sold_in(scene.platform, ROOM)
    whole = len(face.events(ROOM))
    cursor, short, seen = "", 0, dict.fromkeys(("whole", "short", "unreadable"), 0)
    now = START
    for _ in range(400):
        now += timedelta(hours=1)
        found = scene.gateway.pull(evolve(scene.at, now=now), cursor)
        if found.feed is None:
            assert found.outcome.kind is OutcomeKind.UNSURE
            seen["unreadable"] += 1
            continue
        cursor = found.cursor
        is_short = not found.feed.is_unchanged and len(found.feed.stays) < whole
        assert not (is_short and short)
        short = is_short
        seen["short" if is_short else "whole"] += 1
    assert min(seen.values()) > 5, seen
    assert set(scene.hostility.faults) == {"feed_empty", "feed_shrunk", "feed_page", "feed_cut"}


def test_a_platform_reads_our_calendar_as_it_is_meant() -> None:
    world = calendar_world(1, days=0, dial=0)
    channel = world.channel
    rooms = {room.room_code: room for room in channel.mappings().rooms}
    nights = room_nights(channel)
    block = DateRange.of(nights.start + timedelta(days=9), 4)
    channel.scene.block(channel.scene.unit().unit_id, block)
    body = exported(channel, rooms[UNIT_ROOM])
    assert taken_nights(body) == (block,)
    zone = channel.scene.house().property.zone
    assert tuple(each.nights for each in read_calendar(body, zone)) == (block,)
    world.sales.read_ours()
    row = world.platform.row(UNIT_ROOM, "", MatrixField.SELLABLE, nights)
    assert [night for night, count in zip(nights.nights(), row, strict=True) if not count] == [
        *block.nights()
    ]


def calendar_world(seed: int, *, days: int, dial: int = 100, breaks: Broken | None = None) -> FeedWorld:
    world = wire_world(
        InMemoryStore(), "ical", seed, days=days, dial=dial, breaks=breaks or (lambda gateway: gateway)
    )
    assert isinstance(world, FeedWorld)
    return world


@pytest.mark.parametrize("seed", [1, 2])
def test_a_house_and_a_platform_agree_by_calendars_alone(seed: int) -> None:
    world = calendar_world(seed, days=5)
    world.live()
    world.settle()
    assert kept_otherwise(world) == ()
    assert sold_out_otherwise(world) == ()
    assert lost_or_doubled(world.channel, world.platform) == ()
    assert world.sales.done["kept"] > 0
    assert world.hostility.faults["feed_empty"] + world.hostility.faults["feed_shrunk"] > 0
    assert world.channel.scene.store.violated_invariants() == ()


class EndsOneLater(Shorter):
    """Takes the day of departure for a night."""

    def pull(self, at: At, cursor: str) -> Pulled:
        found = self._gateway.pull(at, cursor)
        if found.feed is None:
            return found
        stays = tuple(
            evolve(each, nights=DateRange.of(each.nights.start, each.nights.length + 1))
            for each in found.feed.stays
        )
        return evolve(found, feed=evolve(found.feed, stays=stays))


class Deaf(Shorter):
    """Takes every feed for one that has not changed."""

    def pull(self, at: At, cursor: str) -> Pulled:
        found = self._gateway.pull(at, cursor)
        return found if found.feed is None else evolve(found, feed=evolve(found.feed, is_unchanged=True))


@pytest.mark.parametrize("breaks", [Deaf, EndsOneLater])
def test_a_reader_that_mistakes_a_feed_is_found_out(breaks: Broken) -> None:
    world = calendar_world(1, days=2, dial=0, breaks=breaks)
    world.live()
    world.platform.oversell(*(START.date() + timedelta(days=each) for each in (10, 20)))
    world.settle()
    assert lost_or_doubled(world.channel, world.platform)


def test_feeds_are_read_over_http_at_the_addresses_that_are_given_out() -> None:
    clock = MovableClock(START)
    with (
        HttpDoor(Guard(networks=LOOPBACK), clock=clock) as door,
        simulated(("ical",), seed=4, clock=clock) as simulation,
    ):
        (shown,) = simulation.as_json()
        house = simulation.houses["ical"]
        given = house.face.to_enter(simulation.server.url("ical"))
        assert shown["credentials"] == {name: each.reveal() for name, each in given.items()}
        gateway = IcalGateway(door, clock)
        at = at_of(Spoken(gateway=gateway, credentials=given), with_rates(house.face.platform))
        assert gateway.check(at).is_healthy
        found = gateway.pull(at, "")
    assert found.feed is not None
    assert found.has_more
    assert [each.kind for each in found.feed.stays] == [SaleKind.BLOCK]


def test_guests_book_at_a_simulation_of_calendars_and_nobody_does_at_one_of_prices() -> None:
    clock = MovableClock(START)
    with simulated(("ical", "google_ari"), seed=4, clock=clock) as simulation:
        made = [simulation.sell("ical") for _ in range(10)]
        assert any(made)
        assert not any(simulation.sell("google_ari") for _ in range(10))


def with_rates(platform: RemotePlatform) -> RemotePlatform:
    """Return a platform like one whose rooms have a rate each, which the laws' scene asks for."""
    return RemotePlatform(
        clock=MovableClock(START),
        chance=Draws(1),
        rooms=dict.fromkeys(platform.rooms, ("any",)),
        currency="EUR",
    )


def test_a_face_that_plays_in_a_world_keeps_nothing_by_itself() -> None:
    clock = MovableClock(START)
    platform = RemotePlatform(clock=clock, chance=Draws(1), rooms={"a": ()}, currency="EUR")
    setting = FaceSetting(
        clock=clock, chance=Draws(1), rooms={"a": ()}, currency="EUR", listing_id="x", credentials={}
    )
    assert open_ical(evolve(setting, remote=platform)).events("a") == ()
    assert len(open_ical(setting).events("a")) == 1
