from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.text import checked_code, checked_text


def reason(text: str, **limits: int) -> str:
    with pytest.raises(InvalidInputError) as error:
        checked_text(text, field="name", **limits)
    assert error.value.field == "name"
    return error.value.reason


@given(st.text())
def test_what_is_accepted_can_be_stored_and_sent(text: str):
    """Whatever passes is valid UTF-8 without NUL, stripped, and passes again unchanged."""
    try:
        kept = checked_text(text, field="name")
    except InvalidInputError:
        return
    assert "\x00" not in kept
    assert kept == kept.strip()
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert checked_text(kept, field="name") == kept


def test_names_of_people_are_accepted_as_they_are_written():
    for name in ("Björk Guðmundsdóttir", "毛泽东", "O'Neill-Šťastná", "Zoë 🎉", "two\nlines\tand a tab"):
        assert checked_text(f"  {name} ", field="name") == name


def test_text_that_a_store_cannot_keep_is_refused_with_its_reason():
    assert reason("a\x00b") == "control_character"
    assert reason("a\x1bb") == "control_character"
    assert reason("a\x7fb") == "control_character"
    assert reason("a\ud800b") == "lone_surrogate"
    assert reason(" \n ") == "empty"
    assert reason("abcd", longest=3) == "too_long"
    assert not checked_text(" ", field="name", may_be_empty=True)


@pytest.mark.parametrize("code", ["a", "ota-42", "booking.com", "x" * 64, "0:1_2"])
def test_codes_are_short_lower_case_words(code: str):
    assert checked_code(code, field="code") == code


@pytest.mark.parametrize("code", ["", "A", "-a", "x" * 65, "a b", "a\n", "ä", "\ud800"])
def test_what_is_no_code_is_refused(code: str):
    with pytest.raises(InvalidInputError) as error:
        checked_code(code, field="code")
    assert (error.value.field, error.value.reason) == ("code", "not_a_code")
