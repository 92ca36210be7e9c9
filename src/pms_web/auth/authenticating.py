"""From what a request shows to who sends it.

Owns the order in which credentials are looked at, and the guard of sessions against other pages (CSRF). Knows no
framework: it takes a ``Presented`` and returns a ``Principal``. Why something was refused stands in the log alone.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from typing import Final

from attrs import evolve, field, frozen

from pms_web.auth.presented import Presented
from pms_web.auth.remembering import Remembered
from pms_web.auth.tokens import TokenClaims, Tokens
from pmscore.access.model.keys import ApiKey
from pmscore.access.model.principals import Means, Principal
from pmscore.access.model.refusals import CredentialsError
from pmscore.access.model.users import Member
from pmscore.access.policies.secrets import csrf_token, fingerprint, is_same, read_key_id
from pmscore.access.ports import AccessReader
from pmscore.kernel.errors import PmsError
from pmscore.kernel.ids import ActorId, AgencyId, UserId
from pmscore.kernel.ports import Clock

__all__ = ["Authenticator", "check_same_site"]

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SESSION: Final = re.compile(r"[A-Za-z0-9_-]{32,128}\Z")
_BEARER: Final = re.compile(r"(?i:bearer) ([A-Za-z0-9._~+/=-]+)\Z")
_log = logging.getLogger("pms_web.auth")


@frozen(kw_only=True)
class Authenticator:
    """Finds out who asks; one a process, safe to share between threads.

    A key or token costs one look-up, remembered for five seconds: what another process withdraws counts here for that
    long, what this process withdraws ends at once (``forget``). A session is looked up each time.
    """

    reader: AccessReader = field(repr=False)
    tokens: Tokens = field(repr=False)
    clock: Clock = field(repr=False)
    _keys: Remembered[str, ApiKey] = field(init=False, repr=False)
    _members: Remembered[tuple[AgencyId, UserId], Member] = field(init=False, repr=False)
    _claims: Remembered[str, TokenClaims] = field(init=False, repr=False)

    @_keys.default
    def _make_keys(self) -> Remembered[str, ApiKey]:
        return Remembered(self.clock)

    @_members.default
    def _make_members(self) -> Remembered[tuple[AgencyId, UserId], Member]:
        return Remembered(self.clock)

    @_claims.default
    def _make_claims(self) -> Remembered[str, TokenClaims]:
        return Remembered(self.clock)

    def __call__(self, shown: Presented) -> Principal | None:
        """Return who asks; None where nothing was shown.

        Raises:
            CredentialsError: what was shown does not hold.
            UnreachableError: the database does not answer.
        """
        try:
            return self._identified(shown)
        except CredentialsError as error:
            _log.info("credentials refused reason=%s", error.reason)
            raise

    def forget(self) -> None:
        """Forget what was looked up: to be called after keys, memberships or accounts have changed."""
        self._keys.forget()
        self._members.forget()
        self._claims.forget()

    def _identified(self, shown: Presented) -> Principal | None:
        if shown.authorization:
            match = _BEARER.match(shown.authorization)
            if match is None:
                raise CredentialsError("authorization_form")
            text = match[1]
            return self._by_key(text) if text.startswith("pms_") else self._by_token(text)
        if shown.cookie:
            return self._by_session(shown)
        return None

    def _by_key(self, text: str) -> Principal:
        key_id = read_key_id(text)
        if key_id is None:
            raise CredentialsError("key_form")
        key_hash = fingerprint(text)
        key = self._keys.get(key_hash, lambda: self.reader.find_key(key_hash))
        now = self.clock.now()
        if key is None or key.key_id != key_id or not is_same(key.key_hash, key_hash):
            raise CredentialsError("key_unknown")
        if not key.is_valid(now):
            raise CredentialsError("key_over")
        if key.used_on != now.date():
            self._keys.put(key_hash, evolve(key, used_on=now.date()))
            with suppress(PmsError):  # nobody is kept out because a day could not be written down
                self.reader.note_key_use(key.agency_id, key.key_id, now.date())
        return Principal(
            agency_id=key.agency_id,
            actor_id=ActorId(key.key_id),
            role=key.role,
            means=Means.API_KEY,
            property_ids=key.property_ids,
        )

    def _by_token(self, text: str) -> Principal:
        now = self.clock.now()
        claims = self._claims.get(fingerprint(text), lambda: self.tokens.read(text, now=now))
        if claims is None or now >= claims.expires_at:
            raise CredentialsError("token_expired")
        name = (claims.agency_id, claims.user_id)
        member = self._members.get(name, lambda: self.reader.find_member(*name))
        if member is None or not member.is_active:
            raise CredentialsError("not_a_member")
        if member.user.epoch != claims.epoch:
            raise CredentialsError("token_epoch")
        return _principal(member, Means.BEARER)

    def _by_session(self, shown: Presented) -> Principal:
        if not _SESSION.match(shown.cookie):
            raise CredentialsError("session_form")
        found = self.reader.find_session(fingerprint(shown.cookie))
        now = self.clock.now()
        if found is None or not found.session.is_valid(now):
            raise CredentialsError("session_over")
        if found.member is None or not found.member.is_active:
            raise CredentialsError("not_a_member")
        if shown.method not in _SAFE:
            check_same_site(shown)
            if not is_same(shown.csrf_token, csrf_token(shown.cookie)):
                raise CredentialsError("csrf_token")
        if found.session.needs_renewal(now):
            with suppress(PmsError):  # a database that only reads keeps nobody out
                self.reader.note_session_use(found.session.session_hash, now)
        return _principal(found.member, Means.SESSION)


def check_same_site(shown: Presented) -> None:
    """Refuse a request that the page of another site has made.

    Browsers say so in ``Sec-Fetch-Site``, and in ``Origin`` where they speak without encryption. A program says
    neither, and has no cookie that others could use.

    Raises:
        CredentialsError: another site's page has sent it.
    """
    if shown.fetch_site and shown.fetch_site not in {"same-origin", "none"}:
        raise CredentialsError("other_site")
    if shown.origin and not shown.fetch_site and shown.origin != shown.own_origin:
        raise CredentialsError("other_origin")


def _principal(member: Member, means: Means) -> Principal:
    return Principal(
        agency_id=member.membership.agency_id,
        actor_id=member.user.actor_id,
        role=member.membership.role,
        means=means,
        property_ids=member.membership.property_ids,
    )
