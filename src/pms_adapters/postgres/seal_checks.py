"""Checking the seals over the events: is everything that was sealed still there, as it was, and nothing between.

Owns what ``pms verify`` says about the audit log, and the heads that an operator keeps elsewhere. Reads the events in
the order of the log and makes every hash anew; the chain itself is ``seals``'.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import psycopg
from attrs import frozen

from pms_adapters.postgres.events import BEGINNING, Position, StoredEvent, stored_event
from pms_adapters.postgres.seals import DIGEST_BYTES, canonical_bytes, chained, genesis
from pmscore.kernel.ids import AgencyId

__all__ = ["BrokenSeal", "Head", "Tail", "check_heads", "check_seals", "list_heads", "list_tails"]

_Connection = psycopg.Connection[tuple[object, ...]]

_AGENCIES: LiteralString = "SELECT DISTINCT agency_id FROM audit_seals ORDER BY agency_id"
_SEALS: LiteralString = """\
SELECT number, txid, seq, entries, total, digests, hash FROM audit_seals WHERE agency_id = %s ORDER BY number"""
_EVENTS: LiteralString = """\
SELECT txid, seq, event_id, kind, aggregate, aggregate_id, version, at, actor_id, request_id, payload
  FROM events WHERE agency_id = %s AND (txid, seq) > (%s, %s) AND (txid, seq) <= (%s, %s) ORDER BY txid, seq"""
_TAILS: LiteralString = """\
SELECT e.agency_id, count(*), min(e.at)
  FROM events e LEFT JOIN (SELECT DISTINCT ON (agency_id) agency_id, txid, seq
                             FROM audit_seals ORDER BY agency_id, number DESC) AS s USING (agency_id)
 WHERE s.agency_id IS NULL OR (e.txid, e.seq) > (s.txid, s.seq)
 GROUP BY e.agency_id ORDER BY e.agency_id"""
_HEADS: LiteralString = """\
SELECT DISTINCT ON (agency_id) agency_id, number, total, hash, sealed_at
  FROM audit_seals ORDER BY agency_id, number DESC"""
_AT: LiteralString = "SELECT total, hash FROM audit_seals WHERE agency_id = %s AND number = %s"


@frozen(kw_only=True)
class BrokenSeal:
    """The first place at which an agency's log is not what was sealed; ``entry`` counts from its first event."""

    agency_id: AgencyId
    number: int
    entry: int | None
    event_id: UUID | None
    reason: str

    def __str__(self) -> str:
        said = f"agency_id={self.agency_id}, seal={self.number}, {self.reason}"
        if self.entry is not None:
            said += f", entry={self.entry}"
        return said if self.event_id is None else f"{said}, event_id={self.event_id}"


@frozen
class Tail:
    """Events that are not sealed yet, and the instant of the oldest of them."""

    agency_id: AgencyId
    count: int
    since: datetime


@frozen(kw_only=True)
class Head:
    """The head of an agency's chain, to be kept where nobody who can write the database can write."""

    agency_id: AgencyId
    number: int
    entries: int
    hash: str
    sealed_at: str

    def written(self) -> str:
        """Return the head as one line of JSON."""
        return json.dumps(
            {
                "agency_id": str(self.agency_id),
                "seal": self.number,
                "entries": self.entries,
                "hash": self.hash,
                "sealed_at": self.sealed_at,
            }
        )


@frozen
class _Sealed:
    number: int
    end: Position
    entries: int
    total: int
    digests: bytes
    hash: bytes


def check_seals(connection: _Connection) -> Iterator[BrokenSeal]:
    """Yield the first broken entry of each agency that has one, of those that the login sees."""
    for (agency_id,) in connection.execute(_AGENCIES).fetchall():
        broken = _first_broken(connection, AgencyId(agency_id))  # type: ignore[arg-type]
        if broken is not None:
            yield broken


def list_tails(connection: _Connection) -> tuple[Tail, ...]:
    """Return how much of each agency's log is not sealed yet."""
    return tuple(Tail(*row) for row in connection.execute(_TAILS).fetchall())  # type: ignore[arg-type]


