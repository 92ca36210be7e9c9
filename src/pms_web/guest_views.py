"""Guests as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from pms_web.reply_parts import MoneyBody, money_part
from pms_web.wire import IdText, InstantText
from pmscore.guests.model import Guest

__all__ = ["GuestProfileBody", "guest_profile_body"]


class GuestFiguresBody(TypedDict):
    """What a guest's bookings add up to; amounts one for each currency, the rating in hundredths."""

    total_bookings: int
    total_spent: list[MoneyBody]
    first_booking_at: InstantText | None
    last_booking_at: InstantText | None
    average_rating: int | None


class GuestProfileBody(TypedDict):
    """A person who stays or pays."""

    id: IdText
    name: str
    email: str
    phone: str
    country: str
    figures: GuestFiguresBody
    updated_at: InstantText | None
    version: int


def guest_profile_body(guest: Guest) -> GuestProfileBody:
    """Return a profile with its figures."""
    figures = guest.metrics
    return {
        "id": str(guest.guest_id),
        "name": guest.name,
        "email": guest.email,
        "phone": guest.phone,
        "country": guest.country,
        "figures": {
            "total_bookings": figures.total_bookings,
            "total_spent": [money_part(each) for each in figures.total_spent],
            "first_booking_at": _instant(figures.first_booking_at),
            "last_booking_at": _instant(figures.last_booking_at),
            "average_rating": figures.average_rating,
        },
        "updated_at": _instant(guest.updated_at),
        "version": guest.version,
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
