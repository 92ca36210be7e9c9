"""The client of Channex: one call a method, without any state.

Owns addresses, headers and what a whole answer means. Leaves the shape of messages to ``wire`` and ``sales``, limits
and trying again to the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from hmac import compare_digest
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from attrs import evolve

from pms_adapters.channels.channex.manifest import MANIFEST
from pms_adapters.channels.channex.mapping import PRICING_NAMES
from pms_adapters.channels.channex.sales import read_bookings, read_page
from pms_adapters.channels.channex.wire import push_body, push_result, read_cells, read_rooms
from pms_adapters.http.door import Call
from pms_adapters.http.wire import Reply, Wire, asked, base_url, outcome_of
from pms_adapters.serialization.json import parse
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.channels.model.calls import (
    At,
    Health,
    Knock,
    Outcome,
    OutcomeKind,
    Pulled,
    Push,
    PushResult,
    ReadBack,
    RemoteRoom,
)
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.model.revisions import StoredRevision
from pmscore.channels.ports import GatewayBase
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError, NotAuthenticatedError
from pmscore.kernel.ports import Clock
from pmscore.kernel.reading import ObjectReader
from pmscore.kernel.secrets import Secret

__all__ = ["KNOCK_HEADER", "ChannexGateway"]

KNOCK_HEADER: Final = "x-webhook-secret"
"""The header that a connection with a ``webhook_secret`` asks Channex to send with each knock."""

_PAGE: Final = 50
_ROOMS_PAGE: Final = 100
_MOST_PAGES: Final = 30
_MOST_BYTES: Final = 5_000_000
_MOST_CELLS: Final = 25_000
"""Nights times rate plans of one answer: each takes some 200 bytes, and there is no smaller page of it."""

_LARGEST_KNOCK: Final = 20_000
_UNSURE: Final = Outcome(OutcomeKind.UNSURE, "unreadable_shape")
_DONE: Final = Outcome(OutcomeKind.DONE)

_ResultT = TypeVar("_ResultT")


class ChannexGateway(GatewayBase):
    """Speaks with Channex through a wire."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        del clock
        self._wire = wire

    @property
    def manifest(self) -> Manifest:
        """What it can."""
        return MANIFEST

    def check(self, at: At) -> Health:
        """Ask for the properties of the key; the connection's must be among them."""
        outcome, found = self._pages(at, "properties")
        if outcome.kind is not OutcomeKind.DONE:
            code = (
                "CREDENTIALS_REFUSED" if outcome.kind is OutcomeKind.UNAUTHORISED else "PLATFORM_UNAVAILABLE"
            )
            return Health(is_healthy=False, message=f"Channex: {outcome.error}", error_code=code)
        for each in found:
            if each.values.get("id") == at.connection.listing_id:
                return Health(is_healthy=True, message="Connection is healthy")
        return Health(
            is_healthy=False,
            message="Channex knows no such property for this key",
            error_code="LISTING_UNKNOWN",
        )

    def rooms(self, at: At) -> tuple[Outcome, tuple[RemoteRoom, ...]]:
        """Ask for the room types and rate plans of the property."""
        own = (("filter[property_id]", at.connection.listing_id),)
        outcome, types = self._pages(at, "room_types", own)
        if outcome.kind is OutcomeKind.DONE:
            outcome, plans = self._pages(at, "rate_plans", own)
            if outcome.kind is OutcomeKind.DONE:
                return _read(lambda: (_DONE, read_rooms(types, plans))) or (_UNSURE, ())
        return outcome, ()

    def push(self, at: At, push: Push) -> PushResult:
        """Send the entries; 200 may carry warnings about some of them."""
        path = "availability" if push.lane is Lane.AVAILABILITY else "restrictions"
        outcome, reply = self._asked(at, "POST", path, body=push_body(at, push))
        if reply is None:
            return PushResult(outcome)
        return _read(lambda: push_result(at, push, reply)) or PushResult(_UNSURE)

    def pull(self, at: At, cursor: str) -> Pulled:
        """Fetch a page of the revisions that nobody has acknowledged; the cursor is the number of the page."""
        number = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) <= 4 else 1
        query = (
            ("filter[property_id]", at.connection.listing_id),
            ("pagination[page]", str(number)),
            ("pagination[limit]", str(_PAGE)),
        )
        outcome, reply = self._asked(at, "GET", "booking_revisions/feed", query)
        if reply is None:
            return Pulled(outcome=outcome, cursor=cursor)
        page = _read(lambda: read_page(reply, at))
        if page is None:
            return Pulled(outcome=_UNSURE, cursor=cursor)
        return Pulled(
            outcome=_DONE,
            revisions=page.revisions,
            malformed=page.malformed,
            cursor=str(number + 1) if page.has_more else "",
            has_more=page.has_more,
        )

    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:
        """Acknowledge revisions, one call each, until one fails; give it one at a time where calls are counted.

        One that is unknown there was acknowledged before, and its answer was lost.
        """
        for each in revisions:
            path = f"booking_revisions/{quote(each.revision_id, safe='')}/ack"
            outcome, _ = self._asked(at, "POST", path)
            if outcome.kind is not OutcomeKind.DONE and outcome.error != "resource_not_found":
                return outcome
        return _DONE

    def read_back(self, at: At, lane: Lane, nights: DateRange) -> ReadBack:
        """Ask for the cells of a range of nights, or for the bookings that have a night in it."""
        if lane is Lane.BOOKINGS:
            return self._bookings(at, nights)
        query = [
            ("filter[property_id]", at.connection.listing_id),
            ("filter[date][gte]", nights.start.isoformat()),
            ("filter[date][lte]", nights.last_night.isoformat()),
        ]
        path = "availability"
        if lane is Lane.PRICING:
            if nights.length * len(at.mappings.rates) > _MOST_CELLS:
                return ReadBack(outcome=Outcome(OutcomeKind.REFUSED, "too_much_to_read"))
            path = "restrictions"
            query.append(("filter[restrictions]", ",".join(PRICING_NAMES.values())))
        outcome, reply = self._asked(at, "GET", path, query)
        if reply is None:
            return ReadBack(outcome=outcome)
        rows = _read(lambda: read_cells(at, lane, nights, reply))
        return ReadBack(outcome=_UNSURE) if rows is None else ReadBack(outcome=outcome, rows=rows)

    def read_knock(self, at: At, knock: Knock) -> Pulled:
        """Check that a knock is about the property's bookings; what has happened is fetched, never believed."""
        secret = at.credentials.get("webhook_secret")
        if secret is not None:
            told = {name.lower(): value for name, value in knock.headers.items()}.get(KNOCK_HEADER, "")
            if not compare_digest(told.encode(), secret.reveal().encode()):
                raise NotAuthenticatedError(reason="webhook_secret")
        try:
            said = ObjectReader.of(parse(knock.body, most_bytes=_LARGEST_KNOCK))
            is_ours = (
                said.text("event").startswith(("booking", "non_acked_booking"))
                and said.text("property_id") == at.connection.listing_id
            )
        except (UnreadableError, InvalidInputError) as error:
            raise NotAuthenticatedError(reason="shape") from error
        if not is_ours:
            raise NotAuthenticatedError(reason="other_subject")
        return Pulled(outcome=_DONE)

    def _bookings(self, at: At, nights: DateRange) -> ReadBack:
        query = (
            ("filter[property_id]", at.connection.listing_id),
            ("filter[departure_date][gte]", (nights.start + timedelta(days=1)).isoformat()),
            ("filter[arrival_date][lte]", nights.last_night.isoformat()),
        )
        outcome, found = self._pages(at, "bookings", query)
        if outcome.kind is not OutcomeKind.DONE:
            return ReadBack(outcome=outcome)
        bookings = _read(lambda: read_bookings(found, at))
        return ReadBack(outcome=_UNSURE) if bookings is None else ReadBack(outcome=outcome, bookings=bookings)

    def _pages(
        self, at: At, path: str, query: Sequence[tuple[str, str]] = ()
    ) -> tuple[Outcome, tuple[ObjectReader, ...]]:
        """Return the items of all pages of a list; one that has too many is as good as none."""
        found: list[ObjectReader] = []
        for number in range(1, _MOST_PAGES + 1):
            paging = (("pagination[page]", str(number)), ("pagination[limit]", str(_ROOMS_PAGE)))
            outcome, reply = self._asked(at, "GET", path, (*query, *paging))
            if reply is None:
                return outcome, ()
            page = _read(partial(_items, reply))
            if page is None:
                return _UNSURE, ()
            items, total = page
            found += items
            if len(found) >= total or not items:
                return _DONE, tuple(found)
        return Outcome(OutcomeKind.UNSURE, "too_many_pages"), ()

    def _asked(
        self, at: At, method: str, path: str, query: Sequence[tuple[str, str]] = (), *, body: bytes = b""
    ) -> tuple[Outcome, ObjectReader | None]:
        """Send one call; return the answer's document where it was done."""
        key = at.credentials.get("api_key")
        if key is None:
            return Outcome(OutcomeKind.UNAUTHORISED, "credentials_missing"), None
        url = f"{base_url(MANIFEST, at.connection)}/{path}" + (f"?{urlencode(query)}" if query else "")
        headers: dict[str, str | Secret] = {
            "user-api-key": key,
            "accept": "application/json",
            "content-type": "application/json",
        }
        return _understood(asked(self._wire, Call(method=method, url=url, headers=headers, body=body)))


