"""The client of Expedia QuickConnect: one call a method, without any state.

Owns addresses, headers and what a whole answer means: errors of content come with status 200. Leaves the shape of
messages to ``wire`` and ``sales``, and the one message in flight a hotel, as well as trying again, to the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import evolve

from pms_adapters.channels.expedia.manifest import MANIFEST
from pms_adapters.channels.expedia.mapping import Service
from pms_adapters.channels.expedia.products import products_body, read_products
from pms_adapters.channels.expedia.sales import (
    confirmation_body,
    read_bookings,
    retrieval_body,
)
from pms_adapters.channels.expedia.wire import outcome_of_errors, push_body, push_result, warnings
from pms_adapters.http.door import Answer, Call
from pms_adapters.http.wire import Wire, asked, base_url, outcome_of
from pms_adapters.serialization.unreadable import UnreadableError
from pms_adapters.serialization.xml import Node, parse
from pmscore.channels.model.calls import (
    At,
    Health,
    Outcome,
    OutcomeKind,
    Pulled,
    Push,
    PushResult,
    RemoteRoom,
)
from pmscore.channels.model.manifest import Manifest
from pmscore.channels.model.revisions import StoredRevision
from pmscore.channels.ports import GatewayBase
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ports import Clock

__all__ = ["ExpediaGateway"]

_MOST_BYTES: Final = 5_000_000
_DONE: Final = Outcome(OutcomeKind.DONE)
_UNSURE: Final = Outcome(OutcomeKind.UNSURE, "unreadable_shape")
_MISSING: Final = Outcome(OutcomeKind.UNAUTHORISED, "credentials_missing")
_FINAL: Final = frozenset({OutcomeKind.DONE, OutcomeKind.REFUSED})


class ExpediaGateway(GatewayBase):
    """Speaks with Expedia through a wire."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        del clock
        self._wire = wire

    @property
    def manifest(self) -> Manifest:
        """What it can."""
        return MANIFEST

    def check(self, at: At) -> Health:
        """Ask for the bookings of the hotel, which is how Expedia has a connection tried."""
        outcome = self.pull(at, "").outcome
        if outcome.kind is OutcomeKind.DONE:
            return Health(is_healthy=True, message="Connection is healthy")
        code = "PLATFORM_UNAVAILABLE"
        if outcome.kind is OutcomeKind.UNAUTHORISED:
            code = "LISTING_UNKNOWN" if outcome.error == "error_3202" else "CREDENTIALS_REFUSED"
        return Health(is_healthy=False, message=f"Expedia: {outcome.error}", error_code=code)

    def rooms(self, at: At) -> tuple[Outcome, tuple[RemoteRoom, ...]]:
        """Ask for the room types and rate plans of the hotel."""
        try:
            body = products_body(at)
        except InvalidInputError:
            return _MISSING, ()
        outcome, answer = self._asked(at, Service.PRODUCTS, body)
        if answer is None:
            return outcome, ()
        try:
            return _DONE, read_products(answer)
        except InvalidInputError:
            return _UNSURE, ()

    def push(self, at: At, push: Push) -> PushResult:
        """Send the entries; success may carry warnings about some of them."""
        try:
            body = push_body(at, push)
        except InvalidInputError:
            return PushResult(_MISSING)
        outcome, answer = self._asked(at, Service.AVAIL_RATE, body)
        if answer is None:
            return PushResult(outcome)
        try:
            return push_result(at, push, answer)
        except InvalidInputError:
            return PushResult(_UNSURE)

    def pull(self, at: At, cursor: str) -> Pulled:
        """Fetch what is not confirmed, 125 messages at most; the others come when these are."""
        try:
            body = retrieval_body(at)
        except InvalidInputError:
            return Pulled(outcome=_MISSING, cursor=cursor)
        outcome, answer = self._asked(at, Service.RETRIEVAL, body)
        if answer is None:
            return Pulled(outcome=outcome, cursor=cursor)
        try:
            found = read_bookings(at, answer)
        except InvalidInputError:
            return Pulled(outcome=_UNSURE, cursor=cursor)
        return Pulled(outcome=_DONE, revisions=found.revisions, malformed=found.malformed)

    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:
        """Confirm revisions, each with the booking that it is here."""
        try:
            body = confirmation_body(at, revisions)
        except InvalidInputError:
            return _MISSING
        outcome, answer = self._asked(at, Service.CONFIRM, body)
        if answer is None:
            return outcome
        try:
            warned = warnings(answer, Service.CONFIRM)
        except InvalidInputError:
            return _UNSURE
        if not warned:
            return _DONE
        kind = OutcomeKind.REFUSED if len(warned) >= len(revisions) else OutcomeKind.PARTLY
        return Outcome(kind, f"warning_{warned[0].code}"[:64])

    def _asked(self, at: At, service: Service, body: bytes) -> tuple[Outcome, Node | None]:
        """Send one message; return the answer's document where it has no errors."""
        call = Call(
            method="POST",
            url=f"{base_url(MANIFEST, at.connection)}/{service.value}",
            headers={"accept": "text/xml", "content-type": "text/xml; charset=utf-8"},
            body=body,
        )
        reply = asked(self._wire, call)
        if reply.answer is None:
            return reply.outcome, None
        return self._understood(reply.outcome, reply.answer)

    def _understood(self, outcome: Outcome, answer: Answer) -> tuple[Outcome, Node | None]:
        """Return what an answer says; a refusal that is not theirs (a page of somebody in between) refuses nothing."""
        try:
            said = parse(answer.body, most_bytes=_MOST_BYTES)
        except UnreadableError as error:
            return (outcome_of(error) if outcome.kind in _FINAL else outcome), None
        errors = outcome_of_errors(said)
        if errors is not None:
            return evolve(errors, retry_after=self._wire.retry_after(answer)), None
        if outcome.kind is OutcomeKind.DONE:
            return outcome, said
        return (_UNSURE if outcome.kind in _FINAL else outcome), None
