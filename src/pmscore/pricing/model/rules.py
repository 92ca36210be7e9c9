"""Price rules: what changes a night's amount for stays of some kind, and the contract of every kind.

Owns the stored row (``PriceRule``), the question that rules answer (``PriceQuestion``) and the stages. Leaves the
kinds to ``policies``, one file a subject, and how rules stack to ``book`` and ``policies.stacking``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date
from enum import IntEnum
from typing import ClassVar, Final, Protocol, Self, TypeAlias

from attrs import field, frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.recurrence import Weekdays
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.registry import Registry
from pmscore.kernel.text import checked_code, checked_text
from pmscore.pricing.model.changes import Change

__all__ = ["PRICE_RULES", "NightChanges", "PriceQuestion", "PriceRule", "PriceRuleKind", "Stage"]

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

    @property
    def lead_days(self) -> int:
        """The days from asking to arrival."""
        return self.stay.first_ordinal - self.booked_on.toordinal()


class PriceRuleKind(Protocol):
    """What one kind of rule does with its value; the classes in ``policies`` fulfil it."""

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

    What is empty or None does not narrow the rule. ``rank``: within a stage the lower number comes first, and no two
    are equal. Of the rules of one ``group`` in a stage only the first that applies is taken; a rule that applies
    shuts out the rules of all groups in ``excludes``. ``version`` rises with each change.
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
            raise InvalidInputError("weekdays", "none")
        if self.group in self.excludes:
            raise InvalidInputError("excludes", "own_group", value=self.group)
        object.__setattr__(self, "policy", known[self.kind].of(self.value))

    @property
    def stage(self) -> Stage:
        """When it is applied."""
        return self.policy.stage

    def concerns(self, question: PriceQuestion) -> bool:
        """Return whether the stay is one that the rule is meant for, whatever its kind asks."""
        return (
            (not self.plans or question.plan in self.plans)
            and (not self.unit_types or question.unit_type_id in self.unit_types)
            and (not self.channels or question.channel in self.channels)
            and (self.booked is None or question.booked_on in self.booked)
            and (self.nights is None or self.nights.overlaps(question.stay))
        )
