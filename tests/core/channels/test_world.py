"""A month of a house and a platform that is hostile: in the end both agree, and what is left out is found out.

A run that fails says its seed; ``PMS_WORLD_SEED=seed pytest -k converge`` runs that one alone, and ``PMS_WORLD_SEEDS=20``
runs so many for each gateway.
"""

from __future__ import annotations

import os

import pytest
from attrs import evolve

from pmscore.channels.model.ari import AriRun, Entry, RowKey
from pmscore.channels.use_cases import pushing
from pmscore.dates.ranges import DateRange
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_gateways import DirectGateway
from pmscore.testing.channel_inbound_repositories import InMemoryRevisions
from pmscore.testing.channel_judging import differences, lost_or_doubled, unexplained
from pmscore.testing.channel_profiles import PROFILES
from pmscore.testing.channel_profiles import profile as manifest_of
from pmscore.testing.channel_world import World
from pmscore.testing.memory import InMemoryStore

# Many months are lived through over a wire, where everything here takes part: tests/adapters/channels/months.py.
SEEDS = {"dev": 1, "ci": 1, "nightly": 200}
ONLY = os.environ.get("PMS_WORLD_SEED")
MANY = os.environ.get("PMS_WORLD_SEEDS")
MOST_TRIES = 20


def lived(gateway, seed, **changed):
    world = World(InMemoryStore(), manifest_of(gateway), seed, **changed)
    world.live()
    world.settle()
    return world


def wrongs(world):
    sides = world.channel, world.platform
    return (*differences(*sides), *lost_or_doubled(*sides), *unexplained(*sides))


def caught(gateway, **changed):
    """Return the first seed at which a run without something is found out."""
    return next((seed for seed in range(MOST_TRIES) if wrongs(lived(gateway, seed, **changed))), None)


@pytest.mark.parametrize("gateway", sorted(PROFILES))
def test_hostile_months_converge(gateway, profile):
    for seed in [int(ONLY)] if ONLY else range(int(MANY or SEEDS.get(profile, 1))):
        world = lived(gateway, seed)
        said = f"PMS_WORLD_SEED={seed}"
        assert wrongs(world) == (), said
        assert world.channel.scene.store.violated_invariants() == (), said
        report = world.report()
        assert (report.exceeded, report.breaches) == (0, ()), said
        assert report.bookings + report.changes + report.cancellations >= 60, said
        assert report.duplicates >= 30, said
        assert report.faults >= 100, said
        assert report.outages == 1, said


def test_the_months_together_have_enough_in_them():
    reports = [lived(gateway, 1).report() for gateway in ("alpinebits", "ical")]
    assert min(each.bookings for each in reports) >= 40
    assert min(each.changes for each in reports) >= 15
    assert min(each.cancellations for each in reports) >= 10


def test_a_seed_is_always_the_same_month():
    first, again = lived("alpinebits", 5, days=10), lived("alpinebits", 5, days=10)
    assert first.journal == again.journal
    assert first.report() == again.report()
    assert first.journal != lived("alpinebits", 6, days=10).journal


def test_a_calm_month_needs_no_repetition():
    world = lived("plain", 1, dial=0)
    assert wrongs(world) == ()
    assert world.report().faults == 0


# What is left out is found out


OTHER = {
    MatrixField.CLOSED_TO_ARRIVAL: MatrixField.CLOSED_TO_DEPARTURE,
    MatrixField.CLOSED_TO_DEPARTURE: MatrixField.CLOSED_TO_ARRIVAL,
}


class EndsEarly(DirectGateway):
    """Takes the end of a range for one that belongs to it."""

    def written(self, entry: Entry):
        nights = entry.nights
        if nights.length == 1:
            return entry.runs()
        return evolve(entry, nights=DateRange.of(nights.start, nights.length - 1)).runs()


class Swaps(DirectGateway):
    """Takes closed to arrival for closed to departure."""

    def written(self, entry: Entry):
        return tuple(
            AriRun(
                RowKey(run.key.mapping_id, OTHER.get(run.key.field, run.key.field), run.key.occupancy),
                run.nights,
                run.value,
            )
            for run in entry.runs()
        )


@pytest.mark.parametrize("codec", [EndsEarly, Swaps])
def test_a_wrong_codec_is_found_out(codec):
    assert caught("channex", makes=codec, dial=0) is not None


def test_revisions_that_are_not_known_again_are_found_out(monkeypatch):
    add, link = InMemoryRevisions.add, InMemoryRevisions.link

    def forgetful_add(self, stored):
        add(self, stored)
        return True

    def forgetful_link(self, connection_id, booking_key):
        link(self, connection_id, booking_key)

    monkeypatch.setattr(InMemoryRevisions, "add", forgetful_add)
    monkeypatch.setattr(InMemoryRevisions, "link", forgetful_link)
    assert caught("alpinebits") is not None


def test_a_queue_that_drops_jobs_without_a_sweeper_is_found_out():
    assert caught("alpinebits", sweeps=False) is not None


class Pauses(DirectGateway):
    """Some of its calls arrive when another worker has long taken the lane over."""

    world: World | None = None
    _calls = 0

    def push(self, at, push):
        self._calls += 1
        world, self.world = self.world, None
        if world is not None and self._calls % 9 == 0:
            world.overtake(push.lane)
        self.world = world or self.world
        return super().push(at, push)


def overtaken(seed):
    world = World(InMemoryStore(), manifest_of("alpinebits"), seed, makes=Pauses, dial=0)
    world.gateway.world = world
    world.live()
    world.settle()
    return wrongs(world)


def test_a_worker_that_wakes_up_too_late_does_no_harm():
    assert overtaken(0) == ()


def test_a_late_worker_that_does_not_say_so_is_found_out(monkeypatch):
    monkeypatch.setattr(pushing._Pushing, "_disown", lambda self, push: None)
    assert any(overtaken(seed) for seed in range(MOST_TRIES))
