"""``/api/v1/bookings/{id}/preview-…``: what a change or a cancellation would cost, before it is made.

Owns these two addresses; they write nothing, and the same question again gets the same answer as long as prices,
booking and time stand still.
"""

from __future__ import annotations

from flask import Response

from pms_web.preview_schemas import AskedCancellation, AskedStay
from pms_web.preview_views import CancellationPreviewBody, StayPreviewBody, cancellation_body, stay_body
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.booking.model.booking import Booking
from pmscore.booking.use_cases.previews import (
    PreviewCancellation,
    PreviewStay,
    preview_cancellation,
    preview_stay,
)
from pmscore.kernel.ids import BookingId, parse_id

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/bookings/<booking_id>"


def show_stay(services: WebServices, booking_id: str, body: AskedStay) -> Response:
    """Return what a booking would cost with another stay."""
    key = BookingId(parse_id(booking_id, field="booking_id"))
    stay = body.stay_of(services.retry(lambda: _read(services, key)))
    query = PreviewStay(
        **services.asking,
        booking_id=key,
        stay=stay,
        basis=body.basis,
    )
    shown = services.retry(
        lambda: preview_stay(
            query,
            uow=services.uow,
            availability=services.availability,
            prices=services.prices,
            clock=services.clock,
            ids=services.ids,
        )
    )
    return answer(stay_body(key, stay, body.basis, shown))


def show_cancellation(services: WebServices, booking_id: str, body: AskedCancellation) -> Response:
    """Return fee and refund if a booking, or what is named of it, were cancelled at a moment."""
    key = BookingId(parse_id(booking_id, field="booking_id"))
    booking = services.retry(lambda: _read(services, key))
    query = PreviewCancellation(
        **services.asking,
        booking_id=key,
        captured=body.captured,
        at=body.at,
        removed=body.removed_of(booking),
    )
    charge = services.retry(lambda: preview_cancellation(query, uow=services.uow, clock=services.clock))
    return answer(cancellation_body(key, charge))


def _read(services: WebServices, booking_id: BookingId) -> Booking:
    with services.uow.begin(services.question) as work:
        return work.bookings.read(booking_id)


ROUTES = (
    Route(
        method="POST",
        path=f"{ADDRESS}/preview-stay",
        view=show_stay,
        permission=Permission.READ_BOOKINGS,
        summary="See what another stay would cost",
        body=AskedStay,
        replies={200: StayPreviewBody},
        example={"departure": "2027-06-05"},
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/preview-cancellation",
        view=show_cancellation,
        permission=Permission.READ_BOOKINGS,
        summary="See what a cancellation would cost",
        body=AskedCancellation,
        replies={200: CancellationPreviewBody},
        example={"captured": {"amount": "60.00", "currency": "EUR"}},
    ),
)
