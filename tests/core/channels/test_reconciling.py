"""What a platform really has, against what it was told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from pmscore.booking.model.listing import BookingFilter
from pmscore.channels.model.calls import OutcomeKind
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.revisions import IssueKind
from pmscore.channels.use_cases.sweeping import TakeDue, take_due
from pmscore.dates.ranges import DateRange
from pmscore.kernel.paging import Page
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_gateways import DirectGateway
from pmscore.testing.channel_hostility import Fate, FateKind, Hostility
from pmscore.testing.channel_houses import connected, open_house, remote_rooms
from pmscore.testing.channel_judging import differences, lost_or_doubled
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.channel_profiles import profile
from pmscore.testing.draws import Draws
from pmscore.testing.memory import InMemoryStore
from pmscore.testing.scenes import FIRST_DAY


class Told(Hostility):
    """Gives calls the fates that a test names, then lets all pass."""

    fates: tuple[Fate, ...] = ()

    def fate(self, now):
        if not self.fates:
            return super().fate(now)
        first, *left = self.fates
        self.fates = tuple(left)
        return first


@pytest.fixture
def desk():
    """A house whose platform has all that it should have."""
    store = InMemoryStore()
    scene = open_house(store, "reconciling")
    manifest = evolve(profile("channex"), reads_back=True)
    platform = RemotePlatform(
        clock=scene.clock,
        chance=Draws(1),
        rooms=remote_rooms(manifest),
        currency="EUR",
        groups=manifest.calls,
    )
    told = Told(0, Draws(0))
    channel = connected(store, scene, DirectGateway(manifest, platform, told, scene.clock))
    for lane in (Lane.AVAILABILITY, Lane.PRICING):
        channel.run(lane)
    return channel, platform, told


def due(channel):
    scene = channel.scene
    found = take_due(TakeDue(**scene.asked()), uow=scene.store, clock=scene.clock)
    return {each.lane for each in found}


def an_hour_later(channel):
    channel.scene.clock.advance(timedelta(hours=1, seconds=1))
    return due(channel)


def test_each_hour_the_platform_is_looked_at(desk):
    channel, platform, _ = desk
    looks = platform.calls.total["read_back"]
    assert Lane.AVAILABILITY not in due(channel)
    assert Lane.AVAILABILITY in an_hour_later(channel)
    report = channel.run(Lane.AVAILABILITY)
    assert platform.calls.total["read_back"] == looks + 1
    assert "drift" not in report.end.details
    assert report.end.details["messages"] == 0


@pytest.mark.parametrize(("value", "kind"), [(1, "differs"), (None, "missing_there")])
def test_drift_is_named_and_repaired_with_the_cells_that_differ(desk, value, kind):
    channel, platform, _ = desk
    night = DateRange.of(FIRST_DAY + timedelta(days=3), 1)
    if value is None:
        del platform.cells["double", "", MatrixField.SELLABLE, 0][night.first_ordinal]
    else:
        platform.tell("double", "", MatrixField.SELLABLE, night, value)
    an_hour_later(channel)
    told, position = platform.told, channel.scene.store.events_after()[-1].position
    report = channel.run(Lane.AVAILABILITY)
    assert report.end.details["drift"] == {kind: 1}
    assert platform.told - told == 1
    assert differences(channel, platform) == ()
    kinds = [each.kind for each in channel.scene.store.events_after(position)]
    assert kinds.count("channel.driftFound") == 1


def test_what_was_sent_without_an_answer_is_no_drift(desk):
    channel, platform, told = desk
    channel.make_dirty(Lane.AVAILABILITY, forgets=True)
    told.fates = (Fate(kind=FateKind.LOST_AFTER, status=0),)
    channel.run(Lane.AVAILABILITY)
    platform.tell("double", "", MatrixField.SELLABLE, DateRange.of(FIRST_DAY, 1), 7)
    an_hour_later(channel)
    report = channel.run(Lane.AVAILABILITY)
    assert "drift" not in report.end.details
    assert differences(channel, platform) == ()


def test_a_look_that_fails_keeps_nothing_from_being_sent(desk):
    channel, _platform, told = desk
    an_hour_later(channel)
    channel.make_dirty(Lane.AVAILABILITY, forgets=True)
    told.fates = (Fate(kind=FateKind.FAILED, status=500),)
    report = channel.run(Lane.AVAILABILITY)
    assert report.end.outcome.kind is OutcomeKind.DONE
    assert report.end.details["messages"] == 1


def booked(channel):
    with channel.scene.begin() as work:
        return work.bookings.find(BookingFilter(channel=channel.connection().channel), Page()).items


def sold(platform):
    return platform.oversell(FIRST_DAY + timedelta(days=3), FIRST_DAY + timedelta(days=9))


def a_day_later(channel):
    channel.scene.clock.advance(timedelta(days=1))
    found = channel.run(Lane.BOOKINGS)
    channel.run(Lane.BOOKINGS)
    return found


def test_a_booking_that_was_never_told_is_found_within_a_day(desk):
    channel, platform, _ = desk
    channel.run(Lane.BOOKINGS)
    platform.acknowledge([sold(platform).revision_id])
    report = a_day_later(channel)
    assert report.end.details["drift"] == {"missing_here": 1}
    assert lost_or_doubled(channel, platform) == ()
    assert len(booked(channel)) == 1
    assert "drift" not in a_day_later(channel).end.details
    assert len(booked(channel)) == 1


def test_a_cancellation_that_was_never_told_is_found_within_a_day(desk):
    channel, platform, _ = desk
    sold(platform)
    channel.run(Lane.BOOKINGS)
    channel.scene.clock.advance(timedelta(minutes=1))
    platform.acknowledge([platform.cancel(FIRST_DAY).revision_id])
    report = a_day_later(channel)
    assert report.end.details["drift"] == {"differs_here": 1}
    assert lost_or_doubled(channel, platform) == ()


def test_a_booking_that_the_platform_does_not_know_is_for_a_person(desk):
    channel, platform, _ = desk
    key = sold(platform).booking_key
    channel.run(Lane.BOOKINGS)
    kept = platform.bookings.pop(key)
    report = a_day_later(channel)
    assert report.end.details["drift"] == {"extra_here": 1}
    with channel.scene.begin() as work:
        issues = work.issues.find(channel.scene.property_id, Page(), is_open=True).items
    assert [each.kind for each in issues if each.details.get("booking_key") == kept.booking_key] == [
        IssueKind.DRIFT
    ]
    assert booked(channel)[0].claims()
