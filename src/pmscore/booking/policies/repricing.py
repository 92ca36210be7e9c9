"""What the nights of a booked room cost after a change: as agreed, or as they are quoted now.

Law: only what the basis names is priced anew; with ``AGREED`` every night that stays keeps its amount to the
last unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

from attrs import frozen

from pmscore.booking.model.rooms import BookedRoom
from pmscore.dates.nights import StayRange
from pmscore.kernel.errors import InvalidInputError

__all__ = ["Repricing", "RepricingBasis", "repriced"]


class RepricingBasis(StrEnum):
    """What a changed stay is priced by; the values are persisted and never renamed."""

    AGREED = "agreed"
    """Nights that stay keep their amount; nights that are new are quoted."""
    CURRENT = "current"
    """All nights are quoted anew."""


@frozen(kw_only=True)
class Repricing:
    """The amounts of a changed room beside those before, so that the change can be shown before it is made.

    ``added``, ``dropped`` and ``changed`` have the nights with their amounts; ``changed`` has old and new.
    """

    stay: StayRange
    nightly: tuple[int, ...]
    added: Mapping[date, int]
    dropped: Mapping[date, int]
    changed: Mapping[date, tuple[int, int]]

    @property
    def difference(self) -> int:
        """What the room costs more than before, in minor units; less than nothing if it costs less."""
        moved = sum(after - before for before, after in self.changed.values())
        return sum(self.added.values()) - sum(self.dropped.values()) + moved


def repriced(room: BookedRoom, stay: StayRange, quoted: Sequence[int], basis: RepricingBasis) -> Repricing:
    """Return the amounts of a room for a changed stay.

    ``quoted`` has the amount of each night of ``stay`` as it would be sold now.

    Raises:
        InvalidInputError: field ``quoted``; it has not one amount a night.
    """
    if len(quoted) != stay.length:
        raise InvalidInputError("quoted", "not_one_amount_a_night", nights=stay.length)
    agreed = dict(zip(room.stay.nights(), room.nightly, strict=True))
    offered = dict(zip(stay.nights(), quoted, strict=True))
    after = offered | {night: agreed[night] for night in offered.keys() & agreed.keys()}
    if basis is RepricingBasis.CURRENT:
        after = offered
    return Repricing(
        stay=stay,
        nightly=tuple(after[night] for night in stay.nights()),
        added={night: amount for night, amount in after.items() if night not in agreed},
        dropped={night: amount for night, amount in agreed.items() if night not in after},
        changed={
            night: (agreed[night], amount)
            for night, amount in after.items()
            if night in agreed and agreed[night] != amount
        },
    )
