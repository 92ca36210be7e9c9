"""What time brings about: lanes that are due, days that roll, operations that stand still, what may be forgotten.

Owns finding it; whatever a queue forgot is found here. Leaves doing it to the run of a lane.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from attrs import frozen

from pmscore.channels.model.ari import Dirty
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.lanes import LaneState
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.policies.dialects import folds_closures
from pmscore.channels.ports import ChannelMeans, ChannelWork
from pmscore.channels.use_cases.operations import give_up_stale
from pmscore.dates.zones import local_date
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.events import Command
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.pricing.views.matrix_stays import field_of
from pmscore.restrictions.model.book import RuleBook

__all__ = ["PATIENCE", "PurgeOld", "TakeDue", "clean_up_stale", "purge_old", "roll_days", "take_due"]

PATIENCE: Final = timedelta(seconds=30)
"""So long a run that was asked for is waited for before it is asked for again."""

MOST_AT_ONCE: Final = 200


@frozen(kw_only=True)
class TakeDue(Command):
    """Find the lanes of the agency that should run."""

    most: int = MOST_AT_ONCE


@frozen(kw_only=True)
class PurgeOld(Command):
    """Forget what is personal in revisions that were done with long ago, and knocks that were read."""

    revisions: timedelta = timedelta(days=90)
    knocks: timedelta = timedelta(days=7)
    most: int = 1_000


def take_due(command: TakeDue, *, uow: UnitOfWork[ChannelWork], clock: Clock) -> tuple[LaneState, ...]:
    """Return lanes that should run, and ask for none of them again within :data:`PATIENCE`."""
    now = clock.now()
    with uow.begin(command) as work:
        found = work.lanes.take_due(now=now, until=now + PATIENCE, most=command.most)
        if found:
            work.commit()
    return found


def roll_days(
    command: Command, *, uow: UnitOfWork[ChannelWork], clock: Clock, ids: IdSource, means: ChannelMeans
) -> int:
    """Let lanes look at every night again where a day has begun, and at rules about the moment of asking each time.

    Called at least once an hour. New nights enter the horizon, old ones leave it, rules of the day move; nothing is
    forgotten, so only what differs is sent. Returns how many lanes are to look.
    """
    with uow.begin(command) as work:
        connections = work.connections.all_active()
    rows: list[Dirty] = []
    for connection in connections:
        gateway = means.gateways.get(connection.gateway)
        if gateway is None or connection.property_id is None:
            continue
        lanes = _to_look(command, connection, gateway.manifest, uow=uow, clock=clock, means=means)
        rows += [
            Dirty(
                dirty_id=ids.new(),
                connection_id=connection.connection_id,
                lane=each,
                nights=None,
                unit_type_ids=None,
            )
            for each in lanes
        ]
    if rows:
        with uow.begin(command) as work:
            work.dirty.add(*rows)
            work.commit()
    return len(rows)


def clean_up_stale(
    command: Command, *, uow: UnitOfWork[ChannelWork], clock: Clock, means: ChannelMeans
) -> int:
    """Give up operations that nobody has touched for longer than ``means.stale_after``; return how many."""
    with uow.begin(command) as work:
        count = give_up_stale(work, clock.now(), means.stale_after)
        if count:
            work.commit()
    return count


def purge_old(command: PurgeOld, *, uow: UnitOfWork[ChannelWork], clock: Clock) -> int:
    """Forget old revisions and knocks; return how many."""
    now = clock.now()
    with uow.begin(command) as work:
        count = work.revisions.purge(now - command.revisions, most=command.most)
        count += work.knocks.purge(now - command.knocks, most=command.most)
        if count:
            work.commit()
    return count


def _to_look(
    command: Command,
    connection: Connection,
    manifest: Manifest,
    *,
    uow: UnitOfWork[ChannelWork],
    clock: Clock,
    means: ChannelMeans,
) -> tuple[Lane, ...]:
    """Return the outgoing lanes of a connection for which a day or an hour has brought something."""
    property_id = connection.property_id
    if property_id is None:
        return ()
    reader = means.availability(command.agency_id)
    try:
        (house,) = reader.houses([property_id])
    except NotFoundError:
        return ()
    today = local_date(clock.now(), house.property.zone)
    with uow.begin(command) as work:
        states = tuple(
            each for each in work.lanes.of(connection.connection_id) if manifest.fields_of(each.lane)
        )
        looking = {
            each.lane
            for each in states
            if any(
                row.nights is None and row.unit_type_ids is None
                for row in work.dirty.of(connection.connection_id, each.lane)
            )
        }
    asks = _asks_when(reader.rules([property_id]).get(property_id, RuleBook()), manifest)
    return tuple(
        each.lane
        for each in states
        if each.lane not in looking and (each.rolled_on != today or each.lane in asks)
    )


def _asks_when(rules: RuleBook, manifest: Manifest) -> frozenset[Lane]:
    """Return the lanes in which rules are told that look at the moment of asking."""
    if all(field_of(rule.kind) is not None for rule in rules.rules):
        return frozenset()
    return frozenset({Lane.PRICING, Lane.AVAILABILITY} if folds_closures(manifest) else {Lane.PRICING})
