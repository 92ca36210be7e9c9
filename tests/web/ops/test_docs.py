"""The page about every route, and the document behind it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from pms_web.described import every_route
from pms_web.openapi import described_path, document
from pms_web.ops.reference_page import CONTENT_SECURITY_POLICY, reference_page
from web.conftest import Web

pytestmark = pytest.mark.postgres


class Seen(HTMLParser):
    """What a page consists of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[name] for name in ("href", "src") if name in given]


def test_the_page_needs_nothing_from_elsewhere_and_no_script(web: Web):
    answer = web.client.get("/docs")
    assert answer.status_code == 200
    seen = Seen(answer.text)
    assert not {"script", "img", "link", "iframe", "form"} & set(seen.tags)
    assert all(each.startswith(("#", "/")) for each in seen.links)
    assert "style=" not in answer.text
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_the_page_is_made_for_phones_and_for_the_dark(web: Web):
    page = web.client.get("/docs").text
    assert 'name="viewport"' in page
    assert "prefers-color-scheme:dark" in page
    assert page.count("<table>") == page.count("<div class=scroll><table>")


def test_every_route_is_on_the_page_with_a_line_to_try_it(web: Web):
    document = web.client.get("/api/v1/openapi.json").get_json()
    page = web.client.get("/docs").text
    seen = Seen(page)
    assert len(set(seen.ids)) == len(seen.ids)
    for path, operations in document["paths"].items():
        assert path in page
        for operation in operations.values():
            assert operation["operationId"] in seen.ids
    assert page.count("<h4>Example</h4>") == sum(len(each) for each in document["paths"].values())
    assert {each.removeprefix("#") for each in seen.links if each.startswith("#")} <= set(seen.ids)


def test_what_a_document_says_is_shown_as_text():
    hostile = document(every_route(), version='<script>alert("1")</script>')
    page = reference_page(hostile, "http://localhost")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_document_is_of_the_routes_that_the_app_has(web: Web):
    paths = json.loads(web.client.get("/api/v1/openapi.json").data)["paths"]
    rules = {described_path(each.rule) for each in web.app.url_map.iter_rules()}
    assert set(paths) == rules


def test_whoever_has_the_document_is_told_so(web: Web):
    first = web.client.get("/api/v1/openapi.json")
    again = web.client.get("/api/v1/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
