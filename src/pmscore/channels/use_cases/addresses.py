"""Addresses of ours that a platform calls: who may, and keeping what it sends.

Owns tokens, which name their agency, so that nothing is read of another one, and are kept as digests. What is sent is
kept before anybody is told that it came; reading it is the run of the bookings lane.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from hashlib import sha256
from typing import Final
from uuid import UUID

from attrs import evolve, field, frozen

from pmscore.channels.model.calls import At, Knock
from pmscore.channels.model.connections import Connection
from pmscore.channels.ports import ChannelMeans, ChannelWork
from pmscore.channels.use_cases.checking import opened
from pmscore.kernel.errors import NotAuthenticatedError, NotFoundError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import AgencyId, ConnectionId
from pmscore.kernel.ports import Clock, UnitOfWork
from pmscore.kernel.secrets import Secret

__all__ = [
    "KeepKnock",
    "NewTokens",
    "Tokens",
    "agency_of",
    "digest_of",
    "keep_knock",
    "new_token",
    "new_tokens",
]

TOKEN_BYTES: Final = 32
_AGENCY_LENGTH: Final = 22


@frozen(kw_only=True)
class NewTokens(Command):
    """Give a connection a new address for messages of the platform; the old one ends."""

    connection_id: ConnectionId


@frozen(kw_only=True)
class KeepKnock(Command):
    """Keep a message that came to an address of ours."""

    token: str = field(repr=False)
    knock: Knock = field(repr=False)


@frozen(kw_only=True)
class Tokens:
    """A connection with the token of its address, which is shown this once."""

    connection: Connection
    knock: Secret


def new_tokens(
    command: NewTokens, *, uow: UnitOfWork[ChannelWork], clock: Clock, means: ChannelMeans
) -> Tokens:
    """Give a connection a new address for messages; whoever knows it is shown it this once.

    Raises:
        NotFoundError: no such connection within reach.
    """
    token, digest = new_token(command.agency_id, means)
    with uow.begin(command) as work:
        connection = work.connections.get(command.connection_id)
        decision = connection.changed(evolve(connection, knock_digest=digest), clock.now())
        work.connections.save(decision.state)
        work.record(*decision.events)
        work.commit()
    return Tokens(connection=decision.state, knock=token)


def new_token(agency_id: AgencyId, means: ChannelMeans) -> tuple[Secret, str]:
    """Return a new token that names an agency, and the digest by which it is known."""
    token = f"{_base64(agency_id.bytes)}.{_base64(means.secrets.draw(TOKEN_BYTES))}"
    return Secret(token), digest_of(token)


def digest_of(token: str) -> str:
    """Return the digest by which a token is known."""
    return sha256(token.partition(".")[2].encode()).hexdigest()


def agency_of(token: str) -> AgencyId | None:
    """Return the agency that a token names, None where it is none; whether it opens anything is known to the store."""
    named, dot, _ = token.partition(".")
    if not dot or len(named) != _AGENCY_LENGTH:
        return None
    try:
        return AgencyId(UUID(bytes=urlsafe_b64decode(named + "==")))
    except (Base64Error, ValueError):
        return None


def keep_knock(
    command: KeepKnock, *, uow: UnitOfWork[ChannelWork], clock: Clock, means: ChannelMeans
) -> bool:
    """Keep a message for the next run of the connection's bookings; False where it was kept before.

    Raises:
        NotFoundError: the token opens nothing, or the message is not the platform's.
    """
    digest = digest_of(command.token)
    with uow.begin(command) as work:
        connection = work.connections.by_knock(digest)
        gateway = None if connection is None else means.gateways.get(connection.gateway)
        if connection is None or gateway is None or not connection.syncs:
            raise NotFoundError("channel_webhook", None)
        try:
            gateway.read_knock(_told_to(command, connection, work, clock, means), command.knock)
        except NotAuthenticatedError as error:
            raise NotFoundError("channel_webhook", None) from error
        is_new = work.knocks.add(connection.connection_id, command.knock)
        work.commit()
    return is_new


def _told_to(
    command: Command, connection: Connection, work: ChannelWork, clock: Clock, means: ChannelMeans
) -> At:
    """Return whom a message is for. It is read in the transaction that keeps it, since reading one calls nobody.

    The house may be the one that somebody remembers: of it only what never changes is asked.
    """
    if connection.property_id is None:
        raise NotFoundError("channel_webhook", None)
    home = work.houses.get(connection.property_id).property
    return At(
        connection=connection,
        credentials=opened(command, connection, means),
        token=None,
        partner=means.partner,
        mappings=work.mappings.book(connection.connection_id),
        zone=home.zone,
        currency=home.currency,
        now=clock.now(),
    )


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
