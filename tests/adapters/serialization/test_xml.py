"""Reading XML from outside: caps on size, depth and width, nothing that reaches beyond the document, one encoding."""

from __future__ import annotations

import time
from xml.etree import ElementTree as ET
from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pms_adapters.serialization.unreadable import UnreadableError
from pms_adapters.serialization.xml import (
    MOST_BYTES,
    MOST_DEPTH,
    MOST_ELEMENTS,
    Element,
    Node,
    element,
    parse,
    written,
)

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True).filter(lambda name: name != "xmlns")
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
ELEMENTS = st.recursive(
    st.builds(Element, NAMES, st.dictionaries(NAMES, TEXTS, max_size=3), TEXTS),
    lambda inner: st.builds(
        Element,
        NAMES,
        st.dictionaries(NAMES, TEXTS, max_size=3),
        TEXTS,
        st.lists(inner, max_size=3).map(tuple),
    ),
    max_leaves=10,
)

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">%s]><lolz>&lol9;</lolz>""" % b"".join(
    b'<!ENTITY lol%d "%s">' % (level, (b"&lol%d;" % (level - 1) if level > 1 else b"&lol;") * 10)
    for level in range(1, 10)
)
FETCHES = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'
DEEP = b"<a>" * 20_000 + b"</a>" * 20_000
WIDE = b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>"


def _seen(found: Element) -> Node:
    return Node(found.name, found.attr, found.text.strip(), tuple(map(_seen, found.elements)))


@given(ELEMENTS)
def test_what_was_written_reads_as_it_was(root: Element) -> None:
    assert parse(written(root)) == _seen(root)


@given(st.text())
def test_any_text_can_be_written_and_read_again(text: str) -> None:
    found = parse(written(Element("a", {"b": f"<{text}>"}, f"({text})")))
    kept = "".join(each if _is_in_xml(each) else "\ufffd" for each in text)
    assert (found.attr["b"], found.text) == (f"<{kept}>", f"({kept})")


def _is_in_xml(character: str) -> bool:
    code = ord(character)
    return code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF


def test_prefixes_and_namespaces_are_left_out_of_names() -> None:
    body = b'<o:A xmlns:o="urn:o" xmlns="urn:b" o:Code="far" Code="near" xml:lang="de"><B>x</B><o:B> y </o:B></o:A>'
    root = parse(body)
    assert root.name == "A"
    assert dict(root.attr) == {"Code": "near", "lang": "de"}
    assert [each.text for each in root.children("B")] == ["x", "y"]


def test_a_document_is_walked_in_its_order_and_ways_end_softly() -> None:
    root = parse(b"<a><b n='1'><c>one</c></b><b n='2'/><d>&lt;&#65;<![CDATA[<&>]]></d><!-- no --></a>")
    assert [each.name for each in root.walk()] == ["a", "b", "c", "b", "d"]
    assert [each.attr["n"] for each in root.walk("b")] == ["1", "2"]
    assert root.said("b", "c") == "one"
    assert root.said("d") == "<A<&>"
    assert root.said("b", "x", "y") == ""
    assert (root.at("b", "x"), root.child("x"), root.children("x")) == (None, None, ())


def test_our_documents_say_their_namespace_once() -> None:
    body = written(element("Root", element("Leaf", text="5 < 6", Code='"a"\n')), namespace="urn:example")
    assert body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<Root xmlns="urn:example"><Leaf Code="&quot;a&quot;&#10;">5 &lt; 6</Leaf></Root>'
    )
    assert ET.fromstring(body)[0].tag == "{urn:example}Leaf"


