"""What a reservation of Booking.com that makes no sense is known by, and what in it is about cards.

Leaves what makes no sense to ``sales``, and how it is kept to ``http.aside``.
"""

from __future__ import annotations

from typing import Final

from pms_adapters.http.aside import plain, set_aside
from pms_adapters.serialization.xml import Node, written
from pmscore.channels.model.revisions import Malformed

__all__ = ["malformed_of"]

_LONGEST_ID: Final = 64
_OF_CARDS: Final = frozenset(
    {
        "paymentcard",
        "guarantee",
        "guaranteesaccepted",
        "guaranteeaccepted",
        "depositpayments",
        "acceptedpayments",
    }
)
_CARD_VALUES: Final = frozenset({"cardnumber", "seriescode", "expiredate", "cardcode", "cardtype"})


def malformed_of(item: Node, reason: str) -> Malformed:
    """Return a reservation that makes no sense as it is kept."""
    unique = item.child("UniqueID")
    ids = [unique.attr.get("ID", "")] if unique is not None else []
    ids += [each.attr.get("ResID_Value", "") for each in item.walk("HotelReservationID")]
    return set_aside(
        written(plain(item, elements_out=_OF_CARDS, attributes_out=_CARD_VALUES)),
        reason,
        revision_id=next((each for each in ids if each and len(each) <= _LONGEST_ID), ""),
    )
