"""What keeps a house and its platforms in step is taken away, one thing after the other, and found out over a wire.

That a platform is told a night too many, and arrival for departure, is found out in ``test_wire_worlds``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from adapters.channels.months import wrongs
from adapters.channels.wire_world import Shorter, wire_world
from pmscore.channels.model.calls import At, Push, PushResult
from pmscore.channels.model.manifest import Lane
from pmscore.channels.use_cases import pushing
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import BlockId
from pmscore.testing.channel_inbound_repositories import InMemoryRevisions
from pmscore.testing.channel_lanes import InMemoryLanes
from pmscore.testing.memory import InMemoryStore

MOST_TRIES = 8
DAYS = 6


def lived(name: str, seed: int, *, sweeps: bool = True) -> tuple[str, ...]:
    world = wire_world(InMemoryStore(), name, seed, days=DAYS, sweeps=sweeps)
    world.live()
    world.settle()
    return wrongs(world)


@pytest.mark.parametrize("name", ["alpinebits", "channex"])
def test_revisions_that_are_not_known_again_are_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    add, link = InMemoryRevisions.add, InMemoryRevisions.link

    def forgetful_add(self, stored):
        add(self, stored)
        return True

    def forgetful_link(self, connection_id, booking_key):
        link(self, connection_id, booking_key)

    assert lived(name, 0) == ()
    monkeypatch.setattr(InMemoryRevisions, "add", forgetful_add)
    monkeypatch.setattr(InMemoryRevisions, "link", forgetful_link)
    assert any(lived(name, seed) for seed in range(MOST_TRIES))


@pytest.mark.parametrize("name", ["alpinebits", "channex"])
def test_a_queue_that_drops_jobs_without_a_sweeper_is_found_out(name: str) -> None:
    assert any(lived(name, seed, sweeps=False) for seed in range(MOST_TRIES))


class Pauses(Shorter):
    """Its next call arrives when another worker has long taken the lane over."""

    meanwhile: Callable[[], None] | None = None

    def push(self, at: At, push: Push) -> PushResult:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return self._gateway.push(at, push)


def overtaken(name: str, *, is_lifted: bool) -> tuple[str, ...]:
    """Let a worker pause over two nights while another one tells of these and those between them.

    Where the second block ``is_lifted``, the nights between are as before in the end.
    """
    world = wire_world(InMemoryStore(), name, 0, dial=0, breaks=Pauses)
    channel, scene, gateway = world.channel, world.channel.scene, world.gateway
    assert isinstance(gateway, Pauses)
    for lane in (Lane.AVAILABILITY, *channel.lanes):
        channel.run(lane)
    first = scene.house().property.business_date + timedelta(days=5)
    for day in (0, 4):
        scene.block(scene.unit(0, 0).unit_id, DateRange.of(first + timedelta(days=day), 1))
    between: list[BlockId] = []

    def another() -> None:
        scene.clock.advance(channel.means.lease + timedelta(minutes=1))
        between.append(scene.block(scene.unit(1, 0).unit_id, DateRange.of(first, 5)).block_id)
        world.note()
        channel.run(Lane.AVAILABILITY)

    gateway.meanwhile = another
    world.note()
    channel.run(Lane.AVAILABILITY)
    if is_lifted:
        scene.lift(between[0])
    world.settle()
    return wrongs(world)


@pytest.mark.parametrize("name", ["alpinebits", "channex"])
def test_a_worker_that_wakes_up_too_late_without_a_fence_is_found_out(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert overtaken(name, is_lifted=True) == ()
    monkeypatch.setattr(InMemoryLanes, "keep", lambda self, lease, *, until: None)
    assert overtaken(name, is_lifted=True)


@pytest.mark.parametrize("name", ["alpinebits", "channex"])
def test_a_worker_that_wakes_up_too_late_and_does_not_say_so_is_found_out(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert overtaken(name, is_lifted=False) == ()
    monkeypatch.setattr(pushing._Pushing, "_disown", lambda self, push: None)
    assert overtaken(name, is_lifted=False)
