"""``/ops/env-sanity``: which settings are there, and what is not as it should be; never a value.

Owns the sentences. Leaves the rules to whoever has the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict

from flask import Response

from pms_web.routing import Route, answer
from pms_web.sanity import Warned
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission

__all__ = ["ROUTES", "SANITY_TEXTS", "EnvSanityBody", "SettingBody", "WarningBody"]

SANITY_TEXTS: Final[Mapping[str, str]] = {
    "commit_unknown": "Nobody can say which program runs here: set it to the commit when deploying.",
    "database_silent": "The database does not answer, so its limits could not be looked at.",
    "database_without_tls": "The database is elsewhere and its connection is not encrypted: add sslmode=require.",
    "default_secret": "It is a word that everybody tries first: draw another one, such as with `openssl rand -hex 32`.",
    "embedded_in_production": "The embedded server is in use, which is meant for trying things: name a server.",
    "letters_to_terminal": "Letters are printed and not sent, so nobody gets an invitation: name a mail server.",
    "mock_mode": "Channels are only played; nothing reaches a platform: switch it off in production.",
    "not_checked": "Readiness does not look at it, so nobody is told when it is away.",
    "not_set": "It is not set, and production needs it.",
    "plain_http": "It allows http, where anybody on the way can read along: use https.",
    "reaches_inside": "Addresses of strangers may be called inside of your own network: make sure that it is meant so.",
    "redis_without_tls": "Redis is elsewhere and its connection is not encrypted: use rediss://.",
    "talkative": "DEBUG writes far more than production needs: use INFO.",
    "too_many_connections": (
        "{processes} process(es) may need {needed} connections, and the server takes {most}: make pools smaller, or"
        " raise max_connections."
    ),
    "trusts_everybody": "Everybody may say which address they come from: name the proxies alone.",
    "unsafe_role": "The login is above row-level security ({why}): use pms_app, which `pms migrate` makes.",
    "weak_secret": "It is short or plain enough to be guessed: draw one of at least {least} characters.",
}


class SettingBody(TypedDict):
    """A setting by name; ``is_ok`` is false where a warning names it."""

    name: str
    is_set: bool
    is_ok: bool


class WarningBody(TypedDict):
    """One thing that is not as it should be, and what to do."""

    code: str
    setting: str
    message: str


class EnvSanityBody(TypedDict):
    """Every setting that there is, and what is not as it should be."""

    environment: str
    is_ok: bool
    settings: list[SettingBody]
    warnings: list[WarningBody]
    checked_at: str


def env_sanity(services: WebServices) -> Response:
    """Return which settings are set and which need a look, without a single value."""
    found = services.sanity()
    warned = {each.setting for each in found.warnings}
    names = {**dict.fromkeys(warned, False), **found.are_set}
    body: EnvSanityBody = {
        "environment": services.environment,
        "is_ok": not found.warnings,
        "settings": [
            {"name": name, "is_set": is_set, "is_ok": name not in warned}
            for name, is_set in sorted(names.items())
        ],
        "warnings": [_part(each) for each in found.warnings],
        "checked_at": services.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return answer(body)


def _part(warned: Warned) -> WarningBody:
    message = SANITY_TEXTS[warned.code].format_map(warned.params)
    return {"code": warned.code, "setting": warned.setting, "message": message}


ROUTES = (
    Route(
        method="GET",
        path="/ops/env-sanity",
        view=env_sanity,
        permission=Permission.OPERATE,
        summary="Do the settings make sense",
        replies={200: EnvSanityBody},
    ),
)
