"""``/calendars/{calendar_token}``: calendars of rooms for platforms that fetch them, at addresses nobody can guess.

Owns addresses: those that a person opens and ends, and the one that platforms fetch. The module ``channel_manager``
finds out which agency a token names. Whoever knows no token learns nothing: 404.
"""

from __future__ import annotations

from typing import Final, TypedDict

from flask import Response, request

from pms_web.api.channel_connections import ONE, connection_of
from pms_web.limits import Allowance
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pms_web.url_parts import code_of, url_part
from pms_web.wire import IdText
from pmscore.access.model.permissions import Permission
from pmscore.channels.use_cases.calendars import (
    EndCalendars,
    NewCalendars,
    ReadCalendar,
    end_calendars,
    new_calendars,
    read_calendar,
)
from pmscore.kernel.errors import NotFoundError

__all__ = ["OPEN_ROUTES", "ROUTES"]

_MEDIA: Final = "text/calendar; charset=utf-8"


class RoomCalendarBody(TypedDict):
    """The calendar of one room."""

    room_code: str
    path: str


class RoomCalendarsBody(TypedDict):
    """The addresses of the calendars of a connection's rooms, shown this once."""

    connection_id: IdText
    calendar_token: str
    calendars: list[RoomCalendarBody]


def give(services: WebServices, connection_id: str) -> Response:
    """Give the calendars of all mapped rooms new addresses, shown this once; the old ones end.

    A room that is mapped later has the same address with its own code.
    """
    command = NewCalendars(**services.asking, connection_id=connection_of(connection_id))
    made = services.retry(
        lambda: new_calendars(command, uow=services.uow, clock=services.clock, means=services.channels)
    )
    token = made.token.reveal()
    body: RoomCalendarsBody = {
        "connection_id": str(made.connection.connection_id),
        "calendar_token": token,
        "calendars": [
            {"room_code": code, "path": f"/calendars/{token}/{url_part(code)}.ics"}
            for code in made.room_codes
        ],
    }
    return answer(body, status=201)


def end(services: WebServices, connection_id: str, version: int | None) -> Response:
    """End the addresses of a connection's calendars; whoever fetches one of them then finds nothing."""
    command = EndCalendars(**services.asking, connection_id=connection_of(connection_id), version=version)
    services.retry(lambda: end_calendars(command, uow=services.uow, clock=services.clock))
    return Response(status=204)


def show(services: WebServices, calendar_token: str, room_code: str) -> Response:
    """Return what must not be sold in a room, without what the platform has told itself, and nothing about anybody.

    Ask with `If-None-Match`: as long as the calendar says the same, the answer is 304.
    """
    code = code_of(room_code)
    if code is None:
        raise NotFoundError("channel_calendar", None)
    command = ReadCalendar(**services.asking, token=calendar_token, room_code=code)
    ranges = services.retry(
        lambda: read_calendar(command, uow=services.uow, clock=services.clock, means=services.channels)
    )
    writer = services.calendars
    response = Response(writer.written(ranges, made_at=services.clock.now()), content_type=_MEDIA)
    response.headers["Cache-Control"] = "private, no-cache"
    # Weak: the instant at which it was made is in the text, and is no news.
    response.set_etag(writer.tag(ranges), weak=True)
    response.make_conditional(request)
    return response


ROUTES = (
    Route(
        method="POST",
        path=f"{ONE}/calendars",
        view=give,
        permission=Permission.WRITE_CHANNELS,
        summary="Give the calendars of a connection private addresses",
        replies={201: RoomCalendarsBody},
    ),
    Route(
        method="DELETE",
        path=f"{ONE}/calendars",
        view=end,
        permission=Permission.WRITE_CHANNELS,
        summary="End the addresses of a connection's calendars",
        replies={204: None},
        is_versioned=True,
    ),
)

OPEN_ROUTES = (
    Route(
        method="GET",
        path="/calendars/<calendar_token>/<room_code>.ics",
        view=show,
        permission=Permission.READ_PUBLIC,
        summary="Fetch the calendar of a room",
        replies={200: _MEDIA, 304: None},
        headers={
            "ETag": {
                "description": "What to ask with next time, as `If-None-Match`.",
                "schema": {"type": "string"},
            }
        },
        allowance=Allowance.CALENDAR,
    ),
)
