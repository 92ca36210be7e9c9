from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.kernel.errors import InvalidInputError, Violation
from pmscore.kernel.ids import UnitTypeId
from pmscore.restrictions.model import book as book_module
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import Rule, RuleSlot, StayQuestion
from pmscore.restrictions.policies.evaluation import violations_of

ORIGIN = date(2027, 3, 1)
TYPES = [UnitTypeId(UUID(int=number)) for number in (1, 2)]
LENGTH_KINDS = ["min_stay_arrival", "max_stay_arrival", "min_stay_through", "max_stay_through"]
WEEKDAY_KINDS = ["arrival_weekdays", "departure_weekdays"]
CLOSURES = ["closed_night", "closed_to_arrival", "closed_to_departure"]


def ranges() -> st.SearchStrategy[DateRange]:
    starts = st.integers(0, 40)
    return st.builds(
        lambda at, length: DateRange.of(ORIGIN + timedelta(at), length), starts, st.integers(1, 15)
    )


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    kind, value = draw(
        st.one_of(
            st.tuples(st.sampled_from(CLOSURES), st.none()),
            st.tuples(st.sampled_from(LENGTH_KINDS), st.integers(1, 7)),
            st.tuples(st.sampled_from(WEEKDAY_KINDS), st.integers(1, 127)),
            st.tuples(st.just("allowed_lengths"), st.sampled_from([(1,), (2, 4), (3, 5, 7)])),
            st.tuples(st.just("booking_window"), st.integers(0, 60)),
            st.tuples(st.just("lead_time"), st.sampled_from(["1d before arrival", "40d before arrival"])),
        )
    )
    return Rule(
        kind,
        draw(ranges()),
        draw(st.just(127) | st.integers(1, 127)),
        value,
        draw(st.sampled_from([None, *TYPES])),
        draw(st.sampled_from([None, "flex"])),
        draw(st.sampled_from([None, "web"])),
    )


@st.composite
def questions(draw: st.DrawFn) -> StayQuestion:
    arrival = ORIGIN + timedelta(draw(st.integers(0, 50)))
    return StayQuestion(
        stay=StayRange.of(arrival, draw(st.integers(1, 12))),
        unit_type_id=draw(st.sampled_from(TYPES)),
        asked_at=datetime(2027, 3, draw(st.integers(1, 31)), 12, tzinfo=UTC),
        business_date=ORIGIN + timedelta(draw(st.integers(0, 20))),
        zone=Zone("Europe/Prague"),
        check_in_at=time(15),
        plan=draw(st.sampled_from([None, "flex", "saver"])),
        channel=draw(st.sampled_from([None, "web"])),
    )


# The dates that a kind reads, and whether a stay of so many nights, so many days ahead, breaks it.
NAIVE = {
    "closed_to_arrival": ("arrival", lambda value, stay, ahead: True),
    "min_stay_arrival": ("arrival", lambda value, stay, ahead: stay.length < value),
    "max_stay_arrival": ("arrival", lambda value, stay, ahead: stay.length > value),
    "allowed_lengths": ("arrival", lambda value, stay, ahead: stay.length not in value),
    "arrival_weekdays": ("arrival", lambda value, stay, ahead: not value >> stay.arrival.weekday() & 1),
    "booking_window": ("arrival", lambda value, stay, ahead: ahead > value),
    "lead_time": ("arrival", lambda value, stay, ahead: ahead < int(value.split("d")[0])),
    "closed_to_departure": ("departure", lambda value, stay, ahead: True),
    "departure_weekdays": ("departure", lambda value, stay, ahead: not value >> stay.departure.weekday() & 1),
    "closed_night": ("nights", lambda value, stay, ahead: True),
    "min_stay_through": ("nights", lambda value, stay, ahead: stay.length < value),
    "max_stay_through": ("nights", lambda value, stay, ahead: stay.length > value),
}


def naive(all_rules: Iterable[Rule], question: StayQuestion) -> set[tuple[str, str]]:
    """Every broken (kind, level), found by walking rule by rule and night by night."""
    stay = question.stay
    ahead = (stay.arrival - question.asked_at.date()).days
    dates = {
        "arrival": [stay.arrival],
        "departure": [stay.departure],
        "nights": [stay.arrival + timedelta(each) for each in range(stay.length)],
    }
    broken = {("arrival_in_past", "property")} if stay.arrival < question.business_date else set()
    for rule in all_rules:
        reads, breaks = NAIVE[rule.kind]
        applies = (
            rule.unit_type_id in {None, question.unit_type_id}
            and rule.plan in {None, question.plan}
            and rule.channel in {None, question.channel}
        )
        in_force = any(
            rule.nights.start <= day < rule.nights.end and rule.weekdays >> day.weekday() & 1
            for day in dates[reads]
        )
        if applies and in_force and breaks(rule.value, stay, ahead):
            broken.add((rule.kind, rule.level))
    return broken


