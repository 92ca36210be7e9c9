"""What may stand in terms, and the form in which a quote and a booking keep them."""

from __future__ import annotations

import json
from datetime import UTC, date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.drawn_terms import policies, terms
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.instalments import DepositPolicy, Due, Milestone
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.tiers import FREE, Anchor, CancellationPolicy, Extent, FeeBase, FeeSpec, Tier

EUR = Currency.of("EUR")
HALF = Percent.parse("50")
WHOLE = Percent.parse("100")

TERMS = Terms(
    currency=EUR,
    cancellation=CancellationPolicy(
        (
            Tier(anchor=Anchor.ARRIVAL_AT, days=-2, wall=time(18), fee=FeeSpec.of_nights(1)),
            Tier(
                anchor=Anchor.CREATED,
                hours=24,
                fee=FeeSpec(amount=2500, percent=HALF, cap=9000, tax_code="VAT"),
            ),
        )
    ),
    no_show=FeeSpec.whole(),
    deposit=DepositPolicy(
        (
            Milestone(due=Due.BOOKING, percent=Percent.parse("12.5")),
            Milestone(due=Due.ON_DATE, on=date(2027, 4, 1), amount=5000),
            Milestone(due=Due.BEFORE_ARRIVAL, days=7),
        )
    ),
)


def refusal(error: pytest.ExceptionInfo[InvalidInputError]) -> tuple[str, str]:
    return error.value.field, error.value.reason


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"amount": -1}, ("amount", "negative_amount")),
        ({"amount": 10**12 + 1}, ("amount", "too_large")),
        ({"amount": True}, ("amount", "not_an_integer")),
        ({"percent": Percent(-1)}, ("percent", "out_of_range")),
        ({"percent": Percent(1_000_001)}, ("percent", "out_of_range")),
        ({"cap": 0}, ("cap", "empty")),
        ({"cap": -1}, ("cap", "negative_amount")),
        ({"cap": 10, "amount": 11}, ("cap", "below_amount")),
        ({"extent": Extent.FIRST}, ("first_nights", "missing")),
        ({"first_nights": 1}, ("first_nights", "only_with_first")),
        ({"extent": Extent.ALL, "first_nights": 1}, ("first_nights", "only_with_first")),
        ({"extent": Extent.FIRST, "first_nights": 0}, ("first_nights", "out_of_range")),
        ({"extent": Extent.FIRST, "first_nights": 1097}, ("first_nights", "out_of_range")),
        ({"extent": Extent.FIRST, "first_nights": True}, ("first_nights", "out_of_range")),
        ({"tax_code": "x" * 65}, ("tax_code", "too_long")),
    ],
)
def test_an_impossible_fee_is_refused_by_name(fields, expected):
    with pytest.raises(InvalidInputError) as error:
        FeeSpec(**fields)
    assert refusal(error) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 10**12},
        {"percent": WHOLE},
        {"cap": 1},
        {"cap": 10, "amount": 10},
        {"extent": Extent.FIRST, "first_nights": 1},
        {"extent": Extent.FIRST, "first_nights": 1096},
        {"tax_code": "x" * 64},
    ],
)
def test_a_fee_at_the_edge_of_what_is_possible_is_taken(fields):
    assert FeeSpec(**fields) == FeeSpec(**fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"anchor": Anchor.CREATED, "days": -1}, ("days", "before_creation")),
        ({"anchor": Anchor.CREATED, "hours": -1}, ("hours", "before_creation")),
        ({"days": -3661}, ("days", "out_of_range")),
        ({"days": 3661}, ("days", "out_of_range")),
        ({"hours": 24 * 3660 + 1}, ("hours", "out_of_range")),
        ({"hours": True}, ("hours", "out_of_range")),
        ({"days": -2, "hours": 18}, ("hours", "sign_differs_from_days")),
        ({"anchor": Anchor.ARRIVAL_AT}, ("wall", "missing")),
        ({"wall": time(18)}, ("wall", "only_with_arrival_at")),
        ({"anchor": Anchor.ARRIVAL_AT, "wall": time(18, tzinfo=UTC)}, ("wall", "not_local")),
        ({"anchor": Anchor.ARRIVAL_AT, "wall": time(18, fold=1)}, ("wall", "not_local")),
    ],
)
def test_an_impossible_tier_is_refused_by_name(fields, expected):
    with pytest.raises(InvalidInputError) as error:
        Tier(**{"anchor": Anchor.ARRIVAL_DATE, "fee": FREE} | fields)
    assert refusal(error) == expected


