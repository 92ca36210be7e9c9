"""Laws of the log of channels: pages, conditions and batches are the same in every store.

Owns operations and batches. What a batch comes to stands with its model.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from attrs import evolve

from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.operations import (
    Batch,
    BatchPage,
    BatchStatus,
    Direction,
    Operation,
    OperationFilter,
    OperationStatus,
    OperationType,
    PurgeCount,
)
from pmscore.kernel.errors import MisuseError, NotFoundError
from pmscore.kernel.ids import (
    BatchId,
    ConnectionId,
    OperationId,
)
from pmscore.kernel.paging import Page
from pmscore.testing.channel_scenes import ChannelScene, open_channel_scene
from pmscore.testing.laws.setting import StoreLaws, raised

__all__ = ["ChannelOperationLaws"]

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


class ChannelOperationLaws(StoreLaws):
    """The log and its batches."""

    def channel(self) -> ChannelScene:
        """Return the connection of a new agency."""
        return open_channel_scene(self.scene())

    def test_the_log_is_read_by_pages_and_conditions_the_newest_first(self) -> None:
        """What stands in memory stands in every store."""
        at = self.channel()
        made: list[Operation] = []
        for number, status in enumerate(OperationStatus):
            lane = list(Lane)[number % 3]
            made += at.log([evolve(at.operation(status, lane=lane), error="'x' \\" if number % 2 else None)])
            at.scene.clock.advance(MINUTE)
        newest_first = tuple(reversed(made))
        assert _page(at) == newest_first
        assert _page(at, Page(limit=2, offset=3)) == newest_first[3:5]
        for wanted in (
            OperationFilter(status=OperationStatus.FAILED),
            OperationFilter(direction=Direction.INBOUND),
            OperationFilter(operation_type=OperationType.PRICING_UPDATE, direction=Direction.OUTBOUND),
            OperationFilter(batch_id=BatchId(at.scene.ids.new())),
        ):
            assert _page(at, wanted=wanted) == tuple(each for each in newest_first if wanted.admits(each))

    def test_operations_are_open_until_they_end(self) -> None:
        """By lane, the oldest first; who changes one has read it."""
        at = self.channel()
        first, second, _, ended = at.log(
            [
                at.operation(),
                evolve(at.operation(OperationStatus.RUNNING), created_at=at.now + MINUTE),
                at.operation(lane=Lane.PRICING),
                at.operation(OperationStatus.SUCCESS),
            ]
        )
        with at.scene.begin() as work:
            assert work.operations.open(first.lane_id) == (first, second)
        failed = evolve(
            second,
            status=OperationStatus.FAILED,
            error="no",
            updated_at=at.now + MINUTE,
            details={"retry_count": 3},
        )
        with at.scene.begin() as work:
            raised(MisuseError, work.operations.save, failed)
            assert work.operations.get(second.operation_id) == second
            work.operations.save(failed)
            work.commit()
        with at.scene.begin() as work:
            assert work.operations.open(first.lane_id) == (first,)
            assert work.operations.get(failed.operation_id) == failed
            assert work.operations.get(ended.operation_id) == ended
            raised(NotFoundError, work.operations.get, OperationId(at.scene.ids.new()))

    def test_a_batch_is_what_its_operations_make_of_it(self) -> None:
        """For every mixture of three, also by its status."""
        at = self.channel()
        every = list(OperationStatus)
        mixtures = [(one, other, third) for one in every for other in every for third in every[::2]]
        expected: dict[BatchId, BatchStatus] = {}
        for number, statuses in enumerate(mixtures):
            batch_id = BatchId(at.scene.ids.new())
            missing = number % 5 == 0
            operations = [at.operation(each, batch_id=batch_id) for each in statuses[missing:]]
            batch = Batch(
                batch_id=batch_id, connection_id=at.connection_id, expected=3, operations=tuple(operations)
            )
            with at.scene.begin() as work:
                work.operations.add_batch(batch)
                for each in operations:
                    work.operations.add(each)
                work.commit()
            expected[batch_id] = batch.status
            at.scene.clock.advance(MINUTE)
        newest_first = list(expected)[::-1]
        with at.scene.begin() as work:
            for status in (None, *BatchStatus):
                found = work.operations.batches(at.connection_id, status, BatchPage(limit=200))
                wanted = [each for each in newest_first if status in {None, expected[each]}]
                assert [each.batch_id for each in found.items] == wanted
                assert found.total == len(wanted)
                assert all(status in {None, each.status} for each in found.items)
            one = newest_first[0]
            assert work.operations.batch(at.connection_id, one).status is expected[one]
            assert len(work.operations.batch(at.connection_id, one).operations) in {2, 3}
            raised(NotFoundError, work.operations.batch, ConnectionId(at.scene.ids.new()), one)
            raised(NotFoundError, work.operations.batch, at.connection_id, BatchId(at.scene.ids.new()))

    def test_what_stands_still_is_found_and_nothing_else(self) -> None:
        """By when it was last touched; what others work on is left to them."""
        at = self.channel()
        old, touched, ended, queued = at.log(
            [
                at.operation(),
                evolve(at.operation(OperationStatus.RUNNING), updated_at=at.now + 2 * MINUTE),
                at.operation(OperationStatus.SUCCESS),
                at.operation(OperationStatus.QUEUED),
            ]
        )
        del ended
        with at.scene.begin() as work:
            assert _ids(work.operations.stale(at.now + MINUTE, most=9)) == _ids([old, queued])
            with at.scene.begin() as other:
                assert other.operations.stale(at.now + 3 * MINUTE, most=9) == (touched,)
            work.operations.save(evolve(old, status=OperationStatus.FAILED))
            work.commit()
        with at.scene.begin() as work:
            assert work.operations.stale(at.now + MINUTE, most=1) == (queued,)
            assert work.operations.stale(at.now, most=9) == ()

    def test_a_purge_deletes_what_it_said_it_would(self) -> None:
        """Of one connection, with the batches that are left empty."""
        at = self.channel()
        batch_id = BatchId(at.scene.ids.new())
        (old,) = at.log([at.operation(batch_id=batch_id)])
        with at.scene.begin() as work:
            work.operations.add_batch(
                Batch(batch_id=batch_id, connection_id=at.connection_id, expected=1, operations=(old,))
            )
            work.commit()
        at.scene.clock.advance(DAY)
        (new,) = at.log([at.operation()])
        with at.scene.begin() as work:
            assert work.operations.count(at.connection_id, at.now) == PurgeCount(
                total=1, oldest_at=old.created_at, newest_at=old.created_at
            )
            assert work.operations.count(ConnectionId(at.scene.ids.new()), at.now) == PurgeCount(total=0)
            assert work.operations.batch(at.connection_id, batch_id).operations == (old,)
            assert work.operations.purge(at.connection_id, at.now) == 1
            work.commit()
        assert _page(at) == (new,)
        with at.scene.begin() as work:
            raised(NotFoundError, work.operations.batch, at.connection_id, batch_id)
            assert work.operations.purge(at.connection_id, at.now) == 0


def _ids(operations: Iterable[Operation]) -> set[OperationId]:
    return {each.operation_id for each in operations}


def _page(
    at: ChannelScene, page: Page | None = None, *, wanted: OperationFilter | None = None
) -> tuple[object, ...]:
    with at.scene.begin() as work:
        return work.operations.page(at.connection_id, wanted or OperationFilter(), page or Page()).items
