"""Telling a platform what differs: one run after the other, with answers that are lost and workers that die."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from attrs import evolve

from pmscore.booking.model.lifecycle import Act
from pmscore.channels.model.ari import UNKNOWN
from pmscore.channels.model.calls import Outcome, OutcomeKind, PushResult, Refused, Renewed
from pmscore.channels.model.connections import ConnectionStatus
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.operations import OperationFilter, OperationStatus
from pmscore.channels.use_cases.operations import SyncType, TriggerSync, trigger_sync
from pmscore.channels.use_cases.sweeping import TakeDue, take_due
from pmscore.channels.views.desired import keys_of
from pmscore.dates.ranges import DateRange
from pmscore.kernel.paging import Page
from pmscore.kernel.ports import UnitOfWork
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_gateways import DirectGateway
from pmscore.testing.channel_hostility import CrashedError, Fate, FateKind, Hostility
from pmscore.testing.channel_houses import connected, open_house, remote_rooms
from pmscore.testing.channel_judging import differences
from pmscore.testing.channel_lanes import InMemoryDirt
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.channel_profiles import profile
from pmscore.testing.draws import Draws
from pmscore.testing.memory import InMemoryStore
from pmscore.testing.scenes import FIRST_DAY, stay

PASS = Fate(kind=FateKind.PASS)
LOST_AFTER = Fate(kind=FateKind.LOST_AFTER, status=0)
FAILED = Fate(kind=FateKind.FAILED, status=500)


class Told(Hostility):
    """Gives calls the fates that a test names, then lets all pass."""

    def __init__(self, *fates):
        super().__init__(0, Draws(0))
        self.fates = list(fates)

    def fate(self, now):
        return self.fates.pop(0) if self.fates else super().fate(now)


class Dying(UnitOfWork):
    """Kills the worker at a boundary of a transaction: before one begins, or when it was committed."""

    def __init__(self, store, at):
        self.store, self.left = store, at

    def step(self):
        self.left -= 1
        if self.left == -1:
            raise CrashedError

    def begin(self, command):
        return self.begun(command)

    @contextmanager
    def begun(self, command):
        self.step()
        with self.store.begin(command) as work:
            yield work
        self.step()


class Desk:
    """A connected house, its platform, and what happens to them."""

    def __init__(self, gateway="plain", uow=None, made=DirectGateway):
        self.store = InMemoryStore()
        self.scene = open_house(self.store, "pushing")
        manifest = profile(gateway)
        self.platform = RemotePlatform(
            clock=self.scene.clock,
            chance=Draws(1),
            rooms=remote_rooms(manifest),
            currency="EUR",
            groups=manifest.calls,
        )
        self.told = Told()
        self.gateway = made(manifest, self.platform, self.told, self.scene.clock)
        self.channel = connected(self.store, self.scene, self.gateway, uow=uow and uow(self.store))
        self.position = self.store.events_after()[-1].position

    def begin_quietly(self):
        for lane in (Lane.AVAILABILITY, Lane.PRICING):
            self.channel.run(lane)
        assert self.wrong() == ()
        self.gateway.pushes = 0
        return self

    def note(self):
        for event in self.store.events_after(self.position):
            self.position = event.position
            self.channel.note(event)

    def book(self, *when):
        receipt = self.scene.book(*(when or (stay(0, 2),)))
        self.note()
        return receipt.booking_id

    def wrong(self):
        return differences(self.channel, self.platform)

    def count(self, day=0):
        return self.platform.cell("single", "", MatrixField.SELLABLE, FIRST_DAY + timedelta(days=day))

    def wait(self, seconds):
        self.scene.clock.advance(timedelta(seconds=seconds))

    def due(self):
        found = take_due(TakeDue(**self.scene.asked()), uow=self.store, clock=self.scene.clock)
        return {each.lane for each in found}

    def trigger(self, sync_type=SyncType.AVAILABILITY):
        command = TriggerSync(
            **self.scene.asked(), connection_id=self.channel.connection_id, sync_type=sync_type
        )
        return trigger_sync(
            command, uow=self.store, clock=self.scene.clock, ids=self.scene.ids, means=self.channel.means
        )

    def log(self):
        with self.scene.begin() as work:
            return work.operations.page(self.channel.connection_id, OperationFilter(), Page()).items


def test_a_booking_reaches_the_platform_in_one_message_with_the_nights_it_touches():
    desk = Desk().begin_quietly()
    told = desk.platform.told
    desk.book()
    report = desk.channel.run(Lane.AVAILABILITY)
    assert (desk.count(0), desk.count(1), desk.count(2)) == (2, 2, 3)
    assert desk.platform.told - told == 2
    assert report.end.details == {"entries": 1, "messages": 1, "refused": 0}


def test_a_run_without_dirt_sends_nothing():
    desk = Desk().begin_quietly()
    desk.channel.run(Lane.AVAILABILITY)
    assert desk.gateway.pushes == 0


def test_a_lane_that_somebody_runs_is_not_run_twice():
    desk = Desk()
    with desk.scene.begin() as work:
        now = desk.scene.clock.now()
        work.lanes.claim(desk.channel.lanes[Lane.PRICING], now=now, until=now + timedelta(seconds=30))
        work.commit()
    assert not desk.channel.run(Lane.PRICING).has_run
    desk.wait(30)
    assert desk.channel.run(Lane.PRICING).has_run


def reverted_after_a_lost_answer():
    desk = Desk().begin_quietly()
    booking_id = desk.book()
    desk.told.fates = [LOST_AFTER]
    desk.channel.run(Lane.AVAILABILITY)
    desk.scene.act(booking_id, Act.CANCEL)
    desk.note()
    desk.wait(1)
    desk.channel.run(Lane.AVAILABILITY)
    return desk


def test_a_value_that_came_back_after_a_lost_answer_is_told_again():
    desk = reverted_after_a_lost_answer()
    assert desk.wrong() == ()
    assert desk.count() == 3


def test_without_a_row_ahead_of_the_call_it_would_stay_wrong(monkeypatch):
    add = InMemoryDirt.add
    monkeypatch.setattr(
        InMemoryDirt, "add", lambda self, *rows: add(self, *(evolve(each, forgets=False) for each in rows))
    )
    assert reverted_after_a_lost_answer().wrong() != ()


def test_retries_wait_one_two_and_four_seconds_then_the_operation_is_a_dead_letter():
    desk = Desk().begin_quietly()
    (operation,) = desk.trigger().operations
    desk.told.fates = [FAILED] * 4
    waits, details = [], []
    for _ in range(4):
        report = desk.channel.run(Lane.AVAILABILITY)
        waits.append(round((report.next_at - desk.scene.clock.now()).total_seconds()))
        details.append(dict(desk.log()[0].details))
        assert Lane.AVAILABILITY not in desk.due()
        desk.wait(waits[-1])
        assert Lane.AVAILABILITY in desk.due()
        desk.wait(31)
    assert waits == [1, 2, 4, 8]
    assert [each.get("retry_count") for each in details] == [0, 1, 2, 3]
    assert [each.get("next_retry_seconds") for each in details] == [1, 2, 4, None]
    failed = desk.log()[0]
    assert (failed.status, failed.error) == (OperationStatus.FAILED, "status_500 after 3 retries")
    assert report.dead == (operation.operation_id,)
    desk.channel.run(Lane.AVAILABILITY)
    assert desk.wrong() == ()


def test_after_an_outage_of_hours_one_message_says_everything():
    desk = Desk().begin_quietly()
    desk.told.plan_outage(desk.scene.clock.now(), timedelta(hours=6))
    for day in range(12):
        desk.book(stay(2 * day, 1))
        desk.channel.run(Lane.AVAILABILITY)
        desk.wait(30 * 60)
    assert desk.channel.lane(Lane.AVAILABILITY).failures >= 5
    desk.gateway.pushes = 0
    desk.channel.run(Lane.AVAILABILITY)
    assert desk.gateway.pushes == 1
    assert desk.wrong() == ()
    assert desk.channel.lane(Lane.AVAILABILITY).failures == 0


def test_the_breaker_is_open_after_ten_calls_at_most():
    desk = Desk().begin_quietly()
    desk.book()
    desk.told.plan_outage(desk.scene.clock.now(), timedelta(hours=6))
    began = desk.scene.clock.now()
    while desk.scene.clock.now() < began + timedelta(minutes=5):
        if Lane.AVAILABILITY in desk.due():
            desk.channel.run(Lane.AVAILABILITY)
        desk.wait(1)
    assert 5 <= desk.gateway.pushes <= 10


def test_a_busy_platform_is_asked_again_when_it_says_and_the_other_lane_goes_on():
    desk = Desk("channex").begin_quietly()
    desk.book()
    desk.told.fates = [Fate(kind=FateKind.BUSY, status=429, retry_after=77)]
    report = desk.channel.run(Lane.AVAILABILITY)
    assert report.next_at == desk.scene.clock.now() + timedelta(seconds=77)
    assert desk.channel.lane(Lane.AVAILABILITY).attempts == 0
    desk.channel.make_dirty(Lane.PRICING, forgets=True)
    assert desk.channel.run(Lane.PRICING).end.outcome.kind is OutcomeKind.DONE
    desk.wait(78)
    desk.channel.run(Lane.AVAILABILITY)
    assert desk.wrong() == ()


def test_a_limit_of_the_platform_is_waited_for_and_never_exceeded():
    desk = Desk("channex")
    for number in range(14):
        desk.channel.make_dirty(Lane.AVAILABILITY, forgets=True)
        report = desk.channel.run(Lane.AVAILABILITY)
        assert (report.end.outcome.kind is OutcomeKind.BUSY) == (number >= 10)
    assert desk.platform.calls.exceeded == 0
    assert desk.channel.lane(Lane.AVAILABILITY).failures == 0


class Picky(DirectGateway):
    """A platform that refuses a message with one night in it, and names nothing."""

    night = FIRST_DAY + timedelta(days=5)

    def push(self, at, push):
        if any(self.night in entry.nights for entry in push.entries):
            self.pushes += 1
            return PushResult(Outcome(OutcomeKind.REFUSED, "bad_request"))
        return super().push(at, push)


def test_what_is_refused_is_found_by_halving_and_told_and_the_rest_arrives():
    desk = Desk(made=Picky)
    desk.gateway.night = FIRST_DAY + timedelta(days=400)
    desk.begin_quietly()
    desk.gateway.night = FIRST_DAY + timedelta(days=5)
    for day in (1, 3, 5, 7, 9):
        desk.book(stay(day, 1))
    report = desk.channel.run(Lane.AVAILABILITY)
    assert report.end.outcome.kind is OutcomeKind.DONE
    assert report.end.details["refused"] == 1
    assert [desk.count(day) for day in (1, 3, 5, 7, 9)] == [2, 2, 3, 2, 2]
    with desk.scene.begin() as work:
        (issue,) = work.issues.find(desk.scene.property_id, Page()).items
    assert issue.details["from"] == (FIRST_DAY + timedelta(days=5)).isoformat()
    assert desk.channel.dirt(Lane.AVAILABILITY) == ()
    assert desk.channel.lane(Lane.AVAILABILITY).next_at is None


class Partly(DirectGateway):
    """A platform that takes a message but for one night."""

    def push(self, at, push):
        found = super().push(at, push)
        nights = DateRange.of(FIRST_DAY, 1)
        refused = tuple(
            Refused(
                mapping_id=entry.mapping_id,
                nights=nights,
                fields=frozenset({MatrixField.SELLABLE}),
                reason="closed_out",
            )
            for entry in push.entries[:1]
            if FIRST_DAY in entry.nights
        )
        return PushResult(Outcome(OutcomeKind.PARTLY), refused) if refused else found


def test_cells_that_were_not_taken_are_not_taken_for_told():
    desk = Desk(made=Partly)
    desk.channel.run(Lane.AVAILABILITY)
    manifest, mappings = desk.channel.manifest, desk.channel.mappings()
    keys = keys_of(mappings, manifest, Lane.AVAILABILITY)
    with desk.scene.begin() as work:
        cells = work.cells.read(desk.channel.connection_id, keys, DateRange.of(FIRST_DAY, 3))
    assert sorted(row.count(UNKNOWN) for row in cells.rows.values()) == [0, 0, 1]


@pytest.mark.parametrize("at", range(14))
def test_a_worker_that_dies_at_any_step_leaves_nothing_wrong(at):
    desk = Desk().begin_quietly()
    booking_id = desk.book()
    dying = Dying(desk.store, at)
    healthy, desk.channel = desk.channel, connected_through(desk.channel, dying)
    try:
        desk.channel.run(Lane.AVAILABILITY)
        is_dead = False
    except CrashedError:
        is_dead = True
    desk.channel = healthy
    desk.scene.act(booking_id, Act.CANCEL)
    desk.note()
    assert is_dead == (dying.left < 0)
    for _ in range(3):
        desk.wait(31)
        if Lane.AVAILABILITY in desk.due():
            desk.channel.run(Lane.AVAILABILITY)
    assert desk.wrong() == ()
    assert desk.channel.dirt(Lane.AVAILABILITY) == ()


def connected_through(channel, uow):
    return evolve(channel, uow=uow)


def test_a_worker_that_dies_each_time_is_given_up_and_a_later_one_goes_on():
    desk = Desk().begin_quietly()
    (operation,) = desk.trigger().operations
    for _ in range(4):
        with pytest.raises(CrashedError):
            connected_through(desk.channel, Dying(desk.store, 4)).run(Lane.AVAILABILITY)
        desk.wait(31)
    report = desk.channel.run(Lane.AVAILABILITY)
    assert report.dead == (operation.operation_id,)
    assert desk.log()[0].status is OperationStatus.FAILED
    desk.wait(301)
    desk.channel.run(Lane.AVAILABILITY)
    assert desk.wrong() == ()


def test_a_token_that_the_platform_does_not_take_is_renewed_once_and_the_call_repeated():
    desk = Desk("booking_ota").begin_quietly()
    desk.book()
    desk.told.fates = [Fate(kind=FateKind.TOKEN_EXPIRED, status=401)]
    report = desk.channel.run(Lane.AVAILABILITY)
    assert report.end.outcome.kind is OutcomeKind.DONE
    assert desk.platform.calls.total["token"] == 2
    assert desk.wrong() == ()


def test_a_platform_that_refuses_its_own_new_token_is_down_and_not_our_credentials_wrong():
    desk = Desk("booking_ota").begin_quietly()
    desk.book()
    refused = Fate(kind=FateKind.TOKEN_EXPIRED, status=401)
    for _ in range(4):
        desk.told.fates = [refused, PASS, refused]
        assert desk.channel.run(Lane.AVAILABILITY).end.outcome.kind is OutcomeKind.DOWN
        desk.wait(31)
    assert desk.channel.connection().status is ConnectionStatus.ACTIVE


class Stranger(DirectGateway):
    """A platform that does not know our credentials."""

    def renew(self, at):
        return Renewed(Outcome(OutcomeKind.UNAUTHORISED, "credentials"))


def test_credentials_that_are_refused_again_and_again_stop_the_connection():
    desk = Desk("booking_ota", made=Stranger)
    for number in range(3):
        assert desk.channel.connection().status is ConnectionStatus.ACTIVE, number
        desk.channel.run(Lane.AVAILABILITY)
        desk.wait(31)
    assert desk.channel.connection().status is ConnectionStatus.ERROR


def test_only_success_moves_the_time_of_the_last_synchronisation():
    desk = Desk().begin_quietly()
    before = desk.channel.connection().last_sync_at
    desk.wait(60)
    desk.trigger()
    assert desk.channel.connection().last_attempt_at == desk.scene.clock.now()
    desk.told.fates = [FAILED]
    desk.channel.run(Lane.AVAILABILITY)
    assert desk.channel.connection().last_sync_at == before
    desk.wait(1)
    desk.channel.run(Lane.AVAILABILITY)
    assert desk.channel.connection().last_sync_at == desk.scene.clock.now()