@pytest.mark.parametrize(
    "fields", [{"days": -3660}, {"days": 3660}, {"hours": -24 * 3660}, {"days": -1, "hours": -1}]
)
def test_a_tier_at_the_edge_of_what_is_possible_is_taken(fields):
    tier = Tier(anchor=Anchor.ARRIVAL_DATE, fee=FREE, **fields)
    assert not tier.begins_with_booking


@pytest.mark.parametrize(("days", "hours", "expected"), [(0, 0, True), (1, 0, False), (0, 1, False)])
def test_only_an_offset_of_nothing_from_the_booking_begins_with_it(days, hours, expected):
    assert Tier(anchor=Anchor.CREATED, days=days, hours=hours, fee=FREE).begins_with_booking is expected


def test_two_tiers_at_the_same_moment_are_refused():
    twice = tuple(Tier(anchor=Anchor.ARRIVAL_DATE, days=-7, fee=FeeSpec(amount=each)) for each in (1, 2))
    with pytest.raises(InvalidInputError) as error:
        CancellationPolicy(twice)
    assert refusal(error) == ("tiers", "same_moment")
    at_two_times = tuple(
        Tier(anchor=Anchor.ARRIVAL_AT, days=-7, wall=time(hour), fee=FREE) for hour in (12, 18)
    )
    assert len(CancellationPolicy(at_two_times).tiers) == 2


def test_a_policy_has_fifty_tiers_at_most():
    many = tuple(Tier(anchor=Anchor.ARRIVAL_DATE, days=-each, fee=FREE) for each in range(51))
    assert len(CancellationPolicy(many[:50]).tiers) == 50
    with pytest.raises(InvalidInputError) as error:
        CancellationPolicy(many)
    assert refusal(error) == ("tiers", "too_many")


def test_ready_made_policies_are_what_they_say():
    assert CancellationPolicy.free_until(0, time(18), then=FREE).tiers == (
        Tier(anchor=Anchor.ARRIVAL_AT, days=0, wall=time(18), fee=FREE),
    )
    assert CancellationPolicy.non_refundable().tiers == (
        Tier(anchor=Anchor.CREATED, fee=FeeSpec(percent=WHOLE, base=FeeBase.TOTAL, extent=Extent.REMOVED)),
    )
    with pytest.raises(InvalidInputError) as error:
        CancellationPolicy.free_until(-1, time(18), then=FREE)
    assert refusal(error) == ("days", "negative")


@given(policies, st.randoms())
def test_the_order_in_which_tiers_are_given_does_not_matter(policy, random):
    shuffled = list(policy.tiers)
    random.shuffle(shuffled)
    assert CancellationPolicy(tuple(shuffled)) == policy


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"due": Due.AFTER_BOOKING}, ("days", "missing")),
        ({"due": Due.BEFORE_ARRIVAL}, ("days", "missing")),
        ({"due": Due.BOOKING, "days": 1}, ("days", "not_counted")),
        ({"due": Due.AFTER_BOOKING, "days": 0}, ("days", "out_of_range")),
        ({"due": Due.AFTER_BOOKING, "days": 3661}, ("days", "out_of_range")),
        ({"due": Due.ON_DATE}, ("on", "missing")),
        ({"due": Due.ARRIVAL, "on": date(2027, 1, 1)}, ("on", "not_on_a_date")),
        ({"due": Due.ON_DATE, "on": date(1899, 1, 1)}, ("on", "out_of_calendar")),
        ({"due": Due.BOOKING, "percent": Percent(0)}, ("percent", "empty")),
        ({"due": Due.BOOKING, "percent": Percent(1_000_001)}, ("percent", "out_of_range")),
        ({"due": Due.BOOKING, "percent": HALF, "amount": 1}, ("amount", "besides_percent")),
        ({"due": Due.BOOKING, "amount": 0}, ("amount", "empty")),
        ({"due": Due.BOOKING, "amount": -1}, ("amount", "negative_amount")),
    ],
)
def test_an_impossible_milestone_is_refused_by_name(fields, expected):
    with pytest.raises(InvalidInputError) as error:
        Milestone(**fields)
    assert refusal(error) == expected


def test_a_milestone_may_count_ten_years():
    assert Milestone(due=Due.BEFORE_ARRIVAL, days=3660).moment == ("before_arrival", 3660, "")


HALF_NOW = Milestone(due=Due.BOOKING, percent=HALF)
ALL_NOW = Milestone(due=Due.BOOKING, percent=WHOLE)
REST = Milestone(due=Due.ARRIVAL)


