"""Percentages are exact, and read as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.percent import Percent


@given(st.integers(-(10**9), 10**9))
def test_what_is_written_is_read_back(millionths: int) -> None:
    percent = Percent(millionths)
    assert Percent.parse(percent.plain()) == percent


@pytest.mark.parametrize(
    ("text", "millionths"),
    [("19", 190_000), ("8.875", 88_750), ("-5", -50_000), ("0.0001", 1), ("100", 1_000_000)],
)
def test_texts_and_their_millionths(text: str, millionths: int) -> None:
    assert Percent.parse(text).millionths == millionths
    assert str(Percent.parse(text)) == f"{text} %"


@pytest.mark.parametrize("text", ["", "1e2", "+1", "01", "1.", ".5", "1.00001", "5 %", "٣", "1,5"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        Percent.parse(text, field="rate")
    assert refused.value.field == "rate"


def test_more_than_a_thousandfold_is_no_percentage() -> None:
    with pytest.raises(InvalidInputError):
        Percent(10**9 + 1)
