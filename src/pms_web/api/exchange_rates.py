"""``/api/v1/exchange-rates``: what currencies are worth, put in by day, and which rates hold.

Owns addresses; quotes are shown by these rates where ``display_currency`` asks for that.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, request

from pms_web.bodies import parse_json
from pms_web.exchange_views import rate_body
from pms_web.fields import Fields, collecting
from pms_web.routing import Route, answer, query_fields
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.policies.displaying import LONGEST_AGE_DAYS, is_too_old
from pmscore.pricing.use_cases.exchange_rates import MOST_RATES, SetExchangeRates, set_exchange_rates

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/exchange-rates"


def show(services: WebServices) -> Response:
    """Return the newest rate of all currencies on a day, today in UTC unless one is named, and whether it holds."""
    with collecting() as errors:
        fields = query_fields(errors)
        day = fields.day("day") or services.clock.now().date()
        base, shown = fields.currency("base"), fields.currency("currency")
        fields.close()
    found = services.retry(lambda: services.exchange_rates.latest(day))
    rates: list[Json] = [
        {**rate_body(each), "is_too_old": is_too_old(each, day)}
        for each in found
        if base in {None, each.base} and shown in {None, each.shown}
    ]
    return answer({"day": day.isoformat(), "longest_age_days": LONGEST_AGE_DAYS, "rates": rates})


def put(services: WebServices) -> Response:
    """Put rates in, each in place of that of its currencies and day; all others stay as they are."""
    rates = _read(parse_json(request.get_data(cache=False), request.content_type or ""))
    command = SetExchangeRates(**services.asking, rates=rates)
    changed = services.retry(lambda: set_exchange_rates(command, uow=services.uow))
    return answer({"rates": len(rates), "changed": changed})


def _read(body: Mapping[str, Json]) -> tuple[ExchangeRate, ...]:
    with collecting() as errors:
        fields = Fields(body, errors)
        if not fields.has("rates"):
            fields.note("rates", "required")
        found = [_rate(each) for each in fields.objects("rates", most=MOST_RATES)]
        fields.close()
        if errors:
            raise InvalidInputError("body", "incomplete")
    return tuple(each for each in found if each is not None)


def _rate(fields: Fields) -> ExchangeRate | None:
    base, shown = fields.currency("base", required=True), fields.currency("currency", required=True)
    day, text = fields.day("day", required=True), fields.text("rate", required=True)
    source = fields.text("source", required=True)
    fields.close()
    if base is None or shown is None or day is None or text is None or source is None:
        return None
    return fields.made(lambda: ExchangeRate.parse(base, shown, text, day, source=source))


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=show,
        permission=Permission.READ_PRICES,
        summary="Read the exchange rates of a day",
    ),
    Route(
        method="PUT",
        path=ADDRESS,
        view=put,
        permission=Permission.WRITE_PRICES,
        summary="Put exchange rates in",
    ),
)
