"""Tables say what the stages say: against a model that works with fractions, one night at a time."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.pricing.naive import STAGES, naive_amounts, rules_on
from core.pricing.price_scene import (
    COUPLE,
    DOUBLE,
    MARCH,
    SUITE,
    asking,
    base,
    book,
    derived,
    longer,
    nights,
    priced,
    season,
)
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.plans import TypePrices, WeekPrices
from pmscore.pricing.model.rules import PRICE_RULES, PriceQuestion
from pmscore.pricing.views import rate_tables
from pmscore.pricing.views.rate_tables import NOT_SOLD, RateTables
from pmscore.testing import price_strategies
from pmscore.testing.price_strategies import PRICED, guest_parties, price_books, price_questions

FAR = PRICED.end + timedelta(days=40)
FEWER = settings(max_examples=max(settings.default.max_examples // 3, 10))
books = price_books()
parties = guest_parties()


@st.composite
def asked_books(draw: st.DrawFn) -> tuple[PriceBook, PriceQuestion, GuestParty]:
    found = draw(books)
    return found, draw(price_questions(found)), draw(parties)


@given(asked_books())
def test_tables_say_what_the_naive_model_says_and_never_less_than_nothing(asked):
    what, question, party = asked
    amounts = priced(what, question, party, RateTables(what, PRICED))
    assert amounts == naive_amounts(what, question, party)
    assert all(amount is None or amount >= 0 for amount in amounts)


@FEWER
@given(books, st.data())
def test_tables_keep_no_answer_for_the_wrong_question(what, data):
    tables = RateTables(what, PRICED)
    for _ in range(3):
        question, party = data.draw(price_questions(what)), data.draw(parties)
        assert priced(what, question, party, tables) == naive_amounts(what, question, party)


@given(asked_books())
def test_the_steps_of_a_night_begin_at_the_plan_and_end_in_its_amount(asked):
    what, question, party = asked
    tables = RateTables(what, PRICED)
    plan, type_id = what.plan(question.plan), question.unit_type_id
    charge, stack = tables.charge(plan, type_id, party), tables.stack(question)
    amounts = tables.amounts(plan, type_id, charge, stack, question.stay)
    steps = tables.steps(plan, type_id, charge, stack, question.stay)
    row = tables.row(plan, type_id)
    assert len(steps) == question.stay.length
    for at, (night, amount) in enumerate(zip(steps, amounts, strict=True)):
        if amount == NOT_SOLD:
            assert night == ()
            continue
        price = row[question.stay.first_ordinal - PRICED.first_ordinal + at]
        assert (night[0].before.numer, night[0].before.denom) == (price, 1)
        assert night[-1].after.rounded() == amount
        assert [step.after for step in night[:-1]] == [step.before for step in night[1:]]
        assert [step.rule for step in night[1:]] == rules_on(what, question, question.stay.nights()[at])


@given(asked_books(), st.data())
def test_no_rule_touches_nights_that_it_was_not_given(asked, data):
    what, question, party = asked
    assume(what.rules)
    # Groups that are excluded must exist, so a rule is switched off by a channel that nobody sells by.
    off = data.draw(st.sampled_from(what.rules))
    without = evolve(
        what, rules=[evolve(each, channels={"nobody"}) if each is off else each for each in what.rules]
    )
    before = priced(without, question, party, RateTables(without, PRICED))
    after = priced(what, question, party, RateTables(what, PRICED))
    touched = off.mask_over(question.stay)
    for at, (one, other) in enumerate(zip(before, after, strict=True)):
        assert touched >> at & 1 or one == other


@FEWER
@given(asked_books(), st.randoms(use_true_random=False))
def test_the_order_in_which_parts_were_saved_says_nothing(asked, random):
    what, question, party = asked

    def shuffled(items):
        return random.sample(items, len(items))

    plans = [
        evolve(plan, prices={key: plan.prices[key] for key in shuffled(list(plan.prices))})
        for plan in shuffled(what.plans)
    ]
    other = evolve(what, seasons=shuffled(what.seasons), plans=plans, rules=shuffled(what.rules))
    assert other == what
    assert priced(other, question, party, RateTables(other, PRICED)) == priced(
        what, question, party, RateTables(what, PRICED)
    )


@FEWER
@given(asked_books(), st.integers(1, 9))
def test_a_night_costs_the_same_wherever_the_range_of_the_tables_begins(asked, earlier):
    what, question, party = asked
    shifted = RateTables(what, DateRange(PRICED.start - timedelta(days=earlier), FAR))
    assert priced(what, question, party, shifted) == naive_amounts(what, question, party)


def test_the_strategies_have_values_for_every_kind_of_rule():
    assert {kind for kind, _ in PRICE_RULES if price_strategies._values_of(kind)} == set(STAGES)


def test_the_strategies_draw_nights_of_every_sort():
    seen: Counter[str] = Counter()

    @settings(max_examples=60, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(asked_books())
    def look(asked):
        what, question, party = asked
        tables = RateTables(what, PRICED)
        stack = tables.stack(question)
        seen["applied"] += bool(stack.applied)
        seen["passed_over"] += bool(stack.passed_over)
        amounts = priced(what, question, party, tables)
        seen["not_sold"] += None in amounts
        seen["sold"] += any(amount is not None for amount in amounts)
        seen["derived"] += len(what.lineage(question.plan)) > 1

    look()
    assert min(seen[each] for each in ("applied", "passed_over", "not_sold", "sold", "derived")) >= 3, seen


@pytest.mark.parametrize("way", ["amounts", "steps"])
@pytest.mark.parametrize(("first", "length"), [(-1, 1), (-1, 5), (30, 2), (31, 1)])
def test_a_stay_outside_of_the_tables_is_refused(way, first, length):
    what = book()
    tables = RateTables(what, MARCH)
    stay = StayRange.of(MARCH.start + timedelta(days=first), length)
    plan = what.plan("flex")
    charge = tables.charge(plan, DOUBLE, COUPLE)
    with pytest.raises(InvalidInputError) as caught:
        getattr(tables, way)(plan, DOUBLE, charge, tables.stack(asking(1, 2)), stay)
    assert (caught.value.field, caught.value.reason) == ("stay", "outside_of_tables")


def test_a_type_that_a_plan_is_not_sold_for_has_no_price():
    week = TypePrices(default=WeekPrices.of(10_000))
    what = book(
        base(prices={DOUBLE: week, SUITE: week}), base("rooms"), derived("saver", "flex", unit_types={DOUBLE})
    )
    for plan, type_id, amounts in (
        ("flex", SUITE, [10_000, 10_000]),
        ("rooms", SUITE, [None, None]),
        ("saver", DOUBLE, [10_000, 10_000]),
        ("saver", SUITE, [None, None]),
    ):
        assert priced(what, asking(1, 3, plan=plan, unit_type_id=type_id)) == amounts


def test_a_type_that_a_plan_is_not_sold_for_has_no_price_in_any_season():
    week = TypePrices(default=WeekPrices.of(10_000))
    what = book(
        base(prices={DOUBLE: week, SUITE: week}),
        base("rooms"),
        seasons=[season("fair", nights(2, 5)), season("late", nights(5, 8))],
    )
    assert priced(what, asking(1, 9, plan="rooms", unit_type_id=SUITE)) == [None] * 8


def test_an_amount_beyond_all_money_is_refused():
    what = book(
        base(every=9_000_000_000_000),
        rules=[longer(f"dear-{rank}", "100000", rank=rank) for rank in range(3)],
    )
    with pytest.raises(InvalidInputError) as caught:
        priced(what, asking(1, 2), GuestParty(adults=9))
    assert (caught.value.field, caught.value.reason) == ("amount", "too_large")


def test_what_is_remembered_is_limited(monkeypatch):
    monkeypatch.setattr(rate_tables, "MOST_TABLES", 8)
    what = book(rules=[longer("week", "-10", least=7)])
    tables = RateTables(what, MARCH)
    for adults in range(1, 41):
        question = asking(1, 9 if adults % 2 else 3)
        amount = 9_000 if adults % 2 else 10_000
        assert set(priced(what, question, GuestParty(adults=adults), tables)) == {amount}
    assert len(tables._tables) <= 8
    assert len(tables._charges) <= 8


def test_a_rule_stands_back_on_the_nights_of_a_stronger_one_only():
    what = book(
        rules=[
            longer("fair", "20", rank=1, group="demand", nights=nights(3, 5)),
            longer("every", "10", rank=2, group="demand"),
        ]
    )
    assert priced(what, asking(1, 7)) == [11_000, 11_000, 12_000, 12_000, 11_000, 11_000]
    # The same tables answer for stays that never meet the stronger rule, and for those within it.
    tables = RateTables(what, MARCH)
    assert priced(what, asking(1, 3), tables=tables) == [11_000, 11_000]
    assert priced(what, asking(3, 5), tables=tables) == [12_000, 12_000]
    assert priced(what, asking(4, 6), tables=tables) == [12_000, 11_000]
