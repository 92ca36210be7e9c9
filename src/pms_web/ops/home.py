"""The start page: what this is, what there is to call, and lines to try it with."""

from __future__ import annotations

import json
from datetime import date, timedelta
from html import escape

from flask import Response, request

from pms_web.limits import Allowance
from pms_web.routing import Route, who_asks
from pms_web.services import Surroundings
from pmscore.inventory.model.house import House
from pmscore.kernel.errors import NotAuthenticatedError, PmsError

__all__ = ["ROUTES"]

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1d2733}"
    "pre{background:#f3f5f7;padding:1rem;overflow-x:auto;border-radius:6px}code{font-size:.92em}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dde3e8}"
    ".note{background:#fff6df;padding:.7rem 1rem;border-radius:6px}"
)


def start_page(here: Surroundings) -> Response:
    """Return the page; it is there without a database too."""
    response = Response(_page(here), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _page(here: Surroundings) -> str:
    address = escape(request.host_url.rstrip("/"))
    try:
        houses = _houses(here)
        table = _table(houses)
    except PmsError:
        houses = ()
        table = (
            '<p>The database does not answer just now; <a href="/health/ready">readiness</a> says why.</p>'
        )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>pms</title>'
        f"<style>{_STYLE}</style><h1>A house on pmscore</h1>"
        f"<p>Version {escape(here.version)}. Everything below is JSON over HTTP; "
        '<a href="/docs">all addresses</a> are described.</p>'
        '<p class="note">Calls need a key: <code>export KEY=$(pms token)</code>, or a session of'
        " <code>POST /api/v1/auth/log-in</code>.</p>"
        f"<h2>Properties</h2>{table}"
        "<h2>Addresses</h2><ul>"
        '<li><a href="/health">/health</a>, <a href="/health/ready">/health/ready</a></li>'
        '<li><a href="/api/v1/properties">/api/v1/properties</a></li>'
        "<li>/api/v1/availability, /api/v1/availability/search, /api/v1/availability/calendar</li>"
        "<li>/api/v1/properties/{id}/prices, /api/v1/quotes, /api/v1/quotes/{id}, /api/v1/quotes/{id}/hold</li>"
        "<li>/api/v1/exchange-rates</li>"
        "<li>/api/v1/bookings, /api/v1/bookings/{id}</li></ul>"
        f"<h2>To try it</h2><pre>{escape(_lines(houses, address))}</pre></html>"
    )


def _houses(here: Surroundings) -> tuple[House, ...] | None:
    """Return the houses of whoever asks by name, None for somebody who has not said who they are.

    Raises:
        PmsError: the database does not answer.
    """
    try:
        principal = who_asks(here)
    except NotAuthenticatedError:
        principal = None
    if principal is None:
        return None
    return tuple(sorted(here.availability(principal).houses(), key=lambda each: each.property.name))


def _table(houses: tuple[House, ...] | None) -> str:
    if houses is None:
        return "<p>Shown to those who say who they are.</p>"
    if not houses:
        return "<p>None yet. <code>pms demo</code> makes a hotel and eight holiday homes.</p>"
    rows = "".join(
        f"<tr><td>{escape(each.property.name)}<td><code>{each.property.property_id}</code>"
        f"<td>{len(each.types)}<td>{each.property.business_date.isoformat()}"
        for each in houses
    )
    return f"<table><tr><th>Name<th>Id<th>Types<th>Business date{rows}</table>"


def _lines(houses: tuple[House, ...] | None, address: str) -> str:
    """Return lines to paste into a shell; with a house they work as they stand."""
    property_id, type_id, arrival, currency = "PROPERTY_ID", "TYPE_ID", date(2027, 3, 1), "EUR"
    if houses:
        house = max(houses, key=lambda each: len(each.types))
        first = min(house.types.values(), key=lambda each: each.name)
        property_id, type_id = str(house.property.property_id), str(first.unit_type_id)
        arrival, currency = house.property.business_date + timedelta(days=90), house.property.currency.code
    departure = arrival + timedelta(days=3)
    body = json.dumps(
        {
            "property_id": property_id,
            "unit_type_id": type_id,
            "arrival": arrival.isoformat(),
            "departure": departure.isoformat(),
            "adults": 2,
            "rate": {"amount": "120.00", "currency": currency},
            "guest": {"name": "Ada Moreira"},
        },
        indent=2,
    )
    asked = json.dumps(
        {
            "property_id": property_id,
            "arrival": arrival.isoformat(),
            "departure": departure.isoformat(),
            "adults": 2,
            "keep": True,
        },
        indent=2,
    )
    query = f"arrival={arrival}&departure={departure}&adults=2"
    curl = 'curl -H "Authorization: Bearer $KEY"'
    return (
        "export KEY=$(pms token)\n\n"
        f"{curl} {address}/api/v1/properties\n\n"
        f"{curl} '{address}/api/v1/availability/search?{query}'\n\n"
        f"{curl} -X POST {address}/api/v1/quotes -H 'Content-Type: application/json' -d '{asked}'\n\n"
        f"{curl} -X POST {address}/api/v1/bookings -H 'Content-Type: application/json' \\\n"
        f"  -H 'Idempotency-Key: my-first-booking' -d '{body}'\n\n"
        f"{curl} -X PATCH {address}/api/v1/bookings/BOOKING_ID -H 'Content-Type: application/json' \\\n"
        '  -d \'{"status": "cancelled"}\''
    )


ROUTES = (
    Route(
        method="GET",
        path="/",
        view=start_page,
        permission=None,
        allowance=Allowance.PUBLIC,
        summary="The start page",
        replies={200: "text/html; charset=utf-8"},
    ),
)
