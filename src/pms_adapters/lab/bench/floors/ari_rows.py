"""Floor of P13 and P14: a year of rates, stay rules and counts as bare lists, and the full difference of two.

Types and plans are numbers, a parent before those derived from it; nights are counted from the first. A rate is the
price by season and weekday, else that of dates, then the percentage and the amount of each plan on the way down,
rounded half up at each plan, then the percentage of the step that the occupancy of the night is on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import gcd
from operator import itemgetter
from typing import NamedTuple

__all__ = ["FIELDS", "Rows", "Rule", "Scene", "build", "difference", "root_of", "slots_of"]

WHOLE = 1_000_000
FIELDS = 8
"""Closed, closed to arrival, to departure, minimum and maximum stay by arrival and through, allowed lengths."""
_LEAST = (4, 6)
"""The fields in which the smaller number is the stricter one."""

Run = tuple[int, int, int, int, int]
"""The field (-2: counts, -1: rates), the row, the first night, the end, the value."""


class Rule(NamedTuple):
    """A stay rule on the nights of a range that fall on weekdays (bit 0 is Monday), of a type, a plan, or all (-1)."""

    field: int
    type: int
    plan: int
    first: int
    end: int
    weekdays: int
    value: int


class Scene(NamedTuple):
    """All that the rows are made of.

    ``seasons`` are ranges, the strongest first; ``weeks`` goes by root, type and season, the default last, and has a
    price a weekday. ``dated`` goes by root and type. ``plans`` are parent (-1: a root), percentage and amount;
    ``steps`` percentage of occupancy and change; ``counts`` rooms, rooms more to sell, claims by night.
    """

    length: int
    weekday: int
    seasons: list[tuple[int, int]]
    weeks: dict[int, list[list[list[int]]]]
    dated: dict[tuple[int, int], list[tuple[int, int, int]]]
    plans: list[tuple[int, int, int]]
    steps: list[tuple[int, int]]
    counts: list[tuple[int, int, list[int]]]
    rules: list[Rule]


class Rows(NamedTuple):
    """Counts by type, rates by type and plan, and for each field of stay rules rows by type and plan."""

    counts: list[list[int]]
    rates: list[list[int]]
    stays: list[list[list[int]]]


def build(scene: Scene) -> Rows:
    """Return all rows of a year."""
    counts: list[list[int]] = []
    rates: list[list[int]] = []
    slots = slots_of(scene)
    plain = slots
    starts = [percent for percent, _ in scene.steps]
    lines = [_line(change, 0) for _, change in scene.steps]
    derived = [_line(percent, amount) for _, percent, amount in scene.plans]
    roots = [root_of(scene.plans, plan) for plan in range(len(scene.plans))]
    for number, (rooms, more, claimed) in enumerate(scene.counts):
        most = rooms + more
        counts.append([most - each if each < most else 0 for each in claimed])
        taken = [bisect_right(starts, each * 100 // rooms) for each in range(max(claimed) + 1)]
        step_by_night = [taken[each] for each in claimed]
        tables: dict[int, list[int]] = {}
        picks: dict[int, Callable[[list[int]], tuple[int, ...]]] = {}
        for root, weeks in scene.weeks.items():
            table = [price for week in weeks[number] for price in week]
            places = plain
            for first, end, price in scene.dated.get((root, number), ()):
                if places is plain:
                    places = plain[:]
                places[first:end] = [len(table)] * (end - first)
                table.append(price)
            tables[root] = table
            width = len(table)
            picks[root] = itemgetter(
                *[step * width + place for step, place in zip(step_by_night, places, strict=True)]
            )
        for plan, (parent, _, _) in enumerate(scene.plans):
            if parent >= 0:
                a, b, c = derived[plan]
                tables[plan] = [(a * price + b) // c for price in tables[parent]]
            prices = tables[plan]
            cells = prices[:]
            for a, b, c in lines:
                cells += [(a * price + b) // c for price in prices]
            rates.append([*picks[roots[plan]](cells)])
    return Rows(counts, rates, [_stays(scene, field) for field in range(FIELDS)])


def difference(before: Rows, after: Rows) -> list[Run]:
    """Return where the second differs from the first, as runs of one value."""
    found: list[Run] = []
    _compare(-2, before.counts, after.counts, found)
    _compare(-1, before.rates, after.rates, found)
    for field, (old, new) in enumerate(zip(before.stays, after.stays, strict=True)):
        _compare(field, old, new, found)
    return found


def root_of(plans: Sequence[tuple[int, int, int]], plan: int) -> int:
    """Return the plan at the top, from which the prices of a plan come in the end."""
    while plans[plan][0] >= 0:
        plan = plans[plan][0]
    return plan


def _line(percent: int, amount: int) -> tuple[int, int, int]:
    """Return what makes ``(a * price + b) // c`` the price with a percentage and an amount on it, rounded half up."""
    a, b, c = 2 * (WHOLE + percent), 2 * amount * WHOLE + WHOLE, 2 * WHOLE
    shared = gcd(a, b, c)
    return a // shared, b // shared, c // shared


def slots_of(scene: Scene) -> list[int]:
    """Return the place of each night among the prices: seven for each season, and seven for none."""
    season = [len(scene.seasons)] * scene.length
    for at, (first, end) in reversed([*enumerate(scene.seasons)]):
        season[first:end] = [at] * (end - first)
    return [each * 7 + (scene.weekday + night) % 7 for night, each in enumerate(season)]


def _stays(scene: Scene, field: int) -> list[list[int]]:
    """Return the rows of one field; types and plans under the same rules share one."""
    rules = [rule for rule in scene.rules if rule.field == field]
    blank = [0] * scene.length
    if not rules:
        return [blank] * (len(scene.counts) * len(scene.plans))
    of_all = blank[:]
    for rule in rules:
        if rule.type < 0 and rule.plan < 0:
            _paint(of_all, rule, scene.weekday, is_least=field in _LEAST)
    by_type: dict[int, list[Rule]] = {}
    by_plan: dict[int, list[Rule]] = {}
    for rule in rules:
        if rule.type >= 0:
            by_type.setdefault(rule.type, []).append(rule)
        elif rule.plan >= 0:
            by_plan.setdefault(rule.plan, []).append(rule)
    rows: list[list[int]] = []
    usual: list[list[int]] = []
    for number in range(len(scene.counts)):
        if number not in by_type and usual:
            rows += usual
            continue
        of_type = of_all[:]
        for rule in by_type.get(number, ()):
            _paint(of_type, rule, scene.weekday, is_least=field in _LEAST)
        found = [of_type] * len(scene.plans)
        for plan, more in by_plan.items():
            found[plan] = of_type[:]
            for rule in more:
                _paint(found[plan], rule, scene.weekday, is_least=field in _LEAST)
        if number not in by_type:
            usual = found
        rows += found
    return rows


def _paint(row: list[int], rule: Rule, weekday: int, *, is_least: bool) -> None:
    value = rule.value
    for night in range(rule.first, rule.end):
        if rule.weekdays >> (weekday + night) % 7 & 1:
            was = row[night]
            if was == 0 or (value < was if is_least else value > was):
                row[night] = value


def _compare(field: int, before: list[list[int]], after: list[list[int]], found: list[Run]) -> None:
    for at, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == new:
            continue
        first = end = value = 0
        for night, (was, now) in enumerate(zip(old, new, strict=True)):
            if was == now:
                continue
            if night == end and now == value and first < end:
                end += 1
                continue
            if first < end:
                found.append((field, at, first, end, value))
            first, end, value = night, night + 1, now
        if first < end:
            found.append((field, at, first, end, value))
