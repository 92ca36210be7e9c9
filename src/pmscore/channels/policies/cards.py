"""Numbers of payment cards in what platforms send, which nobody here may keep.

Law: what comes out holds no run of digits that could be a card number, and no value that is named as a security code;
what else there is stays as it was. A number that only looks like a card is masked, too: that is the cheaper mistake.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MASKED", "without_cards"]

MASKED: Final = "[card removed]"

_SHORTEST, _LONGEST = 13, 19
# Digits with at most one separator between two of them, as people and platforms write card numbers.
_DIGITS = re.compile(r"(?<![0-9])[0-9](?:[ \u00a0./_-]?[0-9]){12,18}(?![0-9])")
_CODE_NAME = r"(?:cvv2?|cvc2?|cid|csc|card_?series_?code|series_?code|security_?code)"
_CODES: Final = (
    # JSON, XML attributes, forms: name, a sign, the value. Elements: the name in angle brackets.
    re.compile(rf"(?i)(\b\"?{_CODE_NAME}\"?\s*[:=]\s*[\"']?)[0-9]{{3,4}}\b"),
    re.compile(rf"(?i)(<(?:\w+:)?{_CODE_NAME}\b[^>]*>\s*)[0-9]{{3,4}}\b"),
)


def without_cards(text: str) -> str:
    """Return the text without card numbers and security codes."""
    masked = _DIGITS.sub(_masked, text)
    for pattern in _CODES:
        masked = pattern.sub(rf"\g<1>{MASKED}", masked)
    return masked


def _masked(found: re.Match[str]) -> str:
    digits = [int(each) for each in found[0] if each.isdigit()]
    return MASKED if _may_be_card(digits) else found[0]


def _may_be_card(digits: list[int]) -> bool:
    """Return whether the digits, or those at their beginning, have the check digit of a card."""
    return any(_has_check_digit(digits[:length]) for length in range(_SHORTEST, len(digits) + 1))


def _has_check_digit(digits: list[int]) -> bool:
    """Return whether the last digit is that of Luhn's formula (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0 and any(digits)