@given(st.lists(rules(), max_size=12), questions())
def test_the_broken_rules_are_those_that_a_walk_night_by_night_finds(some, question):
    found = violations_of(RuleBook(tuple(some)), question)
    assert {(each.code, each.level) for each in found} == naive(some, question)
    assert len(set(found)) == len(found)
    assert list(found) == sorted(
        found, key=lambda each: (each.night, each.code, each.level, str(each.value).zfill(9))
    )


@given(st.lists(rules(), max_size=12), questions())
def test_closed_nights_are_named_one_by_one(some, question):
    closures = [rule for rule in some if rule.kind == "closed_night" and rule.level == "property"]
    expected = [
        Violation("closed_night", night)
        for night in question.stay.nights()
        if any(night in rule.nights and rule.weekdays >> night.weekday() & 1 for rule in closures)
    ]
    found = violations_of(RuleBook(tuple(closures)), evolve(question, business_date=ORIGIN))
    assert list(found) == expected


@given(st.lists(rules(), max_size=8), st.lists(rules(), max_size=4), questions())
def test_another_rule_never_makes_a_stay_possible(some, more, question):
    fewer = violations_of(RuleBook(tuple(some)), question)
    assert {(each.code, each.level) for each in fewer} <= {
        (each.code, each.level) for each in violations_of(RuleBook((*some, *more)), question)
    }


@given(st.lists(rules(), max_size=10).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_books_of_the_same_rules_are_equal_in_whatever_order_they_came(pair):
    some, other = pair
    assert RuleBook(tuple(some)) == RuleBook(tuple(other)) == RuleBook((*some, *other))
    assert hash(RuleBook(tuple(some))) == hash(RuleBook(tuple(other)))


@given(st.lists(rules(), max_size=10), ranges(), st.data(), questions())
def test_cutting_out_a_range_leaves_the_rules_outside_of_it_as_they_were(some, nights, data, question):
    before = RuleBook(tuple(some))
    cleared = data.draw(st.lists(st.sampled_from([rule.slot for rule in some]))) if some else []
    after = before.with_rules(nights, (), cleared)
    by_hand = [
        Rule(
            rule.kind,
            DateRange.of(night, 1),
            rule.weekdays,
            rule.value,
            rule.unit_type_id,
            rule.plan,
            rule.channel,
        )
        for rule in some
        for night in rule.nights.nights()
        if not (rule.slot in cleared and night in nights)
    ]
    assert after == RuleBook(tuple(by_hand))
    assert violations_of(after, question) == violations_of(RuleBook(tuple(by_hand)), question)


@given(st.lists(rules(), max_size=10), rules())
def test_a_new_rule_takes_over_its_slot_on_its_range(some, new):
    book = RuleBook(tuple(some)).with_rules(new.nights, (new,))
    in_slot = [rule for rule in book.rules if rule.slot == new.slot and rule.nights.overlaps(new.nights)]
    assert {(rule.value, rule.weekdays) for rule in in_slot} == {(new.value, new.weekdays)}
    assert book.with_rules(new.nights, (new,)) == book


def test_single_nights_with_one_value_become_one_rule():
    days = DateRange.of(ORIGIN, 30).nights()
    book = RuleBook(tuple(Rule("min_stay_arrival", DateRange.of(day, 1), value=3) for day in days))
    assert book.rules == (Rule("min_stay_arrival", DateRange.of(ORIGIN, 30), value=3),)


def test_a_rule_outside_the_range_that_is_set_is_refused():
    week = DateRange.of(ORIGIN, 7)
    with pytest.raises(InvalidInputError, match="outside_range"):
        RuleBook().with_rules(week, (Rule("closed_night", DateRange.of(ORIGIN, 8)),))


def test_a_book_has_a_limit(monkeypatch):
    monkeypatch.setattr(book_module, "MOST_RULES", 2)
    three = tuple(Rule("min_stay_arrival", DateRange.of(ORIGIN, 1), value=value) for value in (1, 2, 3))
    with pytest.raises(InvalidInputError, match="too_many"):
        RuleBook(three)


def test_clearing_names_a_slot_and_nothing_else():
    week = DateRange.of(ORIGIN, 7)
    house, flex = Rule("closed_night", week), Rule("closed_night", week, plan="flex")
    book = RuleBook((house, flex)).with_rules(week, (), (RuleSlot(kind="closed_night", plan="flex"),))
    assert book.rules == (house,)
