"""The number of a booking to say on the telephone: made from its id, written down in many ways, found again."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.booking.model.booking import id_bits, parse_reference, reference_of
from pmscore.kernel.errors import InvalidInputError


@given(st.uuids())
def test_a_reference_stands_for_the_last_fifty_bits_of_the_id(key: UUID):
    reference = reference_of(key)
    assert id_bits(reference) == key.int & ((1 << 50) - 1)
    assert parse_reference(reference, field="reference") == reference


@given(st.uuids())
def test_case_blanks_and_misread_letters_are_forgiven(key: UUID):
    reference = reference_of(key)
    said = f" {reference[:3]} {reference[3:6]}-{reference[6:]}".lower()
    for digit, letters in (("0", "oO"), ("1", "iIlL")):
        for letter in letters:
            assert parse_reference(said.replace(digit, letter), field="reference") == reference


@pytest.mark.parametrize("text", ["", "0F3KQ7X2M", "0F3KQ7X2MAA", "0F3KQ7X2MU", "0F3KQ7X2M٣", "0F3KQ7X2M\0"])
def test_what_cannot_be_a_reference_is_refused(text: str):
    with pytest.raises(InvalidInputError) as refused:
        parse_reference(text, field="reference")
    assert (refused.value.field, refused.value.reason) == ("reference", "not_a_reference")
