"""All stay rules of one property, laid out for looking up by date.

Owns the normal form of a set of rules, replacing a part of it, and the index that evaluation reads. Leaves
what a rule means to ``policies``. How the index works: ``docs/algorithms/restrictions.md``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, TypeAlias

from attrs import evolve, field, frozen

from pmscore.dates.nights import LAST_DAY
from pmscore.dates.ranges import DateRange, weekday_mask
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import UnitTypeId
from pmscore.restrictions.model.rules import EVERY_DAY, Reads, Rule, RuleSlot, StayQuestion

__all__ = ["MOST_RULES", "DatedRules", "RuleBook"]

MOST_RULES: Final = 50_000

_END: Final = LAST_DAY.toordinal() + 1
_Owner: TypeAlias = tuple[UnitTypeId | None, str | None, str | None]
_ByReading: TypeAlias = Mapping[Reads, "DatedRules"]


@frozen
class DatedRules:
    """Rules by the dates on which they are in force.

    From the day ``starts[i]`` (an ordinal) until the day before ``starts[i + 1]`` the rules ``active[i]``
    are in force, on their weekdays. The first stretch is empty, the last start is a sentinel.
    """

    starts: tuple[int, ...]
    active: tuple[tuple[Rule, ...], ...]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> DatedRules:
        """Lay out ``rules`` by a sweep over their first and last days."""
        begin: dict[int, list[int]] = {}
        cease: dict[int, list[int]] = {}
        listed = tuple(rules)
        for at, rule in enumerate(listed):
            begin.setdefault(rule.nights.first_ordinal, []).append(at)
            cease.setdefault(rule.nights.end_ordinal, []).append(at)
        starts = sorted({*begin, *cease})
        stretches: list[tuple[Rule, ...]] = [()]
        in_force: dict[int, Rule] = {}
        for day in starts:
            for at in cease.get(day, ()):
                del in_force[at]
            in_force.update((at, listed[at]) for at in begin.get(day, ()))
            stretches.append(tuple(in_force.values()))
        return cls((0, *starts, _END), tuple(stretches))

    def on(self, day: int) -> tuple[Rule, ...]:
        """Return the rules in force on the day with this ordinal."""
        rules = self.active[bisect_right(self.starts, day) - 1]
        if not rules:
            return rules
        weekday = 1 << (day - 1) % 7
        return tuple(rule for rule in rules if rule.weekdays & weekday)

    def over(self, first: int, end: int) -> Iterator[tuple[Rule, int]]:
        """Yield each rule in force between two ordinals with its days as a mask (bit 0 is ``first``).

        A rule comes once for every stretch that it is in force on, the stretches in ascending order.
        """
        at = bisect_right(self.starts, first) - 1
        while self.starts[at] < end:
            begin = max(first, self.starts[at])
            length = min(end, self.starts[at + 1]) - begin
            for rule in self.active[at]:
                every_day = rule.weekdays == EVERY_DAY
                days = (1 << length) - 1 if every_day else weekday_mask(rule.weekdays, begin, length)
                if days:
                    yield rule, days << (begin - first)
            at += 1


def _normalised(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    merged: list[Rule] = []
    for rule in sorted(rules, key=lambda each: (_sameness(each), each.nights)):
        before = merged[-1] if merged else None
        if before and _sameness(before) == _sameness(rule) and rule.nights.start <= before.nights.end:
            if rule.nights.end > before.nights.end:
                merged[-1] = evolve(before, nights=before.nights.span(rule.nights))
        else:
            merged.append(rule)
    return tuple(merged)


def _sameness(rule: Rule) -> tuple[str, str, str, str, int, str]:
    owner = str(rule.unit_type_id or ""), rule.plan or "", rule.channel or ""
    return (rule.kind, *owner, rule.weekdays, repr(rule.value))


@frozen
class RuleBook:
    """All stay rules of one property.

    Invariants: rules of one slot with the same value and weekdays neither overlap nor touch, and stand in
    one order; so equal books are equal values, however they were made.
    """

    rules: tuple[Rule, ...] = field(default=(), converter=_normalised)

    def __attrs_post_init__(self) -> None:
        if len(self.rules) > MOST_RULES:
            raise InvalidInputError("rules", "too_many", most=MOST_RULES)

    def with_rules(
        self, nights: DateRange, rules: Iterable[Rule], clear: Iterable[RuleSlot] = ()
    ) -> RuleBook:
        """Return the book with ``rules`` in force on ``nights``.

        In every slot of ``rules`` and of ``clear``, whatever was in force on ``nights`` is cut out first, on
        all weekdays.

        Raises:
            InvalidInputError: field ``rules``; ``outside_range`` (a new rule leaves ``nights``) or
                ``too_many``.
        """
        new = tuple(rules)
        if not all(nights.contains(rule.nights) for rule in new):
            raise InvalidInputError("rules", "outside_range", range=str(nights))
        slots = {*clear, *(rule.slot for rule in new)}
        kept: list[Rule] = []
        for rule in self.rules:
            if rule.nights.overlaps(nights) and rule.slot in slots:
                kept.extend(evolve(rule, nights=part) for part in rule.nights.minus(nights))
            else:
                kept.append(rule)
        return RuleBook((*kept, *new))

    def applying(self, question: StayQuestion) -> tuple[_ByReading, ...]:
        """Return the rules whose type, plan and channel are the question's, or not named by the rule."""
        found: list[_ByReading] = []
        for by_type, by_plan, by_channel in self._shapes:
            if (by_plan and question.plan is None) or (by_channel and question.channel is None):
                continue
            owner = (
                question.unit_type_id if by_type else None,
                question.plan if by_plan else None,
                question.channel if by_channel else None,
            )
            rules = self._index.get(owner)
            if rules is not None:
                found.append(rules)
        return tuple(found)

    @cached_property
    def _shapes(self) -> tuple[tuple[bool, bool, bool], ...]:
        return tuple(sorted({(a is not None, b is not None, c is not None) for a, b, c in self._index}))

    @cached_property
    def _index(self) -> Mapping[_Owner, _ByReading]:
        sorted_out: dict[_Owner, dict[Reads, list[Rule]]] = {}
        for rule in self.rules:
            owner = sorted_out.setdefault((rule.unit_type_id, rule.plan, rule.channel), {})
            owner.setdefault(rule.policy.reads, []).append(rule)
        return {
            owner: {reads: DatedRules.of(rules) for reads, rules in by_reading.items()}
            for owner, by_reading in sorted_out.items()
        }
