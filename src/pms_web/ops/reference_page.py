"""The page about every route, made from the OpenAPI document alone.

Owns its HTML. No script, nothing from elsewhere; light and dark as the reader's system is; readable on a
phone. Members of bodies are rows of a table, those inside others with their path.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

__all__ = ["CONTENT_SECURITY_POLICY", "reference_page"]

_DEEPEST = 4
_STYLE = (
    ":root{color-scheme:light dark;--ink:#1d2733;--soft:#5b6875;--line:#d9e0e6;--code:#f2f5f7;--link:#0b5cad}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e3e8ed;--soft:#9aa7b4;--line:#37424d;--code:#1c242c;--link:#7ab8ff}"
    "body{background:#12181e}}"
    "body{font:16px/1.55 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--ink)}"
    "a{color:var(--link)}h2{margin-top:3rem;border-bottom:2px solid var(--line)}h3{margin:2.2rem 0 .3rem}"
    "h3 a{color:inherit;text-decoration:none}h4{margin:1rem 0 .3rem}"
    "code,pre{font:.88em/1.45 ui-monospace,monospace;background:var(--code);border-radius:4px}code{padding:.1em .3em}"
    "pre{padding:.8rem;overflow-x:auto}.path{background:none;padding:0;overflow-wrap:anywhere}"
    ".method{display:inline-block;min-width:3.6rem;font-weight:700}.soft{color:var(--soft)}"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;vertical-align:top;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line)}"
    "th{color:var(--soft);font-weight:500}nav ul{columns:14rem;padding:0;list-style:none}summary{cursor:pointer}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Lets the style of the page in and nothing else."""

_Object = Mapping[str, Any]


def reference_page(document: _Object, address: str) -> str:
    """Return the page of a document; ``address`` is where the examples send their requests."""
    page = _Page(document, address)
    return "".join(page.parts())


