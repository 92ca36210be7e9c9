"""A platform that knows us by calendars only: a feed for each room, and a look at ours now and then.

Owns which nights a feed takes and what is wrong with it on bad days: it is empty, most of it is missing, or it is no
calendar at all, each with a status that says all is well. A feed says what stands and never what has changed. Leaves
its words to ``ical_texts``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import ClassVar, Final

from pms_adapters.http.door import Answer
from pms_adapters.lab.channel_sim.face import FACES, Arrived, Face, FaceSetting, answer_of
from pms_adapters.lab.channel_sim.faces.ical_texts import (
    AIRBNB,
    VRBO,
    Event,
    FeedStyle,
    feed_tag,
    feed_text,
    taken_nights,
)
from pmscore.channels.model.manifest import CallKind
from pmscore.channels.model.revisions import Revision, RevisionStatus
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ports import Clock
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.draws import Chance

__all__ = ["IcalFace", "feed_address", "open_ical"]

_ENDING: Final = ".ics"
_ALL: Final = 10_000
_AHEAD: Final = 500
_OF_FEEDS: Final = 12
_PAGE: Final = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form></form></body></html>"


class _Trouble(StrEnum):
    """What is wrong with a feed that is answered with 200."""

    EMPTY = "feed_empty"
    SHRUNK = "feed_shrunk"
    PAGE = "feed_page"
    CUT = "feed_cut"


class IcalFace(Face):
    """The feeds of one listing with several rooms; whoever has the address of one may read it."""

    name: ClassVar[str] = "ical"
    addresses: ClassVar[tuple[str, ...]] = ("https://feeds.example/ical",)

    def __init__(
        self,
        platform: RemotePlatform,
        *,
        clock: Clock,
        listing_id: str,
        chance: Chance,
        hostility: Hostility | None = None,
        style: FeedStyle = AIRBNB,
    ) -> None:
        super().__init__(platform, clock=clock, hostility=hostility)
        platform.shows_states = True
        self._listing_id = listing_id
        self._chance = chance
        self._style = style
        self._told_whole: dict[str, set[str]] = {}
        self._kept: dict[str, tuple[str, DateRange]] = {}
        self._keeps = 0

    def kind_of(self, call: Arrived) -> CallKind:  # noqa: ARG002 - there is nothing but feeds
        """Return that it is a feed that is read."""
        return CallKind.PULL

    def too_many(self) -> Answer:
        """Return 429."""
        return answer_of(429, b"Too many requests", content_type="text/plain", retry_after="60")

    def to_enter(self, base_url: str) -> Mapping[str, Secret]:
        """Return the address of each room's feed."""
        return {
            f"url.{code}": Secret(feed_address(base_url, self._listing_id, code))
            for code in self.platform.rooms
        }

    def answer(self, call: Arrived) -> Answer:
        """Return the feed of a room, or that it is as it was."""
        room_code = call.path.removeprefix("/").removesuffix(_ENDING)
        if room_code not in self.platform.rooms or not call.path.endswith(_ENDING):
            return answer_of(404, b"Not found", content_type="text/plain")
        if call.query.get("s") != _opener(self._listing_id, room_code):
            return answer_of(403, b"Forbidden", content_type="text/plain")
        if call.method != "GET":
            return answer_of(405, b"Method not allowed", content_type="text/plain")
        known = call.headers.get("if-none-match", "")
        events = self.events(room_code)
        tag = feed_tag(events)
        told = self._told_whole.setdefault(room_code, set())
        trouble = self._trouble(has_whole=known in told)
        if trouble is not None:
            return self._wrong(trouble, events)
        told.add(tag)
        if known == tag:
            self._is_known(room_code)
            return answer_of(304, b"", etag=tag)
        return self._feed(events)

    # What stands

    def events(self, room_code: str) -> tuple[Event, ...]:
        """Return the stays of a room that are not over, then the nights that are only kept."""
        today = self.clock.now().date()
        found = [
            Event(
                uid=self.uid_of(sold, number),
                nights=DateRange.from_stay(room.stay),
                code=_code(sold),
                name=sold.guest.name.partition(" ")[0],
            )
            for sold in self.platform.bookings.values()
            for number, room in enumerate(sold.rooms)
            if sold.status is not RevisionStatus.CANCELLED and room.room_code == room_code
        ]
        found += [Event(uid=uid, nights=nights) for uid, nights in self.kept(room_code).items()]
        return tuple(each for each in found if each.nights.end > today)

    def uid_of(self, sold: Revision, number: int = 0) -> str:
        """Return the name of the event of a room of a booking."""
        return self._style.uid(sold.booking_key, str(number))

    def keep(self, room_code: str, nights: DateRange) -> str:
        """Keep nights from sale, as an owner does with a click; return the name of the event."""
        self._keeps += 1
        uid = self._style.uid(room_code, str(self._keeps))
        self._kept[uid] = (room_code, nights)
        return uid

    def give_back(self, uid: str) -> None:
        """Let kept nights be sold again."""
        del self._kept[uid]

    def kept(self, room_code: str) -> Mapping[str, DateRange]:
        """Return the nights of a room that are kept from sale by the names of their events, those that are over included."""
        return {uid: nights for uid, (code, nights) in self._kept.items() if code == room_code}

    def read_calendar(self, room_code: str, nights: DateRange, body: bytes) -> None:
        """Take over somebody's calendar of a room: what it takes is not for sale, all other nights are."""
        self.platform.tell(room_code, "", MatrixField.SELLABLE, nights, 1)
        for taken in taken_nights(body):
            self.platform.tell(room_code, "", MatrixField.SELLABLE, taken, 0)

    # What it says

    def _feed(self, events: Sequence[Event]) -> Answer:
        body = feed_text(self._style, events, made_at=self.clock.now())
        return answer_of(200, body, content_type="text/calendar; charset=utf-8", etag=feed_tag(events))

    def _trouble(self, *, has_whole: bool) -> _Trouble | None:
        """Draw what is wrong with a feed.

        What is left out twice in a row cannot be told from what was cancelled: so nothing is left out but
        after a reader has said that it has the whole of a feed.
        """
        dial = 0 if self.hostility is None else self.hostility.dial
        if self.hostility is None or self._chance.below(_ALL) >= _OF_FEEDS * dial:
            return None
        trouble = self._chance.one_of(tuple(_Trouble))
        if trouble in {_Trouble.EMPTY, _Trouble.SHRUNK} and not has_whole:
            trouble = _Trouble.PAGE
        self.hostility.faults[trouble.value] += 1
        return trouble

    def _wrong(self, trouble: _Trouble, events: Sequence[Event]) -> Answer:
        match trouble:
            case _Trouble.EMPTY:
                return self._feed(())
            case _Trouble.SHRUNK:
                return self._feed(events[: len(events) // 3])
            case _Trouble.PAGE:
                return answer_of(200, _PAGE, content_type="text/html")
            case _Trouble.CUT:
                whole = self._feed(events).body
                return answer_of(200, whole[: len(whole) * 2 // 3], content_type="text/calendar")

    def _is_known(self, room_code: str) -> None:
        """Note that a reader knows what stands in a room."""
        self.platform.acknowledge(
            each.revision_id
            for each in self.platform.pending(_ALL)
            if all(room.room_code == room_code for room in each.rooms)
        )


@FACES.register(IcalFace.name)
def open_ical(setting: FaceSetting) -> IcalFace:
    """Return the face of a listing; one that stands alone keeps some nights of each room from sale."""
    face = IcalFace(
        setting.platform(IcalFace),
        clock=setting.clock,
        listing_id=setting.listing_id,
        chance=setting.chance,
        hostility=setting.hostility,
        style=VRBO if setting.sold_on == "Vrbo" else AIRBNB,
    )
    if setting.remote is None:
        today = setting.clock.now().date()
        for at, room_code in enumerate(face.platform.rooms):
            # Nobody has said yet what is taken.
            face.read_calendar(room_code, DateRange.of(today, _AHEAD), b"")
            kept = DateRange.of(today.fromordinal(today.toordinal() + 20 + 7 * at), 3)
            face.keep(room_code, kept)
    return face


def feed_address(base_url: str, listing_id: str, room_code: str) -> str:
    """Return the address of a room's feed, which is all that is needed to read it."""
    return f"{base_url}/{room_code}{_ENDING}?s={_opener(listing_id, room_code)}"


def _opener(listing_id: str, room_code: str) -> str:
    return sha256(f"{listing_id}/{room_code}".encode()).hexdigest()[:32]


def _code(sold: Revision) -> str:
    """Return the number of a reservation as guests know it."""
    return "HM" + "".join(each for each in sold.reference if each.isalnum()).rjust(8, "X")[-10:]
