"""The box of secrets: AES-256-GCM under a ring of keys, the newest first.

Owns the form of a sealed text, ``pms1.<key id>.<nonce and ciphertext>``, and what it is bound to: the agency, the
column and the key id are associated data, so a text that was moved does not open. Leaves reading the keys to the
settings and sealing anew to ``pms rotate-keys``. The id of a key is made from the key, so a
ring that was put together in another order reads the same texts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pmscore.kernel.errors import InvalidInputError, MisconfiguredError
from pmscore.kernel.ids import AgencyId
from pmscore.kernel.secrets import Secret, SecretBox

__all__ = ["AesGcmBox", "new_key", "read_keys"]

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_FORM = "pms1"
_SETTING = "ENCRYPTION_KEY"


class AesGcmBox(SecretBox):
    """Seals with the first of ``keys`` and opens with whichever sealed; safe to share between threads."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}
        self._newest = next(iter(self._ciphers), None)

    def __repr__(self) -> str:
        return f"AesGcmBox(keys={list(self._ciphers)})"

    def seal(self, agency_id: AgencyId, column: str, secret: Secret) -> str:
        """Return ``secret`` sealed with the newest key.

        Raises:
            MisconfiguredError: there is no key.
        """
        if self._newest is None:
            raise MisconfiguredError(reason="no_encryption_key", setting=_SETTING)
        nonce = os.urandom(NONCE_BYTES)
        place = _place(agency_id, column, self._newest)
        hidden = self._ciphers[self._newest].encrypt(nonce, secret.reveal().encode(), place)
        return f"{_FORM}.{self._newest}.{base64.urlsafe_b64encode(nonce + hidden).decode()}"

    def open(self, agency_id: AgencyId, column: str, sealed: str) -> Secret:
        """Return what was sealed.

        Raises:
            MisconfiguredError: its key is not in the ring, or it was changed or moved.
        """
        form, _, rest = sealed.partition(".")
        key_id, _, body = rest.partition(".")
        if form != _FORM:
            raise MisconfiguredError(reason="sealed_text_unknown", column=column)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise MisconfiguredError(
                reason="encryption_key_missing", key=key_id[:16], column=column, setting=_SETTING
            )
        try:
            parts = base64.b64decode(body, altchars=b"-_", validate=True)
            place = _place(agency_id, column, key_id)
            text = cipher.decrypt(parts[:NONCE_BYTES], parts[NONCE_BYTES:], place).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise MisconfiguredError(reason="sealed_text_broken", key=key_id[:16], column=column) from error
        return Secret(text)

    def is_current(self, sealed: str) -> bool:
        """Return whether the newest key sealed it."""
        return self._newest is not None and sealed.startswith(f"{_FORM}.{self._newest}.")


def new_key() -> str:
    """Return a new key as ``ENCRYPTION_KEY`` takes it."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


def read_keys(text: str) -> tuple[bytes, ...]:
    """Return the keys written in ``text``: 32 bytes each in base64, divided by commas or blanks, newest first.

    Raises:
        InvalidInputError: one of them is no such key, or stands there twice; it is not repeated in the error.
    """
    keys: list[bytes] = []
    for written in text.replace(",", " ").split():
        try:
            key = base64.b64decode(written.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidInputError(_SETTING, "not_a_key_of_32_bytes", at=len(keys) + 1) from error
        if len(key) != KEY_BYTES:
            raise InvalidInputError(_SETTING, "not_a_key_of_32_bytes", at=len(keys) + 1)
        if key in keys:
            raise InvalidInputError(_SETTING, "key_twice", at=len(keys) + 1)
        keys.append(key)
    return tuple(keys)


def _id_of(key: bytes) -> str:
    return hashlib.sha256(b"pms key id\x00" + key).hexdigest()[:8]


def _place(agency_id: AgencyId, column: str, key_id: str) -> bytes:
    # The agency and the key id have fixed lengths, so no two places are written alike.
    return agency_id.bytes + key_id.encode() + column.encode()
