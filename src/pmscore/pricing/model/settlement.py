"""What is known of a booking when it is cancelled, and what comes of it.

Owns the facts that the calculation reads and the charge that it returns. Leaves the calculation to
``policies.cancellation``, and whoever moves the money to the folio.
"""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from typing import Final

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.pricing.model.tiers import FeeBase, FeeSpec, Tier, check_amount

__all__ = ["AgreedRoom", "CancellationCharge", "Cause", "Deadline", "FeeStep", "Payer", "StayFacts"]

MOST_ROOMS: Final = 100


class Cause(StrEnum):
    """Why a fee is owed; persisted, never renamed."""

    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


class Payer(StrEnum):
    """Who pays the property for the stay; persisted, never renamed."""

    GUEST = "guest"
    CHANNEL = "channel"


@frozen(kw_only=True)
class AgreedRoom:
    """What was agreed for one room, night by night, and which of the nights are removed.

    Amounts are minor units; ``fees`` and ``taxes`` have one entry a night, or none at all. What is owed once
    a stay, such as a final cleaning, stands with the first night. ``removed`` names the nights that are
    given up at one end of the stay, or all; None is all of them. ``is_kept`` says that none is.
    """

    stay: StayRange
    nightly: tuple[int, ...]
    fees: tuple[int, ...] = ()
    taxes: tuple[int, ...] = ()
    removed: DateRange | None = None
    is_kept: bool = False

    def __attrs_post_init__(self) -> None:
        nights = self.stay.length
        for name, amounts in (("nightly", self.nightly), ("fees", self.fees), ("taxes", self.taxes)):
            if len(amounts) != nights and (amounts or name == "nightly"):
                raise InvalidInputError(name, "not_one_amount_a_night", nights=nights)
            for amount in amounts:
                check_amount(amount, field=name)
        if self.removed is None:
            return
        if self.is_kept:
            raise InvalidInputError("removed", "room_is_kept")
        if not self.stay.contains(self.removed):
            raise InvalidInputError("removed", "outside_the_stay")
        if self.removed.start > self.stay.arrival and self.removed.end < self.stay.departure:
            raise InvalidInputError("removed", "splits_the_stay")

    @property
    def removed_span(self) -> tuple[int, int]:
        """The removed nights as half-open positions in ``nightly``; equal where the room is kept."""
        if self.is_kept:
            return 0, 0
        if self.removed is None:
            return 0, self.stay.length
        origin = self.stay.first_ordinal
        return self.removed.first_ordinal - origin, self.removed.end_ordinal - origin

    def worth(self, base: FeeBase, start: int, end: int) -> int:
        """Return the agreed amounts of the nights at positions ``[start, end)``, as far as ``base`` goes."""
        worth = sum(self.nightly[start:end])
        if base is not FeeBase.NIGHTS:
            worth += sum(self.fees[start:end])
        if base is FeeBase.TOTAL:
            worth += sum(self.taxes[start:end])
        return worth


@frozen(kw_only=True)
class StayFacts:
    """A booking as the calculation sees it.

    ``captured`` is what has been paid for the whole booking and not been given back; ``non_refundable`` the
    part of it that was agreed never to be given back, beside the fee. ``check_in_at`` and ``zone`` are the
    property's. ``payer`` is the channel where the channel collects from the guest.
    """

    rooms: tuple[AgreedRoom, ...]
    captured: Money
    non_refundable: Money | None = None
    created_at: datetime
    zone: Zone
    check_in_at: time
    payer: Payer = Payer.GUEST

    def __attrs_post_init__(self) -> None:
        if not 1 <= len(self.rooms) <= MOST_ROOMS:
            raise InvalidInputError("rooms", "out_of_range", least=1, most=MOST_ROOMS)
        if all(room.is_kept for room in self.rooms):
            raise InvalidInputError("rooms", "nothing_is_removed")
        if self.captured.minor < 0:
            raise InvalidInputError("captured", "negative_amount")
        if self.created_at.utcoffset() is None:
            raise InvalidInputError("created_at", "naive")
        if self.check_in_at.tzinfo is not None:
            raise InvalidInputError("check_in_at", "not_local")
        if self.non_refundable is not None:
            if self.non_refundable.minor < 0:
                raise InvalidInputError("non_refundable", "negative_amount")
            if self.non_refundable > self.captured:
                raise InvalidInputError("non_refundable", "more_than_captured")

    @property
    def currency(self) -> Currency:
        """The currency of all amounts."""
        return self.captured.currency

    @property
    def arrival(self) -> date:
        """The first arrival of its rooms, kept ones included: one booking has one set of deadlines."""
        return min([room.stay.arrival for room in self.rooms])

    @property
    def removed_total(self) -> int:
        """What is removed would have cost, taxes included, in minor units."""
        return sum([room.worth(FeeBase.TOTAL, *room.removed_span) for room in self.rooms])

    @property
    def kept_total(self) -> int:
        """What the rest of the booking costs, taxes included, in minor units."""
        whole = sum([room.worth(FeeBase.TOTAL, 0, room.stay.length) for room in self.rooms])
        return whole - self.removed_total


@frozen(kw_only=True)
class FeeStep:
    """One step of the calculation: rule, operand, amount before and after in minor units.

    ``rounding`` names the mode where the step rounds.
    """

    rule: str
    operand: str
    before: int
    after: int
    rounding: str | None = None


@frozen(kw_only=True)
class Deadline:
    """A stretch of time and what cancelling costs in it.

    It begins right after ``after_at`` (None: with the booking) and ends with ``until_at``, that very instant
    included (None: never). ``tier`` is None where cancelling is free because no moment has passed. ``steps``
    say how the fee comes about.
    """

    after_at: datetime | None
    until_at: datetime | None
    fee: Money
    tier: Tier | None
    steps: tuple[FeeStep, ...]


@frozen(kw_only=True)
class CancellationCharge:
    """What a cancellation, or a no-show, comes to.

    ``captured + receivable == retained + fee + forfeited + refund + returned_to_channel``, none of them
    negative: ``retained`` goes on paying for what is kept of the booking; ``forfeited`` is the agreed
    non-refundable part; ``refund`` goes to the guest; ``receivable`` is the fee above what is there, owed
    by ``payer``. ``steps`` say how the fee came about.
    """

    cause: Cause
    fee: Money
    captured: Money
    retained: Money
    forfeited: Money
    refund: Money
    returned_to_channel: Money
    receivable: Money
    payer: Payer
    at: datetime | None
    tier: Tier | None
    spec: FeeSpec
    steps: tuple[FeeStep, ...]
    deadlines: tuple[Deadline, ...]
