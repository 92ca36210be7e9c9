"""The page behind the link of a letter: what it lets in, what it says, and to whom it sends."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from pms_web.auth.letters import PATH
from pms_web.ops.set_password import CONTENT_SECURITY_POLICY
from pms_web.route_table import ROUTES
from pms_web.routing import Route
from web.conftest import Web

pytestmark = pytest.mark.postgres


class Seen(HTMLParser):
    """The tags of a page with what they were given, and the texts for each answer."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        code = self.tags[-1][1].get("data-code") if self.tags else None
        if code is not None:
            self.texts[code] = data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [given for each, given in self.tags if each == tag]


def page(web: Web, language: str = "") -> Seen:
    answer = web.client.get(PATH, headers={"Accept-Language": language} if language else {})
    assert answer.status_code == 200
    return Seen(answer.text)


def test_the_page_lets_in_its_own_script_and_style_and_nothing_else(web: Web):
    answer = web.client.get(PATH)
    policy = answer.headers["Content-Security-Policy"]
    assert policy == CONTENT_SECURITY_POLICY
    rules = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"
    seen = Seen(answer.text)
    assert seen.of("script") == [{"src": "/set-password.js"}]
    assert not {"img", "link", "iframe", "base", "object"} & {tag for tag, _ in seen.tags}
    assert not [name for _, given in seen.tags for name in given if name.startswith("on") or name == "style"]


def test_the_script_comes_from_this_app_and_is_asked_for_again_cheaply(web: Web):
    answer = web.client.get("/set-password.js")
    assert answer.content_type == "text/javascript; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "location.hash" in answer.text
    assert not re.search(r"https?://|innerHTML|eval|document\.write|localStorage|sessionStorage", answer.text)
    again = web.client.get("/set-password.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_form_sends_to_the_route_that_takes_links(web: Web):
    seen = page(web)
    (form,) = seen.of("form")
    (route,) = [each for each in ROUTES if isinstance(each, Route) and each.path == form["data-to"]]
    assert (route.method, route.permission) == ("POST", None)
    assert "action" not in form
    sent = re.search(r"JSON\.stringify\(\{(.*?)\}\)", web.client.get("/set-password.js").text)
    assert sent is not None
    assert {each.partition(":")[0].strip() for each in sent[1].split(",")} == set(route.example)
    password = next(each for each in seen.of("input") if each.get("id") == "password")
    assert password["autocomplete"] == "new-password"
    assert (password["minlength"], password["maxlength"]) == ("12", "256")


def test_every_answer_of_that_route_is_said_in_words(web: Web):
    said = page(web).texts
    for text in ("short", "password1234", "x" * 257):
        refused = web.client.post(
            "/api/v1/auth/reset", json={"token": f"{'0' * 32}.{'a' * 43}", "password": text}
        )
        body = refused.get_json()
        codes = [each["code"] for each in body.get("errors", ()) if each["field"] == "password"]
        assert (codes or [body["error"]])[0] in said, body
    script = web.client.get("/set-password.js").text
    for code in re.findall(r'(?:say\(|return |\|\| )"([a-z_]+)"', script):
        assert code in said


@pytest.mark.parametrize(
    ("asked", "language", "title"),
    [
        ("", "en", "Choose a password"),
        ("de-AT,de;q=0.9,en;q=0.5", "de", "Passwort wählen"),
        ("fr, de;q=0.3, en;q=0.2", "de", "Passwort wählen"),
        ("en-GB,en;q=0.9,de;q=0.8", "en", "Choose a password"),
        ("fr", "en", "Choose a password"),
        ('de";<script>', "en", "Choose a password"),
    ],
)
def test_it_speaks_the_readers_language(web: Web, asked: str, language: str, title: str):
    answer = web.client.get(PATH, headers={"Accept-Language": asked})
    assert f"<h1>{title}</h1>" in answer.text
    assert f'<html lang="{language}">' in answer.text
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in answer.headers["Vary"]


def test_both_languages_say_the_same_things(web: Web):
    english, german = page(web, "en"), page(web, "de")
    assert english.texts.keys() == german.texts.keys()
    assert all(english.texts[code] != german.texts[code] for code in english.texts)
    assert [tag for tag, _ in english.tags] == [tag for tag, _ in german.tags]


def test_it_is_made_for_phones_and_for_those_who_listen(web: Web):
    seen = page(web)
    assert {"name": "viewport", "content": "width=device-width,initial-scale=1"} in seen.of("meta")
    assert [each["for"] for each in seen.of("label") if "for" in each] == ["password"]
    assert any(each.get("role") == "status" for each in seen.of("p"))
    assert seen.of("noscript")
