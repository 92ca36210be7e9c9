"""What a batch makes of its operations, and which operations are given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pmscore.channels.model.operations import (
    Batch,
    BatchPage,
    BatchStatus,
    Direction,
    Operation,
    OperationFilter,
    OperationStatus,
    OperationType,
)
from pmscore.channels.policies.batches import LEAST_STALE_AFTER, MARKED_STALE, given_up, is_stale
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import BatchId, ConnectionId, LaneId, OperationId
from pmscore.kernel.paging import Page

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOTHING = {"triggered": 0, "running": 0, "success": 0, "failed": 0, "other": 0}


def operation(status="running", *, created=NOW, updated=None, kind=OperationType.PRICING_UPDATE):
    return Operation(
        operation_id=OperationId(UUID(int=1)),
        connection_id=ConnectionId(UUID(int=2)),
        lane_id=LaneId(UUID(int=3)),
        operation_type=kind,
        direction=Direction.OUTBOUND,
        status=OperationStatus(status),
        created_at=created,
        updated_at=updated,
    )


def batch(*statuses, expected=3):
    return Batch(
        batch_id=BatchId(UUID(int=4)),
        connection_id=ConnectionId(UUID(int=2)),
        expected=expected,
        operations=tuple(operation(each) for each in statuses),
    )


@pytest.mark.parametrize(
    ("statuses", "status", "counts"),
    [
        (("queued", "queued", "queued"), "running", {"triggered": 3}),
        (("triggered", "queued", "running"), "running", {"triggered": 2, "running": 1}),
        (("failed", "running", "success"), "failed", {"failed": 1, "running": 1, "success": 1}),
        (("failed", "queued", "queued"), "failed", {"failed": 1, "triggered": 2}),
        (("success", "success", "running"), "running", {"success": 2, "running": 1}),
        (("success", "success", "success"), "success", {"success": 3}),
        (("success", "success", "cancelled"), "failed", {"success": 2, "other": 1}),
        (("running", "success", "cancelled"), "running", {"running": 1, "success": 1, "other": 1}),
        (("cancelled", "cancelled", "cancelled"), "failed", {"other": 3}),
        (("failed", "cancelled", "success"), "failed", {"failed": 1, "other": 1, "success": 1}),
        (("success", "success"), "running", {"success": 2}),
        ((), "running", {}),
    ],
)
def test_what_a_batch_of_three_makes_of_its_operations(statuses, status, counts):
    found = batch(*statuses)
    assert found.status is BatchStatus(status)
    assert found.status_counts == {**NOTHING, **counts}


def test_every_state_is_counted_once():
    for status in OperationStatus:
        assert sum(batch(status, expected=1).status_counts.values()) == 1


@pytest.mark.parametrize("status", list(OperationStatus))
def test_only_what_has_not_ended_gets_stale_and_counts_from_its_last_touch(status):
    is_open = status in {OperationStatus.TRIGGERED, OperationStatus.QUEUED, OperationStatus.RUNNING}
    for created, updated, late in (
        (NOW - 2 * HOUR, NOW - timedelta(minutes=61), True),
        (NOW - 2 * HOUR, NOW - timedelta(minutes=59), False),
        (NOW - timedelta(minutes=61), None, True),
        (NOW - timedelta(minutes=59), None, False),
        (NOW - HOUR, None, False),
    ):
        found = operation(status, created=created, updated=updated)
        assert found.is_open is is_open
        assert is_stale(found, NOW, HOUR) is (is_open and late)


def test_what_is_given_up_says_for_how_long_nothing_was_heard():
    found = given_up(operation(created=NOW - 2 * HOUR), NOW, timedelta(minutes=75))
    assert found.status is OperationStatus.FAILED
    assert found.updated_at == NOW
    assert found.error == (
        "Marked stale (no update for 75 minutes). Likely worker restart or lost DB connection."
    )
    assert found.error.startswith(MARKED_STALE)
    assert timedelta(minutes=30) == LEAST_STALE_AFTER


def test_the_log_is_searched_by_conditions_that_all_hold():
    found = operation("failed")
    assert OperationFilter().admits(found)
    assert OperationFilter(status=OperationStatus.FAILED, direction=Direction.OUTBOUND).admits(found)
    assert not OperationFilter(status=OperationStatus.SUCCESS).admits(found)
    assert not OperationFilter(operation_type=OperationType.BOOKINGS_SYNC).admits(found)
    assert not OperationFilter(direction=Direction.INBOUND).admits(found)
    assert not OperationFilter(batch_id=BatchId(UUID(int=9))).admits(found)
    assert found.task_id == str(UUID(int=1))


def test_more_batches_than_other_things_are_given_at_once():
    assert BatchPage(200).limit == 200
    for refused in (lambda: BatchPage(201), lambda: Page(101)):
        with pytest.raises(InvalidInputError):
            refused()
