"""Price books and kept quotes on PostgreSQL, and quoters that are remembered by the version of their book.

Owns which nights a quoter covers, and how long it is remembered. A version of a book never changes, so what is
remembered cannot be wrong; which version is the latest is read each time. So is the version of the house.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Final, LiteralString
from uuid import UUID

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.postgres.availability import PostgresAvailability, claims_counted, counting
from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.houses import HouseMemory, KnownHouse, load_house
from pms_adapters.postgres.price_rows import QUOTE_COLUMNS, loaded_quote, quote_values
from pms_adapters.postgres.session import Row, Session, Statement
from pms_adapters.postgres.writes import Expectation, WriteSet
from pmscore.availability.ports import AvailabilityReader
from pmscore.booking.ports import PromotionUses
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.inventory.ports import MOST_STALE_ATTEMPTS
from pmscore.kernel.errors import (
    MisuseError,
    NotFoundError,
    RefusedError,
    StaleHouseError,
    StaleVersionError,
    Violation,
)
from pmscore.kernel.events import Json
from pmscore.kernel.ids import AgencyId, PropertyId, QuoteId, UnitTypeId
from pmscore.kernel.ports import Clock
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.quote import KeptQuote
from pmscore.pricing.model.written.book import book_from_json, book_to_json
from pmscore.pricing.ports import PriceBookRepository, PriceReader, QuoteRepository
from pmscore.pricing.views.quote_basis import QuoteBasis, nights_claimed, types_meant
from pmscore.pricing.views.quoting import Quoter

__all__ = [
    "PostgresPriceBooks",
    "PostgresPrices",
    "PostgresPromotionUses",
    "PostgresQuotes",
    "QuoterMemory",
]

MOST_QUOTERS: Final = 256
AHEAD: Final = 1_096
STEP: Final = 28
BACK: Final = timedelta(days=7)
LONG_BACK: Final = timedelta(days=731)

_LATEST: LiteralString = """\
SELECT b.version, p.business_date, p.version
  FROM properties p
  LEFT JOIN LATERAL (SELECT k.version FROM price_books k
                      WHERE k.agency_id = p.agency_id AND k.property_id = p.property_id
                      ORDER BY k.version DESC LIMIT 1) AS b ON true
 WHERE p.agency_id = %s AND p.property_id = %s"""
_BOOK: LiteralString = """\
SELECT b.body, p.zone FROM price_books b JOIN properties p USING (agency_id, property_id)
 WHERE b.agency_id = %s AND b.property_id = %s AND b.version = %s"""
_LATEST_BOOK: LiteralString = """\
SELECT body FROM price_books WHERE agency_id = %s AND property_id = %s ORDER BY version DESC LIMIT 1"""
_INSERT_BOOK: LiteralString = """\
INSERT INTO price_books (agency_id, property_id, version, body, made_at)
SELECT n.agency_id, n.property_id, n.version, n.body, n.made_at
  FROM (SELECT %s::uuid AS agency_id, %s::uuid AS property_id, %s::int AS version, %s::jsonb AS body,
               %s::timestamptz AS made_at) AS n
 WHERE n.version = 1 + coalesce((SELECT max(b.version) FROM price_books b
                                  WHERE b.agency_id = n.agency_id AND b.property_id = n.property_id), 0)
ON CONFLICT DO NOTHING RETURNING 1"""
_WIDTH = QUOTE_COLUMNS.count(",") + 1
_INSERT_QUOTE: LiteralString = (
    f"INSERT INTO quotes (agency_id, {QUOTE_COLUMNS}) VALUES (%s{', %s' * _WIDTH}) RETURNING 1"
)
_QUOTE: LiteralString = f"SELECT {QUOTE_COLUMNS} FROM quotes WHERE agency_id = %s AND quote_id = %s"
_LOCKED_QUOTE: LiteralString = f"{_QUOTE} FOR NO KEY UPDATE"
_UPDATE_QUOTE: LiteralString = """\
UPDATE quotes SET state = %s, hold_ids = %s, booking_id = %s, expires_at = %s, version = %s
 WHERE agency_id = %s AND quote_id = %s AND version = %s RETURNING 1"""
# Whoever is holding or booking a quote just now keeps it.
_PURGE: LiteralString = """\
WITH done AS (
  DELETE FROM quotes q
   WHERE q.agency_id = %s AND q.quote_id = ANY (ARRAY(
           SELECT o.quote_id FROM quotes o
            WHERE o.agency_id = %s AND o.booking_id IS NULL AND o.expires_at < %s
            ORDER BY o.expires_at LIMIT %s FOR UPDATE SKIP LOCKED))
  RETURNING 1)
