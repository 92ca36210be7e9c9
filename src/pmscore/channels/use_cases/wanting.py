"""What a platform should have now, from what the house, its prices and its counts are at this moment.

Owns what is read and in which order. Leaves what follows from it to ``views.desired``.
"""

from __future__ import annotations

from collections.abc import Iterable

from pmscore.availability.model import TypeNights
from pmscore.availability.policies.search import type_counts
from pmscore.channels.model.ari import RowKey
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.manifest import Manifest
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.ports import ChannelMeans, ChannelWork
from pmscore.channels.views.desired import Wanted, desired
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.events import Command
from pmscore.kernel.ports import Clock, UnitOfWork
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.restrictions.model.book import RuleBook

__all__ = ["wanted"]

_COUNTED = frozenset({MatrixField.SELLABLE, MatrixField.RATE})


def wanted(
    command: Command,
    connection: Connection,
    mappings: MappingBook,
    manifest: Manifest,
    nights: DateRange,
    keys: Iterable[RowKey],
    *,
    uow: UnitOfWork[ChannelWork],
    clock: Clock,
    means: ChannelMeans,
) -> Wanted:
    """Return what the rows should be on ``nights``.

    The house is read anew each time, not as somebody remembers it: whoever asks has read before what made it differ.

    Raises:
        NotFoundError: the connection is of no property, or of one that is not there.
    """
    if connection.property_id is None:
        raise NotFoundError("property", None)
    reader = means.availability(command.agency_id)
    (house,) = reader.houses([connection.property_id])
    with uow.begin(command) as work:
        book = work.prices.find(connection.property_id)
        allotted = work.allotments.of(connection.property_id, connection.channel)
    rules = reader.rules([connection.property_id]).get(connection.property_id, RuleBook())
    now = clock.now()
    rows = tuple(keys)
    found = (mappings.by_id(each) for each in {key.mapping_id for key in rows})
    types = {each.unit_type_id for each in found if each is not None and each.unit_type_id in house.types}
    counts: tuple[TypeNights, ...] = ()
    if any(key.field in _COUNTED for key in rows):
        claims = reader.claims_by_kind(sorted(types), nights, now)
        counts = type_counts([house.types[each] for each in sorted(types)], nights, claims)
    return desired(
        mappings,
        manifest,
        house=house,
        book=book,
        rules=rules,
        counts=counts,
        nights=nights,
        now=now,
        channel=connection.channel,
        keys=rows,
        allotted=allotted,
    )
