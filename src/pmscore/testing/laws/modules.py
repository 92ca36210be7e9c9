"""Laws of modules: what was decided of an agency's modules comes back, and of two who decide at once one is told so."""

from __future__ import annotations

from functools import partial

from attrs import evolve

from pmscore.kernel.errors import NotFoundError, StaleVersionError
from pmscore.modules.model import Feature, Manifest
from pmscore.modules.use_cases import SwitchFeatures, list_features, switch_features
from pmscore.testing.laws.setting import StoreLaws, raised
from pmscore.testing.races import at_once
from pmscore.testing.scenes import Scene

__all__ = ["ModuleLaws"]

GIVEN = Manifest(name="given", version="1")
ASKED_FOR = Manifest(name="asked_for", version="1", is_given=False)
WHOLE = Manifest(name="whole", version="1", is_for_agencies=False)
EVERY = (GIVEN, ASKED_FOR, WHOLE)


class ModuleLaws(StoreLaws):
    """Decided, kept, and told."""

    def test_what_nobody_has_decided_is_not_there(self) -> None:
        """The manifest says what holds then."""
        scene = self.scene()
        assert _kept(scene) == ()
        found = list_features(scene.command(), EVERY, uow=scene.store)
        assert [(each.module, each.is_enabled, each.version) for each in found] == [
            ("asked_for", False, 0),
            ("given", True, 0),
        ]

    def test_decisions_come_back_equal_by_module(self) -> None:
        """With the moment and how many there were."""
        scene = self.scene()
        at = scene.clock.now()
        _switch(scene, given=False, asked_for=True)
        assert _kept(scene) == (
            Feature(module="asked_for", is_enabled=True, version=1, changed_at=at),
            Feature(module="given", is_enabled=False, version=1, changed_at=at),
        )
        _switch(scene, given=True)
        assert [(each.is_enabled, each.version) for each in _kept(scene)] == [(True, 1), (True, 2)]

    def test_what_is_so_already_is_not_decided_again(self) -> None:
        """Neither kept nor told; a first decision is one, whatever held before."""
        scene = self.scene()
        _switch(scene, given=True)
        _switch(scene, given=True)
        assert [each.version for each in _kept(scene)] == [1]
        assert _told(scene) == [{"module": "given", "is_enabled": True}]

    def test_of_two_who_have_read_the_same_the_second_is_refused(self) -> None:
        """At the first decision of a module, and at each later one; nothing of theirs is stored."""
        scene = self.scene()
        for version in (1, 2):
            wanted = Feature(module="given", is_enabled=False, version=version, changed_at=scene.clock.now())
            with scene.begin() as slow:
                slow.features.all()
                with scene.begin() as quick:
                    quick.features.save(wanted)
                    quick.commit()
                slow.features.save(evolve(wanted, is_enabled=True))
                slow.features.save(evolve(wanted, module="asked_for", version=1))
                raised(StaleVersionError, slow.commit)
            assert _kept(scene) == (wanted,)

    def test_of_many_at_once_whoever_wins_stays_whole(self) -> None:
        """Two modules are switched together, or not at all."""
        scene = self.scene()
        for both in (True, False, True):
            outcomes = at_once([partial(_switch, scene, given=both, asked_for=both) for _ in range(3)])
            assert set(outcomes) <= {"won", "stale_version", "busy"}
            assert "won" in outcomes
            assert {each.is_enabled for each in _kept(scene)} == {both}

    def test_all_are_switched_or_none(self) -> None:
        """A name that no agency can have spoils the rest."""
        scene = self.scene()
        for stranger in ("whole", "nothing"):
            raised(NotFoundError, partial(_switch, scene, **{"given": False, stranger: True}))
        with scene.begin() as work:
            work.features.save(
                Feature(module="given", is_enabled=False, version=1, changed_at=scene.clock.now())
            )
        assert _kept(scene) == ()
        assert _told(scene) == []

    def test_another_agency_decides_for_itself(self) -> None:
        """It neither sees ours nor changes them."""
        ours, theirs = self.scene(), self.scene()
        _switch(ours, given=False)
        assert _kept(theirs) == ()
        _switch(theirs, given=True)
        assert [each.is_enabled for each in _kept(ours)] == [False]


def _switch(scene: Scene, **wanted: bool) -> None:
    switch_features(SwitchFeatures(**scene.asked(), wanted=wanted), EVERY, uow=scene.store, clock=scene.clock)


def _kept(scene: Scene) -> tuple[Feature, ...]:
    with scene.begin() as work:
        return work.features.all()


def _told(scene: Scene) -> list[object]:
    found = scene.store.events_after((0, 0), scene.agency_id)
    return [each.payload for each in found if each.kind == "agency.feature_switched"]