SELECT count(*)::int FROM done"""
_USE: LiteralString = """\
INSERT INTO promotion_uses AS p (agency_id, property_id, code, uses) VALUES (%s, %s, %s, 1)
ON CONFLICT (agency_id, property_id, code) DO UPDATE SET uses = p.uses + 1 WHERE p.uses < %s RETURNING 1"""
_GIVE_BACK: LiteralString = """\
UPDATE promotion_uses SET uses = uses - 1
 WHERE agency_id = %s AND property_id = %s AND code = %s AND uses > 0 RETURNING 1"""
_USES: LiteralString = """\
SELECT code, uses FROM promotion_uses WHERE agency_id = %s AND property_id = %s AND code = ANY(%s)"""


@frozen
class _Latest:
    """The versions of a property's prices and of its house, and its business date."""

    version: int
    today: date
    house_version: int


class QuoterMemory:
    """The quoters that this process has made lately, and the houses they are for; safe to share between threads."""

    def __init__(self, most: int = MOST_QUOTERS) -> None:
        self.houses = HouseMemory()
        self._most = most
        self._known: OrderedDict[tuple[AgencyId, PropertyId, int], Quoter] = OrderedDict()
        self._lock = Lock()

    def find(
        self, agency_id: AgencyId, property_id: PropertyId, version: int, nights: DateRange
    ) -> Quoter | None:
        """Return the remembered quoter of a version, if it covers these nights."""
        key = (agency_id, property_id, version)
        with self._lock:
            found = self._known.get(key)
            if found is None or not _covers(found, nights):
                return None
            self._known.move_to_end(key)
            return found

    def keep(self, agency_id: AgencyId, quoter: Quoter) -> Quoter:
        """Remember a quoter and return the one to use: another thread's, if that was faster."""
        key = (agency_id, quoter.book.property_id, quoter.book.version)
        with self._lock:
            other = self._known.get(key)
            if other is not None and _covers(other, quoter.tables.nights):
                return other
            if other is not None and other.tables.nights.length > quoter.tables.nights.length:
                return quoter  # for one stay, beyond what others ask for
            self._known[key] = quoter
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
            return quoter


