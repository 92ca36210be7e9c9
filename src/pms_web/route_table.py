"""The route table: every address of the app, once.

Routing, authorisation, the OpenAPI document, the pages of documentation and the test of every role on every route are
made from it. A route that is not here does not exist.
"""

from __future__ import annotations

from pms_web.api import (
    auth,
    availability,
    blocks,
    booking_actions,
    booking_previews,
    bookings,
    events,
    exchange_rates,
    features,
    guests,
    holds,
    keys,
    prices,
    properties,
    quotes,
    restrictions,
    unit_types,
    units,
    users,
)
from pms_web.ops import current_commit, docs, env_sanity, health, home, set_password
from pms_web.routing import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    *home.ROUTES,
    *health.ROUTES,
    *current_commit.ROUTES,
    *env_sanity.ROUTES,
    *docs.ROUTES,
    *set_password.ROUTES,
    *auth.ROUTES,
    *users.ROUTES,
    *keys.ROUTES,
    *properties.ROUTES,
    *unit_types.ROUTES,
    *units.ROUTES,
    *prices.ROUTES,
    *exchange_rates.ROUTES,
    *restrictions.ROUTES,
    *availability.ROUTES,
    *blocks.ROUTES,
    *holds.ROUTES,
    *guests.ROUTES,
    *quotes.ROUTES,
    *bookings.ROUTES,
    *booking_actions.ROUTES,
    *booking_previews.ROUTES,
    *events.ROUTES,
    *features.ROUTES,
)
