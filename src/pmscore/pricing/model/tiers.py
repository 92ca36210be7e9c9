"""What cancelling costs, and from which moment on: fees, tiers, the cancellation policy.

Owns the values a property writes down and what makes them impossible. Leaves the amount a fee comes to for
a stay, and the choice of the tier, to ``policies.cancellation``; the snapshot of all terms to ``terms``.
The rules and where they come from: ``docs/algorithms/terms.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from pmscore.dates.nights import FIRST_DAY, LAST_DAY
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.kernel.text import checked_text

__all__ = [
    "FREE",
    "LARGEST_AMOUNT",
    "MOST_DAYS",
    "Anchor",
    "CancellationPolicy",
    "Extent",
    "FeeBase",
    "FeeSpec",
    "Tier",
    "check_amount",
    "check_share",
    "stepped",
]

LARGEST_AMOUNT: Final = 10**12
"""The largest amount that terms may name, in minor units."""
MOST_DAYS: Final = 3660
"""How many days an offset may count: ten years."""
MOST_TIERS: Final = 50
_MOST_NIGHTS: Final = 1096
_NOTHING: Final = Percent(0)
_ALL: Final = Percent(WHOLE)


class Anchor(StrEnum):
    """What the offset of a tier is counted from; persisted, never renamed."""

    CREATED = "created"
    """The instant at which the booking was made."""
    ARRIVAL_DATE = "arrival_date"
    """The first instant of the arrival date at the property."""
    ARRIVAL_AT = "arrival_at"
    """A stated wall time at the property on the arrival date: 18:00."""
    ARRIVAL_CHECK_IN = "arrival_check_in"
    """The property's check-in time on the arrival date."""


class FeeBase(StrEnum):
    """Which of the agreed amounts a percentage is taken of; persisted, never renamed."""

    NIGHTS = "nights"
    """What was agreed for the nights, after every discount."""
    NIGHTS_AND_FEES = "nights_and_fees"
    """The nights and the fees on them, without taxes."""
    TOTAL = "total"
    """Nights, fees and taxes."""


class Extent(StrEnum):
    """Which nights the base covers; persisted, never renamed."""

    FIRST = "first"
    """The first so many nights of what is removed, in each room."""
    REMOVED = "removed"
    """All nights that are removed."""
    ALL = "all"
    """All nights of the booking, the kept ones too."""


@frozen(kw_only=True)
class FeeSpec:
    """What is owed: an amount and a percentage of agreed amounts, together at most the cap.

    ``amount`` and ``cap`` are minor units of the terms' currency; the amount is owed once, however many
    rooms are removed. ``first_nights`` goes with ``Extent.FIRST`` only. Whatever it comes to is no more than
    what is removed would have cost, taxes included, unless ``may_exceed_price`` says that it is a penalty.
    ``tax_code`` names how the fee is taxed; nothing here looks into it.
    """

    amount: int = 0
    percent: Percent = _NOTHING
    base: FeeBase = FeeBase.NIGHTS
    extent: Extent = Extent.REMOVED
    first_nights: int | None = None
    cap: int | None = None
    may_exceed_price: bool = False
    tax_code: str = ""

    def __attrs_post_init__(self) -> None:
        check_amount(self.amount, field="amount")
        check_share(self.percent)
        if (self.extent is Extent.FIRST) != (self.first_nights is not None):
            reason = "missing" if self.first_nights is None else "only_with_first"
            raise InvalidInputError("first_nights", reason, extent=self.extent.value)
        if self.first_nights is not None and not _is_within(self.first_nights, 1, _MOST_NIGHTS):
            raise InvalidInputError("first_nights", "out_of_range", least=1, most=_MOST_NIGHTS)
        if self.cap is not None:
            check_amount(self.cap, field="cap")
            if self.cap == 0:
                raise InvalidInputError("cap", "empty")
            if self.cap < self.amount:
                raise InvalidInputError("cap", "below_amount", amount=self.amount)
        if self.tax_code:
            checked_text(self.tax_code, field="tax_code", longest=64)

    @classmethod
    def of_nights(cls, nights: int, *, base: FeeBase = FeeBase.TOTAL) -> FeeSpec:
        """Return the fee of the first so many nights in full: the common "first night".

        Raises:
            InvalidInputError: fewer than one night.
        """
        return cls(percent=_ALL, base=base, extent=Extent.FIRST, first_nights=nights)

    @classmethod
    def whole(cls) -> FeeSpec:
        """Return the fee of everything that is removed, taxes included."""
        return cls(percent=_ALL, base=FeeBase.TOTAL)


