"""Revisions and issues as rows: from the value to the columns, and back from what a query answers.

Owns the documents in which revisions are kept. Text that nobody here wrote may hold what PostgreSQL cannot
keep; it is replaced by the sign for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.documents import as_document
from pmscore.channels.model.operations import Direction, Operation, OperationStatus, OperationType
from pmscore.channels.model.revisions import (
    Issue,
    IssueKind,
    Link,
    Malformed,
    Revision,
    RevisionStatus,
    SaleKind,
    SoldRoom,
    SoldTo,
    StoredRevision,
    StoredState,
)
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import (
    BatchId,
    BlockId,
    BookingId,
    ConnectionId,
    IssueId,
    LaneId,
    OperationId,
    PropertyId,
)

__all__ = [
    "ISSUE_COLUMNS",
    "LINK_COLUMNS",
    "OPERATION_COLUMNS",
    "REVISION_COLUMNS",
    "loaded_issue",
    "loaded_link",
    "loaded_operation",
    "loaded_revision",
    "nights_of",
    "payload_of",
    "storable",
]

REVISION_COLUMNS: LiteralString = (
    "r.connection_id, r.revision_id, r.state, r.reason, r.payload, r.raw, r.received_at, r.applied_at,"
    " r.acknowledged_at, r.booking_id"
)
LINK_COLUMNS: LiteralString = (
    "connection_id, booking_key, booking_id, block_ids, revision_id, revised_at, is_cancelled, first_night,"
    " end_date, missing_since, version"
)
ISSUE_COLUMNS: LiteralString = (
    "i.issue_id, i.connection_id, i.property_id, i.kind, i.booking_id, i.revision_id, i.details, i.opened_at,"
    " i.closed_at"
)
OPERATION_COLUMNS: LiteralString = (
    "l.log_id, l.connection_id, l.lane_id, l.operation_type, l.direction, l.status, l.details, l.error, l.batch_id,"
    " l.created_at, l.updated_at"
)


def storable(value: Json) -> Json:
    """Return a value without characters that PostgreSQL has no place for."""
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode(errors="replace").decode()
        case Mapping():
            return {str(storable(key)): storable(each) for key, each in value.items()}
        case Sequence():
            return [storable(each) for each in value]
        case _:
            return value


def payload_of(stored: StoredRevision) -> bytes:
    """Return what is kept of a revision, or of a message that is none; but for its raw text."""
    if stored.malformed is not None:
        of = stored.malformed
        return as_document(
            storable({"digest": of.digest, "reason": of.reason, "revision_id": of.revision_id})
        )
    if stored.revision is None:
        raise MisuseError(revision=stored.revision_id)
    return as_document(storable(_document(stored.revision)))


def _document(revision: Revision) -> dict[str, Json]:
    rooms: list[Json] = [
        {
            "room": each.room_code,
            "rate": each.rate_code,
            "arrival": each.stay.arrival.isoformat(),
            "departure": each.stay.departure.isoformat(),
            "adults": each.adults,
            "ages": list(each.child_ages),
            "children": each.children,
            "infants": each.infants,
            "nightly": list(each.nightly),
        }
        for each in revision.rooms
    ]
    guest = revision.guest
    return {
        "revision_id": revision.revision_id,
        "booking_key": revision.booking_key,
        "status": revision.status.value,
        "kind": revision.kind.value,
        "revised_at": revision.revised_at.isoformat(),
        "rooms": rooms,
        "currency": revision.currency,
        "guest": [guest.name, guest.email, guest.phone, guest.country],
        "channel": revision.channel,
        "reference": revision.reference,
        "requests": revision.requests,
        "receipt": dict(revision.receipt),
    }


def loaded_revision(
    connection_id: UUID, revision_id: str, state: str, reason: str, payload: dict[str, object], raw: str | None,
    received_at: datetime, applied_at: datetime | None, acknowledged_at: datetime | None, booking_id: UUID | None,
) -> StoredRevision:  # fmt: skip
    """Return the revision of a row of ``REVISION_COLUMNS``."""
    return StoredRevision(
        revision=_loaded(**payload) if raw is None else None,  # type: ignore[arg-type]
        malformed=None if raw is None else Malformed(raw=raw, **payload),  # type: ignore[arg-type]
        connection_id=ConnectionId(connection_id),
        revision_id=revision_id,
        state=StoredState(state),
        reason=reason,
        received_at=received_at,
        applied_at=applied_at,
        acknowledged_at=acknowledged_at,
        booking_id=None if booking_id is None else BookingId(booking_id),
    )


def _loaded(
    *, revision_id: str, booking_key: str, status: str, kind: str, revised_at: str, rooms: list[dict[str, object]],
    currency: str, channel: str, reference: str, receipt: dict[str, Json], guest: tuple[str, ...] = (),
    requests: str = "",
) -> Revision:  # fmt: skip
    return Revision(
        revision_id=revision_id,
        booking_key=booking_key,
        status=RevisionStatus(status),
        kind=SaleKind(kind),
        revised_at=datetime.fromisoformat(revised_at),
        rooms=tuple(_loaded_room(**each) for each in rooms),  # type: ignore[arg-type]
        currency=currency,
        guest=SoldTo(*guest),
        channel=channel,
        reference=reference,
        requests=requests,
        receipt=receipt,
    )


def _loaded_room(
    *, room: str, rate: str, arrival: str, departure: str, adults: int, ages: list[int], children: int, infants: int,
    nightly: list[int],
) -> SoldRoom:  # fmt: skip
    return SoldRoom(
        room_code=room,
        rate_code=rate,
        stay=StayRange(date.fromisoformat(arrival), date.fromisoformat(departure)),
        adults=adults,
        child_ages=tuple(ages),
        children=children,
        infants=infants,
        nightly=tuple(nightly),
    )


def loaded_link(
    connection_id: UUID, booking_key: str, booking_id: UUID | None, block_ids: list[UUID], revision_id: str,
    revised_at: datetime, is_cancelled: bool, first_night: date | None, end_date: date | None,  # noqa: FBT001
    missing_since: datetime | None, version: int,
) -> Link:  # fmt: skip
    """Return the link of a row of ``LINK_COLUMNS``."""
    return Link(
        connection_id=ConnectionId(connection_id),
        booking_key=booking_key,
        booking_id=None if booking_id is None else BookingId(booking_id),
        block_ids=tuple(BlockId(each) for each in block_ids),
        revision_id=revision_id,
        revised_at=revised_at,
        is_cancelled=is_cancelled,
        nights=nights_of(first_night, end_date),
        missing_since=missing_since,
        version=version,
    )


def nights_of(first_night: date | None, end_date: date | None) -> DateRange | None:
    """Return the nights of two columns that are both empty or both not."""
    return None if first_night is None or end_date is None else DateRange(first_night, end_date)


def loaded_issue(
    issue_id: UUID, connection_id: UUID, property_id: UUID | None, kind: str, booking_id: UUID | None,
    revision_id: str, details: dict[str, Json], opened_at: datetime, closed_at: datetime | None,
) -> Issue:  # fmt: skip
    """Return the issue of a row of ``ISSUE_COLUMNS``."""
    return Issue(
        issue_id=IssueId(issue_id),
        connection_id=ConnectionId(connection_id),
        property_id=None if property_id is None else PropertyId(property_id),
        kind=IssueKind(kind),
        booking_id=None if booking_id is None else BookingId(booking_id),
        revision_id=revision_id,
        details=details,
        opened_at=opened_at,
        closed_at=closed_at,
    )


def loaded_operation(
    log_id: UUID, connection_id: UUID, lane_id: UUID, operation_type: str, direction: str, status: str,
    details: dict[str, Json], error: str | None, batch_id: UUID | None, created_at: datetime,
    updated_at: datetime | None,
) -> Operation:  # fmt: skip
    """Return the operation of a row of ``OPERATION_COLUMNS``."""
    return Operation(
        operation_id=OperationId(log_id),
        connection_id=ConnectionId(connection_id),
        lane_id=LaneId(lane_id),
        operation_type=OperationType(operation_type),
        direction=Direction(direction),
        status=OperationStatus(status),
        details=details,
        error=error,
        batch_id=None if batch_id is None else BatchId(batch_id),
        created_at=created_at,
        updated_at=updated_at,
    )