class PostgresPrices(PriceReader):
    """One agency's prices on PostgreSQL, as far as ``reach`` goes; see the port for what it promises."""

    def __init__(
        self,
        engine: Engine,
        agency_id: AgencyId,
        memory: QuoterMemory | None = None,
        *,
        reach: frozenset[PropertyId] | None = None,
    ) -> None:
        self._engine = engine
        self._agency_id = agency_id
        self._reach = reach
        self._memory = memory or QuoterMemory()

    def quoter(self, property_id: PropertyId, version: int | None = None) -> Quoter:
        with Session(self._engine, self._agency_id, self._reach) as session:
            session.check_reach(property_id, "property", property_id)
            latest = _latest(session.read([self._asking(property_id)])[0], property_id)
            return self._quoter(session, property_id, latest, version)

    def basis(
        self,
        property_id: PropertyId,
        unit_type_ids: Iterable[UnitTypeId],
        stay: StayRange,
        now: datetime,
        *,
        availability: AvailabilityReader,
    ) -> QuoteBasis:
        """Read all of it in one round trip, on the strength of a remembered house, whose version is read with it.

        Raises:
            StaleHouseError: the house changed during each of several attempts.
        """
        if not isinstance(availability, PostgresAvailability):
            # Somebody stands before the stock, who may show less of it.
            return super().basis(property_id, unit_type_ids, stay, now, availability=availability)
        wanted = tuple(unit_type_ids)
        with Session(self._engine, self._agency_id, self._reach) as session:
            session.check_reach(property_id, "property", property_id)
            known = self._memory.houses.find(self._agency_id, property_id)
            if known is None or not known.house.types.keys() >= set(wanted):
                known = self._reloaded(session, property_id)
            for _ in range(MOST_STALE_ATTEMPTS):
                types = types_meant(known.house, wanted)
                nights = nights_claimed(stay, types)
                counts = counting(self._agency_id, [each.unit_type_id for each in types], nights, now)
                rows, counted, expired = session.read([self._asking(property_id), *counts])
                latest = _latest(rows, property_id)
                if latest.house_version == known.house.property.version:
                    return QuoteBasis(
                        house=known.house,
                        rules=known.rules,
                        quoter=self._quoter(session, property_id, latest, None),
                        types=types,
                        nights=nights,
                        claimed=claims_counted(counted, expired, nights),
                    )
                known = self._reloaded(session, property_id)
        raise StaleHouseError

    def _asking(self, property_id: PropertyId) -> Statement:
        return _LATEST, (self._agency_id, property_id)

    def _reloaded(self, session: Session, property_id: PropertyId) -> KnownHouse:
        known = load_house(session, property_id)
        self._memory.houses.keep(self._agency_id, known)
        return known

    def _quoter(
        self, session: Session, property_id: PropertyId, latest: _Latest, version: int | None
    ) -> Quoter:
        """Return the quoter of a version, the latest where none is named; it is remembered.

        Raises:
            NotFoundError: there is no such version.
        """
        keys = (self._agency_id, property_id)
        wanted = latest.version if version is None else version
        nights = _window(latest.today, BACK if wanted == latest.version else LONG_BACK)
        known = self._memory.find(*keys, wanted, nights)
        if known is not None:
            return known
        found = session.read([(_BOOK, (*keys, wanted))])[0]
        if not found:
            raise NotFoundError("price_book", wanted)
        return self._memory.keep(self._agency_id, _made(property_id, found[0], nights))

    def uses(self, property_id: PropertyId, codes: Iterable[str]) -> Mapping[str, int]:
        with Session(self._engine, self._agency_id, self._reach) as session:
            session.check_reach(property_id, "property", property_id)
            rows = session.read([(_USES, (self._agency_id, property_id, tuple(codes)))])[0]
        return _counts(rows)


class PostgresPriceBooks(PriceBookRepository):
    """Price books on PostgreSQL."""

    def __init__(self, session: Session, writes: WriteSet, clock: Clock) -> None:
        self._session = session
        self._writes = writes
        self._clock = clock

    def find(self, property_id: PropertyId) -> PriceBook | None:
        if not self._session.reaches(property_id):
            return None
        rows = self._session.rows(_LATEST_BOOK, self._session.agency_id, property_id)
        return _loaded_book(property_id, rows[0][0]) if rows else None

    def add(self, book: PriceBook) -> None:
        values = (
            self._session.agency_id, book.property_id, book.version, as_document(book_to_json(book)),
            self._clock.now(),
        )  # fmt: skip
        stale = StaleVersionError(property_id=str(book.property_id))
        self._writes.aggregates.append(Expectation((_INSERT_BOOK, values), 1, stale))


