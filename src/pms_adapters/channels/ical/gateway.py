"""The client of calendar feeds: one feed a call, without any state.

Owns asking for a feed and what its answer means. Whatever is not surely a whole calendar changes nothing. Leaves its
text to the reader, what it changes to ``pmscore.channels.policies.feeds``, and the calendar that we give out to
``writer``.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve, frozen

from pms_adapters.channels.ical.kinds import EventKind
from pms_adapters.channels.ical.lines import MOST_BYTES
from pms_adapters.channels.ical.manifest import MANIFEST
from pms_adapters.channels.ical.reader import BusyEvent, read_calendar
from pms_adapters.channels.ical.rounds import FeedTag, Round
from pms_adapters.http.door import Call
from pms_adapters.http.wire import CHANNEL_LIMITS, Wire, asked, outcome_of
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.channels.model.calls import At, Feed, FeedStay, Health, Outcome, OutcomeKind, Pulled
from pmscore.channels.model.manifest import Manifest
from pmscore.channels.model.revisions import SaleKind
from pmscore.channels.ports import GatewayBase
from pmscore.kernel.ports import Clock

__all__ = ["IcalGateway"]

_ADDRESS: Final = "url"
_MOST_CHECKED: Final = 20
_LIMITS: Final = evolve(CHANNEL_LIMITS, largest_answer=MOST_BYTES)
_DONE: Final = Outcome(OutcomeKind.DONE)
_CODES: Final = {
    OutcomeKind.UNAUTHORISED: "CREDENTIALS_REFUSED",
    OutcomeKind.REFUSED: "LISTING_UNKNOWN",
}


@frozen
class _Answered:
    """What asking for a feed came to; ``feed`` is there where the outcome is good."""

    outcome: Outcome
    feed: Feed | None = None
    tag: FeedTag | None = None


class IcalGateway(GatewayBase):
    """Reads the feed of each mapped room that has an address among the credentials, as ``url.<room code>`` or, of a single room, ``url``."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        del clock
        self._wire = wire

    @property
    def manifest(self) -> Manifest:
        """What it can."""
        return MANIFEST

    def check(self, at: At) -> Health:
        """Read the feeds, mapped or not yet, up to a number of them; one that cannot be read is named by its room."""
        for room_code, url in [*_addresses(at).items()][:_MOST_CHECKED]:
            outcome = self._asked(at, room_code, url, None).outcome
            if outcome.kind is OutcomeKind.DONE:
                continue
            is_odd = outcome.error.startswith("unreadable")
            return Health(
                is_healthy=False,
                message=f"The calendar{room_code and f' of room {room_code}'} cannot be read: {outcome.error}",
                error_code="FEED_UNREADABLE" if is_odd else _CODES.get(outcome.kind, "PLATFORM_UNAVAILABLE"),
            )
        return Health(is_healthy=True, message="Connection is healthy")

    def pull(self, at: At, cursor: str) -> Pulled:
        """Read the feed that is next; without any there is nothing to do.

        A feed that fails comes again after the others, and only then counts as what the run has failed by.
        """
        feeds = _feeds(at)
        if not feeds:
            return Pulled(outcome=_DONE)
        place = Round.read(cursor).goes_on([*feeds], at.now)
        room_code = place.room
        found = self._asked(at, room_code, feeds[room_code], place.tags.get(room_code))
        if found.feed is not None:
            after = place.done(found.tag)
            return Pulled(
                outcome=found.outcome, feed=found.feed, cursor=after.written(), has_more=after.has_more
            )
        later = None if found.outcome.kind is OutcomeKind.BUSY else place.set_back()
        if later is not None:
            outcome = Outcome(OutcomeKind.PARTLY, found.outcome.error)
            return Pulled(outcome=outcome, cursor=later.written(), has_more=True)
        return Pulled(outcome=_of_one_room(found.outcome, len(feeds)), cursor=cursor)

    def _asked(self, at: At, room_code: str, url: str, tag: FeedTag | None) -> _Answered:
        """Ask for a feed; with ``tag`` only for what is newer."""
        known = {} if tag is None else tag.headers(url)
        # The address itself is what opens the feed, so no part of it is shown.
        headers = {"accept": "text/calendar", **known}
        reply = asked(
            self._wire, Call(method="GET", url=url, headers=headers, shows_path=False), limits=_LIMITS
        )
        answer = reply.answer
        if answer is not None and answer.status == 304 and known:
            feed = Feed(room_code=room_code, stays=(), read_at=at.now, is_unchanged=True)
            return _Answered(_DONE, feed)
        if answer is None or reply.outcome.kind is not OutcomeKind.DONE:
            return _Answered(reply.outcome)
        if answer.status != 200 or answer.is_cut:
            return _Answered(Outcome(OutcomeKind.UNSURE, f"http_{answer.status}_not_whole"))
        try:
            events = read_calendar(answer.body, at.zone)
        except UnreadableError as error:
            return _Answered(outcome_of(error))
        feed = Feed(room_code=room_code, stays=tuple(_stay(each) for each in events), read_at=at.now)
        return _Answered(_DONE, feed, FeedTag.of(url, answer.headers))


def _feeds(at: At) -> dict[str, str]:
    """Return the address of each mapped room that has one; one without a room's code is that of the only room."""
    given = _addresses(at)
    rooms = [room.room_code for room in at.mappings.rooms]
    if len(rooms) == 1 and "" in given:
        given.setdefault(rooms[0], given[""])
    return {code: given[code] for code in rooms if code in given}


def _addresses(at: At) -> dict[str, str]:
    """Return the addresses among the credentials by the codes of rooms, ``""`` for one without.

    The scheme of calendars is HTTP with TLS.
    """
    found: dict[str, str] = {}
    for name, secret in sorted(at.credentials.items()):
        kind, _, room_code = name.partition(".")
        if kind == _ADDRESS:
            url = secret.reveal().strip()
            found[room_code] = f"https://{url[9:]}" if url.lower().startswith("webcal://") else url
    return found


def _of_one_room(outcome: Outcome, feeds: int) -> Outcome:
    """Return what a failure means for the connection: an address that was withdrawn closes no other room."""
    if outcome.kind is OutcomeKind.UNAUTHORISED and feeds > 1:
        return Outcome(OutcomeKind.REFUSED, outcome.error)
    return outcome


def _stay(event: BusyEvent) -> FeedStay:
    """Return an event as the core knows it: whoever is not surely a guest only takes the nights."""
    kind = SaleKind.BOOKING if event.kind is EventKind.RESERVATION else SaleKind.BLOCK
    return FeedStay(uid=event.uid, nights=event.nights, kind=kind, reference=event.reference)
