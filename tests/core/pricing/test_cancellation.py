"""What a cancellation costs: figures worked out by hand, the exact second, clocks that change, and laws.

Most examples are about one room from 10 to 13 May 2027 in Prague (UTC+2 by then), booked on 1 March:
nights 100.00, 120.00 and 90.00 (310.00); cleaning 50.00, which stands with the first night; taxes 10.00, 12.00
and 9.00 (31.00). Altogether 391.00.
"""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.drawn_terms import sold, stay_facts
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.instalments import DepositPolicy, Due
from pmscore.pricing.model.settlement import AgreedRoom, CancellationCharge, Cause, FeeStep, Payer, StayFacts
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.tiers import FREE, Anchor, CancellationPolicy, Extent, FeeBase, FeeSpec, Tier
from pmscore.pricing.policies.cancellation import cancellation_charge, moment_of, no_show_charge, timeline

EUR, JPY, KWD = (Currency.of(code) for code in ("EUR", "JPY", "KWD"))
INSTANT = timedelta(microseconds=1)
TOTAL, NIGHTS, NIGHTS_AND_FEES = FeeBase.TOTAL, FeeBase.NIGHTS, FeeBase.NIGHTS_AND_FEES


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def percent(text: str) -> Percent:
    return Percent.parse(text)


ROOM = AgreedRoom(
    stay=StayRange(date(2027, 5, 10), date(2027, 5, 13)),
    nightly=(10000, 12000, 9000),
    fees=(5000, 0, 0),
    taxes=(1000, 1200, 900),
)
STAY = StayFacts(
    rooms=(ROOM,),
    captured=Money(39100, EUR),
    created_at=utc("2027-03-01T10:00"),
    zone=Zone("Europe/Prague"),
    check_in_at=time(15),
)
LATE = utc("2027-05-09T12:00")
FIRST_NIGHT = FeeSpec.of_nights(1)


def terms(*tiers: Tier, no_show: FeeSpec = FREE, currency: Currency = EUR) -> Terms:
    return Terms(
        currency=currency,
        cancellation=CancellationPolicy(tiers),
        no_show=no_show,
        deposit=DepositPolicy.all_due(Due.BOOKING),
    )


def until_two_days_before(then: FeeSpec, *, currency: Currency = EUR) -> Terms:
    """Free until 18:00 on 8 May, which is 16:00 UTC."""
    return terms(*CancellationPolicy.free_until(2, time(18), then=then).tiers, currency=currency)


def late_fee(spec: FeeSpec, facts: StayFacts = STAY) -> int:
    return cancellation_charge(until_two_days_before(spec, currency=facts.currency), facts, LATE).fee.minor


def removing(start: int, end: int) -> StayFacts:
    """The nights from ``start`` of May until before ``end`` are given up."""
    return evolve(STAY, rooms=(evolve(ROOM, removed=DateRange(date(2027, 5, start), date(2027, 5, end))),))


def first(nights: int, share: str, base: FeeBase) -> FeeSpec:
    return FeeSpec(percent=percent(share), base=base, extent=Extent.FIRST, first_nights=nights)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (first(1, "100", NIGHTS), 10000),
        (first(1, "100", NIGHTS_AND_FEES), 15000),  # 100.00 + 50.00
        (first(1, "100", TOTAL), 16000),  # 100.00 + 50.00 + 10.00
        (first(2, "100", NIGHTS), 22000),  # 100.00 + 120.00
        (first(2, "100", NIGHTS_AND_FEES), 27000),  # 220.00 + 50.00
        (first(2, "80", TOTAL), 23360),  # 80 % of (220.00 + 50.00 + 22.00)
        (first(5, "100", NIGHTS), 31000),  # three nights are all there are
        (FeeSpec(percent=percent("50")), 15500),
        (FeeSpec(percent=percent("33.33")), 10332),  # 103.323
        (FeeSpec(percent=percent("12.5"), base=TOTAL), 4888),  # 48.875: a half goes up
        (FeeSpec(percent=percent("0.005")), 2),  # 0.0155
        (FeeSpec(percent=percent("0.0048")), 1),  # 0.01488
        (FeeSpec(amount=2500), 2500),
        (FeeSpec(amount=2500, percent=percent("10")), 5600),  # 25.00 + 31.00
        (FeeSpec(amount=2500, percent=percent("10"), cap=4000), 4000),
        (FeeSpec(amount=2500, percent=percent("10"), cap=5600), 5600),
        (FeeSpec(amount=2500, percent=percent("10"), cap=5601), 5600),
        (FeeSpec(amount=50000), 39100),  # not more than staying
        (FeeSpec(amount=50000, may_exceed_price=True), 50000),
        (FeeSpec(amount=50000, cap=60000), 39100),
        (FeeSpec.whole(), 39100),
        (FeeSpec(percent=percent("100"), base=TOTAL, extent=Extent.ALL), 39100),
        (FREE, 0),
    ],
)
def test_the_fee_of_the_whole_stay_is_the_one_worked_out_by_hand(spec, expected):
    assert late_fee(spec) == expected


