"""Laws of webhooks: one message an endpoint and event, carried by one at a time, and a log of every attempt.

Owns what a store promises. When a message is tried again stands in the policies; how it is carried, at the post.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from uuid import UUID

from attrs import evolve

from pmscore.kernel.errors import BusyError, MisuseError, NotFoundError, StaleVersionError, TransitionError
from pmscore.kernel.ids import EventId
from pmscore.testing.laws.setting import StoreLaws, raised
from pmscore.testing.races import at_once
from pmscore.testing.webhook_scenes import HookScene, open_hook_scene
from pmscore.webhooks.model.deliveries import Attempt, Delivery, DeliveryId, DeliveryStatus, Outcome
from pmscore.webhooks.model.endpoints import Endpoint, EndpointId, EndpointStatus
from pmscore.webhooks.use_cases.delivering import PurgeDeliveries

__all__ = ["WebhookLaws"]

MINUTE = timedelta(minutes=1)
FAILED = Outcome(status=500, duration_ms=12, answer="no\ufffd 'way' \\")


class WebhookLaws(StoreLaws):
    """Endpoints, messages, and carrying them."""

    def hooks(self) -> HookScene:
        """Return the endpoints of a new agency."""
        ids = self.ids()
        return open_hook_scene(self.scene(), ids)

    def test_endpoints_come_back_equal_the_oldest_first(self) -> None:
        """With every field, and secrets in the order in which they sign."""
        at = self.hooks()
        first = at.add("booking.*", url="https://hooks.example/'in' \\ ü").endpoint
        at.scene.clock.advance(MINUTE)
        second = at.add("*", "quote.made", is_full=True).endpoint
        at.scene.clock.advance(MINUTE)
        rotated = at.rotate(first).endpoint
        assert len(rotated.secrets) == 2
        assert at.endpoint(first.endpoint_id) == rotated
        with at.scene.begin() as work:
            assert work.webhooks.all() == (rotated, second)

    def test_a_secret_that_signs_no_more_is_gone_from_the_store(self) -> None:
        """Also from the old place in the list, when another takes it."""
        at = self.hooks()
        endpoint = at.add().endpoint
        at.rotate(endpoint)
        at.scene.clock.advance(timedelta(hours=25))
        rotated = at.rotate(endpoint).endpoint
        kept = at.endpoint(endpoint.endpoint_id).secrets
        assert kept == rotated.secrets
        assert endpoint.secrets[0].secret_id not in {each.secret_id for each in kept}

    def test_an_endpoint_is_changed_by_who_has_read_it_only(self) -> None:
        """Read in the same transaction, which locks it, and not changed meanwhile."""
        at = self.hooks()
        endpoint = at.add().endpoint
        with at.scene.begin() as work:
            raised(MisuseError, work.webhooks.save, endpoint)
        with at.scene.begin() as one:
            one.webhooks.get(endpoint.endpoint_id)
            with at.scene.begin() as other:
                raised(BusyError, other.webhooks.get, endpoint.endpoint_id)
        changed = at.change(endpoint, said="first")
        raised(StaleVersionError, partial(at.change, endpoint, said="second", version=endpoint.version))
        assert at.endpoint(endpoint.endpoint_id) == changed
        raised(NotFoundError, at.endpoint, EndpointId(at.scene.ids.new()))

    def test_an_event_is_one_message_to_each_endpoint_that_wants_it(self) -> None:
        """However often it is told."""
        at = self.hooks()
        all_of_it, bookings = at.add().endpoint, at.add("booking.*").endpoint
        event = at.scene.ids.new()
        assert [at.tell("quote.made", event), at.tell("quote.made", event), at.tell()] == [1, 1, 2]
        assert [at.page(each).total for each in (all_of_it, bookings)] == [2, 1]
        assert at.page(all_of_it).items[0].status is DeliveryStatus.PENDING

    def test_a_message_is_carried_once_and_its_log_comes_back_equal(self) -> None:
        """With what was answered."""
        at = self.hooks()
        endpoint = at.add().endpoint
        at.tell()
        assert [at.deliver(), at.deliver()] == [1, 0]
        (delivery,) = at.page(endpoint).items
        now = at.scene.clock.now()
        assert (delivery.status, delivery.ended_at, delivery.next_at) == (DeliveryStatus.DELIVERED, now, None)
        assert at.attempts(delivery.delivery_id) == (Attempt(number=1, at=now, outcome=Outcome(status=200)),)
        assert [each.message_id for each in at.post.sent] == [delivery.message_id]
        assert at.endpoint(endpoint.endpoint_id).delivered_at == now

    def test_a_message_that_fails_comes_again_as_it_was_and_every_attempt_is_kept(self) -> None:
        """At its time, not before."""
        at = self.hooks()
        endpoint = at.add().endpoint
        at.post.answers[:] = [FAILED, Outcome(error="timed_out", duration_ms=15_000), Outcome(status=204)]
        at.tell()
        (delivery,) = at.page(endpoint).items
        for _ in range(3):
            _move_to(at, at.page(endpoint).items[0].next_at)
            assert [at.deliver(), at.deliver()] == [1, 0]
        assert len({(each.message_id, each.body) for each in at.post.sent}) == 1
        attempts = at.attempts(delivery.delivery_id)
        assert [(each.number, each.outcome.status, each.outcome.error) for each in attempts] == [
            (1, 500, None),
            (2, None, "timed_out"),
            (3, 204, None),
        ]
        assert attempts[0].outcome == FAILED
        assert all(one.at < other.at for one, other in pairwise(attempts))

    def test_what_is_paused_waits_and_what_is_disabled_gets_nothing(self) -> None:
        """Messages of a paused endpoint are due when it is active again."""
        at = self.hooks()
        endpoint = at.add().endpoint
        at.change(endpoint, EndpointStatus.PAUSED)
        assert (at.tell(), at.deliver()) == (1, 0)
        at.change(endpoint, EndpointStatus.DISABLED)
        assert (at.tell(), at.deliver()) == (0, 0)
        at.change(endpoint, EndpointStatus.ACTIVE)
        assert (at.deliver(), at.page(endpoint).total) == (1, 1)

    def test_what_one_has_in_hand_nobody_else_gets_until_the_lease_is_over(self) -> None:
        """And what its holder says afterwards is not stored."""
        at = self.hooks()
        endpoint = at.add().endpoint
        at.tell()
        now, first, second = at.scene.clock.now(), at.scene.ids.new(), at.scene.ids.new()
        (claimed,) = _claim(at, now, first)
        assert _claim(at, now, second) == ()
        assert _claim(at, now + MINUTE - timedelta(microseconds=1), second) == ()
        assert _claim(at, now + MINUTE, second) == (claimed,)
        done = evolve(claimed, status=DeliveryStatus.DELIVERED, attempts=1, next_at=None, ended_at=now)
        raised(StaleVersionError, partial(_record, at, done, first))
        assert at.page(endpoint).items == (claimed,)
        assert at.attempts(claimed.delivery_id) == ()
        _record(at, done, second)
        assert at.page(endpoint).items == (done,)
        raised(StaleVersionError, partial(_record, at, done, second))
        assert len(at.attempts(claimed.delivery_id)) == 1

    def test_who_leaves_without_a_commit_has_claimed_nothing(self) -> None:
        """And while a claim is on its way, others do not wait for it: they take what is left."""
        at = self.hooks()
        at.add()
        at.tell()
        at.tell()
        now = at.scene.clock.now()
        with at.scene.begin() as work:
            (mine,) = work.deliveries.claim(now=now, until=now + MINUTE, lease=at.scene.ids.new(), most=1)
            (theirs,) = _claim(at, now, at.scene.ids.new())
            assert theirs != mine
        assert _claim(at, now, at.scene.ids.new()) == (mine,)

    def test_few_of_each_endpoint_are_claimed_the_longest_due_first(self) -> None:
        """One with many messages does not hold up another."""
        at = self.hooks()
        many, one = at.add("booking.*").endpoint, at.add("quote.*").endpoint
        for _ in range(6):
            at.tell("booking.created")
            at.scene.clock.advance(MINUTE)
        at.tell("quote.made")
        now = at.scene.clock.now()
        claimed = _claim(at, now, at.scene.ids.new())
        assert [each.endpoint_id for each in claimed] == [many.endpoint_id] * 3 + [one.endpoint_id]
        oldest_first = sorted(at.page(many).items, key=lambda each: each.created_at)
        assert claimed[:3] == tuple(oldest_first[:3])
        assert [each.delivery_id for each in _claim(at, now, at.scene.ids.new(), most=2)] == [
            each.delivery_id for each in oldest_first[3:5]
        ]

    def test_many_at_once_carry_each_message_once(self) -> None:
        """Whoever comes while others wait for their answers takes what is free."""
        at = self.hooks()
        endpoints = [at.add().endpoint for _ in range(3)]
        for _ in range(4):
            at.tell()

        def work() -> None:
            if len(at.post.sent) < 12:
                at.deliver(most=2)

        at.post.meanwhile = work
        assert at_once([work] * 2) == ["won"] * 2
        assert len(at.post.sent) == len({each.message_id for each in at.post.sent}) == 12
        for endpoint in endpoints:
            page = at.page(endpoint, DeliveryStatus.DELIVERED)
            assert page.total == 4
            assert all(len(at.attempts(each.delivery_id)) == 1 for each in page.items)

    def test_what_has_ended_can_be_sent_again_once_by_one(self) -> None:
        """With its id and body; what is still on its way cannot."""
        at = self.hooks()
        endpoint = at.add().endpoint
        at.tell()
        raised(TransitionError, at.again, at.page(endpoint).items[0])
        at.deliver()
        (ended,) = at.page(endpoint).items
        again = at.again(ended)
        assert at.page(endpoint).items == (again,)
        assert (at.deliver(), len({each.message_id for each in at.post.sent})) == (1, 1)
        assert [each.number for each in at.attempts(ended.delivery_id)] == [1, 2]
        with at.scene.begin() as one:
            one.deliveries.get(ended.delivery_id)
            with at.scene.begin() as other:
                raised(BusyError, other.deliveries.get, ended.delivery_id)

    def test_the_log_is_read_by_pages_the_newest_first(self) -> None:
        """All of it, or what stands at one point."""
        at = self.hooks()
        endpoint = at.add().endpoint
        for _ in range(5):
            at.tell()
            at.scene.clock.advance(MINUTE)
        at.deliver(most=2)
        every = at.page(endpoint)
        times = [each.created_at for each in every.items]
        assert (every.total, times) == (5, sorted(times, reverse=True))
        page = at.page(endpoint, limit=2, offset=3)
        assert (page.items, page.total) == (every.items[3:5], 5)
        assert at.page(endpoint, offset=9).items == ()
        by_status = [at.page(endpoint, each) for each in DeliveryStatus]
        assert sorted(each.total for each in by_status) == [0, 2, 3]
        assert {each.delivery_id for page in by_status for each in page.items} == {
            each.delivery_id for each in every.items
        }

    def test_what_ended_long_ago_is_forgotten_and_nothing_else(self) -> None:
        """At most so many at once, the oldest first."""
        at = self.hooks()
        endpoint = at.add().endpoint
        for _ in range(3):
            at.tell()
            at.deliver()
            at.scene.clock.advance(MINUTE)
        at.change(endpoint, EndpointStatus.PAUSED)
        at.tell()
        newest_first = at.page(endpoint).items
        at.scene.clock.advance(timedelta(days=30))
        keeps = at.scene.clock.now() - (newest_first[1].ended_at or at.scene.clock.now())
        asked = PurgeDeliveries(**at.scene.asked(), keeps=keeps, most=1)
        assert at.purge(asked) == 1
        assert at.page(endpoint).items == newest_first[:3]
        assert at.purge(evolve(asked, most=9)) == 1
        assert at.page(endpoint).items == newest_first[:2]
        assert at.purge(evolve(asked, keeps=timedelta(), most=9)) == 1
        assert at.page(endpoint).items == newest_first[:1]
        assert at.attempts(newest_first[3].delivery_id) == ()

    def test_a_removed_endpoint_takes_its_log_along(self) -> None:
        """Also what is in somebody's hand; and no message reaches it any more."""
        at = self.hooks()
        endpoint, other = at.add().endpoint, at.add().endpoint
        at.tell()
        claimed = _claim(at, at.scene.clock.now(), at.scene.ids.new())
        (mine,) = (each for each in claimed if each.endpoint_id == endpoint.endpoint_id)
        at.remove(endpoint)
        raised(NotFoundError, at.page, endpoint)
        raised(NotFoundError, at.remove, endpoint)
        raised(StaleVersionError, partial(_record, at, mine, at.scene.ids.new()))
        assert at.page(other).total == 1
        with at.scene.begin() as work:
            work.deliveries.add(_message(at, endpoint))
            raised(NotFoundError, work.commit)
        assert at.tell() == 1

    def test_another_agency_has_endpoints_of_its_own(self) -> None:
        """It sees and carries nothing of ours."""
        ours, theirs = self.hooks(), self.hooks()
        endpoint = ours.add().endpoint
        assert (ours.tell(), theirs.tell(), theirs.deliver()) == (1, 0, 0)
        (delivery,) = ours.page(endpoint).items
        raised(NotFoundError, theirs.endpoint, endpoint.endpoint_id)
        raised(NotFoundError, theirs.page, endpoint)
        raised(NotFoundError, theirs.remove, endpoint)
        raised(NotFoundError, theirs.again, delivery)
        assert theirs.attempts(delivery.delivery_id) == ()
        assert ours.deliver() == 1


def _move_to(at: HookScene, instant: datetime | None) -> None:
    assert instant is not None
    at.scene.clock.move_to(max(at.scene.clock.now(), instant))


def _claim(at: HookScene, now: datetime, lease: UUID, most: int = 10) -> tuple[Delivery, ...]:
    """Take what is due for a minute."""
    with at.scene.begin() as work:
        claimed = work.deliveries.claim(now=now, until=now + MINUTE, lease=lease, most=most)
        work.commit()
    return claimed


def _record(at: HookScene, delivery: Delivery, lease: UUID) -> None:
    number = len(at.attempts(delivery.delivery_id)) + 1
    attempt = Attempt(number=number, at=at.scene.clock.now(), outcome=Outcome(status=200))
    with at.scene.begin() as work:
        work.deliveries.record(delivery, attempt, lease)
        work.commit()


def _message(at: HookScene, endpoint: Endpoint) -> Delivery:
    now = at.scene.clock.now()
    return Delivery(
        delivery_id=DeliveryId(at.scene.ids.new()),
        endpoint_id=endpoint.endpoint_id,
        event_id=EventId(at.scene.ids.new()),
        kind="booking.created",
        body="{}",
        created_at=now,
        next_at=now,
    )
