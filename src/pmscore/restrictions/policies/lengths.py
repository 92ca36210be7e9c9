"""How many nights a stay must, and may, have.

Owns minimum and maximum by arrival (the value of the arrival date), the same through (the strictest value of
all nights) and the exact lengths by arrival. By arrival and through are two rules, never one number: a
through rule can forbid some middle lengths and allow longer ones.
"""

from __future__ import annotations

from typing import ClassVar, Self

from attrs import frozen

from pmscore.dates.nights import MAX_NIGHTS
from pmscore.kernel.errors import InvalidInputError
from pmscore.restrictions.model.rules import RULE_KINDS, Reads, RuleValue, StayQuestion

__all__ = [
    "AllowedLengths",
    "MaxStayArrival",
    "MaxStayThrough",
    "MinStayArrival",
    "MinStayThrough",
]


@frozen
class _Limit:
    nights: int

    @classmethod
    def of(cls, value: RuleValue) -> Self:
        """Return the limit.

        Raises:
            InvalidInputError: not a number of nights that a stay can have.
        """
        return cls(_length(value))

    def shown(self) -> int:
        """Return the limit in nights."""
        return self.nights


@frozen
class _Minimum(_Limit):
    def allows(self, question: StayQuestion) -> bool:
        """Return whether the stay has at least the nights."""
        return question.stay.length >= self.nights


@frozen
class _Maximum(_Limit):
    def allows(self, question: StayQuestion) -> bool:
        """Return whether the stay has at most the nights."""
        return question.stay.length <= self.nights


@RULE_KINDS.register("min_stay_arrival")
@frozen
class MinStayArrival(_Minimum):
    """At least so many nights for a stay that begins on this date."""

    reads: ClassVar[Reads] = Reads.ARRIVAL


@RULE_KINDS.register("max_stay_arrival")
@frozen
class MaxStayArrival(_Maximum):
    """At most so many nights for a stay that begins on this date."""

    reads: ClassVar[Reads] = Reads.ARRIVAL


@RULE_KINDS.register("min_stay_through")
@frozen
class MinStayThrough(_Minimum):
    """At least so many nights for a stay that has this night among its own."""

    reads: ClassVar[Reads] = Reads.THROUGH


@RULE_KINDS.register("max_stay_through")
@frozen
class MaxStayThrough(_Maximum):
    """At most so many nights for a stay that has this night among its own."""

    reads: ClassVar[Reads] = Reads.THROUGH


@RULE_KINDS.register("allowed_lengths")
@frozen
class AllowedLengths:
    """Only these numbers of nights for a stay that begins on this date."""

    reads: ClassVar[Reads] = Reads.ARRIVAL

    lengths: tuple[int, ...]

    @classmethod
    def of(cls, value: RuleValue) -> Self:
        """Return the rule.

        Raises:
            InvalidInputError: not an ascending tuple of lengths that a stay can have, or an empty one.
        """
        if not isinstance(value, tuple) or not value:
            raise InvalidInputError("value", "no_lengths")
        lengths = tuple(_length(each) for each in value)
        if lengths != tuple(sorted(set(lengths))):
            raise InvalidInputError("value", "not_ascending")
        return cls(lengths)

    def allows(self, question: StayQuestion) -> bool:
        """Return whether the stay has one of the lengths."""
        return question.stay.length in self.lengths

    def shown(self) -> str:
        """Return the lengths with commas between them."""
        return ",".join(str(length) for length in self.lengths)


def _length(value: RuleValue) -> int:
    if type(value) is not int or not 1 <= value <= MAX_NIGHTS:
        raise InvalidInputError("value", "not_a_length", most=MAX_NIGHTS)
    return value