@pytest.mark.parametrize(
    ("start", "end", "spec", "expected"),
    [
        # The last night: 90.00 and its tax of 9.00.
        (12, 13, FIRST_NIGHT, 9900),
        (12, 13, FeeSpec(percent=percent("50"), base=TOTAL), 4950),
        (12, 13, FeeSpec(percent=percent("10"), base=TOTAL, extent=Extent.ALL), 3910),
        (12, 13, FeeSpec(percent=percent("50"), base=TOTAL, extent=Extent.ALL), 9900),  # not 195.50
        # The last two: 120.00 + 90.00 and 21.00; the first of what is removed is the middle one.
        (11, 13, FIRST_NIGHT, 13200),
        (11, 13, first(1, "100", NIGHTS), 12000),
        (11, 13, FeeSpec.whole(), 23100),
        (11, 13, FeeSpec(amount=30000), 23100),
        # The first night, with the cleaning that stands there: the guest comes a day later.
        (10, 11, FeeSpec.whole(), 16000),
        (10, 11, FeeSpec(percent=percent("100")), 10000),
    ],
)
def test_the_fee_of_a_part_is_the_same_calculation_on_the_removed_nights(start, end, spec, expected):
    assert late_fee(spec, removing(start, end)) == expected


def test_one_of_two_rooms_is_removed_and_the_other_stays_as_it_is():
    other = AgreedRoom(stay=ROOM.stay, nightly=(20000, 20000, 20000), is_kept=True)
    facts = evolve(STAY, rooms=(ROOM, other), captured=Money(99100, EUR))
    charge = cancellation_charge(until_two_days_before(FIRST_NIGHT), facts, LATE)
    # 991.00 captured: 600.00 goes on paying for the other room, 160.00 is the fee.
    assert (charge.retained.minor, charge.fee.minor, charge.refund.minor) == (60000, 16000, 23100)


def test_of_two_rooms_the_first_night_of_each_is_owed_and_the_amount_once():
    other = AgreedRoom(stay=ROOM.stay, nightly=(20000, 20000, 20000))
    facts = evolve(STAY, rooms=(ROOM, other))
    assert late_fee(FIRST_NIGHT, facts) == 36000  # 160.00 + 200.00
    assert late_fee(evolve(FIRST_NIGHT, amount=1000), facts) == 37000


def test_a_room_that_arrives_later_has_the_deadline_of_the_booking():
    later = AgreedRoom(stay=StayRange(date(2027, 5, 12), date(2027, 5, 14)), nightly=(8000, 8000))
    facts = evolve(STAY, rooms=(evolve(ROOM, is_kept=True), later))
    assert late_fee(FIRST_NIGHT, facts) == 8000


@pytest.mark.parametrize(
    ("currency", "nightly", "spec", "expected"),
    [
        (JPY, 12345, FeeSpec(percent=percent("15")), 1852),  # 1,851.75 yen
        (JPY, 12350, FeeSpec(percent=percent("15")), 1853),  # 1,852.5 yen: a half goes up
        (JPY, 12345, FeeSpec(amount=5000, percent=percent("15")), 6852),
        (KWD, 45678, FeeSpec(percent=percent("33.3333")), 15226),  # 15.2259848 dinars
        (KWD, 45678, FeeSpec(percent=percent("25")), 11420),  # 11.4195: a half goes up
        (EUR, 45678, FeeSpec(percent=percent("25")), 11420),  # 114.195
    ],
)
def test_a_share_is_rounded_once_to_the_unit_of_its_currency(currency, nightly, spec, expected):
    room = AgreedRoom(stay=StayRange(date(2027, 5, 10), date(2027, 5, 11)), nightly=(nightly,))
    assert late_fee(spec, evolve(STAY, rooms=(room,), captured=Money(0, currency))) == expected


