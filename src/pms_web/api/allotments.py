"""``/api/v1/allotments``: rooms of a type that are kept for one channel, or the most that it may sell.

Owns addresses; nights are kept and given back by the use cases of :mod:`pmscore.inventory`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, TypedDict

from attrs import frozen
from flask import Response

from pms_web.examples import PROPERTY, UNIT_TYPE
from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pms_web.wire import CodeText, DateText, IdText, Says, rule
from pmscore.access.model.permissions import Permission
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.allotments import LONGEST_ALLOTMENT_NIGHTS, Allotment
from pmscore.inventory.use_cases.allotments import (
    ChangeAllotment,
    EndAllotment,
    MakeAllotment,
    change_allotment,
    end_allotment,
    make_allotment,
)
from pmscore.kernel import paging
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import AllotmentId, PropertyId, UnitTypeId, parse_id

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/allotments"
ONE = f"{ADDRESS}/<allotment_id>"


@frozen(kw_only=True)
class AllotmentTerms:
    """On which nights how many rooms are kept or allowed, and when those that nobody has sold are given back."""

    from_: Annotated[date, Says("The first night.")]
    to: Annotated[date, Says("The day after the last night.")]
    guaranteed: Annotated[int, Says("Rooms that are kept for the channel.")] = 0
    cap: Annotated[int | None, Says("The most rooms that the channel may sell.")] = None
    release_days: Annotated[
        int | None, Says("So many days before a night, what is kept on it is given back.")
    ] = None
    release_on: Annotated[date | None, Says("On this day everything that is kept is given back.")] = None

    @rule
    def nights(self) -> DateRange:
        """Return the nights."""
        if self.to <= self.from_:
            raise InvalidInputError("to", "not_after_start")
        nights = DateRange(self.from_, self.to)
        if nights.length > LONGEST_ALLOTMENT_NIGHTS:
            raise InvalidInputError("to", "too_long", most_nights=LONGEST_ALLOTMENT_NIGHTS)
        return nights


@frozen(kw_only=True)
class NewAllotment(AllotmentTerms):
    """Rooms of a type that are kept for a channel, or the most that it may sell, or both."""

    property_id: PropertyId
    unit_type_id: UnitTypeId
    channel: Annotated[CodeText, Says("The channel of a connection, such as channex or booking_com.")]


@frozen(kw_only=True)
class AllotmentChange(AllotmentTerms):
    """The terms in place of those that there were; what was sold and given back stays so."""

    version: Annotated[int | None, Says("The version that the change was made from.")] = None


@frozen(kw_only=True)
class AllotmentsQuery(PageQuery):
    """Which allotments."""

    property_id: PropertyId
    channel: str | None = None


AllotmentBody = TypedDict(
    "AllotmentBody",
    {
        "id": IdText,
        "property_id": IdText,
        "unit_type_id": IdText,
        "channel": str,
        "from": DateText,
        "to": DateText,
        "guaranteed": int,
        "cap": int | None,
        "release_days": int | None,
        "release_on": DateText | None,
        "sold": list[int],
        "kept": list[int],
        "released_until": DateText | None,
        "version": int,
    },
)
"""Rooms for one channel; ``sold`` and ``kept`` are numbers of rooms, one a night. ``to`` is no night of it."""


def create(services: WebServices, body: NewAllotment, once: OnceKey) -> Response:
    """Keep rooms for a channel from now on; nobody else is sold what is kept."""
    command = MakeAllotment(
        **services.asking,
        once=once,
        property_id=body.property_id,
        unit_type_id=body.unit_type_id,
        channel=body.channel,
        nights=body.nights(),
        guaranteed=body.guaranteed,
        cap=body.cap,
        release_days=body.release_days,
        release_on=body.release_on,
    )
    made = services.retry(
        lambda: make_allotment(command, uow=services.uow, clock=services.clock, ids=services.ids)
    )
    response = answer(allotment_body(made), status=201)
    response.headers["Location"] = f"{ADDRESS}/{made.allotment_id}"
    return response


def listed(services: WebServices, query: AllotmentsQuery) -> Response:
    """Return a page of the allotments of a property, by their first night."""

    def read() -> tuple[Allotment, ...]:
        with services.uow.begin(services.question) as work:
            work.houses.get(query.property_id)
            return work.allotments.of(query.property_id, query.channel)

    page = paging.Page(query.limit, query.offset)
    found = services.retry(read)
    shown = found[page.offset : page.offset + page.limit]
    return answer(page_of(map(allotment_body, shown), query, total=len(found)))


def show(services: WebServices, allotment_id: str) -> Response:
    """Return an allotment."""
    key = _allotment_id(allotment_id)

    def read() -> Allotment:
        with services.uow.begin(services.question) as work:
            return work.allotments.read(key)

    return answer(allotment_body(services.retry(read)))


def replace(services: WebServices, allotment_id: str, body: AllotmentChange) -> Response:
    """Put other terms in place of those of an allotment, in one step: no kept room is anybody else's in between."""
    command = ChangeAllotment(
        **services.asking,
        allotment_id=_allotment_id(allotment_id),
        nights=body.nights(),
        guaranteed=body.guaranteed,
        cap=body.cap,
        release_days=body.release_days,
        release_on=body.release_on,
        expected_version=body.version,
    )
    after = services.retry(lambda: change_allotment(command, uow=services.uow, clock=services.clock))
    return answer(allotment_body(after))


