"""The client of Google's hotel prices: one call a method, without any state.

Owns addresses and what a whole answer means. Without the partner's key nothing is sent. Leaves the shape of messages
to ``wire``, limits and trying again to the engine.
"""

from __future__ import annotations

from typing import Final

from pms_adapters.channels.google.manifest import MANIFEST
from pms_adapters.channels.google.mapping import SAYS
from pms_adapters.channels.google.wire import message, outcome_in, partner_name
from pms_adapters.http.door import Call
from pms_adapters.http.wire import Wire, asked, base_url, outcome_of
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, Health, Outcome, OutcomeKind, Push, PushResult
from pmscore.channels.model.manifest import Manifest
from pmscore.channels.ports import GatewayBase
from pmscore.kernel.ports import Clock

__all__ = ["GoogleGateway"]

_CODES: Final = {
    OutcomeKind.UNAUTHORISED: "CREDENTIALS_REFUSED",
    OutcomeKind.REFUSED: "PLATFORM_REFUSED",
}


class GoogleGateway(GatewayBase):
    """Speaks with Google through a wire, as the partner that the deployment is."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        del clock
        self._wire = wire

    @property
    def manifest(self) -> Manifest:
        """What it can."""
        return MANIFEST

    def check(self, at: At) -> Health:
        """Send a message about no nights: whether the partner is let in and the hotel is known shows, and nothing changes."""
        outcome = self._told(at, (), f"check-{at.now:%Y%m%d%H%M%S}")
        if outcome.kind is OutcomeKind.DONE:
            return Health(is_healthy=True, message="Connection is healthy")
        if outcome.error == "partner_settings_missing":
            said = "This deployment has no key of a Google partner: files can be written, nothing is sent"
            return Health(is_healthy=False, message=said, error_code="PARTNER_KEY_MISSING")
        code = _CODES.get(outcome.kind, "PLATFORM_UNAVAILABLE")
        return Health(is_healthy=False, message=f"Google: {outcome.error}", error_code=code)

    def push(self, at: At, push: Push) -> PushResult:
        """Send the entries, which are all of one kind of message."""
        return PushResult(self._told(at, push.entries, str(push.push_id)))

    def _told(self, at: At, entries: tuple[Entry, ...], token: str) -> Outcome:
        partner = partner_name(at)
        if not partner:
            return Outcome(OutcomeKind.UNAUTHORISED, "partner_settings_missing")
        told = message(at, entries, token=token, partner=partner)
        url = f"{base_url(MANIFEST, at.connection)}/{SAYS[told.kind].path}"
        headers = {"content-type": "application/xml", "accept": "application/xml"}
        reply = asked(self._wire, Call(method="POST", url=url, headers=headers, body=told.body))
        if reply.answer is None or reply.outcome.kind is not OutcomeKind.DONE:
            return reply.outcome
        if reply.answer.is_cut:
            return Outcome(OutcomeKind.UNSURE, "answer_cut")
        try:
            return outcome_in(reply.answer.body, told.kind, token=token)
        except UnreadableError as error:
            return outcome_of(error)
