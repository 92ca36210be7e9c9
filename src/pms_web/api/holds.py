"""``/api/v1/holds``: rooms that are kept for somebody for a while.

Owns addresses; nights are claimed and freed by the use cases of :mod:`pmscore.inventory`, and a hold that has expired
frees its nights without anybody asking.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from attrs import frozen
from flask import Response

from pms_web.claim_views import HoldBody, hold_body
from pms_web.examples import PROPERTY, UNIT_TYPE
from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pms_web.wire import Says, rule
from pmscore.access.model.permissions import Permission
from pmscore.dates.nights import StayRange
from pmscore.inventory.use_cases.holds import PlaceHold, ReleaseHold, place_hold, release_hold
from pmscore.kernel import paging
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import HoldId, PropertyId, UnitId, UnitTypeId, parse_id

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/holds"


@frozen(kw_only=True)
class NewHold:
    """A room to keep; of the property's only type where none is named."""

    property_id: PropertyId
    arrival: date
    departure: date
    expires_at: Annotated[datetime, Says("At most thirty days ahead.")]
    unit_type_id: UnitTypeId | None = None
    unit_id: Annotated[UnitId | None, Says("A certain unit of the type.")] = None

    @rule
    def stay(self) -> StayRange:
        """Return the stay."""
        return StayRange(self.arrival, self.departure)


@frozen(kw_only=True)
class HoldsQuery(PageQuery):
    """Active holds of a property."""

    property_id: PropertyId


def create(services: WebServices, body: NewHold, once: OnceKey) -> Response:
    """Keep a room until an instant."""
    command = PlaceHold(
        **services.asking,
        once=once,
        property_id=body.property_id,
        stay=body.stay(),
        expires_at=body.expires_at,
        unit_type_id=body.unit_type_id,
        unit_id=body.unit_id,
    )
    placed = services.retry(
        lambda: place_hold(command, uow=services.uow, clock=services.clock, ids=services.ids)
    )
    return answer(hold_body(placed), status=201)


def listed(services: WebServices, query: HoldsQuery) -> Response:
    """Return a page of the holds that are active now, those that end first before others."""
    page = paging.Page(query.limit, query.offset)

    def attempt() -> Response:
        with services.uow.begin(services.question) as work:
            work.houses.get(query.property_id)
            found = work.holds.find(query.property_id, services.clock.now(), page)
        return answer(page_of(map(hold_body, found.items), query, total=found.total))

    return services.retry(attempt)


def release(services: WebServices, hold_id: str, version: int | None) -> Response:
    """Give up a hold before its time."""
    command = ReleaseHold(
        **services.asking, hold_id=HoldId(parse_id(hold_id, field="hold_id")), expected_version=version
    )
    released = services.retry(lambda: release_hold(command, uow=services.uow))
    return answer(hold_body(released))


ROUTES = (
    Route(
        method="POST",
        path=ADDRESS,
        view=create,
        permission=Permission.HOLD_NIGHTS,
        summary="Hold a room",
        body=NewHold,
        replies={201: HoldBody},
        idempotency=Idempotency.REQUIRED,
        example={
            "property_id": PROPERTY,
            "unit_type_id": UNIT_TYPE,
            "arrival": "2027-06-01",
            "departure": "2027-06-04",
            "expires_at": "2027-03-02T18:00:00Z",
        },
    ),
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_STOCK,
        summary="List the active holds",
        query=HoldsQuery,
        replies={200: Page[HoldBody]},
        example={"property_id": PROPERTY},
    ),
    Route(
        method="DELETE",
        path=f"{ADDRESS}/<hold_id>",
        view=release,
        permission=Permission.HOLD_NIGHTS,
        summary="Give up a hold",
        replies={200: HoldBody},
        is_versioned=True,
    ),
)
