"""The seals over an agency's events: a chain of hashes in the order in which readers see them.

Owns the bytes of an event, the chain and its checking. A seal covers at most a thousand events and stores, beside
the head of the chain, the first bytes of each event's own digest, so that a broken chain can be told apart to the
entry. Whoever rewrites events and seals alike is found only by a head that was kept elsewhere: see ``daily head`` in
``docs/algorithms/events.md``. The transaction number is not part of the bytes, since a restored database has others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import LiteralString

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.postgres.events import BEGINNING, Position, StoredEvent, read_finished
from pms_adapters.postgres.session import Session
from pmscore.kernel.ids import AgencyId

__all__ = [
    "DIGEST_BYTES",
    "MOST_ENTRIES",
    "Seal",
    "canonical_bytes",
    "chained",
    "find_last_seal",
    "genesis",
    "seal_next",
]

MOST_ENTRIES = 1000
DIGEST_BYTES = 8

_LAST: LiteralString = """\
SELECT number, txid, seq, total, hash, sealed_at FROM audit_seals WHERE agency_id = %s ORDER BY number DESC LIMIT 1"""
_ADD: LiteralString = """\
INSERT INTO audit_seals (agency_id, number, txid, seq, entries, total, digests, hash, sealed_at)
VALUES (%s, %s, %s, %s, %s, %s, decode(%s, 'hex'), decode(%s, 'hex'), now())
ON CONFLICT DO NOTHING"""


@frozen(kw_only=True)
class Seal:
    """The head of an agency's chain: so many events up to ``position``, and their hash."""

    number: int
    position: Position
    total: int
    hash: bytes
    sealed_at: datetime


def genesis(agency_id: AgencyId) -> bytes:
    """Return the hash before the first event, so that no two agencies have the same chain."""
    return sha256(b"pmscore audit " + agency_id.bytes).digest()


def canonical_bytes(agency_id: AgencyId, event: StoredEvent) -> bytes:
    """Return the bytes of an event: JSON with sorted names, no spaces, instants in UTC to the microsecond."""
    document = {
        "agency_id": str(agency_id),
        "event_id": str(event.event_id),
        "kind": event.kind,
        "aggregate": event.aggregate,
        "aggregate_id": str(event.aggregate_id),
        "version": event.version,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor_id": str(event.actor_id),
        "request_id": str(event.request_id),
        "payload": event.payload,
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def chained(before: bytes, digest: bytes) -> bytes:
    """Return the hash after one more event."""
    return sha256(before + digest).digest()


def find_last_seal(engine: Engine, agency_id: AgencyId) -> Seal | None:
    """Return the newest seal of the agency, None before the first.

    Raises:
        UnreachableError: the database did not answer.
    """
    with Session(engine, agency_id) as session:
        rows = session.read([(_LAST, (agency_id,))])[0]
    if not rows:
        return None
    number, txid, seq, total, head, sealed_at = rows[0]
    return Seal(
        number=number,  # type: ignore[arg-type]
        position=Position(txid, seq),  # type: ignore[arg-type]
        total=total,  # type: ignore[arg-type]
        hash=bytes(head),  # type: ignore[call-overload]
        sealed_at=sealed_at,  # type: ignore[arg-type]
    )


def seal_next(engine: Engine, agency_id: AgencyId, *, horizon: int, most: int = MOST_ENTRIES) -> int:
    """Seal the events after the last seal whose transactions are below ``horizon``; return how many.

    Two that seal at once write the same seal, and the second write changes nothing.

    Raises:
        UnreachableError: the database did not answer.
    """
    last = find_last_seal(engine, agency_id)
    after = BEGINNING if last is None else last.position
    events = read_finished(engine, agency_id, after=after, horizon=horizon, limit=most)
    if not events:
        return 0
    head = genesis(agency_id) if last is None else last.hash
    digests = b""
    for digest in _digests(agency_id, events):
        head = chained(head, digest)
        digests += digest[:DIGEST_BYTES]
    end = events[-1].position
    number = 1 if last is None else last.number + 1
    total = len(events) + (0 if last is None else last.total)
    values = (agency_id, number, end.transaction, end.sequence, len(events), total, digests.hex(), head.hex())
    with Session(engine, agency_id) as session:
        session.commit([(_ADD, values)])
    return len(events)


def _digests(agency_id: AgencyId, events: tuple[StoredEvent, ...]) -> Iterator[bytes]:
    return (sha256(canonical_bytes(agency_id, event)).digest() for event in events)
