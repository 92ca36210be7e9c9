"""Which rules change a stay together: groups, ranks and exclusions, each night for itself."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pricing.naive import STAGES
from core.pricing.price_scene import MARCH, asking, base, book, longer, nights, priced, rule
from pmscore.dates.recurrence import Weekdays
from pmscore.pricing.model.rules import PRICE_RULES, exclusion_order
from pmscore.pricing.views.rate_tables import RateTables
from pmscore.testing.price_strategies import PRICED, price_books, price_questions

EARLY = {"bands": [{"from": 30, "change": {"percent": "-10"}}]}
PROMO = {"code": "spring", "change": {"percent": "-20"}}
FEWER = settings(max_examples=max(settings.default.max_examples // 2, 10))
WITH_CODE = asking(1, 3, codes=frozenset({"spring"}))


def names(what, question) -> tuple[list[str], list[tuple[str, str]]]:
    stack = RateTables(what, MARCH).stack(question)
    return (
        [each.rule.code for each in stack.applied],
        sorted((each.rule.code, each.by.code) for each in stack.passed_over),
    )


def test_rules_of_different_groups_are_applied_one_after_the_other():
    what = book(rules=[rule("promo", "promotion", PROMO), rule("early", "early_bird", EARLY)])
    assert names(what, WITH_CODE) == (["early", "promo"], [])
    assert priced(what, WITH_CODE) == [7_200, 7_200]  # 100.00 x 0.9 x 0.8


def test_of_a_group_the_lowest_rank_of_a_stage_applies_alone():
    what = book(
        rules=[
            longer("weak", "-30", rank=9, group="stay"),
            longer("strong", "-5", rank=2, group="stay"),
            longer("other", "-10", rank=5),
        ]
    )
    assert names(what, asking(1, 2)) == (["strong", "other"], [("weak", "strong")])
    assert priced(what, asking(1, 2)) == [8_550]  # 100.00 x 0.95 x 0.9; the larger discount stands back


def test_one_group_may_have_a_rule_in_each_stage():
    what = book(
        rules=[longer("week", "-5", group="deals"), rule("early", "early_bird", EARLY, group="deals")]
    )
    assert names(what, asking(1, 2)) == (["week", "early"], [])


def test_a_rule_that_does_not_apply_stands_before_nobody():
    what = book(
        rules=[
            longer("month", "-30", least=28, rank=1, group="stay"),
            longer("any", "-5", rank=2, group="stay"),
        ]
    )
    assert names(what, asking(1, 3)) == (["any"], [])


def test_a_promotion_may_shut_out_every_other_discount():
    promo = rule("promo", "promotion", PROMO, excludes={"early", "week"})
    what = book(rules=[promo, rule("early", "early_bird", EARLY), longer("week", "-5")])
    assert names(what, WITH_CODE) == (["promo"], [("early", "promo"), ("week", "promo")])
    assert priced(what, WITH_CODE) == [8_000, 8_000]
    assert names(what, asking(1, 3)) == (["week", "early"], [])


def test_a_group_that_is_shut_out_shuts_out_nobody():
    what = book(
        rules=[
            longer("c", "-5", rank=1),
            longer("b", "-5", rank=2, excludes={"c"}),
            longer("a", "-5", rank=3, excludes={"b"}),
        ]
    )
    assert names(what, asking(1, 2)) == (["c", "a"], [("b", "a")])


def test_a_rule_that_lost_its_place_in_the_group_shuts_out_nobody():
    what = book(
        rules=[
            longer("first", "-5", rank=1, group="g"),
            longer("second", "-5", rank=2, group="g", excludes={"other"}),
            longer("other", "-5", rank=3),
        ]
    )
    assert names(what, asking(1, 2)) == (["first", "other"], [("second", "first")])


def test_a_rule_for_other_nights_stands_before_nobody():
    # The weekend lies outside of the stay, though the range of the rule does not.
    weekend = longer(
        "weekend", "50", rank=1, group="g", weekdays=Weekdays.from_names(["fri", "sat"]), excludes={"other"}
    )
    what = book(rules=[weekend, longer("any", "-5", rank=2, group="g"), longer("other", "-10", rank=3)])
    assert names(what, asking(1, 4)) == (["any", "other"], [])
    assert priced(what, asking(1, 4)) == [8_550] * 3


def test_an_exclusion_holds_on_the_nights_of_the_rule_and_on_no_other():
    fair = longer("fair", "40", rank=1, nights=nights(3, 5), excludes={"early"})
    what = book(rules=[fair, rule("early", "early_bird", EARLY)])
    assert priced(what, asking(1, 6)) == [9_000, 9_000, 14_000, 14_000, 9_000]
    # It stands back on two nights and applies on three, so it is named in both.
    assert names(what, asking(1, 6)) == (["fair", "early"], [("early", "fair")])


def test_yield_that_reaches_no_step_on_its_nights_shuts_out_nobody():
    full = {"steps": [{"from": 90, "change": {"percent": "30"}}]}
    saturdays = rule("full", "yield", full, weekdays=Weekdays.from_names(["sat"]), excludes={"promo"})
    what = book(rules=[saturdays, rule("promo", "promotion", PROMO)])
    # Friday the 5th is full, Saturday the 6th is not; the rule is for Saturdays.
    question = asking(5, 7, occupied=(95, 50), codes=frozenset({"spring"}))
    assert names(what, question) == (["promo"], [])
    fuller = evolve(question, occupied=(50, 95))
    assert names(what, fuller) == (["full", "promo"], [("promo", "full")])
    assert priced(what, fuller) == [8_000, 13_000]


def test_two_seasons_of_yield_in_one_group_meet_within_a_stay():
    winter = rule(
        "winter",
        "yield",
        {"steps": [{"from": 50, "change": {"percent": "10"}}]},
        group="yield",
        nights=nights(1, 10),
    )
    summer = rule(
        "summer",
        "yield",
        {"steps": [{"from": 50, "change": {"percent": "25"}}]},
        rank=2,
        group="yield",
        nights=nights(10, 31),
    )
    assert priced(book(rules=[winter, summer]), asking(8, 12, occupied=(60,) * 4)) == [
        11_000,
        11_000,
        12_500,
        12_500,
    ]


def test_a_rank_says_nothing_across_stages():
    what = book(
        base(every=10_050),
        rules=[
            rule("channel", "channel", {"channels": {"direct": {"amount": 1_000}}}, rank=1),
            longer("week", "-10", rank=99),
        ],
    )
    assert priced(what, asking(1, 2)) == [10_045]  # 100.50 x 0.9 + 10.00, and not (100.50 + 10.00) x 0.9


def test_the_stages_are_in_the_order_of_the_design():
    assert {kind: int(cls.stage) for kind, cls in PRICE_RULES} == STAGES


def test_groups_come_before_those_that_they_exclude():
    rules = [
        longer("a", "-5", rank=1, excludes={"z"}),
        longer("m", "-5", rank=2, excludes={"a", "b"}),
        longer("b", "-5", rank=3),
        longer("z", "-5", rank=4, group="z"),
    ]
    assert exclusion_order(rules) == ("m", "a", "b", "z")


@FEWER
@given(price_books())
def test_every_group_stands_before_those_that_it_excludes(what):
    order = exclusion_order(what.rules)
    assert sorted(order) == sorted({each.group for each in what.rules})
    for each in what.rules:
        assert all(order.index(each.group) < order.index(group) for group in each.excludes)


@FEWER
@given(price_books(), st.data())
def test_who_stands_back_has_a_reason_that_applies_itself(what, data):
    stack = RateTables(what, PRICED).stack(data.draw(price_questions(what)))
    order = [(each.rule.stage, each.rule.rank) for each in stack.applied]
    assert order == sorted(set(order))
    applied = {each.rule.code for each in stack.applied}
    for each in stack.passed_over:
        assert each.by.code in applied
        in_group = each.by.group == each.rule.group and each.by.stage is each.rule.stage
        assert (in_group and each.by.rank < each.rule.rank) or each.rule.group in each.by.excludes


def test_rules_of_one_group_on_different_nights_of_a_stay_do_not_meet():
    what = book(
        rules=[
            longer("first", "-10", rank=1, group="stay", nights=nights(1, 3)),
            longer("second", "-20", rank=2, group="stay", nights=nights(3, 5)),
        ]
    )
    assert names(what, asking(1, 5)) == (["first", "second"], [])
    assert priced(what, asking(1, 5)) == [9_000, 9_000, 8_000, 8_000]
