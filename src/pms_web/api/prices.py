"""``/api/v1/properties/{id}/prices``: a property's price list as one document.

Owns addresses, and that ``version`` says which list a change was made from; the document is the core's written form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from attrs import frozen
from flask import Response

from pms_web.examples import UNIT_TYPE
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pms_web.structuring import structured
from pms_web.wire import Document, Says
from pmscore.access.model.permissions import Permission
from pmscore.kernel.events import Json
from pmscore.kernel.ids import PropertyId, UnitTypeId, parse_id
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.written.book import FORMAT, book_from_json, book_to_json
from pmscore.pricing.use_cases.prices import SetPrices, set_prices

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/properties/<property_id>/prices"

_PARTS: Json = {"type": "array", "items": {"type": "object"}}
_WORDS: Mapping[str, Json] = {
    "type": "object",
    "description": "A price list as one document; each field is described under Reference, Price cases.",
    "required": ["format", "currency"],
    "additionalProperties": False,
    "properties": {
        "format": {"const": FORMAT, "description": "The version of the written form."},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "version": {
            "type": ["integer", "null"],
            "description": "The version of the list that a change was made from; left out for the first one.",
        },
        "seasons": _PARTS,
        "plans": _PARTS,
        "rules": _PARTS,
        "fees": _PARTS,
        "inclusions": _PARTS,
        "taxes": _PARTS,
        "tax_rounding": {"type": "object"},
        "terms": {"type": "object", "additionalProperties": {"type": "object"}},
    },
}
PriceList = Annotated[Mapping[str, Json], Document("PriceList", _WORDS)]


@frozen(kw_only=True)
class PricesQuery:
    """Which version of a price list."""

    version: Annotated[int | None, Says("An earlier version; the present one where it is left out.")] = None


@frozen(kw_only=True)
class _BasedOn:
    version: int | None = None


def show(services: WebServices, property_id: str, query: PricesQuery) -> Response:
    """Return the price list as it is, or as it was at a version."""
    key = _property_id(property_id)
    book = services.retry(lambda: services.prices.quoter(key, query.version).book)
    return answer(_body(book))


def put(services: WebServices, property_id: str, body: Mapping[str, Json]) -> Response:
    """Put a price list in place of the one whose version it names; without a version there must be none yet."""
    key = _property_id(property_id)
    based_on = structured({"version": body.get("version")}, _BasedOn).version
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
        query=PricesQuery,
        replies={200: PriceList},
        is_versioned=True,
    ),
    Route(
        method="PUT",
        path=ADDRESS,
        view=put,
        permission=Permission.WRITE_PRICES,
        summary="Replace a price list",
        body=PriceList,
        replies={200: PriceList, 201: PriceList},
        is_versioned=True,
        example={
            "format": FORMAT,
            "currency": "EUR",
            "plans": [{"code": "flex", "name": "Flexible", "prices": {UNIT_TYPE: {"default": "100.00"}}}],
        },
    ),
)