@pytest.mark.parametrize(
    ("milestones", "expected"),
    [
        ((), ("milestones", "out_of_range")),
        ((HALF_NOW, ALL_NOW), ("milestones", "same_moment")),
        ((REST, Milestone(due=Due.DEPARTURE)), ("milestones", "two_rests")),
        ((ALL_NOW, Milestone(due=Due.ARRIVAL, percent=Percent(1))), ("percent", "more_than_the_total")),
        ((ALL_NOW, REST), ("milestones", "rest_of_nothing")),
        ((HALF_NOW,), ("milestones", "less_than_the_total")),
        ((Milestone(due=Due.BOOKING, amount=100),), ("milestones", "less_than_the_total")),
        ((ALL_NOW, Milestone(due=Due.ARRIVAL, amount=1)), ("amount", "more_than_the_total")),
        (
            (REST, *[Milestone(due=Due.AFTER_BOOKING, days=day, amount=1) for day in range(1, 25)]),
            ("milestones", "out_of_range"),
        ),
    ],
)
def test_milestones_that_are_not_the_whole_total_are_refused(milestones, expected):
    with pytest.raises(InvalidInputError) as error:
        DepositPolicy(milestones)
    assert refusal(error) == expected


def test_a_schedule_has_24_milestones_at_most():
    many = tuple(Milestone(due=Due.AFTER_BOOKING, days=day, amount=1) for day in range(1, 25))
    assert len(DepositPolicy((REST, *many[:23])).milestones) == 24
    with pytest.raises(InvalidInputError) as error:
        DepositPolicy((REST, *many))
    assert (error.value.params["least"], error.value.params["most"]) == (1, 24)


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (lambda: FeeSpec(amount=10**12 + 1), {"most": 10**12}),
        (lambda: FeeSpec(extent=Extent.FIRST, first_nights=0), {"least": 1, "most": 1096}),
        (lambda: FeeSpec(cap=10, amount=11), {"amount": 11}),
        (lambda: Tier(anchor=Anchor.ARRIVAL_DATE, days=3661, fee=FREE), {"most": 3660}),
        (lambda: Tier(anchor=Anchor.ARRIVAL_DATE, hours=87841, fee=FREE), {"most": 87840}),
        (lambda: Milestone(due=Due.AFTER_BOOKING, days=0), {"least": 1, "most": 3660}),
        (lambda: Terms.from_json(WRITTEN | {"version": 2}), {"known": 1}),
    ],
)
def test_a_refusal_says_where_the_limit_lies(refused, expected):
    with pytest.raises(InvalidInputError) as error:
        refused()
    assert expected.items() <= error.value.params.items()


def test_ready_made_schedules_are_what_they_say():
    assert DepositPolicy.all_due(Due.DEPARTURE).milestones == (Milestone(due=Due.DEPARTURE),)
    assert DepositPolicy.part_at_booking(HALF).milestones == (REST, HALF_NOW)
    with pytest.raises(InvalidInputError):
        DepositPolicy.part_at_booking(WHOLE)


# --- the snapshot ---------------------------------------------------------------------------------------

WRITTEN = {
    "version": 1,
    "currency": "EUR",
    "cancellation": {
        "tiers": [
            {
                "anchor": "arrival_at",
                "days": -2,
                "hours": 0,
                "wall": "18:00:00",
                "fee": {
                    "amount": 0,
                    "percent": "100",
                    "base": "total",
                    "extent": "first",
                    "first_nights": 1,
                    "cap": None,
                    "may_exceed_price": False,
                    "tax_code": "",
                },
            },
            {
                "anchor": "created",
                "days": 0,
                "hours": 24,
                "wall": None,
                "fee": {
                    "amount": 2500,
                    "percent": "50",
                    "base": "nights",
                    "extent": "removed",
                    "first_nights": None,
                    "cap": 9000,
                    "may_exceed_price": False,
                    "tax_code": "VAT",
                },
            },
        ]
    },
    "no_show": {
        "amount": 0,
        "percent": "100",
        "base": "total",
        "extent": "removed",
        "first_nights": None,
        "cap": None,
        "may_exceed_price": False,
        "tax_code": "",
    },
    "deposit": {
        "milestones": [
            {"due": "before_arrival", "days": 7, "on": None, "percent": None, "amount": None},
            {"due": "booking", "days": None, "on": None, "percent": "12.5", "amount": None},
            {"due": "on_date", "days": None, "on": "2027-04-01", "percent": None, "amount": 5000},
        ]
    },
}


def test_the_persisted_form_of_version_one_never_changes():
    assert TERMS.to_json() == WRITTEN
    assert Terms.from_json(WRITTEN) == TERMS


@given(terms())
def test_terms_come_back_as_they_were_written(sold_on):
    assert Terms.from_json(sold_on.to_json()) == sold_on
    again = Terms.from_json(json.loads(sold_on.to_bytes()))
    assert again == sold_on
    assert again.to_bytes() == sold_on.to_bytes()


