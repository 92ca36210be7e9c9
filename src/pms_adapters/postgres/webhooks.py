"""Webhook endpoints and deliveries on PostgreSQL.

Owns claiming (by lease, few an endpoint) and the rows that wake the worker: whatever makes a message due says so in
the same transaction. Leaves opening secrets to the ``SecretBox``; here they are sealed texts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from attrs import frozen

from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.session import Row, Session, Statement
from pms_adapters.postgres.work_due import due_at
from pms_adapters.postgres.writes import Expectation, WriteSet
from pmscore.kernel.errors import MisuseError, NotFoundError, StaleVersionError
from pmscore.kernel.ids import EventId
from pmscore.webhooks.model.deliveries import Attempt, Delivery, DeliveryId, DeliveryStatus, Outcome
from pmscore.webhooks.model.endpoints import Endpoint, EndpointId, EndpointStatus, SigningSecret
from pmscore.webhooks.ports import DeliveryPage, DeliveryRepository, EndpointRepository

__all__ = ["DUE_KIND", "PostgresDeliveries", "PostgresEndpoints"]

DUE_KIND: Final = "webhooks"
"""The kind of due work that carries messages."""

MOST_AN_ENDPOINT: Final = 3

_ENDPOINTS: LiteralString = """\
SELECT e.endpoint_id, e.url, e.kinds, e.created_at, e.description, e.is_full, e.status, e.reason, e.delivered_at,
       e.version,
       coalesce((SELECT jsonb_agg(jsonb_build_object('secret_id', s.secret_id, 'sealed', s.sealed,
                                                     'created_at', s.created_at, 'retires_at', s.retires_at)
                                  ORDER BY s.created_at DESC, s.secret_id DESC)
                   FROM webhook_secrets s
                  WHERE s.agency_id = e.agency_id AND s.endpoint_id = e.endpoint_id), '[]')
  FROM webhook_endpoints e WHERE e.agency_id = %s"""
_ALL: LiteralString = f"{_ENDPOINTS} ORDER BY e.created_at, e.endpoint_id"
_ONE: LiteralString = f"{_ENDPOINTS} AND e.endpoint_id = %s FOR NO KEY UPDATE OF e"
_INSERT: LiteralString = """\
INSERT INTO webhook_endpoints (agency_id, endpoint_id, url, description, kinds, is_full, status, reason, created_at,
                               delivered_at, version)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING 1"""
_UPDATE: LiteralString = """\
UPDATE webhook_endpoints
   SET url = %s, description = %s, kinds = %s, is_full = %s, status = %s, reason = %s, delivered_at = %s, version = %s
 WHERE agency_id = %s AND endpoint_id = %s AND version = %s RETURNING 1"""
_DELETE: LiteralString = "DELETE FROM webhook_endpoints WHERE agency_id = %s AND endpoint_id = %s RETURNING 1"
_KEEP_SECRETS: LiteralString = """\
DELETE FROM webhook_secrets WHERE agency_id = %s AND endpoint_id = %s AND secret_id <> ALL (%s::uuid[])"""
# What is sealed is left alone: a rotation of keys may have sealed it anew meanwhile.
_PUT_SECRETS: LiteralString = """\
INSERT INTO webhook_secrets AS s (agency_id, endpoint_id, secret_id, sealed, created_at, retires_at)
SELECT %s::uuid, %s::uuid, n.secret_id, n.sealed, n.created_at, n.retires_at
  FROM jsonb_to_recordset(%s::jsonb) AS n(secret_id uuid, sealed text, created_at timestamptz, retires_at timestamptz)
