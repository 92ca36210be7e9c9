"""Short tokens for machines: JSON Web Tokens of the profile for access tokens (RFC 9068).

Owns what a token of ours says and what a token must say to be believed. Leaves who its subject is today to
``authenticating``: a token names a member of an agency and gives no right by itself.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from attrs import frozen
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from pms_web.auth.key_ring import ALGORITHMS, KeyRing
from pmscore.access.model.refusals import CredentialsError
from pmscore.access.model.users import User
from pmscore.kernel.errors import MisconfiguredError
from pmscore.kernel.ids import AgencyId, UserId
from pmscore.kernel.ports import IdSource

__all__ = ["LONGEST_LIFE", "TokenClaims", "Tokens"]

LONGEST_LIFE = timedelta(minutes=10)
LONGEST_TOKEN = 4_096
SKEW = timedelta(seconds=30)
TYPE = "at+jwt"
_HEADER = frozenset({"alg", "typ", "kid"})
_REGISTRY = JWSRegistry(algorithms=list(ALGORITHMS))


@frozen(kw_only=True)
class TokenClaims:
    """What a token that holds says: a member of an agency, as of an epoch of their account."""

    user_id: UserId
    agency_id: AgencyId
    epoch: int
    expires_at: datetime


@frozen(kw_only=True)
class Tokens:
    """Issues and verifies the tokens of one ring of keys."""

    ring: KeyRing
    issuer: str = "pms"
    audience: str = "pms"

    def issue(
        self,
        user: User,
        agency_id: AgencyId,
        *,
        now: datetime,
        ids: IdSource,
        lifetime: timedelta = LONGEST_LIFE,
    ) -> str:
        """Return a token for a member.

        Raises:
            MisconfiguredError: there is no key to sign with.
        """
        signer = self.ring.signer
        if signer is None:
            raise MisconfiguredError(reason="no_signing_key")
        issued = int(now.timestamp())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(user.user_id),
            "agency": str(agency_id),
            "epoch": user.epoch,
            "iat": issued,
            "exp": issued + int(min(lifetime, LONGEST_LIFE).total_seconds()),
            "jti": str(ids.new()),
        }
        header = {"alg": signer.algorithm, "typ": TYPE, "kid": signer.key_id}
        return jwt.encode(header, claims, signer.key, registry=_REGISTRY)

    def read(self, text: str, *, now: datetime) -> TokenClaims:
        """Return what a token says.

        Raises:
            CredentialsError: it does not hold; the reason is for the log.
        """
        header = _header(text)
        if header.keys() != _HEADER or header["typ"] != TYPE:
            raise CredentialsError("token_header")
        key = self.ring.find(header["kid"], header["alg"])
        if key is None:
            raise CredentialsError("token_key")
        try:
            token = jwt.decode(text, key.key, algorithms=[key.algorithm], registry=_REGISTRY)
        except (JoseError, ValueError, TypeError) as error:
            raise CredentialsError("token_signature") from error
        return self._checked(token.claims, now)

    def _checked(self, claims: Mapping[str, object], now: datetime) -> TokenClaims:
        if claims.get("iss") != self.issuer:
            raise CredentialsError("token_issuer")
        audience = claims.get("aud")
        if audience != self.audience and not (isinstance(audience, list) and self.audience in audience):
            raise CredentialsError("token_audience")
        issued_at, expires_at = _instant(claims, "iat"), _instant(claims, "exp")
        if not issued_at < expires_at <= issued_at + LONGEST_LIFE:
            raise CredentialsError("token_lifetime")
        if now >= expires_at:
            raise CredentialsError("token_expired")
        if issued_at > now + SKEW or ("nbf" in claims and _instant(claims, "nbf") > now + SKEW):
            raise CredentialsError("token_too_early")
        epoch = claims.get("epoch")
        if not isinstance(epoch, int) or isinstance(epoch, bool) or not 1 <= epoch < 2**31:
            raise CredentialsError("token_claims")
        return TokenClaims(
            user_id=UserId(_id(claims, "sub")),
            agency_id=AgencyId(_id(claims, "agency")),
            epoch=epoch,
            expires_at=expires_at,
        )


def _header(text: str) -> Mapping[str, object]:
    """Return the header of three parts that are each written in the one way in which they can be."""
    parts = text.split(".")
    if len(text) > LONGEST_TOKEN or len(parts) != 3 or not text.isascii():
        raise CredentialsError("token_form")
    header = _members(_decoded(parts[0]))
    _members(_decoded(parts[1]))
    _decoded(parts[2])
    return header


def _decoded(part: str) -> bytes:
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise CredentialsError("token_form") from error
    # The last character has bits that no byte needs: with any other of them the signature would still match.
    if not part or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise CredentialsError("token_form")
    return raw


def _members(raw: bytes) -> dict[str, object]:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise ValueError("a member is named twice")
        return members

    try:
        members = json.loads(raw.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise CredentialsError("token_form") from error
    if not isinstance(members, dict):
        raise CredentialsError("token_form")
    return members


def _instant(claims: Mapping[str, object], name: str) -> datetime:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise CredentialsError("token_claims")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise CredentialsError("token_claims") from error


def _id(claims: Mapping[str, object], name: str) -> UUID:
    value = claims.get(name)
    try:
        parsed = UUID(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != value:
        raise CredentialsError("token_claims")
    return parsed
