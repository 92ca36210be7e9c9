"""P11, P12 and the slope of a quote: stays of one plan, quoted by the product, by bare tables and as in a textbook.

Owns the tariff in the forms of the three, and who is measured against whom. A *contender* is given the tariff
and what is asked, makes its own requests of it beforehand, and returns what is timed; so another way to quote
is one function.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from attrs import frozen

from pms_adapters.lab.bench.floors import price_kernel, textbook_quote
from pms_adapters.lab.bench.floors.price_kernel import Tariff
from pms_adapters.lab.bench.grounds import Grounds
from pms_adapters.lab.bench.house import FIRST_DAY, HOUSE, TYPE, hex_id
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange, DateSet
from pmscore.dates.recurrence import Season
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.ids import QuoteId, UnitTypeId
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.charges.counting import Per
from pmscore.pricing.model.charges.fees import Fee
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import Tax
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.plans import RatePlan, TypePrices, WeekPrices
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.rules import PriceRule
from pmscore.pricing.views.quoting import Quoter

__all__ = [
    "NIGHTS",
    "TARIFF",
    "Asked",
    "Contender",
    "Timed",
    "book_of",
    "drawn_stays",
    "measure_quotes",
    "measure_slope",
    "of_the_kernel",
    "of_the_product",
    "of_the_textbook",
]

NIGHTS = 14
_SHORT, _LONG = 1, 28
_TURNS = 9
"""How often the contenders take turns in a round: the shorter a turn, the less of them a busy machine spoils."""

TARIFF = Tariff(
    length=420,
    weekday=FIRST_DAY.weekday(),
    base=12_300,
    seasons=(
        (354, 369, 25_900),
        (0, 6, 24_500),
        (90, 100, 19_900),
        (170, 240, 21_700),
        (140, 290, 17_300),
        (310, 340, 9_900),
    ),
    factors=(100, 100, 100, 105, 120, 125, 95),
    tiers=((7, 8), (28, 21)),
    stay_fee=4_500,
    guest_fee=1_200,
    night_fee=300,
    tax_percent=7,
    city_tax=200,
)
"""Six seasons, a factor a weekday, two tiers, three fees, a tax in per cent and one a head."""


@frozen
class Asked:
    """A stay as plain numbers: the first night of the year, how many nights, how many adults."""

    first: int
    nights: int
    adults: int


@frozen
class Timed:
    """What is timed, one run over all that was asked, and how to read what is due from what it returns."""

    run: Callable[[], Sequence[object]]
    dues: Callable[[Sequence[object]], list[int]]


Contender: TypeAlias = "Callable[[Tariff, Sequence[Asked]], Timed]"


def measure_quotes(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P11 and P12: quotes of fourteen nights."""
    asked = drawn_stays(_a_turn(grounds), NIGHTS)
    ours, kernel, textbook = (
        each(TARIFF, asked) for each in (of_the_product, of_the_kernel, of_the_textbook)
    )
    grounds.progress(f"P11: {len(asked):,} stays of {NIGHTS} nights")
    _agree(ours, kernel, textbook)
    rates: list[list[float]] = [[], [], []]
    for number in range(grounds.rounds + 1):
        grounds.progress(f"P11, P12: round {number} of {grounds.rounds}")
        for found in _by_turns(kernel, textbook, ours):
            for rate, seconds in zip(rates, found, strict=True):
                if number:
                    rate.append(len(asked) / seconds)
    yield compared(
        "P11",
        f"quotes/s of {NIGHTS} nights, times slower than bare tables",
        rates[2],
        rates[0],
        must=Limit(8.0, is_least=False),
        aim=Limit(4.0, is_least=False),
        inverted=True,
    )
    yield compared(
        "P12",
        f"quotes/s of {NIGHTS} nights, times faster than decimals and an object a line",
        rates[2],
        rates[1],
        must=Limit(4.0),
        aim=Limit(8.0),
    )


def measure_slope(grounds: Grounds) -> Iterator[Measurement]:
    """Yield what a further night costs a quote: the median over all turns, each with stays of both lengths."""
    grounds.progress(f"growth: quotes of {_SHORT} and {_LONG} nights")
    count = _a_turn(grounds)
    short, long = (of_the_product(TARIFF, drawn_stays(count, nights)) for nights in (_SHORT, _LONG))
    slopes: list[float] = []
    for number in range(grounds.rounds + 1):
        found = [more - less for less, more in _by_turns(short, long)]
        # The other way round as well: whoever is second finds the memory as the first has left it.
        found += [more - less for more, less in _by_turns(long, short)]
        if number:
            slopes += [seconds / count / (_LONG - _SHORT) * 1e9 for seconds in found]
    yield compared(
        "G-quote",
        f"ns for each further night of a quote, {_SHORT} to {_LONG} nights",
        slopes,
        must=Limit(50.0, is_least=False),
    )


