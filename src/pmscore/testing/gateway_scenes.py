"""A gateway, a connection and the platform behind them, with what goes wrong on the way said call by call.

Owns the setting of the laws of gateways: two mapped rooms with a rate each, and one that the platform has
never heard of. Leaves the wire and the platform's messages to whoever brings the gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from attrs import evolve, field, frozen

from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, OutcomeKind, Push, PushResult
from pmscore.channels.model.connections import Connection, ConnectionStatus
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.model.revisions import Revision, StoredRevision, StoredState
from pmscore.channels.ports import ChannelGateway
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.ids import BookingId, ConnectionId, MappingId, PropertyId, UnitTypeId
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_hostility import Fate, FateKind, Hostility
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock, SeededIds
from pmscore.testing.draws import Draws

__all__ = ["VALUES", "GatewayScene", "ScriptedHostility", "Spoken", "at_of", "fate"]

START: Final = datetime(2026, 11, 21, 9, tzinfo=UTC)
CONNECTION_ID: Final = ConnectionId(UUID(int=0xC0))
TYPES: Final = (UnitTypeId(UUID(int=0xA1)), UnitTypeId(UUID(int=0xA2)))
OCCUPANCIES: Final = (1, 2)
NOBODY: Final = "bbbbbbbb-0000-4000-8000-00000000dead"

VALUES: Final[Mapping[MatrixField, tuple[int, int]]] = {
    MatrixField.SELLABLE: (3, 0),
    MatrixField.RATE: (12_345, 9_900),
    MatrixField.CLOSED: (1, 0),
    MatrixField.CLOSED_TO_ARRIVAL: (1, 0),
    MatrixField.CLOSED_TO_DEPARTURE: (1, 0),
    MatrixField.MIN_STAY_ARRIVAL: (2, 0),
    MatrixField.MAX_STAY_ARRIVAL: (14, 0),
    MatrixField.MIN_STAY_THROUGH: (3, 0),
    MatrixField.MAX_STAY_THROUGH: (21, 0),
    MatrixField.ALLOWED_LENGTHS: (0b1000_0001, 0),
}
"""For each field two values that every platform can take: one that says something, and one that takes it back."""


class ScriptedHostility(Hostility):
    """Fates as they are written down, one a call; whatever comes after them passes."""

    def __init__(self) -> None:
        super().__init__(0, Draws(0))
        self._next: list[Fate] = []

    def meets(self, *fates: Fate) -> None:
        """Write down what becomes of the next calls."""
        self._next += fates

    def fate(self, now: datetime) -> Fate:
        """Return what is written down for this call."""
        return self._next.pop(0) if self._next else super().fate(now)


@frozen(kw_only=True)
class Spoken:
    """A gateway that speaks to the platform of the scene, and what a connection of it needs."""

    gateway: ChannelGateway
    credentials: Mapping[str, Secret] = field(factory=dict[str, Secret])
    partner: Mapping[str, Secret] = field(factory=dict[str, Secret])
    listing_id: str = "hotel-1"
    settings: Mapping[str, Json] = field(factory=dict[str, Json])


@frozen(kw_only=True)
class GatewayScene:
    """What a law looks at; ``at`` is what the gateway is given."""

    gateway: ChannelGateway
    platform: RemotePlatform
    hostility: ScriptedHostility
    clock: MovableClock
    at: At

    @property
    def nights(self) -> DateRange:
        """Nights that every platform takes: as many as one entry may say, three at most, from the tenth day on."""
        start = self.clock.now().date().replace(day=1)
        length = min(3, self.gateway.manifest.most_nights)
        return DateRange.of(start.replace(month=12), length)

    def authorised(self) -> GatewayScene:
        """Return the scene with a token, where the gateway needs one."""
        if not self.gateway.manifest.needs_token:
            return self
        renewed = self.gateway.renew(self.at)
        assert renewed.outcome.kind is OutcomeKind.DONE, renewed.outcome
        return evolve(self, at=evolve(self.at, token=renewed.token))

    def entries(
        self, message: frozenset[MatrixField], *, number: int = 0, nights: DateRange | None = None
    ) -> tuple[Entry, ...]:
        """Return one entry a mapping with all fields of a message; ``number`` 0 says, 1 takes back."""
        found: list[Entry] = []
        for room in self.at.mappings.rooms if MatrixField.SELLABLE in message else ():
            count = {(MatrixField.SELLABLE, 0): VALUES[MatrixField.SELLABLE][number]}
            found.append(Entry(mapping_id=room.mapping_id, nights=nights or self.nights, values=count))
        fields: list[MatrixField] = [
            each for each in MatrixField if each in message and each is not MatrixField.SELLABLE
        ]
        for rate in self.at.mappings.rates if fields else ():
            values = {
                (each, occupancy): VALUES[each][number] + occupancy
                for each in fields
                for occupancy in (rate.prices_for if each is MatrixField.RATE else (0,))
            }
            found.append(Entry(mapping_id=rate.mapping_id, nights=nights or self.nights, values=values))
        return tuple(found)

    def pushed(self, lane: Lane, entries: tuple[Entry, ...]) -> PushResult:
        """Push entries."""
        return self.gateway.push(self.at, Push(push_id=UUID(int=0xF00D), lane=lane, entries=entries))

    def told(self, entry: Entry, margin: int = 1) -> dict[tuple[MatrixField, int], tuple[int | None, ...]]:
        """Return what the platform has on the nights of an entry and ``margin`` nights on either side."""
        mapped = self.at.mappings.by_id(entry.mapping_id)
        assert mapped is not None
        rate_code = mapped.rate_code if isinstance(mapped, MappedRate) else ""
        around = DateRange(
            entry.nights.start.fromordinal(entry.nights.first_ordinal - margin),
            entry.nights.start.fromordinal(entry.nights.end_ordinal + margin),
        )
        return {
            (name, occupancy): self.platform.row(
                mapped.room_code, rate_code, name, around, occupancy=occupancy
            )
            for name, occupancy in entry.values
        }

    def stored(self, revision: Revision) -> StoredRevision:
        """Return a revision as it is kept once it was applied."""
        return StoredRevision(
            revision=revision,
            malformed=None,
            connection_id=CONNECTION_ID,
            revision_id=revision.revision_id,
            state=StoredState.APPLIED,
            received_at=self.clock.now(),
            applied_at=self.clock.now(),
            booking_id=BookingId(UUID(int=0xB00C)),
        )

    def calls(self) -> int:
        """Return how many calls have arrived."""
        return self.platform.calls.total.total()

    def with_stranger(self) -> tuple[GatewayScene, MappingId]:
        """Return the scene with one more room and rate mapped that the platform does not know, and that room's id."""
        room, rate = _mapped(SeededIds("stranger"), TYPES[0], NOBODY, NOBODY, ())
        book = self.at.mappings
        wider = MappingBook((*book.rooms, room), (*book.rates, rate))
        return evolve(self, at=evolve(self.at, mappings=wider)), room.mapping_id


