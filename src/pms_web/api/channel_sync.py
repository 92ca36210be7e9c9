"""``/api/v1/channel-connections/{id}``: asking for a sync, and the log of what was asked for and done.

Owns addresses. Asking writes what is to be done; the worker does it, as soon as there is one.
"""

from __future__ import annotations

from enum import StrEnum

from flask import Response

from pms_web.api.channel_connections import ONE, connection_of
from pms_web.channel_schemas import BatchesQuery, LogsQuery, PurgeOrder, PurgeQuery, SyncOrder, chosen
from pms_web.channel_views import (
    BatchBody,
    PurgedLogsBody,
    PurgePreviewBody,
    SyncBody,
    SyncLogBody,
    batch_body,
    log_body,
)
from pms_web.field_errors import SyncTypeError, WrongPhraseError
from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.channels.model.operations import Batch, BatchPage, BatchStatus, Operation, OperationFilter
from pmscore.channels.use_cases.operations import (
    SyncType,
    Triggered,
    TriggerSync,
    trigger_sync,
)
from pmscore.channels.use_cases.purging import PURGE_PHRASE, PurgeLogs, preview_purge, purge_logs
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import BatchId, parse_id
from pmscore.kernel.paging import Page as CorePage
from pmscore.kernel.paging import Paged

__all__ = ["ROUTES", "triggered"]

LOGS = f"{ONE}/sync-logs"
BATCHES = f"{ONE}/sync-batches"


class _Wanted(StrEnum):
    ANY = "any"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


def trigger(services: WebServices, connection_id: str, body: SyncOrder) -> Response:
    """Tell the platform everything again, or fetch what it has sold, as soon as a worker is there.

    `full` asks for three operations, which a batch groups; what the gateway cannot do among them is skipped.
    """
    sync_type = SyncType(chosen(SyncType, body.sync_type, "sync_type"))
    command = TriggerSync(
        **services.asking,
        connection_id=connection_of(connection_id),
        sync_type=sync_type,
        nights=body.nights(),
    )

    made = triggered(services, command)
    told: SyncBody = {
        "status": "triggered",
        "message": f"Manual {sync_type.value} sync triggered successfully",
        "task_ids": [each.task_id for each in made.operations],
        "batch_id": None if made.batch_id is None else str(made.batch_id),
    }
    return answer(told)


def triggered(services: WebServices, command: TriggerSync) -> Triggered:
    """Ask for a sync.

    Raises:
        SyncTypeError: the gateway of the connection does not do it.
    """

    def ask() -> Triggered:
        return trigger_sync(
            command, uow=services.uow, clock=services.clock, ids=services.ids, means=services.channels
        )

    try:
        return services.retry(ask)
    except InvalidInputError as error:
        if error.reason != "sync_type_not_supported":
            raise
        raise SyncTypeError(sync_type=command.sync_type.value, **error.params) from error


def logs(services: WebServices, connection_id: str, query: LogsQuery) -> Response:
    """Return one page of the log of a connection, the newest first."""
    key = connection_of(connection_id)

    def read() -> Paged[Operation]:
        with services.uow.begin(services.question) as work:
            work.connections.read(key)
            wanted = OperationFilter(batch_id=query.batch_id)
            return work.operations.page(key, wanted, CorePage(query.limit, query.offset))

    found = services.retry(read)
    return answer(page_of(map(log_body, found.items), query, total=found.total))


def purge_preview(services: WebServices, connection_id: str, query: PurgeQuery) -> Response:
    """Return what a purge would delete; nothing is deleted."""
    command = PurgeLogs(
        **services.asking,
        connection_id=connection_of(connection_id),
        retention_days=query.retention_days,
    )
    found = services.retry(lambda: preview_purge(command, uow=services.uow, clock=services.clock))
    body: PurgePreviewBody = {
        "connection_id": str(command.connection_id),
        "retention_days": query.retention_days,
        "logs_to_delete": found.total,
        "oldest_log": None if found.oldest_at is None else found.oldest_at.isoformat(),
        "newest_affected_log": None if found.newest_at is None else found.newest_at.isoformat(),
    }
    return answer(body)


