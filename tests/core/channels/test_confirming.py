"""Platforms that take an acknowledgement for a confirmed booking, and know the booking by its name alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from pmscore.channels.model.calls import Outcome, OutcomeKind
from pmscore.channels.model.manifest import Confirms
from pmscore.channels.model.revisions import RevisionStatus, StoredState
from pmscore.testing.inbound_scenes import DONE, Telling, open_inbound_scene
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import hotel, open_scene, stay

LOST = Outcome(OutcomeKind.UNSURE, "answer_lost")
NEW, CHANGED = RevisionStatus.NEW, RevisionStatus.CHANGED


class Confirming(Telling):
    """Forgets the answers to its first acknowledgements, as many as ``loses``."""

    confirms = Confirms.BOOKED
    loses = 0

    @property
    def manifest(self):
        return evolve(super().manifest, confirms=self.confirms)

    def acknowledge(self, at, revisions):
        told = super().acknowledge(at, revisions)
        self.loses -= 1
        return LOST if self.loses >= 0 else told


class Storing(Confirming):
    confirms = Confirms.STORED


def opened(gateway):
    store = InMemoryStore(lock_timeout=timedelta(milliseconds=300))
    inbound = open_inbound_scene(open_scene(store, SeededIds("confirming"), hotel(2), hotel(1)))
    inbound.map_rooms(1)
    inbound.gateway = gateway
    return inbound


def later(inbound, *told):
    inbound.scene.clock.advance(timedelta(minutes=1))
    return inbound.tell(*told)


@pytest.mark.parametrize(("gateway", "again"), [(Confirming, 0), (Storing, 1)], ids=["booked", "stored"])
def test_what_was_overtaken_by_a_state_that_waits_is_not_confirmed_in_its_place(gateway, again):
    inbound = opened(gateway())
    inbound.gateway.loses = 1
    end = inbound.tell(inbound.revision(NEW))
    assert end.outcome == LOST
    unmapped = inbound.revision(CHANGED, inbound.room(stay(3, 2), 2), minute=1)
    later(inbound, unmapped)
    assert inbound.stored(unmapped.revision_id).state is StoredState.QUARANTINED
    assert inbound.gateway.acknowledged == ["K1-new-0"] * (1 + again)
    inbound.map_rooms(1, 2)
    end = later(inbound)
    assert end.outcome == DONE
    assert {*inbound.gateway.acknowledged} == {"K1-new-0", "K1-changed-1"}
    assert inbound.gateway.acknowledged[-1] == "K1-changed-1"


def test_other_bookings_are_confirmed_while_one_waits():
    inbound = opened(Confirming())
    inbound.tell(inbound.revision(NEW, inbound.room(stay(3, 2), 2)))
    later(inbound, inbound.revision(NEW, key="K2"))
    assert inbound.gateway.acknowledged == ["K2-new-0"]


def test_what_came_after_a_state_that_waits_is_confirmed():
    inbound = opened(Confirming())
    inbound.tell(inbound.revision(NEW, inbound.room(stay(3, 2), 2)))
    later(inbound, inbound.revision(RevisionStatus.CANCELLED, minute=5))
    assert inbound.gateway.acknowledged == ["K1-cancelled-5"]
