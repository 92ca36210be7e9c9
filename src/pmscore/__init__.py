"""A property-management core: dates, availability, prices and bookings as pure functions and values.

The names below are the public surface that most programs need; each lives in its context
(``pmscore.booking``, ``pmscore.inventory`` …), where the rest is found and documented.
"""

from __future__ import annotations

from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.availability.model import StaySearch
from pmscore.availability.use_cases import calendar, search_stays
from pmscore.booking.model.booking import Booking, Source
from pmscore.booking.model.lifecycle import Act, Status
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.amend import AmendBooking, RoomAmendment, amend_booking
from pmscore.booking.use_cases.assign import AssignRoom, assign_room
from pmscore.booking.use_cases.assign_automatically import AssignAutomatically, assign_automatically
from pmscore.booking.use_cases.change_status import ChangeStatus, change_status
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.booking.views import BookingReceipt
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange, DateSet
from pmscore.dates.zones import Zone
from pmscore.guests.model import Guest
from pmscore.guests.use_cases import AddGuest, add_guest
from pmscore.inventory.model.party import Party
from pmscore.inventory.use_cases.blocks import BlockUnit, LiftBlock, block_unit, lift_block
from pmscore.inventory.use_cases.holds import PlaceHold, ReleaseHold, place_hold, release_hold
from pmscore.inventory.use_cases.houses import (
    CreateHouse,
    NewUnitType,
    SetCapacity,
    create_house,
    set_capacity,
)
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import NightsTakenError, PmsError, RefusedError, Violation
from pmscore.kernel.money import Money
from pmscore.restrictions.model.rules import Rule
from pmscore.restrictions.use_cases import SetRestrictions, set_restrictions
from pmscore.webhooks.policies.signing import WebhookRefusedError, verify_webhook

__version__ = "0.1.0"

__all__ = [
    "Act",
    "AddGuest",
    "AmendBooking",
    "AssignAutomatically",
    "AssignRoom",
    "BlockUnit",
    "Booking",
    "BookingReceipt",
    "ChangeStatus",
    "CreateBooking",
    "CreateHouse",
    "Currency",
    "DateRange",
    "DateSet",
    "Guest",
    "LiftBlock",
    "Money",
    "NewUnitType",
    "NightsTakenError",
    "OpenAgency",
    "Party",
    "PlaceHold",
    "PmsError",
    "RefusedError",
    "ReleaseHold",
    "RoomAmendment",
    "RoomRequest",
    "Rule",
    "SetCapacity",
    "SetRestrictions",
    "Source",
    "Status",
    "StayRange",
    "StaySearch",
    "Violation",
    "WebhookRefusedError",
    "Zone",
    "add_guest",
    "amend_booking",
    "assign_automatically",
    "assign_room",
    "block_unit",
    "calendar",
    "change_status",
    "create_booking",
    "create_house",
    "lift_block",
    "open_agency",
    "place_hold",
    "release_hold",
    "search_stays",
    "set_capacity",
    "set_restrictions",
    "verify_webhook",
]
