"""What quotes look like on their way in, and what is booked from them.

Owns the members of request bodies about quotes. Leaves reading single members to ``fields`` and what goes out to
``quote_views``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from pms_web.fields import Fields, collecting
from pms_web.schemas import read_guest
from pmscore.booking.model.booking import Source
from pmscore.dates.nights import StayRange
from pmscore.guests.model import Guest
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import GuestId, PropertyId, QuoteId, UnitTypeId
from pmscore.kernel.ports import IdSource
from pmscore.pricing.model.guests import MOST_GUESTS, GuestParty
from pmscore.pricing.model.request import MOST_CODES, MOST_ROOMS, QuoteRequest

__all__ = ["HoldOfQuote", "NewQuotes", "QuotedBooking"]

_SAID_BY_THE_QUOTE = (
    "property_id",
    "rooms",
    "arrival",
    "departure",
    "adults",
    "children",
    "infants",
    "nightly",
    "rate",
    "unit_type_id",
    "unit_id",
    "hold_ids",
)


@frozen(kw_only=True)
class NewQuotes:
    """What somebody wants to know the price of; ``keeps`` asks for quotes that can be held or booked.

    ``display_currency`` is the one in which amounts are to be shown as well.
    """

    property_id: PropertyId
    request: QuoteRequest
    keeps: bool
    display_currency: Currency | None = None

    @classmethod
    def read(cls, body: Mapping[str, Json]) -> NewQuotes:
        """Read a request; the one party may stand in the body itself, several stand in ``parties``.

        Raises:
            FieldsError: with every mistake in the body.
        """
        with collecting() as errors:
            fields = Fields(body, errors)
            property_id = fields.id("property_id", required=True)
            arrival, departure = fields.day("arrival", required=True), fields.day("departure", required=True)
            stay = None
            if arrival is not None and departure is not None:
                stay = fields.made(lambda: StayRange(arrival, departure))
            parties = _parties(fields)
            types = tuple(UnitTypeId(each) for each in fields.ids("unit_type_ids"))
            plans = fields.texts("plans", most=MOST_CODES)
            codes = fields.texts("codes", most=MOST_CODES)
            extras = fields.texts("extras", most=MOST_CODES)
            channel = fields.text("channel") or "direct"
            keeps = fields.flag("keep") or False
            display_currency = fields.currency("display_currency")
            fields.close()
            if errors or property_id is None or stay is None:
                raise InvalidInputError("body", "incomplete")
            request = QuoteRequest(
                stay=stay,
                parties=parties,
                unit_type_ids=tuple(dict.fromkeys(types)),
                plans=tuple(dict.fromkeys(plans)),
                codes=codes,
                extras=extras,
                channel=channel,
            )
        return cls(
            property_id=PropertyId(property_id),
            request=request,
            keeps=keeps,
            display_currency=display_currency,
        )


@frozen(kw_only=True)
class HoldOfQuote:
    """Until when a quote is to be held, and whether its rooms are kept as well."""

    until: datetime
    with_stock: bool

    @classmethod
    def read(cls, body: Mapping[str, Json]) -> HoldOfQuote:
        """Read a request.

        Raises:
            FieldsError: with every mistake in the body.
        """
        with collecting() as errors:
            fields = Fields(body, errors)
            until, with_stock = fields.instant("until"), fields.flag("with_stock") or False
            if not fields.has("until"):
                fields.note("until", "required")
            fields.close()
            if until is None:
                raise InvalidInputError("body", "incomplete")
        return cls(until=until, with_stock=with_stock)


@frozen(kw_only=True)
class QuotedBooking:
    """The booking of a quote; stay, rooms, guests, amounts and channel are the quote's."""

    quote_id: QuoteId
    guest: GuestId | Guest
    reference: str
    segment: str
    requests: str
    notes: str
    option_until: datetime | None

    @classmethod
    def read(cls, body: Mapping[str, Json], ids: IdSource) -> QuotedBooking:
        """Read a request.

        Raises:
            FieldsError: with every mistake in the body.
        """
        with collecting() as errors:
            fields = Fields(body, errors)
            quote_id = fields.id("quote_id", required=True)
            guest = read_guest(fields, ids)
            source = _source(fields)
            requests, notes = fields.text("requests") or "", fields.text("notes") or ""
            option_until = fields.instant("option_until")
            for name in _SAID_BY_THE_QUOTE:
                fields.refuse(name, "one_of_two", other="quote_id")
            fields.close()
            if quote_id is None or guest is None or source is None:
                raise InvalidInputError("body", "incomplete")
        return cls(
            quote_id=QuoteId(quote_id),
            guest=guest,
            reference=source.reference,
            segment=source.segment,
            requests=requests,
            notes=notes,
            option_until=option_until,
        )


def _parties(fields: Fields) -> tuple[GuestParty, ...]:
    nested = fields.objects("parties", most=MOST_ROOMS)
    if not fields.has("parties"):
        found = [_party(fields)]
    else:
        for name in ("adults", "ages", "pets"):
            fields.refuse(name, "one_of_two", other="parties")
        found = [_party(each) for each in nested]
        for each in nested:
            each.close()
    return tuple(each for each in found if each is not None)


def _party(fields: Fields) -> GuestParty | None:
    adults = fields.whole("adults", required=True)
    ages, pets = fields.wholes("ages", most=MOST_GUESTS), fields.whole("pets") or 0
    if adults is None:
        return None
    return fields.made(lambda: GuestParty(adults=adults, ages=ages, pets=pets))


def _source(fields: Fields) -> Source | None:
    source = fields.object("source")
    if source is None:
        return None if fields.has("source") else Source()
    reference, segment = source.text("reference") or "", source.text("segment") or ""
    source.refuse("channel", "one_of_two", other="quote_id")
    source.close()
    return source.made(lambda: Source(reference=reference, segment=segment))