def purge(services: WebServices, connection_id: str, body: PurgeOrder) -> Response:
    """Delete old lines of the log of a connection, for good; that it was done is recorded."""
    command = PurgeLogs(
        **services.asking,
        connection_id=connection_of(connection_id),
        retention_days=body.retention_days,
        phrase=body.confirm_phrase,
    )
    try:
        deleted = services.retry(lambda: purge_logs(command, uow=services.uow, clock=services.clock))
    except InvalidInputError as error:
        if error.reason != "not_the_phrase":
            raise
        raise WrongPhraseError(field="confirm_phrase", phrase=PURGE_PHRASE) from error
    told: PurgedLogsBody = {
        "connection_id": str(command.connection_id),
        "retention_days": body.retention_days,
        "deleted_count": deleted,
    }
    return answer(told)


def batches(services: WebServices, connection_id: str, query: BatchesQuery) -> Response:
    """Return one page of the batches of a connection, the one that changed last first."""
    key = connection_of(connection_id)
    named = chosen(_Wanted, query.status, "status")
    status = None if named == _Wanted.ANY.value else BatchStatus(named)

    def read() -> Paged[Batch]:
        with services.uow.begin(services.question) as work:
            work.connections.read(key)
            return work.operations.batches(key, status, BatchPage(query.limit, query.offset))

    found = services.retry(read)
    # The page's own limit is larger than that of other lists.
    told: Page[BatchBody] = {
        **page_of(map(batch_body, found.items), PageQuery(offset=query.offset), total=found.total),
        "limit": query.limit,
    }
    return answer(told)


def batch(services: WebServices, connection_id: str, batch_id: str) -> Response:
    """Return a batch; ask again until its status is no longer `running`."""
    key, batch_key = connection_of(connection_id), BatchId(parse_id(batch_id, field="batch_id"))

    def read() -> Batch:
        with services.uow.begin(services.question) as work:
            work.connections.read(key)
            return work.operations.batch(key, batch_key)

    return answer(batch_body(services.retry(read)))


_REFUSES = frozenset({400})

ROUTES = (
    Route(
        method="POST",
        path=f"{ONE}/sync",
        view=trigger,
        permission=Permission.WRITE_CHANNELS,
        summary="Ask for a sync",
        body=SyncOrder,
        replies={200: SyncBody},
        problems=_REFUSES,
        example={"sync_type": "full"},
    ),
    Route(
        method="GET",
        path=LOGS,
        view=logs,
        permission=Permission.READ_CHANNELS,
        summary="Read the log of a connection",
        query=LogsQuery,
        replies={200: Page[SyncLogBody]},
    ),
    Route(
        method="GET",
        path=f"{LOGS}/purge-preview",
        view=purge_preview,
        permission=Permission.PURGE_CHANNELS,
        summary="See what a purge of the log would delete",
        query=PurgeQuery,
        replies={200: PurgePreviewBody},
        example={"retention_days": 30},
    ),
    Route(
        method="POST",
        path=f"{LOGS}/purge",
        view=purge,
        permission=Permission.PURGE_CHANNELS,
        summary="Delete old lines of the log",
        body=PurgeOrder,
        replies={200: PurgedLogsBody},
        problems=_REFUSES,
        example={"retention_days": 30, "confirm_phrase": "PURGE"},
    ),
    Route(
        method="GET",
        path=BATCHES,
        view=batches,
        permission=Permission.READ_CHANNELS,
        summary="List the batches of a connection",
        query=BatchesQuery,
        replies={200: Page[BatchBody]},
        problems=_REFUSES,
    ),
    Route(
        method="GET",
        path=f"{BATCHES}/<batch_id>",
        view=batch,
        permission=Permission.READ_CHANNELS,
        summary="Read a batch",
        replies={200: BatchBody},
    ),
)
