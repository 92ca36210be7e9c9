"""Our own keys for tokens: which there are, which one signs, which one a token may name.

Owns the reading of ``JWT_SECRET`` and ``JWT_KEYS``. A token chooses among these keys by its key id and nothing else:
no address, certificate or key that it brings along is ever looked at.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Final

from attrs import field, frozen
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey

from pmscore.kernel.errors import InvalidInputError

__all__ = ["ALGORITHMS", "KeyRing", "RingKey"]

ALGORITHMS: Final = ("HS256", "ES256", "Ed25519")
"""Every algorithm that is taken; each key has exactly one of them."""

SHORTEST_SECRET = 32
_KEY_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
_BETWEEN = re.compile(r"[\s,]+")


@frozen(kw_only=True)
class RingKey:
    """One key; ``may_sign`` unless it is only the public half."""

    key_id: str
    algorithm: str
    key: OctKey | ECKey | OKPKey = field(repr=False)
    may_sign: bool


@frozen
class KeyRing:
    """All keys, the newest first: the first that can, signs; all verify."""

    keys: tuple[RingKey, ...] = ()

    @classmethod
    def read(cls, secrets: str = "", jwks: str = "") -> KeyRing:
        """Return the keys of the settings.

        ``secrets`` are one or several shared secrets, separated by blanks or commas; ``jwks`` is a JSON Web Key Set
        (RFC 7517) in which each key names its ``kid`` and ``alg``. The newest comes first in both, and what is in
        ``jwks`` is newer.

        Raises:
            InvalidInputError: field ``JWT_SECRET`` or ``JWT_KEYS``; the reason never shows the value.
        """
        keys = (*_from_set(jwks), *_from_secrets(each for each in _BETWEEN.split(secrets) if each))
        if len({each.key_id for each in keys}) != len(keys):
            raise InvalidInputError("JWT_KEYS", "key_named_twice")
        return cls(keys)

    @property
    def signer(self) -> RingKey | None:
        """The key that signs now; None where there is none."""
        return next((each for each in self.keys if each.may_sign), None)

    def find(self, key_id: object, algorithm: object) -> RingKey | None:
        """Return the key that a token names, if it is of the algorithm that the token names."""
        found = (each for each in self.keys if each.key_id == key_id and each.algorithm == algorithm)
        return next(found, None)


def _from_secrets(secrets: Iterable[str]) -> Iterable[RingKey]:
    for secret in secrets:
        if len(secret) < SHORTEST_SECRET:
            raise InvalidInputError("JWT_SECRET", "secret_too_short", least=SHORTEST_SECRET)
        key_id = hashlib.sha256(b"pms key id\0" + secret.encode()).hexdigest()[:16]
        yield RingKey(key_id=key_id, algorithm="HS256", key=OctKey.import_key(secret), may_sign=True)


def _from_set(jwks: str) -> Iterable[RingKey]:
    if not jwks.strip():
        return
    try:
        members = json.loads(jwks)
        entries = members["keys"] if isinstance(members, dict) else None
    except (ValueError, KeyError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        raise InvalidInputError("JWT_KEYS", "not_a_key_set")
    for entry in entries:
        yield _ring_key(entry)


def _ring_key(entry: object) -> RingKey:
    if not isinstance(entry, dict):
        raise InvalidInputError("JWT_KEYS", "not_a_key_set")
    key_id, algorithm = entry.get("kid"), entry.get("alg")
    if not isinstance(key_id, str) or not _KEY_ID.match(key_id):
        raise InvalidInputError("JWT_KEYS", "key_without_id")
    key: OctKey | ECKey | OKPKey
    try:
        match algorithm, entry.get("kty"), entry.get("crv"):
            case "HS256", "oct", None:
                key = OctKey.import_key(entry)
                if len(key.raw_value) < SHORTEST_SECRET:
                    raise InvalidInputError("JWT_KEYS", "secret_too_short", least=SHORTEST_SECRET)
            case "ES256", "EC", "P-256":
                key = ECKey.import_key(entry)
            case "Ed25519", "OKP", "Ed25519":
                key = OKPKey.import_key(entry)
            case _:
                raise InvalidInputError("JWT_KEYS", "key_of_unknown_kind", allowed=", ".join(ALGORITHMS))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise InvalidInputError("JWT_KEYS", "key_cannot_be_read") from error
    return RingKey(key_id=key_id, algorithm=algorithm, key=key, may_sign=bool(key.is_private))
