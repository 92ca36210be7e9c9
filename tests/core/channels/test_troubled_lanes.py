"""Lanes that can send nothing, although they have much to say: they wait, and what was asked for fails in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from pmscore.channels.model.connections import CREDENTIALS_COLUMN
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.operations import OperationFilter, OperationStatus
from pmscore.channels.policies.waiting import LONGEST_PAUSE
from pmscore.channels.use_cases.operations import SyncType, TriggerSync, trigger_sync
from pmscore.kernel.paging import Page
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_gateways import DirectGateway
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_houses import connected, open_house, remote_rooms
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.channel_profiles import profile
from pmscore.testing.draws import Draws
from pmscore.testing.memory import InMemoryStore


@pytest.fixture
def house():
    store, manifest = InMemoryStore(), profile("plain")
    scene = open_house(store, "trouble")
    platform = RemotePlatform(
        clock=scene.clock,
        chance=Draws(1),
        rooms=remote_rooms(manifest),
        currency="EUR",
        groups=manifest.calls,
        name="plain",
    )
    return connected(store, scene, DirectGateway(manifest, platform, Hostility(0, Draws(0)), scene.clock))


def change(house, **changes):
    with house.scene.begin() as work:
        work.connections.save(evolve(work.connections.get(house.connection_id), **changes))
        work.commit()


def is_due(house):
    now = house.scene.clock.now()
    with house.scene.begin() as work:
        return Lane.AVAILABILITY in {each.lane for each in work.lanes.take_due(now=now, until=now, most=9)}


def trigger(house):
    command = TriggerSync(
        **house.scene.asked(), connection_id=house.connection_id, sync_type=SyncType.AVAILABILITY
    )
    trigger_sync(command, uow=house.uow, clock=house.scene.clock, ids=house.scene.ids, means=house.means)


def logged(house):
    with house.scene.begin() as work:
        (found,) = work.operations.page(house.connection_id, OperationFilter(), Page()).items
    return found


def test_credentials_that_nobody_can_open_are_tried_again_and_then_given_up(house):
    elsewhere = house.means.box.seal(house.scene.agency_id, "elsewhere", Secret("{}"))
    change(house, sealed=elsewhere)
    trigger(house)
    for _ in range(4):
        assert is_due(house)
        report = house.run(Lane.AVAILABILITY)
        assert report.end.outcome.error == "sealed_for_another_place"
        assert not is_due(house)
        house.scene.clock.advance(timedelta(seconds=8))
    operation = logged(house)
    assert (operation.status, operation.error) == (
        OperationStatus.FAILED,
        "sealed_for_another_place after 3 retries",
    )
    assert operation.details["dead_letter"] is True
    right = house.means.box.seal(house.scene.agency_id, CREDENTIALS_COLUMN, Secret("{}"))
    change(house, sealed=right)
    house.scene.clock.advance(timedelta(seconds=LONGEST_PAUSE))
    house.run(Lane.AVAILABILITY)
    assert house.lane(Lane.AVAILABILITY).failures == 0
    assert house.dirt(Lane.AVAILABILITY) == ()


def test_a_gateway_that_is_not_installed_is_looked_for_again_after_a_while(house):
    """And not at once, for ever, because there is something to be said."""
    trigger(house)
    change(house, gateway="nowhere")
    house.run(Lane.AVAILABILITY)
    assert (logged(house).status, logged(house).error) == (OperationStatus.FAILED, "gateway_unknown")
    assert house.dirt(Lane.AVAILABILITY)
    assert not is_due(house)
    house.scene.clock.advance(timedelta(seconds=LONGEST_PAUSE))
    assert is_due(house)
