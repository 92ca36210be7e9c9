"""What a cancellation or a no-show costs: the tier that counts, the fee, the refund.

Owns the calculation, one pure function of terms, facts and moment. Leaves what may be cancelled to
``booking`` and the posting of fee and refund to ``folio``. The rules, with worked figures and their
sources: ``docs/algorithms/terms.md``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import frozen

from pmscore.dates.zones import day_start, instant_at, local_date, local_time
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money, Rounding, round_ratio
from pmscore.kernel.percent import WHOLE
from pmscore.pricing.model.settlement import (
    CancellationCharge,
    Cause,
    Deadline,
    FeeStep,
    Payer,
    StayFacts,
)
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.tiers import FREE, Anchor, Extent, FeeSpec, Tier, stepped

__all__ = ["cancellation_charge", "moment_of", "no_show_charge", "timeline"]

_INSTANT: Final = timedelta.resolution


@frozen
class _CostedTier:
    begins_at: datetime
    tier: Tier
    fee: int
    steps: tuple[FeeStep, ...]

    def has_passed(self, at: datetime) -> bool:
        """Return whether its moment lies before ``at``; at the very instant it does not yet count."""
        return at > self.begins_at or self.tier.begins_with_booking


def cancellation_charge(terms: Terms, facts: StayFacts, at: datetime) -> CancellationCharge:
    """Return what it comes to if the nights that ``facts`` name as removed are cancelled at ``at``.

    Nobody cancels before there is a booking: an earlier moment counts as the moment of creation.

    Raises:
        InvalidInputError: field ``currency``, ``mixed_currencies``; field ``at``, ``naive``.
    """
    if at.utcoffset() is None:
        raise InvalidInputError("at", "naive")
    tiers = _costed(terms, facts)
    # In UTC, because datetimes of one zone are compared by their wall times.
    moment = at.astimezone(UTC)
    counting = _counting(tiers, max(moment, facts.created_at.astimezone(UTC)))
    return _settled(
        facts,
        FREE if counting is None else counting.tier.fee,
        0 if counting is None else counting.fee,
        () if counting is None else counting.steps,
        cause=Cause.CANCELLED,
        at=moment,
        tier=None if counting is None else counting.tier,
        deadlines=_deadlines(tiers, facts),
    )


def no_show_charge(terms: Terms, facts: StayFacts) -> CancellationCharge:
    """Return what it comes to if nobody arrives for the nights that ``facts`` name as removed.

    The fee is the terms' own for no-shows; no moment is looked at.

    Raises:
        InvalidInputError: field ``currency``, ``mixed_currencies``.
    """
    _check_currency(terms, facts)
    fee, steps = _fee(terms.no_show, facts)
    return _settled(facts, terms.no_show, fee, steps, cause=Cause.NO_SHOW)


def timeline(terms: Terms, facts: StayFacts) -> tuple[Deadline, ...]:
    """Return what cancelling costs from the booking on, stretch after stretch, without a gap.

    Raises:
        InvalidInputError: field ``currency``, ``mixed_currencies``.
    """
    return _deadlines(_costed(terms, facts), facts)


def moment_of(tier: Tier, facts: StayFacts) -> datetime:
    """Return the instant, in UTC, after which ``tier`` counts for this booking.

    Days keep the wall time of the anchor at the property; a wall time that the clocks skip is moved forward
    by the gap, and of one that they show twice the first is meant. Hours elapse.
    """
    if tier.anchor is Anchor.CREATED:
        start = facts.created_at.astimezone(UTC)
        if tier.days:
            day = stepped(local_date(start, facts.zone), tier.days)
            start = instant_at(day, local_time(start, facts.zone), facts.zone)
    else:
        day = stepped(facts.arrival, tier.days)
        if tier.anchor is Anchor.ARRIVAL_DATE:
            start = day_start(day, facts.zone)
        else:
            wall = facts.check_in_at if tier.wall is None else tier.wall
            start = instant_at(day, wall, facts.zone)
    return start + timedelta(hours=tier.hours)


def _costed(terms: Terms, facts: StayFacts) -> tuple[_CostedTier, ...]:
    """Return the tiers by moment; of those that fall on one instant the cheapest stands last and counts.

    The one that begins with the booking stands first, so that a moment from before the booking replaces it:
    "30 % from booking, 100 % from seven days before arrival" is 100 % for who books the day before.
    """
    _check_currency(terms, facts)
    tiers: list[_CostedTier] = []
    for tier in terms.cancellation.tiers:
        fee, steps = _fee(tier.fee, facts)
        tiers.append(_CostedTier(moment_of(tier, facts), tier, fee, steps))
    return tuple(
        sorted(tiers, key=lambda each: (not each.tier.begins_with_booking, each.begins_at, -each.fee))
    )


def _counting(tiers: tuple[_CostedTier, ...], at: datetime) -> _CostedTier | None:
    return next((each for each in reversed(tiers) if each.has_passed(at)), None)


def _deadlines(tiers: tuple[_CostedTier, ...], facts: StayFacts) -> tuple[Deadline, ...]:
    created_at = facts.created_at.astimezone(UTC)
    counting = _counting(tiers, created_at)
    stretches: list[tuple[datetime | None, _CostedTier | None]] = [(None, counting)]
    for begins_at in sorted({each.begins_at for each in tiers if each.begins_at >= created_at}):
        following = _counting(tiers, begins_at + _INSTANT)
        if following is not counting:
            counting = following
            stretches.append((begins_at, counting))
    ends = [after_at for after_at, _ in stretches[1:]] + [None]
    return tuple(
        Deadline(
            after_at=after_at,
            until_at=until_at,
            fee=Money(0 if costed is None else costed.fee, facts.currency),
            tier=None if costed is None else costed.tier,
            steps=() if costed is None else costed.steps,
        )
        for (after_at, costed), until_at in zip(stretches, ends, strict=True)
    )


def _fee(spec: FeeSpec, facts: StayFacts) -> tuple[int, tuple[FeeStep, ...]]:
    """Return ``min(cap, amount + percent of the base)``, rounded once, and how it came about."""
    worth = _base(spec, facts)
    extent = spec.extent.value if spec.first_nights is None else f"{spec.extent.value} {spec.first_nights}"
    steps = [FeeStep(rule="base", operand=f"{spec.base.value}, {extent}", before=0, after=worth)]
    # The other parts are integers, so that to round the share is to round the sum.
    fee = round_ratio(worth * spec.percent.millionths, WHOLE, Rounding.HALF_UP)
    steps.append(
        FeeStep(
            rule="percent",
            operand=str(spec.percent),
            before=worth,
            after=fee,
            rounding=Rounding.HALF_UP.value,
        )
    )
    if spec.amount:
        steps.append(FeeStep(rule="amount", operand=str(spec.amount), before=fee, after=fee + spec.amount))
        fee += spec.amount
    if spec.cap is not None:
        capped = min(fee, spec.cap)
        steps.append(FeeStep(rule="cap", operand=str(spec.cap), before=fee, after=capped))
        fee = capped
    price = facts.removed_total
    if fee > price and not spec.may_exceed_price:
        steps.append(FeeStep(rule="price", operand=str(price), before=fee, after=price))
        fee = price
    return fee, tuple(steps)


def _base(spec: FeeSpec, facts: StayFacts) -> int:
    worth = 0
    for room in facts.rooms:
        start, end = (0, room.stay.length) if spec.extent is Extent.ALL else room.removed_span
        if spec.first_nights is not None:
            end = min(end, start + spec.first_nights)
        worth += room.worth(spec.base, start, end)
    return worth


def _settled(
    facts: StayFacts,
    spec: FeeSpec,
    fee: int,
    steps: tuple[FeeStep, ...],
    *,
    cause: Cause,
    at: datetime | None = None,
    tier: Tier | None = None,
    deadlines: tuple[Deadline, ...] = (),
) -> CancellationCharge:
    """Return the charge: what was captured pays first for what is kept, then the fee, then is given back."""
    captured = facts.captured.minor
    retained = min(captured, facts.kept_total)
    free = captured - retained
    receivable = max(fee - free, 0)
    free = max(free - fee, 0)
    forfeited = min(free, 0 if facts.non_refundable is None else facts.non_refundable.minor)
    free -= forfeited
    is_channel = facts.payer is Payer.CHANNEL
    currency = facts.currency
    return CancellationCharge(
        cause=cause,
        fee=Money(fee, currency),
        captured=facts.captured,
        retained=Money(retained, currency),
        forfeited=Money(forfeited, currency),
        refund=Money(0 if is_channel else free, currency),
        returned_to_channel=Money(free if is_channel else 0, currency),
        receivable=Money(receivable, currency),
        payer=facts.payer,
        at=at,
        tier=tier,
        spec=spec,
        steps=steps,
        deadlines=deadlines,
    )


def _check_currency(terms: Terms, facts: StayFacts) -> None:
    if terms.currency is not facts.currency:
        raise InvalidInputError(
            "currency", "mixed_currencies", first=terms.currency.code, second=facts.currency.code
        )
