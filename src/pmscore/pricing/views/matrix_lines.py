"""Prices as straight lines of other prices, in integers.

Owns the line, and many prices put on it at once. Every step between two prices of a night is one: percentages and
amounts of a derived plan, what a party makes of a price, what rules make of it. So a step is worked out twice by
``policies``, for a price of zero and of one, and never again. Law: a line gives what the steps give, to the unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import TypeAlias

from attrs import frozen

from pmscore.kernel.money import Rounding
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.night_steps import Ratio
from pmscore.pricing.model.plans import PriceLimits
from pmscore.pricing.policies.nightly import changed_night
from pmscore.pricing.policies.planning import limited
from pmscore.pricing.views.rate_tables import NOT_SOLD

__all__ = ["Line", "PlanStep", "line_through", "on_line"]

Line: TypeAlias = "tuple[int, int, int]"
"""``(a, b, c)``: the amount is ``(a * price + b) // c``, never below zero; to round half up is in ``b``."""


def line_through(zero: Ratio, one: Ratio, step: int = 1) -> Line:
    """Return the line to whole steps, half up, from what becomes of a price of 0 and of 1.

    Both have the same denominator, as what goes through the same steps has.
    """
    a, b, c = 2 * (one.numer - zero.numer), 2 * zero.numer + zero.denom * step, 2 * zero.denom * step
    shared = gcd(a, b, c)
    return a // shared, b // shared, c // shared


def on_line(prices: Sequence[int], line: Line, *, has_gaps: bool = True) -> Sequence[int]:
    """Return what becomes of the prices; what is not sold stays so, and without ``has_gaps`` everything is sold."""
    a, b, c = line
    if a < 0 or b < 0:
        return [NOT_SOLD if price < 0 else max((a * price + b) // c, 0) for price in prices]
    if a == c and b < c:
        return prices
    if has_gaps:
        return [NOT_SOLD if price < 0 else (a * price + b) // c for price in prices]
    return [(a * price + b) // c for price in prices]


@frozen
class PlanStep:
    """From a plan's prices as they are written, or its parent's, to its own: operations, step, floor, ceiling.

    ``line`` is None where the plan rounds in another way than half up.
    """

    operations: Sequence[Change]
    limits: PriceLimits
    line: Line | None
    is_limited: bool

    @classmethod
    def of(cls, operations: Sequence[Change], limits: PriceLimits) -> PlanStep:
        """Return the step of a plan."""
        if limits.rounding is not Rounding.HALF_UP:
            return cls(operations, limits, None, is_limited=True)
        zero, one = changed_night(0, operations), changed_night(1, operations)
        is_limited = limits.step > 1 or limits.floor is not None or limits.ceiling is not None
        return cls(operations, limits, line_through(zero, one, limits.step), is_limited)

    def prices(self, prices: Sequence[int], *, has_gaps: bool = True) -> Sequence[int]:
        """Return the plan's prices; what is not sold stays so, and without ``has_gaps`` everything is sold."""
        limits = self.limits
        if self.line is None:
            return [
                NOT_SOLD if price < 0 else limited(changed_night(price, self.operations), limits)
                for price in prices
            ]
        found = on_line(prices, self.line, has_gaps=has_gaps)
        return self._within(found) if self.is_limited else found

    def _within(self, prices: Sequence[int]) -> list[int]:
        """Return prices in steps as prices within the limits."""
        size, floor, ceiling = self.limits.step, self.limits.floor or 0, self.limits.ceiling
        found = [price if price < 0 else max(price * size, floor) for price in prices]
        return found if ceiling is None else [min(price, ceiling) for price in found]
