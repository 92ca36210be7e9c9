"""``/api/v1/channel-connections/{id}/mappings``: which types and plans are which rooms and rates, and what is missing."""

from __future__ import annotations

from flask import Response

from pms_web.api.channel_connections import ONE, connection_of
from pms_web.channel_schemas import NewMappings
from pms_web.channel_views import MappingGapsBody, MappingsBody, gap_body, mappings_body
from pms_web.examples import UNIT_TYPE
from pms_web.revision_views import RemoteRoomsBody, remote_rooms_body
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.use_cases.mappings import (
    CheckMappings,
    ReplaceMappings,
    check_mappings,
    replace_mappings,
)
from pmscore.channels.use_cases.rooms import ListRooms, list_rooms

__all__ = ["ROUTES"]

ADDRESS = f"{ONE}/mappings"


def show(services: WebServices, connection_id: str) -> Response:
    """Return all pairs of a connection."""
    key = connection_of(connection_id)

    def read() -> MappingBook:
        with services.uow.begin(services.question) as work:
            work.connections.read(key)
            return work.mappings.book(key)

    return answer(mappings_body(str(key), services.retry(read)))


def put(services: WebServices, connection_id: str, body: NewMappings) -> Response:
    """Put these pairs in place of all that there were; a pair that stays the same keeps its id."""
    key = connection_of(connection_id)
    command = ReplaceMappings(
        **services.asking,
        connection_id=key,
        rooms=tuple(each.wanted() for each in body.rooms),
        rates=tuple(each.wanted() for each in body.rates),
    )
    after = services.retry(
        lambda: replace_mappings(
            command, uow=services.uow, clock=services.clock, ids=services.ids, means=services.channels
        )
    )
    return answer(mappings_body(str(key), after))


def check(services: WebServices, connection_id: str) -> Response:
    """Return what is missing or wrong among the pairs: types without a room, plans without a price, and so on."""
    key = connection_of(connection_id)
    command = CheckMappings(**services.asking, connection_id=key)
    found = services.retry(lambda: check_mappings(command, uow=services.uow, means=services.channels))
    body: MappingGapsBody = {
        "connection_id": str(key),
        "is_complete": not found,
        "gaps": [gap_body(each) for each in found],
    }
    return answer(body)


def rooms(services: WebServices, connection_id: str) -> Response:
    """Ask the platform which rooms and rates it has; `is_listed` is false where its gateway cannot ask."""
    key = connection_of(connection_id)
    command = ListRooms(**services.asking, connection_id=key)
    found = services.retry(
        lambda: list_rooms(
            command, uow=services.uow, clock=services.clock, ids=services.ids, means=services.channels
        )
    )
    return answer(remote_rooms_body(str(key), found))


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=show,
        permission=Permission.READ_CHANNELS,
        summary="Read the mappings of a connection",
        replies={200: MappingsBody},
    ),
    Route(
        method="PUT",
        path=ADDRESS,
        view=put,
        permission=Permission.WRITE_CHANNELS,
        summary="Replace the mappings of a connection",
        body=NewMappings,
        replies={200: MappingsBody},
        example={
            "rooms": [{"unit_type_id": UNIT_TYPE, "room_code": "double"}],
            "rates": [
                {
                    "unit_type_id": UNIT_TYPE,
                    "plan": "flex",
                    "room_code": "double",
                    "rate_code": "double-flex",
                }
            ],
        },
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/check",
        view=check,
        permission=Permission.READ_CHANNELS,
        summary="See what is missing among the mappings",
        replies={200: MappingGapsBody},
    ),
    Route(
        method="GET",
        path=f"{ONE}/rooms",
        view=rooms,
        permission=Permission.READ_CHANNELS,
        summary="Ask which rooms and rates the platform has",
        replies={200: RemoteRoomsBody},
    ),
)
