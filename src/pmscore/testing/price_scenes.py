"""Prices for a scene: a book with a bit of everything, and one line for quoting, keeping, holding and booking.

Owns the setting of the laws of prices. Sends commands through the use cases and nothing else.
"""

from __future__ import annotations

from datetime import timedelta

from pmscore.booking.use_cases.book_quote import BookQuote, book_quote
from pmscore.booking.views import BookingReceipt
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateSet
from pmscore.dates.recurrence import Season
from pmscore.guests.model import Guest
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import GuestId, QuoteId
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.charges.counting import AgeLimit, Per
from pmscore.pricing.model.charges.fees import Fee
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import Tax
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.instalments import DepositPolicy, Due, Milestone
from pmscore.pricing.model.occupancy import AgeBand, OccupancyTerms
from pmscore.pricing.model.plans import Derivation, RatePlan, TypePrices, WeekPrices
from pmscore.pricing.model.quote import KeptQuote
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.rules import PriceRule
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.tiers import Anchor, CancellationPolicy, FeeSpec, Tier
from pmscore.pricing.use_cases.keeping import HoldQuote, KeepQuotes, hold_quote, keep_quotes
from pmscore.pricing.use_cases.prices import SetPrices, set_prices
from pmscore.pricing.use_cases.quotes import QuoteAnswer, make_quotes
from pmscore.testing.scenes import EUR, Scene, nights

__all__ = [
    "COUPLE",
    "FAMILY",
    "USES",
    "book_kept",
    "hold_kept",
    "keep_one",
    "price_book",
    "quoted",
    "repriced",
    "set_book",
    "with_prices",
]

COUPLE = GuestParty(adults=2)
FAMILY = GuestParty(adults=2, ages=(9, 1), pets=1)
USES = 2
"""How often the code ``spring`` may be used."""


def price_book(scene: Scene, *, night: int = 10_000) -> PriceBook:
    """Return a first book for all types of a scene; ``night`` is the price of an ordinary one in minor units."""
    prices = TypePrices(
        default=WeekPrices.of(night, weekend=night + 2_000),
        seasons={"carnival": WeekPrices.of(night + 5_000)},
    )
    bands = (
        AgeBand(from_age=0, to_age=3, price=0, needs_bed=False),
        AgeBand(from_age=3, to_age=12, price=Percent.parse("50")),
    )
    flex = RatePlan(
        code="flex",
        name="Flexible",
        prices=dict.fromkeys(scene.type_ids, prices),
        occupancy=OccupancyTerms(extra_adult=2_500, children=bands),
        terms="usual",
    )
    less = Derivation(parent="flex", operations=(Change(Percent.parse("-10")),))
    return PriceBook(
        property_id=scene.property_id,
        currency=EUR,
        seasons=(Season(name="carnival", nights=DateSet.of(nights(60, 5))),),
        plans=(flex, RatePlan(code="saver", name="Non-refundable", derivation=less)),
        rules=_rules(),
        fees=(Fee(code="cleaning", name="Cleaning", per=Per.STAY, amount=4_500),),
        taxes=_taxes(),
        terms={"usual": _terms()},
    )


def _rules() -> tuple[PriceRule, ...]:
    week = PriceRule(
        code="week",
        name="A week for less",
        kind="length_of_stay",
        value={"bands": [{"from": 7, "change": {"percent": "-7.5"}}]},
        rank=10,
        group="length",
    )
    sale = PriceRule(
        code="spring-sale",
        name="Spring sale",
        kind="promotion",
        value={"code": "spring", "uses": USES, "change": {"percent": "-20"}},
        rank=10,
        group="code",
    )
    return week, sale


def _taxes() -> TaxTable:
    vat = Tax(code="vat", name="VAT", rate=Percent.parse("7"), on=("room", "fee"), is_inclusive=True)
    city = Tax(
        code="city",
        name="City tax",
        rate=200,
        per=Per.PERSON_NIGHT,
        most_nights=7,
        is_city_tax=True,
        counted=AgeLimit(from_age=16),
    )
    return TaxTable((vat, city))


def _terms() -> Terms:
    late = Tier(anchor=Anchor.ARRIVAL_DATE, days=-2, fee=FeeSpec(percent=Percent.parse("80")))
    deposit = Milestone(due=Due.BOOKING, percent=Percent.parse("30"))
    return Terms(
        currency=EUR,
        cancellation=CancellationPolicy((late,)),
        no_show=FeeSpec(percent=Percent.parse("90")),
        deposit=DepositPolicy((deposit, Milestone(due=Due.ARRIVAL))),
    )


def set_book(scene: Scene, book: PriceBook, *, based_on: int | None = None) -> PriceBook:
    """Make a book the next version of the scene's prices."""
    command = SetPrices(**scene.asked(), book=book, based_on=based_on)
    return set_prices(command, uow=scene.store)


def with_prices(scene: Scene) -> Scene:
    """Give a new scene its first book, and return it."""
    set_book(scene, price_book(scene))
    return scene


def repriced(scene: Scene, *, night: int) -> PriceBook:
    """Change the price of an ordinary night."""
    with scene.begin() as work:
        before = work.prices.find(scene.property_id)
    return set_book(
        scene, price_book(scene, night=night), based_on=None if before is None else before.version
    )


def quoted(
    scene: Scene, when: StayRange, *parties: GuestParty, plan: str = "flex", codes: tuple[str, ...] = ()
) -> QuoteAnswer:
    """Ask for quotes of one plan in the first type: a couple unless parties are named."""
    request = QuoteRequest(
        stay=when,
        parties=parties or (COUPLE,),
        unit_type_ids=scene.type_ids[:1],
        plans=(plan,),
        codes=codes,
    )
    return make_quotes(
        scene.property_id,
        request,
        availability=scene.store.availability(scene.agency_id),
        prices=scene.store.prices(scene.agency_id),
        clock=scene.clock,
        ids=scene.ids,
    )


def keep_one(
    scene: Scene, when: StayRange, *parties: GuestParty, plan: str = "flex", codes: tuple[str, ...] = ()
) -> KeptQuote:
    """Ask for a quote and keep it."""
    command = KeepQuotes(
        **scene.asked(), quotes=quoted(scene, when, *parties, plan=plan, codes=codes).quotes[:1]
    )
    return keep_quotes(command, uow=scene.store)[0]


def hold_kept(
    scene: Scene,
    quote_id: QuoteId,
    *,
    hours: int = 48,
    with_stock: bool = False,
    once: OnceKey | None = None,
) -> KeptQuote:
    """Hold a kept quote for so many hours."""
    until = scene.clock.now() + timedelta(hours=hours)
    command = HoldQuote(**scene.asked(), quote_id=quote_id, until=until, with_stock=with_stock, once=once)
    return hold_quote(command, uow=scene.store, clock=scene.clock, ids=scene.ids)


def book_kept(
    scene: Scene, quote_id: QuoteId, *, guest: GuestId | Guest | None = None, once: OnceKey | None = None
) -> BookingReceipt:
    """Book a kept quote."""
    command = BookQuote(**scene.asked(), quote_id=quote_id, guest=guest or scene.guest_id, once=once)
    return book_quote(
        command,
        uow=scene.store,
        availability=scene.store.availability(scene.agency_id),
        prices=scene.store.prices(scene.agency_id),
        clock=scene.clock,
        ids=scene.ids,
    )
