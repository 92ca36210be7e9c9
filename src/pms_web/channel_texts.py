"""Sentences about what platforms write: why a message of theirs was put aside.

A part of ``texts``, to be read after the name of the field, which is the platform's own name for it.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CHANNEL_FIELD_TEXTS"]

CHANNEL_FIELD_TEXTS: Mapping[str, str] = {
    "missing_or_unfit": "is missing, or is nothing that can stand there; ask the platform what it means",
    "more_than_all": "is more than the whole amount that it is a part of; ask the platform which is right",
    "no_id": "names no booking, so nobody could tell it from others; ask the platform to send it again",
    "not_a_count": "is no whole number of guests or rooms",
    "not_bookings": "is no list of bookings; the platform may be in trouble, and is asked again",
    "not_one_currency": "names no currency, or several; a booking is in one",
    "not_products": "is no list of rooms and rates; the platform may be in trouble, so try again later",
    "not_success": "says neither that it was done nor that it was not; it is sent again",
    "quote_request": "asks what a stay would cost, which is no booking; answer the guest yourself",
    "several": "names several currencies; a booking is in one",
}
