"""The unit of work on PostgreSQL.

Owns how gathered writes become one transaction: a new booking is one statement in one round trip; every
other command locks what it reads, then sends all writes together. A refusal that was decided on a remembered
house is checked against the house as it is before it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import LiteralString, Self

from attrs import field, frozen
from sqlalchemy import Engine

from pms_adapters.postgres.access import (
    PostgresApiKeys,
    PostgresLinks,
    PostgresMemberships,
    PostgresOwnProperties,
    PostgresSessions,
    PostgresUsers,
)
from pms_adapters.postgres.allotments import PostgresAllotments
from pms_adapters.postgres.booking import PostgresAgencies, PostgresBookings
from pms_adapters.postgres.channel_calls import PostgresCalls
from pms_adapters.postgres.channel_cells import PostgresCells
from pms_adapters.postgres.channel_connections import PostgresConnections, PostgresMappings
from pms_adapters.postgres.channel_lanes import PostgresDirt, PostgresLanes
from pms_adapters.postgres.channel_operations import PostgresIssues, PostgresOperations
from pms_adapters.postgres.channel_revisions import PostgresKnocks, PostgresRevisions
from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.errors import KeyTakenError
from pms_adapters.postgres.exchange import PostgresExchangeRateRepository
from pms_adapters.postgres.features import PostgresFeatures
from pms_adapters.postgres.guests import PostgresGuests, figure_statements
from pms_adapters.postgres.houses import HouseMemory, PostgresHouses, PostgresRestrictions
from pms_adapters.postgres.prepared import PreparedStatement
from pms_adapters.postgres.pricing import (
    PostgresPriceBooks,
    PostgresPromotionUses,
    PostgresQuotes,
    QuoterMemory,
)
from pms_adapters.postgres.rows import JsonRow, event_row
from pms_adapters.postgres.session import Session, Statement, UnmetError, guarded, house_lock
from pms_adapters.postgres.statements import (
    BEGIN_SHARED,
    CREATE_BOOKINGS,
    TAKEN_TYPE_NIGHTS,
    TAKEN_UNIT_NIGHTS,
)
from pms_adapters.postgres.stock import PostgresBlocks, PostgresHolds, PostgresStock
from pms_adapters.postgres.trail import PostgresEventReader
from pms_adapters.postgres.webhooks import PostgresDeliveries, PostgresEndpoints
from pms_adapters.postgres.writes import Expectation, WriteSet
from pmscore.kernel.errors import (
    DomainError,
    KeyReusedError,
    MisuseError,
    NightsTakenError,
    RequestInProgressError,
    StaleHouseError,
    UnreachableError,
    Violation,
)
from pmscore.kernel.events import Command, Event, Json
from pmscore.kernel.ids import PropertyId
from pmscore.kernel.ports import Clock, IdSource

__all__ = ["PostgresUnitOfWork", "PostgresWork", "ProcessMemory"]

_BEGIN_SQL = BEGIN_SHARED.encode()
_CREATE_SQL = CREATE_BOOKINGS.encode()
_SHARE_HOUSE: LiteralString = "SELECT pg_advisory_xact_lock_shared(%s)"
_IS_VERSION: LiteralString = (
    "SELECT 1 FROM properties WHERE agency_id = %s AND property_id = %s AND version = %s"
)
_REPLY: LiteralString = (
    "SELECT fingerprint, reply FROM idempotency_keys"
    " WHERE agency_id = %s AND actor_id = %s AND route = %s AND key = %s"
)


@frozen
class ProcessMemory:
    """What the transactions of one process have read and may read again."""

    houses: HouseMemory = field(factory=HouseMemory)
    quoters: QuoterMemory = field(factory=QuoterMemory)


class PostgresUnitOfWork:
    """Opens transactions on a pool of connections; satisfies the unit of work of every context."""

    def __init__(
        self, engine: Engine, *, clock: Clock, ids: IdSource, quoters: QuoterMemory | None = None
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self._memory = ProcessMemory(quoters=quoters or QuoterMemory())

    def begin(self, command: Command) -> PostgresWork:
        """Open a transaction for the command's agency."""
        session = Session(self._engine, command.agency_id, command.property_ids)
        return PostgresWork(session, command, self._memory, clock=self._clock, ids=self._ids)


