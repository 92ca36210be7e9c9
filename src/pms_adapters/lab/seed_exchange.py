"""A few exchange rates for the demo, so that a quote can be shown in other currencies: all invented, but plausible.

Owns what is put in. They are of yesterday, wherever the visitor is, and are renewed where nobody has put in
newer ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from pms_adapters.bootstrap import Services
from pms_adapters.postgres.exchange import PostgresExchangeRates
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Command
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.policies.displaying import is_too_old
from pmscore.pricing.use_cases.exchange_rates import SetExchangeRates, set_exchange_rates

__all__ = ["seed_missing_rates"]

_FROM: Final = Currency.of("EUR")
_RATES: Final[Mapping[str, str]] = {
    "BRL": "6.1",
    "CHF": "0.95",
    "GBP": "0.85",
    "JPY": "165",
    "USD": "1.1",
}
_SOURCE: Final = "invented for the demo"


def seed_missing_rates(services: Services, command: Command) -> int:
    """Put rates in for the currencies that have none that still holds; return how many."""
    today = services.clock.now().date()
    known = PostgresExchangeRates(services.engine, command.agency_id)
    missing: list[ExchangeRate] = []
    for code, text in _RATES.items():
        shown = Currency.of(code)
        found = known.find(_FROM, shown, today)
        if found is None or is_too_old(found, today):
            missing.append(ExchangeRate.parse(_FROM, shown, text, today - timedelta(days=1), source=_SOURCE))
    if not missing:
        return 0
    return set_exchange_rates(
        SetExchangeRates(
            request_id=command.request_id,
            agency_id=command.agency_id,
            actor_id=command.actor_id,
            rates=tuple(missing),
        ),
        uow=services.uow,
    )
