"""The page of permissions and routes for the documentation, made from the tables that the code uses."""

from __future__ import annotations

from collections.abc import Iterable

from pms_web.openapi import described_path
from pms_web.routing import Idempotency, Route
from pmscore.access.model.permissions import PERMISSIONS, Permission, Role

__all__ = ["http_page"]

_HEAD = """\
# The HTTP interface

Made by `pms openapi --pages docs/reference/http.md`; do not edit. A running app describes every member with examples at `/docs`, and for
programs at `/api/v1/openapi.json`.

"""


def http_page(routes: Iterable[Route]) -> str:
    """Return the page as Markdown."""
    return f"{_HEAD}## Who may do what\n\n{_permissions()}\n## Routes\n\n{_routes(routes)}"


def _permissions() -> str:
    heads = " | ".join(role.value for role in Role)
    lines = [f"| permission | {heads} |", f"|---|{'---|' * len(Role)}"]
    for permission in Permission:
        marks = " | ".join("yes" if permission in PERMISSIONS[role] else "" for role in Role)
        lines.append(f"| `{permission.value}` | {marks} |")
    return "\n".join(lines) + "\n"


def _routes(routes: Iterable[Route]) -> str:
    lines = ["| route | what it does | permission | notes |", "|---|---|---|---|"]
    for route in sorted(routes, key=lambda each: (each.path, each.method)):
        permission = "everybody" if route.permission is None else f"`{route.permission.value}`"
        lines.append(
            f"| `{route.method} {described_path(route.path)}` | {route.summary} | {permission} | {_notes(route)} |"
        )
    return "\n".join(lines) + "\n"


def _notes(route: Route) -> str:
    notes: list[str] = []
    if route.idempotency is Idempotency.REQUIRED:
        notes.append("needs `Idempotency-Key`")
    elif route.idempotency is Idempotency.OPTIONAL:
        notes.append("heeds `Idempotency-Key`")
    if route.is_versioned:
        notes.append("`ETag`" if route.method == "GET" else "`If-Match`")
    if route.module:
        notes.append(f"module `{route.module}`")
    return ", ".join(notes)
