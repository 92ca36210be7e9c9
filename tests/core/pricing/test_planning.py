"""What a plan costs before anybody stays: dates, seasons, weekdays, derived plans, steps, floors and ceilings."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.price_scene import (
    DOUBLE,
    MARCH,
    asking,
    base,
    book,
    day,
    derived,
    nights,
    pct,
    priced,
    season,
)
from pmscore.dates.ranges import DateRange
from pmscore.dates.recurrence import Weekdays
from pmscore.kernel.money import Rounding
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.night_steps import Ratio
from pmscore.pricing.model.plans import DatedPrice, PriceLimits, TypePrices, WeekPrices
from pmscore.pricing.policies.planning import limited, season_slots
from pmscore.pricing.views.rate_tables import RateTables
from pmscore.testing.price_strategies import PRICED, seasons

# March 2027: Monday 1, Friday 5, Saturday 6, Sunday 7, Monday 8.
EIGHT_NIGHTS = asking(1, 9)


def of(**more) -> TypePrices:
    return TypePrices(**more)


def test_weekday_prices_repeat_each_week():
    week = WeekPrices((8_000, 8_100, 8_200, 8_300, 12_000, 13_000, 9_000))
    what = book(base(prices={DOUBLE: of(default=week)}))
    assert priced(what, EIGHT_NIGHTS) == [8_000, 8_100, 8_200, 8_300, 12_000, 13_000, 9_000, 8_000]


def test_the_weekend_is_friday_and_saturday_night():
    what = book(base(prices={DOUBLE: of(default=WeekPrices.of(8_000, weekend=11_000))}))
    assert priced(what, EIGHT_NIGHTS) == [8_000, 8_000, 8_000, 8_000, 11_000, 11_000, 8_000, 8_000]


def test_a_date_goes_before_a_season_and_a_season_before_the_default():
    prices = of(
        default=WeekPrices.of(8_000),
        seasons={"fair": WeekPrices.of(15_000, weekend=18_000)},
        dates=(DatedPrice(nights(6, 7), 25_000), DatedPrice(nights(2, 3), 5_000)),
    )
    what = book(base(prices={DOUBLE: prices}), seasons=[season("fair", nights(4, 8))])
    # Mon default, Tue dated, Wed default, Thu fair, Fri fair weekend, Sat dated, Sun fair, Mon default.
    assert priced(what, EIGHT_NIGHTS) == [8_000, 5_000, 8_000, 15_000, 18_000, 25_000, 15_000, 8_000]


def test_the_strongest_season_that_the_type_has_a_price_for_counts():
    found = [
        season("spring", nights(1, 9)),
        season("fair", nights(3, 6), priority=5),
        season("gala", nights(4, 5), priority=9),
    ]
    prices = of(
        default=WeekPrices.of(1_000), seasons={"spring": WeekPrices.of(2_000), "fair": WeekPrices.of(3_000)}
    )
    what = book(base(prices={DOUBLE: prices}), seasons=found)
    # The gala on the 4th has no price here, so the fair counts.
    assert priced(what, asking(1, 9)) == [2_000, 2_000, 3_000, 3_000, 3_000, 2_000, 2_000, 2_000]


def test_a_season_of_weekdays_leaves_the_other_nights_to_a_weaker_one():
    found = [
        season("spring", nights(1, 9)),
        season("weekends", nights(1, 9), priority=1, weekdays=Weekdays.from_names(["fri", "sat"])),
    ]
    prices = of(seasons={"spring": WeekPrices.of(2_000), "weekends": WeekPrices.of(3_000)})
    what = book(base(prices={DOUBLE: prices}), seasons=found)
    assert priced(what, EIGHT_NIGHTS) == [2_000, 2_000, 2_000, 2_000, 3_000, 3_000, 2_000, 2_000]


def test_what_is_given_as_not_sold_is_not_looked_up_elsewhere():
    prices = of(
        default=WeekPrices.of(8_000),
        seasons={"fair": WeekPrices((None, 9_000, 9_000, 9_000, 9_000, 9_000, 9_000))},
        dates=(DatedPrice(nights(2, 3), None),),
    )
    what = book(base(prices={DOUBLE: prices}), seasons=[season("fair", nights(7, 9))])
    # The 2nd is not sold by date; Monday the 8th is in the season and not sold on Mondays.
    assert priced(what, EIGHT_NIGHTS) == [8_000, None, 8_000, 8_000, 8_000, 8_000, 9_000, None]


def test_a_night_without_any_price_is_not_sold_and_never_free():
    what = book(
        base(prices={DOUBLE: of(dates=(DatedPrice(nights(2, 3), 0),))}), derived("saver", "flex", Change(500))
    )
    assert priced(what, asking(1, 4)) == [None, 0, None]
    assert priced(what, asking(1, 4, plan="saver")) == [None, 500, None]


def test_operations_are_applied_in_their_order():
    """Channex: five per cent more and then twelve is not twelve and then five per cent more."""
    twelve = Change(1_200)
    what = book(base(), derived("first", "flex", pct("5"), twelve), derived("then", "flex", twelve, pct("5")))
    assert priced(what, asking(1, 2, plan="first")) == [11_700]  # 100.00 x 1.05 + 12.00
    assert priced(what, asking(1, 2, plan="then")) == [11_760]  # (100.00 + 12.00) x 1.05


def test_operations_of_one_plan_are_rounded_once():
    what = book(base(every=101), derived("third", "flex", pct("-33.3333"), pct("-33.3333"), pct("200")))
    # 1.01 x 0.666667 x 0.666667 x 3 = 1.3466…; rounded after each: 0.67, 0.45, 1.35.
    assert priced(what, asking(1, 2, plan="third")) == [135]
    what = book(base(every=5), derived("half", "flex", pct("-50"), pct("-50"), pct("100")))
    # 0.05 x 0.5 x 0.5 x 2 = 0.025, half up 0.03; rounded after each: 0.03, 0.02, 0.04.
    assert priced(what, asking(1, 2, plan="half")) == [3]


def test_each_level_rounds_its_own_price():
    what = book(
        base(every=9_999),
        derived("saver", "flex", pct("-10"), limits=PriceLimits(step=100)),
        derived("member", "saver", pct("-5"), limits=PriceLimits(step=50, rounding=Rounding.DOWN)),
    )
    # 99.99 x 0.9 = 89.991, to the next whole 90.00; 90.00 x 0.95 = 85.50 stays.
    assert priced(what, asking(1, 2, plan="saver")) == [9_000]
    assert priced(what, asking(1, 2, plan="member")) == [8_550]


def test_a_level_sees_the_floor_of_its_parent():
    what = book(
        base(every=10_000),
        derived("saver", "flex", pct("-40"), limits=PriceLimits(floor=7_500)),
        derived("member", "saver", pct("-10")),
    )
    assert priced(what, asking(1, 2, plan="saver")) == [7_500]
    assert priced(what, asking(1, 2, plan="member")) == [6_750]


@pytest.mark.parametrize(
    ("rounding", "low", "half", "high"),
    [
        # 101.00, 102.50 and 104.00 in steps of 5.00: the half goes by the mode.
        (Rounding.HALF_UP, 10_000, 10_500, 10_500),
        (Rounding.HALF_EVEN, 10_000, 10_000, 10_500),
        (Rounding.UP, 10_500, 10_500, 10_500),
        (Rounding.DOWN, 10_000, 10_000, 10_000),
        (Rounding.CEILING, 10_500, 10_500, 10_500),
        (Rounding.FLOOR, 10_000, 10_000, 10_000),
    ],
)
def test_a_price_is_rounded_to_the_step_by_the_plans_mode(rounding, low, half, high):
    limits = PriceLimits(step=500, rounding=rounding)
    assert [limited(Ratio(price, 1), limits) for price in (10_100, 10_250, 10_400)] == [low, half, high]


def test_floor_and_ceiling_come_after_the_step_and_are_no_steps():
    limits = PriceLimits(step=1_000, floor=8_950, ceiling=12_990)
    assert [limited(Ratio(price, 1), limits) for price in (8_900, 9_400, 9_500, 12_400, 12_600)] == [
        9_000,
        9_000,
        10_000,
        12_000,
        12_990,
    ]
    assert limited(Ratio(8_400, 1), limits) == 8_950


def test_prices_of_its_own_are_rounded_and_limited_too():
    prices = of(
        default=WeekPrices.of(9_949), dates=(DatedPrice(nights(2, 3), 99_999), DatedPrice(nights(3, 4), 1))
    )
    what = book(
        base(prices={DOUBLE: prices}, limits=PriceLimits(step=100, floor=5_000, ceiling=20_000)),
    )
    assert priced(what, asking(1, 4)) == [9_900, 20_000, 5_000]


def test_a_derived_price_never_falls_below_nothing():
    what = book(base(every=1_000), derived("gift", "flex", Change(-5_000)))
    assert priced(what, asking(1, 2, plan="gift")) == [0]


def test_ends_such_as_99_come_from_no_step():
    # 199.99 is no multiple of 1.00: a step rounds to multiples, and no amount is added after it.
    what = book(base(every=19_960, limits=PriceLimits(step=100)))
    assert priced(what, asking(1, 2)) == [20_000]


@pytest.mark.parametrize(
    ("currency", "every", "percent", "amount"),
    [
        ("JPY", 12_345, "-10", 11_111),  # 12,345 yen x 0.9 = 11,110.5, half up; a yen has no parts
        ("KWD", 45_675, "-10", 41_108),  # 45.675 dinars x 0.9 = 41.1075, half up to 41.108
        ("EUR", 12_345, "-10", 11_111),  # 123.45 x 0.9 = 111.105, half up to 111.11
    ],
)
def test_a_price_is_rounded_to_the_smallest_unit_of_its_currency(currency, every, percent, amount):
    what = book(base(every=every), derived("saver", "flex", pct(percent)), currency=currency)
    assert priced(what, asking(1, 2, plan="saver")) == [amount]


def test_yen_are_rounded_to_a_hundred_as_euro_cents_are():
    what = book(
        base(every=12_345), derived("saver", "flex", pct("-10"), limits=PriceLimits(step=100)), currency="JPY"
    )
    assert priced(what, asking(1, 2, plan="saver")) == [11_100]


def test_a_table_that_begins_within_a_dated_range_has_the_rest_of_it():
    dates = (
        DatedPrice(DateRange(date(2027, 2, 20), day(3)), 7_000),
        DatedPrice(DateRange(day(30), date(2027, 5, 1)), 6_000),
    )
    what = book(base(prices={DOUBLE: of(default=WeekPrices.of(1_000), dates=dates)}))
    assert priced(what, asking(1, 5)) == [7_000, 7_000, 1_000, 1_000]
    assert list(RateTables(what, MARCH).row(what.plan("flex"), DOUBLE))[-3:] == [1_000, 6_000, 6_000]


def test_each_set_of_seasons_has_seven_places_and_no_more():
    found = [season("a", nights(1, 11)), season("b", nights(5, 21), priority=1), season("c", nights(25, 26))]
    sets, slots = season_slots(found, MARCH)
    assert sets == (("a",), ("b", "a"), ("b",), (), ("c",))
    # Monday the 1st, Friday the 5th in both, Sunday the 21st in none, Thursday the 25th.
    assert (slots[0], slots[4], slots[20], slots[24]) == (0, 7 + 4, 21 + 6, 28 + 3)


@given(seasons())
def test_a_night_has_the_place_of_its_seasons_and_weekday(found):
    sets, slots = season_slots(found, PRICED)
    for night, slot in zip(PRICED.nights(), slots, strict=True):
        names = tuple(each.name for each in sorted(found, key=lambda each: -each.priority) if night in each)
        assert (sets[slot // 7], slot % 7) == (names, night.weekday())


@given(
    st.fractions(-10_000, 10_000, max_denominator=1_000),
    st.integers(1, 500),
    st.sampled_from(Rounding),
    st.none() | st.integers(0, 5_000),
)
def test_a_limited_price_is_a_multiple_of_the_step_or_the_floor_or_nothing(price, step, rounding, floor):
    found = limited(
        Ratio(price.numerator, price.denominator), PriceLimits(step=step, rounding=rounding, floor=floor)
    )
    assert found % step == 0 or found == floor
    assert found >= (floor or 0)
    if price >= 0 and found != floor:
        assert abs(found - price) < step


@given(st.integers(0, 10**7), st.integers(-1_000_000, 2_000_000))
def test_dearer_parents_have_no_cheaper_children(price, millionths):
    def child(every: int) -> int | None:
        what = book(base(every=every), derived("child", "flex", Change(Percent(millionths))))
        return priced(what, asking(1, 2, plan="child"))[0]

    assert child(price) <= child(price + 1)