@given(terms(), terms())
def test_equal_terms_and_no_others_have_equal_bytes(one, other):
    assert (one == other) == (one.to_bytes() == other.to_bytes())


def written(path: str, value: object) -> object:
    """Return the document with one place changed, or taken out (value ...)."""
    document = json.loads(json.dumps(WRITTEN))
    place, *_, name = [document, *path.split(".")]
    for step in path.split(".")[:-1]:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is ...:
        del place[name]
    elif isinstance(place, list):
        place[int(name)] = value
    else:
        place[name] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("version", 2, ("terms.version", "unknown_version")),
        ("version", "1", ("terms.version", "not_an_integer")),
        ("version", ..., ("terms.version", "missing")),
        ("currency", "XXX", ("terms.currency", "unknown_currency")),
        ("currency", 978, ("terms.currency", "not_text")),
        ("currency", ..., ("terms.currency", "missing")),
        ("surprise", 1, ("terms", "unknown_name")),
        ("cancellation", [], ("terms.cancellation", "not_an_object")),
        ("cancellation.more", 1, ("terms.cancellation", "unknown_name")),
        ("cancellation.tiers", {}, ("terms.cancellation.tiers", "not_a_list")),
        ("cancellation.tiers.0", 7, ("terms.cancellation.tiers.0", "not_an_object")),
        ("cancellation.tiers.0.anchor", "noon", ("terms.cancellation.tiers.0.anchor", "unknown_value")),
        ("cancellation.tiers.0.wall", "noon", ("terms.cancellation.tiers.0.wall", "not_a_time")),
        ("cancellation.tiers.0.wall", None, ("terms.cancellation.tiers.0.wall", "missing")),
        ("cancellation.tiers.0.days", None, ("terms.cancellation.tiers.0.days", "not_an_integer")),
        ("cancellation.tiers.0.more", 1, ("terms.cancellation.tiers.0", "unknown_name")),
        ("cancellation.tiers.1.days", -1, ("terms.cancellation.tiers.1.days", "before_creation")),
        (
            "cancellation.tiers.1.fee.percent",
            "101",
            ("terms.cancellation.tiers.1.fee.percent", "out_of_range"),
        ),
        ("cancellation.tiers.1.fee.percent", "a", ("terms.cancellation.tiers.1.fee.percent", "not_decimal")),
        ("cancellation.tiers.1.fee.cap", "9", ("terms.cancellation.tiers.1.fee.cap", "not_an_integer")),
        ("cancellation.tiers.1.fee.extra", 1, ("terms.cancellation.tiers.1.fee", "unknown_name")),
        (
            "cancellation.tiers.1.fee.may_exceed_price",
            1,
            ("terms.cancellation.tiers.1.fee.may_exceed_price", "not_a_flag"),
        ),
        ("no_show.base", "room", ("terms.no_show.base", "unknown_value")),
        ("no_show.amount", True, ("terms.no_show.amount", "not_an_integer")),
        ("no_show.tax_code", ..., ("terms.no_show.tax_code", "missing")),
        ("deposit.more", 1, ("terms.deposit", "unknown_name")),
        ("deposit.milestones", [], ("terms.deposit.milestones", "out_of_range")),
        ("deposit.milestones.0.due", "soon", ("terms.deposit.milestones.0.due", "unknown_value")),
        ("deposit.milestones.0.days", 0, ("terms.deposit.milestones.0.days", "out_of_range")),
        ("deposit.milestones.0.more", 0, ("terms.deposit.milestones.0", "unknown_name")),
        ("deposit.milestones.1.percent", "x", ("terms.deposit.milestones.1.percent", "not_decimal")),
        ("deposit.milestones.2.on", "1.4.2027", ("terms.deposit.milestones.2.on", "not_iso_date")),
    ],
)
def test_a_document_that_is_no_terms_is_refused_by_its_place(path, value, expected):
    with pytest.raises(InvalidInputError) as error:
        Terms.from_json(written(path, value))
    assert refusal(error) == expected


def test_two_tiers_at_one_moment_are_refused_by_their_place_too():
    document = written("cancellation.tiers.1", WRITTEN["cancellation"]["tiers"][0])
    with pytest.raises(InvalidInputError) as error:
        Terms.from_json(document)
    assert refusal(error) == ("terms.cancellation.tiers", "same_moment")
    assert error.value.params["anchor"] == "arrival_at"


def test_old_terms_in_a_currency_that_was_withdrawn_can_be_read():
    assert Terms.from_json(written("currency", "HRK")).currency is Currency.recorded("HRK")
