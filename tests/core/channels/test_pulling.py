"""One run of the lane of bookings: stored, applied, acknowledged; whoever dies in between loses and doubles nothing."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from attrs import evolve, frozen

from pmscore.booking.model.lifecycle import Act, Status
from pmscore.channels.model.ari import AriRows, RowKey
from pmscore.channels.model.calls import Feed, FeedStay, Knock, Outcome, OutcomeKind, Pulled
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.revisions import IssueKind, Malformed, RevisionStatus, SaleKind, StoredState
from pmscore.channels.policies.cards import MASKED
from pmscore.channels.use_cases.issues import (
    CloseIssue,
    ConfirmFeed,
    RetryRevision,
    close_issue,
    confirm_feed,
    retry_revision,
)
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import NotFoundError, TransitionError
from pmscore.kernel.ids import IssueId
from pmscore.kernel.ports import UnitOfWork
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.inbound_scenes import DONE, open_inbound_scene
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import hotel, nights, open_scene, pool, stay

NEW, CHANGED, CANCELLED = RevisionStatus.NEW, RevisionStatus.CHANGED, RevisionStatus.CANCELLED
CARD = "4111 1111 1111 1111"
DOWN = Outcome(OutcomeKind.DOWN, "no answer")


@pytest.fixture
def inbound():
    store = InMemoryStore(lock_timeout=timedelta(milliseconds=300))
    return open_inbound_scene(open_scene(store, SeededIds("pulling"), hotel(2), pool(3), hotel(1)))


class DiesError(Exception):
    """The process ends here."""


@frozen
class Dying(UnitOfWork):
    """A unit of work whose process ends at the beginning of its n-th transaction."""

    uow: UnitOfWork
    left: list

    @contextmanager
    def begin(self, command):
        self.left[0] -= 1
        if self.left[0] < 0:
            raise DiesError
        with self.uow.begin(command) as work:
            yield work


def malformed(**more):
    return Malformed(**{"digest": "d1", "reason": "no_dates", "raw": f"<card>{CARD}</card>"} | more)


class TestPages:
    def test_all_pages_are_fetched_applied_and_acknowledged(self, inbound):
        inbound.gateway.pages = [
            Pulled(outcome=DONE, revisions=(inbound.revision(key=f"K{number}"),)) for number in range(3)
        ]
        end = inbound.run()
        assert (end.outcome, end.is_all, end.did_something, end.cursor) == (DONE, True, True, "0 left")
        assert end.details == {"acknowledged": 3, "applied": 3, "oversold": 1, "received": 3}
        assert sorted(inbound.gateway.acknowledged) == ["K0-new-0", "K1-new-0", "K2-new-0"]
        assert len(inbound.bookings()) == 3

    def test_nothing_new_is_nothing_done(self, inbound):
        end = inbound.run()
        assert (end.outcome, end.is_all, end.did_something, dict(end.details)) == (DONE, True, False, {})

    def test_the_same_page_again_changes_nothing(self, inbound):
        told = (inbound.revision(), inbound.revision())
        inbound.tell(*told)
        events = len(inbound.scene.store.events_after())
        end = inbound.tell(*told)
        assert end.details == {"repeated": 2}
        assert len(inbound.scene.store.events_after()) == events
        assert inbound.gateway.acknowledged == ["K1-new-0"]

    def test_what_comes_again_long_after_is_acknowledged_again(self, inbound):
        """The platform has not heard us, or has forgotten it."""
        told = inbound.revision()
        inbound.tell(told)
        inbound.scene.clock.advance(timedelta(minutes=10))
        inbound.tell(told)
        assert inbound.gateway.acknowledged == ["K1-new-0", "K1-new-0"]
        assert len(inbound.bookings()) == 1

    def test_a_run_yields_when_its_time_is_over(self, inbound):
        gateway = inbound.gateway

        class Slow(type(gateway)):
            def pull(self, at, cursor):
                inbound.scene.clock.advance(timedelta(seconds=25))
                return super().pull(at, cursor)

        inbound.gateway = Slow()
        inbound.gateway.pages = [
            Pulled(outcome=DONE, revisions=(inbound.revision(key=f"K{number}"),)) for number in range(9)
        ]
        end = inbound.run()
        assert (end.outcome, end.is_all) == (DONE, False)
        assert end.cursor == "6 left"
        for _ in range(4):
            inbound.run()
        assert len(inbound.bookings()) == 9

    def test_a_gateway_that_cannot_be_asked_is_no_failure(self, inbound):
        inbound.gateway.outcome = Outcome(OutcomeKind.REFUSED, "not_supported")
        inbound.keep(inbound.revision())
        end = inbound.run()
        assert (end.outcome.kind, end.is_all) == (OutcomeKind.DONE, True)
        assert inbound.stored("K1-new-0").acknowledged_at is not None


class TestFaults:
    def test_what_waits_is_applied_while_the_platform_is_away(self, inbound):
        inbound.keep(inbound.revision())
        inbound.gateway.outcome = DOWN
        end = inbound.run()
        assert (end.outcome, end.is_all) == (DOWN, False)
        assert len(inbound.bookings()) == 1
        assert inbound.stored("K1-new-0").acknowledged_at is None
        inbound.gateway.outcome = DONE
        assert inbound.run().details == {"acknowledged": 1}

    def test_wherever_the_process_ends_the_next_run_does_the_rest_once(self, inbound):
        """Between any two transactions: nothing is acknowledged that is not applied, and nothing is made twice."""
        told = [
            inbound.revision(),
            inbound.revision(CHANGED, inbound.room(stay(6, 1), 2), minute=1),
            inbound.revision(key="K2"),
            inbound.revision(CANCELLED, minute=2, key="K2"),
        ]
        deaths = 0
        for step in range(60):
            if all(each.revision_id in inbound.gateway.acknowledged for each in told):
                break
            inbound.gateway.pages = [Pulled(outcome=DONE, revisions=tuple(told))]
            try:
                inbound.run(Dying(inbound.scene.store, [step]))
            except DiesError:
                deaths += 1
            for acknowledged in inbound.gateway.acknowledged:
                assert inbound.stored(acknowledged).state in {StoredState.APPLIED, StoredState.SUPERSEDED}
        assert deaths >= 10
        assert len(inbound.bookings()) == 2
        assert inbound.booking("K1").rooms[0].stay == stay(6, 1)
        assert inbound.booking("K2").status is Status.CANCELLED
        assert inbound.scene.store.violated_invariants() == ()

    def test_a_lost_answer_to_an_acknowledgement_is_asked_again(self, inbound):
        inbound.keep(inbound.revision())
        inbound.gateway.outcome = Outcome(OutcomeKind.UNSURE, "cut_off")
        inbound.run()
        assert inbound.stored("K1-new-0").acknowledged_at is None
        inbound.gateway.outcome = DONE
        inbound.run()
        assert inbound.gateway.acknowledged == ["K1-new-0"]

    def test_what_is_put_aside_is_never_acknowledged_and_is_applied_once_it_is_mapped(self, inbound):
        inbound.map_rooms(2)
        inbound.tell(inbound.revision())
        inbound.run()
        assert inbound.gateway.acknowledged == []
        assert [issue.kind for issue in inbound.issues()] == [IssueKind.UNMAPPED]
        inbound.map_rooms(1, 2)
        assert inbound.run().details == {"acknowledged": 1, "applied": 1}
        assert inbound.issues() == ()
        assert len(inbound.bookings()) == 1

    def test_what_cannot_be_read_hides_nothing_that_can(self, inbound):
        inbound.map_rooms(2)
        inbound.tell(inbound.revision())
        many = tuple(malformed(digest=f"d{number}") for number in range(120))
        inbound.gateway.pages = [Pulled(outcome=DONE, malformed=many)]
        inbound.run()
        inbound.map_rooms(1, 2)
        inbound.run()
        assert len(inbound.bookings()) == 1


class TestMalformed:
    def test_it_is_kept_with_its_reason_and_without_cards(self, inbound):
        inbound.gateway.pages = [Pulled(outcome=DONE, malformed=(malformed(), malformed()))]
        assert inbound.run().details == {"malformed": 1}
        stored = inbound.stored("malformed:d1")
        assert (stored.state, stored.reason) == (StoredState.QUARANTINED, "no_dates")
        assert MASKED in stored.malformed.raw
        assert CARD not in stored.malformed.raw
        assert [issue.kind for issue in inbound.issues()] == [IssueKind.MALFORMED]
        assert inbound.gateway.acknowledged == []

    def test_what_can_be_read_later_takes_its_place(self, inbound):
        told = inbound.revision()
        inbound.gateway.pages = [Pulled(outcome=DONE, malformed=(malformed(revision_id=told.revision_id),))]
        inbound.run()
        inbound.tell(told)
        assert inbound.stored(told.revision_id).state is StoredState.APPLIED
        assert inbound.issues() == ()

    @pytest.mark.parametrize(
        "change",
        [
            {"revision_id": "a\x00b"},
            {"booking_key": ""},
            {"booking_key": "k" * 201},
            {"receipt": {"a": "\x00"}},
        ],
    )
    def test_codes_that_no_store_can_keep_are_malformed(self, inbound, change):
        inbound.tell(evolve(inbound.revision(), **change))
        assert inbound.bookings() == ()
        assert [issue.kind for issue in inbound.issues()] == [IssueKind.MALFORMED]

    def test_what_people_write_is_no_reason_to_put_it_aside(self, inbound):
        told = inbound.revision(requests="\U0001f600 Zo\u00eb")
        inbound.tell(evolve(told, receipt={"note": "\U0001f600"}))
        assert inbound.booking().requests == "\U0001f600 Zo\u00eb"

    def test_cards_and_control_characters_are_kept_out_of_bookings(self, inbound):
        inbound.tell(inbound.revision(requests=f"\x00Card: {CARD}\ud800\nlate"))
        assert inbound.booking().requests == f"Card: {MASKED}\nlate"
        assert CARD not in inbound.stored("K1-new-0").revision.requests


class TestOversold:
    def test_it_is_told_with_candidates_that_fit_the_cheapest_first(self, inbound):
        scene = inbound.scene
        scene.book(stay(3, 2), stay(3, 2))
        with scene.begin() as work:
            book = work.mappings.book(inbound.connection_id)
            keys = {rate.room_code: RowKey(rate.mapping_id, MatrixField.RATE) for rate in book.rates}
            rows = {keys["R2"]: (9_000, 9_000), keys["R3"]: (5_000, 5_000)}
            work.cells.put(inbound.connection_id, AriRows(nights(3, 2), rows))
            work.commit()
        inbound.tell(inbound.revision())
        booking = inbound.booking()
        assert booking.is_oversold
        (issue,) = inbound.issues()
        assert (issue.kind, issue.booking_id) == (IssueKind.OVERSOLD, booking.booking_id)
        (room,) = issue.details["rooms"]
        assert room["room_id"] == str(booking.rooms[0].room_id)
        proposed = [each["unit_type_id"] for each in room["candidates"]]
        assert proposed == [str(scene.type_ids[2]), str(scene.type_ids[1])]
        for type_id in (scene.type_ids[2], scene.type_ids[1]):
            assert not scene.book(scene.request(stay(3, 2), unit_type_id=type_id)).is_oversold

    def test_it_is_told_once_and_settled_by_what_follows(self, inbound):
        inbound.scene.book(stay(3, 2), stay(3, 2))
        inbound.tell(inbound.revision())
        inbound.run()
        assert len(inbound.issues()) == 1
        inbound.tell(inbound.revision(CHANGED, inbound.room(stay(7, 2)), minute=5))
        assert not inbound.booking().is_oversold
        assert inbound.issues() == ()

    def test_a_process_that_ends_before_it_is_told_is_followed_by_one_that_tells_it(self, inbound):
        inbound.scene.book(stay(3, 2), stay(3, 2))
        inbound.apply(inbound.revision())
        assert inbound.issues() == ()
        assert inbound.run().details == {"acknowledged": 1, "oversold": 1}
        assert [issue.kind for issue in inbound.issues()] == [IssueKind.OVERSOLD]


class TestPrices:
    @pytest.fixture
    def told(self, inbound):
        """The platform was told 100.00 for two rooms, and 120.00 for a night of the first."""
        with inbound.scene.begin() as work:
            book = work.mappings.book(inbound.connection_id)
            keys = [RowKey(rate.mapping_id, MatrixField.RATE) for rate in book.rates]
            rows = dict.fromkeys(keys, (10000, 10000, 12000))
            work.cells.put(inbound.connection_id, AriRows(nights(3, 3), rows))
            work.commit()

    @pytest.mark.usefixtures("told")
    def test_another_price_than_we_told_is_kept_and_said(self, inbound):
        rooms = (inbound.room(stay(4, 2)), inbound.room(stay(3, 1), 2, night=9_999))
        end = inbound.tell(inbound.revision(NEW, *rooms))
        assert end.details["priced_otherwise"] == [
            {"revision_id": "K1-new-0", "sold": 29_999, "told": 32_000}
        ]
        assert inbound.booking().total.minor == 29_999

    @pytest.mark.usefixtures("told")
    def test_our_own_price_is_not_worth_a_word(self, inbound):
        end = inbound.tell(inbound.revision(NEW, inbound.room(stay(4, 2), nightly=(10_000, 12_000))))
        assert "priced_otherwise" not in end.details

    @pytest.mark.usefixtures("told")
    @pytest.mark.parametrize("first", [2, 5])
    def test_what_the_platform_was_never_told_is_not_compared(self, inbound, first):
        end = inbound.tell(inbound.revision(NEW, inbound.room(stay(first, 2), night=1)))
        assert "priced_otherwise" not in end.details


class TestKnocks:
    def knock(self, inbound, body):
        with inbound.scene.begin() as work:
            work.knocks.add(inbound.connection_id, Knock({}, body, inbound.scene.clock.now()))
            work.commit()

    def test_what_a_knock_says_is_stored_and_the_platform_is_asked(self, inbound):
        inbound.gateway.heard[b"1"] = Pulled(outcome=DONE, revisions=(inbound.revision(),))
        self.knock(inbound, b"1")
        end = inbound.tell(inbound.revision(), inbound.revision(key="K2"))
        assert end.details == {
            "acknowledged": 2, "applied": 2, "knocks": 1, "received": 2, "repeated": 1,
        }  # fmt: skip
        assert inbound.run().details == {}

    def test_a_bell_brings_what_the_platform_has(self, inbound):
        inbound.gateway.heard[b"ring"] = Pulled(outcome=DONE)
        self.knock(inbound, b"ring")
        inbound.tell(inbound.revision())
        assert len(inbound.bookings()) == 1


class TestFeeds:
    def read(self, inbound, *stays, minutes=60, is_unchanged=False):
        inbound.scene.clock.advance(timedelta(minutes=minutes))
        now = inbound.scene.clock.now()
        feed = Feed(room_code="R3", stays=stays, read_at=now, is_unchanged=is_unchanged)
        inbound.gateway.pages.append(Pulled(outcome=DONE, feed=feed))
        return inbound.run()

    def told(self, uid, first, kind=SaleKind.BOOKING):
        return FeedStay(uid=uid, nights=nights(first, 2), kind=kind, reference=f"ref {uid}")

    def standing(self, inbound):
        bookings = [each for each in inbound.bookings() if each.status is Status.CONFIRMED]
        stays = [DateRange.from_stay(each.rooms[0].stay) for each in bookings]
        return sorted(stays), sorted(each.nights for each in inbound.blocks())

    def test_reservations_are_bookings_and_all_else_is_blocked(self, inbound):
        self.read(inbound, self.told("a", 3), self.told("b", 6, SaleKind.BLOCK))
        assert self.standing(inbound) == ([nights(3, 2)], [nights(6, 2)])
        (booking,) = inbound.bookings()
        assert booking.terms == {"price": "unknown"}
        assert booking.source.reference == "ref a"

    def test_the_same_feed_twice_changes_nothing(self, inbound):
        stays = (self.told("a", 3), self.told("b", 6, SaleKind.BLOCK))
        self.read(inbound, *stays)
        events, standing = len(inbound.scene.store.events_after()), self.standing(inbound)
        for is_unchanged in (False, True):
            end = self.read(inbound, *(() if is_unchanged else stays), is_unchanged=is_unchanged)
            assert (end.outcome, dict(end.details)) == (DONE, {})
        assert (len(inbound.scene.store.events_after()), self.standing(inbound)) == (events, standing)

    def test_other_nights_of_a_known_event_move_the_booking(self, inbound):
        self.read(inbound, self.told("a", 3))
        (before,) = inbound.booking_ids()
        self.read(inbound, self.told("a", 4))
        assert inbound.booking_ids() == {before}
        assert self.standing(inbound) == ([nights(4, 2)], [])

    def test_an_unreadable_feed_changes_nothing(self, inbound):
        self.read(inbound, self.told("a", 3))
        inbound.gateway.outcome = Outcome(OutcomeKind.UNSURE, "not_a_calendar")
        for _ in range(3):
            inbound.scene.clock.advance(timedelta(hours=1))
            inbound.run()
        assert self.standing(inbound) == ([nights(3, 2)], [])

    def test_what_is_missing_is_freed_by_the_second_look(self, inbound):
        self.read(inbound, self.told("a", 3), self.told("b", 6), self.told("c", 9, SaleKind.BLOCK))
        self.read(inbound, self.told("a", 3), self.told("b", 6))
        assert self.standing(inbound)[1] == [nights(9, 2)]
        self.read(inbound, self.told("a", 3), self.told("b", 6), minutes=5)
        assert self.standing(inbound)[1] == [nights(9, 2)]
        self.read(inbound, self.told("a", 3), self.told("b", 6), minutes=5)
        assert self.standing(inbound) == ([nights(3, 2), nights(6, 2)], [])
        assert inbound.scene.store.violated_invariants() == ()

    def test_people_are_told_of_a_stay_that_was_left_out_before_it_began(self, inbound):
        self.read(inbound, self.told("a", 3), self.told("b", 6), self.told("c", 9))
        self.read(inbound, self.told("b", 6), self.told("c", 9))
        for _ in range(2):
            inbound.scene.clock.advance(timedelta(days=3))
            self.read(inbound, self.told("b", 6), self.told("c", 9))
        (issue,) = inbound.issues()
        assert (issue.kind, issue.details["reason"]) == (IssueKind.DRIFT, "left_out_before_it_began")
        assert issue.booking_id is not None
        assert self.standing(inbound)[0] == [nights(3, 2), nights(6, 2), nights(9, 2)]

    def test_a_feed_that_lost_most_frees_nothing_until_a_person_says_so(self, inbound):
        stays = tuple(self.told(name, first) for name, first in (("a", 3), ("b", 6), ("c", 9)))
        self.read(inbound, *stays)
        for _ in range(3):
            self.read(inbound)
        assert self.standing(inbound) == ([nights(3, 2), nights(6, 2), nights(9, 2)], [])
        (issue,) = inbound.issues()
        assert (issue.kind, issue.details["room_code"]) == (IssueKind.FEED_SHRUNK, "R3")
        scene = inbound.scene
        confirm = ConfirmFeed(**scene.asked(), connection_id=inbound.connection_id, room_code="R3")
        assert confirm_feed(confirm, uow=scene.store, clock=scene.clock) == 3
        self.read(inbound)
        assert self.standing(inbound) == ([], [])
        assert inbound.issues() == ()
        assert confirm_feed(confirm, uow=scene.store, clock=scene.clock) == 0

    def test_a_feed_that_is_whole_again_settles_it(self, inbound):
        stays = tuple(self.told(name, first) for name, first in (("a", 3), ("b", 6), ("c", 9)))
        self.read(inbound, *stays)
        self.read(inbound)
        assert len(inbound.issues()) == 1
        self.read(inbound, *stays)
        assert inbound.issues() == ()
        assert len(self.standing(inbound)[0]) == 3


class TestWhatPeopleDecide:
    def test_a_conflict_that_is_closed_is_acknowledged(self, inbound):
        inbound.tell(inbound.revision(), inbound.revision(CANCELLED, minute=5))
        inbound.tell(inbound.revision(CHANGED, minute=9))
        assert "K1-changed-9" not in inbound.gateway.acknowledged
        scene = inbound.scene
        (issue,) = inbound.issues()
        close = CloseIssue(**scene.asked(), issue_id=issue.issue_id)
        closed = close_issue(close, uow=scene.store, clock=scene.clock)
        assert closed.closed_at == scene.clock.now()
        assert close_issue(close, uow=scene.store, clock=scene.clock) == closed
        with scene.begin() as work:
            (state,) = work.lanes.of(inbound.connection_id)
        assert (state.lane, state.next_at) == (Lane.BOOKINGS, scene.clock.now())
        inbound.run()
        assert "K1-changed-9" in inbound.gateway.acknowledged

    def test_a_revision_is_tried_again(self, inbound):
        inbound.tell(inbound.revision())
        inbound.scene.act(inbound.booking().booking_id, Act.CANCEL)
        told = inbound.revision(CHANGED, inbound.room(stay(3, 3)), minute=5)
        inbound.tell(told)
        assert inbound.stored(told.revision_id).state is StoredState.CONFLICT
        inbound.scene.act(inbound.booking().booking_id, Act.REINSTATE)
        scene = inbound.scene
        again = RetryRevision(
            **scene.asked(), connection_id=inbound.connection_id, revision_id=told.revision_id
        )
        retry_revision(again, uow=scene.store, clock=scene.clock)
        inbound.run()
        assert inbound.booking().rooms[0].stay == stay(3, 3)
        assert inbound.issues() == ()
        with pytest.raises(TransitionError):
            retry_revision(again, uow=scene.store, clock=scene.clock)

    def test_what_lies_beyond_reach_is_not_found(self, inbound):
        inbound.map_rooms(2)
        inbound.tell(inbound.revision())
        (issue,) = inbound.issues()
        scene = evolve(inbound.scene, reach=frozenset())
        for command, do in (
            (CloseIssue(**scene.asked(), issue_id=issue.issue_id), close_issue),
            (CloseIssue(**inbound.scene.asked(), issue_id=IssueId(scene.ids.new())), close_issue),
            (
                RetryRevision(**scene.asked(), connection_id=inbound.connection_id, revision_id="K1-new-0"),
                retry_revision,
            ),
            (
                ConfirmFeed(**scene.asked(), connection_id=inbound.connection_id, room_code="R3"),
                confirm_feed,
            ),
        ):
            with pytest.raises(NotFoundError):
                do(command, uow=scene.store, clock=scene.clock)
