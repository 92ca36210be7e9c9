"""Asking for a synchronisation, and what the log says of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from pmscore.channels.model.connections import ConnectionStatus
from pmscore.channels.model.manifest import Lane, Standing
from pmscore.channels.model.operations import BatchStatus, OperationFilter, OperationStatus, OperationType
from pmscore.channels.use_cases.operations import (
    RetryOperation,
    SyncType,
    TriggerSync,
    note_queued,
    retry_operation,
    trigger_sync,
)
from pmscore.channels.use_cases.purging import PurgeLogs, preview_purge, purge_logs
from pmscore.channels.use_cases.sweeping import TakeDue, clean_up_stale, roll_days, take_due
from pmscore.kernel.errors import InvalidInputError, TransitionError
from pmscore.kernel.paging import Page
from pmscore.testing.channel_gateways import DirectGateway, TunedGateway
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_houses import connected, open_house, remote_rooms
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.channel_profiles import profile
from pmscore.testing.draws import Draws
from pmscore.testing.memory import InMemoryStore
from pmscore.testing.scenes import nights

ALL = (Lane.AVAILABILITY, Lane.PRICING, Lane.BOOKINGS)


class Office:
    """A connected house, and one line for each thing that people ask for."""

    def __init__(self, manifest=None, *, settings=None):
        self.store = InMemoryStore()
        self.scene = open_house(self.store, "operations")
        manifest = manifest or profile("plain")
        platform = RemotePlatform(
            clock=self.scene.clock, chance=Draws(1), rooms=remote_rooms(manifest), currency="EUR"
        )
        self.hostility = Hostility(0, Draws(1))
        made = DirectGateway(manifest, platform, self.hostility, self.scene.clock)
        self.channel = connected(self.store, self.scene, TunedGateway(made, manifest), settings=settings)

    def trigger(self, sync_type, wanted=None):
        command = TriggerSync(
            **self.scene.asked(),
            connection_id=self.channel.connection_id,
            sync_type=sync_type,
            nights=wanted,
        )
        return trigger_sync(
            command, uow=self.store, clock=self.scene.clock, ids=self.scene.ids, means=self.channel.means
        )

    def log(self):
        with self.scene.begin() as work:
            return work.operations.page(self.channel.connection_id, OperationFilter(), Page()).items

    def operation(self, operation_id):
        return next(each for each in self.log() if each.operation_id == operation_id)

    def batch(self, batch_id):
        with self.scene.begin() as work:
            return work.operations.batch(self.channel.connection_id, batch_id)

    def purge(self, days, phrase="PURGE", act=purge_logs):
        command = PurgeLogs(
            **self.scene.asked(),
            connection_id=self.channel.connection_id,
            retention_days=days,
            phrase=phrase,
        )
        return act(command, uow=self.store, clock=self.scene.clock)


def test_full_is_three_operations_in_one_batch_that_ends_when_all_have_run():
    office = Office()
    asked = office.trigger(SyncType.FULL)
    assert [each.operation_type for each in asked.operations] == [
        OperationType.AVAILABILITY_UPDATE,
        OperationType.PRICING_UPDATE,
        OperationType.BOOKINGS_SYNC,
    ]
    assert {each.batch_id for each in asked.operations} == {asked.batch_id}
    assert office.batch(asked.batch_id).status_counts["triggered"] == 3
    for lane in ALL:
        assert office.batch(asked.batch_id).status is BatchStatus.RUNNING
        office.channel.run(lane)
    assert office.batch(asked.batch_id).status is BatchStatus.SUCCESS


@pytest.mark.parametrize(("sync_type", "lane"), tuple(zip(list(SyncType)[1:], ALL, strict=True)))
def test_one_of_them_is_one_operation_without_a_batch_and_makes_its_lane_due(sync_type, lane):
    office = Office()
    for each in ALL:
        office.channel.run(each)
    asked = office.trigger(sync_type)
    assert asked.batch_id is None
    found = take_due(TakeDue(**office.scene.asked()), uow=office.store, clock=office.scene.clock)
    assert [each.lane for each in found] == [lane]
    note_queued(
        office.scene.command(), [each.lane_id for each in found], uow=office.store, clock=office.scene.clock
    )
    assert office.operation(asked.operations[0].operation_id).status is OperationStatus.QUEUED
    office.channel.run(lane)
    assert office.operation(asked.operations[0].operation_id).status is OperationStatus.SUCCESS


def test_what_was_told_is_told_again_on_the_nights_that_were_asked_for():
    office = Office()
    office.channel.run(Lane.AVAILABILITY)
    asked = office.trigger(SyncType.AVAILABILITY, nights(2, 3))
    report = office.channel.run(Lane.AVAILABILITY)
    assert report.end.details["entries"] == 3
    assert office.operation(asked.operations[0].operation_id).details["entries"] == 3


def test_what_a_gateway_cannot_do_is_skipped_in_full_and_refused_alone():
    office = Office(profile("google_ari"))
    asked = office.trigger(SyncType.FULL)
    bookings = asked.operations[2]
    assert (bookings.status, bookings.details["skipped"]) == (OperationStatus.SUCCESS, True)
    with pytest.raises(InvalidInputError, match="sync_type_not_supported"):
        office.trigger(SyncType.BOOKINGS)
    assert len(office.log()) == 3


@pytest.mark.parametrize("sends", [False, True])
def test_a_lane_of_which_only_the_format_was_proved_is_sent_where_somebody_says_so(sends):
    standings = {Lane.PRICING: Standing.FORMAT_ONLY}
    office = Office(
        evolve(profile("plain"), lane_standings=standings), settings={"sends_ari": True} if sends else {}
    )
    pricing = office.trigger(SyncType.FULL).operations[1]
    assert pricing.details.get("skipped", False) is not sends


def test_a_connection_that_does_not_sync_is_not_asked():
    office = Office()
    with office.scene.begin() as work:
        connection = work.connections.get(office.channel.connection_id)
        work.connections.save(evolve(connection, status=ConnectionStatus.PAUSED))
        work.commit()
    with pytest.raises(TransitionError):
        office.trigger(SyncType.FULL)
    assert office.log() == ()


def test_what_was_asked_for_before_a_pause_is_cancelled():
    office = Office()
    asked = office.trigger(SyncType.PRICING).operations[0]
    with office.scene.begin() as work:
        connection = work.connections.get(office.channel.connection_id)
        work.connections.save(evolve(connection, status=ConnectionStatus.PAUSED))
        work.commit()
    office.channel.run(Lane.PRICING)
    assert office.operation(asked.operation_id).status is OperationStatus.CANCELLED


def test_operations_that_stand_still_for_an_hour_are_given_up_with_the_known_words():
    office = Office()
    asked = office.trigger(SyncType.PRICING).operations[0]
    office.scene.clock.advance(timedelta(minutes=60))
    clean_up_stale(
        office.scene.command(), uow=office.store, clock=office.scene.clock, means=office.channel.means
    )
    assert office.operation(asked.operation_id).status is OperationStatus.TRIGGERED
    office.scene.clock.advance(timedelta(seconds=1))
    office.trigger(SyncType.AVAILABILITY)
    stale = office.operation(asked.operation_id)
    assert stale.status is OperationStatus.FAILED
    assert stale.error == (
        "Marked stale (no update for 60 minutes). Likely worker restart or lost DB connection."
    )


def test_a_dead_letter_is_asked_for_anew_once():
    office = Office()
    asked = office.trigger(SyncType.PRICING).operations[0]
    office.hostility.plan_outage(office.scene.clock.now(), timedelta(minutes=10))
    for _ in range(4):
        office.channel.run(Lane.PRICING)
        office.scene.clock.advance(timedelta(seconds=31))
    assert office.operation(asked.operation_id).details["dead_letter"] is True
    command = RetryOperation(**office.scene.asked(), operation_id=asked.operation_id)
    again = retry_operation(command, uow=office.store, clock=office.scene.clock, ids=office.scene.ids)
    with pytest.raises(TransitionError):
        retry_operation(command, uow=office.store, clock=office.scene.clock, ids=office.scene.ids)
    office.scene.clock.advance(timedelta(minutes=10))
    office.channel.run(Lane.PRICING)
    assert office.operation(again.operation_id).status is OperationStatus.SUCCESS


def test_a_purge_says_what_it_would_delete_and_asks_for_the_phrase():
    office = Office()
    office.trigger(SyncType.PRICING)
    office.scene.clock.advance(timedelta(days=31))
    office.trigger(SyncType.PRICING)
    assert office.purge(30, act=preview_purge).total == 1
    with pytest.raises(InvalidInputError, match="not_the_phrase"):
        office.purge(30, "purge")
    for days in (0, 3651):
        with pytest.raises(InvalidInputError, match="out_of_range"):
            office.purge(days)
    assert office.purge(30) == 1
    assert len(office.log()) == 1


def test_a_new_day_is_looked_at_once():
    office = Office()
    for lane in ALL:
        office.channel.run(lane)

    def roll():
        return roll_days(
            office.scene.command(),
            uow=office.store,
            clock=office.scene.clock,
            ids=office.scene.ids,
            means=office.channel.means,
        )

    assert roll() == 0
    office.scene.clock.advance(timedelta(days=1))
    assert roll() == 2
    assert roll() == 0
    report = office.channel.run(Lane.AVAILABILITY)
    assert report.end.details["entries"] == 3
    assert roll() == 0
