"""Strategies for terms and for bookings under them, close to the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import strategies as st

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.money import Money
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.pricing.model.instalments import DepositPolicy, Due, Milestone
from pmscore.pricing.model.settlement import AgreedRoom, Payer, StayFacts
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.tiers import Anchor, CancellationPolicy, Extent, FeeBase, FeeSpec, Tier

# In the middle of a change of the clocks: Lisbon 28 March and 31 October, New York 14 March and 7 November,
# Lord Howe Island (half an hour) 4 April and 3 October 2027.
ZONES = (Zone("Europe/Lisbon"), Zone("America/New_York"), Zone("Australia/Lord_Howe"))
CHANGES = (
    date(2027, 3, 28),
    date(2027, 10, 31),
    date(2027, 3, 14),
    date(2027, 11, 7),
    date(2027, 4, 4),
    date(2027, 10, 3),
)
CURRENCIES = tuple(Currency.of(code) for code in ("JPY", "EUR", "KWD"))
WALLS = (time(0), time(1, 30), time(2, 15), time(12), time(18), time(23, 59, 59))

currencies = st.sampled_from(CURRENCIES)
percents = st.one_of(st.integers(0, WHOLE), st.sampled_from((0, 333_333, 500_000, WHOLE))).map(Percent)
amounts = st.integers(0, 300_00)


@st.composite
def fees(draw: st.DrawFn) -> FeeSpec:
    amount = draw(st.just(0) | amounts)
    extent = draw(st.sampled_from(Extent))
    return FeeSpec(
        amount=amount,
        percent=draw(percents),
        base=draw(st.sampled_from(FeeBase)),
        extent=extent,
        first_nights=draw(st.integers(1, 5)) if extent is Extent.FIRST else None,
        cap=draw(st.none() | st.integers(max(amount, 1), 500_00)),
        may_exceed_price=draw(st.booleans()),
        tax_code=draw(st.sampled_from(("", "VAT"))),
    )


@st.composite
def tiers(draw: st.DrawFn) -> Tier:
    anchor = draw(st.sampled_from(Anchor))
    sign = 1 if anchor is Anchor.CREATED else draw(st.sampled_from((-1, -1, 1)))
    return Tier(
        anchor=anchor,
        days=sign * draw(st.integers(0, 4)),
        hours=sign * draw(st.sampled_from((0, 0, 1, 24, 36, 48))),
        wall=draw(st.sampled_from(WALLS)) if anchor is Anchor.ARRIVAL_AT else None,
        fee=draw(fees()),
    )


policies = st.lists(tiers(), max_size=4, unique_by=lambda tier: tier.moment).map(
    lambda drawn: CancellationPolicy(tuple(drawn))
)


@st.composite
def milestones(draw: st.DrawFn) -> Milestone:
    due = draw(st.sampled_from(Due))
    counts = due in {Due.AFTER_BOOKING, Due.BEFORE_ARRIVAL}
    return Milestone(
        due=due,
        days=draw(st.integers(1, 60)) if counts else None,
        on=draw(st.dates(date(2027, 1, 1), date(2027, 12, 31))) if due is Due.ON_DATE else None,
        amount=draw(st.integers(1, 300_00)),
    )


@st.composite
def deposit_policies(draw: st.DrawFn) -> DepositPolicy:
    drawn = draw(st.lists(milestones(), min_size=1, max_size=5, unique_by=lambda each: each.moment))
    has_rest = draw(st.booleans())
    cuts = sorted(draw(st.sets(st.integers(1, WHOLE - 1), min_size=len(drawn) - 1, max_size=len(drawn) - 1)))
    shares = [end - start for start, end in zip([0, *cuts], [*cuts, WHOLE], strict=True)]
    made: list[Milestone] = []
    for index, (each, share) in enumerate(zip(drawn, shares, strict=True)):
        percent: Percent | None = Percent(share)
        if has_rest and (index == 0 or draw(st.booleans())):
            percent = None
        amount = each.amount if percent is None and index else None
        made.append(Milestone(due=each.due, days=each.days, on=each.on, percent=percent, amount=amount))
    return DepositPolicy(tuple(made))


@st.composite
def terms(draw: st.DrawFn, currency: Currency | None = None) -> Terms:
    return Terms(
        currency=draw(currencies) if currency is None else currency,
        cancellation=draw(policies),
        no_show=draw(fees()),
        deposit=draw(deposit_policies()),
    )


@st.composite
def rooms(draw: st.DrawFn, arrival: date, *, may_be_kept: bool) -> AgreedRoom:
    stay = StayRange.of(arrival, draw(st.integers(1, 4)))
    by_night = st.tuples(*[amounts] * stay.length)
    how = draw(
        st.sampled_from(("whole", "first", "last", "kept") if may_be_kept else ("whole", "first", "last"))
    )
    count = draw(st.integers(1, stay.length))
    removed = None
    if how == "first":
        removed = DateRange.of(stay.arrival, count)
    if how == "last":
        removed = DateRange(stay.departure - timedelta(days=count), stay.departure)
    return AgreedRoom(
        stay=stay,
        nightly=draw(by_night),
        fees=draw(by_night) if draw(st.booleans()) else (),
        taxes=draw(by_night) if draw(st.booleans()) else (),
        removed=removed,
        is_kept=how == "kept",
    )


@st.composite
def stay_facts(draw: st.DrawFn, currency: Currency, *, whole: bool = False) -> StayFacts:
    arrival = draw(st.sampled_from(CHANGES)) + timedelta(days=draw(st.integers(-2, 3)))
    before = timedelta(days=draw(st.integers(0, 6)), seconds=draw(st.integers(0, 86_400)))
    captured = draw(st.just(0) | st.integers(0, 2_000_00))
    drawn = [draw(rooms(arrival, may_be_kept=False))]
    drawn += [
        draw(rooms(arrival + timedelta(days=1), may_be_kept=True)) for _ in range(draw(st.integers(0, 1)))
    ]
    if whole:
        drawn = [
            AgreedRoom(stay=each.stay, nightly=each.nightly, fees=each.fees, taxes=each.taxes)
            for each in drawn
        ]
    return StayFacts(
        rooms=tuple(drawn),
        captured=Money(captured, currency),
        non_refundable=draw(st.none() | st.integers(0, captured).map(lambda minor: Money(minor, currency))),
        created_at=datetime.combine(arrival, time(20), tzinfo=UTC) - before,
        zone=draw(st.sampled_from(ZONES)),
        check_in_at=draw(st.sampled_from(WALLS)),
        payer=draw(st.sampled_from(Payer)),
    )


@st.composite
def sold(draw: st.DrawFn, *, whole: bool = False) -> tuple[Terms, StayFacts]:
    """Return terms and a booking in the same currency; what is due when does not vary."""
    currency = draw(currencies)
    made = Terms(
        currency=currency,
        cancellation=draw(policies),
        no_show=draw(fees()),
        deposit=DepositPolicy.all_due(Due.BOOKING),
    )
    return made, draw(stay_facts(currency, whole=whole))
