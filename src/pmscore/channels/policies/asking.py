"""Which dates nobody may book now, by rules that look at the moment of asking: a platform learns them as closures.

Owns what such rules close until the next look. Leaves rules that have a field of their own to the year matrix. Kinds
that were added by others are not known well enough to be asked: what they touch is closed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, TypeAlias
from uuid import UUID

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange, weekday_mask
from pmscore.inventory.model.house import House
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.pricing.views.matrix_stays import field_of
from pmscore.restrictions.model.rules import EVERY_DAY, Reads, Rule, StayQuestion

__all__ = ["Closures", "asking_closures"]

Closures: TypeAlias = "Mapping[tuple[UnitTypeId | None, str | None, str], Mapping[MatrixField, int]]"
"""The dates that are closed, as masks, by type, plan and kind of rule; None: for all of them."""

_LEAD_TIME: Final = "lead_time"
_WINDOW: Final = "booking_window"
_NO_TYPE: Final = UnitTypeId(UUID(int=0))
_CLOSES: Final[Mapping[Reads, MatrixField]] = {
    Reads.ARRIVAL: MatrixField.CLOSED_TO_ARRIVAL,
    Reads.DEPARTURE: MatrixField.CLOSED_TO_DEPARTURE,
    Reads.EACH_NIGHT: MatrixField.CLOSED,
    Reads.THROUGH: MatrixField.CLOSED,
}


def asking_closures(
    rules: Iterable[Rule], house: House, nights: DateRange, now: datetime, until: datetime, *, channel: str
) -> Closures:
    """Return what is closed on ``nights`` for whoever asks through a channel between two instants.

    A date is closed as soon as it is refused at one of the two: a lead time refuses more dates the later
    somebody asks, a booking window fewer.
    """
    found: dict[tuple[UnitTypeId | None, str | None, str], dict[MatrixField, int]] = {}
    home = house.property
    past = min(max(home.business_date.toordinal() - nights.first_ordinal, 0), nights.length)
    if past:
        found[None, None, ""] = {MatrixField.CLOSED_TO_ARRIVAL: (1 << past) - 1}
    for rule in rules:
        if field_of(rule.kind) is not None or rule.channel not in {None, channel}:
            continue
        first = max(rule.nights.first_ordinal, nights.first_ordinal)
        end = min(rule.nights.end_ordinal, nights.end_ordinal)
        if first >= end:
            continue
        days = range(first, end)
        refused = [_refused(rule, house, days, asked_at) for asked_at in (now, until)]
        mask = weekday_mask(rule.weekdays & EVERY_DAY, first, end - first) & (refused[0] | refused[1])
        if mask:
            by_field = found.setdefault((rule.unit_type_id, rule.plan, rule.kind), {})
            field = _CLOSES[rule.policy.reads]
            by_field[field] = by_field.get(field, 0) | mask << first - nights.first_ordinal
    return found


def _refused(rule: Rule, house: House, days: Sequence[int], asked_at: datetime) -> int:
    """Return the days on which a rule refuses an arrival, as a mask that begins with the first one."""
    every = (1 << len(days)) - 1
    if rule.kind not in {_LEAD_TIME, _WINDOW}:
        return every
    allows = _asked(rule, house, asked_at)
    if rule.kind == _LEAD_TIME:
        # Allowed from some date on.
        return (1 << bisect_left(days, 1, key=lambda day: int(allows(day)))) - 1
    # Allowed until some date.
    return every & ~((1 << bisect_left(days, 1, key=lambda day: int(not allows(day)))) - 1)


def _asked(rule: Rule, house: House, asked_at: datetime) -> Callable[[int], bool]:
    home = house.property

    def allows(day: int) -> bool:
        arrival = date.fromordinal(day)
        question = StayQuestion(
            stay=StayRange.of(arrival, 1),
            unit_type_id=_NO_TYPE if rule.unit_type_id is None else rule.unit_type_id,
            asked_at=asked_at,
            business_date=home.business_date,
            zone=home.zone,
            check_in_at=home.check_in_at,
        )
        return rule.policy.allows(question)

    return allows
