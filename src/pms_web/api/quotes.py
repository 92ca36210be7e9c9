"""``/api/v1/quotes``: what a stay costs, kept and held on request.

Owns addresses; the answers are the use cases' of :mod:`pmscore.pricing`.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response

from pms_web.examples import PROPERTY, UNIT_TYPE
from pms_web.quote_schemas import AnyNewQuotes, HoldOfQuote
from pms_web.quote_views import KeptQuoteBody, QuotesBody, answer_body, kept_body
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import PropertyId, QuoteId, parse_id
from pmscore.pricing.model.quote import KeptQuote
from pmscore.pricing.policies.displaying import DisplayedQuote, NotDisplayed
from pmscore.pricing.use_cases.exchange_rates import display_quotes
from pmscore.pricing.use_cases.keeping import HoldQuote, KeepQuotes, hold_quote, keep_quotes
from pmscore.pricing.use_cases.quotes import QuoteAnswer, make_quotes

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/quotes"


def ask(services: WebServices, body: AnyNewQuotes) -> Response:
    """Return a quote or a refusal for each room type and rate plan; nothing is stored unless that is asked for."""
    asked = body.request()

    def attempt() -> QuoteAnswer:
        found = make_quotes(
            body.property_id,
            asked,
            availability=services.availability,
            prices=services.prices,
            clock=services.clock,
            ids=services.ids,
        )
        if body.keep and found.quotes:
            command = KeepQuotes(
                **services.asking,
                quotes=found.quotes,
            )
            keep_quotes(command, uow=services.uow)
        return found

    found = services.retry(attempt)
    is_kept = body.keep and bool(found.quotes)
    shown = _shown(services, found, body.display_currency)
    reply = answer_body(asked.stay, found, found.zone, is_kept=is_kept, shown=shown)
    return answer(reply, status=201 if is_kept else 200)


def show(services: WebServices, quote_id: str) -> Response:
    """Return a kept quote."""
    key = _quote_id(quote_id)

    def attempt() -> KeptQuote:
        with services.uow.begin(services.question) as work:
            return work.quotes.read(key)

    return _kept(services, services.retry(attempt))


def hold(services: WebServices, quote_id: str, body: HoldOfQuote, once: OnceKey) -> Response:
    """Promise the price of a kept quote for longer, with its rooms where that is asked for."""
    key = _quote_id(quote_id)
    command = HoldQuote(
        **services.asking,
        once=once,
        quote_id=key,
        until=body.until,
        with_stock=body.with_stock,
    )
    held = services.retry(
        lambda: hold_quote(command, uow=services.uow, clock=services.clock, ids=services.ids)
    )
    return _kept(services, held)


def _kept(services: WebServices, kept: KeptQuote) -> Response:
    return answer(kept_body(kept, _zone(services, kept.quote.property_id)))


def _shown(
    services: WebServices, found: QuoteAnswer, currency: Currency | None
) -> Mapping[QuoteId, DisplayedQuote | NotDisplayed] | None:
    if currency is None:
        return None
    return services.retry(lambda: display_quotes(found.quotes, currency, rates=services.exchange_rates))


def _zone(services: WebServices, property_id: PropertyId) -> Zone:
    (house,) = services.retry(lambda: services.availability.houses([property_id]))
    return house.property.zone


def _quote_id(text: str) -> QuoteId:
    return QuoteId(parse_id(text, field="quote_id"))


ROUTES = (
    Route(
        method="POST",
        path=ADDRESS,
        view=ask,
        permission=Permission.MAKE_QUOTES,
        summary="Ask what a stay costs",
        body=AnyNewQuotes,
        replies={200: QuotesBody, 201: QuotesBody},
        example={
            "property_id": PROPERTY,
            "arrival": "2027-06-01",
            "departure": "2027-06-04",
            "adults": 2,
            "unit_type_ids": [UNIT_TYPE],
            "keep": True,
        },
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/<quote_id>",
        view=show,
        permission=Permission.MAKE_QUOTES,
        summary="Read a kept quote",
        replies={200: KeptQuoteBody},
        is_versioned=True,
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/<quote_id>/hold",
        view=hold,
        permission=Permission.MAKE_QUOTES,
        summary="Hold a kept quote",
        body=HoldOfQuote,
        idempotency=Idempotency.REQUIRED,
        replies={200: KeptQuoteBody},
        example={"until": "2027-03-03T18:00:00Z", "with_stock": True},
    ),
)
