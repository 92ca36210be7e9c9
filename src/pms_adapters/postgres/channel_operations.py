"""The log of operations of channels, their batches, and issues for people, on PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.channel_lanes import due_now
from pms_adapters.postgres.channel_rows import (
    ISSUE_COLUMNS,
    OPERATION_COLUMNS,
    loaded_issue,
    loaded_operation,
)
from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.listing import conditions, read_page
from pms_adapters.postgres.session import Row, Session, Statement
from pms_adapters.postgres.writes import WriteSet
from pmscore.channels.model.operations import (
    Batch,
    BatchPage,
    BatchStatus,
    Operation,
    OperationFilter,
    PurgeCount,
)
from pmscore.channels.model.revisions import Issue, IssueKind
from pmscore.channels.ports import IssueRepository, OperationRepository
from pmscore.kernel.errors import MisuseError, NotFoundError, StaleVersionError
from pmscore.kernel.ids import BatchId, ConnectionId, IssueId, LaneId, OperationId, PropertyId
from pmscore.kernel.paging import Page, Paged

__all__ = ["PostgresIssues", "PostgresOperations"]

_INSERT: LiteralString = """\
INSERT INTO channel_sync_logs (agency_id, log_id, connection_id, lane_id, operation_type, direction, status, details,
                               error, task_id, batch_id, created_at, updated_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING 1"""
_UPDATE: LiteralString = """\
UPDATE channel_sync_logs SET status = %s, details = %s, error = %s, updated_at = %s
 WHERE agency_id = %s AND log_id = %s RETURNING 1"""
_IS_OPEN: LiteralString = "l.status IN ('triggered', 'queued', 'running')"
_GET: LiteralString = f"SELECT {OPERATION_COLUMNS} FROM channel_sync_logs l WHERE l.agency_id = %s AND l.log_id = %s FOR NO KEY UPDATE"
_OPEN: LiteralString = (
    f"SELECT {OPERATION_COLUMNS} FROM channel_sync_logs l WHERE l.agency_id = %s AND {_IS_OPEN} AND l.lane_id = %s"
    " ORDER BY l.created_at, l.log_id"
)
_STALE: LiteralString = f"""\
SELECT {OPERATION_COLUMNS} FROM channel_sync_logs l
 WHERE l.agency_id = %s AND {_IS_OPEN} AND coalesce(l.updated_at, l.created_at) < %s
 ORDER BY coalesce(l.updated_at, l.created_at), l.log_id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED"""
_OLD: LiteralString = "agency_id = %s AND connection_id = %s AND created_at < %s"
_COUNT: LiteralString = (
    f"SELECT count(*)::int, min(created_at), max(created_at) FROM channel_sync_logs WHERE {_OLD}"
)
_PURGE: LiteralString = (
    f"WITH gone AS (DELETE FROM channel_sync_logs WHERE {_OLD} RETURNING 1) SELECT count(*)::int FROM gone"
)
_PURGE_BATCHES: LiteralString = """\
DELETE FROM channel_sync_batches b WHERE b.agency_id = %s AND b.connection_id = %s
   AND NOT EXISTS (SELECT 1 FROM channel_sync_logs l WHERE l.agency_id = b.agency_id AND l.batch_id = b.batch_id)"""
_ADD_BATCH: LiteralString = """\
INSERT INTO channel_sync_batches (agency_id, batch_id, connection_id, expected) VALUES (%s, %s, %s, %s) RETURNING 1"""
_BATCHES: LiteralString = f"""\
(SELECT b.batch_id, b.expected, min(l.created_at) AS made_at,
        CASE WHEN bool_or(l.status = 'failed') THEN 'failed'
             WHEN bool_or({_IS_OPEN}) OR count(*) < b.expected THEN 'running'
             WHEN bool_or(l.status = 'cancelled') THEN 'failed'
             ELSE 'success' END AS status
   FROM channel_sync_batches b JOIN channel_sync_logs l USING (agency_id, connection_id, batch_id)
  WHERE b.agency_id = %s AND b.connection_id = %s GROUP BY b.batch_id, b.expected) x WHERE """
_OF_BATCHES: LiteralString = f"""\
SELECT {OPERATION_COLUMNS} FROM channel_sync_logs l
 WHERE l.agency_id = %s AND l.connection_id = %s AND l.batch_id = ANY (%s::uuid[]) ORDER BY l.created_at, l.log_id"""
_ADD_ISSUE: LiteralString = """\
INSERT INTO channel_issues (agency_id, issue_id, connection_id, property_id, kind, booking_id, revision_id, about,
                            details, opened_at, closed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING 1"""
_SAVE_ISSUE: LiteralString = """\
UPDATE channel_issues SET details = %s, closed_at = %s WHERE agency_id = %s AND issue_id = %s RETURNING 1"""
_CLOSE: LiteralString = f"""\
UPDATE channel_issues i SET closed_at = %s
 WHERE i.agency_id = %s AND i.connection_id = %s AND i.kind = %s AND i.closed_at IS NULL
   AND (%s::text = '' OR i.revision_id = %s)
RETURNING {ISSUE_COLUMNS}"""


class PostgresOperations(OperationRepository):
    """The log; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes
        self._read: set[OperationId] = set()

    def add(self, operation: Operation) -> None:
        values = (
            self._session.agency_id, operation.operation_id, operation.connection_id, operation.lane_id,
            operation.operation_type.value, operation.direction.value, operation.status.value,
            as_document(dict(operation.details)), operation.error, operation.task_id, operation.batch_id,
            operation.created_at, operation.updated_at,
        )  # fmt: skip
        self._writes.must((_INSERT, values), MisuseError(operation=operation.task_id))
        self._writes.may(due_now(self._session.agency_id))
        self._read.add(operation.operation_id)

    def add_batch(self, batch: Batch) -> None:
        values = (self._session.agency_id, batch.batch_id, batch.connection_id, batch.expected)
        self._writes.must((_ADD_BATCH, values), MisuseError(batch=str(batch.batch_id)))

    def get(self, operation_id: OperationId) -> Operation:
        rows = self._session.rows(_GET, self._session.agency_id, operation_id)
        if not rows:
            raise NotFoundError("channel_operation", operation_id)
        self._read.add(operation_id)
        return _loaded(rows[0])

    def open(self, lane_id: LaneId) -> tuple[Operation, ...]:
        return tuple(_loaded(row) for row in self._session.rows(_OPEN, self._session.agency_id, lane_id))

    def save(self, operation: Operation) -> None:
        if operation.operation_id not in self._read:
            raise MisuseError(saved_unread=operation.task_id)
        values = (
            operation.status.value, as_document(dict(operation.details)), operation.error, operation.updated_at,
            self._session.agency_id, operation.operation_id,
        )  # fmt: skip
        self._writes.must((_UPDATE, values), StaleVersionError(operation_id=operation.task_id))

    def page(self, connection_id: ConnectionId, wanted: OperationFilter, page: Page) -> Paged[Operation]:
        parts: list[Statement] = [
            ("l.agency_id = %s", (self._session.agency_id,)),
            ("l.connection_id = %s", (connection_id,)),
        ]
        if wanted.operation_type is not None:
            parts.append(("l.operation_type = %s", (wanted.operation_type.value,)))
        if wanted.direction is not None:
            parts.append(("l.direction = %s", (wanted.direction.value,)))
        if wanted.status is not None:
            parts.append(("l.status = %s", (wanted.status.value,)))
        if wanted.batch_id is not None:
            parts.append(("l.batch_id = %s", (wanted.batch_id,)))
        where, values = conditions(parts)
        listed: Statement = ("channel_sync_logs l WHERE " + where, values)
        return read_page(
            self._session, OPERATION_COLUMNS, listed, "l.created_at DESC, l.log_id DESC", page, _loaded
        )

    def batch(self, connection_id: ConnectionId, batch_id: BatchId) -> Batch:
        found = self._batches(connection_id, ("x.batch_id = %s", (batch_id,)), BatchPage(limit=1))
        if not found.items:
            raise NotFoundError("channel_batch", batch_id)
        return found.items[0]

    def batches(
        self, connection_id: ConnectionId, status: BatchStatus | None, page: BatchPage
    ) -> Paged[Batch]:
        wanted = None if status is None else status.value
        return self._batches(connection_id, ("(%s::text IS NULL OR x.status = %s)", (wanted, wanted)), page)

    def stale(self, before: datetime, *, most: int) -> tuple[Operation, ...]:
        found = tuple(
            _loaded(row) for row in self._session.rows(_STALE, self._session.agency_id, before, most)
        )
        self._read.update(each.operation_id for each in found)
        return found

    def count(self, connection_id: ConnectionId, before: datetime) -> PurgeCount:
        ((total, oldest, newest),) = self._session.rows(
            _COUNT, self._session.agency_id, connection_id, before
        )
        return PurgeCount(
            total=int(str(total)),
            oldest_at=oldest if isinstance(oldest, datetime) else None,
            newest_at=newest if isinstance(newest, datetime) else None,
        )

    def purge(self, connection_id: ConnectionId, before: datetime) -> int:
        keys = (self._session.agency_id, connection_id)
        self._writes.is_begun = True
        gone, _ = self._session.run([(_PURGE, (*keys, before)), (_PURGE_BATCHES, keys)])
        ((count,),) = gone
        return int(str(count))

    def _batches(self, connection_id: ConnectionId, wanted: Statement, page: Page) -> Paged[Batch]:
        keys = (self._session.agency_id, connection_id)
        condition, values = wanted
        found = read_page(
            self._session, "x.batch_id, x.expected", (_BATCHES + condition, (*keys, *values)),
            "x.made_at DESC, x.batch_id DESC", page, lambda row: row,
        )  # fmt: skip
        batch_ids = [batch_id for batch_id, _ in found.items]
        rows = self._session.rows(_OF_BATCHES, *keys, batch_ids) if batch_ids else []
        operations = [_loaded(row) for row in rows]
        items = tuple(_assembled(connection_id, row, operations) for row in found.items)
        return Paged(items, found.total, page)


class PostgresIssues(IssueRepository):
    """Issues; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes
        self._read: set[IssueId] = set()

    def open(self, issue: Issue) -> bool:
        about = issue.revision_id or ("" if issue.booking_id is None else f"booking {issue.booking_id}")
        values = (
            self._session.agency_id, issue.issue_id, issue.connection_id, issue.property_id, issue.kind.value,
            issue.booking_id, issue.revision_id, about, as_document(dict(issue.details)), issue.opened_at,
            issue.closed_at,
        )  # fmt: skip
        is_new = bool(self._session.rows(_ADD_ISSUE, *values))
        self._writes.is_begun = self._writes.is_begun or is_new
        return is_new

    def get(self, issue_id: IssueId) -> Issue:
        where, values = self._within_reach([("i.issue_id = %s", (issue_id,))])
        sql: LiteralString = f"SELECT {ISSUE_COLUMNS} FROM channel_issues i WHERE {where} FOR NO KEY UPDATE"
        rows = self._session.rows(sql, *values)
        if not rows:
            raise NotFoundError("channel_issue", issue_id)
        self._read.add(issue_id)
        return loaded_issue(*rows[0])  # type: ignore[arg-type]

    def close(
        self, connection_id: ConnectionId, kind: IssueKind, now: datetime, *, revision_id: str = ""
    ) -> tuple[Issue, ...]:
        values = (now, self._session.agency_id, connection_id, kind.value, revision_id, revision_id)
        found = [loaded_issue(*row) for row in self._session.rows(_CLOSE, *values)]  # type: ignore[arg-type]
        self._writes.is_begun = self._writes.is_begun or bool(found)
        return tuple(sorted(found, key=lambda each: (each.opened_at, each.issue_id)))

    def save(self, issue: Issue) -> None:
        if issue.issue_id not in self._read:
            raise MisuseError(saved_unread=str(issue.issue_id))
        values = (as_document(dict(issue.details)), issue.closed_at, self._session.agency_id, issue.issue_id)
        self._writes.must((_SAVE_ISSUE, values), StaleVersionError(issue_id=str(issue.issue_id)))

    def find(
        self, property_id: PropertyId | None, page: Page, *, is_open: bool | None = None
    ) -> Paged[Issue]:
        parts: list[Statement] = []
        if property_id is not None:
            parts.append(("i.property_id = %s", (property_id,)))
        if is_open is not None:
            parts.append(("(i.closed_at IS NULL) = %s", (is_open,)))
        where, values = self._within_reach(parts)
        return read_page(
            self._session, ISSUE_COLUMNS, ("channel_issues i WHERE " + where, values),
            "i.opened_at DESC, i.issue_id DESC", page, lambda row: loaded_issue(*row),  # type: ignore[arg-type]
        )  # fmt: skip

    def _within_reach(self, parts: list[Statement]) -> Statement:
        every: list[Statement] = [("i.agency_id = %s", (self._session.agency_id,)), *parts]
        if self._session.reach is not None:
            every.append(("i.property_id = ANY(%s)", (sorted(self._session.reach),)))
        return conditions(every)


def _loaded(row: Row) -> Operation:
    return loaded_operation(*row)  # type: ignore[arg-type]


def _assembled(connection_id: ConnectionId, row: Row, operations: list[Operation]) -> Batch:
    batch_id, expected = row
    if not isinstance(batch_id, UUID):
        raise MisuseError(batch=str(batch_id))
    return Batch(
        batch_id=BatchId(batch_id),
        connection_id=connection_id,
        expected=int(str(expected)),
        operations=tuple(each for each in operations if each.batch_id == batch_id),
    )
