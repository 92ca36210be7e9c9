"""The page behind a one-time link: choose a password.

Owns the page and its words, in English and German. Its one script comes from this app: a secret behind ``#``
reaches no server by itself. Leaves what happens with it to ``/api/v1/auth/reset``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

from flask import Response, request

from pms_web.auth.letters import PATH
from pms_web.limits import Allowance
from pms_web.routing import Route
from pms_web.services import Surroundings
from pmscore.access.policies.passwords import ADVISED_LENGTH, LONGEST_PASSWORD, SHORTEST_PASSWORD

__all__ = ["CONTENT_SECURITY_POLICY", "ROUTES"]

SCRIPT: Final = "/set-password.js"
_STYLE: Final = (
    ":root{color-scheme:light dark;--ink:#1d2733;--soft:#5b6875;--line:#8b98a5;--paper:#fff;--note:#fff6df;--go:#0b5cad}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e3e8ed;--soft:#9aa7b4;--line:#6b7885;--paper:#12181e;--note:#33290f;"
    "--go:#2f7fd1}}"
    "body{font:17px/1.5 system-ui,sans-serif;max-width:26rem;margin:0 auto;padding:2rem 1rem;color:var(--ink);"
    "background:var(--paper)}"
    "h1{font-size:1.5rem}label{display:block;margin:1rem 0 .3rem}.soft{color:var(--soft)}"
    "input:not([type=checkbox]){font:inherit;box-sizing:border-box;width:100%;padding:.7rem;border:1px solid var(--line);"
    "border-radius:6px}"
    "button{font:inherit;width:100%;margin-top:1rem;padding:.8rem;border:0;border-radius:6px;background:var(--go);color:#fff}"
    "button:disabled{opacity:.5}.note{background:var(--note);padding:.7rem 1rem;border-radius:6px}[hidden]{display:none}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'sha256-{_HASH}'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
"""Lets the page's own style in, and this app's scripts and answers; the form itself goes nowhere without them."""

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Choose a password",
        "label": "New password",
        "shown": "Show it",
        "advice": "At least {least} characters, better {advised} or more. A few words that nobody would guess are fine.",
        "button": "Set the password",
        "no_script": "This page needs JavaScript: the secret of your link is in its address, and only a script can read it there.",
        "done": "Your password is set. You can log in with it now.",
        "no_secret": "This link is not whole. Open it from your letter again, or copy all of it, to the very end.",
        "link_refused": "This link was used before, or its time is up. Your password is as it was. Ask for a new link.",
        "too_short": "This password is too short. Take at least {least} characters; a few words will do.",
        "too_long": "This password is too long. Take at most {longest} characters.",
        "too_common": "Many others have this password, so it would be tried first. Take one that nobody would guess.",
        "lone_surrogate": "This password has a character that cannot be stored. Take another one.",
        "too_many": "There were many tries from here. Wait some minutes, then try again; your link still holds.",
        "later": "That did not work just now, and it is not your fault. Try again in some minutes; your link still holds.",
        "not_reached": "The server was not reached. Look whether you are online, then try again.",
        "unknown": "That did not work. Your password is as it was. Open the link from your letter again, or ask for a new one.",
    },
    "de": {
        "title": "Passwort wählen",
        "label": "Neues Passwort",
        "shown": "Anzeigen",
        "advice": "Mindestens {least} Zeichen, besser {advised} oder mehr. Einige Wörter, die niemand errät, sind gut.",
        "button": "Passwort setzen",
        "no_script": "Diese Seite braucht JavaScript: Das Geheimnis Ihres Links steht in seiner Adresse, und nur ein Skript kann es dort lesen.",
        "done": "Ihr Passwort ist gesetzt. Sie können sich jetzt damit anmelden.",
        "no_secret": "Dieser Link ist nicht vollständig. Öffnen Sie ihn noch einmal aus Ihrem Brief, oder kopieren Sie ihn ganz, bis zum Ende.",
        "link_refused": "Dieser Link wurde schon benutzt, oder seine Zeit ist um. Ihr Passwort ist wie zuvor. Fordern Sie einen neuen Link an.",
        "too_short": "Dieses Passwort ist zu kurz. Nehmen Sie mindestens {least} Zeichen; einige Wörter genügen.",
        "too_long": "Dieses Passwort ist zu lang. Nehmen Sie höchstens {longest} Zeichen.",
        "too_common": "Viele andere haben dieses Passwort, es würde also zuerst versucht. Nehmen Sie eines, das niemand errät.",
        "lone_surrogate": "Dieses Passwort hat ein Zeichen, das nicht gespeichert werden kann. Nehmen Sie ein anderes.",
        "too_many": "Von hier kamen viele Versuche. Warten Sie einige Minuten und versuchen Sie es dann noch einmal; Ihr Link gilt weiter.",
        "later": "Das ging gerade nicht, und es liegt nicht an Ihnen. Versuchen Sie es in einigen Minuten noch einmal; Ihr Link gilt weiter.",
        "not_reached": "Der Server war nicht zu erreichen. Sehen Sie nach, ob Sie online sind, und versuchen Sie es noch einmal.",
        "unknown": "Das ging nicht. Ihr Passwort ist wie zuvor. Öffnen Sie den Link noch einmal aus Ihrem Brief, oder fordern Sie einen neuen an.",
    },
}
_OF_THE_PAGE: Final = frozenset({"title", "label", "shown", "advice", "button", "no_script"})


def set_password(_: Surroundings) -> Response:
    """Return the page; the link's secret is no part of the request."""
    language = request.accept_languages.best_match(tuple(_TEXTS), default="en")
    response = Response(_page(language or "en"), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Content-Language"] = language or "en"
    response.vary.add("Accept-Language")
    return response


def script(_: Surroundings) -> Response:
    """Return the script of the page."""
    response = Response(_script(), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@cache
def _script() -> str:
    return files("pms_web.ops").joinpath("set_password.js").read_text("utf-8")


@cache
def _page(language: str) -> str:
    said = {
        code: escape(
            text.format(least=SHORTEST_PASSWORD, advised=ADVISED_LENGTH, longest=LONGEST_PASSWORD), quote=True
        )
        for code, text in _TEXTS[language].items()
    }
    answers = "".join(
        f'<p data-code="{code}">{text}</p>' for code, text in said.items() if code not in _OF_THE_PAGE
    )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{said['title']}</title><style>{_STYLE}</style></head><body><main><h1>{said['title']}</h1>"
        f'<noscript><p class="note">{said["no_script"]}</p></noscript>'
        '<p class="note" id="said" role="status" hidden></p>'
        '<form data-to="/api/v1/auth/reset" hidden>'
        f'<label for="password">{said["label"]}</label>'
        '<input id="password" type="password" autocomplete="new-password" autocapitalize="off" spellcheck="false"'
        f' minlength="{SHORTEST_PASSWORD}" maxlength="{LONGEST_PASSWORD}" aria-describedby="advice" required>'
        f'<p class="soft" id="advice">{said["advice"]}</p>'
        f'<label><input type="checkbox" id="shown"> {said["shown"]}</label>'
        f'<button>{said["button"]}</button></form><div id="texts" hidden>{answers}</div></main>'
        f'<script src="{SCRIPT}"></script></body></html>'
    )


ROUTES = (
    Route(
        method="GET",
        path=PATH,
        view=set_password,
        permission=None,
        allowance=Allowance.PUBLIC,
        summary="The page behind the link of a letter",
        replies={200: "text/html; charset=utf-8"},
    ),
    Route(
        method="GET",
        path=SCRIPT,
        view=script,
        permission=None,
        allowance=Allowance.PUBLIC,
        summary="The script of that page",
        replies={200: "text/javascript; charset=utf-8", 304: None},
    ),
)
