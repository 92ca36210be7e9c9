"""A house that is connected to a simulated platform, and one line for each thing that the engine does.

Owns the setting: types, prices, codes, lanes and means. Leaves what happens in it to ``channel_life`` and
``channel_world``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from attrs import evolve, field, frozen

from pmscore.channels.model.ari import AriRows, Dirty, RowKey
from pmscore.channels.model.connections import CREDENTIALS_COLUMN, Connection, ConnectionStatus
from pmscore.channels.model.lanes import LaneState
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.ports import ChannelGateway, ChannelMeans, ChannelWork, Retry
from pmscore.channels.reactions.noting import Happened, Note, note_event
from pmscore.channels.reactions.running import LaneReport, RunLane, run_lane
from pmscore.channels.use_cases.wanting import wanted
from pmscore.channels.views.desired import keys_of
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date
from pmscore.kernel.events import Json
from pmscore.kernel.ids import ConnectionId, LaneId, MappingId
from pmscore.kernel.ports import UnitOfWork
from pmscore.kernel.secrets import Secret
from pmscore.testing.access_scenes import NumberedSecrets
from pmscore.testing.clocks import MovableClock, SeededIds
from pmscore.testing.journal import LoggedEvent
from pmscore.testing.price_scenes import with_prices
from pmscore.testing.scenes import Scene, hotel, open_scene, pool
from pmscore.testing.subject import StoreUnderTest
from pmscore.testing.webhook_scenes import LabelledBox

__all__ = ["ConnectedHouse", "connected", "open_house", "remote_rooms"]

ResultT = TypeVar("ResultT")
PLANS = ("flex", "saver")


class _Once(Retry):
    """Tries once: what a store loses against itself is to be seen in a test."""

    def __call__(self, call: Callable[[], ResultT]) -> ResultT:
        """Return what ``call`` returns."""
        return call()


@frozen(kw_only=True)
class ConnectedHouse:
    """One connection of one house, its gateway and its lanes."""

    scene: Scene
    uow: UnitOfWork[ChannelWork]
    gateway: ChannelGateway
    means: ChannelMeans = field(repr=False)
    connection_id: ConnectionId
    lanes: Mapping[Lane, LaneId]

    @property
    def manifest(self) -> Manifest:
        """What the gateway can."""
        return self.gateway.manifest

    def connection(self) -> Connection:
        """Return the connection as it is now."""
        with self.scene.begin() as work:
            return work.connections.read(self.connection_id)

    def mappings(self) -> MappingBook:
        """Return the codes."""
        with self.scene.begin() as work:
            return work.mappings.book(self.connection_id)

    def lane(self, lane: Lane) -> LaneState:
        """Return a lane as it is now."""
        with self.scene.begin() as work:
            return work.lanes.get(self.lanes[lane])

    def dirt(self, lane: Lane) -> tuple[Dirty, ...]:
        """Return what may differ on a lane."""
        with self.scene.begin() as work:
            return work.dirty.of(self.connection_id, lane)

    def note(self, event: LoggedEvent) -> int:
        """Give the engine an event."""
        happened = Happened(
            kind=event.kind,
            aggregate=event.aggregate,
            aggregate_id=event.aggregate_id,
            payload=event.payload,
        )
        command = Note(**self.scene.asked(), event=happened)
        return note_event(command, uow=self.uow, ids=self.scene.ids, means=self.means)

    def run(self, lane: Lane) -> LaneReport:
        """Run a lane once."""
        command = RunLane(**self.scene.asked(), lane_id=self.lanes[lane])
        scene = self.scene
        return run_lane(command, uow=self.uow, clock=scene.clock, ids=scene.ids, means=self.means)

    def make_dirty(self, *lanes: Lane, nights: DateRange | None = None, forgets: bool = False) -> None:
        """Let lanes look at all nights, or at some."""
        with self.scene.begin() as work:
            for lane in lanes:
                work.dirty.add(
                    Dirty(
                        dirty_id=self.scene.ids.new(),
                        connection_id=self.connection_id,
                        lane=lane,
                        nights=nights,
                        unit_type_ids=None,
                        forgets=forgets,
                    )
                )
            work.commit()

    def wanted(self, lane: Lane) -> AriRows:
        """Return what the platform should have now on all nights of the horizon."""
        scene, mappings = self.scene, self.mappings()
        today = local_date(scene.clock.now(), scene.house().property.zone)
        return wanted(
            scene.command(),
            self.connection(),
            mappings,
            self.manifest,
            DateRange.of(today, self.manifest.horizon_days),
            keys_of(mappings, self.manifest, lane),
            uow=self.uow,
            clock=scene.clock,
            means=self.means,
        ).rows

    def codes(self, key: RowKey) -> tuple[str, str]:
        """Return the room code and the rate code of a row."""
        mapped = self.mappings().by_id(key.mapping_id)
        assert mapped is not None
        return mapped.room_code, mapped.rate_code if isinstance(mapped, MappedRate) else ""


def remote_rooms(manifest: Manifest) -> dict[str, Sequence[str]]:
    """Return the room codes of a scene with their rate codes; none where rates are not told."""
    rates = PLANS if Lane.PRICING in manifest.lanes else ()
    return {code: tuple(f"{code}-{each}" for each in rates) for code in ("single", "double", "dorm")}


def connected(
    store: StoreUnderTest,
    scene: Scene,
    gateway: ChannelGateway,
    *,
    uow: UnitOfWork[ChannelWork] | None = None,
    settings: Mapping[str, Json] | None = None,
    credentials: Mapping[str, str] | None = None,
    partner: Mapping[str, Secret] | None = None,
) -> ConnectedHouse:
    """Connect a house of three types and two plans to the platform of a gateway; everything is to be told."""
    manifest, now = gateway.manifest, scene.clock.now()
    connection_id = ConnectionId(scene.ids.new())
    lanes = {lane: LaneId(scene.ids.new()) for lane in sorted(manifest.lanes)}
    platform = min(manifest.platforms)
    box = LabelledBox()
    sealed = None
    if credentials is not None:
        sealed = box.seal(scene.agency_id, CREDENTIALS_COLUMN, Secret(json.dumps({**credentials})))
    means = ChannelMeans(
        gateways={manifest.gateway: gateway},
        box=box,
        secrets=NumberedSecrets(scene.ids),
        partner=partner or {},
        availability=store.availability,
        prices=store.prices,
        retry=_Once(),
    )
    with scene.begin() as work:
        work.connections.add(
            Connection(
                connection_id=connection_id,
                property_id=scene.property_id,
                platform=platform,
                gateway=manifest.gateway,
                channel=platform.value,
                status=ConnectionStatus.ACTIVE,
                listing_id="house-1",
                settings=settings or {},
                sealed=sealed,
                created_at=now,
                updated_at=now,
            )
        )
        for lane, lane_id in lanes.items():
            work.lanes.add(LaneState(lane_id=lane_id, connection_id=connection_id, lane=lane, next_at=now))
        work.commit()
    with scene.begin() as work:
        work.mappings.replace(connection_id, _codes(scene, manifest, connection_id))
        work.commit()
    made = ConnectedHouse(
        scene=scene,
        uow=store if uow is None else uow,
        gateway=gateway,
        means=means,
        connection_id=connection_id,
        lanes=lanes,
    )
    made.make_dirty(*(lane for lane in lanes if manifest.fields_of(lane)), forgets=True)
    return made


def open_house(store: StoreUnderTest, seed: str | int, clock: MovableClock | None = None) -> Scene:
    """Open a house of three types with prices; the ids of a seed are always the same.

    A store that asks a clock of its own brings it along.
    """
    scene = open_scene(store, SeededIds(seed), hotel(3), hotel(2), pool(4))
    return with_prices(scene if clock is None else evolve(scene, clock=clock))


def _codes(scene: Scene, manifest: Manifest, connection_id: ConnectionId) -> MappingBook:
    rooms: list[MappedRoom] = []
    rates: list[MappedRate] = []
    for type_id, (room_code, rate_codes) in zip(scene.type_ids, remote_rooms(manifest).items(), strict=True):
        rooms.append(
            MappedRoom(
                mapping_id=MappingId(scene.ids.new()),
                connection_id=connection_id,
                unit_type_id=type_id,
                room_code=room_code,
            )
        )
        rates += [
            MappedRate(
                mapping_id=MappingId(scene.ids.new()),
                connection_id=connection_id,
                unit_type_id=type_id,
                plan=plan,
                room_code=room_code,
                rate_code=rate_code,
                occupancies=(1, 2) if manifest.has_occupancies else (),
            )
            for plan, rate_code in zip(PLANS, rate_codes, strict=False)
        ]
    return MappingBook(tuple(rooms), tuple(rates))
