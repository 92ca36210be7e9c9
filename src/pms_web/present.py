"""The present request itself, and what is kept for it.

Flask's ``request`` and ``g`` are stand-ins that find both anew at every look, thirty times a request. Code that every
request runs through, and that looks more than once, asks here once; everywhere else Flask's own names are the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Request
from flask.globals import app_ctx, request_ctx

if TYPE_CHECKING:
    from flask.ctx import _AppCtxGlobals

__all__ = ["kept", "present"]


def present() -> Request:
    """Return the present request.

    Raises:
        RuntimeError: there is none.
    """
    return request_ctx.request


def kept() -> _AppCtxGlobals:
    """Return what is kept for the present request: what ``g`` stands for.

    Raises:
        RuntimeError: there is none.
    """
    return app_ctx.g
