"""What must be true, besides the status, before an act.

Law: a guard reads the booking, the house with its business date, and the time, and answers with the reason
against the act, or with None; the use case raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import Act
from pmscore.inventory.model.house import House

__all__ = ["reason_against"]

Guard = Callable[[Booking, House, datetime], str | None]


def reason_against(booking: Booking, act: Act, house: House, now: datetime) -> str | None:
    """Return the code of what speaks against ``act`` now, on the house's business date, or None."""
    guard = _GUARDS.get(act)
    return guard(booking, house, now) if guard is not None else None


def _check_in(booking: Booking, house: House, _now: datetime) -> str | None:
    today = _today(house)
    if today < booking.arrival:
        return "before_arrival"
    if today >= booking.departure:
        return "after_departure"
    if booking.is_oversold:
        return "oversold"
    without_unit = (
        room for room in booking.rooms if house.has_units(room.unit_type_id) and not room.is_placed
    )
    return "no_unit_assigned" if any(without_unit) else None


def _undo_check_in(booking: Booking, house: House, _now: datetime) -> str | None:
    return None if booking.checked_in_on == _today(house) else "business_date_has_moved"


def _check_out(booking: Booking, house: House, _now: datetime) -> str | None:
    return "before_arrival" if _today(house) < booking.arrival else None


def _undo_check_out(booking: Booking, house: House, _now: datetime) -> str | None:
    return None if booking.checked_out_on == _today(house) else "business_date_has_moved"


def _no_show(booking: Booking, house: House, _now: datetime) -> str | None:
    return "before_arrival" if _today(house) < booking.arrival else None


def _reinstate(booking: Booking, house: House, _now: datetime) -> str | None:
    return "stay_is_over" if booking.departure <= _today(house) else None


def _expire(booking: Booking, _house: House, now: datetime) -> str | None:
    if booking.option_until is None:
        return "no_option"
    return "option_is_running" if now < booking.option_until else None


def _today(house: House) -> date:
    return house.property.business_date


_GUARDS: Mapping[Act, Guard] = MappingProxyType(
    {
        Act.EXPIRE: _expire,
        Act.CHECK_IN: _check_in,
        Act.UNDO_CHECK_IN: _undo_check_in,
        Act.CHECK_OUT: _check_out,
        Act.UNDO_CHECK_OUT: _undo_check_out,
        Act.MARK_NO_SHOW: _no_show,
        Act.REINSTATE: _reinstate,
    }
)
