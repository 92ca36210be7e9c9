"""``/api/v1/bookings``: making, listing, reading and changing bookings.

Owns addresses, and which use case a change becomes. A status is asked for by name; the life cycle says which
act leads there. Acts that are asked for by their own names stand in ``booking_actions``. No booking is ever
removed.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from pms_web.booking_queries import BookingsQuery
from pms_web.booking_schemas import AnyNewBooking, NewBooking, NewBookingOfQuote, NewBookingOfRooms
from pms_web.booking_views import BookingBody, ReceiptBody, booking_body, receipt_body
from pms_web.change_schemas import (
    AnyChange,
    BookingChange,
    RoomsChange,
    StatusChange,
    StayChange,
    UnitChange,
    only_room,
)
from pms_web.examples import PROPERTY, UNIT_TYPE
from pms_web.paging import Page, page_of
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import TRANSITIONS, Status
from pmscore.booking.use_cases.amend import AmendBooking, amend_booking
from pmscore.booking.use_cases.assign import AssignRoom, assign_room
from pmscore.booking.use_cases.book_quote import BookQuote, book_quote
from pmscore.booking.use_cases.change_status import ChangeStatus, change_status
from pmscore.booking.use_cases.change_stay import ChangeStay, change_stay
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.booking.views import BookingReceipt
from pmscore.guests.model import Guest
from pmscore.kernel import paging
from pmscore.kernel.errors import TransitionError
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import BookingId, parse_id

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/bookings"


def create(services: WebServices, body: AnyNewBooking, once: OnceKey) -> Response:
    """Make a booking, from a quote or from rooms; the same key and body again get the same answer and no second one."""
    if isinstance(body, NewBookingOfQuote):
        receipt = services.retry(_from_quote(services, body, once))
    else:
        receipt = services.retry(_from_rooms(services, body, once))
    response = answer(receipt_body(receipt), status=201)
    response.headers["Location"] = f"{ADDRESS}/{receipt.booking_id}"
    return response


def _from_rooms(
    services: WebServices, wanted: NewBooking | NewBookingOfRooms, once: OnceKey
) -> Callable[[], BookingReceipt]:
    command = CreateBooking(
        **services.asking,
        once=once,
        property_id=wanted.property_id,
        guest=wanted.whom(services.ids),
        rooms=wanted.room_requests(),
        source=wanted.source.made(),
        requests=wanted.requests,
        notes=wanted.notes,
        option_until=wanted.option_until,
        hold_ids=wanted.hold_ids,
    )
    return lambda: create_booking(command, uow=services.uow, clock=services.clock, ids=services.ids)


def _from_quote(
    services: WebServices, wanted: NewBookingOfQuote, once: OnceKey
) -> Callable[[], BookingReceipt]:
    command = BookQuote(
        **services.asking,
        once=once,
        quote_id=wanted.quote_id,
        guest=wanted.whom(services.ids),
        reference=wanted.source.reference,
        segment=wanted.source.segment,
        requests=wanted.requests,
        notes=wanted.notes,
        option_until=wanted.option_until,
    )
    return lambda: book_quote(
        command,
        uow=services.uow,
        availability=services.availability,
        prices=services.prices,
        clock=services.clock,
        ids=services.ids,
    )


def listed(services: WebServices, query: BookingsQuery) -> Response:
    """Return a page of the bookings, newest first; all conditions hold."""
    page = paging.Page(query.limit, query.offset)
    shows_guest = services.principal.may(Permission.READ_GUESTS)

    def attempt() -> Page[BookingBody]:
        with services.uow.begin(services.question) as work:
            for property_id in query.property_id:
                work.houses.get(property_id)
            found = work.bookings.find(query.wanted(), page)
            guests = work.guests.get_all([each.guest_id for each in found.items])
        bodies = (booking_body(each, guests[each.guest_id], shows_guest=shows_guest) for each in found.items)
        return page_of(bodies, query, total=found.total)

    return answer(services.retry(attempt))


def show(services: WebServices, booking_id: str) -> Response:
    """Return a booking."""
    return _shown(services, _booking_id(booking_id))


def change(services: WebServices, booking_id: str, body: AnyChange) -> Response:
    """Change a booking: its status, a unit, or stay, party, type, amounts, requests and notes."""
    key = _booking_id(booking_id)

    def attempt() -> Booking:
        match body:
            case StatusChange():
                return _with_status(services, key, body)
            case UnitChange():
                return _with_unit(services, key, body)
            case StayChange():
                return _with_stay(services, key, body)
            case BookingChange() | RoomsChange():
                return _amended(services, key, body)

    booking = services.retry(attempt)
    return _shown(services, booking.booking_id)


def _with_status(services: WebServices, key: BookingId, wanted: StatusChange) -> Booking:
    before, _ = _read(services, key)
    if before.status is wanted.status:
        return before
    for (status, act), target in TRANSITIONS.items():
        if status is before.status and target is wanted.status:
            command = ChangeStatus(
                **services.asking,
                booking_id=key,
                act=act,
                reason=wanted.reason or "unstated",
                expected_version=wanted.version,
            )
            return change_status(command, uow=services.uow, clock=services.clock)
    raise TransitionError(_ACT_NAMES[wanted.status], before.status.value)


def _with_unit(services: WebServices, key: BookingId, wanted: UnitChange) -> Booking:
    room_id = wanted.room_id
    if room_id is None:
        before, _ = _read(services, key)
        room_id = only_room(before).room_id
    command = AssignRoom(
        **services.asking,
        booking_id=key,
        room_id=room_id,
        unit_id=wanted.unit_id,
        from_night=wanted.from_night,
        expected_version=wanted.version,
    )
    return assign_room(command, uow=services.uow, clock=services.clock)


def _with_stay(services: WebServices, key: BookingId, wanted: StayChange) -> Booking:
    before, _ = _read(services, key)
    command = ChangeStay(
        **services.asking,
        booking_id=key,
        stay=wanted.stay_of(before),
        basis=wanted.reprice,
        expected_total=wanted.expected_total,
        requests=wanted.requests,
        notes=wanted.notes,
        # An end that was left out was taken from the booking as read, so it must still be that version.
        expected_version=before.version if wanted.version is None else wanted.version,
    )
    return change_stay(
        command,
        uow=services.uow,
        availability=services.availability,
        prices=services.prices,
        clock=services.clock,
        ids=services.ids,
    )


def _amended(services: WebServices, key: BookingId, wanted: BookingChange | RoomsChange) -> Booking:
    before, _ = _read(services, key)
    rooms = wanted.room_changes()
    command = AmendBooking(
        **services.asking,
        booking_id=key,
        rooms=tuple(each.amending(before) for each in rooms),
        requests=wanted.requests,
        notes=wanted.notes,
        # What was left out was taken from the booking as read, so it must still be that version.
        expected_version=before.version if wanted.version is None and rooms else wanted.version,
    )
    return amend_booking(command, uow=services.uow, clock=services.clock)


def _shown(services: WebServices, key: BookingId) -> Response:
    booking, guest = services.retry(lambda: _read(services, key))
    shows_guest = services.principal.may(Permission.READ_GUESTS)
    return answer(booking_body(booking, guest, shows_guest=shows_guest))


def _read(services: WebServices, booking_id: BookingId) -> tuple[Booking, Guest]:
    with services.uow.begin(services.question) as work:
        booking = work.bookings.read(booking_id)
        return booking, work.guests.get(booking.guest_id)


def _booking_id(text: str) -> BookingId:
    return BookingId(parse_id(text, field="booking_id"))


_ACT_NAMES = {
    Status.PENDING: "amend",
    Status.CONFIRMED: "confirm",
    Status.CHECKED_IN: "check_in",
    Status.CHECKED_OUT: "check_out",
    Status.CANCELLED: "cancel",
    Status.DECLINED: "decline",
    Status.EXPIRED: "expire",
    Status.NO_SHOW: "mark_no_show",
    Status.REFUNDED: "refund",
}


ROUTES = (
    Route(
        method="POST",
        path=ADDRESS,
        view=create,
        permission=Permission.WRITE_BOOKINGS,
        summary="Make a booking",
        body=AnyNewBooking,
        replies={201: ReceiptBody},
        idempotency=Idempotency.REQUIRED,
        example={
            "property_id": PROPERTY,
            "unit_type_id": UNIT_TYPE,
            "arrival": "2027-06-01",
            "departure": "2027-06-04",
            "adults": 2,
            "rate": {"amount": "120.00", "currency": "EUR"},
            "guest": {"name": "Ada Moreira", "email": "ada@example.com", "country": "PT"},
        },
    ),
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_BOOKINGS,
        summary="List the bookings",
        query=BookingsQuery,
        replies={200: Page[BookingBody]},
        example={
            "property_id": PROPERTY,
            "status": ["confirmed", "checked_in"],
            "arrival_from": "2027-06-01",
            "arrival_to": "2027-06-08",
        },
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/<booking_id>",
        view=show,
        permission=Permission.READ_BOOKINGS,
        summary="Read a booking",
        replies={200: BookingBody},
        is_versioned=True,
    ),
    Route(
        method="PATCH",
        path=f"{ADDRESS}/<booking_id>",
        view=change,
        permission=Permission.WRITE_BOOKINGS,
        summary="Change a booking",
        body=AnyChange,
        replies={200: BookingBody},
        example={"notes": "Arrives by the late train.", "requests": "A quiet room."},
        is_versioned=True,
    ),
)
