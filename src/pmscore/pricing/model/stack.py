"""The rules that change a stay together, and those that stood back.

Owns the values; leaves which rules they are to ``policies.stacking``.
"""

from __future__ import annotations

from attrs import frozen

from pmscore.pricing.model.rules import NightChanges, PriceRule

__all__ = ["Applied", "PassedOver", "Stack"]


@frozen
class Applied:
    """A rule with what it does to the nights of a stay; by night where it stands back on some."""

    rule: PriceRule
    changes: NightChanges


@frozen
class PassedOver:
    """A rule that would apply, and one that stands before it, on all of its nights or on some."""

    rule: PriceRule
    by: PriceRule


@frozen
class Stack:
    """The rules of a stay in the order in which they change its nights, and those that stand back.

    A rule that stands back on some of its nights is in both.
    """

    applied: tuple[Applied, ...]
    passed_over: tuple[PassedOver, ...]
