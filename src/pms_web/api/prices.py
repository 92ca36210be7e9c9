"""``/api/v1/properties/{id}/prices``: a property's price list as one document.

Owns addresses, and that ``version`` says which list a change was made from; the document is the core's written form.
"""

from __future__ import annotations

from flask import Response, request

from pms_web.bodies import parse_json
from pms_web.fields import Fields, collecting
from pms_web.routing import Route, answer, query_fields
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.kernel.events import Json
from pmscore.kernel.ids import PropertyId, UnitTypeId, parse_id
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.written.book import book_from_json, book_to_json
from pmscore.pricing.use_cases.prices import SetPrices, set_prices

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/properties/<property_id>/prices"


def show(services: WebServices, property_id: str) -> Response:
    """Return the price list as it is, or as it was at a version."""
    key = _property_id(property_id)
    with collecting() as errors:
        fields = query_fields(errors, numbers=("version",))
        version = fields.whole("version")
        fields.close()
    book = services.retry(lambda: services.prices.quoter(key, version).book)
    return answer(_body(book))


def put(services: WebServices, property_id: str) -> Response:
    """Put a price list in place of the one whose version it names; without a version there must be none yet."""
    key = _property_id(property_id)
    body = parse_json(request.get_data(cache=False), request.content_type or "")
    with collecting() as errors:
        based_on = Fields(body, errors).whole("version")
    book = book_from_json(
        {name: value for name, value in body.items() if name != "version"},
        property_id=key,
        unit_type=_unit_type_id,
    )
    command = SetPrices(
        **services.asking,
        book=book,
        based_on=based_on,
    )
    stored = services.retry(lambda: set_prices(command, uow=services.uow))
    return answer(_body(stored), status=201 if based_on is None else 200)


def _body(book: PriceBook) -> dict[str, Json]:
    return {**book_to_json(book), "version": book.version}


def _property_id(text: str) -> PropertyId:
    return PropertyId(parse_id(text, field="property_id"))


def _unit_type_id(text: str) -> UnitTypeId:
    return UnitTypeId(parse_id(text, field="unit_type"))


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=show,
        permission=Permission.READ_PRICES,
        summary="Read a price list",
        is_versioned=True,
    ),
    Route(
        method="PUT",
        path=ADDRESS,
        view=put,
        permission=Permission.WRITE_PRICES,
        summary="Replace a price list",
        is_versioned=True,
    ),
)