def parts(charge: CancellationCharge) -> tuple[int, int, int, int]:
    return charge.fee.minor, charge.forfeited.minor, charge.refund.minor, charge.receivable.minor


@pytest.mark.parametrize(
    ("captured", "non_refundable", "expected"),
    [
        (39100, None, (16000, 0, 23100, 0)),
        (16000, None, (16000, 0, 0, 0)),
        (15999, None, (16000, 0, 0, 1)),
        (10000, None, (16000, 0, 0, 6000)),
        (0, None, (16000, 0, 0, 16000)),
        (50000, None, (16000, 0, 34000, 0)),  # paid too much: that comes back too
        (39100, 2000, (16000, 2000, 21100, 0)),
        (17000, 2000, (16000, 1000, 0, 0)),  # only 10.00 is left to forfeit
        (16000, 2000, (16000, 0, 0, 0)),
        (10000, 10000, (16000, 0, 0, 6000)),
    ],
)
def test_what_was_captured_pays_the_fee_then_what_is_forfeited_and_the_rest_goes_back(
    captured, non_refundable, expected
):
    kept = None if non_refundable is None else Money(non_refundable, EUR)
    facts = evolve(STAY, captured=Money(captured, EUR), non_refundable=kept)
    assert parts(cancellation_charge(until_two_days_before(FIRST_NIGHT), facts, LATE)) == expected


def test_a_deposit_stays_with_what_is_kept_of_the_booking():
    # The last night is given up at 99.00; the other two cost 292.00, and 100.00 has been paid.
    facts = evolve(removing(12, 13), captured=Money(10000, EUR))
    charge = cancellation_charge(until_two_days_before(FIRST_NIGHT), facts, LATE)
    assert (charge.retained.minor, *parts(charge)) == (10000, 9900, 0, 0, 9900)


def test_a_stay_that_the_channel_collects_for_gives_nothing_back_to_the_guest():
    facts = evolve(STAY, captured=Money(20000, EUR), payer=Payer.CHANNEL)
    charge = cancellation_charge(until_two_days_before(FIRST_NIGHT), facts, LATE)
    assert parts(charge) == (16000, 0, 0, 0)
    assert charge.returned_to_channel == Money(4000, EUR)
    unpaid = evolve(facts, captured=Money(0, EUR))
    charge = cancellation_charge(until_two_days_before(FIRST_NIGHT), unpaid, LATE)
    assert (charge.receivable, charge.payer) == (Money(16000, EUR), Payer.CHANNEL)


def test_a_no_show_has_its_own_fee_and_no_moment():
    charge = no_show_charge(terms(no_show=FeeSpec(percent=percent("80"))), STAY)
    assert parts(charge) == (24800, 0, 14300, 0)  # 80 % of 310.00; 391.00 - 248.00
    assert (charge.cause, charge.at, charge.tier, charge.deadlines) == (Cause.NO_SHOW, None, None, ())


# --- moments -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2027-05-08T15:59:59", 0),
        ("2027-05-08T16:00:00", 0),  # the deadline itself is free
        ("2027-05-08T16:00:00.000001", 16000),
        ("2027-05-08T16:00:01", 16000),
        ("2027-05-20T00:00:00", 16000),  # after the arrival nothing earlier counts again
    ],
)
def test_the_exact_second_of_the_deadline_is_free(at, expected):
    assert cancellation_charge(until_two_days_before(FIRST_NIGHT), STAY, utc(at)).fee.minor == expected