ON CONFLICT (agency_id, endpoint_id, secret_id) DO UPDATE SET retires_at = excluded.retires_at"""

_WAKE: LiteralString = "INSERT INTO work_due (agency_id, kind) VALUES (%s, %s)"

_COLUMNS: LiteralString = (
    "d.delivery_id, d.endpoint_id, d.event_id, d.kind, d.body, d.created_at, d.next_at, d.status, d.attempts,"
    " d.counted_from, d.ended_at"
)
_ADD: LiteralString = """\
INSERT INTO webhook_deliveries (agency_id, delivery_id, endpoint_id, event_id, kind, body, created_at, next_at, status,
                                attempts, counted_from, ended_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (agency_id, endpoint_id, event_id) DO NOTHING"""
_GET: LiteralString = f"SELECT {_COLUMNS} FROM webhook_deliveries d WHERE d.agency_id = %s AND d.delivery_id = %s FOR NO KEY UPDATE"
_CLAIM: LiteralString = f"""\
WITH due AS (
  SELECT d.delivery_id, d.next_at,
         row_number() OVER (PARTITION BY d.endpoint_id ORDER BY d.next_at, d.delivery_id) AS place
    FROM webhook_deliveries d JOIN webhook_endpoints e USING (agency_id, endpoint_id)
   WHERE d.agency_id = %s AND e.status = 'active' AND d.status = 'pending' AND d.next_at <= %s
     AND (d.leased_until IS NULL OR d.leased_until <= %s)
),
chosen AS (
  SELECT d.agency_id, d.delivery_id FROM webhook_deliveries d
   WHERE d.agency_id = %s AND d.status = 'pending' AND (d.leased_until IS NULL OR d.leased_until <= %s)
     AND d.delivery_id = ANY (ARRAY(
           SELECT due.delivery_id FROM due WHERE due.place <= %s ORDER BY due.place, due.next_at LIMIT %s))
   FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE webhook_deliveries d SET lease = %s, leased_until = %s
  FROM chosen WHERE d.agency_id = chosen.agency_id AND d.delivery_id = chosen.delivery_id
RETURNING {_COLUMNS}"""
_RECORD: LiteralString = """\
UPDATE webhook_deliveries
   SET status = %s, attempts = %s, next_at = %s, ended_at = %s, lease = NULL, leased_until = NULL
 WHERE agency_id = %s AND delivery_id = %s AND lease = %s RETURNING 1"""
_ATTEMPT: LiteralString = """\
INSERT INTO webhook_attempts (agency_id, delivery_id, number, at, status, error, duration_ms, answer)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING 1"""
_SAVE: LiteralString = """\
UPDATE webhook_deliveries SET status = %s, next_at = %s, ended_at = %s, counted_from = %s
 WHERE agency_id = %s AND delivery_id = %s AND attempts = %s RETURNING 1"""
_OF_ENDPOINT: LiteralString = (
    "d.agency_id = %s AND d.endpoint_id = %s AND (%s::text IS NULL OR d.status = %s)"
)
_PAGE: LiteralString = (
    f"SELECT {_COLUMNS} FROM webhook_deliveries d WHERE {_OF_ENDPOINT}"
    " ORDER BY d.created_at DESC, d.delivery_id DESC LIMIT %s OFFSET %s"
)
_COUNT: LiteralString = f"SELECT count(*)::int FROM webhook_deliveries d WHERE {_OF_ENDPOINT}"
_EXISTS: LiteralString = "SELECT 1 FROM webhook_endpoints WHERE agency_id = %s AND endpoint_id = %s"
_ATTEMPTS: LiteralString = """\
SELECT number, at, status, error, duration_ms, answer FROM webhook_attempts
 WHERE agency_id = %s AND delivery_id = %s ORDER BY number"""
_PURGE: LiteralString = """\
WITH gone AS (
  DELETE FROM webhook_deliveries
   WHERE agency_id = %s AND delivery_id = ANY (ARRAY(
           SELECT o.delivery_id FROM webhook_deliveries o
            WHERE o.agency_id = %s AND o.status <> 'pending' AND o.ended_at < %s
            ORDER BY o.ended_at LIMIT %s FOR UPDATE SKIP LOCKED))
  RETURNING 1)
SELECT count(*)::int FROM gone"""


@frozen
class _Gathered:
    """Where statements of one transaction go."""

    writes: WriteSet

    def sure(self, statement: Statement, otherwise: Exception) -> None:
        self.writes.aggregates.append(Expectation(statement, 1, otherwise))

    def any(self, statement: Statement) -> None:
        self.writes.aggregates.append(Expectation(statement, None, MisuseError()))


class PostgresEndpoints(EndpointRepository):
    """Endpoints; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._gather = _Gathered(writes)
        self._read: dict[EndpointId, Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        values = (
            self._session.agency_id, endpoint.endpoint_id, endpoint.url, endpoint.description, endpoint.kinds,
            endpoint.is_full, endpoint.status.value, endpoint.reason, endpoint.created_at, endpoint.delivered_at,
            endpoint.version,
        )  # fmt: skip
        self._gather.sure((_INSERT, values), NotFoundError("agency", self._session.agency_id))
        self._put_secrets(endpoint)

    def all(self) -> tuple[Endpoint, ...]:
        rows = self._session.rows(_ALL, self._session.agency_id)
        return tuple(_loaded_endpoint(*row) for row in rows)  # type: ignore[arg-type]

    def get(self, endpoint_id: EndpointId) -> Endpoint:
        rows = self._session.rows(_ONE, self._session.agency_id, endpoint_id)
        if not rows:
            raise NotFoundError("webhook", endpoint_id)
        endpoint = self._read[endpoint_id] = _loaded_endpoint(*rows[0])  # type: ignore[arg-type]
        return endpoint

    def save(self, endpoint: Endpoint) -> None:
        before = self._read.get(endpoint.endpoint_id)
        if before is None:
            raise MisuseError(saved_unread=str(endpoint.endpoint_id))
        keys = (self._session.agency_id, endpoint.endpoint_id)
        values = (
            endpoint.url, endpoint.description, endpoint.kinds, endpoint.is_full, endpoint.status.value,
            endpoint.reason, endpoint.delivered_at, endpoint.version, *keys, before.version,
        )  # fmt: skip
        self._gather.sure((_UPDATE, values), StaleVersionError(endpoint_id=str(endpoint.endpoint_id)))
        if endpoint.secrets != before.secrets:
            self._gather.any((_KEEP_SECRETS, (*keys, tuple(each.secret_id for each in endpoint.secrets))))
            self._put_secrets(endpoint)
        if endpoint.status is EndpointStatus.ACTIVE and before.status is not EndpointStatus.ACTIVE:
            # What was kept for later is due now.
            self._gather.any((_WAKE, (self._session.agency_id, DUE_KIND)))

    def remove(self, endpoint_id: EndpointId) -> None:
        keys = (self._session.agency_id, endpoint_id)
        self._gather.sure((_DELETE, keys), NotFoundError("webhook", endpoint_id))

    def _put_secrets(self, endpoint: Endpoint) -> None:
        rows = [
            {
                "secret_id": each.secret_id,
                "sealed": each.sealed,
                "created_at": each.created_at,
                "retires_at": each.retires_at,
            }
            for each in endpoint.secrets
        ]
        self._gather.any((_PUT_SECRETS, (self._session.agency_id, endpoint.endpoint_id, as_document(rows))))


class PostgresDeliveries(DeliveryRepository):
    """Deliveries; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._gather = _Gathered(writes)

    def add(self, delivery: Delivery) -> None:
        values = (
            self._session.agency_id, delivery.delivery_id, delivery.endpoint_id, delivery.event_id, delivery.kind,
            delivery.body, delivery.created_at, delivery.next_at, delivery.status.value, delivery.attempts,
            delivery.counted_from, delivery.ended_at,
        )  # fmt: skip
        self._gather.any((_ADD, values))
        self._wake(delivery.next_at)

    def get(self, delivery_id: DeliveryId) -> Delivery:
        rows = self._session.rows(_GET, self._session.agency_id, delivery_id)
        if not rows:
            raise NotFoundError("webhook_delivery", delivery_id)
        return _loaded_delivery(*rows[0])  # type: ignore[arg-type]

    def claim(self, *, now: datetime, until: datetime, lease: UUID, most: int) -> tuple[Delivery, ...]:
        agency_id = self._session.agency_id
        rows = self._session.rows(
            _CLAIM, agency_id, now, now, agency_id, now, MOST_AN_ENDPOINT, most, lease, until
        )
        if rows:
            self._wake(until)
        found = tuple(_loaded_delivery(*row) for row in rows)  # type: ignore[arg-type]
        return tuple(sorted(found, key=lambda each: (each.next_at or now, each.delivery_id)))

    def record(self, delivery: Delivery, attempt: Attempt, lease: UUID) -> None:
        keys = (self._session.agency_id, delivery.delivery_id)
        values = (delivery.status.value, delivery.attempts, delivery.next_at, delivery.ended_at, *keys, lease)
        self._gather.sure((_RECORD, values), StaleVersionError(delivery_id=str(delivery.delivery_id)))
        outcome = attempt.outcome
        tried = (
            *keys, attempt.number, attempt.at, outcome.status, outcome.error, outcome.duration_ms, outcome.answer,
        )  # fmt: skip
        self._gather.sure((_ATTEMPT, tried), StaleVersionError(delivery_id=str(delivery.delivery_id)))
        self._wake(delivery.next_at)

    def save(self, delivery: Delivery) -> None:
        values = (
            delivery.status.value, delivery.next_at, delivery.ended_at, delivery.counted_from,
            self._session.agency_id, delivery.delivery_id, delivery.attempts,
        )  # fmt: skip
        self._gather.sure((_SAVE, values), StaleVersionError(delivery_id=str(delivery.delivery_id)))
        self._wake(delivery.next_at)

    def page(
        self, endpoint_id: EndpointId, *, status: DeliveryStatus | None, limit: int, offset: int
    ) -> DeliveryPage:
        wanted = None if status is None else status.value
        of = (self._session.agency_id, endpoint_id, wanted, wanted)
        exists, counted, rows = self._session.read(
            [(_EXISTS, of[:2]), (_COUNT, of), (_PAGE, (*of, limit, offset))]
        )
        if not exists:
            raise NotFoundError("webhook", endpoint_id)
        items = tuple(_loaded_delivery(*row) for row in rows)  # type: ignore[arg-type]
        return DeliveryPage(items=items, total=_count(counted[0]))

    def attempts(self, delivery_id: DeliveryId) -> tuple[Attempt, ...]:
        rows = self._session.rows(_ATTEMPTS, self._session.agency_id, delivery_id)
        return tuple(_loaded_attempt(*row) for row in rows)  # type: ignore[arg-type]

    def purge(self, before: datetime, *, most: int) -> int:
        agency_id = self._session.agency_id
        (row,) = self._session.rows(_PURGE, agency_id, agency_id, before, most)
        return _count(row)

    def _wake(self, at: datetime | None) -> None:
        if at is not None:
            self._gather.any(due_at(self._session.agency_id, DUE_KIND, at))


def _count(row: Row) -> int:
    (count,) = row
    return count if isinstance(count, int) else 0


def _loaded_endpoint(
    endpoint_id: UUID, url: str, kinds: list[str], created_at: datetime, description: str, is_full: bool,  # noqa: FBT001
    status: str, reason: str | None, delivered_at: datetime | None, version: int, secrets: list[dict[str, str]],
) -> Endpoint:  # fmt: skip
    return Endpoint(
        endpoint_id=EndpointId(endpoint_id),
        url=url,
        kinds=tuple(kinds),
        created_at=created_at,
        description=description,
        is_full=is_full,
        status=EndpointStatus(status),
        reason=reason,
        delivered_at=delivered_at,
        version=version,
        secrets=tuple(
            SigningSecret(
                secret_id=UUID(each["secret_id"]),
                sealed=each["sealed"],
                created_at=datetime.fromisoformat(each["created_at"]),
                retires_at=datetime.fromisoformat(each["retires_at"]) if each["retires_at"] else None,
            )
            for each in secrets
        ),
    )


def _loaded_delivery(
    delivery_id: UUID, endpoint_id: UUID, event_id: UUID, kind: str, body: str, created_at: datetime,
    next_at: datetime | None, status: str, attempts: int, counted_from: int, ended_at: datetime | None,
) -> Delivery:  # fmt: skip
    return Delivery(
        delivery_id=DeliveryId(delivery_id),
        endpoint_id=EndpointId(endpoint_id),
        event_id=EventId(event_id),
        kind=kind,
        body=body,
        created_at=created_at,
        next_at=next_at,
        status=DeliveryStatus(status),
        attempts=attempts,
        counted_from=counted_from,
        ended_at=ended_at,
    )


def _loaded_attempt(
    number: int, at: datetime, status: int | None, error: str | None, duration_ms: int, answer: str
) -> Attempt:
    outcome = Outcome(status=status, error=error, duration_ms=duration_ms, answer=answer)
    return Attempt(number=number, at=at, outcome=outcome)