def end(services: WebServices, allotment_id: str, version: int | None) -> Response:
    """Give what is still kept back to the house; what the channel has sold stays sold."""
    command = EndAllotment(
        **services.asking, allotment_id=_allotment_id(allotment_id), expected_version=version
    )
    services.retry(lambda: end_allotment(command, uow=services.uow))
    return Response(status=204)


def allotment_body(allotment: Allotment) -> AllotmentBody:
    """Return an allotment."""
    return {
        "id": str(allotment.allotment_id),
        "property_id": str(allotment.property_id),
        "unit_type_id": str(allotment.unit_type_id),
        "channel": allotment.channel,
        "from": allotment.nights.start.isoformat(),
        "to": allotment.nights.end.isoformat(),
        "guaranteed": allotment.guaranteed,
        "cap": allotment.cap,
        "release_days": allotment.release_days,
        "release_on": _day(allotment.release_on),
        "sold": [*allotment.sold],
        "kept": [*allotment.kept()],
        "released_until": _day(allotment.released_until),
        "version": allotment.version,
    }


def _allotment_id(text: str) -> AllotmentId:
    return AllotmentId(parse_id(text, field="allotment_id"))


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


_TERMS = {"from": "2027-06-01", "to": "2027-06-15", "guaranteed": 1, "cap": 3, "release_days": 7}

ROUTES = (
    Route(
        method="POST",
        path=ADDRESS,
        view=create,
        permission=Permission.BLOCK_UNITS,
        summary="Keep rooms for a channel",
        body=NewAllotment,
        replies={201: AllotmentBody},
        idempotency=Idempotency.REQUIRED,
        example={"property_id": PROPERTY, "unit_type_id": UNIT_TYPE, "channel": "channex", **_TERMS},
    ),
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_STOCK,
        summary="List the allotments of a property",
        query=AllotmentsQuery,
        replies={200: Page[AllotmentBody]},
        example={"property_id": PROPERTY},
    ),
    Route(
        method="GET",
        path=ONE,
        view=show,
        permission=Permission.READ_STOCK,
        summary="Read an allotment",
        replies={200: AllotmentBody},
        is_versioned=True,
    ),
    Route(
        method="PUT",
        path=ONE,
        view=replace,
        permission=Permission.BLOCK_UNITS,
        summary="Change the terms of an allotment",
        body=AllotmentChange,
        replies={200: AllotmentBody},
        is_versioned=True,
        example=_TERMS,
    ),
    Route(
        method="DELETE",
        path=ONE,
        view=end,
        permission=Permission.BLOCK_UNITS,
        summary="End an allotment",
        replies={204: None},
        is_versioned=True,
    ),
)
