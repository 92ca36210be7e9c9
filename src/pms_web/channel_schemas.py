"""What is sent to channels over HTTP: connections, what is to be synchronised, mappings, filters.

Owns names, shapes and what they must be. Leaves replies to ``channel_views``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Final

from attrs import frozen

from pms_web.field_errors import UnknownChoiceError
from pms_web.paging import PageQuery
from pms_web.wire import CodeText, Document, Entries, Longest, Says, Within, not_null, rule
from pmscore.channels.model.connections import ConnectionStatus
from pmscore.channels.use_cases.mappings import RateWanted, RoomWanted
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import BatchId, ConnectionId, PropertyId, UnitId, UnitTypeId

__all__ = [
    "AvailabilitySyncOrder",
    "BatchesQuery",
    "ConnectionChange",
    "ConnectionsQuery",
    "IssueState",
    "IssuesQuery",
    "LogsQuery",
    "NewConnection",
    "NewConnectionQuery",
    "NewMappings",
    "PurgeOrder",
    "PurgeQuery",
    "SyncOrder",
    "SyncedPlan",
    "chosen",
]

SYNCED_DAYS: Final = 90
"""So far ahead an availability sync reaches where nobody says how far."""

_METADATA: Final = Document(
    "PlatformMetadata",
    {
        "description": "What the gateway has to know besides, such as base_url or environment; never a secret.",
        "type": ["object", "null"],
        "additionalProperties": True,
    },
)
_CREDENTIALS: Final = Document(
    "ChannelCredentials",
    {
        "description": "What the platform lets us in with, by name; the reference of channels has the names of each gateway.",
        "type": ["object", "null"],
        "additionalProperties": {"type": "string"},
    },
)


class IssueState(StrEnum):
    """Whether only what is open is listed."""

    OPEN = "open"
    CLOSED = "closed"
    ANY = "any"


def chosen(kind: type[StrEnum], text: str, field: str) -> str:
    """Return a value of an enumeration.

    Raises:
        UnknownChoiceError: there is no such value; its answer lists those that there are.
    """
    known = [each.value for each in kind]
    if text not in known:
        raise UnknownChoiceError(field=field, choices=", ".join(f"'{each}'" for each in known))
    return text


@frozen(kw_only=True)
class ConnectionsQuery(PageQuery):
    """Which connections."""

    property_id: PropertyId | None = None


@frozen(kw_only=True)
class NewConnectionQuery:
    """Whether the platform is asked first."""

    skip_connection_test: Annotated[bool, Says("Stores the connection without asking the platform.")] = False


@frozen(kw_only=True)
class NewConnection:
    """A property that is to be connected to a platform."""

    property_id: PropertyId
    platform_type: Annotated[str, Says("Such as channex, booking_com, airbnb, expedia, google.")]
    gateway: Annotated[str, Longest(40), Says("The way to it; the usual one where it is left out.")] = ""
    platform_listing_id: Annotated[str, Longest(200)] = ""
    platform_metadata: Annotated[Mapping[str, Json] | None, _METADATA] = None
    credentials: Annotated[Mapping[str, Json] | None, _CREDENTIALS] = None

    @rule
    def settings(self) -> Mapping[str, Json]:
        """Return the settings."""
        return _object_of(self.platform_metadata, "platform_metadata")

    @rule
    def secrets(self) -> Mapping[str, str]:
        """Return the credentials."""
        return _texts_of(self.credentials)


@not_null("property_id", "status", "credentials", platform_listing_id="", platform_metadata={})
@frozen(kw_only=True)
class ConnectionChange:
    """What to change; members that are left out stay as they are. Credentials replace all that there were.

    Null empties the listing and the metadata; no other member may be null.
    """

    property_id: PropertyId | None = None
    status: ConnectionStatus | None = None
    platform_listing_id: Annotated[str | None, Longest(200)] = None
    platform_metadata: Annotated[Mapping[str, Json] | None, _METADATA] = None
    credentials: Annotated[Mapping[str, Json] | None, _CREDENTIALS] = None
    version: Annotated[int | None, Says("The version that the change was made from.")] = None

    @rule
    def settings(self) -> Mapping[str, Json] | None:
        """Return the settings."""
        found = self.platform_metadata
        return None if found is None else _object_of(found, "platform_metadata")

    @rule
    def secrets(self) -> Mapping[str, str] | None:
        """Return the credentials."""
        return None if self.credentials is None else _texts_of(self.credentials)


@frozen(kw_only=True)
class SyncOrder:
    """What is to be told again or fetched, on nights from ``start_date`` until before ``end_date``."""

    sync_type: Annotated[str, Says("full, availability, pricing or bookings.")]
    start_date: date | None = None
    end_date: date | None = None

    @rule
    def nights(self) -> DateRange | None:
        """Return the nights; None: all."""
        if self.start_date is None and self.end_date is None:
            return None
        if self.start_date is None or self.end_date is None:
            raise InvalidInputError("end_date" if self.end_date is None else "start_date", "required")
        return DateRange(self.start_date, self.end_date)


class SyncedPlan(StrEnum):
    """What an availability sync may be of."""

    AVAILABILITY = "availability"
    PRICING = "pricing"


@frozen(kw_only=True)
class AvailabilitySyncOrder:
    """What is to be told again of a property to a platform, from ``start_date`` until before ``end_date``."""

    sync_type: Annotated[str, Says("availability or pricing.")]
    platform: Annotated[str, Says("Such as airbnb, booking_com, channex.")]
    property_id: PropertyId
    connection_id: Annotated[
        ConnectionId | None, Says("Found by the property and the platform where it is left out.")
    ] = None
    manual_trigger: Annotated[bool, Says("False where a program asks by itself; the log says so.")] = True
    start_date: Annotated[date | None, Says("The house's today where it is left out.")] = None
    end_date: Annotated[date | None, Says("90 days after the house's today where it is left out.")] = None

    def nights(self, today: date) -> DateRange:
        """Return the nights.

        Raises:
            InvalidInputError: field ``end_date``: it is not after the start.
        """
        start = self.start_date or today
        end = self.end_date or today + timedelta(days=SYNCED_DAYS)
        if end <= start:
            raise InvalidInputError("end_date", "not_after_start")
        return DateRange(start, end)


@frozen(kw_only=True)
class LogsQuery(PageQuery):
    """Which part of the log."""

    batch_id: BatchId | None = None


@frozen(kw_only=True)
class BatchesQuery:
    """Which batches."""

    limit: Annotated[int, Within(1, 200), Says("How many items at most.")] = 50
    offset: Annotated[int, Within(0, 10_000), Says("How many items to leave out at the beginning.")] = 0
    status: Annotated[str, Says("any, running, success or failed.")] = "any"


@frozen(kw_only=True)
class PurgeQuery:
    """What would be deleted."""

    retention_days: Annotated[int, Within(1, 3650)]


@frozen(kw_only=True)
class PurgeOrder:
    """What is to be deleted; the phrase says that it is meant."""

    retention_days: Annotated[int, Within(1, 3650)]
    confirm_phrase: Annotated[str, Longest(20), Says("The word PURGE.")]


@frozen(kw_only=True)
class NewMappedRoom:
    """A type that is sold as a room of the platform."""

    unit_type_id: UnitTypeId
    room_code: Annotated[str, Longest(200)]
    unit_id: UnitId | None = None

    def wanted(self) -> RoomWanted:
        """Return it as the core names it."""
        return RoomWanted(unit_type_id=self.unit_type_id, room_code=self.room_code, unit_id=self.unit_id)


@frozen(kw_only=True)
class NewMappedRate:
    """A plan that is sold for a type as a rate of a room; ``occupancies`` have prices of their own."""

    unit_type_id: UnitTypeId
    plan: CodeText
    room_code: Annotated[str, Longest(200)]
    rate_code: Annotated[str, Longest(200)]
    occupancies: Annotated[tuple[int, ...], Entries(50)] = ()

    def wanted(self) -> RateWanted:
        """Return it as the core names it."""
        return RateWanted(
            unit_type_id=self.unit_type_id,
            plan=self.plan,
            room_code=self.room_code,
            rate_code=self.rate_code,
            occupancies=self.occupancies,
        )


@frozen(kw_only=True)
class NewMappings:
    """All pairs of a connection."""

    rooms: Annotated[tuple[NewMappedRoom, ...], Entries(1_000)]
    rates: Annotated[tuple[NewMappedRate, ...], Entries(10_000)] = ()


@frozen(kw_only=True)
class IssuesQuery(PageQuery):
    """Which issues."""

    property_id: PropertyId | None = None
    state: Annotated[IssueState, Says("open, closed or any.")] = IssueState.OPEN


def _object_of(value: object, field: str) -> Mapping[str, Json]:
    """Return a JSON object; none at all is an empty one.

    Raises:
        InvalidInputError: it is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInputError(field, "not_an_object")
    return value


def _texts_of(value: object) -> Mapping[str, str]:
    """Return a JSON object of texts.

    Raises:
        InvalidInputError: it is something else.
    """
    found = _object_of(value, "credentials")
    texts = {name: each for name, each in found.items() if isinstance(each, str)}
    if len(texts) < len(found):
        raise InvalidInputError("credentials", "not_text")
    return texts
