"""Their names for what we say: rules of a night, states of a reservation, kinds of guests, errors that pass.

Owns the tables. Our room and rate codes are their ids of room types and rate plans; the listing is their property.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pmscore.channels.model.revisions import RevisionStatus
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = [
    "ADULT",
    "CHILD",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "INFANT",
    "LENGTHS",
    "NAMESPACE",
    "PASSING",
    "RESTRICTIONS",
    "RULES",
    "STATUSES",
]

NAMESPACE: Final = "http://www.opentravel.org/OTA/2003/05"

CLIENT_ID: Final = "booking_com_client_id"
CLIENT_SECRET: Final = "booking_com_client_secret"  # noqa: S105 - the name of a setting
"""What the settings of the deployment call the two values of a partner's machine account."""

LENGTHS: Final[Mapping[MatrixField, tuple[str, str]]] = {
    MatrixField.MIN_STAY_THROUGH: ("SetMinLOS", "RemoveMinLOS"),
    MatrixField.MAX_STAY_THROUGH: ("SetMaxLOS", "RemoveMaxLOS"),
}
"""How a rule of length, which holds for whoever stays that night, is set and taken back."""

RESTRICTIONS: Final[Mapping[MatrixField, str]] = {
    MatrixField.CLOSED: "",
    MatrixField.CLOSED_TO_ARRIVAL: "Arrival",
    MatrixField.CLOSED_TO_DEPARTURE: "Departure",
}
"""What is opened and closed; without a name it is the rate itself."""

RULES: Final = frozenset({*LENGTHS, *RESTRICTIONS})
"""The fields of a rate plan that are no prices."""

STATUSES: Final[Mapping[str, RevisionStatus]] = {
    "": RevisionStatus.CHANGED,
    "commit": RevisionStatus.CHANGED,
    "modify": RevisionStatus.CHANGED,
    "modified": RevisionStatus.CHANGED,
    "cancel": RevisionStatus.CANCELLED,
    "cancelled": RevisionStatus.CANCELLED,
    "canceled": RevisionStatus.CANCELLED,
}
"""What the queue of changes says, in small letters; in the queue of new ones only a cancellation is told by a word."""

ADULT: Final = "10"
CHILD: Final = "8"
INFANT: Final = "7"

PASSING: Final = frozenset({"187", "191", "366", "447", "448"})
"""Codes of errors (OTA code list ERR) that are the platform's own trouble: the same message may be taken later."""
