"""``pms serve``: the app, for this machine or for others."""

from __future__ import annotations

import click

from pms_adapters.embedded.home import Home
from pms_adapters.postgres.gauges import somebody_can_log_in
from pms_adapters.postgres.migrate import status
from pms_adapters.settings import Settings
from pms_web.cli.listening import Listener, PortTakenError, is_loopback, listen
from pms_web.cli.same_version import tell_what_serves
from pms_web.cli.servers import AppNote, Servers, ask, check_login, noted, read_settings, servers
from pms_web.cli.serving import GRACEFUL_SECONDS, usable_cpus
from pms_web.cli.serving import serve as serve_with_gunicorn
from pms_web.cli.serving_granian import require_granian, serve_with_granian
from pms_web.cli.terminal import say
from pmscore.kernel.errors import InvalidInputError, MisconfiguredError, PmsError, UnreachableError

__all__ = ["LOG_IN", "serve"]

LOG_IN = "Send an API key of `pms token`, or log in as somebody whom `pms user add` has added: POST /api/v1/auth/log-in."
MOST_USUAL_WORKERS = 8


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 is reached from everywhere.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 finds a free one."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    envvar="WEB_CONCURRENCY",
    help=f"Processes; one a processor by default, at most {MOST_USUAL_WORKERS}.",
)
@click.option(
    "--threads",
    default=8,
    show_default=True,
    type=click.IntRange(1, 256),
    envvar="WEB_THREADS",
    help="Threads a process, at most: two answer, more only beside what takes long.",
)
@click.option(
    "--graceful",
    default=GRACEFUL_SECONDS,
    show_default=True,
    type=click.IntRange(1, 600),
    help="Seconds that requests have to be finished when it ends.",
)
@click.option(
    "--server",
    type=click.Choice(["gunicorn", "granian"]),
    default="gunicorn",
    show_default=True,
    help="Granian comes with pmscore[granian].",
)
def serve(host: str, port: int, workers: int | None, threads: int, graceful: int, server: str) -> None:
    """Serve the app until Ctrl-C or SIGTERM; requests that are being worked on are finished first.

    It starts without its database too, says so in /health/ready, and recovers when the database is there. Others than
    this machine reach it only where somebody can log in.

    \b
    Example:
      pms serve --port 8080
      DATABASE_URL=postgresql://pms_app:secret@db/pms pms serve --host 0.0.0.0 --workers 4
    """
    settings = read_settings()
    _check_worker_class(settings)
    if server == "granian":
        require_granian()
    if not is_loopback(host):
        _require_log_in(settings)
    listener = _listener(host, port, settings)
    address = listener.address
    run = serve_with_granian if server == "granian" else serve_with_gunicorn
    try:
        with servers(settings, attach=True, needs_redis=settings.is_redis_health_checked) as place:
            _warn(place)
            tell_what_serves(place.settings)
            with noted(place, address):
                run(
                    listener,
                    place.settings,
                    workers=workers or min(usable_cpus(), MOST_USUAL_WORKERS),
                    threads=threads,
                    graceful_seconds=graceful,
                    when_ready=lambda: _welcome(address),
                )
    finally:
        listener.socket.close()
    say("Stopped.")


def _welcome(address: str) -> None:
    click.echo(f"Serving on {address} (Ctrl-C stops it)")
    say(LOG_IN)


def _check_worker_class(settings: Settings) -> None:
    """Refuse workers that this app does badly on.

    Raises:
        InvalidInputError: for ``WEB_WORKER_CLASS``.
    """
    if settings.web_worker_class == "sync":
        raise InvalidInputError("WEB_WORKER_CLASS", "sync_workers")
    if settings.web_worker_class != "gthread":
        raise InvalidInputError("WEB_WORKER_CLASS", "unknown_value", allowed="gthread")


def _require_log_in(settings: Settings) -> None:
    """Go on only where somebody can log in; a database that is away lets nobody in either.

    Raises:
        MisconfiguredError: there is neither user nor key.
    """
    if settings.is_open_allowed:
        return
    try:
        with servers(settings, attach=True) as place:
            is_known = ask(place.settings, somebody_can_log_in)
    except UnreachableError:
        return
    except PmsError:
        is_known = False  # a database without the tables has no users
    if not is_known:
        raise MisconfiguredError(reason="nobody_can_log_in")


def _listener(host: str, port: int, settings: Settings) -> Listener:
    """Take the port; where the app of the same home has it, say so."""
    try:
        return listen(host, port, is_open=True)
    except PortTakenError:
        note = None if settings.database_url else AppNote.find(Home.find(settings.home).root)
        if note is not None:
            say(f"The app of this home runs already, in process {note.pid}: {note.address}")
        raise


def _warn(place: Servers) -> None:
    """Say what is not as it should be; the app starts all the same.

    Raises:
        MisconfiguredError: in production, a login that row-level security does not hold.
    """
    try:
        found = status(place.admin_url)
    except PmsError:
        say("The database does not answer yet; /health/ready says when it does.")
        return
    check_login(place.settings)
    if found.pending:
        say(f"The database lacks {len(found.pending)} migration(s): run `pms migrate`.")
