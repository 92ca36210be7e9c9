"""One stay rule, and the question that rules answer.

Owns the row that is stored (``Rule``) and the contract that every kind of rule fulfils (``StayRule``). Leaves
the kinds themselves to ``policies``, one file a subject, and the whole of a property's rules to ``book``.
Which date each kind reads, and why: ``docs/algorithms/restrictions.md``.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import date, datetime, time
from enum import Enum
from typing import ClassVar, Final, Protocol, Self, TypeAlias

from attrs import field, frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Event
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.registry import Registry
from pmscore.kernel.text import checked_code

__all__ = [
    "EVERY_DAY",
    "RULE_KINDS",
    "Reads",
    "RestrictionsChanged",
    "Rule",
    "RuleSlot",
    "RuleValue",
    "StayQuestion",
    "StayRule",
]

RuleValue: TypeAlias = int | str | tuple[int, ...] | None
EVERY_DAY: Final = 0b1111111


class Reads(Enum):
    """Which dates of a stay a rule is looked up on."""

    ARRIVAL = "arrival"
    DEPARTURE = "departure"
    EACH_NIGHT = "each_night"
    THROUGH = "through"  # the nights too, but a rule that is broken is reported once, on its first night


@frozen(kw_only=True)
class StayQuestion:
    """A stay somebody asks for, with all that rules may look at.

    ``asked_at`` is the instant of asking; ``zone``, ``check_in_at`` and ``business_date`` are the property's.
    Rules of another plan or channel than the ones named do not apply.
    """

    stay: StayRange
    unit_type_id: UnitTypeId
    asked_at: datetime
    business_date: date
    zone: Zone
    check_in_at: time
    plan: str | None = None
    channel: str | None = None


class StayRule(Protocol):
    """What one kind of rule does with its value; the classes in ``policies`` fulfil it."""

    reads: ClassVar[Reads]

    @classmethod
    @abstractmethod
    def of(cls, value: RuleValue) -> Self:
        """Return the rule with a stored value.

        Raises:
            InvalidInputError: field ``value``; this kind cannot have such a value.
        """

    @abstractmethod
    def allows(self, question: StayQuestion, /) -> bool:
        """Return whether the stay keeps to the rule, given that the rule applies to it."""

    @abstractmethod
    def shown(self) -> int | str | None:
        """Return what the rule asks for, as a violation names it."""


RULE_KINDS: Final = Registry[type[StayRule]]("restrictions", "pmscore.restrictions.policies")


@frozen(kw_only=True)
class RuleSlot:
    """A kind of rule and whose it is; the place in which a new value takes over from an old one.

    What is None is not looked at: a slot that names nothing is the property's own.
    """

    kind: str
    unit_type_id: UnitTypeId | None = None
    plan: str | None = None
    channel: str | None = None

    def __attrs_post_init__(self) -> None:
        _kind(self.kind)


@frozen
class Rule:
    """One stay rule on the dates of a range that fall on ``weekdays`` (bit 0 is Monday).

    Invariants: the kind is known and the value is one that the kind can have. Rules never override each
    other: a stay must keep to all that apply to it.
    """

    kind: str
    nights: DateRange
    weekdays: int = EVERY_DAY
    value: RuleValue = None
    unit_type_id: UnitTypeId | None = None
    plan: str | None = None
    channel: str | None = None
    policy: StayRule = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not 0 < self.weekdays <= EVERY_DAY:
            raise InvalidInputError("weekdays", "out_of_range", most=EVERY_DAY)
        if self.plan is not None:
            checked_code(self.plan, field="plan")
        if self.channel is not None:
            checked_code(self.channel, field="channel")
        object.__setattr__(self, "policy", _kind(self.kind).of(self.value))

    @property
    def slot(self) -> RuleSlot:
        """The kind and whose rule it is."""
        return RuleSlot(kind=self.kind, unit_type_id=self.unit_type_id, plan=self.plan, channel=self.channel)

    @property
    def level(self) -> str:
        """Whose rule it is, by the narrowest that it names: ``channel``, ``plan``, ``type``, ``property``."""
        if self.channel is not None:
            return "channel"
        if self.plan is not None:
            return "plan"
        return "property" if self.unit_type_id is None else "type"


@frozen(kw_only=True)
class RestrictionsChanged(Event):
    """Stay rules of a property were put or cleared on a range of dates."""

    aggregate: ClassVar[str] = "property"

    kinds: tuple[str, ...]
    unit_type_ids: tuple[UnitTypeId, ...]
    plans: tuple[str, ...]
    channels: tuple[str, ...]
    first_night: date
    end: date


def _kind(kind: str) -> type[StayRule]:
    if kind not in _KNOWN:
        _KNOWN.update(RULE_KINDS)
    found = _KNOWN.get(kind)
    if found is None:
        shown = kind[:64].encode("ascii", "backslashreplace").decode("ascii")
        raise InvalidInputError("kind", "unknown_rule", value=shown)
    return found


_KNOWN: Final[dict[str, type[StayRule]]] = {}
