"""Typed identifiers of every aggregate.

Owns the names by which contexts refer to each other without importing each other's models. Leaves the
making of ids to the :class:`~pmscore.kernel.ports.IdSource` port.
"""

from __future__ import annotations

from typing import NewType
from uuid import UUID

from pmscore.kernel.errors import InvalidInputError

AgencyId = NewType("AgencyId", UUID)
ActorId = NewType("ActorId", UUID)
RequestId = NewType("RequestId", UUID)
EventId = NewType("EventId", UUID)
PropertyId = NewType("PropertyId", UUID)
UnitTypeId = NewType("UnitTypeId", UUID)
UnitId = NewType("UnitId", UUID)
BlockId = NewType("BlockId", UUID)
HoldId = NewType("HoldId", UUID)
GuestId = NewType("GuestId", UUID)
BookingId = NewType("BookingId", UUID)
BookingRoomId = NewType("BookingRoomId", UUID)
QuoteId = NewType("QuoteId", UUID)
UserId = NewType("UserId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
ConnectionId = NewType("ConnectionId", UUID)
MappingId = NewType("MappingId", UUID)
LaneId = NewType("LaneId", UUID)
OperationId = NewType("OperationId", UUID)
BatchId = NewType("BatchId", UUID)
IssueId = NewType("IssueId", UUID)
CallId = NewType("CallId", UUID)
AllotmentId = NewType("AllotmentId", UUID)

__all__ = [
    "ActorId",
    "AgencyId",
    "AllotmentId",
    "ApiKeyId",
    "BatchId",
    "BlockId",
    "BookingId",
    "BookingRoomId",
    "CallId",
    "ConnectionId",
    "EventId",
    "GuestId",
    "HoldId",
    "IssueId",
    "LaneId",
    "MappingId",
    "OperationId",
    "PropertyId",
    "QuoteId",
    "RequestId",
    "UnitId",
    "UnitTypeId",
    "UserId",
    "parse_id",
]


def parse_id(text: str, *, field: str) -> UUID:
    """Return the id written in ``text`` (the canonical 36 characters only).

    Raises:
        InvalidInputError: the text is no canonical UUID; names ``field``.
    """
    try:
        parsed = UUID(text)
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != text.lower():
        raise InvalidInputError(field, "not_an_id", value=text[:64])
    return parsed
