"""Every route that the program can have: the core's and those of the modules that come with it.

Owns what the committed document and pages are made of. An app describes the routes that it has.
"""

from __future__ import annotations

from pms_web.modules.loading import BUNDLED, load_modules
from pms_web.route_table import ROUTES
from pms_web.routing import Route
from pmscore.modules.model import Switches

__all__ = ["every_route"]


def every_route() -> tuple[Route, ...]:
    """Return the routes with all modules on that come with the program."""
    switches = Switches(by_name={each.name: True for each in BUNDLED})
    return (*ROUTES, *load_modules(switches, ROUTES, points=BUNDLED).routes)