def _understood(reply: Reply) -> tuple[Outcome, ObjectReader | None]:
    """Return what an answer says: a document where all is well, the code of their error where it is not.

    A refusal that is not theirs (a page of somebody in between) refuses nothing.
    """
    outcome = reply.outcome
    if reply.answer is None:
        return outcome, None
    try:
        said = ObjectReader.of(parse(reply.answer.body, most_bytes=_MOST_BYTES))
        if outcome.kind is OutcomeKind.DONE:
            said.inside("meta") if said.has("meta") else said.value("data")
            return outcome, said
        code = said.inside("errors").text("code")
    except (UnreadableError, InvalidInputError) as error:
        if outcome.kind in {OutcomeKind.DONE, OutcomeKind.REFUSED}:
            return outcome_of(error) if isinstance(error, UnreadableError) else _UNSURE, None
        return outcome, None
    return evolve(outcome, error=code[:64] if code.isprintable() else outcome.error), None


def _items(said: ObjectReader) -> tuple[tuple[ObjectReader, ...], int]:
    return said.each("data"), said.inside("meta").integer("total")


def _read(reading: Callable[[], _ResultT]) -> _ResultT | None:
    """Return what a reading gives, None where the document is not of its shape."""
    try:
        return reading()
    except InvalidInputError:
        return None
