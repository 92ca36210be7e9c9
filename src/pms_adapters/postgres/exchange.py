"""Exchange rates on PostgreSQL.

Owns their rows: one for two currencies and a day in an agency. Rates travel as decimal text in both directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import LiteralString

from sqlalchemy import Engine

from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.session import Row, Session
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import AgencyId
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.ports import ExchangeRateRepository, ExchangeRates

__all__ = ["PostgresExchangeRateRepository", "PostgresExchangeRates"]

# Two who write the same days lock them in the same order.
_PUT: LiteralString = """\
WITH done AS (
  INSERT INTO exchange_rates AS r (agency_id, base, shown, day, rate, source)
  SELECT %s::uuid, g.base, g.shown, g.day, g.rate, g.source
    FROM jsonb_to_recordset(%s::jsonb) AS g(base text, shown text, day date, rate numeric, source text)
   ORDER BY g.base, g.shown, g.day
  ON CONFLICT (agency_id, base, shown, day) DO UPDATE SET rate = excluded.rate, source = excluded.source
   WHERE (r.rate, r.source) IS DISTINCT FROM (excluded.rate, excluded.source)
  RETURNING 1)
SELECT count(*)::int FROM done"""
_FIND: LiteralString = """\
SELECT base, shown, day, rate::text, source FROM exchange_rates
 WHERE agency_id = %s AND base = %s AND shown = %s AND day <= %s ORDER BY day DESC LIMIT 1"""
# From one pair of currencies to the next along the key: years of rates are not read to find the last of each.
_LATEST: LiteralString = """\
WITH RECURSIVE pairs AS (
  (SELECT base, shown FROM exchange_rates WHERE agency_id = %s ORDER BY base, shown LIMIT 1)
  UNION ALL
  SELECT n.base, n.shown
    FROM pairs p CROSS JOIN LATERAL (
         SELECT e.base, e.shown FROM exchange_rates e
          WHERE e.agency_id = %s AND (e.base, e.shown) > (p.base, p.shown)
          ORDER BY e.base, e.shown LIMIT 1) AS n)
SELECT r.base, r.shown, r.day, r.rate::text, r.source
  FROM pairs p CROSS JOIN LATERAL (
       SELECT * FROM exchange_rates e
        WHERE e.agency_id = %s AND e.base = p.base AND e.shown = p.shown AND e.day <= %s
        ORDER BY e.day DESC LIMIT 1) AS r
 ORDER BY r.base, r.shown"""


class PostgresExchangeRateRepository(ExchangeRateRepository):
    """Puts rates in, inside a transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, rates: Sequence[ExchangeRate]) -> int:
        rows = [
            {
                "base": rate.base.code,
                "shown": rate.shown.code,
                "day": rate.on,
                "rate": rate.plain(),
                "source": rate.source,
            }
            for rate in rates
        ]
        ((count,),) = self._session.rows(_PUT, self._session.agency_id, as_document(rows))
        return count if isinstance(count, int) else 0


class PostgresExchangeRates(ExchangeRates):
    """One agency's rates on PostgreSQL; see the port for what it promises."""

    def __init__(self, engine: Engine, agency_id: AgencyId) -> None:
        self._engine = engine
        self._agency_id = agency_id

    def find(self, base: Currency, shown: Currency, on: date) -> ExchangeRate | None:
        with Session(self._engine, self._agency_id) as session:
            rows = session.read([(_FIND, (self._agency_id, base.code, shown.code, on))])[0]
        return _loaded(rows[0]) if rows else None

    def latest(self, on: date) -> Sequence[ExchangeRate]:
        with Session(self._engine, self._agency_id) as session:
            rows = session.read([(_LATEST, (*(self._agency_id,) * 3, on))])[0]
        return tuple(_loaded(row) for row in rows)


def _loaded(row: Row) -> ExchangeRate:
    base, shown, day, rate, source = row
    if not isinstance(day, date):
        raise TypeError(type(day))
    currencies = Currency.recorded(str(base)), Currency.recorded(str(shown))
    return ExchangeRate.parse(*currencies, str(rate), day, source=str(source))
