"""Their names for what we say: kinds of messages with their addresses, rules of a night, lengths of stay, errors.

Owns the tables. Our room and rate codes are their ids of room types and packages, the listing is their hotel. Lengths
of stay come in two manners there as here: looked at on the day of arrival, or on every night.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from attrs import frozen

from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = [
    "LENGTHS",
    "NAMESPACE",
    "PARTNER_KEY",
    "PASSING",
    "RULES",
    "SAYS",
    "SHORTEST",
    "STATUSES",
    "UNLIMITED",
    "MessageKind",
    "Named",
]

NAMESPACE: Final = "http://www.opentravel.org/OTA/2003/05"
PARTNER_KEY: Final = "google_hotels_partner_key"
"""What the setting of the deployment with the key of the partner's account is called."""

SHORTEST: Final = 1
"""Of a shortest stay: no rule, for every stay has one night."""
UNLIMITED: Final = 999
"""Of a longest stay: no rule; no stay of ours is longer, and none that is looked for there is longer than thirty nights."""


class MessageKind(StrEnum):
    """What a message is about."""

    ROOMS = "rooms"
    COUNTS = "inventory"
    RATES = "rates"
    RULES = "availability"


@frozen
class Named:
    """The name of a message without its ending, and where it goes."""

    name: str
    path: str


SAYS: Final[Mapping[MessageKind, Named]] = {
    MessageKind.COUNTS: Named("OTA_HotelInvCountNotif", "ota/hotel_inv_count_notif"),
    MessageKind.RATES: Named("OTA_HotelRateAmountNotif", "ota/hotel_rate_amount_notif"),
    MessageKind.RULES: Named("OTA_HotelAvailNotif", "ota/hotel_avail_notif"),
}

STATUSES: Final[Mapping[MatrixField, str]] = {
    MatrixField.CLOSED: "Master",
    MatrixField.CLOSED_TO_ARRIVAL: "Arrival",
    MatrixField.CLOSED_TO_DEPARTURE: "Departure",
}
LENGTHS: Final[Mapping[MatrixField, str]] = {
    MatrixField.MIN_STAY_ARRIVAL: "SetMinLOS",
    MatrixField.MAX_STAY_ARRIVAL: "SetMaxLOS",
    MatrixField.MIN_STAY_THROUGH: "SetForwardMinStay",
    MatrixField.MAX_STAY_THROUGH: "SetForwardMaxStay",
}
RULES: Final = frozenset({*STATUSES, *LENGTHS})

PASSING: Final = frozenset({"187", "448"})
"""Codes of errors that say nothing about the message: the system is away, or fails (OTA code list ERR)."""
