"""How the amount of a night comes to be, step by step: exact fractions until the last one is rounded.

Owns the values; leaves the calculation to ``policies.nightly``.
"""

from __future__ import annotations

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import MAX_MINOR
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.rules import PriceRule

__all__ = ["NightStep", "Ratio"]


@frozen
class Ratio:
    """An exact amount between two stages, in minor units: ``numer / denom``."""

    numer: int
    denom: int

    def rounded(self) -> int:
        """Return the amount rounded half up, never below zero.

        Raises:
            InvalidInputError: field ``amount``; larger than any amount of money may be.
        """
        amount = max((2 * self.numer + self.denom) // (2 * self.denom), 0)
        if amount > MAX_MINOR:
            raise InvalidInputError("amount", "too_large")
        return amount

    def plain(self, digits: int) -> str:
        """Return the amount as decimal text with four digits more than the currency has, cut off."""
        shown = digits + 4
        scaled = abs(self.numer) * 10**4 // self.denom
        text = str(scaled).rjust(shown + 1, "0")
        whole, rest = text[:-shown], text[-shown:]
        fraction = rest[:digits] + rest[digits:].rstrip("0")
        return f"{'-' if self.numer < 0 and scaled else ''}{whole}{'.' if fraction else ''}{fraction}"


@frozen
class NightStep:
    """What one rule did to the amount of a night; without a rule it is the party's."""

    rule: PriceRule | None
    change: Change | None
    before: Ratio
    after: Ratio
