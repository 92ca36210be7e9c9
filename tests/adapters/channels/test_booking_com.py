"""The gateway to Booking.com: the laws of gateways against a face of theirs, and the engine at its tokens and queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from attrs import evolve, frozen

from adapters.channels.booking_com_scenes import HOTEL, PARTNER
from adapters.channels.wire_world import Broken, Shorter
from pms_adapters.channels.booking_com import MANIFEST, BookingComGateway
from pms_adapters.lab.channel_sim.faces.booking_com import BookingComFace
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.channels.model.calls import At, Outcome, OutcomeKind, Pulled, Push, PushResult
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.revisions import IssueKind, StoredRevision, StoredState
from pmscore.channels.reactions.running import LaneReport
from pmscore.dates.ranges import DateRange
from pmscore.kernel.paging import Page
from pmscore.testing.channel_hostility import FateKind
from pmscore.testing.channel_houses import ConnectedHouse, connected, open_house, remote_rooms
from pmscore.testing.channel_judging import lost_or_doubled
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.draws import Draws
from pmscore.testing.gateway_scenes import ScriptedHostility, Spoken, fate
from pmscore.testing.laws.gateways import GatewayLaws
from pmscore.testing.memory import InMemoryStore

LOST = Outcome(OutcomeKind.UNSURE, "lost")


def face_of(
    platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility, hotel: str
) -> BookingComFace:
    return BookingComFace(
        platform,
        clock=clock,
        client_id=PARTNER["booking_com_client_id"],
        client_secret=PARTNER["booking_com_client_secret"],
        hotel_code=hotel,
        currency="EUR",
        hostility=hostility,
        occupancies=(1, 2),
    )


class Laws(GatewayLaws):
    gateway: Callable[..., BookingComGateway] = BookingComGateway

    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        face = face_of(platform, clock, hostility, HOTEL)
        wire = SimulatedWire((face,), clock=clock, hostility=hostility)
        return Spoken(gateway=type(self).gateway(wire, clock), partner=PARTNER, listing_id=HOTEL)


class TestBookingComKeepsTheLaws(Laws):
    pass


class EndsOneLater(BookingComGateway):
    def push(self, at: At, push: Push) -> PushResult:
        entries = tuple(
            evolve(each, nights=DateRange.of(each.nights.start, each.nights.length + 1))
            for each in push.entries
        )
        return super().push(at, evolve(push, entries=entries))


class Lenient(BookingComGateway):
    def push(self, at: At, push: Push) -> PushResult:
        result = super().push(at, push)
        is_refused = result.outcome.kind is OutcomeKind.REFUSED
        return PushResult(evolve(result.outcome, kind=OutcomeKind.DONE)) if is_refused else result


class OneByOne(BookingComGateway):
    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:
        return [super(OneByOne, self).acknowledge(at, (each,)) for each in revisions][-1]


@pytest.mark.parametrize(
    ("gateway", "law"),
    [
        (OneByOne, "test_an_acknowledgement_is_one_call"),
        (EndsOneLater, "test_every_declared_field_arrives_on_its_nights_and_on_no_other"),
        (Lenient, "test_what_the_platform_does_not_know_is_refused_by_name"),
    ],
)
def test_the_laws_catch_a_gateway_that_breaks_them(gateway: type[BookingComGateway], law: str) -> None:
    broken = type("Broken", (Laws,), {"gateway": gateway})()
    with pytest.raises(AssertionError):
        getattr(broken, law)()


@frozen(kw_only=True)
class Scene:
    """A house on Booking.com, the engine between them, and what goes wrong on the way, call by call."""

    channel: ConnectedHouse
    face: BookingComFace
    hostility: ScriptedHostility
    clock: MovableClock

    @property
    def platform(self) -> RemotePlatform:
        return self.face.platform

    def run(self, lane: Lane) -> LaneReport:
        return self.channel.run(lane)

    def heard(self) -> None:
        """Let the lane of bookings run until both queues were looked into; the second has to wait for the first."""
        for _ in range(2):
            self.run(Lane.BOOKINGS)
            self.clock.advance(timedelta(seconds=7))

    def sold(self) -> str:
        day = self.clock.now().date() + timedelta(days=3)
        return self.platform.oversell(day, day + timedelta(days=20)).booking_key


def scene_of(breaks: Broken = lambda gateway: gateway, **settings: bool) -> Scene:
    store, hostility = InMemoryStore(), ScriptedHostility()
    scene = open_house(store, "booking_com")
    rooms = remote_rooms(MANIFEST)
    platform = RemotePlatform(clock=scene.clock, chance=Draws(3), rooms=rooms, currency="EUR")
    face = face_of(platform, scene.clock, hostility, "house-1")
    wire = SimulatedWire((face,), clock=scene.clock, hostility=hostility)
    gateway = breaks(Shorter(BookingComGateway(wire, scene.clock)))
    channel = connected(store, scene, gateway, settings={"sends_ari": True} | settings, partner=PARTNER)
    return Scene(channel=channel, face=face, hostility=hostility, clock=scene.clock)


class Unlimited(Shorter):
    """Says that there are no limits."""

    def __init__(self, gateway: Shorter) -> None:
        super().__init__(gateway)
        self.manifest = evolve(self.manifest, calls=())


@pytest.mark.parametrize("lane", [Lane.AVAILABILITY, Lane.PRICING])
def test_of_what_was_not_proved_nothing_is_sent_unless_somebody_wants_it(lane: Lane) -> None:
    told = []
    for wants in (False, True):
        scene = scene_of(sends_ari=wants)
        report = scene.run(lane)
        assert report.end is not None
        assert (report.end.outcome.kind, scene.channel.dirt(lane)) == (OutcomeKind.DONE, ())
        told.append(scene.platform.told > 0)
    assert told == [False, True]


def test_three_lanes_share_one_token_for_as_long_as_it_lasts() -> None:
    scene = scene_of()
    for lane in Lane:
        scene.run(lane)
    assert scene.face.exchanges == 1
    scene.clock.advance(timedelta(minutes=58))
    scene.run(Lane.BOOKINGS)
    assert scene.face.exchanges == 1
    scene.clock.advance(timedelta(minutes=3))
    report = scene.run(Lane.BOOKINGS)
    assert scene.face.exchanges == 2
    assert report.end is not None


def test_a_token_that_is_taken_no_more_is_exchanged_once() -> None:
    scene = scene_of()
    scene.run(Lane.AVAILABILITY)
    scene.hostility.meets(fate(FateKind.TOKEN_EXPIRED))
    scene.channel.make_dirty(Lane.AVAILABILITY, forgets=True)
    report = scene.run(Lane.AVAILABILITY)
    assert report.end is not None
    assert (report.end.outcome.kind, scene.face.exchanges) == (OutcomeKind.DONE, 2)


def exchanged_in_an_hour(breaks: Broken) -> int:
    """Let every token be refused as soon as it was given out, for an hour; return how many were asked for."""
    scene = scene_of(breaks)
    ends = scene.clock.now() + timedelta(minutes=55)
    while scene.clock.now() < ends:
        scene.face.expire_token()
        scene.run(Lane.BOOKINGS)
        scene.clock.advance(timedelta(minutes=1))
    return scene.face.exchanges


def test_no_more_tokens_are_asked_for_than_they_give_out_and_would_be_without_a_count() -> None:
    assert 25 <= exchanged_in_an_hour(lambda gateway: gateway) <= 30
    assert exchanged_in_an_hour(Unlimited) > 30


def hurried(breaks: Broken) -> tuple[int, int]:
    """Look each second, whatever was said just before; return how often that was too soon, and what is not known yet."""
    scene = scene_of(breaks)
    for second in range(40):
        if second in {0, 9, 18}:
            scene.sold()
        scene.run(Lane.BOOKINGS)
        scene.clock.advance(timedelta(seconds=1))
    return scene.face.hurried, len(scene.platform.pending())


def test_a_queue_rests_for_five_seconds_after_an_acknowledgement_and_would_not_without_a_limit() -> None:
    assert hurried(lambda gateway: gateway) == (0, 0)
    too_soon, _ = hurried(Unlimited)
    assert too_soon > 0


class Halting(Shorter):
    """Hears nothing of what is told, or has nothing taken that it says, for a while."""

    hears = True
    speaks = True

    def pull(self, at: At, cursor: str) -> Pulled:
        found = self._gateway.pull(at, cursor)
        return found if self.hears else Pulled(outcome=LOST, cursor=cursor)

    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:
        return self._gateway.acknowledge(at, revisions) if self.speaks else LOST


def test_what_changed_and_did_not_arrive_is_not_acknowledged_unseen() -> None:
    scene = scene_of(Halting)
    gateway, day = scene.channel.gateway, scene.clock.now().date()
    assert isinstance(gateway, Halting)
    scene.sold()
    scene.heard()
    gateway.speaks = False
    assert scene.platform.change(day, is_blind=True)
    scene.heard()
    assert scene.platform.change(day, is_blind=True)
    scene.run(Lane.BOOKINGS)
    scene.clock.advance(timedelta(seconds=7))
    # Now the second change is told and lost, while the first one waits to be acknowledged under the same name.
    gateway.speaks, gateway.hears = True, False
    scene.run(Lane.BOOKINGS)
    gateway.hears = True
    scene.clock.advance(timedelta(seconds=7))
    scene.heard()
    scene.heard()
    assert scene.platform.is_all_known
    assert lost_or_doubled(scene.channel, scene.platform) == ()


def test_a_room_that_is_not_mapped_waits_and_is_not_acknowledged() -> None:
    scene = scene_of()
    scene.platform.rooms = {"attic": ("attic-standard",)}
    key = scene.sold()
    scene.heard()
    assert [each.booking_key for each in scene.platform.pending()] == [key]
    with scene.channel.scene.begin() as work:
        (aside,) = work.revisions.waiting(scene.channel.connection_id, (StoredState.QUARANTINED,), 10)
        (issue,) = work.issues.find(scene.channel.scene.property_id, is_open=True, page=Page(limit=10)).items
    assert (aside.reason, issue.kind, issue.details["what"]) == ("unmapped_room", IssueKind.UNMAPPED, "attic")
