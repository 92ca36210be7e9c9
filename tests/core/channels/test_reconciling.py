"""What a platform really has, against what it was told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from pmscore.channels.model.calls import OutcomeKind
from pmscore.channels.model.manifest import Lane
from pmscore.channels.use_cases.sweeping import TakeDue, take_due
from pmscore.dates.ranges import DateRange
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_gateways import DirectGateway
from pmscore.testing.channel_hostility import Fate, FateKind, Hostility
from pmscore.testing.channel_houses import connected, open_house, remote_rooms
from pmscore.testing.channel_judging import differences
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
