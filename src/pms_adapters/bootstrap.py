"""The composition root: the only module that names adapters and puts them together.

Owns what is connected to what. Commands of the ``pms`` tool, the web app and the lab take a
:class:`Services` from here and call use cases with its parts.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.channels import made_gateways
from pms_adapters.channels.mock import mocked
from pms_adapters.crypto.box import AesGcmBox, read_keys
from pms_adapters.http.door import HttpDoor
from pms_adapters.http.guard import Guard
from pms_adapters.http.webhook_post import HttpWebhookPost
from pms_adapters.logs import About, configure_logs
from pms_adapters.mail.console import ConsolePost
from pms_adapters.mail.smtp import SmtpPost
from pms_adapters.postgres.availability import PostgresAvailability
from pms_adapters.postgres.engine import open_engine
from pms_adapters.postgres.errors import RetryError
from pms_adapters.postgres.pricing import PostgresPrices, QuoterMemory
from pms_adapters.postgres.transaction import PostgresUnitOfWork
from pms_adapters.settings import Environment, Settings
from pms_adapters.system import SystemClock, SystemSecrets, TimeOrderedIds
from pmscore.channels.ports import ChannelMeans
from pmscore.channels.ports import Retry as ChannelRetry
from pmscore.kernel.errors import MisconfiguredError
from pmscore.kernel.ports import Clock, IdSource
from pmscore.kernel.secrets import SecretBox
from pmscore.webhooks.ports import WebhookMeans

__all__ = [
    "Services",
    "channel_means",
    "connect",
    "http_door",
    "post_of",
    "secret_box",
    "set_up_logs",
    "webhook_means",
    "with_retries",
]

MOST_TRIES = 5
FIRST_PAUSE_SECONDS = 0.02

ResultT = TypeVar("ResultT")


@frozen(kw_only=True)
class Services:
    """The parts that use cases need, connected to one database."""

    engine: Engine
    uow: PostgresUnitOfWork
    clock: Clock
    ids: IdSource
    quoters: QuoterMemory
    webhooks: WebhookMeans
    channels: ChannelMeans


@contextmanager
def connect(
    settings: Settings, *, clock: Clock | None = None, refuses_unsafe_role: bool = False
) -> Iterator[Services]:
    """Connect the services to the database of ``settings``; connections are closed at the end.

    With ``refuses_unsafe_role`` no connection is used that row-level security does not hold.

    Raises:
        MisconfiguredError: no database is named.
    """
    if settings.database_url is None:
        raise MisconfiguredError(reason="no_database_url")
    engine = open_engine(
        settings.database_url,
        size=settings.database_pool_size,
        wait_seconds=settings.database_pool_timeout_seconds,
        lock_timeout_ms=settings.lock_timeout_ms,
        statement_timeout_ms=settings.statement_timeout_ms,
        refuses_unsafe_role=refuses_unsafe_role,
    )
    clock = clock or SystemClock()
    ids, quoters = TimeOrderedIds(), QuoterMemory()
    uow = PostgresUnitOfWork(engine, clock=clock, ids=ids, quoters=quoters)
    try:
        with (
            webhook_means(settings, clock) as webhooks,
            channel_means(settings, clock, engine, quoters) as channels,
        ):
            yield Services(
                engine=engine,
                uow=uow,
                clock=clock,
                ids=ids,
                quoters=quoters,
                webhooks=webhooks,
                channels=channels,
            )
    finally:
        engine.dispose()


def set_up_logs(settings: Settings, *, about: About = dict) -> None:
    """Let this process log as ``settings`` say; ``about`` says whose request is being worked on."""
    configure_logs(
        level=settings.log_level.value,
        is_json=settings.is_log_for_machines,
        is_frank=settings.environment is Environment.DEVELOPMENT,
        known=settings.secret_texts(),
        about=about,
    )


def post_of(settings: Settings) -> SmtpPost | ConsolePost:
    """Return what carries letters: the mail server of ``settings``, else the terminal.

    Raises:
        InvalidInputError: for ``MAIL_URL``: it cannot be that of a mail server.
    """
    mail_url = settings.access.mail_url
    if mail_url is None:
        return ConsolePost()
    return SmtpPost.of(mail_url.reveal(), settings.access.mail_from)


def secret_box(settings: Settings) -> SecretBox:
    """Return the box of secrets under the keys of ``settings``; without any it seals nothing.

    Raises:
        InvalidInputError: for ``ENCRYPTION_KEY``: one of the keys is none.
    """
    key = settings.encryption_key
    return AesGcmBox(() if key is None else read_keys(key.reveal()))


def http_door(settings: Settings, clock: Clock) -> HttpDoor:
    """Return the door through which strangers' addresses are called; whoever asks closes it."""
    guard = Guard(
        ports=settings.outbound_ports,
        networks=settings.outbound_networks,
        allows_plain_http=settings.is_outbound_plain_http,
    )
    return HttpDoor(guard, clock=clock)


@contextmanager
def webhook_means(settings: Settings, clock: Clock) -> Iterator[WebhookMeans]:
    """Yield what webhooks work with; connections of its door are closed at the end.

    Raises:
        InvalidInputError: for ``ENCRYPTION_KEY``: one of the keys is none.
    """
    box = secret_box(settings)
    with http_door(settings, clock) as door:
        yield WebhookMeans(box=box, secrets=SystemSecrets(), post=HttpWebhookPost(door))


@contextmanager
def channel_means(
    settings: Settings, clock: Clock, engine: Engine, quoters: QuoterMemory
) -> Iterator[ChannelMeans]:
    """Yield what channels work with; connections of their door are closed at the end. In mock mode nobody is called.

    Raises:
        InvalidInputError: for ``ENCRYPTION_KEY``: one of the keys is none.
    """
    with http_door(settings, clock) as door:
        gateways = made_gateways(door, clock)
        yield ChannelMeans(
            gateways=mocked(gateways) if settings.is_channel_mock_mode else gateways,
            box=secret_box(settings),
            secrets=SystemSecrets(),
            partner=dict(settings.channel_partner),
            availability=lambda agency_id: PostgresAvailability(engine, agency_id, quoters.houses),
            prices=lambda agency_id: PostgresPrices(engine, agency_id, quoters),
            retry=_Retried(),
            stale_after=timedelta(minutes=settings.sync_log_stale_minutes),
            is_mock=settings.is_channel_mock_mode,
        )


class _Retried(ChannelRetry):
    def __call__(self, call: Callable[[], ResultT]) -> ResultT:
        return with_retries(call)


def with_retries(call: Callable[[], ResultT]) -> ResultT:
    """Run a use case, again after a serialization failure or a deadlock, which mean nothing but "again".

    Waits a random part of a doubling pause before each further try, at most five tries in all.

    Raises:
        BusyError: the last try met one too.
    """
    pause = FIRST_PAUSE_SECONDS
    for _ in range(MOST_TRIES - 1):
        try:
            return call()
        except RetryError:
            time.sleep(random.uniform(0, pause))
            pause *= 2
    return call()
