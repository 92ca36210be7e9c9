"""Booking from a quote: what was quoted is what is booked.

Checks the stock always, and price and stay rules only where the quote has expired: until then both are promised.
Holds of the quote are taken up, uses of its promotions counted, and the quote is marked, in the transaction of the
booking.
"""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pmscore.availability.ports import AvailabilityReader
from pmscore.booking.model.booking import Booking, Source
from pmscore.booking.model.events import QuoteBooked
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.policies.drafting import RoomRequest, draft_room, rule_violations
from pmscore.booking.policies.quoted import guests_of, is_offered_alike, request_of
from pmscore.booking.ports import QuotedBookingWork
from pmscore.booking.use_cases.making import check_option, take_up, write_booking
from pmscore.booking.views import BookingReceipt
from pmscore.dates.ranges import DateRange
from pmscore.guests.model import Guest
from pmscore.inventory.model.holds import HoldStatus
from pmscore.inventory.model.house import House
from pmscore.inventory.ports import ExpiredHolds, claiming
from pmscore.kernel.errors import InvalidInputError, NotFoundError, PriceChangedError, RefusedError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BookingId, BookingRoomId, GuestId, QuoteId
from pmscore.kernel.money import Money
from pmscore.kernel.once import made_or_repeated
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.quote import KeptQuote, Quote
from pmscore.pricing.policies.inherited_rules import rules_for_plan
from pmscore.pricing.policies.occupied import occupied_percent
from pmscore.pricing.policies.promotions import limited_promotions
from pmscore.pricing.ports import PriceReader
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import StayQuestion
from pmscore.restrictions.policies.evaluation import violations_of

__all__ = ["BookQuote", "book_quote"]


@frozen(kw_only=True)
class BookQuote(Command):
    """Make the booking that a kept quote describes, for a known guest, or for a new one given with it.

    Who sells it was said when the quote was asked for; ``reference`` is the channel's number, ``segment`` the market
    segment. ``option_until`` makes it pending until then.
    """

    quote_id: QuoteId
    guest: GuestId | Guest
    reference: str = ""
    segment: str = ""
    requests: str = ""
    notes: str = ""
    option_until: datetime | None = None


def book_quote(
    command: BookQuote,
    *,
    uow: UnitOfWork[QuotedBookingWork],
    availability: AvailabilityReader,
    prices: PriceReader,
    clock: Clock,
    ids: IdSource,
) -> BookingReceipt:
    """Make the booking, one room for each party of the quote; a repetition under the same key returns the first receipt.

    Raises:
        NotFoundError: no such quote or guest in this agency.
        TransitionError: the quote is booked already.
        PriceChangedError: it has expired, and would be made differently now; nothing was written.
        RefusedError: it has expired and breaks rules of the house by now, its arrival has passed, or its promotion
            is used up; carries all reasons.
        NightsTakenError: the rooms are not free.
        KeyReusedError: the idempotency key belongs to another request.
    """
    now = clock.now()
    booking_id = BookingId(ids.new())

    def make() -> BookingReceipt:
        check_option(command.option_until, now)
        with uow.begin(command) as work:
            quote = work.quotes.read(command.quote_id).booked(booking_id).quote
        book = prices.quoter(quote.property_id, _book_version(quote)).book
        if quote.is_expired(now):
            _check_price(quote, availability, prices, now)
        room_ids = tuple(BookingRoomId(ids.new()) for _ in quote.parties)

        def attempt(expired: ExpiredHolds) -> BookingReceipt:
            with uow.begin(command) as work:
                kept = work.quotes.get(command.quote_id)
                house = work.houses.get(quote.property_id)
                booking = _drafted(command, quote, book, house, now, booking_id, room_ids)
                _check_rules(work, booking, quote, book, house, now)
                _mark(work, kept, booking, book)
                held = [work.holds.get(each) for each in sorted(kept.hold_ids)]
                # Those whose time is over end with all other expired holds that are in the way.
                active = [
                    each for each in held if each.status is HoldStatus.ACTIVE and not each.is_expired(now)
                ]
                return write_booking(
                    work,
                    command,
                    booking,
                    command.guest,
                    given_up=take_up(work, active),
                    now=now,
                    expired=expired,
                )

        return claiming(attempt)

    return made_or_repeated(command, uow, make, BookingReceipt.from_reply)


