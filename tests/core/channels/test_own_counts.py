"""Platforms that lower their own counts when they sell are told ours again, also where ours come out as before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pmscore.channels.model.manifest import Lane
from pmscore.channels.reactions import remembering
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_judging import differences
from pmscore.testing.channel_profiles import profile
from pmscore.testing.channel_world import World
from pmscore.testing.memory import InMemoryStore

DORM = 2


@pytest.fixture
def world():
    world = World(InMemoryStore(), profile("channex"), 1, dial=0)
    for lane in (Lane.AVAILABILITY, Lane.PRICING):
        world.channel.run(lane)
    assert world.platform.counts_itself
    assert differences(world.channel, world.platform) == ()
    return world


def counts(world, sold):
    room = sold.rooms[0]
    cells = world.platform.cells[room.room_code, "", MatrixField.SELLABLE, 0]
    return {cells[day] for day in range(room.stay.arrival.toordinal(), room.stay.departure.toordinal())}


def sold_in_the_dorm(world):
    """Let the platform sell a bed, while the house puts one up, so that ours come out as they were."""
    first = world.channel.scene.house().property.business_date + timedelta(days=3)
    sold = world.platform.oversell(first, first + timedelta(days=9))
    while sold.rooms[0].room_code != "dorm":
        world.platform.cancel(first)
        sold = world.platform.oversell(first, first + timedelta(days=9))
    return sold


def told(world):
    world.channel.run(Lane.BOOKINGS)
    world.note()
    world.channel.run(Lane.AVAILABILITY)


def test_a_count_that_comes_out_as_before_is_told_again(world):
    sold = sold_in_the_dorm(world)
    assert counts(world, sold) == {3}
    world.channel.scene.set_rooms(world.channel.scene.type_ids[DORM], 5)
    told(world)
    assert counts(world, sold) == {4}
    assert differences(world.channel, world.platform) == ()


def test_it_would_stay_wrong_if_it_were_not(world, monkeypatch):
    monkeypatch.setattr(remembering, "_doubt_counts", lambda work, at, seen: None)
    sold = sold_in_the_dorm(world)
    world.channel.scene.set_rooms(world.channel.scene.type_ids[DORM], 5)
    told(world)
    assert counts(world, sold) == {3}
    assert differences(world.channel, world.platform)
