"""A house and a platform with the engine and a wire between them agree when all is quiet, whatever went wrong before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from adapters.channels.wire_world import Broken, Shorter, days_of, gateway_names, pushing_names, wire_world
from pmscore.channels.model.calls import At, Push, PushResult
from pmscore.channels.model.manifest import Lane
from pmscore.channels.ports import ChannelGateway
from pmscore.dates.ranges import DateRange
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.restrictions.model.rules import Rule
from pmscore.restrictions.use_cases import SetRestrictions, set_restrictions
from pmscore.testing.channel_judging import differences, lost_or_doubled, unexplained
from pmscore.testing.memory import InMemoryStore

DAYS = 3
SWAPPED = {
    MatrixField.CLOSED_TO_ARRIVAL: MatrixField.CLOSED_TO_DEPARTURE,
    MatrixField.CLOSED_TO_DEPARTURE: MatrixField.CLOSED_TO_ARRIVAL,
}


class EndsOneLater(Shorter):
    """Takes the end of a range for a night of it."""

    def push(self, at: At, push: Push) -> PushResult:
        entries = tuple(
            evolve(each, nights=DateRange.of(each.nights.start, each.nights.length + 1))
            for each in push.entries
        )
        return self._gateway.push(at, evolve(push, entries=entries))


class Swaps(Shorter):
    """Takes arrival for departure."""

    def push(self, at: At, push: Push) -> PushResult:
        entries = tuple(
            evolve(
                each,
                values={(SWAPPED.get(name, name), n): value for (name, n), value in each.values.items()},
            )
            for each in push.entries
        )
        return self._gateway.push(at, evolve(push, entries=entries))


class Unlimited(Shorter):
    """Says that there are no limits."""

    def __init__(self, gateway: ChannelGateway) -> None:
        super().__init__(gateway)
        self.manifest = evolve(self.manifest, calls=())


def _hurried(breaks: Broken) -> tuple[int, int]:
    """Let all be told again fifteen times within a minute; return how many calls came and how many were too many."""
    world = wire_world(InMemoryStore(), "channex", 1, dial=0, breaks=breaks)
    for _ in range(15):
        world.channel.make_dirty(Lane.AVAILABILITY, forgets=True)
        world.channel.run(Lane.AVAILABILITY)
    return world.platform.calls.total.total(), world.platform.calls.exceeded


def test_the_platforms_own_count_of_calls_is_never_exceeded_and_would_be_without_ours() -> None:
    calls, exceeded = _hurried(lambda gateway: gateway)
    assert (calls <= 10, exceeded) == (True, 0)
    calls, exceeded = _hurried(Unlimited)
    assert calls >= 15
    assert exceeded > 0


@pytest.mark.parametrize("name", gateway_names())
def test_at_full_hostility_nothing_is_lost_doubled_or_left_different(name: str) -> None:
    world = wire_world(InMemoryStore(), name, 1, days=days_of(name, DAYS))
    world.live()
    world.settle()
    report = world.report()
    assert differences(world.channel, world.platform) == ()
    assert lost_or_doubled(world.channel, world.platform) == ()
    assert unexplained(world.channel, world.platform) == ()
    assert report.exceeded == 0
    assert report.faults >= max(25, report.calls // 4), report
    assert report.told > 0


@pytest.mark.parametrize("name", pushing_names())
def test_a_platform_that_was_told_one_night_too_many_is_found_out(name: str) -> None:
    world = wire_world(InMemoryStore(), name, 1, days=1, dial=0, breaks=EndsOneLater)
    world.live()
    world.settle()
    assert differences(world.channel, world.platform)


def _names_with_both() -> tuple[str, ...]:
    """Return the gateways that tell both kinds of closed nights; to the others there is nothing to take for another."""
    return tuple(
        name
        for name in pushing_names()
        if SWAPPED.keys() <= wire_world(InMemoryStore(), name, 1, dial=0).channel.manifest.fields
    )


def _told_of_an_arrival_rule(name: str, breaks: Broken) -> tuple[str, ...]:
    """Let a house close some nights to arrival, tell the platform, and return where the two differ."""
    channel = (world := wire_world(InMemoryStore(), name, 1, dial=0, breaks=breaks)).channel
    nights = DateRange.of(channel.scene.clock.now().date() + timedelta(days=10), 3)
    rule = Rule(kind="closed_to_arrival", nights=nights, value=None, unit_type_id=None, plan=None)
    command = SetRestrictions(
        **channel.scene.asked(),
        property_id=channel.scene.property_id,
        nights=nights,
        rules=(rule,),
        clear=(),
    )
    set_restrictions(command, uow=channel.scene.store)
    for lane in (Lane.AVAILABILITY, Lane.PRICING):
        channel.make_dirty(lane)
        channel.run(lane)
    return differences(channel, world.platform)


@pytest.mark.parametrize("name", _names_with_both())
def test_a_platform_that_takes_arrival_for_departure_is_found_out(name: str) -> None:
    assert _told_of_an_arrival_rule(name, lambda gateway: gateway) == ()
    found = _told_of_an_arrival_rule(name, Swaps)
    assert found
    assert all("closed_to" in each for each in found)
