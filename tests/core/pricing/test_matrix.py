"""The year matrix: a change gives the same as making it anew, and says exactly what has changed."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.matrix_scene import (
    CHANNEL,
    LENGTH,
    NIGHTS,
    ROOM,
    STAY_KINDS,
    SUITE,
    TODAY,
    TYPES,
    base_plan,
    book_of,
    counts_of,
    dated_prices,
    derived_plan,
    night,
    nights,
    price_books,
    price_rule,
    rule_books,
    type_counts,
    type_prices,
    week,
    yield_rule,
)
from pmscore.availability.model import TypeNights
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.occupancy import OccupancyTerms, PricedBy
from pmscore.pricing.model.plans import DatedPrice, PriceLimits, TypePrices
from pmscore.pricing.model.rules import PriceQuestion
from pmscore.pricing.views.matrix import YearMatrix, occupied_percent
from pmscore.pricing.views.matrix_changes import YieldSteps
from pmscore.pricing.views.matrix_rows import BLANK, PLAN_FIELDS, MatrixField, MatrixRows, MatrixRun
from pmscore.pricing.views.matrix_stays import STAY_FIELDS, field_of
from pmscore.pricing.views.rate_tables import NOT_SOLD, RateTables
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import RULE_KINDS, Rule

WHOLE_COUNTS = st.lists(st.sampled_from(TYPES), unique=True).flatmap(
    lambda types: st.tuples(*(type_counts(each, whole=True) for each in types))
)
TEN_OFF = Change(Percent(-100_000))


def matrix_of(
    book: PriceBook,
    rules: RuleBook | None = None,
    counts: tuple[TypeNights, ...] = (),
    *,
    channel: str = CHANNEL,
    booked_on: date = TODAY,
) -> YearMatrix:
    return YearMatrix(book, rules or RuleBook(), counts, NIGHTS, booked_on=booked_on, channel=channel)


def cells(rows: MatrixRows) -> dict[tuple[object, ...], int]:
    found = {}
    for field in MatrixField:
        for type_id, plan in (
            [(each, None) for each in rows.types] if field not in PLAN_FIELDS else rows.pairs
        ):
            for at, value in enumerate(rows.row(field, type_id, plan)):
                if value != BLANK[field]:
                    found[field, type_id, plan, at] = value
    return found


def check_runs(runs: tuple[MatrixRun, ...]) -> None:
    """No cell is in two runs, and runs that touch differ."""
    by_row: dict[tuple[object, ...], list[MatrixRun]] = {}
    for run in runs:
        by_row.setdefault((run.unit_type_id, run.plan, run.field), []).append(run)
    for row in by_row.values():
        row.sort(key=lambda run: run.nights)
        for run, following in pairwise(row):
            assert run.nights.end <= following.nights.start
            if run.nights.end == following.nights.start:
                assert run.value != following.value


def check_change(
    before: MatrixRows, runs: tuple[MatrixRun, ...], after: YearMatrix, anew: YearMatrix
) -> None:
    assert cells(after.rows) == cells(anew.rows)
    check_runs(runs)
    assert set(runs) == set(before.changes_to(anew.rows))
    assert len(runs) == len(set(runs))
    before.apply(runs)
    shown = {key: value for key, value in cells(anew.rows).items() if key[1:3] in _keys(before)}
    assert cells(before) == shown


def _keys(rows: MatrixRows) -> set[tuple[object, object]]:
    return {*((each, None) for each in rows.types), *rows.pairs}


# Laws.


@given(data=st.data())
def test_a_rate_is_what_the_stages_make_of_a_stay_of_one_night(data):
    book = data.draw(price_books())
    counts = data.draw(WHOLE_COUNTS)
    matrix = matrix_of(book, counts=counts)
    tables = RateTables(book, NIGHTS)
    occupied = {each.unit_type_id: occupied_percent(each) for each in counts}
    assert {*matrix.rows.pairs} == {(each, plan.code) for plan in book.plans for each in book.types_of(plan)}
    for type_id, code in matrix.rows.pairs:
        plan = book.plan(code)
        party = GuestParty(adults=book.occupancy(plan, type_id).included)
        charge = tables.charge(plan, type_id, party)
        for at, rate in enumerate(matrix.rows.row(MatrixField.RATE, type_id, code)):
            stay = StayRange.of(night(at), 1)
            percent = occupied.get(type_id)
            question = PriceQuestion(
                stay=stay,
                unit_type_id=type_id,
                plan=code,
                booked_on=TODAY,
                channel=CHANNEL,
                occupied=None if percent is None else (percent[at],),
            )
            (amount,) = tables.amounts(plan, type_id, charge, tables.stack(question), stay)
            assert rate == amount, (code, at)


@given(
    terms=st.builds(
        OccupancyTerms,
        included=st.integers(1, 4),
        extra_adult=st.integers(0, 3_000),
        empty_place=st.integers(0, 6_000),
    ),
    adults=st.integers(1, 6),
    price=st.integers(0, 20_000),
    change=st.one_of(st.integers(-9_000, 9_000), st.integers(-900_000, 900_000).map(Percent)).map(Change),
)
def test_rates_for_a_number_of_adults_are_what_a_stay_of_so_many_costs(terms, adults, price, change):
    plan = evolve(base_plan(room=TypePrices(default=week(price))), occupancy=terms)
    book = book_of(plan, derived_plan("some", "bar", change))
    matrix = YearMatrix(book, RuleBook(), (), NIGHTS, booked_on=TODAY, channel=CHANNEL, adults=adults)
    tables = RateTables(book, NIGHTS)
    stay = StayRange.of(night(0), 1)
    for code in ("bar", "some"):
        question = PriceQuestion(
            stay=stay, unit_type_id=ROOM, plan=code, booked_on=TODAY, channel=CHANNEL, occupied=None
        )
        charge = tables.charge(book.plan(code), ROOM, GuestParty(adults=adults))
        (amount,) = tables.amounts(book.plan(code), ROOM, charge, tables.stack(question), stay)
        assert matrix.rows.row(MatrixField.RATE, ROOM, code)[0] == amount
        if adults == terms.included:
            assert matrix_of(book).rows.row(MatrixField.RATE, ROOM, code)[0] == amount


@given(data=st.data())
def test_stay_rows_have_the_strictest_rule_of_each_date(data):
    book = data.draw(price_books())
    rules = data.draw(rule_books(tuple(plan.code for plan in book.plans)))
    matrix = matrix_of(book, rules)
    for type_id, code in matrix.rows.pairs:
        for at in range(LENGTH):
            day = night(at)
            values: dict[MatrixField, list[int]] = {field: [] for field in STAY_FIELDS}
            for rule in rules.rules:
                field = field_of(rule.kind)
                if field is None or day not in rule.nights or not rule.weekdays >> day.weekday() & 1:
                    continue
                if rule.unit_type_id not in {None, type_id} or rule.channel not in {None, CHANNEL}:
                    continue
                if rule.plan is not None and rule.plan not in book.rule_owners(code, rule.kind):
                    continue
                if rule.kind.endswith("weekdays"):
                    values[field] += [] if rule.value >> day.weekday() & 1 else [1]
                elif isinstance(rule.value, tuple):
                    values[field].append(sum(1 << length for length in rule.value) | 1)
                else:
                    values[field].append(1 if rule.value is None else rule.value)
            for field, found in values.items():
                strictest = 0
                if found:
                    strictest = max(found)
                    if field.value.startswith("max"):
                        strictest = min(found)
                    if field is MatrixField.ALLOWED_LENGTHS:
                        strictest = found[0]
                        for each in found:
                            strictest &= each
                assert matrix.rows.row(field, type_id, code)[at] == strictest, (field, code, day)


@given(data=st.data())
def test_counts_say_their_own_difference(data):
    book = data.draw(price_books())
    first = data.draw(WHOLE_COUNTS)
    matrix = matrix_of(book, counts=first)
    change = data.draw(type_counts(data.draw(st.sampled_from(matrix.rows.types))))
    before = matrix.rows.copy()
    runs = matrix.take_counts(change)
    check_change(before, runs, matrix, matrix_of(book, counts=(*first, change)))


@given(data=st.data())
def test_dated_prices_say_their_own_difference(data):
    book = data.draw(price_books())
    counts = data.draw(WHOLE_COUNTS)
    matrix = matrix_of(book, counts=counts)
    plan = data.draw(st.sampled_from([each for each in book.plans if not each.inherits_price]))
    type_id = data.draw(st.sampled_from(sorted(plan.prices)))
    changed_nights = data.draw(
        st.sampled_from((nights(2, 3), nights(0, LENGTH), nights(-2, 5), nights(9, 30)))
    )
    old = plan.prices[type_id]
    kept = [DatedPrice(part, each.price) for each in old.dates for part in each.nights.minus(changed_nights)]
    new = [
        DatedPrice(part, each.price)
        for each in data.draw(dated_prices())
        if (part := each.nights.intersection(changed_nights)) is not None
    ]
    changed = with_prices(book, plan.code, type_id, evolve(old, dates=(*kept, *new)))
    before = matrix.rows.copy()
    runs = matrix.take_prices(changed, plan.code, type_id, changed_nights)
    check_change(before, runs, matrix, matrix_of(changed, counts=counts))
    assert matrix.take_counts(counts_of(type_id, 0, *[5] * LENGTH)) == before_counts(
        changed, counts, counts_of(type_id, 0, *[5] * LENGTH)
    )


def before_counts(
    book: PriceBook, counts: tuple[TypeNights, ...], change: TypeNights
) -> tuple[MatrixRun, ...]:
    return matrix_of(book, counts=counts).take_counts(change)


@given(data=st.data())
def test_another_book_says_its_own_difference(data):
    book = data.draw(price_books())
    rules = data.draw(rule_books(tuple(plan.code for plan in book.plans)))
    counts = data.draw(WHOLE_COUNTS)
    matrix = matrix_of(book, rules, counts)
    if data.draw(st.booleans()):
        changed = data.draw(price_books())
    else:
        plan = data.draw(st.sampled_from([each for each in book.plans if not each.inherits_price]))
        type_id = data.draw(st.sampled_from(sorted(plan.prices)))
        seasons = tuple(each.name for each in book.seasons)
        changed = with_prices(book, plan.code, type_id, data.draw(type_prices(seasons)))
    before = matrix.rows.copy()
    runs = matrix.take_book(changed)
    check_change(before, runs, matrix, matrix_of(changed, rules, counts))


def test_steps_of_occupancy_go_with_the_book_that_had_them():
    """Of a full house, one was kept when all its rules of yield went, and asked for among no steps at all."""
    counts = tuple(counts_of(each, 0, *[10] * LENGTH) for each in TYPES)
    matrix = matrix_of(book_of(base_plan(), rules=(yield_rule(50, "10"),)), counts=counts)
    long = price_rule("long", "length_of_stay", value={"bands": [{"from": 1, "change": {"percent": "-10"}}]})
    changed = book_of(base_plan(), rules=(long,))
    before = matrix.rows.copy()
    runs = matrix.take_book(changed)
    check_change(before, runs, matrix, matrix_of(changed, counts=counts))
    assert runs


@given(data=st.data())
def test_stay_rules_say_their_own_difference(data):
    book = data.draw(price_books())
    codes = tuple(plan.code for plan in book.plans)
    first = data.draw(rule_books(codes))
    more = data.draw(rule_books(codes))
    drop = data.draw(st.integers(0, len(first.rules)))
    second = RuleBook((*first.rules[drop:], *more.rules))
    matrix = matrix_of(book, first)
    before = matrix.rows.copy()
    runs = matrix.take_rules(second)
    check_change(before, runs, matrix, matrix_of(book, second))


@given(data=st.data())
def test_another_day_says_its_own_difference(data):
    book = data.draw(price_books())
    counts = data.draw(WHOLE_COUNTS)
    matrix = matrix_of(book, counts=counts)
    day = TODAY + timedelta(days=data.draw(st.integers(-3, 9)))
    before = matrix.rows.copy()
    runs = matrix.take_day(day)
    check_change(before, runs, matrix, matrix_of(book, counts=counts, booked_on=day))


@given(data=st.data())
def test_changes_one_after_the_other_come_to_the_same_as_all_at_once(data):
    book = data.draw(price_books())
    rules = data.draw(rule_books(tuple(plan.code for plan in book.plans)))
    counts = data.draw(WHOLE_COUNTS)
    matrix = matrix_of(book)
    told = matrix.rows.copy()
    for each in counts:
        if each.unit_type_id in matrix.rows.types:
            told.apply(matrix.take_counts(each))
    told.apply(matrix.take_rules(rules))
    known = tuple(each for each in counts if each.unit_type_id in matrix.rows.types)
    anew = matrix_of(book, rules, known)
    assert cells(matrix.rows) == cells(told) == cells(anew.rows)


def with_prices(book: PriceBook, code: str, type_id: object, prices: TypePrices) -> PriceBook:
    plans = [
        evolve(plan, prices={**plan.prices, type_id: prices}) if plan.code == code else plan
        for plan in book.plans
    ]
    return evolve(book, plans=plans)


# By hand.


def test_a_booking_that_crosses_no_step_says_one_run():
    book = book_of(base_plan(), derived_plan("flex", "bar", TEN_OFF), rules=(yield_rule(80, "20"),))
    matrix = matrix_of(book, counts=(counts_of(ROOM, 0, *[2] * LENGTH),))
    (run,) = matrix.take_counts(counts_of(ROOM, 3, 3, 3, 3))
    assert run == MatrixRun(ROOM, None, MatrixField.SELLABLE, nights(3, 6), 7)


def test_a_booking_that_crosses_a_step_says_the_rates_of_its_type_on_those_nights_too():
    book = book_of(base_plan(), derived_plan("flex", "bar", TEN_OFF), rules=(yield_rule(80, "20"),))
    matrix = matrix_of(book, counts=(counts_of(ROOM, 0, *[7] * LENGTH),))
    runs = matrix.take_counts(counts_of(ROOM, 3, 7, 8, 8))
    # 100.00 + 20 % and 90.00 + 20 %.
    assert set(runs) == {
        MatrixRun(ROOM, None, MatrixField.SELLABLE, nights(4, 6), 2),
        MatrixRun(ROOM, "bar", MatrixField.RATE, nights(4, 6), 12_000),
        MatrixRun(ROOM, "flex", MatrixField.RATE, nights(4, 6), 10_800),
    }


def test_a_price_of_its_own_for_each_night_meets_the_step_of_that_night():
    # 100.00, 101.00, … and 20 % more on every other night: more prices by steps than there are nights.
    prices = TypePrices(
        dates=tuple(DatedPrice(nights(at, at + 1), 10_000 + 100 * at) for at in range(LENGTH))
    )
    book = book_of(
        base_plan(room=prices), derived_plan("up", "bar", Change(500)), rules=(yield_rule(80, "20"),)
    )
    rows = matrix_of(book, counts=(counts_of(ROOM, 0, *[9 if at % 2 else 0 for at in range(LENGTH)]),)).rows
    for code, more in (("bar", 0), ("up", 500)):
        assert rows.row(MatrixField.RATE, ROOM, code) == tuple(
            (10_000 + 100 * at + more) * (12 if at % 2 else 10) // 10 for at in range(LENGTH)
        )


def test_a_price_of_dates_says_its_plan_and_those_derived_from_it_and_no_other():
    plans = (
        base_plan(),
        derived_plan("flex", "bar", TEN_OFF),
        derived_plan("flexer", "flex", Change(500)),
        base_plan("other"),
    )
    matrix = matrix_of(book_of(*plans))
    prices = TypePrices(default=week(10_000), dates=(DatedPrice(nights(5, 7), 15_000),))
    changed = book_of(base_plan(room=prices), *plans[1:])
    expected = {
        MatrixRun(ROOM, code, MatrixField.RATE, nights(5, 7), value)
        for code, value in (("bar", 15_000), ("flex", 13_500), ("flexer", 14_000))
    }
    assert set(matrix.take_prices(changed, "bar", ROOM, nights(5, 7))) == expected
    assert matrix.take_book(changed) == ()
    again = matrix_of(book_of(*plans))
    assert set(again.take_book(changed)) == expected


def test_a_night_without_a_price_is_not_sold_in_derived_plans_either():
    book = book_of(
        base_plan(room=TypePrices(default=week(None, 1, 1, 1, 1, 1, 1))),
        derived_plan("up", "bar", Change(500)),
    )
    rows = matrix_of(book).rows
    assert rows.row(MatrixField.RATE, ROOM, "up")[:8] == (NOT_SOLD, *[501] * 6, NOT_SOLD)


def test_an_inherited_rule_of_the_parent_holds_and_another_does_not():
    book = book_of(base_plan(), derived_plan("flex", "bar", TEN_OFF, "min_stay_arrival"))
    rules = RuleBook(
        (
            Rule("min_stay_arrival", nights(0, 3), value=4, plan="bar"),
            Rule("closed_to_arrival", nights(0, 3), plan="bar"),
            Rule("min_stay_arrival", nights(1, 2), value=6, unit_type_id=SUITE),
        )
    )
    rows = matrix_of(book, rules).rows
    assert rows.row(MatrixField.MIN_STAY_ARRIVAL, ROOM, "flex")[:4] == (4, 4, 4, 0)
    assert rows.row(MatrixField.MIN_STAY_ARRIVAL, SUITE, "flex")[:4] == (4, 6, 4, 0)
    assert rows.row(MatrixField.CLOSED_TO_ARRIVAL, ROOM, "flex") == (0,) * LENGTH
    assert rows.row(MatrixField.CLOSED_TO_ARRIVAL, ROOM, "bar")[:4] == (1, 1, 1, 0)


def test_a_rule_of_a_plan_says_runs_of_that_plan_for_each_type():
    matrix = matrix_of(book_of(base_plan(), base_plan("other")))
    runs = matrix.take_rules(RuleBook((Rule("min_stay_through", nights(2, 6), value=3, plan="other"),)))
    assert set(runs) == {
        MatrixRun(each, "other", MatrixField.MIN_STAY_THROUGH, nights(2, 6), 3) for each in TYPES
    }


def test_arrival_weekdays_close_the_others_to_arrival():
    # The range begins on a Monday.
    rules = RuleBook((Rule("arrival_weekdays", nights(0, 7), value=0b0100000),))
    rows = matrix_of(book_of(base_plan()), rules).rows
    assert rows.row(MatrixField.CLOSED_TO_ARRIVAL, ROOM, "bar")[:8] == (1, 1, 1, 1, 1, 0, 1, 0)


def test_lengths_that_contradict_each_other_leave_none():
    rules = RuleBook(
        (
            Rule("allowed_lengths", nights(0, 2), value=(3, 7)),
            Rule("allowed_lengths", nights(1, 3), value=(4,)),
        )
    )
    rows = matrix_of(book_of(base_plan()), rules).rows
    assert rows.row(MatrixField.ALLOWED_LENGTHS, ROOM, "bar")[:4] == (0b10001001, 1, 0b10001, 0)


def test_every_kind_of_stay_rule_is_in_a_row_or_is_about_the_moment_of_asking():
    shown = {kind for kind in dict(RULE_KINDS) if field_of(kind) is not None}
    assert shown == set(STAY_KINDS)
    assert set(dict(RULE_KINDS)) - shown == {"lead_time", "booking_window"}


def test_a_plan_that_is_gone_is_blanked():
    matrix = matrix_of(book_of(base_plan(), base_plan("other")))
    runs = matrix.take_book(book_of(base_plan()))
    assert set(runs) == {MatrixRun(each, "other", MatrixField.RATE, NIGHTS, NOT_SOLD) for each in TYPES}


def test_a_rule_for_one_channel_is_in_its_matrix_alone():
    rule = price_rule("ota", "channel", value={"channels": {CHANNEL: {"percent": "15"}}})
    rules = RuleBook((Rule("closed_night", nights(0, 1), channel=CHANNEL),))
    for channel, rate, is_closed in ((CHANNEL, 11_500, 1), ("direct", 10_000, 0)):
        rows = matrix_of(book_of(base_plan(), rules=(rule,)), rules, channel=channel).rows
        assert rows.row(MatrixField.RATE, ROOM, "bar")[0] == rate
        assert rows.row(MatrixField.CLOSED, ROOM, "bar")[0] == is_closed


def test_counts_outside_of_the_nights_are_left_out():
    matrix = matrix_of(book_of(base_plan()), counts=(counts_of(ROOM, 0, *[0] * LENGTH),))
    assert matrix.take_counts(counts_of(ROOM, -5, 1, 1)) == ()
    assert matrix.take_counts(counts_of(ROOM, LENGTH, 1)) == ()
    (run,) = matrix.take_counts(counts_of(ROOM, -1, 4, 4))
    assert (run.nights, run.value) == (nights(0, 1), 6)


def test_what_the_matrix_cannot_know_is_refused():
    matrix = matrix_of(book_of(base_plan(), derived_plan("flex", "bar", TEN_OFF)))
    with pytest.raises(MisuseError):
        matrix.take_counts(counts_of(ROOM.__class__(int=7), 0, 1))
    with pytest.raises(MisuseError):
        matrix.take_prices(book_of(base_plan()), "flex", ROOM, NIGHTS)
    other = YearMatrix(book_of(base_plan()), RuleBook(), (), DateRange.of(night(1), 3), booked_on=TODAY)
    with pytest.raises(MisuseError):
        matrix.rows.changes_to(other.rows)


def test_runs_about_others_are_left_out():
    rows = matrix_of(book_of(base_plan())).rows
    before = cells(rows)
    stranger = ROOM.__class__(int=7)
    rows.apply(
        [
            MatrixRun(stranger, None, MatrixField.SELLABLE, NIGHTS, 1),
            MatrixRun(ROOM, "other", MatrixField.RATE, NIGHTS, 1),
            MatrixRun(ROOM, "bar", MatrixField.RATE, nights(LENGTH, LENGTH + 2), 1),
        ]
    )
    assert cells(rows) == before


def test_a_plan_is_sold_for_the_types_of_its_parent_not_of_those_above():
    off = Change(Percent(-100_000))
    narrow = evolve(derived_plan("narrow", "bar", off), unit_types=frozenset({ROOM}))
    matrix = matrix_of(book_of(base_plan(), narrow, derived_plan("last", "narrow", off)))
    assert set(matrix.rows.pairs) == {(ROOM, "bar"), (SUITE, "bar"), (ROOM, "narrow"), (ROOM, "last")}


def test_percentages_between_two_steps_are_on_one():
    steps = YieldSteps((yield_rule(50, "10"),))
    assert steps.steps((0, 20, 49)) == [0, 0, 0]
    assert steps.steps((50, 99, 100, 130)) == [1, 1, 1, 1]
    assert [steps.steps((steps.percent(each),)) for each in (0, 1)] == [[0], [1]]


@pytest.mark.parametrize(
    "changed",
    [
        evolve(base_plan(), limits=PriceLimits(floor=15_000)),
        evolve(base_plan(), occupancy=OccupancyTerms(priced_by=PricedBy.PERSON, included=2)),
    ],
    ids=["a floor", "a price a person"],
)
def test_a_plan_that_has_changed_beside_its_prices_says_its_rates(changed):
    matrix = matrix_of(book_of(base_plan()))
    before = matrix.rows.copy()
    runs = matrix.take_book(book_of(changed))
    check_change(before, runs, matrix, matrix_of(book_of(changed)))
    assert runs
