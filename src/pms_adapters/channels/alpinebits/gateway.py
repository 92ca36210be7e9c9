"""The client of AlpineBits: one call a method, without any state.

Owns the order of question and answer. Leaves the shape of messages to ``documents`` and ``guest_requests``, what an
answer means to ``answers``, and limits and trying again to the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pms_adapters.channels.alpinebits.actions import Action
from pms_adapters.channels.alpinebits.answers import answered, judged_warnings
from pms_adapters.channels.alpinebits.documents import free_rooms, handshake, read_request, report
from pms_adapters.channels.alpinebits.form import posted
from pms_adapters.channels.alpinebits.guest_requests import read_page
from pms_adapters.channels.alpinebits.handshakes import lacking
from pms_adapters.channels.alpinebits.manifest import MANIFEST
from pms_adapters.channels.alpinebits.rounds import Round
from pms_adapters.http.wire import Wire, asked, base_url
from pms_adapters.serialization.xml import Node
from pmscore.channels.model.calls import At, Health, Outcome, OutcomeKind, Pulled, Push, PushResult
from pmscore.channels.model.manifest import Manifest
from pmscore.channels.model.revisions import StoredRevision
from pmscore.channels.ports import GatewayBase
from pmscore.kernel.ports import Clock

__all__ = ["AlpineBitsGateway"]

_DONE: Final = Outcome(OutcomeKind.DONE)
_NO_ADDRESS: Final = Outcome(OutcomeKind.UNAUTHORISED, "address_missing")


class AlpineBitsGateway(GatewayBase):
    """Speaks with a server of AlpineBits through a wire; its address is the connection's setting ``base_url``."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        del clock
        self._wire = wire

    @property
    def manifest(self) -> Manifest:
        """What it can."""
        return MANIFEST

    def check(self, at: At) -> Health:
        """Shake hands: the server says which of our version's actions it can, and has to have all that we use."""
        outcome, root = self._asked(at, Action.PING, handshake())
        if root is None:
            return _unhealthy(outcome)
        missing = lacking(root)
        if missing:
            return Health(
                is_healthy=False,
                message=f"The server cannot do what is needed: {', '.join(missing)}",
                error_code="NOT_SUPPORTED",
                details={"missing": [*missing]},
            )
        return Health(is_healthy=True, message="Connection is healthy")

    def push(self, at: At, push: Push) -> PushResult:
        """Send free rooms; a complete push replaces what the server has, any other one changes what it names.

        A server takes a message or does not: what it does not say of which rooms, the engine finds out by halves.
        """
        outcome, root = self._asked(at, Action.FREE_ROOMS, free_rooms(at, push))
        return PushResult(outcome if root is None else judged_warnings(root))

    def pull(self, at: At, cursor: str) -> Pulled:
        """Ask for what was sold; a round of the cursor is two questions."""
        here = Round.read(cursor)
        question = read_request(at.connection.listing_id, since=here.asks_since)
        outcome, root = self._asked(at, Action.READ, question)
        if root is None:
            return Pulled(outcome=outcome, cursor=cursor)
        page = read_page(root, at)
        after, has_more = here.after(at.now)
        return Pulled(
            outcome=_DONE,
            revisions=page.revisions,
            malformed=page.malformed,
            cursor=after.written(),
            has_more=has_more,
        )

    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:
        """Report that these are known, all in one call."""
        known = [each.revision for each in revisions if each.revision is not None]
        if not known:
            return _DONE
        outcome, _ = self._asked(at, Action.REPORT, report(known))
        return outcome

    def _asked(self, at: At, action: Action, document: bytes) -> tuple[Outcome, Node | None]:
        """Send one call; return the answer's document where it was carried out."""
        url = base_url(MANIFEST, at.connection)
        if not url:
            return _NO_ADDRESS, None
        call = posted(url, action, document, at.credentials)
        if call is None:
            return Outcome(OutcomeKind.UNAUTHORISED, "credentials_missing"), None
        return answered(asked(self._wire, call), action)


def _unhealthy(outcome: Outcome) -> Health:
    """Return why a connection does not work, in words for whoever set it up."""
    message, code = f"AlpineBits: {outcome.error}", "PLATFORM_UNAVAILABLE"
    if outcome == _NO_ADDRESS:
        message, code = "Each portal has an address of its own: enter it as base_url", "ADDRESS_MISSING"
    elif outcome.kind is OutcomeKind.UNAUTHORISED:
        code = "CREDENTIALS_REFUSED"
    return Health(is_healthy=False, message=message, error_code=code)
