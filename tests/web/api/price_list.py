"""A price list for the hotel of the web tests, and short words for what is asked of it.

An ordinary night in a double is 100.00, at weekends 120.00; a single is 70.00. The saver is a tenth less. With the
code ``spring`` it is a fifth less, with ``autumn`` a tenth; each may be used twice. Cleaning is 25.00 a stay, city tax
2.00 an adult and night.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from werkzeug.test import TestResponse

from web.conftest import Web, day

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def price_list(web: Web, **changes: object) -> dict[str, object]:
    """Return the document; ``changes`` replace whole parts of it."""
    document: dict[str, object] = {
        "format": 1,
        "currency": "EUR",
        "seasons": [{"name": "fair", "nights": [{"from": day(100), "to": day(103)}]}],
        "plans": [
            {
                "code": "flex",
                "name": "Flexible",
                "prices": {
                    web.types["Double"]: {
                        "default": dict.fromkeys(DAYS, "100.00") | {"fri": "120.00", "sat": "120.00"},
                        "seasons": {"fair": "150.00"},
                    },
                    web.types["Single"]: {"default": "70.00"},
                },
                "occupancy": {"extra_adult": "30.00"},
                "terms": "usual",
            },
            {
                "code": "saver",
                "name": "Non-refundable",
                "derivation": {"parent": "flex", "operations": [{"percent": "-10"}]},
            },
        ],
        "rules": [
            {
                "code": "spring-sale",
                "name": "Spring sale",
                "kind": "promotion",
                "value": {"code": "spring", "uses": 2, "change": {"percent": "-20"}},
                "rank": 1,
                "group": "code",
            },
            {
                "code": "autumn-sale",
                "name": "Autumn sale",
                "kind": "promotion",
                "value": {"code": "autumn", "uses": 2, "change": {"percent": "-10"}},
                "rank": 2,
                "group": "code",
            },
        ],
        "fees": [{"code": "cleaning", "name": "Cleaning", "per": "stay", "price": {"amount": "25.00"}}],
        "taxes": [
            {
                "code": "city",
                "name": "City tax",
                "rate": {"amount": "2.00"},
                "per": "person_night",
                "is_city_tax": True,
                "counted": {"ages": {"from": 13, "to": 121}},
            },
            {
                "code": "vat",
                "name": "VAT",
                "rate": {"percent": "6"},
                "on": ["room", "fee"],
                "is_inclusive": True,
            },
        ],
        "terms": {
            "usual": {
                "cancellation": [{"anchor": "arrival_date", "days": -2, "fee": {"percent": "50"}}],
                "no_show": {"percent": "100"},
                "deposit": [{"due": "arrival"}, {"due": "booking", "percent": "30"}],
            }
        },
    }
    return copy.deepcopy(document | changes)


def put_prices(web: Web, document: Mapping[str, object], property_id: str | None = None) -> TestResponse:
    """Send a price list for the hotel."""
    house = property_id or str(web.hotel.property.property_id)
    return web.client.put(f"/api/v1/properties/{house}/prices", json=document)


def get_prices(web: Web, version: int | None = None) -> TestResponse:
    """Ask for the hotel's price list."""
    query = "" if version is None else f"?version={version}"
    return web.client.get(f"/api/v1/properties/{web.hotel.property.property_id}/prices{query}")


def reprice(web: Web, **changes: object) -> dict[str, object]:
    """Put a price list in place of whatever is there; return the one that is stored."""
    before = get_prices(web)
    version = before.get_json()["version"] if before.status_code == 200 else None
    answer = put_prices(web, price_list(web, **changes) | {"version": version})
    assert answer.status_code in (200, 201), answer.text
    return answer.get_json()


def question(web: Web, first: int, nights: int, **changes: object) -> dict[str, object]:
    """Return the body of a request for quotes of a double for two, under the flexible plan."""
    body: dict[str, object] = {
        "property_id": str(web.hotel.property.property_id),
        "arrival": day(first),
        "departure": day(first + nights),
        "adults": 2,
        "unit_type_ids": [web.types["Double"]],
        "plans": ["flex"],
    }
    body.update(changes)
    return {name: value for name, value in body.items() if value is not None}


def ask(web: Web, body: object) -> TestResponse:
    """Ask for quotes."""
    return web.client.post("/api/v1/quotes", json=body)


def kept(web: Web, arrival: int, nights: int, **changes: object) -> dict[str, object]:
    """Ask for quotes, keep them, and return the cheapest."""
    answer = ask(web, question(web, arrival, nights, keep=True, **changes))
    assert answer.status_code == 201, answer.text
    return answer.get_json()["quotes"][0]


def booking_of(quote: Mapping[str, object], **changes: object) -> dict[str, object]:
    """Return the body of a booking of a quote."""
    return {"quote_id": quote["id"], "guest": {"name": "Ada Moreira"}, **changes}
