"""What a module brings to the app: its manifest, routes, a start hook and a question after its health.

A third party's module is an object of :class:`WebModule` behind an entry point of the group ``pms.modules``, named
like the module:

    [project.entry-points."pms.modules"]
    minibar = "acme_minibar.pms:MODULE"
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen
from flask import Flask

from pms_web.readiness import Probe
from pms_web.routing import Route
from pms_web.services import Surroundings
from pmscore.modules.model import Manifest

__all__ = ["StartHook", "WebModule"]

StartHook = Callable[[Flask, Surroundings], None]
"""Called once an app, in the order in which modules require each other, before any route is put on it."""


@frozen(kw_only=True)
class WebModule:
    """One module. Routes need not name it: they are marked when it is loaded.

    ``health`` is asked for the list of features; it raises where the module cannot work.
    """

    manifest: Manifest
    routes: tuple[Route, ...] = ()
    on_start: StartHook | None = field(default=None, repr=False)
    health: Probe | None = field(default=None, repr=False)
