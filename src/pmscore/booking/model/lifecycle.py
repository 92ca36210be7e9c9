"""The life cycle of a booking as one table.

Owns which act leads from which status to which, and what each status means for stock and for the guest's
figures. Guards that need more than the status stand in :mod:`pmscore.booking.policies.guards`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from pmscore.kernel.errors import TransitionError

__all__ = ["AMENDABLE", "CLAIMING", "COUNTED", "EVENT_KINDS", "TRANSITIONS", "Act", "Status", "target_of"]


class Status(Enum):
    """Where a booking stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    CHECKED_OUT = "checked_out"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    EXPIRED = "expired"
    NO_SHOW = "no_show"
    REFUNDED = "refunded"


class Act(Enum):
    """What can be done to a booking as a whole."""

    CONFIRM = "confirm"
    DECLINE = "decline"
    EXPIRE = "expire"
    CANCEL = "cancel"
    CHECK_IN = "check_in"
    UNDO_CHECK_IN = "undo_check_in"
    CHECK_OUT = "check_out"
    UNDO_CHECK_OUT = "undo_check_out"
    MARK_NO_SHOW = "mark_no_show"
    REINSTATE = "reinstate"
    REFUND = "refund"


TRANSITIONS: Mapping[tuple[Status, Act], Status] = MappingProxyType(
    {
        (Status.PENDING, Act.CONFIRM): Status.CONFIRMED,
        (Status.PENDING, Act.DECLINE): Status.DECLINED,
        (Status.PENDING, Act.EXPIRE): Status.EXPIRED,
        (Status.PENDING, Act.CANCEL): Status.CANCELLED,
        (Status.CONFIRMED, Act.CANCEL): Status.CANCELLED,
        (Status.CONFIRMED, Act.CHECK_IN): Status.CHECKED_IN,
        (Status.CONFIRMED, Act.MARK_NO_SHOW): Status.NO_SHOW,
        (Status.CHECKED_IN, Act.UNDO_CHECK_IN): Status.CONFIRMED,
        (Status.CHECKED_IN, Act.CHECK_OUT): Status.CHECKED_OUT,
        (Status.CHECKED_OUT, Act.UNDO_CHECK_OUT): Status.CHECKED_IN,
        (Status.CHECKED_OUT, Act.REFUND): Status.REFUNDED,
        (Status.CANCELLED, Act.REINSTATE): Status.CONFIRMED,
        (Status.CANCELLED, Act.REFUND): Status.REFUNDED,
        (Status.EXPIRED, Act.REINSTATE): Status.CONFIRMED,
        (Status.NO_SHOW, Act.REINSTATE): Status.CONFIRMED,
        (Status.NO_SHOW, Act.REFUND): Status.REFUNDED,
    }
)

EVENT_KINDS: Mapping[Act, str] = MappingProxyType(
    {
        Act.CONFIRM: "booking.confirmed",
        Act.DECLINE: "booking.declined",
        Act.EXPIRE: "booking.expired",
        Act.CANCEL: "booking.cancelled",
        Act.CHECK_IN: "booking.checkedIn",
        Act.UNDO_CHECK_IN: "booking.checkInUndone",
        Act.CHECK_OUT: "booking.checkedOut",
        Act.UNDO_CHECK_OUT: "booking.checkOutUndone",
        Act.MARK_NO_SHOW: "booking.noShow",
        Act.REINSTATE: "booking.reinstated",
        Act.REFUND: "booking.refunded",
    }
)

CLAIMING = frozenset({Status.PENDING, Status.CONFIRMED, Status.CHECKED_IN, Status.CHECKED_OUT})
"""Statuses in which a booking has its nights; in all others it has none."""

COUNTED = CLAIMING | {Status.NO_SHOW}
"""Statuses in which a booking counts among its guest's; the others count as never made."""


AMENDABLE = frozenset({Status.PENDING, Status.CONFIRMED, Status.CHECKED_IN})
"""Statuses in which stay, party and amounts of a booking can still be changed."""


def target_of(status: Status, act: Act) -> Status:
    """Return the status that ``act`` leads to.

    Raises:
        TransitionError: ``status`` does not allow ``act``.
    """
    target = TRANSITIONS.get((status, act))
    if target is None:
        raise TransitionError(act.value, status.value)
    return target