@pytest.mark.parametrize("name", ["", "1a", "a b", "a>", "a:b:c"])
def test_a_name_that_is_none_is_not_written(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        written(Element(name))
    with pytest.raises(ValueError, match="no name"):
        written(Element("a", {name: "x"}))


REFUSED = {
    "a cut document": (b"<a><b>", "not_xml"),
    "a document type": (b"<!DOCTYPE a><a/>", "document_type"),
    "a lone ampersand": (b"<a>&</a>", "not_xml"),
    "a page of text": (b"Service unavailable", "not_xml"),
    "a processing instruction": (b"<a><?php x?></a>", "processing_instruction"),
    "a style sheet": (b'<?xml-stylesheet href="http://127.0.0.1/x"?><a/>', "processing_instruction"),
    "an empty body": (b"", "not_xml"),
    "an entity of nobody's": (b"<a>&x;</a>", "not_xml"),
    "an entity that fetches": (FETCHES, "document_type"),
    "an external document type": (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>', "document_type"),
    "bytes of two encodings": ("<a>ä</a>".encode() + "<!-- ä -->".encode("latin-1"), "not_utf8"),
    "many laughs": (LAUGHS, "document_type"),
    "nul": (b"<a>\0</a>", "foreign_encoding"),
    "one long attribute list": (
        b"<a " + b" ".join(b'a%d=""' % n for n in range(200_000)) + b"/>",
        "too_wide",
    ),
    "too deep": (DEEP, "too_deep"),
    "too large": (b"<a>" + b" " * MOST_BYTES + b"</a>", "too_large"),
    "too wide": (WIDE, "too_wide"),
    "two roots": (b"<a/><b/>", "not_xml"),
    "utf-16": ('<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"), "not_utf8"),
    "utf-16 without a mark": ("<a/>".encode("utf-16-le"), "foreign_encoding"),
    "utf-7 by declaration": (b'<?xml version="1.0" encoding="UTF-7"?><a>+ADw-b+AD4-</a>', "foreign_encoding"),
    "windows-1252 by declaration": (
        b'<?xml version="1.0" encoding="windows-1252"?><a>x</a>',
        "foreign_encoding",
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_costs_or_asks_too_much_is_refused_in_a_word_and_at_once(name: str) -> None:
    body, reason = REFUSED[name]
    started = time.process_time()
    with pytest.raises(UnreadableError) as caught:
        parse(body)
    assert time.process_time() - started < 1
    assert caught.value.reason == reason


def test_a_long_namespace_is_not_copied_for_every_element() -> None:
    body = b'<p:a xmlns:p="' + b"u" * 4_000_000 + b'">' + b"<p:b/>" * 90_000 + b"</p:a>"
    started = time.process_time()
    assert len(parse(body).elements) == 90_000
    assert time.process_time() - started < 1


def test_one_long_text_is_read_in_one_go() -> None:
    body = b"<a>" + b"line\n" * 900_000 + b"</a>"
    started = time.process_time()
    assert len(parse(body).text) == 4_499_999
    assert time.process_time() - started < 1


def test_caps_are_exact() -> None:
    assert parse(b"<a>" * MOST_DEPTH + b"</a>" * MOST_DEPTH).name == "a"
    with pytest.raises(UnreadableError):
        parse(b"<a>" * (MOST_DEPTH + 1) + b"</a>" * (MOST_DEPTH + 1))
    assert len(parse(b"<a><b/><b/></a>", most_elements=3).elements) == 2
    with pytest.raises(UnreadableError):
        parse(b"<a><b/><b/></a>", most_elements=2)
    assert parse(b"<a/>", most_bytes=4).name == "a"


def test_control_a_plain_parser_takes_what_is_refused_here() -> None:
    depth, deepest, fetched = 0, 0, []

    def begin(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, deepest
        depth += 1
        deepest = max(deepest, depth)

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    plain = expat.ParserCreate()
    plain.StartElementHandler, plain.EndElementHandler = begin, end
    plain.Parse(DEEP, True)
    assert deepest == 20_000
    assert len(ET.fromstring(WIDE)) == MOST_ELEMENTS
    fetching = expat.ParserCreate()

    def fetch(_context: str, _base: str | None, address: str | None, _public: str | None) -> int:
        fetched.append(address)
        return 1

    fetching.ExternalEntityRefHandler = fetch
    fetching.Parse(FETCHES, True)
    assert fetched == ["file:///etc/hostname"]
    small = LAUGHS.replace(b"&lol9;", b"&lol2;")
    assert ET.fromstring(small).text == "lol" * 100
