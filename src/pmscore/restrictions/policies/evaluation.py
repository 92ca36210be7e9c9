"""Which rules a stay breaks.

Owns the one answer that search, quote and commit share. The law: a stay is refused if and only if some rule
that applies to it does not allow it, and every such rule is named. Leaves stock to the ledger and room for
the party to availability.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pmscore.kernel.errors import Violation
from pmscore.restrictions.model.book import DatedRules, RuleBook
from pmscore.restrictions.model.rules import Reads, Rule, StayQuestion

__all__ = ["violation_order", "violations_of"]


def violations_of(rules: RuleBook, question: StayQuestion) -> tuple[Violation, ...]:
    """Return every violation, sorted by date, code and level; empty if the stay keeps to all rules.

    The codes are the kinds of the rules, and ``arrival_in_past``, whose value is the business date: no stay
    begins before it. Rules that say the same on several nights are named once, with the first of them; only
    closed nights are named one by one.
    """
    stay = question.stay
    is_past = stay.arrival < question.business_date
    if not rules.rules and not is_past:
        return ()
    found: set[Violation] = set()
    if is_past:
        found.add(Violation("arrival_in_past", stay.arrival, question.business_date.isoformat()))
    for by_reading in rules.applying(question):
        for reads, dated in by_reading.items():
            found.update(_broken(reads, dated, question))
    return tuple(sorted(found, key=violation_order))


def _broken(reads: Reads, dated: DatedRules, question: StayQuestion) -> Iterator[Violation]:
    stay = question.stay
    match reads:
        case Reads.ARRIVAL | Reads.DEPARTURE:
            day = stay.arrival if reads is Reads.ARRIVAL else stay.departure
            for rule in dated.on(day.toordinal()):
                if not rule.policy.allows(question):
                    yield _violation(rule, day)
        case Reads.EACH_NIGHT:
            first = stay.first_ordinal
            for rule, nights in dated.over(first, stay.end_ordinal):
                if not rule.policy.allows(question):
                    for offset in range(nights.bit_length()):
                        if nights >> offset & 1:
                            yield _violation(rule, date.fromordinal(first + offset))
        case Reads.THROUGH:
            yield from _broken_through(dated, question)


def _broken_through(dated: DatedRules, question: StayQuestion) -> Iterator[Violation]:
    first = question.stay.first_ordinal
    found: dict[tuple[str, int | str | None, str], Violation] = {}
    for rule, nights in dated.over(first, question.stay.end_ordinal):
        if not rule.policy.allows(question):
            offset = (nights & -nights).bit_length() - 1
            broken = _violation(rule, date.fromordinal(first + offset))
            same = broken.code, broken.value, broken.level
            found[same] = min(found.get(same, broken), broken, key=violation_order)
    yield from found.values()


def _violation(rule: Rule, day: date) -> Violation:
    return Violation(rule.kind, day, rule.policy.shown(), rule.level)


def violation_order(violation: Violation) -> tuple[date, str, str, int, str]:
    """Return the key by which violations are sorted: date (none first), code, level, value."""
    value = violation.value
    number = value if isinstance(value, int) else 0
    return violation.night or date.min, violation.code, violation.level, number, str(value)
