"""Parts that many replies have: amounts, stays, broken rules.

Owns their names and shapes. Amounts are text with their currency, dates are ISO 8601, ends are exclusive.
"""

from __future__ import annotations

from typing import TypedDict

from pms_web.texts import violation_text
from pms_web.wire import CurrencyText, DateText, DecimalText
from pmscore.dates.nights import StayRange
from pmscore.kernel.errors import Violation
from pmscore.kernel.money import Money

__all__ = ["MoneyBody", "StayBody", "ViolationBody", "id_text", "money_part", "stay_part", "violation_part"]


class MoneyBody(TypedDict):
    """An exact amount: decimal text with all digits of its currency."""

    amount: DecimalText
    currency: CurrencyText


class StayBody(TypedDict):
    """A stay; the departure is not a night of it."""

    arrival: DateText
    departure: DateText


class ViolationBody(TypedDict):
    """A rule that a stay breaks: its code, the night that it was read on, what it asks for, and whose rule it is."""

    code: str
    night: DateText | None
    value: str | int | None
    level: str
    message: str


def money_part(amount: Money) -> MoneyBody:
    """Return an amount."""
    return {"amount": amount.plain(), "currency": amount.currency.code}


def stay_part(stay: StayRange) -> StayBody:
    """Return a stay."""
    return {"arrival": stay.arrival.isoformat(), "departure": stay.departure.isoformat()}


def violation_part(violation: Violation) -> ViolationBody:
    """Return one broken rule, with a sentence."""
    return {
        "code": violation.code,
        "night": None if violation.night is None else violation.night.isoformat(),
        "value": violation.value,
        "level": violation.level,
        "message": violation_text(violation),
    }


def id_text(value: object) -> str | None:
    """Return an id as text, None where there is none."""
    return None if value is None else str(value)