def list_heads(connection: _Connection) -> tuple[Head, ...]:
    """Return the newest seal of each agency that the login sees."""
    return tuple(
        Head(
            agency_id=AgencyId(agency_id),  # type: ignore[arg-type]
            number=number,  # type: ignore[arg-type]
            entries=total,  # type: ignore[arg-type]
            hash=bytes(head).hex(),  # type: ignore[call-overload]
            sealed_at=sealed_at.isoformat(),  # type: ignore[attr-defined]
        )
        for agency_id, number, total, head, sealed_at in connection.execute(_HEADS).fetchall()
    )


def check_heads(connection: _Connection, folder: Path) -> Iterator[BrokenSeal]:
    """Yield each head that was kept in ``folder`` and is not in the database as it was kept."""
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            kept: Mapping[str, object] = json.loads(line)
            agency_id, number = AgencyId(UUID(str(kept["agency_id"]))), int(str(kept["seal"]))
            row = connection.execute(_AT, (agency_id, number)).fetchone()
            found = None if row is None else (row[0], bytes(row[1]).hex())  # type: ignore[call-overload]
            if found != (kept["entries"], kept["hash"]):
                yield BrokenSeal(
                    agency_id=agency_id,
                    number=number,
                    entry=None,
                    event_id=None,
                    reason=f"differs from the head kept in {file.name}",
                )


def _first_broken(connection: _Connection, agency_id: AgencyId) -> BrokenSeal | None:
    head, total, start = genesis(agency_id), 0, BEGINNING
    for number, row in enumerate(connection.execute(_SEALS, (agency_id,)).fetchall(), start=1):
        seal = _sealed(*row)  # type: ignore[arg-type]
        if seal.number != number:
            return BrokenSeal(
                agency_id=agency_id, number=number, entry=None, event_id=None, reason="the seal is missing"
            )
        events = _read(connection, agency_id, start, seal.end)
        digests = [sha256(canonical_bytes(agency_id, event)).digest() for event in events]
        for digest in digests:
            head = chained(head, digest)
        if head != seal.hash or len(events) != seal.entries or seal.total != total + seal.entries:
            return _named(agency_id, seal, total, events, digests)
        total, start = seal.total, seal.end
    return None


def _named(
    agency_id: AgencyId, seal: _Sealed, before: int, events: list[StoredEvent], digests: list[bytes]
) -> BrokenSeal:
    """Return which entry of a broken seal is the first that is not as it was sealed."""
    for at in range(max(len(digests), seal.entries)):
        kept = seal.digests[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES]
        if at >= len(digests):
            return _broken(agency_id, seal, before + at + 1, None, "an entry is missing")
        if digests[at][:DIGEST_BYTES] == kept:
            continue
        rest = seal.digests[at * DIGEST_BYTES :]
        if len(digests) < seal.entries and digests[at][:DIGEST_BYTES] in _parts(rest):
            return _broken(agency_id, seal, before + at + 1, None, "an entry is missing")
        if len(digests) > seal.entries and kept in [each[:DIGEST_BYTES] for each in digests[at:]]:
            return _broken(agency_id, seal, before + at + 1, events[at], "an entry was put in between")
        return _broken(agency_id, seal, before + at + 1, events[at], "an entry was changed")
    return _broken(agency_id, seal, None, None, "the seal itself was changed")


def _broken(
    agency_id: AgencyId, seal: _Sealed, entry: int | None, event: StoredEvent | None, reason: str
) -> BrokenSeal:
    event_id = None if event is None else event.event_id
    return BrokenSeal(agency_id=agency_id, number=seal.number, entry=entry, event_id=event_id, reason=reason)


def _parts(digests: bytes) -> set[bytes]:
    return {digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES)}


def _read(connection: _Connection, agency_id: AgencyId, start: Position, end: Position) -> list[StoredEvent]:
    values = (agency_id, start.transaction, start.sequence, end.transaction, end.sequence)
    return list(map(stored_event, connection.execute(_EVENTS, values).fetchall()))


def _sealed(
    number: int, txid: int, seq: int, entries: int, total: int, digests: bytes, head: bytes
) -> _Sealed:
    return _Sealed(number, Position(txid, seq), entries, total, bytes(digests), bytes(head))
