"""Where a round through the feeds of a connection stands: a cursor between calls, as text.

Owns which feed is read next. A feed that fails is set back once, so that it keeps no other room's news from
us; a round that is old begins anew, so that one which fails for good does not, either. Leaves reading to the
gateway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from attrs import evolve, field, frozen

from pms_adapters.serialization.json import parse, written
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.reading import ObjectReader

__all__ = ["FeedTag", "Round"]

_LASTS: Final = timedelta(minutes=10)
_LONGEST_TAG: Final = 200
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@frozen(kw_only=True)
class FeedTag:
    """By what a platform knows the state of a feed that we have read; ``address`` is a digest of where it was."""

    address: str
    etag: str = ""
    changed: str = ""

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str]) -> FeedTag:
        """Return what an answer says about the state of a feed; what could not be said again is left out."""
        return cls(
            address=_digest(url),
            etag=_sayable(headers.get("etag", "")),
            changed=_sayable(headers.get("last-modified", "")),
        )

    def headers(self, url: str) -> dict[str, str]:
        """Return the headers that ask for what is newer; none where the feed has moved or says no state."""
        if self.address != _digest(url):
            return {}
        told = {"if-none-match": self.etag, "if-modified-since": self.changed}
        return {name: value for name, value in told.items() if value}


@frozen(kw_only=True)
class Round:
    """The rooms that are still to be read, then those that failed; ``tags`` outlast the round."""

    began_at: datetime = _LONG_AGO
    left: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    tags: Mapping[str, FeedTag] = field(factory=dict[str, FeedTag])

    @classmethod
    def read(cls, cursor: str) -> Round:
        """Return the round that a cursor stands for; one that cannot be read begins anew."""
        try:
            said = ObjectReader.of(parse(cursor.encode()))
            began_at = datetime.fromisoformat(said.text("began_at")).astimezone(UTC)
            tags = {
                each.text("room"): FeedTag(
                    address=each.text("address"), etag=each.text("etag"), changed=each.text("changed")
                )
                for each in said.each("tags")
            }
            left, again = (tuple(each.text("room") for each in said.each(name)) for name in ("left", "again"))
        except (UnreadableError, InvalidInputError, ValueError):
            return cls()
        return cls(began_at=began_at, left=left, again=again, tags=tags)

    def written(self) -> str:
        """Return the cursor."""
        tags: list[Json] = [
            {"room": room, "address": tag.address, "etag": tag.etag, "changed": tag.changed}
            for room, tag in self.tags.items()
        ]
        left: list[Json] = [{"room": room} for room in self.left]
        again: list[Json] = [{"room": room} for room in self.again]
        began_at = self.began_at.isoformat()
        return written({"began_at": began_at, "left": left, "again": again, "tags": tags}).decode()

    def goes_on(self, rooms: Sequence[str], now: datetime) -> Round:
        """Return the round among the rooms that have a feed now, or the next one."""
        tags = {room: tag for room, tag in self.tags.items() if room in rooms}
        left = tuple(room for room in self.left if room in rooms)
        again = tuple(room for room in self.again if room in rooms)
        if (left or again) and timedelta() <= now - self.began_at < _LASTS:
            return evolve(self, left=left, again=again, tags=tags)
        return Round(began_at=now, left=tuple(rooms), tags=tags)

    @property
    def room(self) -> str:
        """The room whose feed is read next."""
        return (*self.left, *self.again)[0]

    @property
    def has_more(self) -> bool:
        """Whether any feed is still to be read."""
        return bool(self.left or self.again)

    def done(self, tag: FeedTag | None) -> Round:
        """Return the round after the room's feed was read; ``tag`` None where it was as it had been."""
        tags = self.tags if tag is None else {**self.tags, self.room: tag}
        return evolve(self._without(self.room), tags=tags)

    def set_back(self) -> Round | None:
        """Return the round after the room's feed has failed; None where nothing else comes before its next try."""
        return (
            evolve(self._without(self.room), again=(*self.again, self.room)) if len(self.left) > 1 else None
        )

    def _without(self, room: str) -> Round:
        return evolve(
            self,
            left=tuple(each for each in self.left if each != room),
            again=tuple(each for each in self.again if each != room),
        )


def _digest(url: str) -> str:
    return sha256(url.encode()).hexdigest()[:16]


def _sayable(value: str) -> str:
    return value if len(value) <= _LONGEST_TAG and value.isascii() and value.isprintable() else ""
