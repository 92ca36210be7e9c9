"""Why something cannot be done in the state that it is in: the words for acts and for what speaks against them.

Owns the two halves of the sentence; ``texts`` puts them together.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ACT_TEXTS", "REASON_TEXTS"]

ACT_TEXTS: Mapping[str, str] = {
    "advance": "be moved to that business date",
    "amend": "be changed",
    "assign": "be given a unit",
    "book": "be booked",
    "cancel": "be cancelled",
    "change_membership": "be changed",
    "change_password": "be given another password",
    "check_in": "be checked in",
    "check_out": "be checked out",
    "confirm": "be confirmed",
    "decline": "be declined",
    "expire": "expire",
    "expired": "expire",
    "hold": "be held",
    "log_out": "be logged out",
    "mark_no_show": "be marked as a no-show",
    "refund": "be refunded",
    "redeliver": "be sent again",
    "reinstate": "be reinstated",
    "released": "be released",
    "retry": "be tried again",
    "rotate_secret": "be given a new secret",
    "sync": "be synchronised",
    "switch_agency": "go over to another agency",
    "take_up": "be taken up",
    "taken_up": "be taken up",
    "test_webhook": "be tested",
    "undo_check_in": "have its check-in undone",
    "undo_check_out": "have its check-out undone",
}
REASON_TEXTS: Mapping[str, str] = {
    "after_departure": "its departure date has come",
    "before_arrival": "the house's business date is before its arrival",
    "business_date_has_moved": "the house has moved to another business date since",
    "departure_in_the_past": "the new departure lies in the past",
    "guest_has_arrived": "the guest has arrived already, so the arrival stays as it is",
    "guest_is_in_house": "the guest is in the house and needs a unit",
    "hold_is_running": "its time is not over; release it to free the nights now",
    "no_option": "it is no option, so nothing of it runs out; cancel it to free the nights",
    "no_session": "a key or a token has no session and no password",
    "nights_have_passed": "some of these nights have passed",
    "no_unit_assigned": "it has no unit yet; give each room one first",
    "not_forward": "the business date only moves forward, and this one lies behind",
    "option_is_running": "its option is still running; decline it to free the nights now, or wait until its time is over",
    "oversold": "it is oversold; place it first",
    "room_is_locked": "its room is locked to the unit",
    "stay_is_over": "its stay is over",
    "last_admin": "nobody else could let people in; make somebody else an admin first",
    "unreadable": "the message cannot be read, so there is nothing to apply; enter by hand what it says, or have it sent again",
    "too_many_secrets": "too many of its secrets are still in use; wait until one retires",
}
