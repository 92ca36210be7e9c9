"""Which rules change a stay together, and which stand back.

Law: on each night, of a group only the first by rank applies in a stage; a rule that applies shuts out the
groups that it excludes. So a rule says nothing about nights that it is not for. Since exclusions never run in
a circle, there is one answer, whatever the order in which rules were saved. How it works:
``docs/algorithms/prices.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.rules import NightChanges, PriceQuestion, PriceRule
from pmscore.pricing.model.stack import Applied, PassedOver, Stack

__all__ = ["stacked"]

_Taken: TypeAlias = "tuple[PriceRule, int]"
"""A rule, and the nights of the stay on which it applies."""


def stacked(by_group: Mapping[str, Sequence[PriceRule]], question: PriceQuestion) -> Stack:
    """Return what changes the stay; ``by_group`` has the groups in exclusion order, in each the rules by rank."""
    applied: list[Applied] = []
    passed_over: list[PassedOver] = []
    shut: dict[str, list[_Taken]] = {}
    for group, rules in by_group.items():
        chosen: list[_Taken] = []
        for rule in rules:
            found = _touched(rule, question)
            if found is None:
                continue
            changes, nights = found
            left = nights
            ahead = [each for each in chosen if each[0].stage is rule.stage]
            for other, taken in (*shut.get(group, ()), *ahead):
                if left & taken:
                    passed_over.append(PassedOver(rule, other))
                    left &= ~taken
            if left:
                applied.append(
                    Applied(rule, changes if left == nights else _narrowed(changes, left, question))
                )
                chosen.append((rule, left))
        for each in chosen:
            for other_group in each[0].excludes:
                shut.setdefault(other_group, []).append(each)
    applied.sort(key=lambda each: (each.rule.stage, each.rule.rank))
    return Stack(tuple(applied), tuple(passed_over))


def _touched(rule: PriceRule, question: PriceQuestion) -> tuple[NightChanges, int] | None:
    """Return what a rule would do, and the nights of the stay on which it would, None where there is none."""
    if not rule.concerns(question):
        return None
    nights = rule.mask_over(question.stay)
    changes = rule.policy.changes(question) if nights else None
    if changes is None:
        return None
    if not isinstance(changes, Change):
        nights &= sum(1 << night for night, change in enumerate(changes) if change is not None)
    return (changes, nights) if nights else None


def _narrowed(changes: NightChanges, nights: int, question: PriceQuestion) -> NightChanges:
    by_night = [changes] * question.stay.length if isinstance(changes, Change) else changes
    return tuple(change if nights >> night & 1 else None for night, change in enumerate(by_night))
