"""A calendar feed is believed about what is there, and doubted about what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.channels.model.calls import Feed, FeedStay
from pmscore.channels.model.revisions import Link, RevisionStatus, SaleKind
from pmscore.channels.policies.feeds import cancellation_of, compare, feed_prefix
from pmscore.dates.nights import MAX_NIGHTS
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import BookingId, ConnectionId
from pmscore.testing.scenes import FIRST_DAY, nights

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
CONNECTION = ConnectionId(UUID(int=1))
BOOKING, BLOCK = SaleKind.BOOKING, SaleKind.BLOCK


def told(uid, first, length=2, kind=BOOKING):
    return FeedStay(uid=uid, nights=nights(first, length), kind=kind)


class House:
    """What a house keeps of its feeds: every revision is applied at once, as the engine does."""

    def __init__(self):
        self.links = {}
        self.at = AT
        self.today = FIRST_DAY

    def read(self, *stays, minutes=0, room="villa", is_unchanged=False):
        self.at += timedelta(minutes=minutes)
        feed = Feed(room_code=room, stays=stays, read_at=self.at, is_unchanged=is_unchanged)
        verdict = compare(tuple(self.links.values()), feed, today=self.today)
        for link in verdict.links:
            self.links[link.booking_key] = link
        for each in verdict.revisions:
            self.apply(each)
        return verdict

    def apply(self, revision):
        known = self.links.get(revision.booking_key)
        is_cancelled = revision.status is RevisionStatus.CANCELLED
        stays = [DateRange.from_stay(room.stay) for room in revision.rooms]
        self.links[revision.booking_key] = Link(
            connection_id=CONNECTION,
            booking_key=revision.booking_key,
            booking_id=BookingId(UUID(int=7)) if revision.kind is BOOKING else None,
            revision_id=revision.revision_id,
            revised_at=revision.revised_at,
            is_cancelled=is_cancelled,
            nights=known.nights if is_cancelled else stays[0],
        )

    def standing(self):
        return sorted(
            (link.nights, SaleKind.BOOKING if link.booking_id else SaleKind.BLOCK)
            for link in self.links.values()
            if not link.is_cancelled
        )


@pytest.fixture
def house():
    return House()


def statuses(verdict):
    return [each.status for each in verdict.revisions]


def test_the_same_feed_twice_changes_nothing(house):
    stays = (told("a", 3), told("b", 6, kind=BLOCK))
    assert statuses(house.read(*stays)) == [RevisionStatus.NEW, RevisionStatus.NEW]
    again = house.read(*stays, minutes=60)
    assert (again.revisions, again.links, again.holds) == ((), (), False)


def test_a_revision_that_waits_is_told_again_under_the_same_id(house):
    """Whoever cannot be applied yet is known when the feed is read again."""
    feed = Feed(room_code="villa", stays=(told("a", 3),), read_at=AT)
    later = evolve(feed, read_at=AT + timedelta(hours=1))
    (first,) = compare((), feed, today=FIRST_DAY).revisions
    (second,) = compare((), later, today=FIRST_DAY).revisions
    assert first.revision_id == second.revision_id


def test_an_unchanged_feed_says_what_it_said(house):
    house.read(told("a", 3), told("b", 6))
    assert house.read(is_unchanged=True, minutes=60).revisions == ()


def test_other_nights_of_a_known_event_are_a_change(house):
    house.read(told("a", 3))
    verdict = house.read(told("a", 4, 3), minutes=60)
    (change,) = verdict.revisions
    assert (change.status, change.rooms[0].stay.arrival) == (
        RevisionStatus.CHANGED,
        nights(4).start,
    )
    assert house.standing() == [(nights(4, 3), BOOKING)]


def test_nights_that_come_back_are_a_change_again(house):
    ids = set()
    for first in (3, 4, 3, 4):
        ids.update(each.revision_id for each in house.read(told("a", first), minutes=60).revisions)
    assert len(ids) == 4
    assert house.standing() == [(nights(4, 2), BOOKING)]


def test_a_block_that_becomes_a_booking_is_a_change(house):
    house.read(told("a", 3, kind=BLOCK))
    (change,) = house.read(told("a", 3), minutes=60).revisions
    assert (change.status, change.kind) == (RevisionStatus.CHANGED, BOOKING)


def test_an_event_under_another_uid_on_the_same_nights_is_the_same(house):
    house.read(told("a", 3))
    assert house.read(told("other", 3), minutes=60).revisions == ()


class TestMissing:
    def test_one_look_frees_nothing_and_a_second_one_does(self, house):
        house.read(told("a", 3), told("b", 6), told("c", 9))
        first = house.read(told("a", 3), told("b", 6), minutes=60)
        assert (first.revisions, [link.missing_since for link in first.links]) == ((), [house.at])
        soon = house.read(told("a", 3), told("b", 6), minutes=9)
        assert soon.revisions == ()
        ended = house.read(told("a", 3), told("b", 6), minutes=1)
        assert statuses(ended) == [RevisionStatus.CANCELLED]
        assert house.standing() == [(nights(3, 2), BOOKING), (nights(6, 2), BOOKING)]

    def test_an_unchanged_answer_is_a_second_look(self, house):
        house.read(told("a", 3), told("b", 6), told("c", 9))
        house.read(told("a", 3), told("b", 6), minutes=60)
        assert statuses(house.read(is_unchanged=True, minutes=10)) == [RevisionStatus.CANCELLED]

    def test_what_was_left_out_on_its_eve_is_told_once_when_it_has_begun(self, house):
        rest = (told("b", 6), told("c", 9))
        house.read(told("a", 3), *rest)
        house.read(*rest, minutes=60)
        house.today = nights(3).start
        late = house.read(*rest, minutes=60)
        assert ([link.booking_key for link in late.begun], late.revisions) == (["villa/a"], ())
        again = house.read(*rest, minutes=60)
        assert (again.begun, again.revisions, again.links) == ((), (), ())
        assert house.standing()[0] == (nights(3, 2), BOOKING)

    def test_it_is_told_although_the_feed_is_short_of_most(self, house):
        house.read(told("a", 3), told("b", 6), told("c", 9))
        house.read(told("c", 9), minutes=60)
        house.today = nights(3).start
        late = house.read(minutes=60)
        assert ([link.booking_key for link in late.begun], late.holds) == (["villa/a"], True)

    def test_a_stay_that_is_cut_off_as_it_begins_is_nobodys_concern(self, house):
        house.read(told("a", 3), told("b", 6))
        house.today = nights(3).start
        assert house.read(told("b", 6), minutes=60).begun == ()
        assert house.read(told("b", 6), minutes=60).begun == ()

    def test_what_comes_back_in_time_was_never_gone(self, house):
        house.read(told("a", 3), told("b", 6), told("c", 9))
        house.read(told("a", 3), told("b", 6), minutes=60)
        back = house.read(told("a", 3), told("b", 6), told("c", 9), minutes=60)
        assert (back.revisions, [link.missing_since for link in back.links]) == ((), [None])
        assert house.read(told("a", 3), told("b", 6), minutes=60).revisions == ()

    @pytest.mark.parametrize("left", [0, 1])
    def test_a_feed_that_lost_most_of_what_it_had_is_held(self, house, left):
        stays = tuple(told(name, 3 * at) for at, name in enumerate("abcd", start=1))
        house.read(*stays)
        for _ in range(5):
            verdict = house.read(*stays[:left], minutes=60)
            assert verdict.holds
            assert verdict.revisions == ()
            assert len(verdict.missing) == 4 - left
        assert len(house.standing()) == 4
        assert not house.read(*stays, minutes=60).holds

    def test_the_only_one_is_ended_by_a_second_look_at_an_empty_feed(self, house):
        house.read(told("a", 3))
        assert not house.read(minutes=60).holds
        assert statuses(house.read(minutes=60)) == [RevisionStatus.CANCELLED]

    def test_a_stay_that_has_begun_is_never_ended(self, house):
        house.read(told("a", 0, 5), told("b", 9))
        for _ in range(3):
            assert house.read(told("b", 9), minutes=60).revisions == ()
        assert (nights(0, 5), BOOKING) in house.standing()

    def test_a_running_stay_whose_past_is_cut_off_is_the_same(self, house):
        house.read(told("a", 0, 5))
        house.today = nights(2).start
        assert house.read(told("today's uid", 2, 3), minutes=60).revisions == ()
        assert house.read(told("a", 1, 4), minutes=60).revisions == ()

    def test_a_running_stay_that_is_prolonged_is_changed(self, house):
        house.read(told("a", 0, 5))
        house.today = nights(2).start
        assert statuses(house.read(told("a", 0, 6), minutes=60)) == [RevisionStatus.CHANGED]

    def test_what_has_passed_is_not_missed(self, house):
        house.read(told("a", 1, 2), told("b", 9))
        house.today = nights(5).start
        assert house.read(told("b", 9), minutes=60) == house.read(told("b", 9), minutes=60)
        assert len(house.standing()) == 2

    def test_an_event_that_ended_and_comes_again_is_a_booking_of_its_own(self, house):
        house.read(told("a", 3), told("b", 6), told("c", 9))
        for _ in range(2):
            house.read(told("b", 6), told("c", 9), minutes=60)
        assert len(house.standing()) == 2
        assert statuses(house.read(told("a", 3), told("b", 6), told("c", 9), minutes=60)) == [
            RevisionStatus.NEW
        ]
        assert house.read(told("a", 3), told("b", 6), told("c", 9), minutes=60).revisions == ()
        assert len(house.standing()) == 3

    def test_ending_is_told_under_one_id_until_it_is_done(self, house):
        house.read(told("a", 3))
        (link,) = house.links.values()
        ids = {
            cancellation_of(link, "villa", AT + timedelta(minutes=minute)).revision_id for minute in range(3)
        }
        assert len(ids) == 1


def test_our_own_events_are_skipped(house):
    assert house.read(told("8f@pmscore", 3), told("a", 6)).revisions[0].booking_key.endswith("/a")
    assert len(house.standing()) == 1


def test_what_has_passed_is_not_entered(house):
    assert house.read(told("a", -5, 5)).revisions == ()


def test_several_events_under_one_uid_are_kept_apart(house):
    stays = (told("series", 3), told("series", 6), told("series", 6))
    assert len(house.read(*stays).revisions) == 2
    assert house.read(*stays, minutes=60).revisions == ()
    assert house.standing() == [(nights(3, 2), BOOKING), (nights(6, 2), BOOKING)]


def test_an_endless_block_is_cut_and_stays_the_same(house):
    horizon = told("horizon", 400, MAX_NIGHTS + 700, kind=BLOCK)
    (block,) = house.read(horizon).revisions
    assert block.rooms[0].stay.length == MAX_NIGHTS
    assert house.read(horizon, minutes=60).revisions == ()


def test_rooms_do_not_see_each_others_feeds(house):
    house.read(told("a", 3), room="a/b")
    house.read(told("b/x", 3), room="a")
    house.read(told("x", 3), room="a%2Fb")
    assert len(house.standing()) == 3
    for room in ("a/b", "a", "a%2Fb"):
        assert sum(key.startswith(feed_prefix(room)) for key in house.links) == 1


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from("abc"),
                st.integers(1, 12),
                st.integers(1, 4),
                st.sampled_from([BOOKING, BLOCK]),
            ),
            max_size=4,
            unique_by=lambda each: each[0],
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_a_feed_has_said_what_it_says_now_is_there(feeds):
    """Nights that the feed names are taken after each read; nights go only after a second look."""
    house = House()
    for stays in feeds:
        before = house.standing()
        verdict = house.read(*(told(*each) for each in stays), minutes=1)
        assert RevisionStatus.CANCELLED not in statuses(verdict)
        now = {each for each, _ in house.standing()}
        assert {nights(first, length) for _, first, length, _ in stays} <= now
        assert len(house.standing()) >= len(before)
        again = house.read(*(told(*each) for each in stays), minutes=1)
        assert again.revisions == ()
