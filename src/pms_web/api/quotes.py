"""``/api/v1/quotes``: what a stay costs, kept and held on request.

Owns addresses; the answers are the use cases' of :mod:`pmscore.pricing`.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, request

from pms_web.bodies import parse_json
from pms_web.quote_schemas import HoldOfQuote, NewQuotes
from pms_web.quote_views import answer_body, kept_body
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import PropertyId, QuoteId, parse_id
from pmscore.pricing.model.quote import KeptQuote
from pmscore.pricing.policies.displaying import DisplayedQuote, NotDisplayed
from pmscore.pricing.use_cases.exchange_rates import display_quotes
from pmscore.pricing.use_cases.keeping import HoldQuote, KeepQuotes, hold_quote, keep_quotes
from pmscore.pricing.use_cases.quotes import QuoteAnswer, make_quotes

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/quotes"


def ask(services: WebServices) -> Response:
    """Return a quote or a refusal for each room type and rate plan; nothing is stored unless that is asked for."""
    wanted = NewQuotes.read(parse_json(request.get_data(cache=False), request.content_type or ""))

    def attempt() -> QuoteAnswer:
        found = make_quotes(
            wanted.property_id,
            wanted.request,
            availability=services.availability,
            prices=services.prices,
            clock=services.clock,
            ids=services.ids,
        )
        if wanted.keeps and found.quotes:
            command = KeepQuotes(
                **services.asking,
                quotes=found.quotes,
            )
            keep_quotes(command, uow=services.uow)
        return found

    found = services.retry(attempt)
    is_kept = wanted.keeps and bool(found.quotes)
    shown = _shown(services, found, wanted.display_currency)
    body = answer_body(wanted.request.stay, found, found.zone, is_kept=is_kept, shown=shown)
    return answer(body, status=201 if is_kept else 200)


def show(services: WebServices, quote_id: str) -> Response:
    """Return a kept quote."""
    key = _quote_id(quote_id)

    def attempt() -> KeptQuote:
        with services.uow.begin(services.question) as work:
            return work.quotes.read(key)

    return _kept(services, services.retry(attempt))


def hold(services: WebServices, quote_id: str) -> Response:
    """Promise the price of a kept quote for longer, with its rooms where that is asked for."""
    key = _quote_id(quote_id)
    wanted = HoldOfQuote.read(parse_json(request.get_data(cache=False), request.content_type or ""))
    command = HoldQuote(
        **services.asking,
        quote_id=key,
        until=wanted.until,
        with_stock=wanted.with_stock,
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
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/<quote_id>",
        view=show,
        permission=Permission.MAKE_QUOTES,
        summary="Read a kept quote",
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/<quote_id>/hold",
        view=hold,
        permission=Permission.MAKE_QUOTES,
        summary="Hold a kept quote",
    ),
)
