"""What a calendar feed of ours says: the nights of one room that a platform must not sell.

Owns which nights those are, and names that stay the same from one reading to the next. A platform is never told what
it has told us, or its own bookings would come back to it as somebody else's; what we have added to them, it is.
Leaves the counts with all closures to ``views.desired`` (by a manifest as ``night_manifest`` gives it), and the text
to the adapter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from pmscore.availability.model import OccupiedRange, TypeNights
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.model.mappings import MappedRoom
from pmscore.channels.model.revisions import Link
from pmscore.channels.policies.feeds import OWN_UIDS, feed_prefix
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import UnitId
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["BusyRange", "calendar_of", "counts_for_calendar", "night_manifest"]

_SELLABLE: Final = frozenset({MatrixField.SELLABLE})
_OURS: Final = frozenset({ClaimKind.BUFFER})
"""What follows from a platform's booking and is known to us alone."""


@frozen
class BusyRange:
    """Nights that are taken or not for sale; ``uid`` says nothing about whom or why."""

    uid: str
    nights: DateRange


def night_manifest(manifest: Manifest) -> Manifest:
    """Return a manifest by which closures are told as nights with nothing to sell."""
    return evolve(manifest, messages={Lane.AVAILABILITY: (_SELLABLE,)})


def counts_for_calendar(
    counts: TypeNights, room: MappedRoom, occupied: Iterable[OccupiedRange], links: Iterable[Link]
) -> TypeNights:
    """Return the counts of the room's type without what came from the feed of the room itself."""
    claims = {kind: [*row] for kind, row in counts.claims.items()}
    known = _known(room, links)
    for each in occupied:
        nights = known.get(_source(each))
        if nights is None or each.state in _OURS or each.unit_type_id != counts.unit_type_id:
            continue
        row = claims.get(each.state, [])
        for night in range(counts.nights.first_ordinal, counts.nights.first_ordinal + len(row)):
            if (
                max(each.nights.first_ordinal, nights.first_ordinal)
                <= night
                < min(each.nights.end_ordinal, nights.end_ordinal)
            ):
                at = night - counts.nights.first_ordinal
                row[at] = max(0, row[at] - 1)
    return evolve(counts, claims={kind: tuple(row) for kind, row in claims.items()})


def calendar_of(
    room: MappedRoom,
    *,
    house: House,
    occupied: Iterable[OccupiedRange],
    links: Iterable[Link],
    nights: DateRange,
    sellable: Sequence[int],
) -> tuple[BusyRange, ...]:
    """Return what the feed of a room says, by first night.

    ``links`` are those of the room's connection. ``sellable`` is what may be sold on each of ``nights``, closures
    included, of counts from ``counts_for_calendar``. Where the room is one unit, each claim on it is an event of its
    own; what else is not for sale follows as runs of nights.
    """
    unit_id = _unit_of(room, house)
    known = _known(room, links)
    found: list[BusyRange] = []
    used: set[str] = set()
    for each, part in _told(occupied, known, unit_id):
        name = f"{_source(each)}{'-after' if each.state in _OURS else ''}"
        if name in used:
            name = f"{name}-{part.start:%Y%m%d}"
        used.add(name)
        found.append(BusyRange(name + OWN_UIDS, part))
    taken = [each.nights for each in found]
    for run in _runs(nights, sellable, taken):
        # A run that has begun is known by its end, for its start moves on with each day.
        end = run.start == nights.start
        name = f"{room.mapping_id}-{'to' if end else 'from'}-{(run.end if end else run.start):%Y%m%d}"
        found.append(BusyRange(name + OWN_UIDS, run))
    return tuple(sorted(found, key=lambda each: (each.nights, each.uid)))


def _unit_of(room: MappedRoom, house: House) -> UnitId | None:
    """Return the unit that the room stands for; None where it is any of a type."""
    if room.unit_id is not None:
        return room.unit_id
    unit = house.only_unit_of(room.unit_type_id)
    return None if unit is None else unit.unit_id


def _known(room: MappedRoom, links: Iterable[Link]) -> Mapping[UUID, DateRange]:
    """Return the nights that the feed of the room has told us of, by what stands for them here."""
    prefix = feed_prefix(room.room_code)
    found: dict[UUID, DateRange] = {}
    for link in links:
        if link.nights is None or link.is_cancelled or not link.booking_key.startswith(prefix):
            continue
        if link.booking_id is not None:
            found[link.booking_id] = link.nights
        found.update(dict.fromkeys(link.block_ids, link.nights))
    return found


def _told(
    occupied: Iterable[OccupiedRange], known: Mapping[UUID, DateRange], unit_id: UnitId | None
) -> Iterator[tuple[OccupiedRange, DateRange]]:
    """Yield what claims the unit and the nights of it that the platform does not know, by first night."""
    if unit_id is None:
        return
    for each in sorted(occupied, key=lambda claim: claim.nights):
        if each.unit_id != unit_id or each.state is ClaimKind.OVERSOLD:
            continue
        nights = known.get(_source(each))
        parts = (each.nights,) if nights is None or each.state in _OURS else each.nights.minus(nights)
        for part in parts:
            yield each, part


def _source(claim: OccupiedRange) -> UUID:
    """Return the id of what claims; exactly one of the three is there."""
    found = claim.booking_id or claim.hold_id or claim.block_id
    if found is None:
        raise MisuseError(kind=claim.kind.value, reason="no_source")
    return found


def _runs(nights: DateRange, sellable: Sequence[int], taken: Sequence[DateRange]) -> Iterator[DateRange]:
    """Yield the runs of nights with nothing to sell that are not taken already."""
    rest = [not count for count in sellable]
    for each in taken:
        begin = max(each.first_ordinal - nights.first_ordinal, 0)
        for at in range(begin, min(each.end_ordinal - nights.first_ordinal, len(rest))):
            rest[at] = False
    for is_busy, run in groupby(range(len(rest)), key=rest.__getitem__):
        places = [*run]
        if is_busy:
            yield DateRange.of(nights.start + timedelta(days=places[0]), len(places))
