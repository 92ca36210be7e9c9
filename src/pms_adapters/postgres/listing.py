"""Pages of bookings, guests, holds and blocks on PostgreSQL.

Owns the conditions as SQL, and that page and total come in one round trip. Leaves the rows to ``rows`` and
the modules of the contexts. Text is compared letter by letter (collation C), so that every server has one
order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import LiteralString, TypeVar

from pms_adapters.postgres.session import Row, Session, Statement
from pmscore.booking.model.booking import id_bits
from pmscore.booking.model.listing import BookingFilter
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import PropertyId
from pmscore.kernel.paging import Page, Paged

__all__ = ["booking_conditions", "conditions", "read_page"]

ItemT = TypeVar("ItemT")

_SOME_ROOM: LiteralString = "EXISTS (SELECT 1 FROM booking_rooms x WHERE x.agency_id = b.agency_id AND x.booking_id = b.booking_id AND "


def conditions(parts: Iterable[Statement]) -> Statement:
    """Return conditions joined by AND, with their values in order."""
    kept = tuple(parts)
    text: LiteralString = " AND ".join([sql for sql, _ in kept])
    return text, tuple(value for _, values in kept for value in values)


def booking_conditions(wanted: BookingFilter, reach: frozenset[PropertyId] | None) -> list[Statement]:
    """Return what a booking ``b`` must meet; ``reach`` are the properties that the actor may see, None for all."""
    found: list[Statement] = [
        ("b.property_id = ANY(%s)", (sorted(each),))
        for each in (wanted.property_ids, reach)
        if each is not None
    ]
    if wanted.statuses:
        found.append(("b.status = ANY(%s)", (sorted(each.value for each in wanted.statuses),)))
    if wanted.guest_id is not None:
        found.append(("b.guest_id = %s", (wanted.guest_id,)))
    if wanted.channel is not None:
        found.append(("b.channel = %s", (wanted.channel,)))
    if wanted.channel_reference is not None:
        found.append(("b.channel_reference = %s", (wanted.channel_reference,)))
    if wanted.reference is not None:
        found.append(("b.reference_bits = %s", (id_bits(wanted.reference),)))
    found += _some_room("x.arrival >= %s AND x.arrival < %s)", wanted.arrival)
    found += _some_room("x.departure >= %s AND x.departure < %s)", wanted.departure)
    found += _some_room("x.departure > %s AND x.arrival < %s)", wanted.staying)
    return found


def read_page(
    session: Session, columns: LiteralString, listed: Statement, order: LiteralString, page: Page,
    loaded: Callable[[Row], ItemT],
) -> Paged[ItemT]:  # fmt: skip
    """Return a page of the rows of ``listed`` (what follows FROM), and how many there are in all."""
    source, values = listed
    rows, counted = session.read(
        [
            (
                "SELECT " + columns + " FROM " + source + " ORDER BY " + order + " LIMIT %s OFFSET %s",
                (*values, page.limit, page.offset),
            ),
            ("SELECT count(*) FROM " + source, values),
        ]
    )
    (total,) = counted[0]
    return Paged(tuple([loaded(row) for row in rows]), int(str(total)), page)


def _some_room(condition: LiteralString, days: DateRange | None) -> list[Statement]:
    return [] if days is None else [(_SOME_ROOM + condition, (days.start, days.end))]
