"""Stay rules as JSON."""

from __future__ import annotations

from typing import TypedDict

from pms_web.reply_parts import id_text
from pms_web.wire import DateText, IdText
from pmscore.restrictions.model.rules import Rule

__all__ = ["StayRuleBody", "stay_rule_body"]

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

StayRuleBody = TypedDict(
    "StayRuleBody",
    {
        "kind": str,
        "from": DateText,
        "to": DateText,
        "weekdays": list[str],
        "value": int | str | list[int] | None,
        "unit_type_id": IdText | None,
        "plan": str | None,
        "channel": str | None,
    },
)
"""A stay rule on the dates from ``from`` to the day before ``to`` that fall on its weekdays."""


def stay_rule_body(rule: Rule) -> StayRuleBody:
    """Return a stay rule."""
    value = rule.value
    return {
        "kind": rule.kind,
        "from": rule.nights.start.isoformat(),
        "to": rule.nights.end.isoformat(),
        "weekdays": [name for at, name in enumerate(_WEEKDAYS) if rule.weekdays >> at & 1],
        "value": list(value) if isinstance(value, tuple) else value,
        "unit_type_id": id_text(rule.unit_type_id),
        "plan": rule.plan,
        "channel": rule.channel,
    }
