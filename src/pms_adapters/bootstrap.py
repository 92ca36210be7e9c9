"""The composition root: the only module that names adapters and puts them together.

Owns what is connected to what. Commands of the ``pms`` tool, the web app and the lab take a
:class:`Services` from here and call use cases with its parts.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.postgres.engine import open_engine
from pms_adapters.postgres.errors import RetryError
from pms_adapters.postgres.pricing import QuoterMemory
from pms_adapters.postgres.transaction import PostgresUnitOfWork
from pms_adapters.settings import Settings
from pms_adapters.system import SystemClock, TimeOrderedIds
from pmscore.kernel.errors import MisconfiguredError
from pmscore.kernel.ports import Clock, IdSource

__all__ = ["Services", "connect", "with_retries"]

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


@contextmanager
def connect(settings: Settings, *, clock: Clock | None = None) -> Iterator[Services]:
    """Connect the services to the database of ``settings``; connections are closed at the end.

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
    )
    clock = clock or SystemClock()
    ids, quoters = TimeOrderedIds(), QuoterMemory()
    uow = PostgresUnitOfWork(engine, clock=clock, ids=ids, quoters=quoters)
    try:
        yield Services(engine=engine, uow=uow, clock=clock, ids=ids, quoters=quoters)
    finally:
        engine.dispose()


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
