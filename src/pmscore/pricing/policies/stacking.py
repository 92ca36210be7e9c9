"""Which rules change a stay together, and which stand back.

Law: of a group only the first by rank applies in a stage; a rule that applies shuts out the groups that it excludes.
Since exclusions never run in a circle, there is one answer, whatever the order in which rules were saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.pricing.model.rules import NightChanges, PriceQuestion, PriceRule, Stage

__all__ = ["Applied", "PassedOver", "Stack", "exclusion_order", "stacked"]


@frozen
class Applied:
    """A rule with what it does to the nights of a stay."""

    rule: PriceRule
    changes: NightChanges


@frozen
class PassedOver:
    """A rule that would apply, and the rule that stands before it."""

    rule: PriceRule
    by: PriceRule


@frozen
class Stack:
    """The rules of a stay in the order in which they change its nights, and those that stand back."""

    applied: tuple[Applied, ...]
    passed_over: tuple[PassedOver, ...]


def exclusion_order(rules: Sequence[PriceRule]) -> tuple[str, ...]:
    """Return the groups of the rules, each before those that it excludes.

    Raises:
        InvalidInputError: field ``rules``; a group excludes one that there is not, or, over others, itself.
    """
    excluded: dict[str, set[str]] = {rule.group: set() for rule in rules}
    for rule in rules:
        for group in sorted(rule.excludes):
            if group not in excluded:
                raise InvalidInputError(f"rules.{rule.code}.excludes", "unknown_group", value=group)
            excluded[rule.group].add(group)
    order: list[str] = []
    left = dict(excluded)
    while left:
        shut = {group for groups in left.values() for group in groups}
        free = sorted(left.keys() - shut)
        if not free:
            raise InvalidInputError("rules", "exclusions_in_a_circle", value=", ".join(sorted(left)))
        order += free
        for group in free:
            del left[group]
    return tuple(order)


def stacked(by_group: Mapping[str, Sequence[PriceRule]], question: PriceQuestion) -> Stack:
    """Return what changes the stay; ``by_group`` has the groups in exclusion order, in each the rules by rank."""
    applied: list[Applied] = []
    passed_over: list[PassedOver] = []
    shut: dict[str, PriceRule] = {}
    for group, rules in by_group.items():
        chosen: dict[Stage, PriceRule] = {}
        for rule in rules:
            changes = rule.policy.changes(question) if rule.concerns(question) else None
            if changes is None:
                continue
            before = shut.get(group) or chosen.get(rule.stage)
            if before is not None:
                passed_over.append(PassedOver(rule, before))
                continue
            chosen[rule.stage] = rule
            applied.append(Applied(rule, changes))
        for rule in chosen.values():
            shut.update(dict.fromkeys(rule.excludes, rule))
    applied.sort(key=lambda each: (each.rule.stage, each.rule.rank))
    return Stack(tuple(applied), tuple(passed_over))
