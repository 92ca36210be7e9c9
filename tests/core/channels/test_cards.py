"""No card number and no security code stays in what is kept; amounts spread from a total are exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.channels.policies.cards import MASKED, without_cards
from pmscore.channels.policies.spreading import spread
from pmscore.kernel.errors import InvalidInputError

# Numbers that card schemes publish for tests; none of them belongs to anybody.
CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "30569309025904"]


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("sign", ["", " ", "-", ".", "\u00a0"])
@pytest.mark.parametrize("around", ['<CardNumber="{}">', "card {}, thanks", '{{"number":"{}"}}', "{}"])
def test_card_numbers_are_masked_however_they_are_written(card, sign, around):
    written = sign.join([card[:4], card[4:8], card[8:12], card[12:]]) if sign else card
    kept = without_cards(around.format(written))
    assert MASKED in kept
    assert card[:6] not in kept
    assert card[-4:] not in kept


@pytest.mark.parametrize(
    "text",
    [
        '{"cvv":"123"}',
        '{"cvc": 123}',
        '<PaymentCard SeriesCode="123"/>',
        "<SeriesCode>123</SeriesCode>",
        "<x:SecurityCode kind='a'>123</x:SecurityCode>",
        "cvv2=123&x=1",
        "card_series_code: 123",
    ],
)
def test_security_codes_are_masked_where_they_are_named(text):
    kept = without_cards(text)
    assert "123" not in kept
    assert MASKED in kept


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "arrival 2030-01-01, departure 2030-01-05",
        "+49 30 123456-78",
        '{"amount": 12300, "code": "123", "zip": "12345"}',
        "HMABC123XY",
        "0000000000000000",
        "",
    ],
)
def test_other_numbers_stay(text):
    assert without_cards(text) == text


@given(before=st.text(max_size=20), after=st.text(max_size=20), card=st.sampled_from(CARDS))
def test_wherever_a_card_stands_it_is_masked_and_masking_again_changes_nothing(before, after, card):
    kept = without_cards(f"{before} |{card}| {after}")
    assert card not in kept
    assert without_cards(kept) == kept


@given(total=st.integers(0, 10**12), nights=st.integers(1, 400))
def test_a_total_is_spread_to_the_last_unit(total, nights):
    found = spread(total, nights)
    assert sum(found) == total
    assert len(found) == nights
    assert max(found) - min(found) <= 1
    assert list(found) == sorted(found, reverse=True)


@pytest.mark.parametrize(("total", "nights", "field"), [(-1, 2, "total"), (1, 0, "nights")])
def test_what_cannot_be_spread_is_refused(total, nights, field):
    with pytest.raises(InvalidInputError) as refused:
        spread(total, nights)
    assert refused.value.field == field
