"""What the views know of modules: which there are, what became of each, and how they are.

Owns the shape; it names no route and no app, so services may hold it. Leaves loading to ``modules.loading``.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from pms_web.readiness import Probe
from pmscore.modules.model import Manifest
from pmscore.modules.policies import Resolved

__all__ = ["Installed"]


@frozen(kw_only=True)
class Installed:
    """The modules of a deployment; ``probes`` ask those that run."""

    manifests: tuple[Manifest, ...] = ()
    resolved: Resolved = Resolved((), ())
    probes: Mapping[str, Probe] = field(factory=dict, repr=False)

    @property
    def running(self) -> tuple[Manifest, ...]:
        """The manifests of the modules that run, in their order."""
        by_name = {each.name: each for each in self.manifests}
        return tuple(by_name[name] for name in self.resolved.order)

    def health(self, name: str) -> str:
        """Return ``up`` or ``down``; a module without a question is up."""
        probe = self.probes.get(name)
        if probe is None:
            return "up"
        try:
            probe()
        except Exception:  # noqa: BLE001 - a module of anybody's may fail in any way
            return "down"
        return "up"
