"""Revisions are acknowledged together where the platform takes several at once, and never one that it did not take."""

from __future__ import annotations

import pytest
from attrs import evolve

from pmscore.channels.model.calls import Outcome, OutcomeKind
from pmscore.testing.inbound_scenes import DONE, Telling, open_inbound_scene
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import hotel, open_scene

REFUSED, PARTLY = Outcome(OutcomeKind.REFUSED, "unknown_one"), Outcome(OutcomeKind.PARTLY, "one_warning")


class InGroups(Telling):
    """Takes three revisions at once, but none together with one that it does not know."""

    def __init__(self):
        super().__init__()
        self.calls = []
        self.unknown = ""
        self.says = REFUSED
        self.changes = set()

    @property
    def manifest(self):
        return evolve(super().manifest, most_acknowledged=3)

    def queue_of(self, stored):
        return "changes" if stored.revision.booking_key in self.changes else "new"

    def acknowledge(self, at, revisions):
        names = [each.booking_key for each in (one.revision for one in revisions)]
        self.calls.append(names)
        return self.says if self.unknown in names else super().acknowledge(at, revisions)


@pytest.fixture
def inbound():
    inbound = open_inbound_scene(open_scene(InMemoryStore(), SeededIds("acknowledging"), hotel(9)))
    inbound.gateway = InGroups()
    return inbound


def sold(inbound, *keys):
    return inbound.tell(*(inbound.revision(key=key) for key in keys))


def open_ones(inbound, *keys):
    return [key for key in keys if inbound.stored(f"{key}-new-0").acknowledged_at is None]


def test_as_many_go_into_a_call_as_the_platform_takes(inbound):
    end = sold(inbound, "K1", "K2", "K3", "K4")
    assert inbound.gateway.calls == [["K1", "K2", "K3"], ["K4"]]
    assert end.details["acknowledged"] == 4
    assert open_ones(inbound, "K1", "K2", "K3", "K4") == []


def test_what_came_from_two_queues_is_told_to_each_by_itself(inbound):
    inbound.gateway.changes = {"K2", "K4"}
    end = sold(inbound, "K1", "K2", "K3", "K4", "K5")
    assert inbound.gateway.calls == [["K1", "K3", "K5"], ["K2", "K4"]]
    assert end.details["acknowledged"] == 5


@pytest.mark.parametrize("says", [REFUSED, PARTLY])
def test_what_is_not_taken_together_is_told_one_by_one(inbound, says):
    inbound.gateway.unknown, inbound.gateway.says = "K2", says
    end = sold(inbound, "K1", "K2", "K3")
    assert inbound.gateway.calls == [["K1", "K2", "K3"], ["K1"], ["K2"], ["K3"]]
    assert end.details["acknowledged"] == 3
    assert open_ones(inbound, "K1", "K2", "K3") == []


def test_a_lost_answer_leaves_the_whole_group_to_be_told_again(inbound):
    inbound.gateway.unknown, inbound.gateway.says = "K2", Outcome(OutcomeKind.UNSURE, "cut_off")
    end = sold(inbound, "K1", "K2")
    assert (end.outcome.kind, end.is_all) == (OutcomeKind.UNSURE, False)
    assert open_ones(inbound, "K1", "K2") == ["K1", "K2"]
    inbound.gateway.unknown = ""
    assert inbound.run().outcome == DONE
    assert inbound.gateway.calls == [["K1", "K2"], ["K1", "K2"]]
    assert open_ones(inbound, "K1", "K2") == []
