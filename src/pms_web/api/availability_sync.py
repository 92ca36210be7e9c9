"""``/api/v1/availability/sync``: telling a platform again what it may sell of a property, and for how much.

Owns the address and its older name. Finds the connection by property and platform; the worker does what is asked for.
"""

from __future__ import annotations

from typing import TypedDict

from flask import Response

from pms_web.api.channel_sync import triggered
from pms_web.channel_schemas import AvailabilitySyncOrder, SyncedPlan, chosen
from pms_web.examples import PROPERTY
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pms_web.wire import IdText
from pmscore.access.model.permissions import Permission
from pmscore.channels.model.manifest import Platform
from pmscore.channels.use_cases.operations import SyncType, TriggerSync
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import ConnectionId

__all__ = ["ROUTES"]


class AvailabilitySyncBody(TypedDict):
    """What was asked for; ``sync_log_id`` is its line in the log of the connection."""

    status: str
    message: str
    task_id: IdText
    sync_log_id: IdText
    platform: str
    retry_count: int


def sync(services: WebServices, body: AvailabilitySyncOrder) -> Response:
    """Tell the platform again what it may sell, or for how much, as soon as a worker is there."""
    plan = chosen(SyncedPlan, body.sync_type, "sync_type")
    platform = Platform(chosen(Platform, body.platform, "platform"))
    connection_id, nights = services.retry(lambda: _found(services, body, platform))
    command = TriggerSync(
        **services.asking,
        connection_id=connection_id,
        sync_type=SyncType(plan),
        nights=nights,
        is_manual=body.manual_trigger,
    )
    (operation,) = triggered(services, command).operations
    told: AvailabilitySyncBody = {
        "status": operation.status.value,
        "message": "Availability sync task triggered successfully",
        "task_id": operation.task_id,
        "sync_log_id": str(operation.operation_id),
        "platform": platform.value,
        "retry_count": 0,
    }
    return answer(told)


def sync_by_older_name(services: WebServices, body: AvailabilitySyncOrder) -> Response:
    """Do the same as `POST /api/v1/availability/sync`."""
    return sync(services, body)


def _found(
    services: WebServices, body: AvailabilitySyncOrder, platform: Platform
) -> tuple[ConnectionId, DateRange]:
    """Return the connection that is meant, and the nights.

    Raises:
        NotFoundError: the property, or a connection of it to the platform, is not there.
    """
    with services.uow.begin(services.question) as work:
        try:
            home = work.houses.get(body.property_id).property
        except NotFoundError as error:
            raise NotFoundError("synced_property", body.property_id) from error
        connection = work.connections.find_live(body.property_id, platform)
    if connection is None or body.connection_id not in {None, connection.connection_id}:
        raise NotFoundError("channel_connection", body.connection_id)
    return connection.connection_id, body.nights(local_date(services.clock.now(), home.zone))


_EXAMPLE = {"sync_type": "availability", "platform": "channex", "property_id": PROPERTY}

ROUTES = (
    Route(
        method="POST",
        path="/api/v1/availability/sync",
        view=sync,
        permission=Permission.WRITE_CHANNELS,
        summary="Tell a platform again what it may sell of a property",
        body=AvailabilitySyncOrder,
        replies={200: AvailabilitySyncBody},
        problems=frozenset({400}),
        example=_EXAMPLE,
    ),
    Route(
        method="POST",
        path="/api/availability/sync",
        view=sync_by_older_name,
        permission=Permission.WRITE_CHANNELS,
        summary="Tell a platform again what it may sell, by the older address",
        body=AvailabilitySyncOrder,
        replies={200: AvailabilitySyncBody},
        problems=frozenset({400}),
        example=_EXAMPLE,
    ),
)
