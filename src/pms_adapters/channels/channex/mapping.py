"""Their names for what we say: fields of a night, states of a booking, the platforms behind the hub.

Owns the tables. Our room and rate codes are their ids of room types and rate plans; the listing is their property.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pmscore.channels.model.manifest import Platform
from pmscore.channels.model.revisions import RevisionStatus
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["AVAILABILITY_NAME", "FLAGS", "MINIMA", "PRICING_NAMES", "STATUSES", "channel_of"]

AVAILABILITY_NAME: Final = "availability"

PRICING_NAMES: Final[Mapping[MatrixField, str]] = {
    MatrixField.RATE: "rate",
    MatrixField.CLOSED: "stop_sell",
    MatrixField.CLOSED_TO_ARRIVAL: "closed_to_arrival",
    MatrixField.CLOSED_TO_DEPARTURE: "closed_to_departure",
    MatrixField.MIN_STAY_ARRIVAL: "min_stay_arrival",
    MatrixField.MIN_STAY_THROUGH: "min_stay_through",
    MatrixField.MAX_STAY_ARRIVAL: "max_stay",
}
"""The fields of a rate plan; ``rate`` is the price of the included guests, ``rates`` has one for each occupancy."""

FLAGS: Final = frozenset({MatrixField.CLOSED, MatrixField.CLOSED_TO_ARRIVAL, MatrixField.CLOSED_TO_DEPARTURE})
MINIMA: Final = frozenset({MatrixField.MIN_STAY_ARRIVAL, MatrixField.MIN_STAY_THROUGH})
"""Their least value is 1, which is no rule; ours is 0."""

STATUSES: Final[Mapping[str, RevisionStatus]] = {
    "new": RevisionStatus.NEW,
    "modified": RevisionStatus.CHANGED,
    "cancelled": RevisionStatus.CANCELLED,
}

_PLATFORMS: Final[Mapping[str, str]] = {
    "airbnb": Platform.AIRBNB.value,
    "bookingcom": Platform.BOOKING_COM.value,
    "expedia": Platform.EXPEDIA.value,
    "fewodirekt": Platform.FEWO_DIREKT.value,
    "homeaway": Platform.FEWO_DIREKT.value,
    "vrbo": Platform.FEWO_DIREKT.value,
    "google": Platform.GOOGLE.value,
    "googlehotelari": Platform.GOOGLE.value,
}
_NOT_A_LETTER: Final = re.compile(r"[^a-z0-9]+")


def channel_of(name: str) -> str:
    """Return the code of the platform that the hub calls ``name``; one that we do not know gets its own code."""
    words = _NOT_A_LETTER.sub(" ", name.lower()).split()
    return _PLATFORMS.get("".join(words), "_".join(words)[:64])
