"""A whole store in memory: every port of the core, with nothing but the standard library.

Owns transactions: what they buffer is written at the commit, all or nothing, and undone where they are left
without one. It judges claims exactly as a database does, is safe to share between threads, and passes the
laws of :mod:`pmscore.testing.laws`. Leaves stock to ``ledger``, events to ``journal``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property

from pmscore.kernel.errors import InvalidInputError, KeyReusedError, RequestInProgressError
from pmscore.kernel.events import Command, Event, Json, OnceKey
from pmscore.kernel.ids import AgencyId
from pmscore.testing.access_repositories import (
    InMemoryAccessReader,
    InMemoryApiKeys,
    InMemoryLinks,
    InMemoryMemberships,
    InMemoryOwnProperties,
    InMemorySessions,
    InMemoryUsers,
)
from pmscore.testing.accounts import Accounts
from pmscore.testing.audit import broken_invariants
from pmscore.testing.booking_repositories import InMemoryBookings, InMemoryGuests
from pmscore.testing.books import Books, OnceName
from pmscore.testing.channel_inbound_repositories import InMemoryIssues, InMemoryKnocks, InMemoryRevisions
from pmscore.testing.channel_lanes import InMemoryDirt, InMemoryLanes
from pmscore.testing.channel_operation_repositories import InMemoryOperations
from pmscore.testing.channel_repositories import (
    InMemoryCalls,
    InMemoryCells,
    InMemoryConnections,
    InMemoryMappings,
)
from pmscore.testing.clocks import CountingIds, FixedClock, InMemoryQueue, MovableClock, SeededIds
from pmscore.testing.exchange_rates import InMemoryExchangeRateRepository, InMemoryExchangeRates
from pmscore.testing.features import InMemoryFeatures
from pmscore.testing.journal import Journal, LoggedEvent, Position
from pmscore.testing.locks import LockTable
from pmscore.testing.price_repositories import (
    InMemoryPriceBooks,
    InMemoryPrices,
    InMemoryPromotionUses,
    InMemoryQuotes,
)
from pmscore.testing.readers import InMemoryAvailability
from pmscore.testing.repositories import (
    InMemoryAgencies,
    InMemoryAllotments,
    InMemoryBlocks,
    InMemoryHolds,
    InMemoryHouses,
    InMemoryRestrictions,
    InMemoryStock,
)
from pmscore.testing.trail import InMemoryEvents
from pmscore.testing.transaction import Transaction
from pmscore.testing.webhook_repositories import InMemoryDeliveries, InMemoryEndpoints

__all__ = [
    "CountingIds",
    "FixedClock",
    "InMemoryQueue",
    "InMemoryStore",
    "InMemoryWork",
    "MovableClock",
    "SeededIds",
]

LOCK_TIMEOUT = timedelta(seconds=2)


class InMemoryStore:
    """The unit of work over everything in memory; hand it to any use case as ``uow``.

    ``lock_timeout`` is how long a transaction waits for one that has what it wants.
    """

    def __init__(self, *, lock_timeout: timedelta = LOCK_TIMEOUT) -> None:
        self._locks = LockTable(lock_timeout)
        self._journal = Journal()
        self._books: dict[AgencyId, Books] = {}
        self._slugs: dict[str, AgencyId] = {}
        self._accounts = Accounts()
        self._before_visible: Callable[[], None] | None = None

    @contextmanager
    def begin(self, command: Command) -> Generator[InMemoryWork]:
        """Open a transaction that sees and writes the command's agency only."""
        with self._locks.mutex:
            books = self.books(command.agency_id)
            transaction = Transaction(self._journal.begin(), command, books, self._locks)
        try:
            yield self._work(transaction)
        finally:
            self._end(transaction)

    def events_after(
        self, position: Position = (0, 0), agency_id: AgencyId | None = None
    ) -> tuple[LoggedEvent, ...]:
        """Return the events of one agency (None: of all) behind ``position``; who keeps on reading loses none."""
        with self._locks.mutex:
            found = self._journal.after(position)
        return found if agency_id is None else tuple(each for each in found if each.agency_id == agency_id)

    def logged(self, agency_id: AgencyId) -> tuple[LoggedEvent, ...]:
        """Return every visible event of one agency in order."""
        with self._locks.mutex:
            return self._journal.of_agency(agency_id)

    def events_after_sequence(self, sequence: int = 0) -> tuple[LoggedEvent, ...]:
        """Return the events above a sequence number; a reader that keeps on may lose some."""
        with self._locks.mutex:
            return self._journal.after_sequence(sequence)

    def violated_invariants(self) -> tuple[str, ...]:
        """Recompute every counter, owner and guest figure of every agency; empty where all agree."""
        with self._locks.mutex:
            return tuple(
                f"agency {agency_id}: {each}"
                for agency_id, books in self._books.items()
                for each in broken_invariants(books)
            )

    @contextmanager
    def before_visible(self, hook: Callable[[], None]) -> Generator[None]:
        """Within the block, call ``hook`` in the next commit: its events are numbered, nobody sees them yet."""
        self._before_visible = hook
        try:
            yield
        finally:
            self._before_visible = None

    def availability(self, agency_id: AgencyId) -> InMemoryAvailability:
        """Return the reader of one agency's availability."""
        return InMemoryAvailability(self.books(agency_id), self._locks)

    def prices(self, agency_id: AgencyId) -> InMemoryPrices:
        """Return the reader of one agency's prices."""
        return InMemoryPrices(self.books(agency_id), self._locks)

    def exchange_rates(self, agency_id: AgencyId) -> InMemoryExchangeRates:
        """Return the reader of one agency's exchange rates."""
        return InMemoryExchangeRates(self.books(agency_id), self._locks)

    def access(self) -> InMemoryAccessReader:
        """Return the reader of accounts, sessions and keys."""
        return InMemoryAccessReader(
            self._accounts, self._slugs, lambda agency_id: self.books(agency_id).agency, self._locks
        )

    def books(self, agency_id: AgencyId) -> Books:
        """Return the committed state of an agency, to look at in tests."""
        found = self._books.get(agency_id)
        return self._books.setdefault(agency_id, Books()) if found is None else found

    def commit(
        self, transaction: Transaction, once: tuple[OnceName, OnceKey, Mapping[str, Json]] | None
    ) -> None:
        """Write what ``transaction`` has buffered, and the reply under its key."""
        transaction.check_open()
        with self._locks.mutex:
            events = self._journal.numbered(
                transaction.number, transaction.command, tuple(transaction.events)
            )
        hook, self._before_visible = self._before_visible, None
        if hook is not None:
            hook()
        with self._locks.mutex:
            slugs = {each.slug: each.agency_id for each in transaction.changes.agencies}
            if slugs.keys() & self._slugs.keys():
                raise InvalidInputError("slug", "taken")
            self._accounts.check(transaction.changes.access)
            self.write(transaction)
            self._accounts.put(transaction.changes.access)
            self._slugs.update(slugs)
            if once is not None:
                name, key, reply = once
                transaction.books.replies[name] = (key.fingerprint, reply)
            self._journal.append(events)
        self._end(transaction)

    def write(self, transaction: Transaction) -> None:
        """Judge and write; the mutex is held."""
        transaction.books.write(transaction.changes)

    def _work(self, transaction: Transaction) -> InMemoryWork:
        return InMemoryWork(self, transaction, self._slugs, self._accounts)

    def _end(self, transaction: Transaction) -> None:
        with self._locks.mutex:
            transaction.is_over = True
            self._journal.end(transaction.number)
            self._locks.release_all(transaction.number)


