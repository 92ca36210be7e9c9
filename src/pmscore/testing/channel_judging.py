"""Whether a house and a platform agree: cell by cell, and booking by booking.

Owns the comparison, which knows nothing of what the engine remembers: it reads the house and the platform.
Sentences, so that a failed run says what is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import CLAIMING
from pmscore.booking.model.listing import BookingFilter
from pmscore.channels.model.ari import ANY
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.revisions import Revision, RevisionStatus, StoredRevision, StoredState
from pmscore.channels.policies.feeds import LEFT_OUT
from pmscore.kernel.ids import BookingId
from pmscore.kernel.paging import MOST_ITEMS, Page
from pmscore.testing.channel_houses import ConnectedHouse
from pmscore.testing.channel_platform import RemotePlatform

__all__ = ["differences", "lost_or_doubled", "unexplained"]

_MOST_SAID: Final = 20


def differences(channel: ConnectedHouse, platform: RemotePlatform) -> tuple[str, ...]:
    """Return a sentence for each cell that the platform has otherwise than the house; at most twenty."""
    found: list[str] = []
    for lane in (Lane.AVAILABILITY, Lane.PRICING):
        if not channel.manifest.fields_of(lane):
            continue
        rows = channel.wanted(lane)
        for key, row in rows.rows.items():
            codes = channel.codes(key)
            told = platform.row(*codes, key.field, rows.nights, occupancy=key.occupancy)
            for at, (should, has) in enumerate(zip(row, told, strict=True)):
                if should not in (ANY, has):
                    night = rows.nights.start + timedelta(days=at)
                    found.append(f"{codes} {key.field.value}/{key.occupancy} {night}: {has}, not {should}")
    return tuple(found[:_MOST_SAID])


def lost_or_doubled(channel: ConnectedHouse, platform: RemotePlatform) -> tuple[str, ...]:
    """Return a sentence for each booking of the platform that the house has not, has twice, or has otherwise.

    Where the platform only shows what stands, one booking is as good as another one of the same room and nights,
    and one that vanished there just before it began is right here, if people were told.
    """
    ours = tuple(_bookings(channel))
    if platform.shows_states:
        return tuple(_judged_by_nights(channel, platform, ours))[:_MOST_SAID]
    by_reference: dict[str, list[Booking]] = {}
    for booking in ours:
        by_reference.setdefault(booking.source.reference, []).append(booking)
    found: list[str] = []
    for remote in platform.bookings.values():
        mine = by_reference.pop(remote.reference, [])
        found += _judged(remote, mine)
    found += [f"{reference} is no booking of the platform" for reference in by_reference]
    return tuple(found[:_MOST_SAID])


def unexplained(channel: ConnectedHouse, platform: RemotePlatform) -> tuple[str, ...]:
    """Return a sentence for each unreadable message that was delivered and is not in quarantine with a reason."""
    with channel.scene.begin() as work:
        held = work.revisions.page(channel.connection_id, (StoredState.QUARANTINED,), Page(limit=MOST_ITEMS))
    return tuple(
        f"{each.message_id} is not in quarantine"
        for each in platform.garbled
        if platform.has_told(each.message_id)
        and not any(one.reason and _is_of(one, each.message_id) for one in held.items)
    )


def _is_of(stored: StoredRevision, message_id: str) -> bool:
    """Return whether a revision is this message: by its id, or by what was kept of it where its id was not read."""
    raw = "" if stored.malformed is None else stored.malformed.raw
    return stored.revision_id == message_id or f'"{message_id}"' in raw


def _judged(remote: Revision, mine: Sequence[Booking]) -> Iterator[str]:
    key = remote.booking_key
    live = [each for each in mine if each.status in CLAIMING]
    if remote.status is RevisionStatus.CANCELLED:
        if live:
            yield f"{key} was cancelled and is live here"
        if len(mine) > 1:
            yield f"{key} was made {len(mine)} times"
        return
    if len(mine) != 1 or len(live) != 1:
        yield f"{key} is here {len(mine)} times, {len(live)} of them live"
        return
    if _stays_sold(remote) != _stays_booked(live[0]):
        yield f"{key} has other nights here than there"


def _judged_by_nights(
    channel: ConnectedHouse, platform: RemotePlatform, ours: Sequence[Booking]
) -> Iterator[str]:
    types = {room.room_code: room.unit_type_id for room in channel.mappings().rooms}
    sold = Counter(
        (types[room.room_code], room.stay.arrival, room.stay.departure)
        for remote in platform.bookings.values()
        if remote.status is not RevisionStatus.CANCELLED
        for room in remote.rooms
    )
    booked = Counter(
        (room.unit_type_id, room.stay.arrival, room.stay.departure)
        for booking in ours
        if booking.status in CLAIMING
        for room in booking.rooms
    )
    told = _told_to_people(channel)
    for booking in ours:
        for room in booking.rooms if booking.booking_id in told else ():
            stay = room.unit_type_id, room.stay.arrival, room.stay.departure
            booked[stay] -= booked[stay] > sold[stay]
    for stay in sorted({*sold, *booked}, key=str):
        if sold[stay] != booked[stay]:
            yield f"{stay} is here {booked[stay]} times, not {sold[stay]}"


def _told_to_people(channel: ConnectedHouse) -> frozenset[BookingId]:
    """Return the bookings of which people were told that their feed left them out before they began."""
    with channel.scene.begin() as work:
        found = work.issues.find(channel.scene.property_id, is_open=None, page=Page(limit=MOST_ITEMS))
    return frozenset(
        each.booking_id
        for each in found.items
        if each.booking_id is not None and each.details.get("reason") == LEFT_OUT
    )


def _stays_sold(remote: Revision) -> Counter[tuple[date, date]]:
    return Counter((room.stay.arrival, room.stay.departure) for room in remote.rooms)


def _stays_booked(booking: Booking) -> Counter[tuple[date, date]]:
    return Counter((room.stay.arrival, room.stay.departure) for room in booking.rooms)


def _bookings(channel: ConnectedHouse) -> Iterator[Booking]:
    """Yield every booking of the house that came through the channel."""
    wanted = BookingFilter(channel=channel.connection().channel)
    page = Page(limit=MOST_ITEMS)
    while True:
        with channel.scene.begin() as work:
            found = work.bookings.find(wanted, page)
        yield from found.items
        if not found.has_more:
            return
        page = Page(limit=MOST_ITEMS, offset=page.offset + MOST_ITEMS)
