"""The calendar of a room that a platform fetches from us: its private address, and what it says now.

Owns the token of the addresses, which names its agency and is kept as a digest, and what is read in which
order. Leaves which nights are told to ``views.calendar``, and the text to whoever writes it.
"""

from __future__ import annotations

from attrs import evolve, field, frozen

from pmscore.availability.policies.search import type_counts
from pmscore.channels.model.ari import RowKey
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.mappings import MappedRoom, MappingBook
from pmscore.channels.ports import ChannelMeans, ChannelWork
from pmscore.channels.use_cases.addresses import digest_of, new_token
from pmscore.channels.use_cases.gateways import manifest_of
from pmscore.channels.views.calendar import BusyRange, calendar_of, counts_for_calendar, night_manifest
from pmscore.channels.views.desired import desired
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date
from pmscore.kernel.errors import ConflictError, NotFoundError, StaleVersionError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ConnectionId, PropertyId
from pmscore.kernel.ports import Clock, UnitOfWork
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.restrictions.model.book import RuleBook

__all__ = [
    "EndCalendars",
    "NewCalendars",
    "NoCalendarError",
    "OpenedCalendars",
    "ReadCalendar",
    "end_calendars",
    "new_calendars",
    "read_calendar",
]


class NoCalendarError(ConflictError):
    """The gateway of the connection gives out no calendars: its platform is told everything."""

    code = "no_calendar"
    is_retryable = False


@frozen(kw_only=True)
class NewCalendars(Command):
    """Give the calendars of a connection new addresses; the old ones end."""

    connection_id: ConnectionId


@frozen(kw_only=True)
class EndCalendars(Command):
    """End the addresses of the calendars of a connection; ``version`` refuses to end what was not seen."""

    connection_id: ConnectionId
    version: int | None = None


@frozen(kw_only=True)
class ReadCalendar(Command):
    """Read the calendar of a room by its address."""

    token: str = field(repr=False)
    room_code: str


@frozen(kw_only=True)
class OpenedCalendars:
    """A connection with the token of its calendars, which is shown this once, and the rooms that have one."""

    connection: Connection
    token: Secret
    room_codes: tuple[str, ...]


def new_calendars(
    command: NewCalendars, *, uow: UnitOfWork[ChannelWork], clock: Clock, means: ChannelMeans
) -> OpenedCalendars:
    """Open the calendars of a connection's rooms to whoever knows the token.

    Raises:
        NotFoundError: no such connection within reach.
        NoCalendarError: its gateway gives out none.
        MisconfiguredError: its gateway is not installed.
    """
    token, digest = new_token(command.agency_id, means)
    with uow.begin(command) as work:
        connection = work.connections.get(command.connection_id)
        if not manifest_of(connection, means).exports_calendar:
            raise NoCalendarError(gateway=connection.gateway)
        decision = connection.changed(evolve(connection, calendar_digest=digest), clock.now())
        work.connections.save(decision.state)
        work.record(*decision.events)
        codes = tuple(room.room_code for room in work.mappings.book(command.connection_id).rooms)
        work.commit()
    return OpenedCalendars(connection=decision.state, token=token, room_codes=codes)


def end_calendars(command: EndCalendars, *, uow: UnitOfWork[ChannelWork], clock: Clock) -> None:
    """Close the calendars of a connection to everybody; doing so twice changes nothing.

    Raises:
        NotFoundError: no such connection within reach.
        StaleVersionError: the connection has changed since it was read.
    """
    with uow.begin(command) as work:
        connection = work.connections.get(command.connection_id)
        if command.version not in {None, connection.version}:
            raise StaleVersionError(connection_id=str(command.connection_id))
        decision = connection.changed(evolve(connection, calendar_digest=""), clock.now())
        if decision.events:
            work.connections.save(decision.state)
            work.record(*decision.events)
            work.commit()


def read_calendar(
    command: ReadCalendar, *, uow: UnitOfWork[ChannelWork], clock: Clock, means: ChannelMeans
) -> tuple[BusyRange, ...]:
    """Return what the platform must not sell in a room, from the house's today on, without what it has told us itself.

    Raises:
        NotFoundError: the token opens nothing, the connection does not sync, or no such room is mapped.
        MisconfiguredError: the gateway of the connection is not installed.
    """
    with uow.begin(command) as work:
        connection = work.connections.by_calendar(digest_of(command.token))
        if connection is None or connection.property_id is None or not connection.syncs:
            raise NotFoundError("channel_calendar", None)
        mappings = work.mappings.book(connection.connection_id)
    room = mappings.room(command.room_code)
    if room is None:
        raise NotFoundError("channel_calendar", None)
    return _Reading(command, connection, connection.property_id, mappings, room, uow, clock, means).ranges()


@frozen
class _Reading:
    """One reading of the calendar of a room."""

    command: ReadCalendar
    connection: Connection
    property_id: PropertyId
    mappings: MappingBook
    room: MappedRoom
    uow: UnitOfWork[ChannelWork]
    clock: Clock
    means: ChannelMeans

    def ranges(self) -> tuple[BusyRange, ...]:
        """Return what the calendar says."""
        manifest = night_manifest(manifest_of(self.connection, self.means))
        reader = self.means.availability(self.command.agency_id)
        (house,) = reader.houses([self.property_id])
        unit_type = house.type_of(self.room.unit_type_id)
        now = self.clock.now()
        nights = DateRange.of(local_date(now, house.property.zone), manifest.horizon_days)
        # Before the links: a booking that comes in between must not be told back to whoever has sold it.
        occupied = reader.occupied(self.property_id, nights, now)
        claims = reader.claims_by_kind([unit_type.unit_type_id], nights, now)
        (counts,) = type_counts((unit_type,), nights, claims)
        with self.uow.begin(self.command) as work:
            links = work.revisions.links(self.connection.connection_id)
            book = work.prices.find(self.property_id)
            allotted = work.allotments.of(self.property_id, self.connection.channel)
        key = RowKey(self.room.mapping_id, MatrixField.SELLABLE)
        wanted = desired(
            self.mappings,
            manifest,
            house=house,
            book=book,
            rules=reader.rules([self.property_id]).get(self.property_id, RuleBook()),
            counts=(counts_for_calendar(counts, self.room, occupied, links),),
            nights=nights,
            now=now,
            channel=self.connection.channel,
            keys=(key,),
            allotted=allotted,
        )
        return calendar_of(
            self.room,
            house=house,
            occupied=occupied,
            links=links,
            nights=nights,
            sellable=wanted.rows.row(key),
        )
