"""Recomputing in another way what a store keeps as sums.

Owns the invariants of DESIGN §5 as one pure function over the books of an agency; a store that keeps them
has an empty answer after every commit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import COUNTED, Status
from pmscore.guests.model import GuestMetrics
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.ids import GuestId
from pmscore.kernel.money import Money
from pmscore.testing.books import Books
from pmscore.testing.ledger import TypeKey, UnitKey, UnitNight

__all__ = ["broken_invariants"]


def broken_invariants(books: Books) -> tuple[str, ...]:
    """Return a sentence for each thing in ``books`` that contradicts another; empty where all agree."""
    claims = _claims(books)
    return (
        *_wrong_counters(books, claims),
        *_wrong_owners(books, claims),
        *_wrong_capacities(books),
        *_wrong_figures(books),
        *_wrong_quotes(books),
    )


def _claims(books: Books) -> tuple[Claim, ...]:
    booked = (claim for booking in books.bookings.values() for claim in booking.claims())
    held = (claim for hold in books.holds.values() for claim in hold.claims())
    blocked = (claim for block in books.blocks.values() for claim in block.claims())
    allotted = (claim for allotment in books.allotments.values() for claim in allotment.claims())
    return (*booked, *held, *blocked, *allotted)


def _wrong_counters(books: Books, claims: tuple[Claim, ...]) -> Iterator[str]:
    expected: defaultdict[TypeKey, Counter[ClaimKind]] = defaultdict(Counter)
    for claim in claims:
        for ordinal in range(claim.nights.first_ordinal, claim.nights.end_ordinal):
            expected[claim.unit_type_id, ordinal][claim.kind] += 1
    for key in expected.keys() - books.ledger.rows.keys():
        yield f"type {key[0]} on {_night(key)} has claims and no counters"
    for key, row in books.ledger.rows.items():
        for kind, counted in row.counts().items():
            if counted != expected[key][kind]:
                yield f"type {key[0]} on {_night(key)} counts {counted} {kind.value}, claims say {expected[key][kind]}"
        if not row.is_within_limit:
            yield f"type {key[0]} on {_night(key)} has {row.claimed} claims, more than {row.capacity}+{row.overbooking}"


def _wrong_owners(books: Books, claims: tuple[Claim, ...]) -> Iterator[str]:
    expected: dict[UnitKey, UnitNight] = {}
    for claim in claims:
        if claim.unit_id is None:
            continue
        owner = UnitNight(claim.kind, claim.source_id, claim.unit_type_id)
        for ordinal in range(claim.nights.first_ordinal, claim.nights.end_ordinal):
            key = (claim.unit_id, ordinal)
            if key in expected:
                yield f"unit {claim.unit_id} on {_night(key)} is claimed twice"
            expected[key] = owner
    for key in expected.keys() | books.ledger.units.keys():
        if expected.get(key) != books.ledger.units.get(key):
            yield f"unit {key[0]} on {_night(key)} is not kept for who claims it"


def _wrong_capacities(books: Books) -> Iterator[str]:
    for house in books.houses.values():
        today = house.property.business_date
        for (type_id, ordinal), row in books.ledger.rows.items():
            unit_type = house.types.get(type_id)
            night = date.fromordinal(ordinal)
            if unit_type is None or night < today:
                continue
            if (row.capacity, row.overbooking) != (unit_type.capacity_on(night), unit_type.overbooking):
                yield f"type {type_id} on {night} counts against a capacity that is not the type's"


def _wrong_figures(books: Books) -> Iterator[str]:
    by_guest: defaultdict[GuestId, list[Booking]] = defaultdict(list)
    for booking in books.bookings.values():
        by_guest[booking.guest_id].append(booking)
    for guest_id in by_guest.keys() - books.guests.keys():
        yield f"guest {guest_id} has bookings and no profile"
    for guest_id, guest in books.guests.items():
        metrics = guest.metrics
        found = (
            metrics.total_bookings,
            tuple(amount for amount in metrics.total_spent if amount.minor),
            metrics.first_booking_at,
            metrics.last_booking_at,
        )
        expected = _figures(by_guest[guest_id])
        wanted = (
            expected.total_bookings,
            expected.total_spent,
            expected.first_booking_at,
            expected.last_booking_at,
        )
        if found != wanted:
            yield f"guest {guest_id} has the figures {found}, the bookings say {wanted}"


def _wrong_quotes(books: Books) -> Iterator[str]:
    booked = {quote_id: kept.booking_id for quote_id, kept in books.quotes.items() if kept.booking_id}
    made = {each.quote_id: each.booking_id for each in books.bookings.values() if each.quote_id}
    for quote_id in booked.keys() | made.keys():
        if booked.get(quote_id) != made.get(quote_id):
            yield f"quote {quote_id} and its booking do not name each other"


def _figures(bookings: list[Booking]) -> GuestMetrics:
    made = [booking.created_at for booking in bookings if booking.status in COUNTED]
    spent: dict[str, Money] = {}
    for booking in bookings:
        if booking.status is Status.CHECKED_OUT:
            code = booking.currency.code
            spent[code] = booking.total + spent.get(code, Money.zero(booking.currency))
    return GuestMetrics(
        total_bookings=len(made),
        total_spent=tuple(amount for _, amount in sorted(spent.items()) if amount.minor),
        first_booking_at=min(made, default=None),
        last_booking_at=max(made, default=None),
    )


def _night(key: TypeKey | UnitKey) -> date:
    return date.fromordinal(key[1])
