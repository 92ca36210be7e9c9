"""The client of Booking.com: one call a method, without any state.

Owns addresses, headers, the exchange of a token, and what a whole answer means. Leaves the shape of messages to
``wire`` and ``sales``, limits and trying again to the engine. The partner's client id and secret belong to the
deployment.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from attrs import evolve

from pms_adapters.channels.booking_com.manifest import MANIFEST
from pms_adapters.channels.booking_com.mapping import CLIENT_ID, CLIENT_SECRET
from pms_adapters.channels.booking_com.sales import Queue, read_queue
from pms_adapters.channels.booking_com.wire import acknowledgement, outcome_said, push_message, push_result
from pms_adapters.http.door import Call
from pms_adapters.http.wire import Wire, asked, base_url, outcome_of
from pms_adapters.serialization import json
from pms_adapters.serialization.unreadable import UnreadableError
from pms_adapters.serialization.xml import Node, parse
from pmscore.channels.model.calls import At, Health, Outcome, OutcomeKind, Pulled, Push, PushResult, Renewed
from pmscore.channels.model.manifest import Manifest
from pmscore.channels.model.revisions import StoredRevision
from pmscore.channels.ports import GatewayBase
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ports import Clock
from pmscore.kernel.reading import ObjectReader
from pmscore.kernel.secrets import Secret

__all__ = ["CHANGES", "NEW", "BookingComGateway"]

NEW: Final = Queue(
    name="OTA_HotelResNotif", many="HotelReservations", one="HotelReservation", is_change=False
)
CHANGES: Final = Queue(
    name="OTA_HotelResModifyNotif", many="HotelResModifies", one="HotelResModify", is_change=True
)

_AT_CHANGES: Final = "changes"
_TOKEN_LASTS: Final = timedelta(hours=1)
_LONGEST_TOKEN: Final = 8_000
_UNSURE: Final = Outcome(OutcomeKind.UNSURE, "unreadable_shape")
_DONE: Final = Outcome(OutcomeKind.DONE)


class BookingComGateway(GatewayBase):
    """Speaks with Booking.com through a wire."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        del clock
        self._wire = wire

    @property
    def manifest(self) -> Manifest:
        """What it can."""
        return MANIFEST

    def check(self, at: At) -> Health:
        """Look into the queue of new reservations; nothing is acknowledged, so nothing gets lost."""
        if at.token is None:
            renewed = self.renew(at)
            if renewed.token is None:
                return _unhealthy(renewed.outcome)
            at = evolve(at, token=renewed.token)
        outcome = self.pull(at, "").outcome
        if outcome.kind is not OutcomeKind.DONE:
            return _unhealthy(outcome)
        return Health(is_healthy=True, message="Connection is healthy")

    def push(self, at: At, push: Push) -> PushResult:
        """Send the entries, all of one message; a message with an error is not taken at all."""
        name, body = push_message(at, push)
        outcome, said = self._asked(at, "POST", "production", name, body)
        return PushResult(outcome) if said is None else push_result(push, name, said)

    def pull(self, at: At, cursor: str) -> Pulled:
        """Look into one queue, first that of new reservations, then that of changes; the cursor says which."""
        queue = CHANGES if cursor == _AT_CHANGES else NEW
        query = urlencode({"hotel_ids": at.connection.listing_id})
        outcome, said = self._asked(at, "GET", "production.reservations", f"{queue.name}?{query}")
        if said is None:
            return Pulled(outcome=outcome, cursor=cursor)
        if said.child("Errors") is not None:
            return Pulled(outcome=outcome_said(said, queue.answer, queue.told), cursor=cursor)
        try:
            told = read_queue(said, queue, at)
        except InvalidInputError:
            return Pulled(outcome=_UNSURE, cursor=cursor)
        return Pulled(
            outcome=_DONE,
            revisions=told.revisions,
            malformed=told.malformed,
            cursor="" if queue.is_change else _AT_CHANGES,
            has_more=not queue.is_change,
        )

    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:
        """Say that reservations of a queue are known, with the bookings that they are here."""
        (name,) = {self.queue_of(each) for each in revisions}
        queue = CHANGES if name == CHANGES.name else NEW
        body = acknowledgement(at.now, revisions, is_change=queue.is_change)
        outcome, said = self._asked(at, "POST", "production.reservations", queue.name, body)
        return outcome if said is None else outcome_said(said, queue.answer)

    def queue_of(self, stored: StoredRevision) -> str:
        """Return the queue of new reservations, or that of changes and cancellations."""
        is_change = stored.revision is not None and stored.revision.receipt.get("is_change") is True
        return CHANGES.name if is_change else NEW.name

    def renew(self, at: At) -> Renewed:
        """Exchange the partner's client id and secret for a token, which lasts for an hour at most."""
        client_id, secret = at.partner.get(CLIENT_ID), at.partner.get(CLIENT_SECRET)
        if client_id is None or secret is None:
            return Renewed(Outcome(OutcomeKind.UNAUTHORISED, "partner_settings_missing"))
        body = json.written({"client_id": client_id.reveal(), "client_secret": secret.reveal()})
        reply = asked(
            self._wire,
            Call(
                method="POST",
                url=f"{_address(at, 'production.token')}/token-based-authentication/exchange",
                headers={"accept": "application/json", "content-type": "application/json"},
                body=body,
            ),
        )
        if reply.answer is None or reply.outcome.kind is not OutcomeKind.DONE:
            return Renewed(reply.outcome)
        try:
            token = ObjectReader.of(json.parse(reply.answer.body)).text("jwt")
        except (UnreadableError, InvalidInputError):
            return Renewed(_UNSURE)
        if not (0 < len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable()):
            return Renewed(_UNSURE)
        return Renewed(
            _DONE, Secret(token), min(at.now + _TOKEN_LASTS, _expiry(token, at.now + _TOKEN_LASTS))
        )

    def _asked(
        self, at: At, method: str, host: str, target: str, body: bytes = b""
    ) -> tuple[Outcome, Node | None]:
        """Send one call; return the answer's document where it was done."""
        if at.token is None:
            return Outcome(OutcomeKind.UNAUTHORISED, "token_missing"), None
        headers: dict[str, str | Secret] = {
            "authorization": Secret(f"Bearer {at.token.reveal()}"),
            "accept": "application/xml",
            "content-type": "application/xml",
            "accept-version": "1.1",
        }
        url = f"{_address(at, host)}/hotels/ota/{target}"
        reply = asked(self._wire, Call(method=method, url=url, headers=headers, body=body))
        if reply.answer is None or reply.outcome.kind is not OutcomeKind.DONE:
            return reply.outcome, None
        try:
            return reply.outcome, parse(reply.answer.body)
        except UnreadableError as error:
            return outcome_of(error), None


def _address(at: At, host: str) -> str:
    """Return one of their three hosts; the connection's own address stands for all of them."""
    return (
        base_url(MANIFEST, at.connection)
        if at.connection.settings.get("base_url")
        else MANIFEST.base_urls[host]
    )


def _unhealthy(outcome: Outcome) -> Health:
    is_refused = outcome.kind is OutcomeKind.UNAUTHORISED
    return Health(
        is_healthy=False,
        message=f"Booking.com: {outcome.error}",
        error_code="CREDENTIALS_REFUSED" if is_refused else "PLATFORM_UNAVAILABLE",
    )


def _expiry(token: str, otherwise: datetime) -> datetime:
    """Return when a token says that it ends; one that does not say ends ``otherwise``."""
    try:
        claims = token.split(".")[1]
        said = ObjectReader.of(json.parse(urlsafe_b64decode(claims + "=" * (-len(claims) % 4))))
        return datetime.fromtimestamp(said.integer("exp"), UTC)
    except (IndexError, ValueError, OverflowError, OSError, UnreadableError, InvalidInputError):
        return otherwise
