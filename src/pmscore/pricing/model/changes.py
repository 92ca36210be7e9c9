"""What a rule does to a night's amount: a percentage or an amount, up or down.

Owns the operand and what a percentage is taken of. Leaves rounding to the end of the stages.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import MAX_MINOR
from pmscore.kernel.percent import WHOLE, Percent

__all__ = ["Base", "Change", "checked_amount"]


class Base(StrEnum):
    """What a percentage is taken of; the values are persisted and never renamed."""

    RUNNING = "running"
    """The amount as the stages before have left it."""
    PLAN = "plan"
    """The price of the plan, after its step, floor and ceiling."""
    OCCUPIED = "occupied"
    """The price for this party, before any discount."""


@frozen
class Change:
    """A signed percentage of ``base``, or a signed amount a night in minor units."""

    operand: Percent | int
    base: Base = Base.RUNNING

    def __attrs_post_init__(self) -> None:
        if isinstance(self.operand, Percent):
            if self.operand.millionths < -WHOLE:
                raise InvalidInputError("percent", "takes_more_than_all", value=self.operand.plain())
            return
        checked_amount(self.operand, field="amount", is_signed=True)
        if self.base is not Base.RUNNING:
            raise InvalidInputError("base", "amount_has_no_base", value=self.base.value)

    def __str__(self) -> str:
        sign = "+" if self.is_increase else ""
        of = "" if self.base is Base.RUNNING else f" of {self.base.value}"
        return f"{sign}{self.operand}{of}"

    @property
    def is_increase(self) -> bool:
        """Whether prices go up, or stay."""
        return (self.operand.millionths if isinstance(self.operand, Percent) else self.operand) >= 0


def checked_amount(amount: int, *, field: str, is_signed: bool = False) -> int:
    """Return ``amount`` if it can be a price in minor units.

    Raises:
        InvalidInputError: names ``field``; it is no whole number, negative, or too large.
    """
    if type(amount) is not int:
        raise InvalidInputError(field, "not_an_integer", type=type(amount).__name__)
    if amount < 0 and not is_signed:
        raise InvalidInputError(field, "negative_amount")
    if abs(amount) > MAX_MINOR // 1_000_000:
        raise InvalidInputError(field, "too_large")
    return amount
