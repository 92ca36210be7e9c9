"""From the types of requests and replies to JSON Schema (draft 2020-12, as OpenAPI 3.1 has it).

Owns the derivation; it reads the same types and marks as ``structuring``, so what is described is what is
read. Objects of requests are closed, because unknown members are refused; those of replies stay open, so that
a later version may add a member without a break.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    NewType,
    NotRequired,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

import attrs

from pms_web.reply_parts import MoneyBody
from pms_web.structuring import members_of, unstructured, wire_name
from pms_web.wire import LONGEST_TEXT, MOST_WHOLE, ByMember, Document, Entries, Mark
from pms_web.wire_values import without_null
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money

__all__ = ["Schemas", "first_paragraph"]

Schema = dict[str, Json]

_CURRENCY: Schema = {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]}
_MONEY: Schema = {
    "type": "object",
    "description": "An exact amount: decimal text in a currency of ISO 4217, with no more digits than that has.",
    "properties": {
        "amount": {
            "type": "string",
            "pattern": r"^-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?$",
            "examples": ["123.45"],
        },
        "currency": _CURRENCY,
    },
    "required": ["amount", "currency"],
    "additionalProperties": False,
}
_READ: Mapping[object, Schema] = {
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    UUID: {"type": "string", "format": "uuid"},
    Currency: _CURRENCY,
}
_WRITTEN: Mapping[object, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    object: {},
    Any: {},
}


class Schemas:
    """The schemas of a document, each object once under its name."""

    def __init__(self) -> None:
        self.named: dict[str, Json] = {}
        self._kinds: dict[str, object] = {}

    def read(self, kind: Any) -> Schema:
        """Return the schema of a wire class, or of the type of one of its members."""
        if kind is str:
            return {"type": "string", "maxLength": LONGEST_TEXT}
        if kind is int:
            return {"type": "integer", "minimum": -MOST_WHOLE, "maximum": MOST_WHOLE}
        if kind in _READ:
            return {**_READ[kind]}
        if isinstance(kind, type) and attrs.has(kind) and kind is not Money:
            return self._named(kind, lambda: self._wire_class(kind))
        if get_origin(kind) is tuple:
            return self._read_list(get_args(kind)[0], ())
        if get_origin(kind) is Annotated and get_origin(get_args(kind)[0]) is tuple:
            return self._read_list(get_args(get_args(kind)[0])[0], get_args(kind)[1:])
        return self._either(kind, self.read)

    def written(self, kind: Any) -> Schema:
        """Return the schema of a reply, or of the type of one of its members."""
        if kind is MoneyBody:
            return self.read(Money)
        if kind in _WRITTEN:
            return {**_WRITTEN[kind]}
        if is_typeddict(get_origin(kind) or kind):
            return self._named(kind, lambda: self._typed_dict(kind))
        if get_origin(kind) is list:
            return {"type": "array", "items": self.written(get_args(kind)[0])}
        if get_origin(kind) in {dict, Mapping}:
            return {"type": "object", "additionalProperties": self.written(get_args(kind)[1])}
        return self._either(kind, self.written)

    def _either(self, kind: Any, inner: Any) -> Schema:
        """Return what is said alike in requests and replies."""
        if kind is Money:
            return self._named(Money, lambda: {**_MONEY})
        if isinstance(kind, NewType):
            return inner(kind.__supertype__)  # type: ignore[no-any-return]
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"type": "string", "enum": [str(each.value) for each in kind]}
        if get_origin(kind) is Annotated:
            return self._marked(get_args(kind)[0], get_args(kind)[1:], inner)
        if get_origin(kind) is Literal:
            return {"enum": [*get_args(kind)]}
        if _is_any_json(kind):
            return {}
        if get_origin(kind) in {Union, UnionType}:
            return _any_of(
                [inner(each) if each is not NoneType else {"type": "null"} for each in get_args(kind)]
            )
        raise TypeError(f"no schema for {kind!r}")

    def _marked(self, kind: Any, marks: tuple[object, ...], inner: Any) -> Schema:
        for mark in marks:
            if isinstance(mark, ByMember):
                shapes = [*mark.shapes.values(), mark.otherwise]
                return {"anyOf": [self.read(each) for each in dict.fromkeys(shapes)]}
            if isinstance(mark, Document):
                self.named.setdefault(mark.name, {**mark.words})
                return _reference(mark.name)
        found: Schema = inner(kind)
        for mark in marks:
            if isinstance(mark, Mark):
                found.update(mark.schema())
        return found

    def _read_list(self, item: Any, marks: tuple[object, ...]) -> Schema:
        found: Schema = {"type": "array", "items": self.read(item), **Entries().schema()}
        for mark in marks:
            if isinstance(mark, Mark):
                found.update(mark.schema())
        return found

    def member_schemas(self, kind: type) -> dict[str, tuple[Schema, bool]]:
        """Return the members of a wire class, each with whether it has to be there; none of them null."""
        found: dict[str, tuple[Schema, bool]] = {}
        for member in members_of(kind):
            schema = self.read(without_null(member.type))
            if default := _default(member.default):
                schema["default"] = default
            found[wire_name(member)] = (schema, member.default is attrs.NOTHING)
        return found

    def _wire_class(self, kind: type) -> Schema:
        properties: dict[str, Json] = {}
        required: list[Json] = []
        for member in members_of(kind):
            schema = self.read(member.type)
            if member.default is attrs.NOTHING:
                required.append(wire_name(member))
            else:
                # Null says the same as nothing.
                schema = _any_of([schema, {"type": "null"}])
                if default := _default(member.default):
                    schema["default"] = default
            properties[wire_name(member)] = schema
        return _object(kind, properties, required, is_closed=True)

    def _typed_dict(self, kind: Any) -> Schema:
        bare = get_origin(kind) or kind
        values = dict(zip(getattr(bare, "__parameters__", ()), get_args(kind), strict=False))
        properties: dict[str, Json] = {}
        required: list[Json] = []
        for name, hint in get_type_hints(bare, include_extras=True).items():
            # Written as text, NotRequired is unknown to the class itself.
            is_marked = get_origin(hint) is NotRequired
            if not is_marked and name in bare.__required_keys__:
                required.append(name)
            properties[name] = self.written(_filled(get_args(hint)[0] if is_marked else hint, values))
        return _object(bare, properties, required, is_closed=False)

    def _named(self, kind: Any, make: Any) -> Schema:
        name = _name(kind)
        if name not in self.named:
            self.named[name] = {}
            self._kinds[name] = kind
            self.named[name] = make()
        elif self._kinds.get(name, kind) != kind:
            raise TypeError(f"two types are called {name}; rename one: {self._kinds[name]!r}, {kind!r}")
        return _reference(name)


def first_paragraph(text: str | None) -> str:
    """Return the first paragraph of a docstring as one line of Markdown."""
    paragraph = (text or "").strip().partition("\n\n")[0]
    return re.sub(r"``", "`", re.sub(r":\w+:`~?([^`]+)`", r"`\1`", " ".join(paragraph.split())))


def _name(kind: Any) -> str:
    """Return what a type is called in a document: its name without the words that only code needs."""
    inner = "".join(_name(each) for each in get_args(kind))
    bare: str = (get_origin(kind) or kind).__name__
    return inner + bare.lstrip("_").removesuffix("Body")


def _is_any_json(kind: Any) -> bool:
    """Return whether a type is the recursive ``Json``."""
    return isinstance(kind, ForwardRef) or any(
        isinstance(inner, ForwardRef) for each in get_args(kind) for inner in get_args(each)
    )


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _filled(hint: Any, values: Mapping[TypeVar, Any]) -> Any:
    """Return a type with its variables replaced."""
    if isinstance(hint, TypeVar):
        return values[hint]
    if values and get_origin(hint) is list:
        return list[_filled(get_args(hint)[0], values)]  # type: ignore[misc]
    return hint


def _object(kind: type, properties: dict[str, Json], required: list[Json], *, is_closed: bool) -> Schema:
    found: Schema = {"type": "object"}
    if said := first_paragraph(vars(kind).get("__doc__")):
        found["description"] = said
    found["properties"] = properties
    if required:
        found["required"] = required
    if is_closed:
        found["additionalProperties"] = False
    return found


def _default(default: object) -> Json:
    """Return a default that is worth saying; nothing, empty and false go without saying."""
    if default is attrs.NOTHING or hasattr(default, "factory"):
        return None
    return unstructured(default) or None


def _any_of(schemas: list[Schema]) -> Schema:
    """Return one schema for several; plain types become a list of types."""
    flat: list[Schema] = []
    said: Schema = {}
    for each in schemas:
        inner = each.get("anyOf")
        if isinstance(inner, list) and set(each) <= {"anyOf", "description"}:
            said.update({name: value for name, value in each.items() if name != "anyOf"})
            flat.extend(part for part in inner if isinstance(part, dict) and part not in flat)
        elif each not in flat:
            flat.append(each)
    if not any({"enum", "$ref", "anyOf"} & set(each) for each in flat) and _is_mergeable(flat):
        types: list[Json] = []
        words: Schema = {}
        for each in flat:
            kinds = each["type"]
            types.extend(
                kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind not in types
            )
            words.update({name: value for name, value in each.items() if name != "type"})
        return {"type": types[0] if len(types) == 1 else types, **words, **said}
    for each in flat:
        description = each.get("description")
        if description is not None and "$ref" not in each:
            said.setdefault("description", description)
    return {"anyOf": [*flat], **said}


def _is_mergeable(schemas: list[Schema]) -> bool:
    """Return whether the words of several schemas may stand side by side: each is about its own type."""
    about = [set(each) - {"type"} for each in schemas]
    return all("type" in each for each in schemas) and sum(1 for each in about if each) <= 1
