"""``/api/v1/availability``: what is occupied, what can be sold, how many are left.

Owns addresses and parameters; the answers are the use cases' of :mod:`pmscore.availability`.
"""

from __future__ import annotations

from flask import Response

from pms_web.fields import Fields, collecting
from pms_web.routing import Route, answer, query_fields
from pms_web.services import WebServices
from pms_web.views import calendar_body, ranges_body, search_body
from pmscore.access.model.permissions import Permission
from pmscore.availability.model import StaySearch
from pmscore.availability.use_cases import calendar, occupied_ranges, search_stays
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import PropertyId, UnitTypeId

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/availability"

_COUNTS = ("adults", "children", "infants", "rooms")


def occupied(services: WebServices) -> Response:
    """Return the ranges that bookings, holds and blocks occupy."""
    with collecting() as errors:
        fields = query_fields(errors)
        property_id, nights = _property_and_nights(fields)
        fields.close()
    ranges = services.retry(
        lambda: occupied_ranges(property_id, nights, reader=services.availability, clock=services.clock)
    )
    return answer(ranges_body(str(property_id), nights, ranges))


def search(services: WebServices) -> Response:
    """Return an offer or a refusal with its reasons for each type."""
    with collecting() as errors:
        fields = query_fields(errors, lists=("property_id", "unit_type_id"), numbers=_COUNTS)
        arrival, departure = fields.day("arrival", required=True), fields.day("departure", required=True)
        adults = fields.whole("adults", required=True)
        children, infants = fields.whole("children") or 0, fields.whole("infants") or 0
        rooms = fields.whole("rooms") if fields.has("rooms") else 1
        properties, types = fields.ids("property_id"), fields.ids("unit_type_id")
        plan, channel = fields.text("plan"), fields.text("channel")
        fields.close()
        if errors or arrival is None or departure is None or adults is None or rooms is None:
            raise InvalidInputError("query", "incomplete")
        asked = StaySearch(
            stay=StayRange(arrival, departure),
            party=Party(adults, children, infants),
            rooms=rooms,
            property_ids=tuple(PropertyId(each) for each in properties),
            unit_type_ids=tuple(UnitTypeId(each) for each in types),
            plan=plan,
            channel=channel,
        )
    result = services.retry(lambda: search_stays(asked, reader=services.availability, clock=services.clock))
    return answer(search_body(asked.stay, result))


def counts(services: WebServices) -> Response:
    """Return the counts of each type by night."""
    with collecting() as errors:
        fields = query_fields(errors, lists=("unit_type_id",))
        types = tuple(UnitTypeId(each) for each in fields.ids("unit_type_id"))
        property_id, nights = _property_and_nights(fields)
        fields.close()
    found = services.retry(
        lambda: calendar(
            property_id, nights, reader=services.availability, clock=services.clock, unit_type_ids=types
        )
    )
    return answer(calendar_body(str(property_id), found))


def _property_and_nights(fields: Fields) -> tuple[PropertyId, DateRange]:
    property_id = fields.id("property_id", required=True)
    start, end = fields.day("from", required=True), fields.day("to", required=True)
    if property_id is None or start is None or end is None:
        raise InvalidInputError("query", "incomplete")
    if end <= start:
        raise InvalidInputError("to", "not_after_start")
    return PropertyId(property_id), DateRange(start, end)


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=occupied,
        permission=Permission.READ_STOCK,
        summary="What occupies a property",
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/search",
        view=search,
        permission=Permission.READ_STOCK,
        summary="Search for a stay",
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/calendar",
        view=counts,
        permission=Permission.READ_STOCK,
        summary="Counts by type and night",
    ),
)
