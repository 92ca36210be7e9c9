"""Which price rules change the rate of a night, asked once for many types and plans.

Owns the steps of occupancy, and the number that stands for the changes of a night. Leaves which rules apply to
``policies.stacking`` and what they make of an amount to ``policies.nightly``. Law: a night's line is what the stages
make of a stay of that one night, asked for on ``booked_on`` without a promotion code.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeAlias

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.model.bands import Bands
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.rules import NightChanges, PriceQuestion, PriceRule, Stage
from pmscore.pricing.policies.nightly import night_steps
from pmscore.pricing.policies.occupancy import PartyCharge
from pmscore.pricing.views.matrix_lines import Line, line_through
from pmscore.pricing.views.rate_tables import RateTables

__all__ = ["NOT_COUNTED", "NightRules", "RuleGroup", "YieldSteps"]

NOT_COUNTED = -1
"""The step of a night of which nobody knows how full the type is."""

_IN_STEPS = "yield"
_MOST_PERCENT = 100
_Changes: TypeAlias = "tuple[tuple[PriceRule, Change], ...]"


class YieldSteps:
    """The steps of occupancy at which some rate changes; between two of them all percentages are as one.

    A kind of rule in the yield stage whose steps are not known makes each percentage a step of its own.
    """

    def __init__(self, rules: Sequence[PriceRule]) -> None:
        of_stage = [rule for rule in rules if rule.stage is Stage.YIELD]
        known = [rule for rule in of_stage if rule.kind == _IN_STEPS]
        self.matter = bool(of_stage)
        self._is_exact = len(known) < len(of_stage)
        bands = [Bands.of(rule.value.get("steps"), field="steps", most=100) for rule in known]
        self._from = sorted({percent for each in bands for percent in each.thresholds})
        # The last one is for NOT_COUNTED, which counts from the end.
        self._by_percent = [
            *(bisect_right(self._from, each) for each in range(_MOST_PERCENT + 1)),
            NOT_COUNTED,
        ]

    def steps(self, percents: Sequence[int]) -> list[int]:
        """Return the step that each percentage is on; what is not counted stays so."""
        if self._is_exact:
            return [*percents]
        by_percent = self._by_percent
        return [by_percent[each] if each < _MOST_PERCENT else by_percent[-2] for each in percents]

    def percent(self, step: int) -> int:
        """Return a percentage that is on the step."""
        if self._is_exact:
            return step
        return self._from[step - 1] if step else 0


@frozen(eq=False)
class RuleGroup:
    """Rules that may change a rate, each with its nights.

    What is known: by night the number of the changes for each step, and the number by what each rule would do alone.
    """

    rules: tuple[PriceRule, ...]
    nights: tuple[int, ...]
    by_night: list[dict[int, int]]
    by_wish: dict[tuple[Change | None, ...], int]


class _Lines(dict[int, Line]):
    """The lines of one charge, each worked out when it is first asked for."""

    def __init__(self, charge: PartyCharge, changes: Sequence[_Changes]) -> None:
        super().__init__()
        self._charge = charge
        self._changes = changes

    def __missing__(self, number: int) -> Line:
        *_, zero = night_steps(0, self._charge, self._changes[number])
        *_, one = night_steps(1, self._charge, self._changes[number])
        line = self[number] = line_through(zero.after, one.after)
        return line


class NightRules:
    """The rules of one book for stays of one night, sold by one channel and asked for on one day.

    A kind of rule judges the stay, the day of asking, the channel and how full the type is; types and plans are named
    by the rule. So what is found for a type and plan holds for all that the same rules are meant for.
    """

    def __init__(self, book: PriceBook, nights: DateRange, *, channel: str, booked_on: date) -> None:
        self.steps = YieldSteps(book.rules)
        self._tables = RateTables(book, nights)
        self._channel = channel
        self._booked_on = booked_on
        self._origin = nights.first_ordinal
        self._nights = nights
        self._stays: list[StayRange | None] = [None] * nights.length
        self._rules = [
            rule
            for rule in book.rules
            if (not rule.channels or channel in rule.channels)
            and (rule.booked is None or booked_on in rule.booked)
        ]
        self._groups: dict[tuple[str, ...], RuleGroup] = {}
        self._changes: list[_Changes] = [()]
        self._numbers: dict[tuple[tuple[str, Change], ...], int] = {(): 0}
        self._lines: dict[PartyCharge, _Lines] = {}

    def group(self, code: str, type_id: UnitTypeId | None) -> RuleGroup | None:
        """Return the rules that may change the rates of a plan for a type; None where there is no such rule.

        Without a type: None too where a rule of the plan is meant for some types only.
        """
        rules = tuple(
            rule
            for rule in self._rules
            if (not rule.plans or code in rule.plans) and (not rule.unit_types or type_id in rule.unit_types)
        )
        if not rules:
            return None
        key = tuple(rule.code for rule in rules)
        group = self._groups.get(key)
        if group is None:
            nights = tuple(rule.mask_over(self._nights) for rule in rules)
            by_night: list[dict[int, int]] = [{} for _ in range(self._nights.length)]
            group = self._groups[key] = RuleGroup(rules, nights, by_night, {})
        return group

    def names_types(self, code: str) -> bool:
        """Return whether some rule of a plan is meant for some types only."""
        return any(rule.unit_types and (not rule.plans or code in rule.plans) for rule in self._rules)

    def numbers(
        self, group: RuleGroup, type_id: UnitTypeId, code: str, first: int, steps: Sequence[int]
    ) -> list[int]:
        """Return the number that stands for the changes of each night from the place ``first`` on."""
        known = group.by_night[first : first + len(steps)]
        found = [by_step.get(step, -1) for by_step, step in zip(known, steps, strict=True)]
        if -1 in found:
            for at, (by_step, step) in enumerate(zip(known, steps, strict=True)):
                if found[at] < 0:
                    number = by_step.get(step)
                    if number is None:
                        number = by_step[step] = self._asked(group, type_id, code, first + at, step)
                    found[at] = number
        return found

    def lines(self, charge: PartyCharge) -> Mapping[int, Line]:
        """Return the lines from a plan's price to the rate, by the number that stands for the changes of a night."""
        lines = self._lines.get(charge)
        if lines is None:
            lines = self._lines[charge] = _Lines(charge, self._changes)
        return lines

    def _asked(self, group: RuleGroup, type_id: UnitTypeId, code: str, at: int, step: int) -> int:
        stay = self._stays[at]
        if stay is None:
            night = self._origin + at
            stay = self._stays[at] = StayRange(date.fromordinal(night), date.fromordinal(night + 1))
        question = PriceQuestion(
            stay=stay,
            unit_type_id=type_id,
            plan=code,
            booked_on=self._booked_on,
            channel=self._channel,
            occupied=None if step == NOT_COUNTED else (self.steps.percent(step),),
        )
        # What each rule wants by itself decides which of them stand back, so that is asked once for all such nights.
        wanted = tuple(
            [
                _on_one_night(rule.policy.changes(question)) if nights >> at & 1 else None
                for rule, nights in zip(group.rules, group.nights, strict=True)
            ]
        )
        number = group.by_wish.get(wanted)
        if number is None:
            number = group.by_wish[wanted] = self._stacked(question)
        return number

    def _stacked(self, question: PriceQuestion) -> int:
        changes: list[tuple[PriceRule, Change]] = []
        for applied in self._tables.stack(question).applied:
            change = _on_one_night(applied.changes)
            if change is not None:
                changes.append((applied.rule, change))
        key = tuple([(rule.code, change) for rule, change in changes])
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._changes)
            self._changes.append(tuple(changes))
        return number


def _on_one_night(changes: NightChanges | None) -> Change | None:
    return changes if changes is None or isinstance(changes, Change) else changes[0]
