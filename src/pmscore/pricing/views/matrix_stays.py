"""Stay rules as rows of integers: what channels can be told of them, by type and plan.

Owns which kind of rule is which field, and the most restrictive value of each date. Leaves what a rule means
to ``restrictions``; rules about the moment of asking (lead time, booking window) and kinds that are added
later are in no row. Law: a pair of type and plan has the rules that name neither another type nor a plan
whose rules of that kind the plan does not inherit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import frozen

from pmscore.dates.ranges import DateRange, weekday_mask
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.views.matrix_rows import PLAN_FIELDS, MatrixField, Pair
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import EVERY_DAY, Rule

__all__ = ["STAY_FIELDS", "StayRows", "field_of", "fields_changed"]

STAY_FIELDS: Final = tuple(field for field in PLAN_FIELDS if field is not MatrixField.RATE)
"""The fields that come from stay rules."""

_Levels: TypeAlias = "Mapping[int, int]"
"""The nights (as a mask) of each value; no night is in two, and the value of no rule is left out."""
_Owner: TypeAlias = "tuple[UnitTypeId | None, str | None]"

_STRICTER: Final[Mapping[MatrixField, Callable[[int, int], int]]] = {
    MatrixField.CLOSED: max,
    MatrixField.CLOSED_TO_ARRIVAL: max,
    MatrixField.CLOSED_TO_DEPARTURE: max,
    MatrixField.MIN_STAY_ARRIVAL: max,
    MatrixField.MAX_STAY_ARRIVAL: min,
    MatrixField.MIN_STAY_THROUGH: max,
    MatrixField.MAX_STAY_THROUGH: min,
    MatrixField.ALLOWED_LENGTHS: int.__and__,
}
_WEEKDAYS: Final[Mapping[str, MatrixField]] = {
    "arrival_weekdays": MatrixField.CLOSED_TO_ARRIVAL,
    "departure_weekdays": MatrixField.CLOSED_TO_DEPARTURE,
}
_BY_KIND: Final[Mapping[str, MatrixField]] = {**{field.value: field for field in STAY_FIELDS}, **_WEEKDAYS}
_BYTE: Final = 256


def field_of(kind: str) -> MatrixField | None:
    """Return the field that a kind of stay rule is shown in; None: in none."""
    return _BY_KIND.get(kind)


def fields_changed(before: RuleBook, after: RuleBook) -> tuple[MatrixField, ...]:
    """Return the fields of the rules that one book has and the other has not."""
    mine, theirs = before.rules, after.rules
    first = 0
    while first < min(len(mine), len(theirs)) and mine[first] is theirs[first]:
        first += 1
    fields = {_BY_KIND.get(rule.kind) for rule in {*mine[first:]} ^ {*theirs[first:]}}
    return tuple(field for field in STAY_FIELDS if field in fields)


@frozen
class _Effect:
    """What a rule says on some nights: its value there."""

    owner: _Owner
    kind: str
    nights: int
    value: int


class StayRows:
    """The rules of a house on the nights of one range, for the plans of one book and stays sold by one channel."""

    def __init__(self, book: PriceBook, rules: RuleBook, nights: DateRange, channel: str) -> None:
        self._length = nights.length
        self._owners = {
            kind: {plan.code: sorted(book.rule_owners(plan.code, kind)) for plan in book.plans}
            for kind in _BY_KIND
        }
        self._effects: dict[MatrixField, dict[_Owner, list[_Effect]]] = {field: {} for field in STAY_FIELDS}
        self._known: dict[tuple[MatrixField, tuple[tuple[_Owner, str], ...]], tuple[int, ...]] = {}
        for rule in rules.rules:
            field = _BY_KIND.get(rule.kind)
            if field is None or rule.channel not in {None, channel}:
                continue
            effect = _effect(rule, nights)
            if effect.nights:
                self._effects[field].setdefault(effect.owner, []).append(effect)

    def rows(self, field: MatrixField, pairs: Sequence[Pair]) -> list[tuple[int, ...]]:
        """Return the row of each pair; pairs with the same rules share one."""
        by_owner = self._effects[field]
        blank = (0,) * self._length
        if not by_owner:
            return [blank] * len(pairs)
        kinds = sorted({effect.kind for effects in by_owner.values() for effect in effects})
        types = {type_id for type_id, _ in by_owner if type_id is not None}
        of_plan: dict[str, tuple[int, ...]] = {}
        found: list[tuple[int, ...]] = []
        last: UnitTypeId | None = None
        named: UnitTypeId | None = None
        for type_id, code in pairs:
            if type_id is not last:
                # Pairs come type by type, and ids are dear to hash.
                last, named = type_id, type_id if type_id in types else None
            row = of_plan.get(code) if named is None else None
            if row is None:
                row = self._row(field, kinds, named, code)
                if named is None:
                    of_plan[code] = row
            found.append(row)
        return found

    def _row(
        self, field: MatrixField, kinds: Iterable[str], type_id: UnitTypeId | None, code: str
    ) -> tuple[int, ...]:
        by_owner = self._effects[field]
        types = (None,) if type_id is None else (None, type_id)
        sources: list[tuple[_Owner, str]] = []
        for kind in kinds:
            for plan in (None, *self._owners[kind][code]):
                sources += [((each, plan), kind) for each in types if (each, plan) in by_owner]
        key = field, tuple(sources)
        row = self._known.get(key)
        if row is None:
            effects = [effect for owner, kind in sources for effect in by_owner[owner] if effect.kind == kind]
            row = self._known[key] = _painted(_levels(effects, _STRICTER[field]), self._length)
        return row


def _effect(rule: Rule, nights: DateRange) -> _Effect:
    weekdays, value = rule.weekdays, 1
    if rule.kind in _WEEKDAYS:
        weekdays &= EVERY_DAY & ~_number(rule)
    elif isinstance(rule.value, tuple):
        value = 1 | sum(1 << length for length in rule.value)
    elif rule.value is not None:
        value = _number(rule)
    first = max(rule.nights.first_ordinal, nights.first_ordinal)
    end = min(rule.nights.end_ordinal, nights.end_ordinal)
    mask = weekday_mask(weekdays, first, end - first) << first - nights.first_ordinal if first < end else 0
    return _Effect((rule.unit_type_id, rule.plan), rule.kind, mask, value)


def _number(rule: Rule) -> int:
    return rule.value if isinstance(rule.value, int) else 0


def _levels(effects: Iterable[_Effect], stricter: Callable[[int, int], int]) -> _Levels:
    """Return the strictest value of each night."""
    levels: dict[int, int] = {}
    for effect in effects:
        rest = effect.nights
        for value, nights in [*levels.items()]:
            shared = nights & effect.nights
            if not shared:
                continue
            rest &= ~shared
            strict = stricter(value, effect.value)
            if strict != value:
                levels[value] &= ~shared
                levels[strict] = levels.get(strict, 0) | shared
        if rest:
            levels[effect.value] = levels.get(effect.value, 0) | rest
    return levels


def _painted(levels: _Levels, length: int) -> tuple[int, ...]:
    """Return the value of each night."""
    if all(value < _BYTE for value in levels):
        # A mask written in binary digits is a number with one byte a night; times a value, each byte is the value.
        zeros = int.from_bytes(b"0" * length, "big")
        cells = 0
        for value, nights in levels.items():
            digits = format(nights, f"0{length}b").encode()
            cells |= (int.from_bytes(digits, "big") - zeros) * value
        return tuple(cells.to_bytes(length, "little"))
    row = [0] * length
    for value, nights in levels.items():
        for at in range(nights.bit_length()):
            if nights >> at & 1:
                row[at] = value
    return tuple(row)
