"""``/api/v1/availability``: what is occupied, what can be sold, how many are left.

Owns addresses and parameters; the answers are the use cases' of :mod:`pmscore.availability`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from attrs import frozen
from flask import Response

from pms_web.examples import PROPERTY, UNIT_TYPE
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pms_web.stock_views import CalendarBody, RangesBody, SearchBody, calendar_body, ranges_body, search_body
from pms_web.wire import Says, rule
from pmscore.access.model.permissions import Permission
from pmscore.availability.model import StaySearch
from pmscore.availability.use_cases import calendar, occupied_ranges, search_stays
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import PropertyId, UnitTypeId

__all__ = ["ROUTES", "named_source"]

ADDRESS = "/api/v1/availability"
SEARCH_SOURCE = "X-Search-Source"


@frozen(kw_only=True)
class NightsQuery:
    """Nights of a property."""

    property_id: PropertyId
    from_: Annotated[date, Says("The first night.")]
    to: Annotated[date, Says("The day after the last night.")]

    @rule
    def nights(self) -> DateRange:
        """Return the nights that are asked about."""
        if self.to <= self.from_:
            raise InvalidInputError("to", "not_after_start")
        return DateRange(self.from_, self.to)


@frozen(kw_only=True)
class CalendarQuery(NightsQuery):
    """Nights of a property, and of which types; of all where none is named."""

    unit_type_id: tuple[UnitTypeId, ...] = ()


@frozen(kw_only=True)
class SearchQuery:
    """A stay that somebody looks for; in all properties and types where none is named."""

    arrival: date
    departure: date
    adults: int
    children: int = 0
    infants: int = 0
    rooms: Annotated[int, Says("How many rooms; each needs an adult.")] = 1
    property_id: tuple[PropertyId, ...] = ()
    unit_type_id: tuple[UnitTypeId, ...] = ()
    plan: Annotated[str | None, Says("The code of a rate plan whose stay rules apply as well.")] = None
    channel: Annotated[str | None, Says("The code of a channel whose stay rules apply as well.")] = None

    @rule
    def stay(self) -> StayRange:
        """Return the stay."""
        return StayRange(self.arrival, self.departure)

    @rule
    def party(self) -> Party:
        """Return who travels."""
        return Party(self.adults, self.children, self.infants)

    @rule
    def search(self) -> StaySearch:
        """Return the question."""
        return StaySearch(
            stay=self.stay(),
            party=self.party(),
            rooms=self.rooms,
            property_ids=self.property_id,
            unit_type_ids=self.unit_type_id,
            plan=self.plan,
            channel=self.channel,
        )


def occupied(services: WebServices, query: NightsQuery) -> Response:
    """Return the ranges that bookings, holds and blocks occupy."""
    nights = query.nights()
    ranges = services.retry(
        lambda: occupied_ranges(query.property_id, nights, reader=services.availability, clock=services.clock)
    )
    return answer(ranges_body(query.property_id, nights, ranges))


def search(services: WebServices, query: SearchQuery) -> Response:
    """Return an offer or a refusal with its reasons for each type."""
    asked = query.search()
    result = services.retry(lambda: search_stays(asked, reader=services.search, clock=services.clock))
    return named_source(answer(search_body(asked.stay, result)), services)


def counts(services: WebServices, query: CalendarQuery) -> Response:
    """Return the counts of each type by night."""
    nights = query.nights()
    found = services.retry(
        lambda: calendar(
            query.property_id,
            nights,
            reader=services.search,
            clock=services.clock,
            unit_type_ids=query.unit_type_id,
        )
    )
    return named_source(answer(calendar_body(query.property_id, found)), services)


def named_source(response: Response, services: WebServices) -> Response:
    """Say where the answer to a search came from, which its reader may want to know when two answers differ."""
    if services.search.source:
        response.headers[SEARCH_SOURCE] = services.search.source
    return response


_SOURCE: Mapping[str, Mapping[str, Json]] = {
    SEARCH_SOURCE: {
        "description": "Where the answer came from: `board`, this process's memory, or `sql`, the database.",
        "schema": {"type": "string", "enum": ["board", "sql"]},
    }
}
_NIGHTS = {"property_id": PROPERTY, "from": "2027-06-01", "to": "2027-06-08"}

ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=occupied,
        permission=Permission.READ_STOCK,
        summary="What occupies a property",
        query=NightsQuery,
        replies={200: RangesBody},
        example=_NIGHTS,
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/search",
        view=search,
        permission=Permission.READ_STOCK,
        summary="Search for a stay",
        query=SearchQuery,
        replies={200: SearchBody},
        headers=_SOURCE,
        example={
            "arrival": "2027-06-01",
            "departure": "2027-06-04",
            "adults": 2,
            "property_id": [PROPERTY],
            "unit_type_id": [UNIT_TYPE],
        },
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/calendar",
        view=counts,
        permission=Permission.READ_STOCK,
        summary="Counts by type and night",
        query=CalendarQuery,
        replies={200: CalendarBody},
        headers=_SOURCE,
        example={**_NIGHTS, "unit_type_id": [UNIT_TYPE]},
    ),
)
