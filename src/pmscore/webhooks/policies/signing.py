"""Signatures of the Standard Webhooks specification 1.0, made and checked.

Owns the symmetric scheme (``v1``: HMAC-SHA256 over id, time and body) with several secrets at once, so that
one can be changed without a message lost. ``verify_webhook`` is for those who receive: give it the raw body,
before any parser has seen it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from pmscore.kernel.errors import DomainError, InvalidInputError
from pmscore.kernel.secrets import Secret, SecretSource

__all__ = ["TOLERANCE", "WebhookRefusedError", "new_secret", "signed_headers", "verify_webhook"]

TOLERANCE: Final = timedelta(seconds=300)
SECRET_BYTES: Final = 32
LEAST_SECRET_BYTES: Final = 24
MOST_SECRET_BYTES: Final = 64
MOST_SIGNATURES: Final = 20
_PREFIX = "whsec_"


class WebhookRefusedError(DomainError):
    """A message is not what it says; ``reason`` is ``header_missing``, ``timestamp`` or ``no_match``."""

    code = "webhook_refused"


def new_secret(source: SecretSource) -> Secret:
    """Return a fresh secret in the form in which users exchange them."""
    return Secret(_PREFIX + base64.b64encode(source.draw(SECRET_BYTES)).decode())


def signed_headers(message_id: str, now: datetime, body: bytes, secrets: Iterable[Secret]) -> dict[str, str]:
    """Return the headers of a message; each secret signs, the newest first.

    Raises:
        InvalidInputError: a secret is none.
    """
    at = str(int(now.timestamp()))
    signatures = " ".join(f"v1,{_signature(message_id, at, body, _key(each))}" for each in secrets)
    return {"webhook-id": message_id, "webhook-timestamp": at, "webhook-signature": signatures}


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[Secret | str],
    now: datetime,
    *,
    tolerance: timedelta = TOLERANCE,
) -> str:
    """Return the id of a message that one of ``secrets`` has signed lately; see it once only, for seven days.

    ``headers`` are found whatever the case of their names. The comparison takes the same time wherever two
    signatures differ.

    Raises:
        WebhookRefusedError: a header is missing, its time lies more than ``tolerance`` off, or nobody of ours signed.
        InvalidInputError: a secret is none.
    """
    keys = [_key(each if isinstance(each, Secret) else Secret(each)) for each in secrets]
    found = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, at = found["webhook-id"], found["webhook-timestamp"]
        signatures = found["webhook-signature"].split(" ", MOST_SIGNATURES)[:MOST_SIGNATURES]
    except KeyError as error:
        raise WebhookRefusedError(reason="header_missing") from error
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or not message_id:
        raise WebhookRefusedError(reason="timestamp")
    if abs(int(now.timestamp()) - int(at)) > tolerance.total_seconds():
        raise WebhookRefusedError(reason="timestamp")
    is_ours = False
    for key in keys:
        expected = f"v1,{_signature(message_id, at, body, key)}".encode()
        for each in signatures:
            is_ours |= hmac.compare_digest(expected, each.encode())
    if not is_ours:
        raise WebhookRefusedError(reason="no_match")
    return message_id


def _signature(message_id: str, at: str, body: bytes, key: bytes) -> str:
    signed = f"{message_id}.{at}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _key(secret: Secret) -> bytes:
    written = secret.reveal().removeprefix(_PREFIX)
    try:
        key = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError("secret", "not_a_webhook_secret") from error
    if not LEAST_SECRET_BYTES <= len(key) <= MOST_SECRET_BYTES:
        raise InvalidInputError("secret", "not_a_webhook_secret")
    return key
