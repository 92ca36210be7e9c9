"""On which weekdays a stay may begin and end.

Owns the change-over days of holiday homes and their like: a mask of seven bits with Monday as bit 0.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Final, Self

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.restrictions.model.rules import EVERY_DAY, RULE_KINDS, Reads, RuleValue, StayQuestion

__all__ = ["ArrivalWeekdays", "DepartureWeekdays"]

_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@frozen
class _Weekdays:
    days: int

    @classmethod
    def of(cls, value: RuleValue) -> Self:
        """Return the rule.

        Raises:
            InvalidInputError: not a mask of one to seven weekdays.
        """
        if type(value) is not int or not 0 < value <= EVERY_DAY:
            raise InvalidInputError("value", "not_weekdays", most=EVERY_DAY)
        return cls(value)

    def shown(self) -> str:
        """Return the weekdays that are allowed, ``fri,sat``."""
        return ",".join(name for at, name in enumerate(_NAMES) if self.days >> at & 1)


@RULE_KINDS.register("arrival_weekdays")
@frozen
class ArrivalWeekdays(_Weekdays):
    """Of the dates that the rule is in force on, only these weekdays begin a stay."""

    reads: ClassVar[Reads] = Reads.ARRIVAL

    def allows(self, question: StayQuestion) -> bool:
        """Return whether the stay begins on one of the weekdays."""
        return _is_on(self.days, question.stay.arrival)


@RULE_KINDS.register("departure_weekdays")
@frozen
class DepartureWeekdays(_Weekdays):
    """Of the dates that the rule is in force on, only these weekdays end a stay."""

    reads: ClassVar[Reads] = Reads.DEPARTURE

    def allows(self, question: StayQuestion) -> bool:
        """Return whether the stay ends on one of the weekdays."""
        return _is_on(self.days, question.stay.departure)


def _is_on(days: int, day: date) -> bool:
    return bool(days >> day.weekday() & 1)
