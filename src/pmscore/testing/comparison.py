"""Where a store and the naive model differ.

Owns the reading of both; every difference is a sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from pmscore.booking.model.rooms import BookedRoom
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.ids import BookingId, GuestId, UnitId, UnitTypeId
from pmscore.testing.naive_model import ModelBooking, ModelClaim, ModelHouse
from pmscore.testing.scenes import FIRST_DAY, Scene, nights

__all__ = ["differences", "units_by_night"]

WINDOW = nights(0, 60)
# Asked for an instant before every expiry, the reader shows expired holds that nobody has released too.
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def differences(
    scene: Scene, model: ModelHouse, guests: Sequence[GuestId], booking_id: UUID | None
) -> Iterator[str]:
    """Yield what differs in counters, owners of units, figures, and one booking that was touched."""
    claims = model.claims()
    yield from _counters(scene, claims)
    yield from _owners(scene, model, claims)
    with scene.begin() as work:
        for guest_id in guests:
            metrics = work.guests.get(guest_id).metrics
            spent = sum(each.minor for each in metrics.total_spent)
            found = metrics.total_bookings, spent, metrics.first_booking_at, metrics.last_booking_at
            if found != model.figures(guest_id):
                yield f"guest {guest_id} has {found}, the model says {model.figures(guest_id)}"
    if booking_id is not None and booking_id in model.bookings:
        yield from _booking(scene, booking_id, model.bookings[booking_id])


def _counters(scene: Scene, claims: Sequence[ModelClaim]) -> Iterator[str]:
    reader = scene.store.availability(scene.agency_id)
    found: Counter[tuple[UnitTypeId, int, str]] = Counter()
    for type_id, kinds in reader.claims_by_kind(scene.type_ids, WINDOW, LONG_AGO).items():
        for kind, counts in kinds.items():
            if any(counts):
                found.update(
                    {(type_id, night, kind.value): count for night, count in enumerate(counts) if count}
                )
    expected = Counter((each.type_id, each.night, each.kind) for each in claims)
    for key in found.keys() | expected.keys():
        if found[key] != expected[key]:
            yield f"type night {key} counts {found[key]}, the model says {expected[key]}"


def _owners(scene: Scene, model: ModelHouse, claims: Sequence[ModelClaim]) -> Iterator[str]:
    reader = scene.store.availability(scene.agency_id)
    found: dict[tuple[UnitId, int], tuple[str, object]] = {}
    for each in reader.occupied(scene.property_id, WINDOW, LONG_AGO):
        if each.unit_id is not None and each.state is not ClaimKind.OVERSOLD:
            source = each.booking_id or each.hold_id or each.block_id
            for night in each.nights.nights():
                found[each.unit_id, _number(night)] = (each.state.value, source)
    booking_of = {room.room_id: key for key, each in model.bookings.items() for room in each.rooms}
    claims = [each for each in claims if each.unit_id is not None]
    twice = Counter((each.unit_id, each.night) for each in claims)
    for key, count in twice.items():
        if count > 1:
            yield f"unit night {key} is claimed {count} times"
    expected = {
        (each.unit_id, each.night): (each.kind, booking_of.get(each.source, each.source))
        for each in claims
        if each.unit_id is not None
    }
    for key in found.keys() | expected.keys():
        if found.get(key) != expected.get(key):
            yield f"unit night {key} belongs to {found.get(key)}, the model says {expected.get(key)}"


def _booking(scene: Scene, booking_id: UUID, model: ModelBooking) -> Iterator[str]:
    booking = scene.booking(BookingId(booking_id))
    found = (
        booking.status.value,
        booking.guest_id,
        booking.checked_in_on and _number(booking.checked_in_on),
        booking.checked_out_on and _number(booking.checked_out_on),
    )
    expected = (model.status, model.guest, model.checked_in_on, model.checked_out_on)
    if found != expected:
        yield f"booking {booking_id} is {found}, the model says {expected}"
    for room, wanted in zip(booking.rooms, model.rooms, strict=True):
        seen = (
            room.room_id,
            room.unit_type_id,
            (_number(room.stay.arrival), _number(room.stay.departure)),
            units_by_night(room),
            (room.is_oversold, room.is_locked),
        )
        meant = (
            wanted.room_id,
            wanted.type_id,
            (wanted.first, wanted.end),
            wanted.units,
            (wanted.is_oversold, wanted.is_locked),
        )
        if seen != meant:
            yield f"room {room.room_id} is {seen}, the model says {meant}"


def units_by_night(room: BookedRoom) -> dict[int, UnitId]:
    """Return the units of a stored room by the number of the night."""
    return {_number(night): each.unit_id for each in room.placements for night in each.nights.nights()}


def _number(day: date) -> int:
    return (day - FIRST_DAY).days