def test_the_last_tier_whose_moment_has_passed_counts_and_only_that():
    sold_on = terms(
        Tier(anchor=Anchor.ARRIVAL_DATE, days=-1, fee=FeeSpec.whole()),
        Tier(anchor=Anchor.ARRIVAL_DATE, days=-30, fee=FeeSpec(percent=percent("20"))),
        Tier(anchor=Anchor.ARRIVAL_DATE, days=-7, fee=FeeSpec(percent=percent("50"))),
        Tier(anchor=Anchor.ARRIVAL_CHECK_IN, hours=3, fee=FeeSpec(amount=1)),
    )
    fees = [(each.until_at, each.fee.minor) for each in timeline(sold_on, STAY)]
    assert fees == [
        (utc("2027-04-09T22:00"), 0),  # midnight of 10 April
        (utc("2027-05-02T22:00"), 6200),
        (utc("2027-05-08T22:00"), 15500),
        (utc("2027-05-10T16:00"), 39100),  # 15:00 and three hours
        (None, 1),  # a fee may fall; the preview shows it
    ]


def test_a_non_refundable_stay_costs_everything_from_the_instant_of_booking():
    sold_on = terms(*CancellationPolicy.non_refundable().tiers)
    for at in (STAY.created_at, STAY.created_at + INSTANT, LATE):
        assert parts(cancellation_charge(sold_on, STAY, at)) == (39100, 0, 0, 0)
    assert [each.fee.minor for each in timeline(sold_on, STAY)] == [39100]


def test_a_moment_before_the_booking_counts_as_the_moment_of_booking():
    sold_on = terms(*CancellationPolicy.non_refundable().tiers)
    assert cancellation_charge(sold_on, STAY, utc("2020-01-01T00:00")).fee == Money(39100, EUR)


def test_who_books_after_a_deadline_is_past_it_from_the_start():
    facts = evolve(STAY, created_at=utc("2027-05-09T08:00"))
    assert [
        (each.after_at, each.fee.minor) for each in timeline(until_two_days_before(FIRST_NIGHT), facts)
    ] == [(None, 16000)]


def test_who_books_at_the_very_deadline_may_still_cancel_in_that_instant():
    facts = evolve(STAY, created_at=utc("2027-05-08T16:00"))
    stretches = timeline(until_two_days_before(FIRST_NIGHT), facts)
    assert [(each.after_at, each.until_at, each.fee.minor) for each in stretches] == [
        (None, utc("2027-05-08T16:00"), 0),
        (utc("2027-05-08T16:00"), None, 16000),
    ]


def test_a_tier_from_booking_is_the_ground_that_a_passed_one_replaces():
    sold_on = terms(
        Tier(anchor=Anchor.CREATED, fee=FeeSpec(percent=percent("30"))),
        Tier(anchor=Anchor.ARRIVAL_DATE, days=-7, fee=FeeSpec(percent=percent("100"))),
    )
    assert [each.fee.minor for each in timeline(sold_on, STAY)] == [9300, 31000]
    late = evolve(STAY, created_at=utc("2027-05-09T08:00"))
    assert [each.fee.minor for each in timeline(sold_on, late)] == [31000]


def test_of_two_tiers_that_fall_on_one_instant_the_cheaper_counts():
    cheap, dear = FeeSpec(amount=100), FeeSpec(amount=200)
    for one, two in ((cheap, dear), (dear, cheap)):
        sold_on = terms(
            Tier(anchor=Anchor.ARRIVAL_CHECK_IN, days=-1, fee=one),
            Tier(anchor=Anchor.ARRIVAL_AT, days=-1, wall=time(15), fee=two),
        )
        assert [each.fee.minor for each in timeline(sold_on, STAY)] == [0, 100]


def moment(zone: str, day: str, tier: Tier, *, created: str = "2027-01-01T12:00") -> datetime:
    stay = StayRange.of(date.fromisoformat(day), 1)
    facts = StayFacts(
        rooms=(AgreedRoom(stay=stay, nightly=(100,)),),
        captured=Money(0, EUR),
        created_at=utc(created),
        zone=Zone(zone),
        check_in_at=time(15),
    )
    return moment_of(tier, facts)


