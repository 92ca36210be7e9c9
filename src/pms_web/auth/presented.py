"""What a request shows of who sends it.

Owns the shape, so that proving who somebody is needs no framework. Leaves reading it from a request to ``routing``.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from pmscore.access.model.principals import Principal

__all__ = ["Identify", "Presented"]


@frozen(kw_only=True)
class Presented:
    """What a request shows of who sends it. Never logged."""

    method: str
    authorization: str = field(default="", repr=False)
    cookie: str = field(default="", repr=False)
    csrf_token: str = field(default="", repr=False)
    origin: str = ""
    fetch_site: str = ""
    own_origin: str = ""
    address: str = ""


Identify = Callable[[Presented], Principal | None]
"""Returns who asks; None where nothing was presented. Raises ``NotAuthenticatedError`` where it does not hold."""
