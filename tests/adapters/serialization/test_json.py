"""Reading JSON from outside: caps, no floats, no text that a store would refuse."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pms_adapters.serialization.json import MOST_BYTES, parse, written
from pms_adapters.serialization.unreadable import UnreadableError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES.filter(lambda value: "\0" not in str(value) and "\\x00" not in repr(value)))
def test_what_was_written_reads_as_it_was(value: object) -> None:
    assert parse(written(value)) == value


def test_a_fraction_stays_the_text_that_it_was_written_as() -> None:
    assert parse(b'{"rate": 100.10, "count": 3}') == {"rate": "100.10", "count": 3}


def test_text_that_no_store_keeps_is_replaced_and_the_rest_is_read() -> None:
    body = b'{"name": "A\\u0000b\\ud800", "room": 1}'
    assert parse(body) == {"name": "A\ufffdb\ufffd", "room": 1}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>maintenance</html>", "not_json"),
        (b'{"data": [', "not_json"),
        (b"", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b"\xff\xfe{}", "not_utf8"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "too_deep"),
        (b"9" * 19, "too_many_digits"),
        (b" " * (MOST_BYTES + 1), "too_large"),
    ],
)
def test_what_is_not_what_it_says_is_refused_in_a_word_and_at_once(body: bytes, reason: str) -> None:
    started = time.perf_counter()
    with pytest.raises(UnreadableError) as caught:
        parse(body)
    assert caught.value.reason == reason
    assert time.perf_counter() - started < 1


def test_brackets_in_a_text_are_no_depth() -> None:
    assert parse(b'["' + b"[" * 500 + b'\\"{"]') == ["[" * 500 + '"{']
    assert parse(b"[" * 32 + b"]" * 32) is not None