@pytest.mark.parametrize(
    ("zone", "arrival", "tier", "expected"),
    [
        # Lisbon: clocks go from 01:00 to 02:00 on 28 March 2027, from 02:00 to 01:00 on 31 October.
        ("Europe/Lisbon", "2027-03-28", {"days": -1}, "2027-03-27T15:00"),
        ("Europe/Lisbon", "2027-03-28", {"hours": -24}, "2027-03-27T14:00"),  # 14:00 on the clock
        ("Europe/Lisbon", "2027-10-31", {"days": -1}, "2027-10-30T14:00"),
        ("Europe/Lisbon", "2027-10-31", {"hours": -24}, "2027-10-30T15:00"),
        ("Europe/Lisbon", "2027-03-28", {"anchor": "arrival_date", "days": -1}, "2027-03-27T00:00"),
        ("Europe/Lisbon", "2027-03-29", {"anchor": "arrival_date", "hours": -24}, "2027-03-27T23:00"),
        # New York: 14 March (UTC-5 to -4) and 7 November 2027.
        ("America/New_York", "2027-03-14", {"days": -1}, "2027-03-13T20:00"),
        ("America/New_York", "2027-03-14", {"hours": -24}, "2027-03-13T19:00"),
        ("America/New_York", "2027-03-15", {"days": -1, "hours": -12}, "2027-03-14T07:00"),
        ("America/New_York", "2027-11-07", {"anchor": "arrival_date", "days": 1}, "2027-11-08T05:00"),
        ("America/New_York", "2027-11-07", {"anchor": "arrival_date", "hours": 24}, "2027-11-08T04:00"),
        # 02:30 is skipped in New York on 14 March and becomes 03:30; 01:30 comes twice on 7 November.
        ("America/New_York", "2027-03-14", {"anchor": "arrival_at", "wall": time(2, 30)}, "2027-03-14T07:30"),
        ("America/New_York", "2027-11-07", {"anchor": "arrival_at", "wall": time(1, 30)}, "2027-11-07T05:30"),
        # Lord Howe Island moves by half an hour: UTC+11 to +10:30 on 4 April, back on 3 October 2027.
        ("Australia/Lord_Howe", "2027-04-04", {"days": -1}, "2027-04-03T04:00"),
        ("Australia/Lord_Howe", "2027-04-04", {"hours": -24}, "2027-04-03T04:30"),
        ("Australia/Lord_Howe", "2027-10-03", {"days": -1}, "2027-10-02T04:30"),
        ("Australia/Lord_Howe", "2027-10-03", {"hours": -24}, "2027-10-02T04:00"),
        # Havana skips midnight on 14 March 2027: the day begins at 01:00.
        ("America/Havana", "2027-03-14", {"anchor": "arrival_date"}, "2027-03-14T05:00"),
    ],
)
def test_days_keep_the_wall_time_over_a_change_of_the_clocks_and_hours_elapse(zone, arrival, tier, expected):
    anchor = Anchor(tier.get("anchor", "arrival_check_in"))
    made = Tier(anchor=anchor, fee=FREE, **{name: each for name, each in tier.items() if name != "anchor"})
    assert moment(zone, arrival, made) == utc(expected)


@pytest.mark.parametrize(
    ("days", "hours", "expected"),
    [
        (0, 0, "2027-03-27T20:30:07"),  # 20:30:07 in Lisbon
        (0, 24, "2027-03-28T20:30:07"),  # 21:30:07 there
        (1, 0, "2027-03-28T19:30:07"),  # 20:30:07 there
        (1, 2, "2027-03-28T21:30:07"),
    ],
)
def test_an_offset_from_the_booking_counts_the_same_way(days, hours, expected):
    tier = Tier(anchor=Anchor.CREATED, days=days, hours=hours, fee=FREE)
    assert moment("Europe/Lisbon", "2027-06-01", tier, created="2027-03-27T20:30:07") == utc(expected)


def test_an_offset_beyond_the_calendar_ends_at_its_first_day():
    tier = Tier(anchor=Anchor.ARRIVAL_DATE, days=-3660, fee=FREE)
    assert moment("Etc/UTC", "1905-01-01", tier) == utc("1900-01-01T00:00")


# --- what is shown --------------------------------------------------------------------------------------


