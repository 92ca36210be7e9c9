"""The short way to the totals agrees with the engine, and says when it may not be taken."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.pricing.charging_scene import (
    AMOUNTS,
    ARRIVAL,
    CATEGORIES,
    KEEPING_GROSS,
    PARTIES,
    PER_LINE,
    PER_RATE,
    night,
    nights_at,
    stay_of,
    tax,
)
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Rounding
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.counting import AgeLimit, Per
from pmscore.pricing.model.charges.lines import Chargeable
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.policies.plain_taxes import plain_taxes
from pmscore.pricing.policies.taxing import charge_taxes

YEAR = DateRange.of(ARRIVAL, 365)
BY_RATE = st.builds(
    TaxRounding,
    scope=st.sampled_from((PER_RATE.scope, KEEPING_GROSS.scope)),
    mode=st.sampled_from(Rounding),
)


@st.composite
def plain_tables(draw: st.DrawFn) -> TaxTable:
    """Return a table of taxes that the short way knows."""
    per_cent = st.builds(
        Tax,
        code=st.sampled_from(("a", "b", "c")),
        name=st.just("T"),
        rate=st.integers(0, 400_000).map(Percent),
        on=st.sets(st.sampled_from(CATEGORIES), min_size=1).map(tuple),
        level=st.integers(1, 3),
        compounds=st.sampled_from(((), ("a",), ("b",), ("c",))),
        is_inclusive=st.booleans(),
        is_city_tax=st.booleans(),
        valid=st.sampled_from((None, YEAR, DateRange.of(night(400), 9))),
        remitted_by=st.sampled_from(((), ("ota",))),
    )
    nightly = st.builds(
        Tax,
        code=st.sampled_from(("x", "y")),
        name=st.just("T"),
        rate=st.integers(0, 500),
        per=st.just(Per.PERSON_NIGHT),
        counted=st.integers(0, 18).map(lambda age: AgeLimit(from_age=age)),
        skipped_nights=st.integers(0, 2),
        most_nights=st.one_of(st.none(), st.integers(1, 4)),
        is_city_tax=st.booleans(),
    )
    once = st.builds(
        Tax,
        code=st.just("z"),
        name=st.just("T"),
        rate=st.integers(0, 500),
        per=st.sampled_from((Per.STAY, Per.BOOKING, Per.PET, Per.PERSON)),
    )
    kept: list[Tax] = []
    for each in draw(st.lists(st.one_of(per_cent, nightly, once), max_size=5)):
        try:
            TaxTable((*kept, each))
        except InvalidInputError:
            continue
        kept.append(each)
    return TaxTable(tuple(kept))


@given(
    plain_tables(),
    BY_RATE,
    st.sampled_from((None, "ota")),
    PARTIES,
    st.lists(AMOUNTS, min_size=1, max_size=6),
    st.lists(AMOUNTS, max_size=2),
    st.lists(AMOUNTS, max_size=2),
)
def test_the_short_way_agrees_to_the_unit(
    table: TaxTable,
    rounding: TaxRounding,
    channel: str | None,
    party: GuestParty,
    room: list[int],
    fees: list[int],
    food: list[int],
) -> None:
    """Where there is a short way it comes to what the engine comes to, in both scopes by rate and in every mode."""
    plain = plain_taxes(table, rounding, YEAR, channel)
    assume(plain is not None)
    assert plain is not None
    others = [
        Chargeable(code=category, category=category, amount=amount)
        for category, amounts in (("fee", fees), ("food", food))
        for amount in amounts
    ]
    stay = stay_of(len(room), party, channel=channel)
    long = charge_taxes(table, (*nights_at(*room), *others), stay, rounding)
    short = plain.due((("room", room), ("fee", fees), ("food", food)), len(room), party)
    assert short == (long.net, long.tax, long.city_tax)


@pytest.mark.parametrize("rounding", [PER_RATE, KEEPING_GROSS])
def test_a_stay_by_hand(rounding: TaxRounding) -> None:
    # Two nights at 107.00 with 7 % in it (14.00 in all), 2 x 2 x 2.00 city tax, 23.80 cleaning with 19 % (3.80).
    table = TaxTable(
        (
            tax("low", "7", is_inclusive=True),
            tax("high", "19", is_inclusive=True, on=("fee",)),
            tax("city", 200, per=Per.PERSON_NIGHT, is_city_tax=True),
        )
    )
    plain = plain_taxes(table, rounding, None, None)
    assert plain is not None
    charges = (("room", (10_700, 10_700)), ("fee", (2_380,)), ("untaxed", (100,)))
    assert plain.due(charges, 2, GuestParty(adults=2)) == (20_000 + 2_000 + 100, 1_780, 800)


@pytest.mark.parametrize(
    "taxes",
    [
        (tax("a", "7", valid=DateRange.of(night(5), 900)),),
        (tax("a", "7", skipped_nights=1),),
        (tax("a", "7", most_nights=9),),
        (tax("a", "7", exempt_from_nights=30),),
        (tax("a", "7", counted=AgeLimit(from_age=3)),),
        (tax("a", 7, per=Per.NIGHT, is_inclusive=True),),
        (tax("a", 7, per=Per.NIGHT, on=("room", "fee")),),
        (tax("a", 7, per=Per.NIGHT), tax("b", "7", level=2, compounds=("a",))),
        (tax("a", "7", is_inclusive=True), tax("b", "7", is_inclusive=True)),
    ],
)
def test_what_needs_nights_guests_or_lines_takes_the_long_way(taxes: tuple[Tax, ...]) -> None:
    assert plain_taxes(TaxTable(taxes), PER_RATE, YEAR, None) is None


def test_what_is_rounded_line_by_line_takes_the_long_way() -> None:
    table = TaxTable((tax("a", "7"),))
    assert plain_taxes(table, PER_LINE, YEAR, None) is None
    assert plain_taxes(table, PER_RATE, YEAR, None) is not None


def test_dates_need_the_nights_that_are_asked_for() -> None:
    dated = TaxTable((tax("a", "7", valid=YEAR),))
    assert plain_taxes(dated, PER_RATE, None, None) is None
    assert plain_taxes(dated, PER_RATE, YEAR, None) is not None
    later = plain_taxes(dated, PER_RATE, DateRange.of(night(365), 1), None)
    assert later is not None
    assert later.by_category == {}


@pytest.mark.parametrize(
    ("mode", "net", "tax_due"), [(Rounding.HALF_UP, 70, 7), (Rounding.DOWN, 72, 7), (Rounding.UP, 70, 7)]
)
def test_what_a_price_includes_is_taken_out_night_by_night_in_the_named_mode(
    mode: Rounding, net: int, tax_due: int
) -> None:
    # 39 with 10 % in it: 39 x 10 / 110 = 3.55, so 4, 3 or 4 of each of two nights; then 10 % of what is left.
    table = TaxTable((tax("vat", "10", is_inclusive=True),))
    plain = plain_taxes(table, TaxRounding(scope=RoundingScope.PER_RATE, mode=mode), YEAR, None)
    assert plain is not None
    assert plain.due((("room", [39, 39]),), 2, GuestParty(adults=1)) == (net, tax_due, 0)


@pytest.mark.parametrize(("channel", "taxes"), [(None, 1_200), ("direct", 1_200), ("ota", 700)])
def test_the_short_way_leaves_out_what_the_channel_remits(channel: str | None, taxes: int) -> None:
    # One night at 100.00: 7 % for the house, 5 % that the channel pays itself.
    table = TaxTable((tax("vat", "7"), tax("levy", "5", remitted_by=("ota",))))
    plain = plain_taxes(table, PER_RATE, None, channel)
    assert plain is not None
    assert plain.due((("room", (10_000,)),), 1, GuestParty(adults=2)) == (10_000, taxes, 0)
