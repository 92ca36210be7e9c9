"""A small house in March 2027, which begins on a Monday: short words for books, plans, rules and questions."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from attrs import evolve

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange, DateSet
from pmscore.dates.recurrence import Season, Weekdays
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Base, Change
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.plans import Derivation, PriceLimits, RatePlan, TypePrices, WeekPrices
from pmscore.pricing.model.rules import PriceQuestion, PriceRule
from pmscore.pricing.views.rate_tables import NOT_SOLD, RateTables

DOUBLE, SUITE = (UnitTypeId(UUID(int=number)) for number in (1, 2))
MARCH = DateRange(date(2027, 3, 1), date(2027, 4, 1))
COUPLE = GuestParty(adults=2)


def day(number: int) -> date:
    return date(2027, 3, number)


def nights(first: int, end: int) -> DateRange:
    return DateRange(day(first), day(end))


def pct(text: str, base: Base = Base.RUNNING) -> Change:
    return Change(Percent.parse(text), base)


def season(name: str, *ranges: DateRange, priority: int = 0, weekdays: Weekdays = Weekdays.EVERY) -> Season:
    return Season(name=name, nights=DateSet.of(*ranges), priority=priority, weekdays=weekdays)


def base(code: str = "flex", every: int = 10_000, **more) -> RatePlan:
    """A plan of its own: one price for all nights of the double, unless ``prices`` says more."""
    prices = more.pop("prices", {DOUBLE: TypePrices(default=WeekPrices.of(every))})
    return RatePlan(code=code, name=code.title(), prices=prices, **more)


def derived(
    code: str, parent: str, *operations: Change, limits: PriceLimits | None = None, **more
) -> RatePlan:
    return RatePlan(
        code=code,
        name=code.title(),
        derivation=Derivation(parent=parent, operations=operations),
        limits=limits or PriceLimits(),
        **more,
    )


def rule(code: str, kind: str, value, *, rank: int = 1, group: str | None = None, **more) -> PriceRule:
    """A rule in a group of its own, unless another is named."""
    return PriceRule(
        code=code, name=code.title(), kind=kind, value=value, rank=rank, group=group or code, **more
    )


def longer(code: str, percent: str, *, least: int = 1, **more) -> PriceRule:
    """A change for stays of so many nights or more."""
    return rule(code, "length_of_stay", {"bands": [{"from": least, "change": {"percent": percent}}]}, **more)


def book(*plans: RatePlan, rules=(), seasons=(), currency: str = "EUR", **more) -> PriceBook:
    return PriceBook(
        property_id=PropertyId(UUID(int=9)),
        currency=Currency.of(currency),
        plans=plans or (base(),),
        rules=tuple(rules),
        seasons=tuple(seasons),
        **more,
    )


def asking(first: int, end: int, *, plan: str = "flex", **more) -> PriceQuestion:
    """A stay in March, asked for 30 days ahead."""
    stay = StayRange(day(first), day(end))
    asked = PriceQuestion(
        stay=stay, unit_type_id=DOUBLE, plan=plan, booked_on=date.fromordinal(stay.first_ordinal - 30)
    )
    return evolve(asked, **more)


def priced(
    what: PriceBook, question: PriceQuestion, party: GuestParty = COUPLE, tables: RateTables | None = None
) -> list[int | None]:
    """The amounts of the nights of a stay, None where it is not sold."""
    tables = tables or RateTables(what, MARCH)
    plan = what.plan(question.plan)
    charge = tables.charge(plan, question.unit_type_id, party)
    amounts = tables.amounts(plan, question.unit_type_id, charge, tables.stack(question), question.stay)
    return [None if amount == NOT_SOLD else amount for amount in amounts]