class _Page:
    def __init__(self, document: _Object, address: str) -> None:
        self._document = document
        self._address = address

    def parts(self) -> Iterator[str]:
        info = self._document["info"]
        yield (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{escape(info['title'])}: every route</title><style>{_STYLE}</style></head><body>"
            f"<h1>Every route</h1><p class=soft>Version {escape(info['version'])}. For programs: "
            '<a href="/api/v1/openapi.json">openapi.json</a>, OpenAPI 3.1.</p>'
        )
        yield _paragraphs(info["description"])
        yield "<h2 id=access>Who you are</h2><dl>"
        for name, scheme in self._document["components"]["securitySchemes"].items():
            yield f"<dt><strong>{escape(name)}</strong><dd>{_inline(scheme['description'])}"
        tags = self._document["tags"]
        links = "".join(f'<li><a href="#{escape(each["name"])}">{escape(each["name"])}</a>' for each in tags)
        yield f"</dl><nav aria-label=Resources><ul>{links}</ul></nav><main>"
        for tag in tags:
            yield f'<section><h2 id="{escape(tag["name"])}">{escape(tag["name"])}</h2>{_paragraphs(tag["description"])}'
            for path, operations in self._document["paths"].items():
                for method, operation in operations.items():
                    if tag["name"] in operation["tags"]:
                        yield from self._operation(path, method.upper(), operation)
            yield "</section>"
        yield "</main></body></html>"

    def _operation(self, path: str, method: str, operation: _Object) -> Iterator[str]:
        name = escape(operation["operationId"])
        yield (
            f'<article><h3 id="{name}"><a href="#{name}"><span class=method>{method}</span>'
            f"<code class=path>{escape(path)}</code></a></h3><p><strong>{escape(operation['summary'])}.</strong></p>"
            f"{_paragraphs(operation['description'])}"
        )
        if parameters := operation.get("parameters"):
            rows = [(each["name"], each["schema"], each.get("required", False), each) for each in parameters]
            yield "<h4>Parameters</h4>" + _table(
                (name, self._kind(schema), needed, f"{said.get('description', '')} ({said['in']})")
                for name, schema, needed, said in rows
            )
        body = operation.get("requestBody")
        if body is not None:
            content = body["content"]["application/json"]
            yield "<h4>Body</h4>" + self._shapes(content["schema"])
        yield f"<h4>Example</h4><pre>{escape(self._curl(path, method, operation))}</pre>"
        yield "<h4>Answers</h4>"
        for status, reply in operation["responses"].items():
            yield self._answer(status, self._resolved(reply))
        yield "</article>"

    def _answer(self, status: str, reply: _Object) -> str:
        said = f"<strong>{status}</strong> {_inline(reply['description'])}"
        content = reply.get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            return f"<p>{said}</p>"
        return f"<details><summary>{said}</summary>{self._shapes(schema)}</details>"

    def _shapes(self, schema: _Object) -> str:
        """Return a table for each shape that a body may have."""
        schema = self._resolved(schema)
        several = schema.get("anyOf")
        shapes = [schema] if several is None else [self._resolved(each) for each in several]
        return "".join(
            _paragraphs(each.get("description", "")) + _table(self._rows(each, "", 0)) for each in shapes
        )

    def _rows(self, schema: _Object, path: str, depth: int) -> Iterator[tuple[str, str, bool, str]]:
        """Yield the members of an object, those inside others after them."""
        required = schema.get("required", [])
        for name, member in schema.get("properties", {}).items():
            here = f"{path}{name}"
            yield here, self._kind(member), name in required, member.get("description", "")
            inner, within = self._inside(member)
            if inner is not None and depth < _DEEPEST and "amount" not in inner.get("properties", {}):
                yield from self._rows(inner, f"{here}{within}.", depth + 1)

    def _inside(self, schema: _Object) -> tuple[_Object | None, str]:
        """Return the object that a member is or holds, and how its path goes on."""
        schema = self._resolved(schema)
        if "properties" in schema:
            return schema, ""
        for each in schema.get("anyOf", ()):
            found, within = self._inside(each)
            if found is not None:
                return found, within
        if "items" in schema:
            found, within = self._inside(schema["items"])
            return found, f"[]{within}"
        return None, ""

    def _kind(self, schema: _Object) -> str:
        """Return in a few words what a value is."""
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name == "Money":
            return "amount"
        schema = self._resolved(schema)
        if "enum" in schema:
            return " | ".join(str(each) for each in schema["enum"])
        if "const" in schema:
            return str(schema["const"])
        if "anyOf" in schema:
            kinds = [self._kind(each) for each in schema["anyOf"] if each.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
        types: Any = schema.get("type", "anything")
        type_ = types if isinstance(types, str) else " or ".join(each for each in types if each != "null")
        if type_ == "array":
            return f"list of {self._kind(schema.get('items', {}))}"
        words = {"date": "date", "date-time": "instant", "uuid": "id"}
        return words.get(schema.get("format", ""), type_.replace("string", "text")) + _limits(schema)

    def _resolved(self, schema: _Object) -> _Object:
        reference = schema.get("$ref")
        if reference is None:
            return schema
        found: Any = self._document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        said = {name: each for name, each in schema.items() if name != "$ref"}
        return {**found, **said}

    def _curl(self, path: str, method: str, operation: _Object) -> str:
        query: list[str] = []
        lines: list[str] = []
        for each in operation.get("parameters", ()):
            example = each.get("example")
            if each["in"] == "path":
                path = path.replace(f"{{{each['name']}}}", str(example or each["name"].upper()))
            elif each["in"] == "query" and example is not None:
                values = example if isinstance(example, list) else [example]
                query.extend(f"{each['name']}={value}" for value in values)
            elif each["in"] == "header" and each.get("required"):
                lines.append(f"  -H '{each['name']}: {example}'")
        asked = f"?{'&'.join(query)}" if query else ""
        first = "curl" if method == "GET" else f"curl -X {method}"
        lines.insert(0, f"{first} '{self._address}{path}{asked}'")
        if operation["security"]:
            lines.append('  -H "Authorization: Bearer $PMS_TOKEN"')
        body = operation.get("requestBody")
        if body is not None:
            example = body["content"]["application/json"].get("example", {})
            lines.append("  -H 'Content-Type: application/json'")
            lines.append(f"  -d '{json.dumps(example, indent=2, ensure_ascii=False)}'")
        return " \\\n".join(lines)


def _limits(schema: _Object) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    found: list[str] = []
    if least is not None and least > -999_999_999:
        found.append(f"from {least}")
    if most is not None and most < 999_999_999:
        found.append(f"to {most}")
    if schema.get("maxLength", 10_000) < 10_000:
        found.append(f"up to {schema['maxLength']} characters")
    return f", {' '.join(found)}" if found else ""


def _table(rows: Iterable[tuple[str, str, bool, str]]) -> str:
    body = "".join(
        f"<tr><td><code>{escape(name)}</code>{'' if needed else ' <span class=soft>optional</span>'}"
        f"<td>{escape(kind)}<td>{_inline(said)}"
        for name, kind, needed, said in rows
    )
    if not body:
        return ""
    return f"<div class=scroll><table><tr><th>Name<th>Kind<th>Meaning{body}</table></div>"


def _paragraphs(markdown: str) -> str:
    return "".join(f"<p>{_inline(each)}</p>" for each in markdown.split("\n\n") if each.strip())


def _inline(markdown: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(markdown.strip()))
