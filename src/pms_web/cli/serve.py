"""``pms serve``: the app on this machine."""

from __future__ import annotations

import click

from pms_adapters.embedded.home import Home
from pms_adapters.postgres.migrate import status
from pms_adapters.postgres.tenancy import unsafe_role
from pms_adapters.settings import Settings
from pms_web.cli.servers import AppNote, Servers, ask, noted, read_settings, servers
from pms_web.cli.serving import Listener, PortTakenError, listen
from pms_web.cli.serving import serve as serve_app
from pms_web.cli.terminal import say
from pmscore.kernel.errors import MisconfiguredError, PmsError

__all__ = ["LOG_IN", "serve"]

LOG_IN = "Send an API key of `pms token`, or log in as somebody whom `pms user add` has added: POST /api/v1/auth/log-in."


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="An address of loopback.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 finds a free one."
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option(
    "--threads", default=8, show_default=True, type=click.IntRange(1, 256), help="Threads a process."
)
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the app until Ctrl-C or SIGTERM; requests that are being worked on are finished first.

    It starts without its database too, says so in /health/ready, and recovers when the database is there.

    \b
    Example:
      pms serve --port 8080
      DATABASE_URL=postgresql://pms_app:secret@db/pms pms serve
    """
    settings = read_settings()
    listener = _listener(host, port, settings)
    try:
        with servers(settings, attach=True, needs_redis=settings.is_redis_health_checked) as place:
            _warn(place)
            with noted(place, listener.address):
                serve_app(
                    listener,
                    place.settings,
                    workers=workers,
                    threads=threads,
                    when_ready=lambda: _welcome(listener),
                )
    finally:
        listener.socket.close()
    say("Stopped.")


def _welcome(listener: Listener) -> None:
    click.echo(f"Serving on {listener.address} (Ctrl-C stops it)")
    say(LOG_IN)


def _listener(host: str, port: int, settings: Settings) -> Listener:
    """Take the port; where the app of the same home has it, say so."""
    try:
        return listen(host, port)
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
    if found.pending:
        say(f"The database lacks {len(found.pending)} migration(s): run `pms migrate`.")
        return
    why = ask(place.settings, unsafe_role)
    if why is not None and place.settings.is_production:
        raise MisconfiguredError(reason="unsafe_role", why=why)
    if why is not None:
        say(f"The login of DATABASE_URL is above row-level security ({why}); use pms_app where it matters.")