def _explained(session: Session, wanted: list[JsonRow]) -> NightsTakenError:
    """Return the conflict with the nights that are taken, read after the failed transaction."""
    session.abandon()
    claims = as_document(wanted)
    units, types = session.run(
        [
            (TAKEN_UNIT_NIGHTS, (claims, session.agency_id)),
            (TAKEN_TYPE_NIGHTS, (claims, session.agency_id)),
        ]
    )
    found = [Violation("unit_taken", row[0], str(row[1]), "unit") for row in units]  # type: ignore[arg-type]
    found += [Violation("type_full", row[0], str(row[1]), "type") for row in types]  # type: ignore[arg-type]
    return NightsTakenError(tuple(found))


class PostgresWork:
    """One transaction; see the ports for what its repositories promise."""

    def __init__(
        self, session: Session, command: Command, memory: ProcessMemory, *, clock: Clock, ids: IdSource
    ) -> None:
        self._session = session
        self._command = command
        self._clock = clock
        self._ids = ids
        self._writes = WriteSet()
        self.is_committed = False
        self.agency_id = command.agency_id
        self.agencies = PostgresAgencies(session, self._writes)
        self.houses = PostgresHouses(session, self._writes, memory.houses)
        self.restrictions = PostgresRestrictions(session, self._writes, self.houses)
        self.stock = PostgresStock(session, self._writes)
        self.holds = PostgresHolds(session, self._writes)
        self.blocks = PostgresBlocks(session, self._writes)
        self.allotments = PostgresAllotments(session, self._writes)
        self.guests = PostgresGuests(session, self._writes)
        self.bookings = PostgresBookings(session, self._writes)
        self.prices = PostgresPriceBooks(session, self._writes, clock)
        self.quotes = PostgresQuotes(session, self._writes, memory.quoters)
        self.promotions = PostgresPromotionUses(session, self._writes)
        self.exchange_rates = PostgresExchangeRateRepository(session)
        self.users = PostgresUsers(session, self._writes)
        self.memberships = PostgresMemberships(session, self._writes)
        self.api_keys = PostgresApiKeys(session, self._writes)
        self.sessions = PostgresSessions(session, self._writes)
        self.links = PostgresLinks(session, self._writes)
        self.own_properties = PostgresOwnProperties(session)

    @cached_property
    def features(self) -> PostgresFeatures:
        return PostgresFeatures(self._session, self._writes)

    @cached_property
    def webhooks(self) -> PostgresEndpoints:
        return PostgresEndpoints(self._session, self._writes)

    @cached_property
    def deliveries(self) -> PostgresDeliveries:
        return PostgresDeliveries(self._session, self._writes)

    @cached_property
    def connections(self) -> PostgresConnections:
        return PostgresConnections(self._session, self._writes)

    @cached_property
    def mappings(self) -> PostgresMappings:
        return PostgresMappings(self._session, self._writes)

    @cached_property
    def lanes(self) -> PostgresLanes:
        return PostgresLanes(self._session, self._writes)

    @cached_property
    def dirty(self) -> PostgresDirt:
        return PostgresDirt(self._session, self._writes)

    @cached_property
    def cells(self) -> PostgresCells:
        return PostgresCells(self._session, self._writes)

    @cached_property
    def calls(self) -> PostgresCalls:
        return PostgresCalls(self._session, self._writes)

    @cached_property
    def revisions(self) -> PostgresRevisions:
        return PostgresRevisions(self._session, self._writes)

    @cached_property
    def operations(self) -> PostgresOperations:
        return PostgresOperations(self._session, self._writes)

    @cached_property
    def knocks(self) -> PostgresKnocks:
        return PostgresKnocks(self._session, self._writes)

    @cached_property
    def issues(self) -> PostgresIssues:
        return PostgresIssues(self._session, self._writes)

    @cached_property
    def events(self) -> PostgresEventReader:
        return PostgresEventReader(self._session)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the transaction; a refusal is made sure of, and explained where nobody tries again."""
        try:
            if isinstance(error, DomainError):
                self._session.abandon()
                self.houses.refuse_if_stale()
            elif isinstance(error, NightsTakenError) and self._writes.is_last_try:
                raise _explained(self._session, self._writes.claims) from error
        finally:
            self._session.close()

    def record(self, *events: Event) -> None:
        """Add events, to be stored in this order."""
        now = self._clock.now()
        for event in events:
            self._writes.events.append(event_row(event, self._command, self._ids.new(), now))

    def require(self, expectation: Expectation) -> None:
        """Send a statement with the writes; unless it touches as many rows as it must, nothing is written."""
        self._writes.aggregates.append(expectation)

    def commit(self) -> None:
        """Send all writes and commit.

        Raises:
            UnreachableError: reason ``outcome_unknown``: the connection broke over a command without a key, so to try
                again could be to do it twice.
        """
        relied_on = self.houses.relied_on
        is_create = self._writes.is_new_bookings_only and len(relied_on) == 1 and not self.houses.locked
        is_keyed = self._command.once is not None
        if not (is_keyed or is_create or self._session.is_open):
            # A connection that was gone before is noticed here, where nothing can have been done.
            self._session.run([])
        try:
            if is_create:
                self._create(*next(iter(relied_on.items())))
            else:
                self._write(relied_on)
        except UnreachableError as error:
            if is_keyed or not self._session.is_lent or error.params.get("reason") != "no_connection":
                raise
            raise UnreachableError(reason="outcome_unknown") from error
        self.is_committed = True

    def commit_once(self, reply: Mapping[str, Json]) -> Mapping[str, Json]:
        """Commit under the command's key, or return the reply that was stored under it."""
        once = self._command.once
        if once is None:
            self.commit()
            return reply
        self._writes.keys.append(
            {
                "actor_id": self._command.actor_id,
                "route": once.route,
                "key": once.key,
                "fingerprint": once.fingerprint,
                "reply": dict(reply),
                "created_at": self._clock.now(),
            }
        )
        try:
            self.commit()
        except KeyTakenError:
            return self._stored_reply()
        return reply

    def find_reply(self) -> Mapping[str, Json] | None:
        """Return the reply that is stored under the command's key, None without one."""
        once = self._command.once
        if once is None:
            return None
        keys = (self.agency_id, self._command.actor_id, once.route, once.key)
        rows = self._session.rows(_REPLY, *keys)
        if not rows:
            return None
        fingerprint, reply = rows[0]
        if fingerprint != once.fingerprint:
            raise KeyReusedError
        if not isinstance(reply, dict):
            raise MisuseError(reply=type(reply).__name__)
        return reply

    def _create(self, property_id: PropertyId, version: int) -> None:
        document = self._writes.document(self.agency_id, property_id=property_id, house_version=version)
        number = house_lock(self.agency_id, property_id)
        if self._session.is_open:
            self._session.abandon()
        answer = self._session.run_whole(
            PreparedStatement(b"share_house", _BEGIN_SQL, (str(self.agency_id).encode(), b"%d" % number)),
            PreparedStatement(b"create_bookings", _CREATE_SQL, (document,)),
        )
        if answer[0][0] == b"0":
            raise self.houses.stale(property_id)

    def _write(self, relied_on: Mapping[PropertyId, int]) -> None:
        send: list[Expectation | Statement] = []
        for property_id, version in sorted(relied_on.items()):
            if property_id not in self.houses.locked:
                keys = (self.agency_id, property_id)
                send.append((_SHARE_HOUSE, (house_lock(*keys),)))
                stale = StaleHouseError(property_id=str(property_id))
                send.append(Expectation((_IS_VERSION, (*keys, version)), 1, stale))
        send.extend(self._writes.statements(self.agency_id))
        send.extend(figure_statements(self.agency_id, self._writes.figures))
        try:
            self._session.commit([_sendable(each) for each in send])
        except UnmetError as unmet:
            asked = send[unmet.index]
            if not isinstance(asked, Expectation):
                raise
            if isinstance(asked.otherwise, StaleHouseError):
                self.houses.forget_all()
            raise asked.otherwise from unmet
        if self.houses.locked:
            self.houses.forget_all()

    def _stored_reply(self) -> Mapping[str, Json]:
        self._session.abandon()
        reply = self.find_reply()
        if reply is None:
            raise RequestInProgressError
        return reply


def _sendable(asked: Expectation | Statement) -> Statement:
    if not isinstance(asked, Expectation):
        return asked
    return asked.statement if asked.rows is None else guarded(asked.statement, asked.rows)