def of_the_product(tariff: Tariff, asked: Sequence[Asked]) -> Timed:
    """Quote by the product: frozen requests in, frozen quotes out."""
    zone = Zone("Europe/Lisbon")
    quoter = Quoter(book_of(tariff), DateRange.of(FIRST_DAY, tariff.length), zone)
    type_id, plan = UnitTypeId(hex_id(TYPE, 0)), "bar"
    now = datetime.combine(FIRST_DAY - timedelta(days=3), datetime.min.time(), UTC)
    quote_id = QuoteId(UUID(int=1))
    requests = [
        QuoteRequest(
            stay=StayRange.of(FIRST_DAY + timedelta(days=each.first), each.nights),
            parties=(GuestParty(adults=each.adults),),
        )
        for each in asked
    ]

    def run() -> Sequence[object]:
        quote = quoter.quote
        return [quote(request, type_id, plan, now=now, quote_id=quote_id) for request in requests]

    def dues(made: Sequence[object]) -> list[int]:
        return [each.totals.due for each in made if isinstance(each, Quote)]

    return Timed(run, dues)


def book_of(tariff: Tariff) -> PriceBook:
    """Return the tariff as a book of the core."""
    seasons = [
        Season(
            name=f"s{at}",
            nights=DateSet.of(DateRange.of(FIRST_DAY + timedelta(days=first), end - first)),
            priority=-at,
        )
        for at, (first, end, _) in enumerate(tariff.seasons)
    ]

    def week(base: int) -> WeekPrices:
        return WeekPrices(tuple(base * factor // 100 for factor in tariff.factors))

    bands: list[Json] = [{"from": nights, "change": {"percent": str(-off)}} for nights, off in tariff.tiers]
    fees = (("stay", Per.STAY, tariff.stay_fee), ("guest", Per.PERSON, tariff.guest_fee))
    nightly = Fee(code="nightly", name="nightly", per=Per.NIGHT, amount=tariff.night_fee)
    prices = TypePrices(
        default=week(tariff.base),
        seasons={f"s{at}": week(base) for at, (_, _, base) in enumerate(tariff.seasons)},
    )
    return PriceBook(
        property_id=HOUSE,
        currency=Currency.of("EUR"),
        seasons=tuple(seasons),
        plans=(RatePlan(code="bar", name="Best", prices={UnitTypeId(hex_id(TYPE, 0)): prices}),),
        rules=(
            PriceRule(
                code="long", name="Long", kind="length_of_stay", value={"bands": bands}, rank=1, group="long"
            ),
        ),
        fees=(*(Fee(code=code, name=code, per=per, amount=amount) for code, per, amount in fees), nightly),
        taxes=TaxTable(
            (
                Tax(code="vat", name="VAT", rate=Percent(tariff.tax_percent * 10_000), on=("room", "fee")),
                Tax(code="city", name="City", rate=tariff.city_tax, per=Per.PERSON_NIGHT, is_city_tax=True),
            )
        ),
    )


def of_the_kernel(tariff: Tariff, asked: Sequence[Asked]) -> Timed:
    """Quote out of bare tables."""
    quote = price_kernel.compiled(tariff)
    plain = [(each.first, each.nights, each.adults) for each in asked]

    def run() -> Sequence[object]:
        return [quote(first, nights, adults) for first, nights, adults in plain]

    def dues(made: Sequence[object]) -> list[int]:
        return [each.due for each in made if isinstance(each, price_kernel.Parts)]

    return Timed(run, dues)


def of_the_textbook(tariff: Tariff, asked: Sequence[Asked]) -> Timed:
    """Quote with decimals and an object a line."""
    given = tariff._asdict()
    del given["length"]
    quote = textbook_quote.quoter(**given)
    plain = [(each.first, each.nights, each.adults) for each in asked]

    def run() -> Sequence[object]:
        return [quote(first, nights, adults) for first, nights, adults in plain]

    def dues(made: Sequence[object]) -> list[int]:
        return [int(each.due * 100) for each in made if isinstance(each, textbook_quote.Quote)]

    return Timed(run, dues)


def drawn_stays(count: int, nights: int) -> list[Asked]:
    """Return so many stays of that many nights, the same each time."""
    chance = random.Random(nights)
    last = TARIFF.length - nights
    return [Asked(chance.randrange(last), nights, chance.randint(1, 2)) for _ in range(count)]


def _agree(*contenders: Timed) -> None:
    """Make sure that all come to the same, to the cent, or the comparison would mean nothing."""
    ours, *others = [each.dues(each.run()) for each in contenders]
    if not ours or any(each != ours for each in others):
        raise AssertionError("the quotes come to different amounts")


def _a_turn(grounds: Grounds) -> int:
    """Return how many quotes there are in a turn; a round has somewhat more than the scale asks for."""
    return max(grounds.scale.quotes // (_TURNS - 1), 1)


def _by_turns(*contenders: Timed) -> list[list[float]]:
    """Return the seconds on the processor of each contender, turn by turn; no garbage is collected meanwhile."""
    gc.collect()
    gc.disable()
    try:
        return [[_seconds(each) for each in contenders] for _ in range(_TURNS)]
    finally:
        gc.enable()


def _seconds(contender: Timed) -> float:
    started = time.thread_time()
    contender.run()
    return time.thread_time() - started