def test_the_steps_say_how_the_fee_came_about():
    spec = FeeSpec(amount=2500, percent=percent("12.5"), base=TOTAL, cap=7000)
    charge = cancellation_charge(until_two_days_before(spec), removing(12, 13), LATE)
    # 12.5 % of 99.00 is 12.375, so 12.38; and 25.00 is 37.38.
    assert charge.steps == (
        FeeStep(rule="base", operand="total, removed", before=0, after=9900),
        FeeStep(rule="percent", operand="12.5 %", before=9900, after=1238, rounding="half_up"),
        FeeStep(rule="amount", operand="2500", before=1238, after=3738),
        FeeStep(rule="cap", operand="7000", before=3738, after=3738),
    )
    assert (charge.fee.minor, charge.spec, charge.at) == (3738, spec, LATE)
    assert charge.tier is not None
    assert charge.tier.fee == spec


def test_the_steps_name_the_limit_where_it_binds():
    charge = cancellation_charge(until_two_days_before(FeeSpec(amount=50000)), STAY, LATE)
    assert charge.steps[-1] == FeeStep(rule="price", operand="39100", before=50000, after=39100)
    charge = no_show_charge(terms(no_show=FIRST_NIGHT), STAY)
    assert charge.steps == (
        FeeStep(rule="base", operand="total, first 1", before=0, after=16000),
        FeeStep(rule="percent", operand="100 %", before=16000, after=16000, rounding="half_up"),
    )


def test_before_the_first_deadline_no_tier_counts():
    charge = cancellation_charge(until_two_days_before(FIRST_NIGHT), STAY, utc("2027-04-01T00:00"))
    assert (charge.tier, charge.spec, charge.steps) == (None, FREE, ())
    assert parts(charge) == (0, 0, 39100, 0)
    assert [each.until_at for each in charge.deadlines] == [utc("2027-05-08T16:00"), None]


# --- refusals -------------------------------------------------------------------------------------------


def refusal(error: pytest.ExceptionInfo[InvalidInputError]) -> tuple[str, str]:
    return error.value.field, error.value.reason


def test_another_currency_is_refused():
    with pytest.raises(InvalidInputError) as error:
        cancellation_charge(terms(currency=JPY), STAY, LATE)
    assert refusal(error) == ("currency", "mixed_currencies")
    with pytest.raises(InvalidInputError):
        no_show_charge(terms(currency=JPY), STAY)
    with pytest.raises(InvalidInputError):
        timeline(terms(currency=JPY), STAY)


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(InvalidInputError) as error:
        cancellation_charge(terms(), STAY, LATE.replace(tzinfo=None))
    assert refusal(error) == ("at", "naive")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rooms": ()}, ("rooms", "out_of_range")),
        ({"rooms": (evolve(ROOM, is_kept=True),)}, ("rooms", "nothing_is_removed")),
        ({"captured": Money(-1, EUR)}, ("captured", "negative_amount")),
        ({"non_refundable": Money(-1, EUR)}, ("non_refundable", "negative_amount")),
        ({"non_refundable": Money(39101, EUR)}, ("non_refundable", "more_than_captured")),
        ({"non_refundable": Money(1, JPY)}, ("currency", "mixed_currencies")),
        ({"created_at": datetime(2027, 3, 1)}, ("created_at", "naive")),  # noqa: DTZ001 - a naive one is refused
        ({"check_in_at": time(15, tzinfo=UTC)}, ("check_in_at", "not_local")),
    ],
)
def test_impossible_facts_are_refused_by_name(changes, expected):
    with pytest.raises(InvalidInputError) as error:
        evolve(STAY, **changes)
    assert refusal(error) == expected


def test_a_booking_has_a_hundred_rooms_at_most():
    assert len(evolve(STAY, rooms=(ROOM,) * 100).rooms) == 100
    with pytest.raises(InvalidInputError) as error:
        evolve(STAY, rooms=(ROOM,) * 101)
    assert refusal(error) == ("rooms", "out_of_range")
    assert (error.value.params["least"], error.value.params["most"]) == (1, 100)


