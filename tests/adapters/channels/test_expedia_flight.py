"""One message of a hotel is on its way at a time, whatever runs beside: Expedia refuses a second one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from attrs import evolve

from adapters.channels.wire_world import Broken, Shorter, wire_world
from pmscore.channels.model.calls import At, Pulled, Push, PushResult
from pmscore.channels.model.manifest import Lane
from pmscore.channels.ports import ChannelGateway
from pmscore.testing.memory import InMemoryStore

PATIENCE = 20
"""Seconds; only a test that fails waits so long."""


class Held(Shorter):
    """Holds messages of availability back until it is told to let them go, and notes what goes out meanwhile."""

    def __init__(self, gateway: ChannelGateway) -> None:
        super().__init__(gateway)
        self.is_out, self.may_end = Event(), Event()
        self.beside: list[str] = []

    def push(self, at: At, push: Push) -> PushResult:
        if push.lane is Lane.AVAILABILITY:
            self.is_out.set()
            assert self.may_end.wait(PATIENCE)
        else:
            self.beside.append("push")
        return self._gateway.push(at, push)

    def pull(self, at: At, cursor: str) -> Pulled:
        self.beside.append("pull")
        return self._gateway.pull(at, cursor)


class Unlimited(Held):
    """Says that there are no limits."""

    def __init__(self, gateway: ChannelGateway) -> None:
        super().__init__(gateway)
        self.manifest = evolve(self.manifest, calls=())


def sent_beside(breaks: Broken) -> tuple[list[str], list[str]]:
    """Run all lanes while a message is on its way; return what was sent meanwhile, and afterwards."""
    made: list[Held] = []

    def held(gateway: ChannelGateway) -> ChannelGateway:
        made.append(breaks(gateway))
        return made[0]

    world = wire_world(InMemoryStore(), "expedia_eqc", 1, dial=0, breaks=held)
    channel, (gateway,) = world.channel, made
    for lane in (Lane.AVAILABILITY, Lane.PRICING):
        channel.make_dirty(lane, forgets=True)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(channel.run, Lane.AVAILABILITY)
        assert gateway.is_out.wait(PATIENCE)
        channel.run(Lane.PRICING)
        channel.run(Lane.BOOKINGS)
        meanwhile = [*gateway.beside]
        gateway.may_end.set()
        running.result(PATIENCE)
    gateway.beside.clear()
    world.settle()
    return meanwhile, gateway.beside


@pytest.mark.race
def test_no_lane_of_a_hotel_sends_while_another_ones_message_is_on_its_way() -> None:
    meanwhile, afterwards = sent_beside(Held)
    assert meanwhile == []
    assert {*afterwards} == {"pull", "push"}


@pytest.mark.race
def test_without_the_limit_they_would() -> None:
    meanwhile, _ = sent_beside(Unlimited)
    assert {*meanwhile} == {"pull", "push"}
