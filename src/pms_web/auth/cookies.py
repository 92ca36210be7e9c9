"""The cookie of a session.

Owns its name and attributes. Over HTTPS its name binds it to this host and to encryption; on plain HTTP, which is for
this machine only, a browser would not keep such a cookie, so it has a plain name there.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Request, Response

from pmscore.access.model.sessions import ABSOLUTE_LIFE

__all__ = ["NAMES", "clear_session", "session_secret", "set_session"]

SECURE_NAME = "__Host-pms"
PLAIN_NAME = "pms"
NAMES = (SECURE_NAME, PLAIN_NAME)


def session_secret(cookies: Mapping[str, str]) -> str:
    """Return the secret of the session that a request carries, empty where there is none."""
    return next((value for name in NAMES if (value := cookies.get(name))), "")


def set_session(response: Response, request: Request, secret: str) -> None:
    """Give the browser a session."""
    response.set_cookie(
        SECURE_NAME if request.is_secure else PLAIN_NAME,
        secret,
        max_age=int(ABSOLUTE_LIFE.total_seconds()),
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def clear_session(response: Response) -> None:
    """Take the session away."""
    for name in NAMES:
        response.delete_cookie(name, path="/", secure=name == SECURE_NAME, httponly=True, samesite="Lax")
