"""The gateway of calendar feeds: the laws of gateways, rounds through several rooms, and what is no calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from attrs import evolve

from adapters.channels.stub_wire import StubWire
from pms_adapters.channels.ical import MANIFEST, IcalGateway
from pms_adapters.channels.ical.rounds import Round
from pms_adapters.http.door import Answer
from pms_adapters.lab.channel_sim.face import Arrived, Face, answer_of
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.channels.model.calls import At, Feed, OutcomeKind, Pulled
from pmscore.channels.model.manifest import CallKind
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.model.revisions import Link, Revision, RevisionStatus, SaleKind
from pmscore.channels.policies.feeds import FeedVerdict, compare
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import BookingId
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_hostility import FateKind
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import FixedClock, MovableClock
from pmscore.testing.gateway_scenes import CONNECTION_ID, ScriptedHostility, Spoken, at_of, fate
from pmscore.testing.laws.gateways import GatewayLaws

OWN = Path(__file__).parents[2] / "data" / "channels" / "ical"
SELLER, EMPTY, CUT = ((OWN / name).read_bytes() for name in ("seller.ics", "empty.ics", "cut-off.ics"))
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
TODAY = NOW.date()
ROUND = timedelta(minutes=15)


class FeedFace(Face):
    """Gives a calendar a room at ``/<room>/private.ics``, and knows whether it has changed."""

    name = "feeds"
    addresses = ("https://feeds.test",)

    def kind_of(self, call: Arrived) -> CallKind:
        assert call.method == "GET"
        return CallKind.PULL

    def answer(self, call: Arrived) -> Answer:
        if call.path.split("/")[1] not in self.platform.rooms:
            return answer_of(404, b"")
        if call.headers.get("if-none-match") == '"one"':
            return answer_of(304, b"")
        return answer_of(200, SELLER, etag='"one"', content_type="text/calendar")

    def too_many(self) -> Answer:
        return answer_of(429, b"")


class TestCalendarFeedsKeepTheLaws(GatewayLaws):
    has_feed = True

    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        wire = SimulatedWire((FeedFace(platform, clock=clock),), clock=clock, hostility=hostility)
        urls = {f"url.{code}": Secret(f"https://feeds.test/{code}/private.ics") for code in platform.rooms}
        return Spoken(gateway=IcalGateway(wire, clock), credentials=urls)

    def test_all_feeds_are_read_in_one_round_and_those_that_are_unchanged_in_the_next(self) -> None:
        scene = self.scene()
        first = _round(scene.gateway, scene.at)
        assert [each.feed.room_code for each in first if each.feed] == [*scene.platform.rooms]
        assert [len(each.feed.stays) for each in first if each.feed] == [2, 2]
        second = _round(scene.gateway, _later(scene.at), first[-1].cursor)
        assert [each.feed and each.feed.is_unchanged for each in second] == [True, True]
        assert scene.calls() == 4

    def test_a_pull_that_fails_tells_nothing_and_the_next_one_tells_all(self) -> None:
        for kind in (
            FateKind.LOST_AFTER,
            FateKind.STALLED,
            FateKind.MALFORMED,
            FateKind.FAILED,
            FateKind.BUSY,
        ):
            scene = self.scene()
            scene.hostility.meets(*[fate(kind)] * (1 if kind is FateKind.BUSY else 2))
            pages = _round(scene.gateway, scene.at)
            assert pages[-1].outcome.kind not in {OutcomeKind.DONE, OutcomeKind.PARTLY}, kind
            assert {(each.feed, each.revisions, each.malformed) for each in pages[:1]} == {(None, (), ())}
            again = _round(scene.gateway, scene.at, pages[-1].cursor)
            assert {each.feed.room_code for each in (*pages, *again) if each.feed} == {*scene.platform.rooms}


def _round(gateway: IcalGateway, at: At, cursor: str = "") -> list[Pulled]:
    """Return what a run of the lane gets: pages, until there is no more or one fails."""
    pages: list[Pulled] = []
    while not pages or (
        pages[-1].has_more and pages[-1].outcome.kind in {OutcomeKind.DONE, OutcomeKind.PARTLY}
    ):
        pages.append(gateway.pull(at, pages[-1].cursor if pages else cursor))
        assert len(pages) < 20
    return pages


def _later(at: At, by: timedelta = ROUND) -> At:
    return evolve(at, now=at.now + by)


def setting(*urls: str) -> tuple[IcalGateway, StubWire, At]:
    wire, clock = StubWire(), FixedClock(NOW)
    gateway = IcalGateway(wire, clock)
    rooms = {"A": ("-",), "B": ("-",)}
    platform = RemotePlatform(clock=clock, chance=None, rooms=rooms, currency="EUR")
    credentials = {f"url.{code}": Secret(url) for code, url in zip(rooms, urls, strict=False)}
    return gateway, wire, at_of(Spoken(gateway=gateway, credentials=credentials), platform)


URL = "https://feeds.test/a?s=very-private"
OTHER = "https://feeds.test/b?s=very-private"


@pytest.mark.parametrize(
    ("status", "body", "kind", "error"),
    [
        (200, (OWN / "sign-in.html").read_bytes(), OutcomeKind.UNSURE, "unreadable_not_a_calendar"),
        (200, b"", OutcomeKind.UNSURE, "unreadable_not_a_calendar"),
        (200, CUT, OutcomeKind.UNSURE, "unreadable_cut_off"),
        (200, SELLER[: len(SELLER) // 2], OutcomeKind.UNSURE, "unreadable_cut_off"),
        (204, b"", OutcomeKind.UNSURE, "http_204_not_whole"),
        (206, SELLER, OutcomeKind.UNSURE, "http_206_not_whole"),
        (302, b"", OutcomeKind.UNSURE, "http_302"),
        (304, b"", OutcomeKind.UNSURE, "http_304"),
        (403, SELLER, OutcomeKind.UNAUTHORISED, "http_403"),
        (404, SELLER, OutcomeKind.REFUSED, "http_404"),
        (500, SELLER, OutcomeKind.UNSURE, "http_500"),
        (503, SELLER, OutcomeKind.DOWN, "http_503"),
    ],
)
def test_what_is_not_surely_a_whole_calendar_changes_nothing(
    status: int, body: bytes, kind: OutcomeKind, error: str
) -> None:
    gateway, wire, at = setting(URL)
    wire.answers_with(status, body)
    found = gateway.pull(at, "")
    assert (found.outcome.kind, found.outcome.error) == (kind, error)
    assert (found.feed, found.revisions, found.cursor, found.has_more) == (None, (), "", False)
    assert len(wire.calls) == 1
    health = gateway.check(at)
    assert not health.is_healthy
    assert "room A" in health.message


def test_an_answer_that_was_cut_on_the_way_is_no_calendar_though_it_looks_like_one() -> None:
    gateway, wire, at = setting(URL)
    wire.answers.append(Answer(status=200, headers={}, body=SELLER, seconds=0.1, is_cut=True))
    assert gateway.pull(at, "").feed is None


def test_a_reservation_is_a_booking_and_everything_else_only_takes_nights() -> None:
    gateway, wire, at = setting(URL)
    wire.answers_with(200, SELLER)
    found = gateway.pull(at, "")
    assert found.feed is not None
    told = [(each.kind, each.reference, each.nights.length) for each in found.feed.stays]
    assert told == [(SaleKind.BOOKING, "HMPLUM42AB", 3), (SaleKind.BLOCK, "", 62)]
    assert (found.feed.room_code, found.feed.read_at, found.feed.is_unchanged) == ("A", at.now, False)


def test_what_has_not_changed_is_not_sent_again_unless_its_address_has() -> None:
    gateway, wire, at = setting(URL)
    wire.answers_with(200, SELLER, etag='W/"7"', last_modified="Sat, 21 Nov 2026 08:00:00 GMT")
    wire.answers_with(304, b"")
    first = gateway.pull(at, "")
    again = gateway.pull(_later(at), first.cursor)
    assert {**wire.calls[1].headers} == {
        "accept": "text/calendar",
        "if-none-match": 'W/"7"',
        "if-modified-since": "Sat, 21 Nov 2026 08:00:00 GMT",
    }
    assert again.feed == Feed(room_code="A", stays=(), read_at=_later(at).now, is_unchanged=True)
    moved = evolve(_later(at, 2 * ROUND), credentials={"url.A": Secret(OTHER)})
    gateway.pull(moved, again.cursor)
    assert {**wire.calls[2].headers} == {"accept": "text/calendar"}
    assert "private" not in again.cursor + repr(wire.calls)


def test_tags_that_cannot_be_said_again_are_not_kept() -> None:
    gateway, wire, at = setting(URL)
    wire.answers_with(200, SELLER, etag="a\r\nx: y", last_modified="ü")
    gateway.pull(_later(at), gateway.pull(at, "").cursor)
    assert {**wire.calls[1].headers} == {"accept": "text/calendar"}


def test_a_feed_that_fails_keeps_the_others_from_nothing_and_is_told_at_the_end() -> None:
    gateway, wire, at = setting(URL, OTHER)
    for status, body in ((403, b""), (200, SELLER), (403, b"")):
        wire.answers_with(status, body)
    pages = _round(gateway, at)
    assert [(each.outcome.kind, each.feed is not None) for each in pages] == [
        (OutcomeKind.PARTLY, False),
        (OutcomeKind.DONE, True),
        (OutcomeKind.REFUSED, False),
    ]
    assert {each.outcome.error for each in pages} == {"http_403", ""}
    assert [each.url for each in wire.calls] == [URL, OTHER, URL]
    soon = _round(gateway, _later(at, timedelta(seconds=5)), pages[-1].cursor)
    assert [each.url for each in wire.calls[3:]] == [URL]
    _round(gateway, _later(at), soon[-1].cursor)
    assert [each.url for each in wire.calls[4:]] == [URL, OTHER]


def test_a_platform_that_asks_for_patience_is_not_asked_for_the_next_room() -> None:
    gateway, wire, at = setting(URL, OTHER)
    wire.answers_with(429, b"", retry_after="40")
    found = gateway.pull(at, "")
    assert (found.outcome.kind, found.outcome.retry_after, found.has_more) == (OutcomeKind.BUSY, 40, False)


def test_without_an_address_nothing_is_read_and_nobody_is_called() -> None:
    gateway, wire, at = setting()
    found = gateway.pull(at, "anything")
    assert (found.outcome.kind, found.feed, found.has_more) == (OutcomeKind.DONE, None, False)
    assert gateway.check(at).is_healthy
    assert wire.calls == []


def test_an_address_without_a_room_is_that_of_the_only_one() -> None:
    gateway, wire, at = setting()
    wire.answers_with(200, SELLER)
    wire.answers_with(404, b"")
    given = evolve(at, credentials={"url": Secret(URL)})
    assert gateway.pull(given, "").feed is None
    alone = evolve(given, mappings=MappingBook(at.mappings.rooms[:1]))
    found = gateway.pull(alone, "")
    assert found.feed is not None
    assert (found.feed.room_code, [each.url for each in wire.calls]) == ("A", [URL])
    assert gateway.check(at).is_healthy, "nothing is asked of it"
    assert gateway.check(given).message == "The calendar cannot be read: http_404"


def test_an_address_is_tried_before_its_room_is_mapped_and_read_only_afterwards() -> None:
    gateway, wire, at = setting(URL)
    wire.answers_with(404, b"")
    unmapped = evolve(at, mappings=MappingBook())
    assert gateway.check(unmapped).error_code == "LISTING_UNKNOWN"
    assert (gateway.pull(unmapped, "").feed, len(wire.calls)) == (None, 1)


def test_the_scheme_of_calendars_is_called_by_http_with_tls() -> None:
    gateway, wire, at = setting("webcal://feeds.test/a")
    wire.answers_with(200, EMPTY)
    assert gateway.check(at).is_healthy
    assert [each.url for each in wire.calls] == ["https://feeds.test/a"]


@pytest.mark.parametrize(
    "cursor", ["", "7", "{}", '{"began_at": "never", "left": [], "again": [], "tags": []}', "\x00"]
)
def test_a_cursor_that_nobody_knows_begins_a_round(cursor: str) -> None:
    assert Round.read(cursor) == Round()
    gateway, wire, at = setting(URL)
    wire.answers_with(200, SELLER)
    assert gateway.pull(at, cursor).feed is not None


def _links(verdict: FeedVerdict) -> list[Link]:
    return [
        Link(
            connection_id=CONNECTION_ID,
            booking_key=each.booking_key,
            booking_id=BookingId(UUID(int=1)) if each.kind is SaleKind.BOOKING else None,
            revision_id=each.revision_id,
            revised_at=each.revised_at,
            nights=_nights(each),
        )
        for each in verdict.revisions
    ]


def _nights(revision: Revision) -> DateRange:
    stay = revision.rooms[0].stay
    return DateRange(stay.arrival, stay.departure)


def test_the_same_feed_twice_changes_nothing_and_an_empty_one_frees_nothing() -> None:
    gateway, wire, at = setting(URL)
    for body in (SELLER, SELLER, EMPTY, SELLER.replace(b"20270112", b"20270113")):
        wire.answers_with(200, body)
    feeds: list[Feed] = []
    for number in range(4):
        found = gateway.pull(_later(at, number * ROUND), "").feed
        assert found is not None
        feeds.append(found)
    first = compare((), feeds[0], today=TODAY)
    known = _links(first)
    assert [each.status for each in first.revisions] == [RevisionStatus.NEW] * 2
    assert compare(known, feeds[1], today=TODAY) == FeedVerdict()
    emptied = compare(known, feeds[2], today=TODAY)
    assert (emptied.revisions, emptied.holds) == ((), True)
    (changed,) = compare(known, feeds[3], today=TODAY).revisions
    assert (changed.status, changed.booking_key) == (RevisionStatus.CHANGED, known[0].booking_key)
    assert changed.rooms[0].stay.departure == date(2027, 1, 13)


def test_the_manifest_offers_no_prices_and_says_what_it_cannot_rule_out() -> None:
    assert not MANIFEST.fields
    assert MANIFEST.exports_calendar
    assert any("sold twice" in each for each in MANIFEST.evidence)
