"""Looking at what a platform really has, and making it known where it is something else than we think.

Owns the comparison of what was acknowledged with what is there, and how each kind of drift is named. It repairs
nothing by itself: once the cells say what the platform has, the next push tells exactly the difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

from pmscore.channels.model.ari import UNKNOWN, AriRows, Dirty
from pmscore.channels.model.calls import At, Outcome, OutcomeKind, ReadBack
from pmscore.channels.model.events import DriftFound
from pmscore.channels.model.manifest import CallKind, Lane
from pmscore.channels.policies.diffing import forgotten
from pmscore.channels.ports import ChannelWork
from pmscore.channels.use_cases.lane_runs import LaneRun
from pmscore.channels.use_cases.tokens import called
from pmscore.channels.views.desired import keys_of
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date

__all__ = ["EVERY", "Drift", "Found", "is_time", "looks", "reconcile_cells"]

EVERY: Final = timedelta(hours=1)
"""How often a platform is read that can be."""


class Drift(StrEnum):
    """How what a platform has differs from what it had acknowledged."""

    MISSING_THERE = "missing_there"
    """It was told a number and has none."""
    DIFFERS = "differs"
    """It has another number than the last one it took."""
    EXTRA_THERE = "extra_there"
    """It has a number that we do not know to have told."""
    MISSING_HERE = "missing_here"
    """It has a booking that the house has not."""
    DIFFERS_HERE = "differs_here"
    """It has a booking in another state than the house."""
    EXTRA_HERE = "extra_here"
    """The house has a booking of the platform that the platform does not know."""


@frozen(kw_only=True)
class Found:
    """What a look has found: so many cells of each kind of drift, and what came of the call."""

    outcome: Outcome
    drift: Mapping[Drift, int]


def looks(run: LaneRun) -> bool:
    """Return whether the platform can be read on an outgoing lane."""
    return run.manifest.reads_back and bool(run.manifest.fields_of(run.begun.state.lane))


def is_time(run: LaneRun) -> bool:
    """Return whether the platform can be read and was not for a while.

    The cursor of an outgoing lane is the instant of the last look.
    """
    last = run.begun.state.cursor
    return looks(run) and (not last or run.clock.now() >= datetime.fromisoformat(last) + EVERY)


def reconcile_cells(run: LaneRun) -> Found:
    """Read the platform and enter what it has in place of what it had acknowledged; what differs becomes dirty.

    What was sent and not answered is unknown anyway, so it is no drift.

    Raises:
        StoppedError: a limit leaves no room, or there is no token.
        LaneLostError: somebody else has the lane.
    """
    lane = run.begun.state.lane
    today = local_date(run.clock.now(), run.begun.house.property.zone)
    nights = DateRange.of(today, run.manifest.horizon_days)
    found: list[Counter[Drift]] = [Counter()]

    def read(at: At) -> ReadBack:
        return run.begun.gateway.read_back(at, lane, nights)

    def settle(work: ChannelWork, answer: ReadBack) -> None:
        if answer.outcome.kind is OutcomeKind.DONE and answer.rows is not None:
            found.append(_entered(work, run, lane, answer.rows.between(nights)))

    answer = called(run, CallKind.READ_BACK, read, lambda each: each.outcome, settle=settle)
    return Found(outcome=answer.outcome, drift=found[-1])


def _entered(work: ChannelWork, run: LaneRun, lane: Lane, there: AriRows) -> Counter[Drift]:
    """Write what the platform has, and what differs as dirty, in the transaction that notes the answer."""
    connection = run.begun.connection
    mappings = run.begun.mappings
    keys = tuple(each for each in keys_of(mappings, run.manifest, lane) if each in there.rows)
    acked = work.cells.read(connection.connection_id, keys, there.nights)
    every = AriRows(there.nights, dict.fromkeys(keys, (0,) * there.nights.length))
    open_answers = forgotten(every, work.dirty.of(connection.connection_id, lane), mappings)
    counts: Counter[Drift] = Counter()
    for key in keys:
        cells = zip(acked.row(key), there.row(key), open_answers.row(key), strict=True)
        for had, has, is_open in cells:
            drift = None if is_open == UNKNOWN else _classified(had, has)
            if drift is not None:
                counts[drift] += 1
    work.cells.put(connection.connection_id, AriRows(there.nights, {key: there.row(key) for key in keys}))
    if counts:
        work.dirty.add(
            Dirty(
                dirty_id=run.ids.new(),
                connection_id=connection.connection_id,
                lane=lane,
                nights=None,
                unit_type_ids=None,
            )
        )
        work.record(
            DriftFound(
                aggregate_id=connection.connection_id,
                version=connection.version,
                property_id=connection.property_id,
                connection_id=connection.connection_id,
                lane=lane.value,
                found={each.value: count for each, count in sorted(counts.items())},
            )
        )
    return counts


def _classified(had: int, has: int) -> Drift | None:
    """Return how a cell differs; None where it does not."""
    if had == has:
        return None
    if has == UNKNOWN:
        return Drift.MISSING_THERE
    return Drift.EXTRA_THERE if had == UNKNOWN else Drift.DIFFERS
