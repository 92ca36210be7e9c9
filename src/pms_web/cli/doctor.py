"""``pms doctor``: is everything as it should be, and what to do where it is not."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import click
from attrs import frozen

from pms_adapters.postgres.drift import SchemaCheck
from pms_adapters.postgres.engine import Connection, open_engine
from pms_adapters.postgres.migrate import status
from pms_adapters.postgres.tenancy import lint_catalogue, unsafe_role
from pms_adapters.redis.probe import ping_redis
from pms_adapters.settings import Settings, mask_url
from pms_web.cli.explain import explained
from pms_web.cli.servers import Servers, ask, read_settings, servers
from pms_web.cli.terminal import show_json
from pmscore.dates.zones import Zone
from pmscore.kernel.errors import MisconfiguredError, PmsError, UnreachableError

__all__ = ["Finding", "doctor"]

MOST_CLOCK_SECONDS = 5.0


@frozen(kw_only=True)
class Finding:
    """One thing that was looked at; ``todo`` says what to do where it is not ok. A warning is ok all the same."""

    name: str
    ok: bool
    said: str
    todo: str = ""
    is_warning: bool = False


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Look at settings, database, roles, schema, Redis, clock and libraries, and say what to do.

    Changes nothing, but starts the embedded servers for the moment where no others are named.

    \b
    Example:
      pms doctor
      pms doctor --json
    """
    found = list(_findings())
    if as_json:
        names = ("name", "ok", "is_warning", "said", "todo")
        show_json([{name: getattr(each, name) for name in names} for each in found])
    else:
        for each in found:
            mark = "FAIL" if not each.ok else "warn" if each.is_warning else "ok"
            click.echo(f"{mark:4}  {each.name}: {each.said}")
            if each.todo:
                click.echo(f"      {each.todo}")
    ctx.exit(0 if all(each.ok for each in found) else 1)


def _findings() -> Iterator[Finding]:
    yield _looked_at("python", _python)
    yield _looked_at("time zones", _zones)
    yield _looked_at("psycopg", _psycopg)
    try:
        settings = read_settings()
    except PmsError as error:
        yield _failed("settings", error)
        return
    yield Finding(name="settings", ok=True, said=_shown(settings))
    try:
        with servers(settings, attach=True, needs_redis=True) as place:
            yield from _of_servers(place)
    except PmsError as error:
        yield _failed("database", error)


def _of_servers(place: Servers) -> Iterator[Finding]:
    if place.home is not None:
        yield Finding(name="home", ok=True, said=f"{place.home}, {_free(place)}")
    yield _looked_at("database", lambda: _database(place))
    yield _looked_at("migrations", lambda: _migrations(place))
    yield _looked_at("schema", lambda: ask(place.settings, _schema))
    yield _looked_at("role", lambda: ask(place.settings, lambda each: _role(place, each)))
    yield _looked_at("tenancy", lambda: ask(place.settings, _tenancy))
    yield _looked_at("clock", lambda: ask(place.settings, _clock))
    yield _looked_at("redis", lambda: _redis(place))


def _looked_at(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except PmsError as error:
        return _failed(name, error)


def _failed(name: str, error: PmsError) -> Finding:
    said, todo = explained(error)
    return Finding(name=name, ok=False, said=said, todo=todo)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(name="python", ok=True, said=version)


def _zones() -> Finding:
    Zone("Europe/Lisbon")
    return Finding(name="time zones", ok=True, said="zone data is there")


def _psycopg() -> Finding:
    open_engine("postgresql://").dispose()  # raises without the C implementation; connects to nothing
    return Finding(name="psycopg", ok=True, said="with its C implementation")


def _database(place: Servers) -> Finding:
    found = ask(place.settings, lambda each: str(each.info.server_version))
    kind = "embedded PostgreSQL" if place.is_embedded else "PostgreSQL"
    major, minor = divmod(int(found), 10_000)
    is_known = 15 <= major <= 18
    return Finding(
        name="database",
        ok=True,
        said=f"{kind} {major}.{minor} answers",
        todo="" if is_known else "Tested are the versions 15 to 18.",
        is_warning=not is_known,
    )


def _migrations(place: Servers) -> Finding:
    found = status(place.admin_url)
    if found.is_current:
        return Finding(name="migrations", ok=True, said=f"at {found.head}, nothing pending")
    return Finding(
        name="migrations",
        ok=False,
        said=f"{len(found.pending)} pending: {', '.join(found.pending)}",
        todo="Run `pms migrate`.",
    )


def _schema(connection: Connection) -> Finding:
    missing = SchemaCheck(connection).find_drift()
    if not missing:
        return Finding(name="schema", ok=True, said="every table and column is there")
    names = ", ".join(f"{each.table}.{each.column}" if each.column else each.table for each in missing[:10])
    return Finding(name="schema", ok=False, said=f"missing: {names}", todo="Run `pms migrate`.")


def _role(place: Servers, connection: Connection) -> Finding:
    why = unsafe_role(connection)
    name = connection.info.user
    if why is None:
        return Finding(name="role", ok=True, said=f"{name} is held by row-level security")
    return Finding(
        name="role",
        ok=not place.settings.is_production,
        said=f"{name} is above row-level security ({why})",
        todo="Use the role pms_app, which `pms migrate` makes, in DATABASE_URL.",
        is_warning=True,
    )


def _tenancy(connection: Connection) -> Finding:
    found = lint_catalogue(connection)
    if not found:
        return Finding(name="tenancy", ok=True, said="no table lets agencies see each other's rows")
    names = ", ".join(f"{each.code} ({each.subject})" for each in found[:10])
    return Finding(
        name="tenancy", ok=False, said=names, todo="Undo what was changed by hand; see docs/howto/migrate.md."
    )


def _clock(connection: Connection) -> Finding:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    then = row[0] if row is not None else None
    apart = abs((datetime.now(UTC) - then).total_seconds()) if isinstance(then, datetime) else 0.0
    is_near = apart <= MOST_CLOCK_SECONDS
    said = f"{apart:.1f} s from the database's"
    return Finding(
        name="clock", ok=is_near, said=said, todo="" if is_near else "Synchronise the clocks (NTP)."
    )


def _redis(place: Servers) -> Finding:
    url = place.settings.redis_url
    if url is None:
        raise MisconfiguredError(reason="no_redis")
    try:
        version = ping_redis(url)
    except UnreachableError as error:
        said = str(error.params.get("said") or "no answer")
        return Finding(name="redis", ok=False, said=said, todo="Start it, or correct REDIS_URL.")
    return Finding(name="redis", ok=True, said=f"Redis {version} answers")


def _shown(settings: Settings) -> str:
    home = settings.home or "the user's data folder"
    urls = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    shown = (f"{name}={mask_url(url) if url else 'embedded'}" for name, url in urls.items())
    return f"{', '.join(shown)}, PMS_HOME={home}, ENVIRONMENT={settings.environment.value}"


def _free(place: Servers) -> str:
    free = shutil.disk_usage(place.home or ".").free
    return f"{free / 2**30:.1f} GiB free"