@frozen(kw_only=True)
class Tier:
    """A fee and the moment after which it is owed: an offset from an anchor, negative before it.

    Days are steps on the property's calendar that keep the anchor's wall time, so a day on which the clocks
    change is one day too; hours elapse, and are added after the days. ``wall`` goes with
    ``Anchor.ARRIVAL_AT`` only. Offset zero from ``Anchor.CREATED`` begins with the booking itself.
    """

    anchor: Anchor
    days: int = 0
    hours: int = 0
    wall: time | None = None
    fee: FeeSpec

    def __attrs_post_init__(self) -> None:
        for name, value, most in (("days", self.days, MOST_DAYS), ("hours", self.hours, 24 * MOST_DAYS)):
            if not _is_within(value, -most, most):
                raise InvalidInputError(name, "out_of_range", most=most)
            if value < 0 and self.anchor is Anchor.CREATED:
                raise InvalidInputError(name, "before_creation")
        if self.days * self.hours < 0:
            raise InvalidInputError("hours", "sign_differs_from_days")
        if (self.anchor is Anchor.ARRIVAL_AT) != (self.wall is not None):
            reason = "missing" if self.wall is None else "only_with_arrival_at"
            raise InvalidInputError("wall", reason, anchor=self.anchor.value)
        if self.wall is not None and (self.wall.tzinfo is not None or self.wall.fold):
            raise InvalidInputError("wall", "not_local")

    @property
    def begins_with_booking(self) -> bool:
        """Whether it counts from the first instant of the booking, that instant included."""
        return self.anchor is Anchor.CREATED and self.days == 0 and self.hours == 0

    @property
    def moment(self) -> tuple[str, int, int, str]:
        """What tells its moment from those of other tiers, without a stay; sorts them in a fixed order."""
        return self.anchor.value, self.days, self.hours, "" if self.wall is None else self.wall.isoformat()


def _in_fixed_order(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    return tuple(sorted(tiers, key=lambda tier: tier.moment))


@frozen
class CancellationPolicy:
    """Tiers; the last one whose moment has passed counts, and before the first cancelling is free.

    A tier that begins with the booking is the ground that any other replaces whose moment has passed.
    The order in which tiers are given does not matter: they are kept in a fixed one. Fees may fall as time
    passes, because whether they do depends on the stay; the preview shows it.
    """

    tiers: tuple[Tier, ...] = field(default=(), converter=_in_fixed_order)

    def __attrs_post_init__(self) -> None:
        if len(self.tiers) > MOST_TIERS:
            raise InvalidInputError("tiers", "too_many", most=MOST_TIERS)
        for index in range(1, len(self.tiers)):
            if self.tiers[index].moment == self.tiers[index - 1].moment:
                tier = self.tiers[index]
                raise InvalidInputError(
                    "tiers", "same_moment", anchor=tier.anchor.value, days=tier.days, hours=tier.hours
                )

    @classmethod
    def free_until(cls, days: int, wall: time, *, then: FeeSpec) -> CancellationPolicy:
        """Return: free until ``wall``, so many days before the arrival date; after it ``then`` is owed.

        Raises:
            InvalidInputError: negative days, or a time with a zone.
        """
        if days < 0:
            raise InvalidInputError("days", "negative")
        return cls((Tier(anchor=Anchor.ARRIVAL_AT, days=-days, wall=wall, fee=then),))

    @classmethod
    def non_refundable(cls) -> CancellationPolicy:
        """Return: everything is owed from the moment of booking."""
        return cls((Tier(anchor=Anchor.CREATED, fee=FeeSpec.whole()),))


def check_amount(amount: int, *, field: str) -> None:
    """Accept an amount in minor units: an integer, not negative, at most ``LARGEST_AMOUNT``.

    Raises:
        InvalidInputError: names ``field``; reason ``not_an_integer``, ``negative_amount`` or ``too_large``.
    """
    if type(amount) is not int:
        raise InvalidInputError(field, "not_an_integer", type=type(amount).__name__)
    if amount < 0:
        raise InvalidInputError(field, "negative_amount")
    if amount > LARGEST_AMOUNT:
        raise InvalidInputError(field, "too_large", most=LARGEST_AMOUNT)


def check_share(percent: Percent) -> None:
    """Accept a share of a whole: from 0 % to 100 %.

    Raises:
        InvalidInputError: field ``percent``, reason ``out_of_range``.
    """
    if not _NOTHING <= percent <= _ALL:
        raise InvalidInputError("percent", "out_of_range", least="0", most="100")


def stepped(day: date, days: int) -> date:
    """Return the date so many days on; beyond the calendar its first or last day, so that there is always one."""
    ordinal = day.toordinal() + days
    return date.fromordinal(min(max(ordinal, FIRST_DAY.toordinal()), LAST_DAY.toordinal()))


def _is_within(number: int, least: int, most: int) -> bool:
    return type(number) is int and least <= number <= most


FREE: Final = FeeSpec()
"""No fee."""
