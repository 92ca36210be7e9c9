"""The stay rules that hold for a plan: its own, and those that it inherits from its parents.

Law: a rule of a parent holds if, all the way up to it, each plan inherits its kind; rules without a plan hold
for all.
"""

from __future__ import annotations

from attrs import evolve

from pmscore.pricing.model.book import PriceBook
from pmscore.restrictions.model.book import RuleBook

__all__ = ["rules_for_plan"]


def rules_for_plan(rules: RuleBook, prices: PriceBook, plan: str) -> RuleBook:
    """Return the stay rules as they hold for a plan, the inherited ones said of it.

    Raises:
        NotFoundError: the property has no such plan.
    """
    kinds = {rule.kind for rule in rules.rules if rule.plan is not None}
    if not kinds:
        return rules
    owners = {kind: prices.rule_owners(plan, kind) for kind in kinds}
    return RuleBook(
        tuple(
            rule if rule.plan is None else evolve(rule, plan=plan)
            for rule in rules.rules
            if rule.plan is None or rule.plan in owners[rule.kind]
        )
    )
