"""``/api/v1/public/{agency_slug}``: what a web site shows to anybody: properties, availability, rates.

Owns the addresses, and which members strangers see: named one by one, so that a new member of a booking, a price list
or a property never gets out by itself. Who may read them at all is said by the module ``public_site``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from attrs import frozen
from flask import Response

from pms_web.examples import PROPERTY
from pms_web.limits import Allowance
from pms_web.paging import Page, PageQuery, page_of
from pms_web.public_views import (
    OpenPropertyBody,
    OpenRatesBody,
    OpenStaysBody,
    open_property_body,
    open_rates_body,
    open_stays_body,
)
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pms_web.wire import Entries, Says, rule
from pmscore.access.model.permissions import Permission
from pmscore.availability.model import StaySearch
from pmscore.availability.use_cases import search_stays
from pmscore.dates.nights import StayRange
from pmscore.inventory.model.party import Party
from pmscore.kernel.ids import PropertyId
from pmscore.pricing.model.guests import MOST_GUESTS, GuestParty
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.use_cases.quotes import make_quotes

__all__ = ["PUBLIC_ROUTES"]

ADDRESS = "/api/v1/public/<agency_slug>"


@frozen(kw_only=True)
class OpenStayQuery:
    """A stay in one property, and who travels."""

    property_id: PropertyId
    arrival: date
    departure: date
    adults: int
    ages: Annotated[tuple[int, ...], Entries(MOST_GUESTS), Says("The ages of the children at arrival.")] = ()

    @rule
    def stay(self) -> StayRange:
        """Return the stay."""
        return StayRange(self.arrival, self.departure)

    @rule
    def party(self) -> GuestParty:
        """Return who travels."""
        return GuestParty(adults=self.adults, ages=self.ages)


def properties(services: WebServices, query: PageQuery) -> Response:
    """Return a page of the properties, by name."""
    houses = services.retry(services.availability.houses)
    ordered = sorted(houses, key=lambda each: (each.property.name, each.property.property_id))
    page = ordered[query.offset : query.offset + query.limit]
    return answer(page_of(map(open_property_body, page), query, total=len(ordered)))


def availability(services: WebServices, query: OpenStayQuery) -> Response:
    """Return which types take the stay, and the nearest stays for those that do not."""
    asked = StaySearch(
        stay=query.stay(),
        party=Party(query.adults, len(query.ages)),
        property_ids=(query.property_id,),
    )
    found = services.retry(lambda: search_stays(asked, reader=services.search, clock=services.clock))
    return answer(open_stays_body(query.property_id, asked.stay, found))


def rates(services: WebServices, query: OpenStayQuery) -> Response:
    """Return what each type costs by each plan that can be booked."""
    asked = QuoteRequest(stay=query.stay(), parties=(query.party(),))
    found = services.retry(
        lambda: make_quotes(
            query.property_id,
            asked,
            availability=services.availability,
            prices=services.prices,
            clock=services.clock,
            ids=services.ids,
        )
    )
    return answer(open_rates_body(query.property_id, asked.stay, found))


_STAY = {
    "property_id": PROPERTY,
    "arrival": "2027-06-01",
    "departure": "2027-06-04",
    "adults": 2,
    "ages": [7],
}

PUBLIC_ROUTES = (
    Route(
        method="GET",
        path=f"{ADDRESS}/properties",
        view=properties,
        permission=Permission.READ_PUBLIC,
        allowance=Allowance.PUBLIC,
        summary="Properties, for anybody",
        query=PageQuery,
        replies={200: Page[OpenPropertyBody]},
        example={"limit": 10},
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/availability",
        view=availability,
        permission=Permission.READ_PUBLIC,
        allowance=Allowance.PUBLIC,
        summary="What can be booked, for anybody",
        query=OpenStayQuery,
        replies={200: OpenStaysBody},
        example=_STAY,
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/rates",
        view=rates,
        permission=Permission.READ_PUBLIC,
        allowance=Allowance.PUBLIC,
        summary="What a stay costs, for anybody",
        query=OpenStayQuery,
        replies={200: OpenRatesBody},
        example=_STAY,
    ),
)
