"""Finding modules, loading those that are not switched off, and starting them.

Owns that one bad module harms no other: whatever it raises while it is loaded or started, it is named as failed and
the rest runs. Leaves the rules of what runs to :mod:`pmscore.modules.policies`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import wraps
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from attrs import evolve, frozen
from flask import Flask, Response, abort

import pmscore
from pms_web.installed import Installed
from pms_web.modules.entitled import is_entitled
from pms_web.modules.spec import WebModule
from pms_web.routing import Route
from pms_web.services import Surroundings, WebServices
from pmscore.kernel.errors import PmsError
from pmscore.modules.model import Manifest, Switches
from pmscore.modules.policies import resolved

__all__ = ["BUNDLED", "GROUP", "LoadedModules", "find_modules", "load_modules"]

GROUP: Final = "pms.modules"
BUNDLED: Final = (
    EntryPoint("channel_manager", "pms_web.modules.channel_manager:MODULE", GROUP),
    EntryPoint("metrics", "pms_web.modules.metrics:MODULE", GROUP),
    EntryPoint("public_site", "pms_web.modules.public_site:MODULE", GROUP),
    EntryPoint("webhooks", "pms_web.modules.webhooks:MODULE", GROUP),
)
_log = logging.getLogger("pms_web.modules")


@frozen(kw_only=True)
class LoadedModules:
    """The modules that run, in their order, and what became of all."""

    modules: tuple[WebModule, ...]
    installed: Installed
    switches: Switches
    failures: Mapping[str, str]

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes of the modules that run; one that an agency does not have answers 404 there."""
        return tuple(_gated(route, module.manifest) for module in self.modules for route in module.routes)

    def started(self, app: Flask, surroundings: Surroundings) -> LoadedModules:
        """Start the modules one after the other; return those that run after it."""
        failures = dict(self.failures)
        for module in self.modules:
            needed = any(name in failures for name in module.manifest.requires)
            if module.on_start is None or needed:
                continue
            try:
                module.on_start(app, surroundings)
            except Exception as error:  # noqa: BLE001 - a module of anybody's may fail in any way
                _log.exception("module %s did not start", module.manifest.name)
                failures[module.manifest.name] = f"did not start: {_said(error)}"
        if failures == self.failures:
            return self
        return _decided(self.installed.manifests, self.modules, self.switches, failures)


def find_modules() -> tuple[EntryPoint, ...]:
    """Return the entry points of all modules: the bundled ones, then those of other distributions by name."""
    others = sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value))
    bundled = {each.value for each in BUNDLED}
    return (*BUNDLED, *(each for each in others if each.value not in bundled))


def load_modules(
    switches: Switches, core: Iterable[Route] = (), *, points: Sequence[EntryPoint] | None = None
) -> LoadedModules:
    """Load what is not switched off and decide what runs; ``core`` are the routes that no module may take."""
    manifests: list[Manifest] = []
    modules: list[WebModule] = []
    failures: dict[str, str] = {}
    taken = {(each.method, each.path) for each in core} | {("", each.name) for each in core}
    for point in find_modules() if points is None else points:
        try:
            if not switches.are_modules_on or switches.by_name.get(point.name, True) is not True:
                manifests.append(Manifest(name=point.name, version=_version_of(point)))
                continue
            module = _loaded(point, taken)
        except Exception as error:  # noqa: BLE001 - a module of anybody's may fail in any way
            _log.warning("module %s could not be loaded: %s", point.name, _said(error))
            failures[point.name] = f"could not be loaded: {_said(error)}"
            continue
        if module.manifest.name not in {each.name for each in manifests}:
            modules.append(module)
            taken |= {(each.method, each.path) for each in module.routes}
            taken |= {("", each.name) for each in module.routes}
        manifests.append(module.manifest)
    return _decided(tuple(manifests), tuple(modules), switches, failures)


def _decided(
    manifests: tuple[Manifest, ...],
    modules: Sequence[WebModule],
    switches: Switches,
    failures: Mapping[str, str],
) -> LoadedModules:
    found = resolved(manifests, switches, failures=failures)
    by_name = {each.manifest.name: each for each in modules}
    running = tuple(by_name[name] for name in found.order)
    probes = {each.manifest.name: each.health for each in running if each.health is not None}
    return LoadedModules(
        modules=running,
        installed=Installed(manifests=manifests, resolved=found, probes=probes),
        switches=switches,
        failures=failures,
    )


def _loaded(point: EntryPoint, taken: set[tuple[str, str]]) -> WebModule:
    module = point.load()
    if not isinstance(module, WebModule):
        raise TypeError(f"{point.value} is no WebModule")
    if module.manifest.name != point.name:
        raise ValueError(f"it calls itself {module.manifest.name}")
    for route in module.routes:
        if (route.method, route.path) in taken or ("", route.name) in taken:
            raise ValueError(f"{route.method} {route.path} is taken")
    return evolve(module, routes=tuple(evolve(each, module=module.manifest.name) for each in module.routes))


def _gated(route: Route, manifest: Manifest) -> Route:
    """Return a route that is not there for an agency without the module."""
    if route.permission is None or not manifest.is_for_agencies:
        return route
    view = route.view

    @wraps(view)
    def gated(services: WebServices, **parts: object) -> Response:
        if not is_entitled(services, manifest):
            abort(404)
        return view(services, **parts)

    return evolve(route, view=gated)


def _version_of(point: EntryPoint) -> str:
    dist = getattr(point, "dist", None)
    return pmscore.__version__ if dist is None else str(dist.version)


def _said(error: Exception) -> str:
    """Return what an error says in one short line; ours name parameters that hold no secret."""
    said = (
        str(error)
        if isinstance(error, PmsError | ImportError | AttributeError | TypeError | ValueError)
        else ""
    )
    line = " ".join(said.split())[:200]
    return f"{type(error).__name__}: {line}" if line else type(error).__name__
