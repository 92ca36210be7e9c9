"""A world whose platform knows us by calendars only: it reads ours, shows its own, and people look where most of it is missing."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from pms_adapters.channels.ical import written_calendar
from pms_adapters.lab.channel_sim.faces.ical import IcalFace
from pmscore.availability.model import TypeNights
from pmscore.availability.policies.search import capacities
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappedRoom
from pmscore.channels.model.revisions import IssueKind, Link
from pmscore.channels.use_cases.calendars import (
    NewCalendars,
    ReadCalendar,
    new_calendars,
    read_calendar,
)
from pmscore.channels.use_cases.issues import ConfirmFeed, confirm_feed, feed_subject
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date
from pmscore.kernel.paging import MOST_ITEMS, Page
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_houses import ConnectedHouse
from pmscore.testing.channel_life import REACH, Sales
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.channel_world import World
from pmscore.testing.draws import Chance

PAUSE = timedelta(hours=3)
UNIT_ROOM = "single"
"""The room that stands for one unit; nights that are only kept can be kept in no other."""


def room_nights(channel: ConnectedHouse) -> DateRange:
    today = local_date(channel.scene.clock.now(), channel.scene.house().property.zone)
    return DateRange.of(today, channel.manifest.horizon_days)


def exported(channel: ConnectedHouse, room: MappedRoom) -> bytes:
    """Return our calendar of a room, as a platform that has its address gets it."""
    scene, uow = channel.scene, channel.scene.store
    opening = NewCalendars(**scene.asked(), connection_id=channel.connection_id)
    opened = new_calendars(opening, uow=uow, clock=scene.clock, means=channel.means)
    reading = ReadCalendar(**scene.asked(), token=opened.token.reveal(), room_code=room.room_code)
    ranges = read_calendar(reading, uow=uow, clock=scene.clock, means=channel.means)
    return written_calendar(ranges, made_at=scene.clock.now())


def counts_of(channel: ConnectedHouse, room: MappedRoom) -> TypeNights:
    """Return what is free of a room's type."""
    scene, nights, type_id = channel.scene, room_nights(channel), room.unit_type_id
    reader = scene.store.availability(scene.agency_id)
    unit_type = scene.house().types[type_id]
    return TypeNights(
        unit_type_id=type_id,
        nights=nights,
        capacity=capacities(unit_type, nights),
        overbooking=unit_type.overbooking,
        claims=reader.claims_by_kind([type_id], nights, scene.clock.now()).get(type_id, {}),
    )


class FeedSales(Sales):
    """Guests and an owner of a platform that looks at our calendars before it sells."""

    def __init__(
        self, channel: ConnectedHouse, platform: RemotePlatform, chance: Chance, face: IcalFace
    ) -> None:
        super().__init__(channel, platform, chance)
        self._is_blind = False
        self._channel = channel
        self._face = face

    def act(self) -> bool:
        self.read_ours()
        self.look()
        if self._chance.happens(25):
            self._click()
        return super().act()

    def read_ours(self) -> None:
        """Let the platform read our calendars."""
        for room in self._channel.mappings().rooms:
            body = exported(self._channel, room)
            self._face.read_calendar(room.room_code, room_nights(self._channel), body)

    def look(self) -> None:
        """Let a person look where a feed left out most of what it had, and at the platform's own page."""
        with self._scene.begin() as work:
            found = work.issues.find(self._scene.property_id, is_open=True, page=Page(limit=MOST_ITEMS))
        open_subjects = {each.revision_id for each in found.items if each.kind is IssueKind.FEED_SHRUNK}
        for room_code in self._platform.rooms:
            if feed_subject(room_code) not in open_subjects:
                continue
            if self._is_right_about(room_code):
                command = ConfirmFeed(
                    **self._scene.asked(), connection_id=self._channel.connection_id, room_code=room_code
                )
                confirm_feed(command, uow=self._scene.store, clock=self._scene.clock)
                self.done["confirmed"] += 1

    def _is_right_about(self, room_code: str) -> bool:
        live = {each.uid for each in self._face.events(room_code)}
        return all(
            link.booking_key.rpartition("/")[2].partition("~")[0] not in live
            for link in links_of(self._channel)
            if link.booking_key.startswith(f"{room_code}/") and link.missing_since is not None
        )

    def _click(self) -> None:
        """Let the owner keep some nights on the platform, or give them back."""
        today = self._scene.house().property.business_date
        to_come = [
            uid for uid, nights in self._face.kept(UNIT_ROOM).items() if (nights.start - today).days > 2
        ]
        if to_come and self._chance.happens(40):
            self._face.give_back(self._chance.one_of(to_come))
            self.done["given_back"] += 1
            return
        first = today + timedelta(days=self._chance.between(3, REACH))
        self._face.keep(UNIT_ROOM, DateRange.of(first, self._chance.between(1, 4)))
        self.done["kept"] += 1


class FeedWorld(World):
    """A world that is quiet when what was left out is ended, too: that takes another look, and a third."""

    face: IcalFace
    sales: FeedSales

    def peopled(self, face: IcalFace, chance: Chance) -> FeedWorld:
        """Return the world with a platform that reads calendars; one room of the house stands for one unit."""
        self.face = face
        self.sales = FeedSales(self.channel, self.platform, chance, face)
        with self.channel.scene.begin() as work:
            book = work.mappings.book(self.channel.connection_id)
            unit_id = self.channel.scene.unit().unit_id
            rooms = tuple(
                evolve(room, unit_id=unit_id if room.room_code == UNIT_ROOM else None) for room in book.rooms
            )
            work.mappings.replace(self.channel.connection_id, evolve(book, rooms=rooms))
            work.commit()
        return self

    def settle(self) -> None:
        super().settle()
        for _ in range(4):
            self.channel.scene.clock.advance(PAUSE)
            self.sales.look()
            self.run(Lane.BOOKINGS)
        self.sales.read_ours()


def links_of(channel: ConnectedHouse) -> tuple[Link, ...]:
    """Return what is known of the stays of the feeds that have not been ended."""
    with channel.scene.begin() as work:
        links = work.revisions.links(channel.connection_id)
    return tuple(each for each in links if not each.is_cancelled)


def kept_otherwise(world: FeedWorld) -> tuple[str, ...]:
    """Return a sentence for each night that the owner keeps on the platform and we do not know of, or the other way round."""
    today = room_nights(world.channel).start
    ours = {
        (nights.start, nights.end)
        for link in links_of(world.channel)
        if link.booking_id is None and (nights := link.nights) is not None and nights.end > today
    }
    theirs = {
        (nights.start, nights.end) for nights in world.face.kept(UNIT_ROOM).values() if nights.end > today
    }
    return tuple(f"{nights} is kept on one side only" for nights in sorted(ours ^ theirs))


def sold_out_otherwise(world: FeedWorld) -> tuple[str, ...]:
    """Return a sentence for each night that the platform would sell and the house has nothing left for."""
    channel, nights = world.channel, room_nights(world.channel)
    found: list[str] = []
    for room in channel.mappings().rooms:
        if room.unit_id is not None:
            continue
        free = counts_of(channel, room).sellable()
        told = world.platform.row(room.room_code, "", MatrixField.SELLABLE, nights)
        own = [each.nights for each in world.face.events(room.room_code)]
        for at, (count, is_sold) in enumerate(zip(free, told, strict=True)):
            night = nights.start + timedelta(days=at)
            if is_sold and count <= 0 and not any(night in each for each in own):
                found.append(f"{room.room_code} {night}: {count} left")
    return tuple(found)
