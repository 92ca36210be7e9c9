"""From the price of a plan to the amount of a night: stages in their order, exact until the one rounding."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.price_scene import DOUBLE, MARCH, asking, base, book, derived, longer, pct, priced, rule
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import MAX_MINOR
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.changes import Base, Change
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.night_steps import Ratio
from pmscore.pricing.model.occupancy import AgeBand, OccupancyTerms
from pmscore.pricing.model.plans import PriceLimits
from pmscore.pricing.policies.nightly import changed_night, night_amount, night_steps
from pmscore.pricing.policies.occupancy import PartyCharge
from pmscore.pricing.views.rate_tables import RateTables

ALONE = PartyCharge(1_000_000, 0)
FAMILY_TERMS = OccupancyTerms(
    included=2, extra_adult=3_000, children=(AgeBand(from_age=0, to_age=12, price=1_000, fills_place=False),)
)
EVERY_STAGE = (
    longer("week", "-10", least=3),
    rule("early", "early_bird", {"bands": [{"from": 30, "change": {"percent": "-5"}}]}),
    rule("yield", "yield", {"steps": [{"from": 80, "change": {"percent": "20"}}]}),
    rule("promo", "promotion", {"code": "spring", "change": {"amount": -700}}),
    rule("ota", "channel", {"channels": {"ota": {"percent": "15"}}}),
)


def test_all_seven_stages_in_their_order():
    what = book(
        base(every=11_111),
        derived("saver", "flex", pct("-10"), limits=PriceLimits(step=100), occupancy=FAMILY_TERMS),
        rules=EVERY_STAGE,
    )
    question = asking(1, 4, plan="saver", occupied=(79, 80, 0), codes=frozenset({"spring"}), channel="ota")
    # 1  111.11 x 0.9 = 99.999, to the next whole: 100.00    2  + one child 10.00 = 110.00
    # 3  x 0.9 = 99.00    4  x 0.95 = 94.05    5  on the 2nd x 1.2 = 112.86    6  - 7.00    7  x 1.15
    # 87.05 x 1.15 = 100.1075, and 105.86 x 1.15 = 121.739
    assert priced(what, question, GuestParty(adults=2, ages=(5,))) == [10_011, 12_174, 10_011]


def test_the_steps_of_all_stages_are_told():
    what = book(base(occupancy=FAMILY_TERMS), rules=EVERY_STAGE)
    question = asking(1, 4, occupied=(90, 0, 0), codes=frozenset({"spring"}), channel="ota")
    tables = RateTables(what, MARCH)
    plan = what.plan("flex")
    charge = tables.charge(plan, DOUBLE, GuestParty(adults=3))
    first, second, _ = tables.steps(plan, DOUBLE, charge, tables.stack(question), question.stay)
    assert [(step.rule.code if step.rule else None, step.after.plain(2)) for step in first] == [
        (None, "130.00"),
        ("week", "117.00"),
        ("early", "111.15"),
        ("yield", "133.38"),
        ("promo", "126.38"),
        ("ota", "145.337"),
    ]
    assert [step.rule.code for step in second if step.rule] == ["week", "early", "promo", "ota"]
    assert second[-1].after.plain(2) == "119.7725"
    assert [step.change for step in first][1] == pct("-10")


def test_a_night_is_rounded_once_at_the_end():
    thirds = [longer(f"third-{at}", "-33.3333", rank=at) for at in (1, 2)]
    # 1.00 x 0.666667 x 0.666667 = 0.444444…; rounded after each rule it would be 0.67 and then 0.45.
    assert priced(book(base(every=100), rules=thirds), asking(1, 2)) == [44]


@pytest.mark.parametrize(
    ("every", "percent", "amount"),
    [
        (5, "-50", 3),  # 2.5 is three
        (5, "-50.0001", 2),  # and a trace below is two
        (3, "-50", 2),  # 1.5 is two
        (1, "-50", 1),  # 0.5 is one
        (1, "-50.0001", 0),
        (0, "50", 0),
    ],
)
def test_a_half_goes_up(every, percent, amount):
    assert priced(book(base(every=every), rules=[longer("it", percent)]), asking(1, 2)) == [amount]


def test_a_percentage_is_of_what_its_base_says():
    def with_base(name: str) -> list[int | None]:
        ten_more = rule("ten", "channel", {"channels": {"direct": {"percent": "10", "base": name}}})
        what = book(base(occupancy=FAMILY_TERMS), rules=[longer("half", "-50"), ten_more])
        return priced(what, asking(1, 2), GuestParty(adults=3))

    # 100.00 for the plan, 130.00 for three, 65.00 after the discount.
    assert with_base("running") == [7_150]
    assert with_base("plan") == [7_500]
    assert with_base("occupied") == [7_800]


def test_between_the_stages_an_amount_may_be_below_nothing():
    deep = rule("deep", "promotion", {"code": "spring", "change": {"amount": -15_000}})
    back = rule("back", "channel", {"channels": {"direct": {"amount": 6_000}}})
    codes = frozenset({"spring"})
    # 100.00 - 150.00 + 60.00 = 10.00, and without the channel nothing.
    assert priced(book(rules=[deep, back]), asking(1, 2, codes=codes)) == [1_000]
    assert priced(book(rules=[deep]), asking(1, 2, codes=codes)) == [0]


def test_everything_off_is_nothing_and_not_unsold():
    assert priced(book(rules=[longer("gift", "-100")]), asking(1, 3)) == [0, 0]


@pytest.mark.parametrize(
    ("currency", "every", "amount"),
    [
        ("JPY", 9_999, 8_499),  # 9,999 yen x 0.85 = 8,499.15
        ("KWD", 25_125, 21_356),  # 25.125 dinars x 0.85 = 21.35625, to 21.356
        ("EUR", 9_999, 8_499),  # 99.99 x 0.85 = 84.9915
    ],
)
def test_yen_have_no_parts_and_dinars_a_thousand(currency, every, amount):
    what = book(base(every=every), rules=[longer("it", "-15")], currency=currency)
    assert priced(what, asking(1, 2)) == [amount]


@pytest.mark.parametrize(
    ("ratio", "digits", "text"),
    [
        (Ratio(14_533_700_000, 1_000_000), 2, "145.337"),
        (Ratio(10_000, 1), 2, "100.00"),
        (Ratio(1, 3), 2, "0.003333"),  # cut off
        (Ratio(2, 3), 0, "0.6666"),
        (Ratio(12_345, 1), 0, "12345"),
        (Ratio(12_345, 1), 3, "12.345"),
        (Ratio(-1, 2), 2, "-0.005"),
        (Ratio(-250, 1), 2, "-2.50"),
        (Ratio(-1, 10**9), 2, "0.00"),  # nothing has no sign
        (Ratio(0, 7), 2, "0.00"),
    ],
)
def test_an_amount_between_stages_reads_as_a_decimal(ratio, digits, text):
    assert ratio.plain(digits) == text


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**12), st.sampled_from((0, 2, 3, 4)))
def test_what_is_shown_is_within_the_last_digit_of_the_amount(numer, denom, digits):
    shown = Fraction(Ratio(numer, denom).plain(digits)) * 10**digits
    assert abs(shown - Fraction(numer, denom)) < Fraction(1, 10**4)
    assert abs(shown) <= abs(Fraction(numer, denom))


operands = st.integers(-1_000_000, 3_000_000).map(Percent) | st.integers(-(10**6), 10**6)
changes = st.lists(
    operands.flatmap(
        lambda operand: st.builds(
            Change,
            st.just(operand),
            st.sampled_from(Base) if isinstance(operand, Percent) else st.just(Base.RUNNING),
        )
    ),
    max_size=6,
)
charges = st.builds(PartyCharge, st.integers(0, 5_000_000), st.integers(-(10**10), 10**10))


@given(st.integers(0, 10**7), charges, changes)
def test_an_amount_is_the_exact_one_rounded_half_up_and_never_below_nothing(price, charge, made):
    occupied = Fraction(charge.factor * price + charge.addition, 10**6)
    exact = occupied
    for change in made:
        if isinstance(change.operand, Percent):
            of = {Base.RUNNING: exact, Base.PLAN: Fraction(price), Base.OCCUPIED: occupied}[change.base]
            exact += of * change.operand.millionths / 10**6
        else:
            exact += change.operand
    amount = night_amount(price, charge, made)
    if exact < 0:
        assert amount == 0
    else:
        assert Fraction(-1, 2) < amount - exact <= Fraction(1, 2)
    steps = list(
        night_steps(
            price,
            charge,
            [(rule("it", "channel", {"channels": {"a": {"amount": 1}}}), each) for each in made],
        )
    )
    assert steps[-1].after.rounded() == amount
    assert Fraction(steps[-1].after.numer, steps[-1].after.denom) == exact


@given(st.integers(0, 10**7), changes)
def test_operations_of_a_plan_are_those_of_a_night_without_guests(price, made):
    running = [Change(each.operand) for each in made]
    ratio = changed_night(price, running)
    assert ratio.rounded() == night_amount(price, ALONE, running)


def test_the_largest_amount_is_the_largest_money():
    assert night_amount(MAX_MINOR, ALONE, []) == MAX_MINOR
    with pytest.raises(InvalidInputError) as caught:
        night_amount(MAX_MINOR + 1, ALONE, [])
    assert (caught.value.field, caught.value.reason) == ("amount", "too_large")
