"""Servers that live as long as a ``with`` block, for tests and measurements.

Owns their folder, which goes with them, even after a kill -9 of this process. Several at once do not meet.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve

from pms_adapters.embedded.account import Account
from pms_adapters.embedded.home import Home
from pms_adapters.embedded.postgres import EmbeddedPostgres
from pms_adapters.embedded.redis import EmbeddedRedis

__all__ = ["temporary_home", "temporary_postgres", "temporary_redis"]


@contextmanager
def temporary_home() -> Iterator[Home]:
    """Yield a home in a folder of its own, which is removed at the end.

    Raises:
        FolderUnusableError: there is no temporary folder that servers can use.
    """
    # Where the usual home is does not matter here, so no folder is made for it.
    usual = Home.find(environ={name: text for name, text in os.environ.items() if name not in _HOMES})
    account = Account.for_servers()
    base = next((each for each in usual.socket_bases if account.can_enter(each)), usual.state)
    root = Path(tempfile.mkdtemp(prefix="pms-home-", dir=base))
    try:
        if account.is_foreign:
            root.chmod(0o711)
        yield evolve(usual, root=root, fallback=None)
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def temporary_postgres(
    *,
    is_durable: bool = False,
    shared_buffers_mb: int = 64,
    max_connections: int = 100,
    port: int | None = None,
) -> Iterator[EmbeddedPostgres]:
    """Yield a running PostgreSQL 18 with fresh data; durable ones write to the disk as production does.

    Raises:
        MisconfiguredError: as ``EmbeddedPostgres.start``.
    """
    with (
        temporary_home() as home,
        EmbeddedPostgres(
            home,
            port=port,
            shared_buffers_mb=shared_buffers_mb,
            max_connections=max_connections,
            is_durable=is_durable,
            doomed=(home.root,),
        ) as server,
    ):
        yield server


@contextmanager
def temporary_redis(*, port: int | None = None) -> Iterator[EmbeddedRedis]:
    """Yield a running Redis with no data.

    Raises:
        MisconfiguredError: as ``EmbeddedRedis.start``.
    """
    with temporary_home() as home, EmbeddedRedis(home, port=port, doomed=(home.root,)) as server:
        yield server


_HOMES = frozenset({"HOME", "XDG_DATA_HOME"})
