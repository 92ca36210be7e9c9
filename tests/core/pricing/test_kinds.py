"""Each kind of price rule: where its limits lie, and what cannot be one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.price_scene import (
    DOUBLE,
    SUITE,
    asking,
    base,
    book,
    day,
    derived,
    longer,
    nights,
    pct,
    priced,
    rule,
)
from pmscore.dates.nights import StayRange
from pmscore.dates.recurrence import Weekdays
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.bands import Bands, change_from_json, change_to_json
from pmscore.pricing.model.changes import Base, Change
from pmscore.pricing.model.rules import PRICE_RULES

OFF = {"percent": "-10"}
MORE = {"percent": "-20"}


def one(kind: str, value, question, **more) -> list[int | None]:
    return priced(book(rules=[rule("it", kind, value, **more)]), question)


def ahead(days: int, **more):
    return asking(10, 12, booked_on=day(10) - timedelta(days=days), **more)


@pytest.mark.parametrize(
    ("length", "amount"), [(1, 10_000), (6, 10_000), (7, 9_000), (27, 9_000), (28, 8_000), (30, 8_000)]
)
def test_a_longer_stay_has_the_longest_band_that_it_reaches_on_every_night(length, amount):
    value = {"bands": [{"from": 28, "change": MORE}, {"from": 7, "change": OFF}]}
    assert one("length_of_stay", value, asking(1, 1 + length)) == [amount] * length


@pytest.mark.parametrize(
    ("days", "amount"), [(29, 10_000), (30, 9_000), (59, 9_000), (60, 8_000), (400, 8_000)]
)
def test_an_early_bird_is_so_many_days_ahead_or_more(days, amount):
    value = {"bands": [{"from": 30, "change": OFF}, {"from": 60, "change": MORE}]}
    assert one("early_bird", value, ahead(days)) == [amount] * 2


@pytest.mark.parametrize(("days", "amount"), [(0, 8_000), (1, 8_000), (2, 9_000), (7, 9_000), (8, 10_000)])
def test_a_last_minute_is_so_many_days_ahead_or_fewer(days, amount):
    value = {"until": [{"days": 7, "change": OFF}, {"days": 1, "change": MORE}]}
    assert one("last_minute", value, ahead(days)) == [amount] * 2


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("last_minute", {"until": [{"days": 0, "change": OFF}]}),
        ("early_bird", {"bands": [{"from": 0, "change": OFF}]}),
        ("yield", {"steps": [{"from": 0, "change": OFF}], "least_lead": 0, "most_lead": 0}),
    ],
)
def test_who_asks_after_midnight_asks_for_today(kind, value):
    # At half past one the calendar says the 11th, and the house still sells the night of the 10th.
    assert one(kind, value, ahead(-1, occupied=(5, 5))) == [9_000, 9_000]


def test_yield_goes_night_by_night():
    value = {"steps": [{"from": 80, "change": {"percent": "15"}}, {"from": 95, "change": {"amount": 4_000}}]}
    question = asking(10, 15, occupied=(79, 80, 94, 95, 100))
    assert one("yield", value, question) == [10_000, 11_500, 11_500, 14_000, 14_000]


def test_yield_takes_an_oversold_night_for_a_full_one():
    value = {"steps": [{"from": 100, "change": {"percent": "50"}}]}
    assert one("yield", value, asking(10, 12, occupied=(99, 120))) == [10_000, 15_000]


def test_yield_without_a_count_changes_nothing():
    value = {"steps": [{"from": 0, "change": OFF}]}
    assert one("yield", value, asking(10, 12)) == [10_000, 10_000]
    assert one("yield", value, asking(10, 12, occupied=(0, 0))) == [9_000, 9_000]


@pytest.mark.parametrize(("days", "is_changed"), [(6, False), (7, True), (30, True), (31, False)])
def test_yield_holds_between_its_leads(days, is_changed):
    value = {"steps": [{"from": 0, "change": OFF}], "least_lead": 7, "most_lead": 30}
    assert one("yield", value, ahead(days, occupied=(50, 50))) == [9_000 if is_changed else 10_000] * 2


def test_yield_needs_one_count_a_night():
    with pytest.raises(InvalidInputError) as caught:
        asking(10, 13, occupied=(50, 50))
    assert (caught.value.field, caught.value.reason) == ("occupied", "not_one_a_night")
    assert caught.value.params["nights"] == 3


def test_a_promotion_is_for_those_who_give_its_code():
    value = {"code": "summer", "change": MORE, "uses": 100}
    assert one("promotion", value, asking(1, 2, codes=frozenset({"summer", "other"}))) == [8_000]
    assert one("promotion", value, asking(1, 2, codes=frozenset({"winter"}))) == [10_000]
    assert one("promotion", value, asking(1, 2)) == [10_000]


def test_a_channel_pays_its_commission():
    value = {"channels": {"ota": {"percent": "15"}, "agent": {"amount": -500}}}
    assert one("channel", value, asking(1, 2, channel="ota")) == [11_500]
    assert one("channel", value, asking(1, 2, channel="agent")) == [9_500]
    assert one("channel", value, asking(1, 2)) == [10_000]


def test_the_nights_and_weekdays_of_a_rule_are_a_mask():
    value = {"bands": [{"from": 1, "change": OFF}]}
    weekend = Weekdays.from_names(["fri", "sat"])
    # From Thursday the 4th on; the rule is for the nights of the 6th to the 13th, on Fridays and Saturdays.
    found = one("length_of_stay", value, asking(4, 15), nights=nights(6, 14), weekdays=weekend)
    assert [night for night, amount in enumerate(found, start=4) if amount == 9_000] == [6, 12, 13]


def test_a_rule_for_what_was_booked_in_a_range_leaves_the_rest():
    black_friday = rule(
        "black", "length_of_stay", {"bands": [{"from": 1, "change": OFF}]}, booked=nights(1, 3)
    )
    for asked_on, amount in ((day(1), 9_000), (day(2), 9_000), (day(3), 10_000), (date(2027, 2, 28), 10_000)):
        assert priced(book(rules=[black_friday]), asking(10, 11, booked_on=asked_on)) == [amount]


@pytest.mark.parametrize(
    ("more", "amount"),
    [
        ({"plans": {"flex"}}, 9_000),
        ({"plans": {"saver"}}, 10_000),
        ({"unit_types": {DOUBLE, SUITE}}, 9_000),
        ({"unit_types": {SUITE}}, 10_000),
        ({"channels": {"direct", "ota"}}, 9_000),
        ({"channels": {"ota"}}, 10_000),
        ({"weekdays": Weekdays.from_names(["mon"])}, 9_000),
        ({"weekdays": Weekdays.from_names(["sun"])}, 10_000),
        ({"nights": nights(1, 2)}, 9_000),
        ({"nights": nights(2, 9)}, 10_000),
    ],
)
def test_a_rule_is_narrowed_by_what_it_names(more, amount):
    what = book(base(), derived("saver", "flex"), rules=[longer("it", "-10", **more)])
    assert priced(what, asking(1, 2)) == [amount]


@given(st.integers(1, 40), st.integers(1, 31), st.integers(1, 127))
def test_the_mask_of_a_rule_has_its_nights_and_no_other(length, first, weekdays):
    found = longer("it", "-5", nights=nights(10, 20), weekdays=Weekdays(weekdays))
    stay = StayRange.of(day(first), length)
    mask = found.mask_over(stay)
    for at, night in enumerate(stay.nights()):
        assert bool(mask >> at & 1) is (night in nights(10, 20) and night in Weekdays(weekdays))
    assert mask < 1 << length


SENSELESS = (
    ("length_of_stay", {}, "value.bands", "no_band"),
    ("length_of_stay", {"bands": []}, "value.bands", "no_band"),
    ("length_of_stay", {"bands": {"from": 3}}, "value.bands", "no_band"),
    ("length_of_stay", {"bands": [7]}, "value.bands.0", "not_an_object"),
    ("length_of_stay", {"bands": [{"change": OFF}]}, "value.bands.0.from", "not_an_integer"),
    ("length_of_stay", {"bands": [{"from": True, "change": OFF}]}, "value.bands.0.from", "not_an_integer"),
    ("length_of_stay", {"bands": [{"from": -1, "change": OFF}]}, "value.bands.0.from", "out_of_range"),
    ("length_of_stay", {"bands": [{"from": 1_001, "change": OFF}]}, "value.bands.0.from", "out_of_range"),
    (
        "length_of_stay",
        {"bands": [{"from": 3, "change": OFF}, {"from": 3, "change": MORE}]},
        "value.bands.1.from",
        "same_threshold",
    ),
    ("length_of_stay", {"bands": [{"from": 3, "change": OFF, "to": 5}]}, "value.bands.0", "unknown_name"),
    ("length_of_stay", {"bands": [{"from": 3}]}, "value.bands.0.change", "not_an_object"),
    ("length_of_stay", {"bands": [{"from": 3, "change": {}}]}, "value.bands.0.change", "percent_or_amount"),
    (
        "length_of_stay",
        {"bands": [{"from": 3, "change": {"percent": "-5", "amount": 3}}]},
        "value.bands.0.change",
        "percent_or_amount",
    ),
    (
        "length_of_stay",
        {"bands": [{"from": 3, "change": {"percent": "-101"}}]},
        "value.bands.0.change.percent",
        "takes_more_than_all",
    ),
    (
        "length_of_stay",
        {"bands": [{"from": 3, "change": {"percent": -5}}]},
        "value.bands.0.change.percent",
        "not_text",
    ),
    (
        "length_of_stay",
        {"bands": [{"from": 3, "change": {"percent": "5 %"}}]},
        "value.bands.0.change.percent",
        "not_decimal",
    ),
    (
        "length_of_stay",
        {"bands": [{"from": 3, "change": {"amount": "5"}}]},
        "value.bands.0.change.amount",
        "not_an_integer",
    ),
    (
        "length_of_stay",
        {"bands": [{"from": 3, "change": {"amount": 10**15}}]},
        "value.bands.0.change.amount",
        "too_large",
    ),
    (
        "length_of_stay",
        {"bands": [{"from": 3, "change": {"percent": "5", "base": "gross"}}]},
        "value.bands.0.change.base",
        "unknown_base",
    ),
    (
        "length_of_stay",
        {"bands": [{"from": 3, "change": {"percent": "5", "base": ["plan"]}}]},
        "value.bands.0.change.base",
        "unknown_base",
    ),
    (
        "length_of_stay",
        {"bands": [{"from": 3, "change": {"amount": 5, "base": "plan"}}]},
        "value.bands.0.change.base",
        "amount_has_no_base",
    ),
    ("early_bird", {"until": []}, "value", "unknown_name"),
    ("early_bird", {"bands": [{"from": 1_501, "change": OFF}]}, "value.bands.0.from", "out_of_range"),
    ("last_minute", {"until": []}, "value.until", "no_band"),
    ("last_minute", {"until": [{"days": -1, "change": OFF}]}, "value.until.0.days", "out_of_range"),
    (
        "last_minute",
        {"until": [{"days": 2, "change": OFF}, {"days": 2, "change": OFF}]},
        "value.until.1.days",
        "same_threshold",
    ),
    ("last_minute", {"until": [{"days": 2, "change": []}]}, "value.until.0.change", "not_an_object"),
    ("yield", {}, "value.steps", "no_band"),
    ("yield", {"steps": [{"from": 101, "change": OFF}]}, "value.steps.0.from", "out_of_range"),
    (
        "yield",
        {"steps": [{"from": 50, "change": OFF}], "least_lead": 9, "most_lead": 8},
        "value.most_lead",
        "below_least",
    ),
    ("yield", {"steps": [{"from": 50, "change": OFF}], "least_lead": -1}, "value.least_lead", "out_of_range"),
    (
        "yield",
        {"steps": [{"from": 50, "change": OFF}], "most_lead": "8"},
        "value.most_lead",
        "not_an_integer",
    ),
    ("promotion", {"change": OFF}, "value.code", "required"),
    ("promotion", {"code": 2027, "change": OFF}, "value.code", "not_text"),
    ("promotion", {"code": "Summer 27", "change": OFF}, "value.code", "not_a_code"),
    ("promotion", {"code": "summer"}, "value.change", "not_an_object"),
    ("promotion", {"code": "summer", "change": OFF, "uses": 0}, "value.uses", "out_of_range"),
    ("channel", {}, "value.channels", "no_channel"),
    ("channel", {"channels": {}}, "value.channels", "no_channel"),
    ("channel", {"channels": {"Ota": OFF}}, "value.channels", "not_a_code"),
    ("channel", {"channels": {"ota": {"percent": "x"}}}, "value.channels.ota.percent", "not_decimal"),
)


@pytest.mark.parametrize(
    ("kind", "value", "field", "reason"),
    SENSELESS,
    ids=[f"{at}-{each[0]}" for at, each in enumerate(SENSELESS)],
)
def test_a_value_that_a_kind_cannot_have_is_refused_by_its_place(kind, value, field, reason):
    with pytest.raises(InvalidInputError) as caught:
        rule("it", kind, value)
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_every_kind_is_refused_somewhere_here():
    assert {each[0] for each in SENSELESS} == {kind for kind, _ in PRICE_RULES}


def test_a_refused_threshold_says_its_limits():
    with pytest.raises(InvalidInputError) as caught:
        rule("it", "yield", {"steps": [{"from": 101, "change": OFF}]})
    assert (caught.value.params["least"], caught.value.params["most"]) == (0, 100)


@pytest.mark.parametrize(
    ("written", "change"),
    [
        ({"percent": "-10"}, pct("-10")),
        ({"percent": "8.875", "base": "plan"}, pct("8.875", Base.PLAN)),
        ({"percent": "0", "base": "occupied"}, pct("0", Base.OCCUPIED)),
        ({"amount": -500}, Change(-500)),
    ],
)
def test_a_change_is_written_as_it_is_read(written, change):
    assert change_from_json(written) == change
    assert change_to_json(change) == written


@given(
    st.integers(-1_000_000, 9_000_000).map(Percent) | st.integers(-(10**9), 10**9),
    st.sampled_from(Base),
)
def test_writing_and_reading_a_change_is_the_identity(operand, of):
    change = Change(operand, of if isinstance(operand, Percent) else Base.RUNNING)
    assert change_from_json(change_to_json(change)) == change


@given(
    st.dictionaries(st.integers(0, 100), st.integers(-500, 500), min_size=1),
    st.integers(0, 120),
    st.randoms(),
)
def test_the_order_of_bands_says_nothing(amounts, count, random):
    written = [{"from": start, "change": {"amount": amount}} for start, amount in amounts.items()]
    random.shuffle(written)
    found = Bands.of(written, field="bands", most=100).at(count)
    reached = [start for start in amounts if start <= count]
    assert found == (Change(amounts[max(reached)]) if reached else None)
