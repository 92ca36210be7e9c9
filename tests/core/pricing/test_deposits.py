"""When a booking's total is due: figures worked out by hand, and the law that the parts are the total.

Most examples: a stay from 10 to 13 May 2027 in Prague, booked on 1 March 2027 at 11:00 there (10:00 UTC).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.drawn_terms import CHANGES, ZONES, currencies, deposit_policies
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone, local_date
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.instalments import DepositPolicy, Due, Milestone
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.tiers import FREE, CancellationPolicy
from pmscore.pricing.policies.deposits import DueAmount, deposit_schedule

EUR, JPY, KWD = (Currency.of(code) for code in ("EUR", "JPY", "KWD"))
STAY = StayRange(date(2027, 5, 10), date(2027, 5, 13))
PRAGUE = Zone("Europe/Prague")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BOOKED_AT = utc("2027-03-01T10:00")


def terms(*milestones: Milestone, currency: Currency = EUR) -> Terms:
    return Terms(
        currency=currency,
        cancellation=CancellationPolicy(),
        no_show=FREE,
        deposit=DepositPolicy(milestones),
    )


def schedule(
    *milestones: Milestone, total: int, currency: Currency = EUR, booked_at: datetime = BOOKED_AT
) -> tuple[DueAmount, ...]:
    return deposit_schedule(
        terms(*milestones, currency=currency),
        Money(total, currency),
        booked_at=booked_at,
        stay=STAY,
        zone=PRAGUE,
    )


def shown(found: tuple[DueAmount, ...]) -> list[tuple[str, int]]:
    return [(each.due_on.isoformat(), each.amount.minor) for each in found]


def share(due: Due, percent: str, *, days: int | None = None) -> Milestone:
    return Milestone(due=due, days=days, percent=Percent.parse(percent))


def fixed(due: Due, amount: int, *, days: int | None = None) -> Milestone:
    return Milestone(due=due, days=days, amount=amount)


AT_ARRIVAL = Milestone(due=Due.ARRIVAL)


def test_every_kind_of_milestone_has_its_date_and_instant():
    found = schedule(
        share(Due.BOOKING, "10"),
        share(Due.AFTER_BOOKING, "10", days=14),
        Milestone(due=Due.ON_DATE, on=date(2027, 4, 1), percent=Percent.parse("10")),
        share(Due.BEFORE_ARRIVAL, "10", days=30),
        share(Due.ARRIVAL, "10"),
        Milestone(due=Due.DEPARTURE),
        total=39100,
    )
    assert [(each.due_at, each.due_on, each.amount.minor) for each in found] == [
        (BOOKED_AT, date(2027, 3, 1), 3910),
        (utc("2027-03-14T23:00"), date(2027, 3, 15), 3910),  # midnight at UTC+1
        (utc("2027-03-31T22:00"), date(2027, 4, 1), 3910),  # at UTC+2
        (utc("2027-04-09T22:00"), date(2027, 4, 10), 3910),
        (utc("2027-05-09T22:00"), date(2027, 5, 10), 3910),
        (utc("2027-05-12T22:00"), date(2027, 5, 13), 19550),
    ]


@pytest.mark.parametrize(
    ("milestones", "total", "expected"),
    [
        # 30 % of 391.00 at once, the rest on arrival.
        ((share(Due.BOOKING, "30"), AT_ARRIVAL), 39100, [11730, 27370]),
        # 100.00 at once, half of 391.00 a month before, the rest on arrival.
        (
            (fixed(Due.BOOKING, 10000), share(Due.BEFORE_ARRIVAL, "50", days=30), AT_ARRIVAL),
            39100,
            [10000, 19550, 9550],
        ),
        # 100.00, then 50.00, of a total of 120.00: the later one takes what is left, no rest is due.
        (
            (fixed(Due.BOOKING, 10000), fixed(Due.AFTER_BOOKING, 5000, days=7), AT_ARRIVAL),
            12000,
            [10000, 2000],
        ),
        # 100.00 at once of 80.00.
        ((fixed(Due.BOOKING, 10000), AT_ARRIVAL), 8000, [8000]),
        # The rest at once, 100.00 on arrival.
        ((Milestone(due=Due.BOOKING), fixed(Due.ARRIVAL, 10000)), 39100, [29100, 10000]),
        # Thirds of 100.00: the unit that is left over goes to the largest remainder.
        (
            (share(Due.BOOKING, "33.3333"), share(Due.ARRIVAL, "33.3333"), share(Due.DEPARTURE, "33.3334")),
            10000,
            [3333, 3333, 3334],
        ),
        # Halves of 0.01: equal remainders, the earlier one takes it, and nothing is no instalment.
        ((share(Due.BOOKING, "50"), share(Due.ARRIVAL, "50")), 1, [1]),
        # 12.5 % of 0.20 is 0.025 and leaves 0.175: equal remainders, the deposit takes the unit.
        ((share(Due.BOOKING, "12.5"), AT_ARRIVAL), 20, [3, 17]),
        ((share(Due.BOOKING, "30"), AT_ARRIVAL), 0, []),
    ],
)
def test_the_amounts_are_those_worked_out_by_hand(milestones, total, expected):
    assert [each.amount.minor for each in schedule(*milestones, total=total)] == expected


@pytest.mark.parametrize(
    ("currency", "total", "expected"),
    [
        (JPY, 10001, [3000, 7001]),  # 3,000.3 and 7,000.7 yen
        (EUR, 10001, [3000, 7001]),
        (KWD, 12345, [3704, 8641]),  # 3.7035 and 8.6415 dinars: equal remainders, the earlier one
    ],
)
def test_the_split_is_made_in_the_units_of_the_currency(currency, total, expected):
    found = schedule(share(Due.BOOKING, "30"), AT_ARRIVAL, total=total, currency=currency)
    assert [each.amount for each in found] == [Money(minor, currency) for minor in expected]


def test_the_total_of_several_rooms_is_split_once():
    # Three rooms at 33.35: 30 % of 100.05 is 30.015. Each room alone would give 10.005, three times 10.01.
    assert [each.amount.minor for each in schedule(share(Due.BOOKING, "30"), AT_ARRIVAL, total=10005)] == [
        3002,
        7003,
    ]


def test_milestones_that_are_past_when_the_booking_is_made_are_due_at_once():
    booked_at = utc("2027-05-01T09:00")
    found = schedule(
        share(Due.BOOKING, "10"),
        share(Due.BEFORE_ARRIVAL, "40", days=30),
        share(Due.BEFORE_ARRIVAL, "20", days=9),
        AT_ARRIVAL,
        total=10000,
        booked_at=booked_at,
    )
    assert [(each.due_at, each.amount.minor) for each in found] == [
        (booked_at, 4000),
        (booked_at, 1000),
        (booked_at, 2000),  # nine days before arrival is the day of booking
        (utc("2027-05-09T22:00"), 3000),
    ]
    assert shown(found)[:3] == [("2027-05-01", 4000), ("2027-05-01", 1000), ("2027-05-01", 2000)]


def test_dates_are_those_of_the_property():
    # In Prague it is already 2 March.
    found = schedule(
        share(Due.AFTER_BOOKING, "10", days=1), AT_ARRIVAL, total=100, booked_at=utc("2027-03-01T23:30")
    )
    assert shown(found) == [("2027-03-03", 10), ("2027-05-10", 90)]


def test_a_walk_in_owes_what_is_due_on_arrival_at_once():
    booked_at = utc("2027-05-10T17:00")
    found = schedule(AT_ARRIVAL, total=100, booked_at=booked_at)
    assert [(each.due_at, each.amount.minor) for each in found] == [(booked_at, 100)]


@pytest.mark.parametrize(
    ("total", "booked_at", "expected"),
    [
        (Money(1, JPY), BOOKED_AT, ("currency", "mixed_currencies")),
        (Money(-1, EUR), BOOKED_AT, ("total", "negative_amount")),
        (Money(1, EUR), BOOKED_AT.replace(tzinfo=None), ("booked_at", "naive")),
    ],
)
def test_what_cannot_be_scheduled_is_refused_by_name(total, booked_at, expected):
    with pytest.raises(InvalidInputError) as error:
        deposit_schedule(terms(AT_ARRIVAL), total, booked_at=booked_at, stay=STAY, zone=PRAGUE)
    assert (error.value.field, error.value.reason) == expected


# --- laws -----------------------------------------------------------------------------------------------


@st.composite
def scheduled(draw: st.DrawFn) -> tuple[Terms, Money, datetime, tuple[DueAmount, ...]]:
    currency = draw(currencies)
    sold_on = Terms(
        currency=currency, cancellation=CancellationPolicy(), no_show=FREE, deposit=draw(deposit_policies())
    )
    total = Money(draw(st.integers(0, 20) | st.integers(0, 10**9)), currency)
    arrival = draw(st.sampled_from(CHANGES))
    booked_at = datetime(arrival.year, arrival.month, arrival.day, tzinfo=UTC) - timedelta(
        minutes=draw(st.integers(0, 120 * 1440))
    )
    stay = StayRange.of(arrival, draw(st.integers(1, 20)))
    zone = draw(st.sampled_from(ZONES))
    found = deposit_schedule(sold_on, total, booked_at=booked_at, stay=stay, zone=zone)
    assert all(local_date(each.due_at, zone) == each.due_on for each in found)
    return sold_on, total, booked_at, found


@given(scheduled())
def test_the_schedule_sums_to_the_total(case):
    _, total, _, found = case
    assert Money.total((each.amount for each in found), total.currency) == total
    assert all(each.amount.minor > 0 for each in found)


@given(scheduled())
def test_the_schedule_ascends_from_the_booking_on(case):
    _, _, booked_at, found = case
    moments = [each.due_at for each in found]
    assert moments == sorted(moments)
    assert all(moment >= booked_at for moment in moments)


@given(scheduled())
def test_a_percentage_is_within_a_unit_of_its_exact_share_unless_amounts_took_it(case):
    sold_on, total, _, found = case
    if any(each.amount is not None for each in sold_on.deposit.milestones):
        return
    for each in found:
        if each.milestone.percent is not None:
            exact = total.minor * each.milestone.percent.millionths
            assert abs(each.amount.minor * 1_000_000 - exact) < 1_000_000


@given(deposit_policies(), st.randoms())
def test_the_order_in_which_milestones_are_given_does_not_matter(policy, random):
    shuffled = list(policy.milestones)
    random.shuffle(shuffled)
    assert DepositPolicy(tuple(shuffled)) == policy