MAY = date(2027, 5, 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"nightly": (1, 2)}, ("nightly", "not_one_amount_a_night")),
        ({"nightly": ()}, ("nightly", "not_one_amount_a_night")),
        ({"fees": (1,)}, ("fees", "not_one_amount_a_night")),
        ({"taxes": (1, 2, 3, 4)}, ("taxes", "not_one_amount_a_night")),
        ({"taxes": (1, 2, -3)}, ("taxes", "negative_amount")),
        ({"nightly": (1, 2, True)}, ("nightly", "not_an_integer")),
        ({"removed": DateRange.of(MAY.replace(day=9), 2)}, ("removed", "outside_the_stay")),
        ({"removed": DateRange.of(MAY.replace(day=11), 1)}, ("removed", "splits_the_stay")),
        ({"removed": DateRange.of(MAY.replace(day=12), 1), "is_kept": True}, ("removed", "room_is_kept")),
    ],
)
def test_an_impossible_room_is_refused_by_name(changes, expected):
    with pytest.raises(InvalidInputError) as error:
        evolve(ROOM, **changes)
    assert refusal(error) == expected


# --- laws -----------------------------------------------------------------------------------------------

near = st.sampled_from((-INSTANT, timedelta(0), INSTANT))


@st.composite
def asked(draw: st.DrawFn) -> tuple[Terms, StayFacts, datetime]:
    """Return a booking and a moment, as often as not right at one of its deadlines."""
    sold_on, facts = draw(sold())
    moments = [facts.created_at, *(moment_of(tier, facts) for tier in sold_on.cancellation.tiers)]
    at = draw(st.sampled_from(moments)) + draw(near)
    return (
        sold_on,
        facts,
        draw(st.just(at) | st.integers(0, 12 * 86_400).map(lambda s: at + timedelta(seconds=s))),
    )


def naive_fee(sold_on: Terms, facts: StayFacts, at: datetime) -> int:
    """Return the fee by the definition, with the standard library's zones and one list of candidates."""
    rules = zoneinfo.ZoneInfo(facts.zone.name)
    candidates: list[tuple[datetime, int]] = []
    for tier in sold_on.cancellation.tiers:
        created = facts.created_at.astimezone(rules)
        walls = {
            Anchor.CREATED: created.time(),
            Anchor.ARRIVAL_DATE: time(0),
            Anchor.ARRIVAL_CHECK_IN: facts.check_in_at,
            Anchor.ARRIVAL_AT: tier.wall,
        }
        day = (
            created.date()
            if tier.anchor is Anchor.CREATED
            else min(each.stay.arrival for each in facts.rooms)
        )
        start = datetime.combine(day + timedelta(days=tier.days), walls[tier.anchor] or time(0), tzinfo=rules)
        if tier.anchor is Anchor.CREATED and tier.days == 0:
            start = facts.created_at
        moment_at = start.astimezone(UTC) + timedelta(hours=tier.hours)
        if tier.anchor is Anchor.CREATED and tier.days == tier.hours == 0:
            moment_at = datetime.min.replace(tzinfo=UTC)
        candidates.append((moment_at, naive_amount(tier.fee, facts)))
    passed = [each for each in candidates if each[0] < max(at, facts.created_at)]
    if not passed:
        return 0
    last = max(moment_at for moment_at, _ in passed)
    return min(fee for moment_at, fee in passed if moment_at == last)


def naive_amount(spec: FeeSpec, facts: StayFacts) -> int:
    base = price = 0
    for room in facts.rooms:
        removed = [
            night
            for night in room.stay.nights()
            if not room.is_kept and (room.removed is None or night in room.removed)
        ]
        chosen = room.stay.nights() if spec.extent is Extent.ALL else tuple(removed)
        if spec.extent is Extent.FIRST:
            chosen = chosen[: spec.first_nights]
        for index, night in enumerate(room.stay.nights()):
            nightly = room.nightly[index]
            fees = room.fees[index] if room.fees else 0
            taxes = room.taxes[index] if room.taxes else 0
            if night in chosen:
                base += nightly + (spec.base is not NIGHTS) * fees + (spec.base is TOTAL) * taxes
            if night in removed:
                price += nightly + fees + taxes
    # Half up: twice the share in millionths, and one, cut down.
    fee = spec.amount + (2 * base * spec.percent.millionths + 1_000_000) // 2_000_000
    if spec.cap is not None:
        fee = min(fee, spec.cap)
    return fee if spec.may_exceed_price else min(fee, price)


@given(asked())
def test_the_fee_is_that_of_the_naive_model(case):
    sold_on, facts, at = case
    assert cancellation_charge(sold_on, facts, at).fee.minor == naive_fee(sold_on, facts, at)


