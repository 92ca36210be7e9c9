"""The terms of a quote in figures: what is due when, and what cancelling costs until when.

Owns the nodes of deposits, cancellation and no-show. Leaves the calculation to ``policies.deposits`` and
``policies.cancellation``. Law: the deposits sum to what is due.
"""

from __future__ import annotations

from datetime import datetime, time

from attrs import frozen

from pmscore.dates.zones import Zone
from pmscore.kernel.money import Money
from pmscore.pricing.model.charges.lines import TaxResult
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.settlement import Deadline, FeeStep, StayFacts
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.policies.agreeing import agreed_rooms
from pmscore.pricing.policies.cancellation import no_show_charge, timeline
from pmscore.pricing.policies.deposits import DueAmount, deposit_schedule
from pmscore.pricing.views.explanation_nodes import Explained, Part

__all__ = ["Whereabouts", "explained_terms"]


@frozen
class Whereabouts:
    """What terms need to know of the property: its zone, and the wall time of check-in."""

    zone: Zone
    check_in_at: time


def explained_terms(terms: Terms, quote: Quote, charged: TaxResult, where: Whereabouts) -> list[Explained]:
    """Return deposits, cancellation and no-show, as if the quote were booked when it was made."""
    schedule = deposit_schedule(terms, quote.due, booked_at=quote.made_at, stay=quote.stay, zone=where.zone)
    facts = StayFacts(
        rooms=agreed_rooms(quote, charged),
        captured=Money.zero(quote.currency),
        created_at=quote.made_at,
        zone=where.zone,
        check_in_at=where.check_in_at,
    )
    stretches = [_stretch(each) for each in timeline(terms, facts)]
    no_show = no_show_charge(terms, facts)
    return [
        Explained(Part.DEPOSITS, "", quote.due.minor, tuple([_deposit(each) for each in schedule])),
        Explained(Part.CANCELLATION, "", None, tuple(stretches)),
        Explained(Part.NO_SHOW, "", no_show.fee.minor, _steps(no_show.steps)),
    ]


def _deposit(due: DueAmount) -> Explained:
    milestone = due.milestone
    operand = milestone.amount if milestone.percent is None else milestone.percent
    return Explained(
        Part.DEPOSIT,
        due.due_at.isoformat(),
        due.amount.minor,
        operand=operand,
        kind=milestone.due.value,
        on=due.due_on,
    )


def _stretch(deadline: Deadline) -> Explained:
    return Explained(
        Part.STRETCH,
        f"{_said(deadline.after_at)}/{_said(deadline.until_at)}",
        deadline.fee.minor,
        _steps(deadline.steps),
        kind="" if deadline.tier is None else deadline.tier.anchor.value,
    )


def _steps(steps: tuple[FeeStep, ...]) -> tuple[Explained, ...]:
    return tuple(
        Explained(
            Part.FEE_STEP, each.operand, each.after, (), each.before, kind=each.rule, rounding=each.rounding
        )
        for each in steps
    )


def _said(instant: datetime | None) -> str:
    """Return an instant as ISO 8601 has it, two dots where a stretch is open."""
    return ".." if instant is None else instant.isoformat()
