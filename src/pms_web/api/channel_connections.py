"""``/api/v1/channel-connections``: properties on platforms, whether that works, and the address that platforms call.

Owns addresses; the module ``channel_manager`` brings them.
"""

from __future__ import annotations

from flask import Response

from pms_web.channel_schemas import (
    ConnectionChange,
    ConnectionsQuery,
    NewConnection,
    NewConnectionQuery,
    chosen,
)
from pms_web.channel_views import (
    ChannelTokensBody,
    ConnectionBody,
    ConnectionHealthBody,
    connection_body,
    health_body,
)
from pms_web.examples import PROPERTY
from pms_web.paging import Page, page_of
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.manifest import Platform
from pmscore.channels.use_cases.addresses import NewTokens, new_tokens
from pmscore.channels.use_cases.checking import CheckConnection, check_connection
from pmscore.channels.use_cases.connections import (
    ChangeConnection,
    Connect,
    Disconnect,
    change_connection,
    connect,
    disconnect,
)
from pmscore.kernel.ids import ConnectionId, parse_id
from pmscore.kernel.paging import Page as CorePage
from pmscore.kernel.paging import Paged

__all__ = ["ADDRESS", "ONE", "ROUTES", "connection_of"]

ADDRESS = "/api/v1/channel-connections"
ONE = f"{ADDRESS}/<connection_id>"


def connection_of(text: str) -> ConnectionId:
    """Return the id of a connection in an address."""
    return ConnectionId(parse_id(text, field="connection_id"))


def listed(services: WebServices, query: ConnectionsQuery) -> Response:
    """Return one page of the connections, the oldest first."""

    def read() -> Paged[Connection]:
        with services.uow.begin(services.question) as work:
            return work.connections.find(query.property_id, CorePage(query.limit, query.offset))

    found = services.retry(read)
    return answer(page_of(map(connection_body, found.items), query, total=found.total))


def create(services: WebServices, query: NewConnectionQuery, body: NewConnection) -> Response:
    """Connect a property to a platform, which is asked first whether that works.

    One that was connected before and deleted gets its old connection back. What the platform should have is
    told to it by the worker, without being asked for.
    """
    command = Connect(
        **services.asking,
        property_id=body.property_id,
        platform=Platform(chosen(Platform, body.platform_type, "platform_type")),
        gateway=body.gateway,
        listing_id=body.platform_listing_id,
        settings=body.settings(),
        credentials=body.secrets(),
        is_tested=not query.skip_connection_test,
    )
    made = services.retry(
        lambda: connect(
            command, uow=services.uow, clock=services.clock, ids=services.ids, means=services.channels
        )
    )
    response = answer(connection_body(made), status=201)
    response.headers["Location"] = f"{ADDRESS}/{made.connection_id}"
    return response


def show(services: WebServices, connection_id: str) -> Response:
    """Return a connection."""
    key = connection_of(connection_id)

    def read() -> Connection:
        with services.uow.begin(services.question) as work:
            return work.connections.read(key)

    return answer(connection_body(services.retry(read)))


def change(services: WebServices, connection_id: str, body: ConnectionChange) -> Response:
    """Change a connection; only `active` ones are synchronised."""
    return answer(connection_body(_changed(services, connection_id, body)))


def replace(services: WebServices, connection_id: str, body: ConnectionChange) -> Response:
    """Change a connection, as PATCH does: members that are left out stay as they are."""
    return answer(connection_body(_changed(services, connection_id, body)))


def remove(services: WebServices, connection_id: str, version: int | None) -> Response:
    """End a connection; its credentials are forgotten, bookings that came through it stay."""
    command = Disconnect(**services.asking, connection_id=connection_of(connection_id), version=version)
    services.retry(lambda: disconnect(command, uow=services.uow, clock=services.clock))
    return Response(status=204)


def test(services: WebServices, connection_id: str) -> Response:
    """Ask the platform whether the connection works; the answer is 200 where it does not, too."""
    command = CheckConnection(**services.asking, connection_id=connection_of(connection_id))
    found = services.retry(
        lambda: check_connection(
            command, uow=services.uow, clock=services.clock, ids=services.ids, means=services.channels
        )
    )
    return answer(health_body(found))


def give_address(services: WebServices, connection_id: str) -> Response:
    """Give the connection a new address that the platform calls, shown this once; the old one ends."""
    command = NewTokens(**services.asking, connection_id=connection_of(connection_id))
    made = services.retry(
        lambda: new_tokens(command, uow=services.uow, clock=services.clock, means=services.channels)
    )
    token = made.knock.reveal()
    body: ChannelTokensBody = {
        "connection_id": str(made.connection.connection_id),
        "webhook_token": token,
        "webhook_path": f"/channel-webhooks/{token}",
    }
    return answer(body, status=201)


def _changed(services: WebServices, connection_id: str, body: ConnectionChange) -> Connection:
    command = ChangeConnection(
        **services.asking,
        connection_id=connection_of(connection_id),
        property_id=body.property_id,
        status=body.status,
        listing_id=body.platform_listing_id,
        settings=body.settings(),
        credentials=body.secrets(),
        version=body.version,
    )
    return services.retry(
        lambda: change_connection(command, uow=services.uow, clock=services.clock, means=services.channels)
    )


_REFUSES = frozenset({400})

ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_CHANNELS,
        summary="List the connections to platforms",
        query=ConnectionsQuery,
        replies={200: Page[ConnectionBody]},
    ),
    Route(
        method="POST",
        path=ADDRESS,
        view=create,
        permission=Permission.WRITE_CHANNELS,
        summary="Connect a property to a platform",
        query=NewConnectionQuery,
        body=NewConnection,
        replies={201: ConnectionBody},
        problems=_REFUSES,
        example={"property_id": PROPERTY, "platform_type": "airbnb", "platform_listing_id": "house-1"},
    ),
    Route(
        method="GET",
        path=ONE,
        view=show,
        permission=Permission.READ_CHANNELS,
        summary="Read a connection",
        replies={200: ConnectionBody},
        is_versioned=True,
    ),
    Route(
        method="PATCH",
        path=ONE,
        view=change,
        permission=Permission.WRITE_CHANNELS,
        summary="Change a connection",
        body=ConnectionChange,
        replies={200: ConnectionBody},
        is_versioned=True,
        example={"status": "paused"},
    ),
    Route(
        method="PUT",
        path=ONE,
        view=replace,
        permission=Permission.WRITE_CHANNELS,
        summary="Change a connection, as PATCH does",
        body=ConnectionChange,
        replies={200: ConnectionBody},
        is_versioned=True,
        example={"status": "active"},
    ),
    Route(
        method="DELETE",
        path=ONE,
        view=remove,
        permission=Permission.WRITE_CHANNELS,
        summary="End a connection",
        replies={204: None},
        is_versioned=True,
    ),
    Route(
        method="POST",
        path=f"{ONE}/test",
        view=test,
        permission=Permission.READ_CHANNELS,
        summary="Ask whether a connection works",
        replies={200: ConnectionHealthBody},
    ),
    Route(
        method="POST",
        path=f"{ONE}/tokens",
        view=give_address,
        permission=Permission.WRITE_CHANNELS,
        summary="Give a connection an address that the platform calls",
        replies={201: ChannelTokensBody},
    ),
)
