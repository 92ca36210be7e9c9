"""Hostile months over a wire: which gateways and seeds are lived through, and what has to be true in the end.

Half of the seeds stand in each of two files, so that two processes share them. ``PMS_WORLD_SEED=seed`` runs that one alone and
``PMS_WORLD_SEEDS=200`` so many for each gateway; the nightly profile runs 200.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

import pytest

from adapters.channels.feed_world import FeedWorld, kept_otherwise, sold_out_otherwise
from adapters.channels.wire_world import gateway_names, wire_world
from pmscore.testing.channel_judging import differences, lost_or_doubled, unexplained
from pmscore.testing.channel_world import World, WorldReport
from pmscore.testing.memory import InMemoryStore

SEEDS: Final = {"dev": 2, "ci": 20, "nightly": 200}


def seeds() -> Iterable[int]:
    """Return the seeds that are asked for."""
    only = os.environ.get("PMS_WORLD_SEED")
    if only:
        return (int(only),)
    profile = os.environ.get("HYPOTHESIS_PROFILE", "ci")
    return range(int(os.environ.get("PMS_WORLD_SEEDS") or SEEDS.get(profile, 1)))


def months(half: int) -> list[object]:
    """Return the months of one of two halves: a gateway and a seed each."""
    return [
        pytest.param(name, seed, id=f"{name}-{seed}")
        for name in gateway_names()
        for seed in seeds()
        if seed % 2 == half
    ]


def wrongs(world: World) -> tuple[str, ...]:
    """Return a sentence for whatever the two sides do not agree on."""
    sides = world.channel, world.platform
    found = (*differences(*sides), *lost_or_doubled(*sides), *unexplained(*sides))
    if isinstance(world, FeedWorld):
        found = (*found, *kept_otherwise(world), *sold_out_otherwise(world))
    return found


def live_through(name: str, seed: int) -> WorldReport:
    """Let a month at full hostility pass, and return what it had to bear when both sides agree in the end."""
    said = f"PMS_WORLD_SEED={seed} python -m pytest tests/adapters/channels -k 'month and {name}'"
    world = wire_world(InMemoryStore(), name, seed)
    world.live()
    world.settle()
    report = world.report()
    assert wrongs(world) == (), said
    assert world.channel.scene.store.violated_invariants() == (), said
    assert report.exceeded == 0, (said, report)
    assert report.bookings + report.changes + report.cancellations >= 60, (said, report)
    assert report.duplicates >= 30, (said, report)
    assert report.faults >= 100, (said, report)
    assert report.outages == 1, (said, report)
    assert report.told > 0, (said, report)
    return report
