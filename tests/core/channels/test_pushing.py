"""Telling a platform what differs, with one worker and with those that die."""

from __future__ import annotations

import pytest

from pmscore.channels.model.manifest import Lane
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_gateways import DirectGateway
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_houses import connected, open_house, remote_rooms
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.channel_profiles import profile
from pmscore.testing.draws import Draws
from pmscore.testing.memory import InMemoryStore
from pmscore.testing.scenes import FIRST_DAY, stay


@pytest.fixture
def store():
    return InMemoryStore()


def quiet(store, gateway="plain"):
    scene = open_house(store, "pushing")
    manifest = profile(gateway)
    platform = RemotePlatform(
        clock=scene.clock,
        chance=Draws(1),
        rooms=remote_rooms(manifest),
        currency="EUR",
        groups=manifest.calls,
    )
    made = DirectGateway(manifest, platform, Hostility(0, Draws(2)), scene.clock)
    return connected(store, scene, made), platform


def test_a_booking_reaches_the_platform(store):
    channel, platform = quiet(store)
    channel.run(Lane.AVAILABILITY)
    assert platform.cell("single", "", MatrixField.SELLABLE, FIRST_DAY) == 3
    position = store.events_after()[-1].position
    channel.scene.book(stay(0, 2))
    for event in store.events_after(position):
        channel.note(event)
    report = channel.run(Lane.AVAILABILITY)
    assert report.end.details["messages"] == 1
    assert platform.cell("single", "", MatrixField.SELLABLE, FIRST_DAY) == 2
