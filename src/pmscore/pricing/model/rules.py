"""Price rules: what changes a night's amount for stays of some kind, and the contract of every kind.

Owns the stored row (``PriceRule``), the question that rules answer (``PriceQuestion``), the stages, and the order in
which groups shut each other out. Leaves the kinds to ``policies``, one file a subject, and which rules change a stay
to ``policies.stacking``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date
from enum import IntEnum
from typing import ClassVar, Final, Protocol, Self, TypeAlias

from attrs import field, frozen

from pmscore.dates.nights import HalfOpen, StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.recurrence import Weekdays
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.registry import Registry
from pmscore.kernel.text import checked_code, checked_text
from pmscore.pricing.model.changes import Change

__all__ = [
    "PRICE_RULES",
    "NightChanges",
    "PriceQuestion",
    "PriceRule",
    "PriceRuleKind",
    "Stage",
    "exclusion_order",
]

NightChanges: TypeAlias = "Change | Sequence[Change | None]"
"""One change for all nights of a stay, or one a night."""


class Stage(IntEnum):
    """The order in which an amount comes to be; the numbers are shown in the trace."""

    PLAN = 1
    OCCUPANCY = 2
    LENGTH_OF_STAY = 3
    LEAD_TIME = 4
    YIELD = 5
    PROMOTION = 6
    CHANNEL = 7


@frozen(kw_only=True)
class PriceQuestion:
    """A stay as rules see it.

    ``booked_on`` is the local day of asking. ``codes`` are the promotion codes given with it. ``occupied`` is how
    much of the type is taken on each night, in per cent, where somebody has counted.
    """

    stay: StayRange
    unit_type_id: UnitTypeId
    plan: str
    booked_on: date
    channel: str = "direct"
    codes: frozenset[str] = frozenset()
    occupied: tuple[int, ...] | None = None

    def __attrs_post_init__(self) -> None:
        if self.occupied is not None and len(self.occupied) != self.stay.length:
            raise InvalidInputError("occupied", "not_one_a_night", nights=self.stay.length)

    @property
    def lead_days(self) -> int:
        """The days from asking to arrival; none for who asks after midnight, or later in the stay."""
        return max(self.stay.first_ordinal - self.booked_on.toordinal(), 0)


class PriceRuleKind(Protocol):
    """What one kind of rule does with its value; the classes in ``policies`` fulfil it.

    A kind judges by the stay, never by type or plan: for these the rule itself is narrowed. So what it does
    can be worked out once for all of them.
    """

    stage: ClassVar[Stage]

    @classmethod
    @abstractmethod
    def of(cls, value: Mapping[str, Json]) -> Self:
        """Return the rule with a stored value.

        Raises:
            InvalidInputError: this kind cannot have such a value; names the field within it.
        """

    @abstractmethod
    def changes(self, question: PriceQuestion, /) -> NightChanges | None:
        """Return what the rule does to the nights of a stay that it applies to; None for nothing."""


PRICE_RULES: Final = Registry[type[PriceRuleKind]]("price rules", "pmscore.pricing.policies.kinds")


@frozen(kw_only=True)
class PriceRule:
    """One rule on the nights of ``nights`` that fall on ``weekdays``, for what was booked in ``booked``.

    What is empty or None does not narrow the rule. ``rank``: within a stage the lower number comes first, and
    no two are equal. On each night, of the rules of one ``group`` in a stage only the first that applies is
    taken; a rule that applies shuts out the rules of all groups in ``excludes``. ``version`` rises with each
    change.
    """

    code: str
    name: str
    kind: str
    value: Mapping[str, Json]
    rank: int
    group: str
    excludes: frozenset[str] = frozenset()
    nights: DateRange | None = None
    weekdays: Weekdays = Weekdays.EVERY
    booked: DateRange | None = None
    plans: frozenset[str] = frozenset()
    unit_types: frozenset[UnitTypeId] = frozenset()
    channels: frozenset[str] = frozenset()
    version: int = 1
    policy: PriceRuleKind = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        checked_code(self.code, field="code")
        checked_text(self.name, field="name")
        checked_code(self.group, field="group")
        known = dict(PRICE_RULES)
        if self.kind not in known:
            raise InvalidInputError("kind", "unknown_kind", value=self.kind[:64], known=", ".join(known))
        if not self.weekdays.mask:
            raise InvalidInputError("weekdays", "no_weekday")
        for channel in sorted(self.channels):
            checked_code(channel, field="channels")
        if self.group in self.excludes:
            raise InvalidInputError("excludes", "own_group", value=self.group)
        object.__setattr__(self, "policy", known[self.kind].of(self.value))

    @property
    def stage(self) -> Stage:
        """When it is applied."""
        return self.policy.stage

    def concerns(self, question: PriceQuestion) -> bool:
        """Return whether the stay is one that the rule is meant for, whatever its kind asks and its nights are."""
        return (
            (not self.plans or question.plan in self.plans)
            and (not self.unit_types or question.unit_type_id in self.unit_types)
            and (not self.channels or question.channel in self.channels)
            and (self.booked is None or question.booked_on in self.booked)
        )

    def mask_over(self, nights: HalfOpen) -> int:
        """Return the nights of a range that the rule is for; bit ``i`` is the first night plus ``i`` days."""
        mask = self.weekdays.mask_over(nights)
        if self.nights is None:
            return mask
        first = max(self.nights.first_ordinal - nights.first_ordinal, 0)
        end = max(min(self.nights.end_ordinal - nights.first_ordinal, nights.length), first)
        return mask & (((1 << (end - first)) - 1) << first)


def exclusion_order(rules: Sequence[PriceRule]) -> tuple[str, ...]:
    """Return the groups of the rules, each before those that it excludes.

    Raises:
        InvalidInputError: field ``rules``; a group excludes one that there is not, or, over others, itself.
    """
    left: dict[str, set[str]] = {rule.group: set() for rule in rules}
    for rule in rules:
        for group in sorted(rule.excludes):
            if group not in left:
                raise InvalidInputError(f"rules.{rule.code}.excludes", "unknown_group", value=group)
            left[rule.group].add(group)
    order: list[str] = []
    while left:
        shut = {group for groups in left.values() for group in groups}
        free = sorted(left.keys() - shut)
        if not free:
            raise InvalidInputError("rules", "exclusions_in_a_circle", value=_circle_in(left))
        order += free
        for group in free:
            del left[group]
    return tuple(order)


def _circle_in(excluded: Mapping[str, set[str]]) -> str:
    # Whatever is left is excluded by another one that is left, so going against the arrows meets a group again.
    path = [min(excluded)]
    while True:
        by = min(group for group, groups in excluded.items() if path[-1] in groups)
        if by in path:
            circle = [by, *reversed(path[path.index(by) + 1 :])]
            start = circle.index(min(circle))
            return " > ".join([*circle[start:], *circle[:start], circle[start]])
        path.append(by)
