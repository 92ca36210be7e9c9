from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import parse_id


@given(st.uuids())
def test_an_id_survives_its_text_in_either_case(key):
    assert parse_id(str(key), field="booking_id") == key
    assert parse_id(str(key).upper(), field="booking_id") == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "{12345678-1234-5678-1234-567812345678}",
        "12345678123456781234567812345678",
        "urn:uuid:12345678-1234-5678-1234-567812345678",
        "12345678-1234-5678-1234-56781234567g",
        "12345678-1234-5678-1234-567812345678\n",
    ],
)
def test_text_that_is_no_canonical_id_is_refused(text: str):
    with pytest.raises(InvalidInputError) as error:
        parse_id(text, field="unit_id")
    assert (error.value.field, error.value.reason) == ("unit_id", "not_an_id")
