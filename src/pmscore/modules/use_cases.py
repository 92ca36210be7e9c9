"""Giving modules to an agency, and taking them away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.events import Command
from pmscore.kernel.ports import Clock, UnitOfWork
from pmscore.modules.model import Feature, Manifest
from pmscore.modules.policies import features_of
from pmscore.modules.ports import FeatureWork

__all__ = ["SwitchFeatures", "list_features", "switch_features"]


@frozen(kw_only=True)
class SwitchFeatures(Command):
    """Say of modules by name whether the agency has them; others stay as they are."""

    wanted: Mapping[str, bool]


def list_features(
    command: Command, manifests: Sequence[Manifest], *, uow: UnitOfWork[FeatureWork]
) -> tuple[Feature, ...]:
    """Return for each module whether the agency has it."""
    with uow.begin(command) as work:
        return features_of(manifests, work.features.all())


def switch_features(
    command: SwitchFeatures, manifests: Sequence[Manifest], *, uow: UnitOfWork[FeatureWork], clock: Clock
) -> tuple[Feature, ...]:
    """Give and take modules, all of them or none, and return what the agency has now.

    Raises:
        NotFoundError: there is no such module, or it is not one that agencies have.
    """
    with uow.begin(command) as work:
        present = {each.module: each for each in features_of(manifests, work.features.all())}
        for name, is_enabled in command.wanted.items():
            if name not in present:
                raise NotFoundError("module", name)
            decision = present[name].switched(command.agency_id, is_enabled=is_enabled, at=clock.now())
            if decision.events:
                work.features.save(decision.state)
                work.record(*decision.events)
                present[name] = decision.state
        work.commit()
    return tuple(present[name] for name in sorted(present))
