"""Stays, charges and taxes for the tests of fees and taxes, and what Hypothesis draws of them."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Rounding
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.counting import AgeLimit, ChargedStay, Per
from pmscore.pricing.model.charges.lines import Chargeable
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.model.guests import GuestParty

ARRIVAL = date(2026, 6, 29)
PER_LINE = TaxRounding()
PER_RATE = TaxRounding(scope=RoundingScope.PER_RATE)
KEEPING_GROSS = TaxRounding(scope=RoundingScope.PER_RATE_KEEPING_GROSS)


def night(at: int) -> date:
    """Return the night ``at`` nights after the arrival."""
    return ARRIVAL + timedelta(days=at)


def stay_of(nights: int = 1, *rooms: GuestParty, channel: str | None = None) -> ChargedStay:
    """Return a stay of so many nights; of one room for two adults if no rooms are given."""
    return ChargedStay(
        stay=StayRange(ARRIVAL, night(nights)), rooms=rooms or (GuestParty(adults=2),), channel=channel
    )


def nights_at(*amounts: int, room: int = 0) -> tuple[Chargeable, ...]:
    """Return the charges of the first nights of a room."""
    return tuple(
        Chargeable(code="bar", category="room", amount=amount, night=night(at), room=room)
        for at, amount in enumerate(amounts)
    )


def tax(code: str, rate: str | int, **more: object) -> Tax:
    """Return a tax; a text is a percentage, an integer a flat amount."""
    return Tax(
        code=code,
        name=code.upper(),
        rate=Percent.parse(rate) if isinstance(rate, str) else rate,
        **more,
    )


CATEGORIES = ("room", "fee", "food")
SOME_NIGHTS = st.one_of(
    st.none(),
    st.builds(
        lambda start, length: DateRange.of(night(start), length), st.integers(-3, 6), st.integers(1, 6)
    ),
)
PARTIES = st.builds(
    GuestParty,
    adults=st.integers(1, 3),
    ages=st.lists(st.integers(0, 17), max_size=2).map(tuple),
    pets=st.integers(0, 2),
)
STAYS = st.builds(
    lambda nights, rooms, channel: stay_of(nights, *rooms, channel=channel),
    st.integers(1, 6),
    st.lists(PARTIES, min_size=1, max_size=2),
    st.sampled_from((None, "ota")),
)
ROUNDINGS = st.builds(TaxRounding, scope=st.sampled_from(RoundingScope), mode=st.sampled_from(Rounding))
AMOUNTS = st.one_of(st.integers(0, 30), st.integers(0, 50_000), st.integers(0, 10**9))


@st.composite
def taxes(draw: st.DrawFn) -> Tax:
    """Return a tax that is good by itself; its code is one of a few."""
    code = draw(st.sampled_from(("a", "b", "c", "d")))
    on = tuple(draw(st.sets(st.sampled_from(CATEGORIES), min_size=1)))
    is_flat = draw(st.booleans())
    per = draw(st.sampled_from(Per)) if is_flat else None
    is_nightly = per is None or per.is_nightly
    is_inclusive = draw(st.booleans()) and is_nightly
    may_count = (per is None and not is_inclusive) or (per is not None and per.counts_people)
    return Tax(
        code=code,
        name=code,
        rate=draw(st.integers(0, 900)) if is_flat else Percent(draw(st.integers(0, 600_000))),
        on=on,
        per=per,
        level=draw(st.integers(1, 3)),
        compounds=() if is_flat else tuple(draw(st.sets(st.sampled_from("abcd"), max_size=2))),
        is_inclusive=is_inclusive,
        is_city_tax=draw(st.booleans()),
        valid=draw(SOME_NIGHTS),
        counted=AgeLimit(from_age=draw(st.integers(0, 18)), counts_adults=draw(st.booleans()))
        if may_count
        else AgeLimit(),
        skipped_nights=draw(st.integers(0, 2)) if is_nightly else 0,
        most_nights=draw(st.one_of(st.none(), st.integers(1, 4))) if is_nightly else None,
        remitted_by=draw(st.sampled_from(((), ("ota",)))),
    )


@st.composite
def tables(draw: st.DrawFn) -> TaxTable:
    """Return a table that holds as a whole: taxes that the ones before do not let in are left out."""
    kept: list[Tax] = []
    for each in draw(st.lists(taxes(), max_size=5)):
        try:
            TaxTable((*kept, each))
        except InvalidInputError:
            continue
        kept.append(each)
    return TaxTable(tuple(kept))


@st.composite
def charges(draw: st.DrawFn, stay: ChargedStay) -> tuple[Chargeable, ...]:
    """Return charges of a stay: nights, and what belongs to no night."""
    drawn = st.builds(
        Chargeable,
        code=st.sampled_from(("bar", "clean", "egg")),
        category=st.sampled_from(CATEGORIES),
        amount=AMOUNTS,
        night=st.one_of(st.none(), st.sampled_from(stay.stay.nights())),
        room=st.integers(0, len(stay.rooms) - 1),
    )
    return tuple(draw(st.lists(drawn, max_size=8)))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[TaxTable, tuple[Chargeable, ...], ChargedStay]:
    """Return a table, charges, and the stay that they are of."""
    stay = draw(STAYS)
    return draw(tables()), draw(charges(stay)), stay
