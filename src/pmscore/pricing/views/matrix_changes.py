"""Which price rules change the rate of a night, asked once for many types and plans.

Owns the steps of occupancy, and the number that stands for the changes of a night. Leaves which rules apply to
``policies.stacking`` and what they make of an amount to ``policies.nightly``. Law: a night's line is what the stages
make of a stay of that one night, asked for on ``booked_on`` without a promotion code.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from typing import TypeAlias

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.model.bands import Bands
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.rules import PriceQuestion, PriceRule, Stage
from pmscore.pricing.policies.nightly import night_steps
from pmscore.pricing.policies.occupancy import PartyCharge
from pmscore.pricing.views.matrix_lines import Line, line_through
from pmscore.pricing.views.rate_tables import RateTables

__all__ = ["NOT_COUNTED", "NightRules", "RuleGroup", "YieldSteps"]

NOT_COUNTED = -1
"""The step of a night of which nobody knows how full the type is."""

_IN_STEPS = "yield"
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

    def step(self, percent: int) -> int:
        """Return the step that a percentage is on."""
        return percent if self._is_exact else bisect_right(self._from, percent)

    def percent(self, step: int) -> int:
        """Return a percentage that is on the step."""
        if self._is_exact:
            return step
        return self._from[step - 1] if step else 0


@frozen(eq=False)
class RuleGroup:
    """Rules that may change a rate, and by night the number of its changes for each step."""

    rules: tuple[PriceRule, ...]
    by_night: list[dict[int, int]]


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
        self._length = nights.length
        self._rules = [
            rule
            for rule in book.rules
            if (not rule.channels or channel in rule.channels)
            and (rule.booked is None or booked_on in rule.booked)
        ]
        self._groups: dict[tuple[str, ...], RuleGroup] = {}
        self._changes: list[_Changes] = [()]
        self._numbers: dict[tuple[tuple[str, Change], ...], int] = {(): 0}
        self._lines: dict[tuple[PartyCharge, int], Line] = {}

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
            group = self._groups[key] = RuleGroup(rules, [{} for _ in range(self._length)])
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
                        number = by_step[step] = self._asked(type_id, code, first + at, step)
                    found[at] = number
        return found

    def line(self, charge: PartyCharge, number: int) -> Line:
        """Return the line from a plan's price to the rate, under the changes that a number stands for."""
        key = charge, number
        line = self._lines.get(key)
        if line is None:
            *_, zero = night_steps(0, charge, self._changes[number])
            *_, one = night_steps(1, charge, self._changes[number])
            line = self._lines[key] = line_through(zero.after, one.after)
        return line

    def _asked(self, type_id: UnitTypeId, code: str, at: int, step: int) -> int:
        night = self._origin + at
        question = PriceQuestion(
            stay=StayRange(date.fromordinal(night), date.fromordinal(night + 1)),
            unit_type_id=type_id,
            plan=code,
            booked_on=self._booked_on,
            channel=self._channel,
            occupied=None if step == NOT_COUNTED else (self.steps.percent(step),),
        )
        changes: list[tuple[PriceRule, Change]] = []
        for applied in self._tables.stack(question).applied:
            change = applied.changes if isinstance(applied.changes, Change) else applied.changes[0]
            if change is not None:
                changes.append((applied.rule, change))
        key = tuple([(rule.code, change) for rule, change in changes])
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._changes)
            self._changes.append(tuple(changes))
        return number