@given(asked())
def test_the_parts_of_a_charge_reconcile_and_none_is_negative(case):
    sold_on, facts, at = case
    for charge in (cancellation_charge(sold_on, facts, at), no_show_charge(sold_on, facts)):
        into = (charge.retained, charge.fee, charge.forfeited, charge.refund, charge.returned_to_channel)
        assert Money.total(into, facts.currency) == charge.captured + charge.receivable
        assert all(part.minor >= 0 for part in (*into, charge.receivable))
        assert charge.refund + charge.returned_to_channel <= charge.captured == facts.captured
        assert not charge.refund or facts.payer is Payer.GUEST
        assert not charge.returned_to_channel or facts.payer is Payer.CHANNEL


@given(asked())
def test_a_fee_is_at_most_what_is_removed_unless_it_is_a_penalty(case):
    sold_on, facts, at = case
    charge = cancellation_charge(sold_on, facts, at)
    assert charge.spec.may_exceed_price or charge.fee.minor <= facts.removed_total


@given(asked())
def test_the_preview_of_a_moment_is_what_is_charged_at_it(case):
    sold_on, facts, at = case
    stretches = timeline(sold_on, facts)
    charge = cancellation_charge(sold_on, facts, at)
    moment_at = max(at, facts.created_at)
    shown = [
        each
        for each in stretches
        if (each.after_at is None or each.after_at < moment_at)
        and (each.until_at is None or moment_at <= each.until_at)
    ]
    assert [(each.fee, each.tier, each.steps) for each in shown] == [(charge.fee, charge.tier, charge.steps)]
    assert charge.deadlines == stretches


@given(sold())
def test_the_preview_has_no_gap_and_ascends(case):
    stretches = timeline(*case)
    assert stretches[0].after_at is None
    assert stretches[-1].until_at is None
    ends = [each.until_at for each in stretches[:-1]]
    assert ends == [each.after_at for each in stretches[1:]]
    assert ends == sorted(set(ends))


@given(asked())
def test_the_same_moment_in_another_zone_is_the_same_moment(case):
    sold_on, facts, at = case
    elsewhere = at.astimezone(zoneinfo.ZoneInfo("America/New_York"))
    facts_elsewhere = evolve(
        facts, created_at=facts.created_at.astimezone(zoneinfo.ZoneInfo("America/New_York"))
    )
    first_time, again = cancellation_charge(sold_on, facts, at), cancellation_charge(sold_on, facts, at)
    assert first_time == again
    assert cancellation_charge(sold_on, facts, elsewhere) == first_time
    assert cancellation_charge(sold_on, facts_elsewhere, elsewhere).fee == first_time.fee


@given(asked())
def test_the_snapshot_charges_what_the_policies_did(case):
    sold_on, facts, at = case
    kept = Terms.from_json(sold_on.to_json())
    assert cancellation_charge(kept, facts, at) == cancellation_charge(sold_on, facts, at)


@given(sold(whole=True), near)
def test_to_remove_every_night_by_name_is_to_remove_the_whole(case, shift):
    sold_on, facts = case
    by_name = evolve(
        facts, rooms=tuple(evolve(each, removed=DateRange.from_stay(each.stay)) for each in facts.rooms)
    )
    at = facts.created_at + timedelta(days=2) + shift
    assert cancellation_charge(sold_on, by_name, at) == cancellation_charge(sold_on, facts, at)
    assert facts.kept_total == 0


@given(stay_facts(EUR, whole=True))
def test_what_is_removed_and_what_is_kept_are_together_the_whole(booked):
    assert booked.kept_total == 0
    for room in booked.rooms:
        whole = evolve(booked, rooms=(room,)).removed_total
        for cut in range(1, room.stay.length):
            first_part = evolve(room, removed=DateRange.of(room.stay.arrival, cut))
            last_part = evolve(room, removed=DateRange.of(room.stay.nights()[cut], room.stay.length - cut))
            one, other = (evolve(booked, rooms=(each,)) for each in (first_part, last_part))
            assert (one.removed_total, one.kept_total) == (other.kept_total, other.removed_total)
            assert one.removed_total + one.kept_total == whole
