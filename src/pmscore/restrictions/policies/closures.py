"""Closed nights, closed to arrival, closed to departure.

Owns the three closures, which differ only in the dates that they read. The departure date is no night of
the stay, so a closed night never refuses a departure on it.
"""

from __future__ import annotations

from typing import ClassVar, Self

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.restrictions.model.rules import RULE_KINDS, Reads, RuleValue, StayQuestion

__all__ = ["ClosedNight", "ClosedToArrival", "ClosedToDeparture"]


@frozen
class _Closure:
    @classmethod
    def of(cls, value: RuleValue) -> Self:
        """Return the closure; it has no value.

        Raises:
            InvalidInputError: it was given one.
        """
        if value is not None:
            raise InvalidInputError("value", "not_empty")
        return cls()

    def allows(self, _question: StayQuestion) -> bool:
        """Return False: where it applies, it closes."""
        return False

    def shown(self) -> None:
        """Return nothing; the code says all."""


@RULE_KINDS.register("closed_night")
@frozen
class ClosedNight(_Closure):
    """No stay over this night."""

    reads: ClassVar[Reads] = Reads.EACH_NIGHT


@RULE_KINDS.register("closed_to_arrival")
@frozen
class ClosedToArrival(_Closure):
    """No stay begins on this date; one that is under way may go on over it."""

    reads: ClassVar[Reads] = Reads.ARRIVAL


@RULE_KINDS.register("closed_to_departure")
@frozen
class ClosedToDeparture(_Closure):
    """No stay ends on this date; one that goes on over it may."""

    reads: ClassVar[Reads] = Reads.DEPARTURE