class PostgresQuotes(QuoteRepository):
    """Kept quotes on PostgreSQL; each is restored with a quoter of its own book."""

    def __init__(self, session: Session, writes: WriteSet, memory: QuoterMemory) -> None:
        self._session = session
        self._writes = writes
        self._memory = memory
        self._read: dict[QuoteId, KeptQuote] = {}

    def add(self, kept: KeptQuote) -> None:
        values = (self._session.agency_id, *quote_values(kept))
        missing = NotFoundError("property", kept.quote.property_id)
        self._writes.aggregates.append(Expectation((_INSERT_QUOTE, values), 1, missing))

    def get(self, quote_id: QuoteId) -> KeptQuote:
        rows = self._session.rows(_LOCKED_QUOTE, self._session.agency_id, quote_id)
        kept = self._read[quote_id] = self._restored(quote_id, rows)
        return kept

    def read(self, quote_id: QuoteId) -> KeptQuote:
        return self._restored(
            quote_id, self._session.read([(_QUOTE, (self._session.agency_id, quote_id))])[0]
        )

    def save(self, kept: KeptQuote) -> None:
        before = self._read.get(kept.quote.quote_id)
        if before is None:
            raise MisuseError(saved_unread=str(kept.quote.quote_id))
        values = (
            kept.status.value, kept.hold_ids, kept.booking_id, kept.quote.expires_at, kept.version,
            self._session.agency_id, kept.quote.quote_id, before.version,
        )  # fmt: skip
        stale = StaleVersionError(quote_id=str(kept.quote.quote_id))
        self._writes.aggregates.append(Expectation((_UPDATE_QUOTE, values), 1, stale))

    def purge(self, before: datetime, *, most: int) -> int:
        agency_id = self._session.agency_id
        ((count,),) = self._session.rows(_PURGE, agency_id, agency_id, before, most)
        return count if isinstance(count, int) else 0

    def _restored(self, quote_id: QuoteId, rows: list[Row]) -> KeptQuote:
        if not rows:
            raise NotFoundError("quote", quote_id)
        row = rows[0]
        property_id, version, arrival, departure = row[1], row[3], row[5], row[6]
        self._session.check_reach(PropertyId(property_id), "quote", quote_id)  # type: ignore[arg-type]
        stay = StayRange(arrival, departure)  # type: ignore[arg-type]
        source = self._quoter(PropertyId(property_id), version, stay)  # type: ignore[arg-type]
        return loaded_quote(source, *row)  # type: ignore[arg-type]

    def _quoter(self, property_id: PropertyId, version: int, stay: StayRange) -> Quoter:
        """Return a quoter of a version that covers a stay; one that is made for it covers nothing else."""
        keys = (self._session.agency_id, property_id, version)
        nights = DateRange.from_stay(stay)
        known = self._memory.find(*keys, nights)
        if known is not None:
            return known
        rows = self._session.rows(_BOOK, *keys)
        return self._memory.keep(self._session.agency_id, _made(property_id, rows[0], nights))


class PostgresPromotionUses(PromotionUses):
    """How often promotions were used, on PostgreSQL."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def count(self, property_id: PropertyId, code: str, *, most: int) -> None:
        used_up = RefusedError((Violation("code_used_up", None, code, "plan"),))
        values = (self._session.agency_id, property_id, code, most)
        self._writes.aggregates.append(Expectation((_USE, values), 1, used_up))

    def give_back(self, property_id: PropertyId, code: str) -> None:
        # Who gives up a booking is not kept from it by a count that somebody has set to zero by hand.
        values = (self._session.agency_id, property_id, code)
        never = MisuseError(promotion=code)
        self._writes.aggregates.append(Expectation((_GIVE_BACK, values), None, never))

    def uses(self, property_id: PropertyId, codes: Iterable[str]) -> Mapping[str, int]:
        return _counts(self._session.rows(_USES, self._session.agency_id, property_id, tuple(codes)))


def _window(today: date, back: timedelta) -> DateRange:
    """Return the nights that a quoter covers; they move on by weeks, so that its tables last that long."""
    first = (today - back).toordinal() // STEP * STEP
    return DateRange.of(date.fromordinal(first), back.days + STEP + AHEAD)


def _covers(quoter: Quoter, nights: DateRange) -> bool:
    covered = quoter.tables.nights
    return covered.start <= nights.start and nights.end <= covered.end


def _made(property_id: PropertyId, row: Row, nights: DateRange) -> Quoter:
    body, zone = row
    return Quoter(_loaded_book(property_id, body), nights, Zone(str(zone)))


def _loaded_book(property_id: PropertyId, body: object) -> PriceBook:
    document: Json = body  # type: ignore[assignment]
    return book_from_json(document, property_id=property_id, unit_type=lambda text: UnitTypeId(UUID(text)))


def _latest(rows: list[Row], property_id: PropertyId) -> _Latest:
    """Return what a property has; see :data:`_LATEST`.

    Raises:
        NotFoundError: no such property in this agency, or it has no prices.
    """
    if not rows:
        raise NotFoundError("property", property_id)
    version, today, house_version = rows[0]
    if version is None:
        raise NotFoundError("price_book", property_id)
    if not (isinstance(version, int) and isinstance(today, date) and isinstance(house_version, int)):
        raise TypeError(type(version))
    return _Latest(version, today, house_version)


def _counts(rows: list[Row]) -> dict[str, int]:
    return {str(code): uses for code, uses in rows if isinstance(uses, int)}
