"""XML from outside: with caps on size, depth and width, and without anything that reaches beyond the document.

Owns reading bytes as ``Node`` and writing ``Element`` back. Document types, and with them entities of one's own, and
processing instructions are refused, so no document grows while it is read and none makes us fetch another. Names come
without their prefix: who speaks to us is known by address and credentials, not by a namespace. Leaves what elements
mean to the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NoReturn
from xml.parsers import expat

from attrs import field, frozen

from pms_adapters.serialization.unreadable import UnreadableError

__all__ = ["Element", "Node", "element", "parse", "written"]

MOST_BYTES: Final = 5_000_000
MOST_DEPTH: Final = 64
MOST_ELEMENTS: Final = 100_000

_BOM: Final = b"\xef\xbb\xbf"
_OUR_ENCODINGS: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*(:[A-Za-z_][\w.-]*)?", re.ASCII)
_NEVER_IN_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_TEXT: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_IN_ATTRIBUTE: Final = {**_IN_TEXT, ord('"'): "&quot;", ord("\n"): "&#10;", ord("\t"): "&#9;"}


@frozen
class Node:
    """One element that was read: local name, attributes by local name, its own text and the elements in it."""

    name: str
    attr: Mapping[str, str] = field(factory=dict)
    text: str = field(default="", repr=False)
    """Its own text, without that of the elements in it and without white space at the ends."""
    elements: tuple[Node, ...] = field(default=(), repr=False)

    def child(self, name: str) -> Node | None:
        """Return the first element of that name right inside this one, None where there is none."""
        return next((each for each in self.elements if each.name == name), None)

    def children(self, name: str) -> tuple[Node, ...]:
        """Return the elements of that name right inside this one, in their order."""
        return tuple(each for each in self.elements if each.name == name)

    def at(self, *names: str) -> Node | None:
        """Return what stands at the end of a way of first children, None where the way ends before."""
        here: Node | None = self
        for name in names:
            here = here.child(name) if here is not None else None
        return here

    def said(self, *names: str) -> str:
        """Return the text at the end of a way of first children, empty where there is none."""
        found = self.at(*names)
        return "" if found is None else found.text

    def walk(self, name: str = "") -> Iterator[Node]:
        """Yield this element and all inside it in the order of the document; with a name, those of that name."""
        waiting = [self]
        while waiting:
            here = waiting.pop()
            if not name or here.name == name:
                yield here
            waiting += reversed(here.elements)


@frozen
class Element:
    """One element of a document of ours; made by ``element``."""

    name: str
    attr: Mapping[str, str] = field(factory=dict)
    text: str = ""
    elements: tuple[Element, ...] = ()


def element(name: str, /, *elements: Element, text: str = "", **attr: str) -> Element:
    """Return an element of a document of ours; its text stands before the elements in it."""
    return Element(name, attr, text, elements)


def parse(
    body: bytes,
    *,
    most_bytes: int = MOST_BYTES,
    most_depth: int = MOST_DEPTH,
    most_elements: int = MOST_ELEMENTS,
) -> Node:
    """Return the root of the document that ``body`` is; the caps are looked at while it is read.

    Raises:
        UnreadableError: it is larger, deeper or wider than it may be, not UTF-8, asks for more than itself, or is no
            XML; ``reason`` says which in a word.
    """
    if len(body) > most_bytes:
        raise UnreadableError("too_large", most=most_bytes)
    body = body.removeprefix(_BOM).lstrip()
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError("not_utf8") from error
    if b"\0" in body:  # no character of XML; the parser would guess at UTF-16
        raise UnreadableError("foreign_encoding")
    return _Reading(most_depth=most_depth, most_elements=most_elements).read(body)


def written(root: Element, *, namespace: str = "") -> bytes:
    """Return the document of ``root`` in UTF-8, every element in ``namespace``.

    Characters that XML cannot say come as the replacement character.

    Raises:
        ValueError: a name is none in XML.
    """
    pieces = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    attr = {"xmlns": namespace, **root.attr} if namespace else root.attr
    _write(Element(root.name, attr, root.text, root.elements), pieces)
    return "".join(pieces).encode()


class _Reading:
    """One document being read: the way down to where we are, and how much has come."""

    def __init__(self, *, most_depth: int, most_elements: int) -> None:
        self._most_depth = most_depth
        self._most_elements = most_elements
        self._seen = 0
        self._open: list[tuple[str, dict[str, str], list[str], list[Node]]] = []
        self._root: Node | None = None

    def read(self, body: bytes) -> Node:
        # Whole, in one piece: a parser that is fed in bits looks at a long token again with every bit.
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.XmlDeclHandler = _check_declaration
        parser.StartDoctypeDeclHandler = _no_document_type
        parser.EntityDeclHandler = _no_document_type
        parser.ProcessingInstructionHandler = _no_instruction
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(body, True)  # noqa: FBT003 (takes no names)
        except expat.ExpatError as error:
            raise UnreadableError("not_xml") from error
        if self._root is None:
            raise UnreadableError("not_xml")
        return self._root

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._seen += 1 + len(attributes)
        if self._seen > self._most_elements:
            raise UnreadableError("too_wide", most=self._most_elements)
        if len(self._open) >= self._most_depth:
            raise UnreadableError("too_deep", most=self._most_depth)
        self._open.append((_local(name), _local_attributes(attributes), [], []))

    def _end(self, _: str) -> None:
        name, attributes, texts, elements = self._open.pop()
        node = Node(name, attributes, "".join(texts).strip(), tuple(elements))
        if self._open:
            self._open[-1][3].append(node)
        else:
            self._root = node

    def _text(self, text: str) -> None:
        self._open[-1][2].append(text)


def _check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in _OUR_ENCODINGS:
        raise UnreadableError("foreign_encoding")


def _no_document_type(*_: object) -> NoReturn:
    raise UnreadableError("document_type")


def _no_instruction(_target: str, _said: str) -> NoReturn:
    raise UnreadableError("processing_instruction")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _local_attributes(attributes: dict[str, str]) -> dict[str, str]:
    """Return attributes by local name, without declarations of namespaces; one without a prefix wins."""
    if not any(":" in name or name == "xmlns" for name in attributes):
        return attributes
    prefixed = {
        _local(name): value
        for name, value in attributes.items()
        if ":" in name and not name.startswith("xmlns:")
    }
    own = {name: value for name, value in attributes.items() if ":" not in name and name != "xmlns"}
    return prefixed | own


def _write(found: Element, pieces: list[str]) -> None:
    pieces.append(f"<{_name(found.name)}")
    pieces += [f' {_name(name)}="{_escaped(value, _IN_ATTRIBUTE)}"' for name, value in found.attr.items()]
    if not (found.text or found.elements):
        pieces.append("/>")
        return
    pieces += [">", _escaped(found.text, _IN_TEXT)]
    for each in found.elements:
        _write(each, pieces)
    pieces.append(f"</{found.name}>")


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an element or attribute")
    return name


def _escaped(text: str, table: Mapping[int, str]) -> str:
    return _NEVER_IN_XML.sub("\ufffd", text).translate(table)
