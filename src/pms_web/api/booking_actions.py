"""``/api/v1/bookings/…``: steps of the life cycle and moves of rooms, each under its own name.

Owns addresses; steps are taken by the use cases of :mod:`pmscore.booking`. All of them move nights or what a guest
owes, so each needs an ``Idempotency-Key``: a repetition gets the first answer, whatever became of the booking since.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from attrs import frozen
from flask import Response

from pms_web.booking_views import StepBody, step_body
from pms_web.change_schemas import only_room
from pms_web.examples import UNIT
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pms_web.wire import Longest, Says, rule
from pmscore.access.model.permissions import Permission
from pmscore.booking.model.lifecycle import Act
from pmscore.booking.use_cases.assign import AssignRoom, assign_room_once
from pmscore.booking.use_cases.change_status import ChangeStatus, change_status_once
from pmscore.booking.views import BookingReceipt
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import BookingId, BookingRoomId, UnitId, parse_id
from pmscore.kernel.text import checked_code

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/bookings/<booking_id>"

Version = Annotated[int | None, Says("The version that was seen; left out, the newest will do.")]
RoomOfBooking = Annotated[BookingRoomId | None, Says("Needed where there are several rooms.")]


@frozen(kw_only=True)
class NextStep:
    """A step of the life cycle; an empty object will do."""

    reason: Annotated[str, Longest(64), Says("A code for reports, such as guest_request.")] = "unstated"
    version: Version = None

    @rule
    def has_code(self) -> None:
        """Refuse a reason that is no code."""
        checked_code(self.reason, field="reason")


@frozen(kw_only=True)
class Assignment:
    """The unit that a room is to have for all of its stay; null takes it back."""

    unit_id: UnitId | None
    room_id: RoomOfBooking = None
    locks: Annotated[
        bool | None, Says("Whether automatic assignment has to leave the room there; left out, as it was.")
    ] = None
    version: Version = None


@frozen(kw_only=True)
class RoomMove:
    """Another unit for a room from a night on; earlier nights stay where they are."""

    unit_id: UnitId
    from_night: Annotated[date, Says("The first night in the new unit.")]
    room_id: RoomOfBooking = None
    version: Version = None


def confirm(services: WebServices, booking_id: str, body: NextStep, once: OnceKey) -> Response:
    """Make an option a firm booking."""
    return _taken(services, booking_id, Act.CONFIRM, body, once)


def decline(services: WebServices, booking_id: str, body: NextStep, once: OnceKey) -> Response:
    """Say no to an option; its nights are free at once."""
    return _taken(services, booking_id, Act.DECLINE, body, once)


def expire(services: WebServices, booking_id: str, body: NextStep, once: OnceKey) -> Response:
    """End an option whose time is over, as happens by itself soon after."""
    return _taken(services, booking_id, Act.EXPIRE, body, once)


def cancel(services: WebServices, booking_id: str, body: NextStep, once: OnceKey) -> Response:
    """Cancel a booking and say what that comes to; cancelling it again changes nothing and answers alike."""
    return _taken(services, booking_id, Act.CANCEL, body, once)


def check_in(services: WebServices, booking_id: str, body: NextStep, once: OnceKey) -> Response:
    """Note that the guest has come; every room has to have its unit."""
    return _taken(services, booking_id, Act.CHECK_IN, body, once)


def undo_check_in(services: WebServices, booking_id: str, body: NextStep, once: OnceKey) -> Response:
    """Take a check-in of the same business date back."""
    return _taken(services, booking_id, Act.UNDO_CHECK_IN, body, once)


def check_out(services: WebServices, booking_id: str, body: NextStep, once: OnceKey) -> Response:
    """Note that the guest has left; nights that are left over are free at once."""
    return _taken(services, booking_id, Act.CHECK_OUT, body, once)


def undo_check_out(services: WebServices, booking_id: str, body: NextStep, once: OnceKey) -> Response:
    """Take a check-out of the same business date back, if the nights are still free."""
    return _taken(services, booking_id, Act.UNDO_CHECK_OUT, body, once)


def no_show(services: WebServices, booking_id: str, body: NextStep, once: OnceKey) -> Response:
    """Note that the guest has not come; the nights are free at once."""
    return _taken(services, booking_id, Act.MARK_NO_SHOW, body, once)


def reinstate(services: WebServices, booking_id: str, body: NextStep, once: OnceKey) -> Response:
    """Make an ended booking a confirmed one again, if its nights are free; its units come with it where they are."""
    return _taken(services, booking_id, Act.REINSTATE, body, once)


def refund(services: WebServices, booking_id: str, body: NextStep, once: OnceKey) -> Response:
    """Note that an ended booking was paid back."""
    return _taken(services, booking_id, Act.REFUND, body, once)


def assign(services: WebServices, booking_id: str, body: Assignment, once: OnceKey) -> Response:
    """Give a room its unit, or take it back."""
    key = _booking_id(booking_id)

    def attempt() -> BookingReceipt:
        command = AssignRoom(
            **services.asking,
            once=once,
            booking_id=key,
            room_id=_room_id(services, key, body.room_id),
            unit_id=body.unit_id,
            locks=body.locks,
            expected_version=body.version,
        )
        return assign_room_once(command, uow=services.uow, clock=services.clock)

    return answer(step_body(services.retry(attempt)))


def move(services: WebServices, booking_id: str, body: RoomMove, once: OnceKey) -> Response:
    """Move a room to another unit from a night on."""
    key = _booking_id(booking_id)

    def attempt() -> BookingReceipt:
        command = AssignRoom(
            **services.asking,
            once=once,
            booking_id=key,
            room_id=_room_id(services, key, body.room_id),
            unit_id=body.unit_id,
            from_night=body.from_night,
            expected_version=body.version,
        )
        return assign_room_once(command, uow=services.uow, clock=services.clock)

    return answer(step_body(services.retry(attempt)))


def _taken(services: WebServices, booking_id: str, act: Act, body: NextStep, once: OnceKey) -> Response:
    command = ChangeStatus(
        **services.asking,
        once=once,
        booking_id=_booking_id(booking_id),
        act=act,
        reason=body.reason,
        expected_version=body.version,
    )
    receipt = services.retry(lambda: change_status_once(command, uow=services.uow, clock=services.clock))
    return answer(step_body(receipt))


def _room_id(services: WebServices, key: BookingId, named: BookingRoomId | None) -> BookingRoomId:
    if named is not None:
        return named
    with services.uow.begin(services.question) as work:
        return only_room(work.bookings.read(key)).room_id


def _booking_id(text: str) -> BookingId:
    return BookingId(parse_id(text, field="booking_id"))


_STEPS = (
    ("confirm", confirm, "Confirm an option"),
    ("decline", decline, "Decline an option"),
    ("expire", expire, "Let an option expire"),
    ("cancel", cancel, "Cancel a booking"),
    ("check-in", check_in, "Check a guest in"),
    ("undo-check-in", undo_check_in, "Undo a check-in"),
    ("check-out", check_out, "Check a guest out"),
    ("undo-check-out", undo_check_out, "Undo a check-out"),
    ("no-show", no_show, "Mark a no-show"),
    ("reinstate", reinstate, "Reinstate a booking"),
    ("refund", refund, "Mark a booking as refunded"),
)

ROUTES = (
    *(
        Route(
            method="POST",
            path=f"{ADDRESS}/{name}",
            view=view,
            permission=Permission.WRITE_BOOKINGS,
            summary=summary,
            body=NextStep,
            replies={200: StepBody},
            idempotency=Idempotency.REQUIRED,
            example={"reason": "guest_request"},
            is_versioned=True,
        )
        for name, view, summary in _STEPS
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/assign",
        view=assign,
        permission=Permission.WRITE_BOOKINGS,
        summary="Give a room its unit",
        body=Assignment,
        replies={200: StepBody},
        idempotency=Idempotency.REQUIRED,
        example={"unit_id": UNIT, "locks": True},
        is_versioned=True,
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/move",
        view=move,
        permission=Permission.WRITE_BOOKINGS,
        summary="Move a room to another unit",
        body=RoomMove,
        replies={200: StepBody},
        idempotency=Idempotency.REQUIRED,
        example={"unit_id": UNIT, "from_night": "2027-06-02"},
        is_versioned=True,
    ),
)
