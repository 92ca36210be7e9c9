"""What a calendar feed says after what it said before: a feed tells what is there, and never what has changed.

Laws: the same feed twice changes nothing. Nights are freed by a second look at the earliest, and never because a feed
is short of most of what it had; then a person says so. A stay that has begun is never ended by a feed: one that was
left out before is for a person to look at. Events of our own export are no stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final

from attrs import evolve, frozen

from pmscore.channels.model.calls import Feed, FeedStay
from pmscore.channels.model.revisions import Link, Revision, RevisionStatus, SaleKind, SoldRoom
from pmscore.dates.nights import MAX_NIGHTS
from pmscore.dates.ranges import DateRange

__all__ = ["GRACE", "LEFT_OUT", "OWN_UIDS", "FeedVerdict", "cancellation_of", "compare", "feed_prefix"]

GRACE: Final = timedelta(minutes=10)
"""What is missing is ended by a good read that comes so much later at the earliest."""
LEFT_OUT: Final = "left_out_before_it_began"
"""Why a person has to look at a stay that its feed had no more when it began."""
OWN_UIDS: Final = "@pmscore"
_AGAIN: Final = "~"
_MOST_UID: Final = 150
_TICK: Final = timedelta(microseconds=1)


@frozen(kw_only=True)
class FeedVerdict:
    """What follows from a feed: revisions to be stored, links to be noted, and whether a person has to look.

    Where it ``holds``, most of what was there is missing, and nothing is ended; ``missing`` are the keys of that.
    ``begun`` were left out too late to be ended before they began; each is told once.
    """

    revisions: tuple[Revision, ...] = ()
    links: tuple[Link, ...] = ()
    holds: bool = False
    missing: tuple[str, ...] = ()
    begun: tuple[Link, ...] = ()


def feed_prefix(room_code: str) -> str:
    """Return what the keys of all bookings from the feed of a room begin with, and those of no other room."""
    return room_code.replace("%", "%25").replace("/", "%2F") + "/"


def compare(known: Sequence[Link], feed: Feed, *, today: date, grace: timedelta = GRACE) -> FeedVerdict:
    """Return what follows from a good read of a feed for the ``known`` links of its connection.

    ``today`` is the local date of the house. An unchanged feed says what the last one said, so what was
    missing then is missing still.
    """
    prefix = feed_prefix(feed.room_code)
    links = tuple(link for link in known if link.booking_key.startswith(prefix))
    live = [
        link
        for link in links
        if not link.is_cancelled and link.nights is not None and link.nights.end > today
    ]
    if feed.is_unchanged:
        return _about_missing(
            live, [link for link in live if link.missing_since is not None], (), feed, today, grace
        )
    stays = [
        stay for stay in _distinct(feed.stays) if not stay.uid.endswith(OWN_UIDS) and stay.nights.end > today
    ]
    pairs = dict(_matched(live, stays, prefix, today))
    told: list[Revision] = []
    for at, stay in enumerate(stays):
        link = pairs.get(at)
        if link is None:
            told.append(
                _new(
                    (*(link.booking_key for link in links), *(each.booking_key for each in told)), stay, feed
                )
            )
        elif not _says_the_same(link, stay, today):
            told.append(_changed(link, stay, feed))
    found = {link.booking_key for link in pairs.values()}
    missing = [link for link in live if link.booking_key not in found]
    back = tuple(
        evolve(link, missing_since=None) for link in pairs.values() if link.missing_since is not None
    )
    rest = _about_missing(live, missing, back, feed, today, grace)
    return evolve(rest, revisions=(*told, *rest.revisions))


def cancellation_of(link: Link, room_code: str, at: datetime) -> Revision:
    """Return the revision that ends what a feed has left out; the same one, however often it is asked for."""
    digest = _digest(link.revision_id, "cancelled")
    return Revision(
        revision_id=f"{link.booking_key}:{digest}",
        booking_key=link.booking_key,
        status=RevisionStatus.CANCELLED,
        kind=SaleKind.BLOCK if link.booking_id is None else SaleKind.BOOKING,
        revised_at=max(at, link.revised_at + _TICK),
        rooms=(),
        currency="",
        receipt={"room_code": room_code},
    )


def _about_missing(
    live: Sequence[Link],
    missing: Sequence[Link],
    back: tuple[Link, ...],
    feed: Feed,
    today: date,
    grace: timedelta,
) -> FeedVerdict:
    """Return what follows for those that are left out: noted at first, ended later, held where they are too many."""
    to_come = [link for link in live if link.nights is not None and link.nights.start > today]
    gone = [link for link in missing if link.nights is not None and link.nights.start > today]
    begun = tuple(
        link
        for link in missing
        if link.missing_since is not None and link.nights is not None and link.nights.start <= today
    )
    noted = tuple(evolve(link, missing_since=feed.read_at) for link in gone if link.missing_since is None)
    links = (*back, *noted, *(evolve(link, missing_since=None) for link in begun))
    keys = tuple(sorted(link.booking_key for link in gone))
    if len(gone) >= 2 and 2 * len(gone) > len(to_come):
        return FeedVerdict(links=links, holds=True, missing=keys, begun=begun)
    ended = tuple(
        cancellation_of(link, feed.room_code, feed.read_at)
        for link in gone
        if link.missing_since is not None and feed.read_at - link.missing_since >= grace
    )
    return FeedVerdict(revisions=ended, links=links, missing=keys, begun=begun)


def _distinct(stays: Sequence[FeedStay]) -> tuple[FeedStay, ...]:
    """Return the stays without repetitions; of several under one UID with other nights each is one of its own."""
    return tuple(dict.fromkeys(stays))


def _matched(
    live: Sequence[Link], stays: Sequence[FeedStay], prefix: str, today: date
) -> Iterator[tuple[int, Link]]:
    """Yield which stay is which known one: by UID, then a running one by its end, then by equal nights."""
    rest = dict(enumerate(live))
    open_stays = dict(enumerate(stays))

    def same_event(link: Link, stay: FeedStay) -> bool:
        return _base(link.booking_key) == _key(prefix, stay.uid) and link.nights == stay.nights

    def same_uid(link: Link, stay: FeedStay) -> bool:
        return _base(link.booking_key) == _key(prefix, stay.uid)

    def same_running(link: Link, stay: FeedStay) -> bool:
        nights = link.nights
        return nights is not None and nights.start <= today and _is_rest_of(stay.nights, nights, today)

    def same_nights(link: Link, stay: FeedStay) -> bool:
        return link.nights == stay.nights

    for is_same in (same_event, same_uid, same_running, same_nights):
        for at, stay in tuple(open_stays.items()):
            number = next((number for number, link in rest.items() if is_same(link, stay)), None)
            if number is not None:
                yield at, rest.pop(number)
                del open_stays[at]


def _says_the_same(link: Link, stay: FeedStay, today: date) -> bool:
    if _kind_of(link) is not stay.kind:
        return False
    nights = link.nights
    if nights == stay.nights or nights == _cut(stay.nights):
        return True
    return nights is not None and nights.start <= today and _is_rest_of(stay.nights, nights, today)


def _is_rest_of(told: DateRange, nights: DateRange, today: date) -> bool:
    """Return whether a feed tells what is left of a stay that has begun: platforms cut off what has passed."""
    return told.end == nights.end and nights.start <= told.start <= today


def _kind_of(link: Link) -> SaleKind:
    return SaleKind.BLOCK if link.booking_id is None else SaleKind.BOOKING


def _new(taken: Sequence[str], stay: FeedStay, feed: Feed) -> Revision:
    """Return what is sold anew; under a UID that stands for another stay already it is a booking of its own."""
    key = _key(feed_prefix(feed.room_code), stay.uid)
    earlier = sum(1 for each in taken if _base(each) == key)
    return _told(
        f"{key}{_AGAIN}{earlier + 1}" if earlier else key, "", RevisionStatus.NEW, stay, feed, feed.read_at
    )


def _changed(link: Link, stay: FeedStay, feed: Feed) -> Revision:
    at = max(feed.read_at, link.revised_at + _TICK)
    return _told(link.booking_key, link.revision_id, RevisionStatus.CHANGED, stay, feed, at)


def _told(
    key: str, follows: str, status: RevisionStatus, stay: FeedStay, feed: Feed, at: datetime
) -> Revision:
    """Return a revision; its id says what it follows, so that nights that come back are told again."""
    nights = _cut(stay.nights)
    digest = _digest(follows, nights.start.isoformat(), nights.end.isoformat(), stay.kind.value)
    room = SoldRoom(room_code=feed.room_code, stay=nights.to_stay(), adults=1, nightly=())
    return Revision(
        revision_id=f"{key}:{digest}",
        booking_key=key,
        status=status,
        kind=stay.kind,
        revised_at=at,
        rooms=(room,),
        currency="",
        reference=stay.reference,
    )


def _cut(nights: DateRange) -> DateRange:
    """Return the nights that a stay can have; some feeds close all of the future in one event."""
    return nights if nights.length <= MAX_NIGHTS else DateRange.of(nights.start, MAX_NIGHTS)


def _key(prefix: str, uid: str) -> str:
    short = uid if len(uid) <= _MOST_UID else sha256(uid.encode()).hexdigest()
    return prefix + short.replace(_AGAIN, "%7E")


def _base(booking_key: str) -> str:
    return booking_key.rpartition(_AGAIN)[0] or booking_key


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
