"""What questions about a booking look like on their way in: another stay, or an end of it.

Owns the members of request bodies of previews. Leaves reading single members to ``fields`` and what goes out to
``preview_views``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Self

from attrs import frozen

from pms_web.fields import Fields, collecting
from pms_web.schemas import MOST_ROOMS, only_room
from pms_web.stay_schemas import read_basis
from pmscore.booking.model.booking import Booking
from pmscore.booking.policies.repricing import RepricingBasis
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import BookingRoomId
from pmscore.kernel.money import Money

__all__ = ["AskedCancellation", "AskedStay"]


@frozen(kw_only=True)
class AskedStay:
    """Another stay for a booking; None leaves an end of it as it is."""

    arrival: date | None
    departure: date | None
    basis: RepricingBasis

    @classmethod
    def read(cls, body: Mapping[str, Json]) -> Self:
        """Read a request.

        Raises:
            FieldsError: with every mistake in the body.
        """
        with collecting() as errors:
            fields = Fields(body, errors)
            arrival, departure = fields.day("arrival"), fields.day("departure")
            basis = read_basis(fields, "basis") or RepricingBasis.AGREED
            fields.close()
        return cls(arrival=arrival, departure=departure, basis=basis)

    def stay_of(self, booking: Booking) -> StayRange:
        """Return the stay that is meant for a booking.

        Raises:
            InvalidInputError: it would end before it begins, or is too long.
        """
        return StayRange(self.arrival or booking.arrival, self.departure or booking.departure)


@frozen(kw_only=True)
class _RemovedRoom:
    room_id: BookingRoomId | None
    start: date | None
    end: date | None


@frozen(kw_only=True)
class AskedCancellation:
    """An end of a booking: when, what was paid by then, and what is given up; None is all of it."""

    captured: Money | None
    at: datetime | None
    removed: tuple[_RemovedRoom, ...] | None

    @classmethod
    def read(cls, body: Mapping[str, Json]) -> Self:
        """Read a request.

        Raises:
            FieldsError: with every mistake in the body.
        """
        with collecting() as errors:
            fields = Fields(body, errors)
            captured, at = fields.money("captured"), fields.instant("at")
            if captured is not None and captured.minor < 0:
                fields.note("captured", "negative_amount")
            nested = fields.objects("removed", most=MOST_ROOMS)
            removed = tuple(_removed_room(each) for each in nested) if fields.has("removed") else None
            fields.close()
        return cls(captured=captured, at=at, removed=removed)

    def removed_of(self, booking: Booking) -> dict[BookingRoomId, DateRange | None] | None:
        """Return the nights that are given up, by room of a booking; None for a room is all of it.

        Raises:
            InvalidInputError: which room is not said and there are several, or one is named twice.
            NotFoundError: the booking has no such room.
        """
        if self.removed is None:
            return None
        found: dict[BookingRoomId, DateRange | None] = {}
        for each in self.removed:
            room = only_room(booking) if each.room_id is None else booking.room(each.room_id)
            if room.room_id in found:
                raise InvalidInputError("removed", "room_twice")
            is_whole = each.start is None and each.end is None
            found[room.room_id] = (
                None
                if is_whole
                else DateRange(each.start or room.stay.arrival, each.end or room.stay.departure)
            )
        return found


def _removed_room(fields: Fields) -> _RemovedRoom:
    room_id = fields.id("room_id")
    start, end = fields.day("from"), fields.day("to")
    fields.close()
    return _RemovedRoom(room_id=None if room_id is None else BookingRoomId(room_id), start=start, end=end)