class InMemoryWork:
    """One transaction; fulfils the ``Work`` protocol of every context.

    A repository is opened when it is first asked for: most transactions touch three of thirty.
    """

    agencies = cached_property(lambda work: InMemoryAgencies(work.transaction, work.slugs))
    houses = cached_property(lambda work: InMemoryHouses(work.transaction))
    stock = cached_property(lambda work: InMemoryStock(work.transaction))
    holds = cached_property(lambda work: InMemoryHolds(work.transaction))
    blocks = cached_property(lambda work: InMemoryBlocks(work.transaction))
    allotments = cached_property(lambda work: InMemoryAllotments(work.transaction))
    guests = cached_property(lambda work: InMemoryGuests(work.transaction))
    restrictions = cached_property(lambda work: InMemoryRestrictions(work.transaction))
    bookings = cached_property(lambda work: InMemoryBookings(work.transaction))
    prices = cached_property(lambda work: InMemoryPriceBooks(work.transaction))
    quotes = cached_property(lambda work: InMemoryQuotes(work.transaction))
    promotions = cached_property(lambda work: InMemoryPromotionUses(work.transaction))
    users = cached_property(lambda work: InMemoryUsers(work.transaction, work.accounts))
    memberships = cached_property(lambda work: InMemoryMemberships(work.transaction, work.accounts))
    api_keys = cached_property(lambda work: InMemoryApiKeys(work.transaction, work.accounts))
    sessions = cached_property(lambda work: InMemorySessions(work.transaction, work.accounts))
    links = cached_property(lambda work: InMemoryLinks(work.transaction, work.accounts))
    own_properties = cached_property(lambda work: InMemoryOwnProperties(work.transaction))
    exchange_rates = cached_property(lambda work: InMemoryExchangeRateRepository(work.transaction))
    features = cached_property(lambda work: InMemoryFeatures(work.transaction))
    webhooks = cached_property(lambda work: InMemoryEndpoints(work.transaction))
    deliveries = cached_property(lambda work: InMemoryDeliveries(work.transaction))
    connections = cached_property(lambda work: InMemoryConnections(work.transaction))
    mappings = cached_property(lambda work: InMemoryMappings(work.transaction))
    lanes = cached_property(lambda work: InMemoryLanes(work.transaction))
    dirty = cached_property(lambda work: InMemoryDirt(work.transaction))
    cells = cached_property(lambda work: InMemoryCells(work.transaction))
    calls = cached_property(lambda work: InMemoryCalls(work.transaction))
    revisions = cached_property(lambda work: InMemoryRevisions(work.transaction))
    operations = cached_property(lambda work: InMemoryOperations(work.transaction))
    knocks = cached_property(lambda work: InMemoryKnocks(work.transaction))
    issues = cached_property(lambda work: InMemoryIssues(work.transaction))
    events = cached_property(lambda work: InMemoryEvents(work.transaction, work.logged))

    def __init__(
        self,
        store: InMemoryStore,
        transaction: Transaction,
        slugs: Mapping[str, AgencyId],
        accounts: Accounts,
    ) -> None:
        self._store = store
        self.transaction = transaction
        self.slugs = slugs
        self.accounts = accounts

    def logged(self) -> tuple[LoggedEvent, ...]:
        """Return every visible event of the agency in order."""
        return self._store.logged(self.transaction.command.agency_id)

    def record(self, *events: Event) -> None:
        """Add events to what the commit stores."""
        self.transaction.check_open()
        self.transaction.events.extend(events)

    def commit(self) -> None:
        """Write everything, all or nothing."""
        self._store.commit(self.transaction, None)

    def commit_once(self, reply: Mapping[str, Json]) -> Mapping[str, Json]:
        """Commit under the command's key, or return the reply that is stored under it."""
        transaction = self.transaction
        transaction.check_open()
        key = transaction.command.once
        if key is None:
            self.commit()
            return reply
        name = self._once_name(key)
        if not transaction.locks.acquire((transaction.command.agency_id, "once", name), transaction.number):
            raise RequestInProgressError(route=key.route)
        first_reply = self.find_reply()
        if first_reply is None:
            self._store.commit(transaction, (name, key, reply))
            return reply
        transaction.is_over = True
        return first_reply

    def find_reply(self) -> Mapping[str, Json] | None:
        """Return the reply that is stored under the command's key, None without one."""
        key = self.transaction.command.once
        if key is None:
            return None
        stored = self.transaction.books.replies.get(self._once_name(key))
        if stored is None:
            return None
        fingerprint, reply = stored
        if fingerprint != key.fingerprint:
            raise KeyReusedError(route=key.route)
        return reply

    def _once_name(self, key: OnceKey) -> OnceName:
        return key.key, key.route, str(self.transaction.command.actor_id)
