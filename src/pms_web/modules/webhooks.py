"""The module ``webhooks``: its addresses; messages are made and carried by the worker."""

from __future__ import annotations

import pmscore
from pms_web.api.webhooks import ROUTES
from pms_web.modules.spec import WebModule
from pmscore.modules.model import Manifest

__all__ = ["MODULE"]

MODULE = WebModule(
    manifest=Manifest(
        name="webhooks",
        version=pmscore.__version__,
        summary="Tells other programs what happens, in signed messages.",
    ),
    routes=ROUTES,
)
