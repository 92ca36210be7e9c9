"""Reservations that make no sense, as they are kept for people to look at: without anything about cards.

Owns what is left out. Leaves what makes no sense to ``sales``.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from pms_adapters.serialization.xml import Element, Node, written
from pmscore.channels.model.revisions import Malformed
from pmscore.channels.policies.cards import without_cards

__all__ = ["malformed_of"]

_LONGEST_RAW: Final = 20_000
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
    shown = _shown(item)
    unique = item.child("UniqueID")
    ids = [unique.attr.get("ID", "")] if unique is not None else []
    ids += [each.attr.get("ResID_Value", "") for each in item.walk("HotelReservationID")]
    return Malformed(
        digest=sha256(shown).hexdigest(),
        reason=reason[:200],
        raw=without_cards(shown.decode())[:_LONGEST_RAW],
        revision_id=next((each for each in ids if each and len(each) <= _LONGEST_ID), ""),
    )


def _shown(item: Node) -> bytes:
    try:
        return written(_without_cards(item))
    except ValueError:
        # A name that we would not write is a name that they do not use.
        return b"strange names"


def _without_cards(item: Node) -> Element:
    """Return what was told, but for the elements and attributes that are about cards."""
    return Element(
        item.name,
        {name: value for name, value in item.attr.items() if name.lower() not in _CARD_VALUES},
        item.text,
        tuple(_without_cards(each) for each in item.elements if each.name.lower() not in _OF_CARDS),
    )