def _book_version(quote: Quote) -> int | None:
    return next((each.version for each in quote.versions if each.kind == "book"), None)


def _check_price(quote: Quote, availability: AvailabilityReader, prices: PriceReader, now: datetime) -> None:
    """Refuse a quote that would be made differently now."""
    gone = PriceChangedError(
        old_minor=quote.totals.due, new_minor=None, currency=quote.currency.code, quote_id=str(quote.quote_id)
    )
    quoter = prices.quoter(quote.property_id)
    occupied = None
    try:
        if quoter.has_yield:
            (house,) = availability.houses([quote.property_id])
            nights = DateRange.from_stay(quote.stay)
            claimed = availability.claimed([quote.unit_type_id], nights, now)
            unit_type = house.type_of(quote.unit_type_id)
            occupied = occupied_percent(unit_type, quote.stay, claimed.get(quote.unit_type_id))
        anew = quoter.quote(
            request_of(quote),
            quote.unit_type_id,
            quote.plan,
            now=now,
            quote_id=quote.quote_id,
            occupied=occupied,
        )
    except (InvalidInputError, NotFoundError) as error:
        # Its plan, its type or one of its codes is no longer there.
        raise gone from error
    if not isinstance(anew, Quote):
        raise RefusedError(anew)
    if not is_offered_alike(quote, anew):
        raise PriceChangedError(
            old_minor=quote.totals.due,
            new_minor=anew.totals.due,
            currency=quote.currency.code,
            quote_id=str(quote.quote_id),
        )


def _check_rules(
    work: QuotedBookingWork, booking: Booking, quote: Quote, book: PriceBook, house: House, now: datetime
) -> None:
    """Refuse a stay that has begun; of an expired quote also one that breaks rules of the house by now."""
    broken = rule_violations(booking, house, RuleBook(), now=now)
    if quote.is_expired(now):
        home = house.property
        question = StayQuestion(
            stay=quote.stay,
            unit_type_id=quote.unit_type_id,
            asked_at=now,
            business_date=home.business_date,
            zone=home.zone,
            check_in_at=home.check_in_at,
            plan=quote.plan,
            channel=quote.channel,
        )
        rules = rules_for_plan(work.restrictions.get(quote.property_id), book, quote.plan)
        broken = tuple(dict.fromkeys((*broken, *violations_of(rules, question))))
    if broken:
        raise RefusedError(broken)


def _mark(work: QuotedBookingWork, kept: KeptQuote, booking: Booking, book: PriceBook) -> None:
    """Take the quote up, and count the uses of its promotions."""
    booked = kept.booked(booking.booking_id)
    for code, most in limited_promotions(kept.quote, book):
        work.promotions.count(booking.property_id, code, most=most)
    work.quotes.save(booked)
    work.record(
        QuoteBooked(
            aggregate_id=kept.quote.quote_id,
            version=booked.version,
            property_id=booking.property_id,
            booking_id=booking.booking_id,
        )
    )


def _drafted(
    command: BookQuote,
    quote: Quote,
    book: PriceBook,
    house: House,
    now: datetime,
    booking_id: BookingId,
    room_ids: tuple[BookingRoomId, ...],
) -> Booking:
    guest = command.guest
    terms = book.occupancy(book.plan(quote.plan), quote.unit_type_id)
    rooms = [
        RoomRequest(
            stay=quote.stay,
            party=guests_of(party, terms),
            nightly=tuple(Money(minor, quote.currency) for minor in amounts),
            unit_type_id=quote.unit_type_id,
        )
        for party, amounts in zip(quote.parties, quote.nightly, strict=True)
    ]
    return Booking(
        booking_id=booking_id,
        property_id=quote.property_id,
        guest_id=guest.guest_id if isinstance(guest, Guest) else guest,
        status=Status.CONFIRMED if command.option_until is None else Status.PENDING,
        currency=quote.currency,
        rooms=tuple(
            draft_room(asked, house, room_id) for asked, room_id in zip(rooms, room_ids, strict=True)
        ),
        created_at=now,
        source=Source(channel=quote.channel, reference=command.reference, segment=command.segment),
        requests=command.requests,
        notes=command.notes,
        terms={} if quote.terms is None else quote.terms.to_json(),
        option_until=command.option_until,
        quote_id=quote.quote_id,
    )