def fate(kind: FateKind) -> Fate:
    """Return a fate as the hostility would draw it."""
    match kind:
        case FateKind.FAILED:
            return Fate(kind=kind, status=500)
        case FateKind.OUTAGE:
            return Fate(kind=kind, status=503)
        case FateKind.BUSY:
            return Fate(kind=kind, status=429, retry_after=37)
        case FateKind.STALLED:
            return Fate(kind=kind, status=0, stall=15)
        case _:
            return Fate(kind=kind)


def _connection_of(spoken: Spoken) -> Connection:
    """Return an active connection through the gateway."""
    manifest = spoken.gateway.manifest
    platform = min(manifest.platforms)
    return Connection(
        connection_id=CONNECTION_ID,
        property_id=PropertyId(UUID(int=0xB0)),
        platform=platform,
        gateway=manifest.gateway,
        channel=platform.value,
        status=ConnectionStatus.ACTIVE,
        listing_id=spoken.listing_id,
        settings=spoken.settings,
        created_at=START,
        updated_at=START,
    )


def at_of(spoken: Spoken, platform: RemotePlatform) -> At:
    """Return what the gateway is given: the platform's rooms and rates, each mapped."""
    ids = SeededIds("gateway laws")
    occupancies = OCCUPANCIES if spoken.gateway.manifest.has_occupancies else ()
    rooms: list[MappedRoom] = []
    rates: list[MappedRate] = []
    for type_id, (room_code, rate_codes) in zip(TYPES, platform.rooms.items(), strict=True):
        room, rate = _mapped(ids, type_id, room_code, rate_codes[0], occupancies)
        rooms.append(room)
        rates.append(rate)
    return At(
        connection=_connection_of(spoken),
        credentials=spoken.credentials,
        token=None,
        partner=spoken.partner,
        mappings=MappingBook(tuple(rooms), tuple(rates)),
        zone=Zone("Europe/Berlin"),
        currency=Currency.of("EUR"),
        now=START,
    )


def _mapped(
    ids: SeededIds, type_id: UnitTypeId, room_code: str, rate_code: str, occupancies: tuple[int, ...]
) -> tuple[MappedRoom, MappedRate]:
    room = MappedRoom(
        mapping_id=MappingId(ids.new()),
        connection_id=CONNECTION_ID,
        unit_type_id=type_id,
        room_code=room_code,
    )
    rate = MappedRate(
        mapping_id=MappingId(ids.new()),
        connection_id=CONNECTION_ID,
        unit_type_id=type_id,
        plan="standard",
        room_code=room_code,
        rate_code=rate_code,
        occupancies=occupancies,
    )
    return room, rate
