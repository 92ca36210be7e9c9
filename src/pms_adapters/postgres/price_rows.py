"""A kept quote's row: from the value to the columns, and back from what a query answers.

Owns the columns of ``quotes``. Leaves price books, which are documents of the core, to ``pricing``.
"""

from __future__ import annotations

from datetime import date, datetime
from itertools import chain
from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.documents import as_document
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import BookingId, HoldId, PropertyId, QuoteId, UnitTypeId
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.quote import KeptQuote, Offer, Quote, QuoteSource, QuoteStatus, RuleVersion
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.totals import Totals

__all__ = ["QUOTE_COLUMNS", "book_version_of", "loaded_quote", "quote_values"]

QUOTE_COLUMNS: LiteralString = (
    "quote_id, property_id, unit_type_id, book_version, plan, arrival, departure, parties, channel, codes,"
    " extras, currency, night_amounts, room, fees, net, tax, city_tax, terms, versions, occupied, booked_on,"
    " made_at, expires_at, fingerprint, state, hold_ids, booking_id, version"
)


def book_version_of(quote: Quote) -> int:
    """Return the version of the price book that a quote was made from.

    Raises:
        MisuseError: the quote does not say.
    """
    for each in quote.versions:
        if each.kind == "book":
            return each.version
    raise MisuseError(quote=str(quote.quote_id), names="no_book")


def quote_values(kept: KeptQuote) -> tuple[object, ...]:
    """Return the values of ``QUOTE_COLUMNS``."""
    quote = kept.quote
    parties = [{"adults": each.adults, "ages": each.ages, "pets": each.pets} for each in quote.parties]
    versions = [(each.kind, each.code, each.version) for each in quote.versions]
    return (
        quote.quote_id, quote.property_id, quote.unit_type_id, book_version_of(quote), quote.plan,
        quote.stay.arrival, quote.stay.departure, as_document(parties), quote.channel, quote.codes,
        quote.extras, quote.currency.code, tuple(chain.from_iterable(quote.nightly)),
        quote.totals.room, quote.totals.fees, quote.totals.net, quote.totals.tax, quote.totals.city_tax,
        None if quote.terms is None else as_document(quote.terms.to_json()), as_document(versions),
        quote.occupied, quote.booked_on, quote.made_at, quote.expires_at, quote.fingerprint,
        kept.status.value, kept.hold_ids, kept.booking_id, kept.version,
    )  # fmt: skip


def loaded_quote(
    source: QuoteSource,
    quote_id: UUID, property_id: UUID, unit_type_id: UUID, book_version: int, plan: str, arrival: date,  # noqa: ARG001
    departure: date, parties: list[dict[str, Json]], channel: str, codes: list[str], extras: list[str],
    currency: str, night_amounts: list[int], room: int, fees: int, net: int, tax: int, city_tax: int,
    terms: dict[str, Json] | None, versions: list[tuple[str, str, int]], occupied: list[int] | None,
    booked_on: date, made_at: datetime, expires_at: datetime, fingerprint: str, state: str,
    hold_ids: list[UUID], booking_id: UUID | None, version: int,
) -> KeptQuote:  # fmt: skip
    """Return the quote that the columns of ``QUOTE_COLUMNS`` hold; ``source`` works out its lines."""
    stay = StayRange(arrival, departure)
    offer = Offer(
        property_id=PropertyId(property_id),
        unit_type_id=UnitTypeId(unit_type_id),
        plan=plan,
        parties=tuple(_loaded_party(**each) for each in parties),  # type: ignore[arg-type]
        channel=channel,
        codes=tuple(codes),
        extras=tuple(extras),
        currency=Currency.recorded(currency),
        terms=None if terms is None else Terms.from_json(terms),
        versions=tuple(RuleVersion(*each) for each in versions),
        occupied=None if occupied is None else tuple(occupied),
        source=source,
    )
    quote = Quote(
        quote_id=QuoteId(quote_id),
        offer=offer,
        stay=stay,
        nightly=tuple(
            tuple(night_amounts[at : at + stay.length]) for at in range(0, len(night_amounts), stay.length)
        ),
        totals=Totals(room, fees, net, tax, city_tax),
        booked_on=booked_on,
        made_at=made_at,
        expires_at=expires_at,
        fingerprint=fingerprint,
    )
    return KeptQuote(
        quote=quote,
        status=QuoteStatus(state),
        hold_ids=tuple(HoldId(each) for each in hold_ids),
        booking_id=None if booking_id is None else BookingId(booking_id),
        version=version,
    )


def _loaded_party(adults: int, ages: list[int], pets: int) -> GuestParty:
    return GuestParty(adults=adults, ages=tuple(ages), pets=pets)
