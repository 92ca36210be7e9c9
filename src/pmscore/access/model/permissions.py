"""The one permission table: which role may do what.

Owns roles, permissions and the table; code, documents and the test of every route are made from it. Leaves
how somebody proves who they are to the host app. A new permission is one line here and one in the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["PERMISSIONS", "Permission", "Role", "permits"]


class Role(StrEnum):
    """What somebody is in an agency; ``guest`` is everybody who has not logged in."""

    ADMIN = "admin"
    MANAGER = "manager"
    STAFF = "staff"
    OWNER = "owner"
    ACCOUNTANT = "accountant"
    GUEST = "guest"


class Permission(StrEnum):
    """One thing that may be allowed; named after what is touched and how."""

    READ_PROPERTIES = "properties.read"
    WRITE_PROPERTIES = "properties.write"
    READ_STOCK = "stock.read"
    BLOCK_UNITS = "stock.block"
    HOLD_NIGHTS = "stock.hold"
    READ_RESTRICTIONS = "restrictions.read"
    WRITE_RESTRICTIONS = "restrictions.write"
    READ_PRICES = "prices.read"
    WRITE_PRICES = "prices.write"
    MAKE_QUOTES = "quotes.make"
    READ_BOOKINGS = "bookings.read"
    WRITE_BOOKINGS = "bookings.write"
    READ_GUESTS = "guests.read"
    WRITE_GUESTS = "guests.write"
    READ_EVENTS = "events.read"
    WRITE_WEBHOOKS = "webhooks.write"
    READ_CHANNELS = "channels.read"
    WRITE_CHANNELS = "channels.write"
    PURGE_CHANNELS = "channels.purge"
    MANAGE_USERS = "users.manage"
    MANAGE_KEYS = "keys.manage"
    MANAGE_AGENCY = "agency.manage"
    OPERATE = "ops.operate"
    READ_PUBLIC = "public.read"


_SELLING = {
    Permission.READ_PROPERTIES,
    Permission.READ_STOCK,
    Permission.HOLD_NIGHTS,
    Permission.BLOCK_UNITS,
    Permission.READ_RESTRICTIONS,
    Permission.READ_PRICES,
    Permission.MAKE_QUOTES,
    Permission.READ_BOOKINGS,
    Permission.WRITE_BOOKINGS,
    Permission.READ_GUESTS,
    Permission.WRITE_GUESTS,
    Permission.READ_PUBLIC,
}
_RUNNING = _SELLING | {
    Permission.WRITE_PROPERTIES,
    Permission.WRITE_RESTRICTIONS,
    Permission.WRITE_PRICES,
    Permission.READ_EVENTS,
    Permission.WRITE_WEBHOOKS,
    Permission.READ_CHANNELS,
    Permission.WRITE_CHANNELS,
}
_LOOKING = {
    Permission.READ_PROPERTIES,
    Permission.READ_STOCK,
    Permission.READ_RESTRICTIONS,
    Permission.READ_PRICES,
    Permission.READ_BOOKINGS,
    Permission.READ_PUBLIC,
}

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.ADMIN: frozenset(Permission),
        Role.MANAGER: frozenset(_RUNNING),
        Role.STAFF: frozenset(_SELLING),
        # An owner keeps their own house free for themselves, and sees who stays when, but no guest's address.
        Role.OWNER: frozenset(_LOOKING | {Permission.BLOCK_UNITS}),
        Role.ACCOUNTANT: frozenset(_LOOKING | {Permission.READ_GUESTS, Permission.READ_EVENTS}),
        Role.GUEST: frozenset({Permission.READ_PUBLIC}),
    }
)


def permits(role: Role, permission: Permission) -> bool:
    """Return whether somebody in ``role`` may do what ``permission`` names."""
    return permission in PERMISSIONS[role]
