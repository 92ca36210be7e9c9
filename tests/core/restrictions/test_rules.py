"""Truth tables of every kind of rule: which date it reads, and where its limit lies."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.kernel.errors import InvalidInputError, MisuseError, Violation
from pmscore.kernel.ids import UnitTypeId
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import RULE_KINDS, Reads, Rule, RuleSlot, RuleValue, StayQuestion
from pmscore.restrictions.policies.evaluation import violations_of

DOUBLE = UnitTypeId(UUID(int=1))
SUITE = UnitTypeId(UUID(int=2))
MONDAY, SATURDAY, SUNDAY = 0b1, 0b100000, 0b1000000
ALWAYS = DateRange(date(2020, 1, 1), date(2030, 1, 1))


def day(number: int) -> date:
    """March 2027 begins on a Monday."""
    return date(2027, 3, number)


def on(number: int) -> DateRange:
    return DateRange.of(day(number), 1)


def asking(arrival: int, departure: int) -> StayQuestion:
    return StayQuestion(
        stay=StayRange(day(arrival), day(departure)),
        unit_type_id=DOUBLE,
        asked_at=datetime(2027, 2, 1, 12, tzinfo=UTC),
        business_date=date(2027, 2, 1),
        zone=Zone("Europe/Prague"),
        check_in_at=time(15),
    )


def asked(question: StayQuestion, *rules: Rule) -> tuple[tuple[str, date | None, object], ...]:
    return tuple((each.code, each.night, each.value) for each in violations_of(RuleBook(rules), question))


@pytest.mark.parametrize(
    ("kind", "number", "refuses"),
    [
        ("closed_night", 9, False),
        ("closed_night", 10, True),
        ("closed_night", 11, True),
        ("closed_night", 12, True),
        ("closed_night", 13, False),  # the date of leaving is no night of the stay
        ("closed_to_arrival", 9, False),
        ("closed_to_arrival", 10, True),
        ("closed_to_arrival", 11, False),  # a stay under way goes on over it
        ("closed_to_arrival", 13, False),
        ("closed_to_departure", 10, False),  # an arrival on it is no departure
        ("closed_to_departure", 12, False),  # the last night is not the date of leaving
        ("closed_to_departure", 13, True),
        ("closed_to_departure", 14, False),
    ],
)
def test_a_closure_reads_its_own_date_of_the_stay_of_10_to_13(kind, number, refuses):
    found = asked(asking(10, 13), Rule(kind, on(number)))
    assert found == (((kind, day(number), None),) if refuses else ())


@pytest.mark.parametrize(
    ("kind", "value", "number", "refuses"),
    [
        ("min_stay_arrival", 3, 10, False),
        ("min_stay_arrival", 4, 10, True),
        ("min_stay_arrival", 4, 9, False),
        ("min_stay_arrival", 4, 11, False),  # the value of a later night is not read
        ("min_stay_arrival", 4, 13, False),
        ("min_stay_through", 3, 11, False),
        ("min_stay_through", 4, 10, True),
        ("min_stay_through", 4, 11, True),
        ("min_stay_through", 4, 12, True),
        ("min_stay_through", 4, 13, False),  # nor is that of the date of leaving
        ("max_stay_arrival", 3, 10, False),
        ("max_stay_arrival", 2, 10, True),
        ("max_stay_arrival", 2, 11, False),
        ("max_stay_through", 3, 12, False),
        ("max_stay_through", 2, 10, True),
        ("max_stay_through", 2, 12, True),
        ("max_stay_through", 2, 13, False),
    ],
)
def test_a_length_limit_reads_the_arrival_or_all_nights_of_the_stay_of_10_to_13(kind, value, number, refuses):
    found = asked(asking(10, 13), Rule(kind, on(number), value=value))
    assert found == (((kind, day(number), value),) if refuses else ())


def test_through_rules_take_the_strictest_night():
    low = Rule("min_stay_through", on(10), value=2)
    high = Rule("min_stay_through", on(12), value=5)
    assert asked(asking(10, 13), low, high) == (("min_stay_through", day(12), 5),)
    assert asked(asking(10, 12), low, high) == ()
    short = Rule("max_stay_through", on(12), value=2)
    assert asked(asking(10, 13), Rule("max_stay_through", on(10), value=9), short) == (
        ("max_stay_through", day(12), 2),
    )


def test_a_through_rule_is_not_monotone_in_the_length():
    strict = Rule("min_stay_through", on(12), value=5)
    allowed = [length for length in range(1, 8) if not asked(asking(10, 10 + length), strict)]
    assert allowed == [1, 2, 5, 6, 7]


def test_a_through_rule_on_many_nights_is_named_once_with_its_first_night():
    nights = DateRange(day(9), day(20))
    found = asked(asking(10, 13), Rule("min_stay_through", nights, value=7))
    assert found == (("min_stay_through", day(10), 7),)
    by_night = [Rule("min_stay_through", on(number), 0b1111111, 7) for number in (12, 11, 10)]
    assert asked(asking(10, 13), *by_night) == found


def test_of_equal_rules_on_several_nights_the_first_night_is_named():
    apart = [Rule("max_stay_through", on(number), value=2) for number in (12, 10)]
    assert asked(asking(10, 13), *apart) == (("max_stay_through", day(10), 2),)
    by_weekday = [Rule("min_stay_through", ALWAYS, weekdays, 7) for weekdays in (0b1, 0b1000, 0b100)]
    assert asked(asking(9, 12), *by_weekday) == (("min_stay_through", day(10), 7),)


def test_each_closed_night_of_a_stay_is_named():
    closed = Rule("closed_night", DateRange(day(11), day(20)))
    assert asked(asking(10, 13), closed) == (("closed_night", day(11), None), ("closed_night", day(12), None))


@pytest.mark.parametrize(("length", "refuses"), [(1, True), (2, False), (3, True), (7, False), (8, True)])
def test_exact_lengths_are_read_on_the_arrival_date(length, refuses):
    rule = Rule("allowed_lengths", on(10), value=(2, 7))
    found = asked(asking(10, 10 + length), rule)
    assert found == ((("allowed_lengths", day(10), "2,7"),) if refuses else ())
    assert asked(asking(9, 9 + length), rule) == ()


@pytest.mark.parametrize(
    ("kind", "arrival", "departure", "refused_on"),
    [
        ("arrival_weekdays", 6, 8, None),
        ("arrival_weekdays", 5, 6, day(5)),  # leaving on the allowed weekday does not help
        ("arrival_weekdays", 7, 13, day(7)),
        ("departure_weekdays", 8, 13, None),
        ("departure_weekdays", 6, 8, day(8)),
        ("departure_weekdays", 6, 14, day(14)),
    ],
)
def test_change_over_days_read_the_weekday_of_arrival_or_departure(kind, arrival, departure, refused_on):
    found = asked(asking(arrival, departure), Rule(kind, ALWAYS, value=SATURDAY))
    assert found == (((kind, refused_on, "sat"),) if refused_on else ())


def test_change_over_days_hold_on_the_dates_of_the_rule_only():
    summer = DateRange(day(10), day(20))
    assert asked(asking(9, 11), Rule("arrival_weekdays", summer, value=SATURDAY)) == ()
    assert asked(asking(19, 22), Rule("departure_weekdays", summer, value=SATURDAY)) == ()


def test_the_weekdays_of_a_rule_narrow_its_dates():
    sundays = Rule("min_stay_arrival", ALWAYS, SUNDAY, 3)
    assert asked(asking(7, 9), sundays) == (("min_stay_arrival", day(7), 3),)
    assert asked(asking(6, 8), sundays) == ()
    closed = Rule("closed_night", DateRange(day(1), day(31)), MONDAY | SUNDAY)
    assert [night for _, night, _ in asked(asking(6, 15), closed)] == [day(7), day(8), day(14)]


@pytest.mark.parametrize(
    ("value", "asked_at", "refuses"),
    [
        # Prague is at UTC+1; the stay begins on 10 March, check-in is at 15:00, 14:00 in UTC.
        ("1d before arrival", datetime(2027, 3, 9, 22, 59, tzinfo=UTC), False),
        ("1d before arrival", datetime(2027, 3, 9, 23, 0, tzinfo=UTC), True),
        ("0d before arrival", datetime(2027, 3, 10, 22, 59, tzinfo=UTC), False),
        ("2d before arrival", datetime(2027, 3, 8, 22, 59, tzinfo=UTC), False),
        ("2d before arrival", datetime(2027, 3, 8, 23, 0, tzinfo=UTC), True),
        ("1d before check_in", datetime(2027, 3, 9, 14, 0, tzinfo=UTC), False),
        ("1d before check_in", datetime(2027, 3, 9, 14, 0, 1, tzinfo=UTC), True),
        ("0h before arrival", datetime(2027, 3, 9, 23, 0, tzinfo=UTC), False),
        ("0h before arrival", datetime(2027, 3, 9, 23, 0, 1, tzinfo=UTC), True),
        ("3h before check_in", datetime(2027, 3, 10, 11, 0, tzinfo=UTC), False),
        ("3h before check_in", datetime(2027, 3, 10, 11, 0, 1, tzinfo=UTC), True),
    ],
)
def test_the_lead_time_ends_at_its_anchor_in_the_zone_of_the_property(value, asked_at, refuses):
    question = evolve(asking(10, 13), asked_at=asked_at)
    found = asked(question, Rule("lead_time", on(10), value=value))
    assert found == ((("lead_time", day(10), value),) if refuses else ())


def test_hours_elapse_and_days_are_calendar_steps_when_the_clocks_change():
    # On 28 March 2027 Prague loses an hour: 15:00 is at 13:00 UTC that day, at 14:00 UTC the day before.
    question = asking(28, 30)
    hours = Rule("lead_time", on(28), value="24h before check_in")
    days = Rule("lead_time", on(28), value="1d before check_in")
    between = evolve(question, asked_at=datetime(2027, 3, 27, 13, 30, tzinfo=UTC))
    assert [code for code, _, _ in asked(between, hours)] == ["lead_time"]
    assert asked(between, days) == ()


@pytest.mark.parametrize(
    ("asked_at", "refuses"),
    [
        (datetime(2027, 2, 28, 22, 59, tzinfo=UTC), True),
        (datetime(2027, 2, 28, 23, 0, tzinfo=UTC), False),  # the first minute of 1 March in Prague
    ],
)
def test_the_booking_window_counts_days_of_the_property_from_today(asked_at, refuses):
    question = evolve(asking(10, 13), asked_at=asked_at)
    found = asked(question, Rule("booking_window", ALWAYS, value=9))
    assert found == ((("booking_window", day(10), 9),) if refuses else ())


def test_a_window_rule_is_read_on_the_arrival_date_only():
    assert asked(asking(10, 13), Rule("booking_window", on(11), value=0)) == ()
    assert asked(asking(10, 13), Rule("lead_time", on(12), value="300d before arrival")) == ()


def test_no_stay_begins_before_the_business_date_whatever_the_clock_says():
    question = evolve(asking(10, 13), asked_at=datetime(2027, 3, 11, 1, 30, tzinfo=UTC))
    assert asked(evolve(question, business_date=day(10))) == ()
    assert asked(evolve(question, business_date=day(11))) == (("arrival_in_past", day(10), "2027-03-11"),)


@pytest.mark.parametrize(
    ("owner", "applies"),
    [
        ({}, True),
        ({"unit_type_id": DOUBLE}, True),
        ({"unit_type_id": SUITE}, False),
        ({"plan": "flex"}, True),
        ({"plan": "saver"}, False),
        ({"channel": "web"}, True),
        ({"channel": "agent"}, False),
        ({"unit_type_id": DOUBLE, "plan": "flex", "channel": "web"}, True),
        ({"unit_type_id": DOUBLE, "plan": "flex", "channel": "agent"}, False),
    ],
)
def test_a_rule_applies_where_everything_that_it_names_is_the_stays(owner, applies):
    question = evolve(asking(10, 13), plan="flex", channel="web")
    assert bool(asked(question, Rule("closed_to_arrival", on(10), **owner))) is applies
    if {"plan", "channel"} & owner.keys():
        assert asked(asking(10, 13), Rule("closed_to_arrival", on(10), **owner)) == ()


def test_all_levels_hold_together_and_every_broken_rule_is_named():
    question = evolve(asking(10, 13), plan="flex", channel="web")
    found = violations_of(
        RuleBook(
            (
                Rule("min_stay_arrival", ALWAYS, value=4),
                Rule("min_stay_arrival", ALWAYS, value=2, unit_type_id=DOUBLE),
                Rule("min_stay_arrival", ALWAYS, value=7, plan="flex"),
                Rule("closed_to_departure", on(13), channel="web"),
                Rule("closed_night", on(11), unit_type_id=DOUBLE),
            )
        ),
        question,
    )
    assert found == (
        Violation("min_stay_arrival", day(10), 7, "plan"),
        Violation("min_stay_arrival", day(10), 4, "property"),
        Violation("closed_night", day(11), None, "type"),
        Violation("closed_to_departure", day(13), None, "channel"),
    )


BAD_VALUES: list[tuple[str, RuleValue]] = [
    ("closed_night", 1),
    ("closed_to_arrival", "yes"),
    ("closed_to_departure", ()),
    ("min_stay_arrival", None),
    ("min_stay_arrival", 0),
    ("min_stay_arrival", True),
    ("min_stay_through", -1),
    ("max_stay_arrival", 5_000),
    ("max_stay_through", "7"),
    ("allowed_lengths", 7),
    ("allowed_lengths", ()),
    ("allowed_lengths", (7, 2)),
    ("allowed_lengths", (2, 2)),
    ("allowed_lengths", (0, 2)),
    ("arrival_weekdays", 0),
    ("arrival_weekdays", 128),
    ("departure_weekdays", None),
    ("lead_time", 2),
    ("lead_time", "2 days"),
    ("lead_time", "-2d before arrival"),
    ("lead_time", "02d before arrival"),
    ("lead_time", "3661d before arrival"),
    ("lead_time", "87841h before check_in"),
    ("booking_window", -1),
    ("booking_window", 3_661),
    ("booking_window", None),
]


@pytest.mark.parametrize(("kind", "value"), BAD_VALUES)
def test_a_value_that_a_kind_cannot_have_is_refused_when_the_rule_is_built(kind, value):
    with pytest.raises(InvalidInputError) as refused:
        Rule(kind, ALWAYS, value=value)
    assert refused.value.field == "value"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("kind", {"kind": "min_stay"}),
        ("weekdays", {"weekdays": 0}),
        ("weekdays", {"weekdays": 128}),
        ("plan", {"plan": "Flex \x00"}),
        ("channel", {"channel": ""}),
    ],
)
def test_a_rule_names_the_field_that_is_wrong(field, wrong):
    with pytest.raises(InvalidInputError) as refused:
        Rule(**{"kind": "closed_night", "nights": ALWAYS, **wrong})
    assert refused.value.field == field


def test_a_slot_of_an_unknown_kind_is_refused():
    with pytest.raises(InvalidInputError, match="unknown_rule"):
        RuleSlot(kind="min_stay")


def test_every_kind_is_found_and_says_what_it_reads():
    reads = {kind: rule.reads for kind, rule in RULE_KINDS}
    assert reads == {
        "allowed_lengths": Reads.ARRIVAL,
        "arrival_weekdays": Reads.ARRIVAL,
        "booking_window": Reads.ARRIVAL,
        "closed_night": Reads.EACH_NIGHT,
        "closed_to_arrival": Reads.ARRIVAL,
        "closed_to_departure": Reads.DEPARTURE,
        "departure_weekdays": Reads.DEPARTURE,
        "lead_time": Reads.ARRIVAL,
        "max_stay_arrival": Reads.ARRIVAL,
        "max_stay_through": Reads.THROUGH,
        "min_stay_arrival": Reads.ARRIVAL,
        "min_stay_through": Reads.THROUGH,
    }
    with pytest.raises(MisuseError):
        RULE_KINDS.get("min_stay")


def test_rules_at_the_ends_of_the_calendar_are_answered():
    question = evolve(
        asking(10, 13),
        stay=StayRange(date(1900, 1, 1), date(1900, 1, 2)),
        asked_at=datetime(1900, 1, 1, 12, tzinfo=UTC),
        business_date=date(1900, 1, 1),
    )
    calendar = DateRange(date(1900, 1, 1), date(2199, 12, 31))
    assert [
        code for code, _, _ in asked(question, Rule("lead_time", calendar, value="9d before check_in"))
    ] == ["lead_time"]
    last = evolve(question, stay=StayRange(date(2199, 12, 30), date(2199, 12, 31)))
    assert (
        asked(last, Rule("closed_to_departure", calendar), Rule("max_stay_through", calendar, value=1)) == ()
    )
    assert [code for code, _, _ in asked(last, Rule("closed_night", calendar))] == ["closed_night"]
    assert timedelta(days=1) == last.stay.departure - last.stay.arrival
