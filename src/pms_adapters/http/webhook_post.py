"""Carrying webhook messages through the door: once each, within 20 seconds, to addresses that strangers gave us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pms_adapters.http.door import NO_RETRIES, Call, HttpDoor, Limits
from pmscore.kernel.errors import InvalidInputError, PmsError
from pmscore.webhooks.model.deliveries import Outcome
from pmscore.webhooks.ports import WebhookPost

__all__ = ["HttpWebhookPost"]

LONGEST_ANSWER: Final = 500
_LIMITS: Final = Limits(
    connect_seconds=5, read_seconds=20, total_seconds=20, largest_answer=LONGEST_ANSWER, cuts_answer=True
)


class HttpWebhookPost(WebhookPost):
    """Posts messages; its retries are the deliveries' own, over days."""

    def __init__(self, door: HttpDoor) -> None:
        self._door = door

    def check(self, url: str) -> None:
        """Refuse an address that can never be called.

        Raises:
            InvalidInputError: for ``url``.
        """
        self._door.guard.target(url)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send one message once; what goes wrong is told as a word, without the numbers behind a name."""
        call = Call(method="POST", url=url, headers=headers, body=body, shows_path=False)
        try:
            answer = self._door.send(call, limits=_LIMITS, retries=NO_RETRIES)
        except InvalidInputError as error:
            return Outcome(error=error.reason)
        except PmsError as error:
            return Outcome(error=str(error.params.get("reason") or error.code))
        asked = self._door.retry_after(answer)
        return Outcome(
            status=answer.status,
            duration_ms=round(answer.seconds * 1000),
            answer=_shown(answer.body),
            retry_after=None if asked is None else round(asked),
        )


def _shown(body: bytes) -> str:
    """Return the beginning of an answer as text that every store keeps and every screen shows."""
    text = body.decode("utf-8", "replace")
    return "".join(each if each.isprintable() or each == "\n" else "\ufffd" for each in text)
