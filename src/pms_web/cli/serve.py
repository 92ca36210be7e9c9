"""``pms serve``: the app on this machine."""

from __future__ import annotations

import os
from uuid import UUID

import click

from pms_adapters.lab.seed import DEMO_AGENCY
from pms_adapters.postgres.migrate import status
from pms_web.cli.servers import AppNote, Servers, read_settings, servers
from pms_web.cli.serving import listen
from pms_web.cli.serving import serve as serve_app
from pms_web.cli.terminal import say
from pmscore.kernel.errors import PmsError
from pmscore.kernel.ids import AgencyId

__all__ = ["NO_LOG_IN", "serve"]

NO_LOG_IN = (
    "There is no log-in yet: the app serves one agency, every call means that agency, and it listens on this"
    " machine only."
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="An address of loopback.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 finds a free one."
)
@click.option("--agency", type=click.UUID, default=DEMO_AGENCY, help="Whose data; the demo's by default.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option(
    "--threads", default=8, show_default=True, type=click.IntRange(1, 256), help="Threads a process."
)
def serve(host: str, port: int, agency: UUID, workers: int, threads: int) -> None:
    """Serve the app until Ctrl-C or SIGTERM; requests that are being worked on are finished first.

    It starts without its database too, says so in /health/ready, and recovers when the database is there.

    \b
    Example:
      pms serve --port 8080
      DATABASE_URL=postgresql://pms_app:secret@db/pms pms serve
    """
    settings = read_settings()
    with listen(host, port).socket as bound:
        del bound
    with servers(settings, attach=True, needs_redis=settings.is_redis_health_checked) as place:
        listener = listen(host, port)
        _warn(place)
        if place.home is not None:
            AppNote(address=listener.address, pid=os.getpid()).write(place.home)

        def ready() -> None:
            click.echo(f"Serving on {listener.address} (Ctrl-C stops it)")
            say(NO_LOG_IN)

        try:
            serve_app(
                listener, place.settings, AgencyId(agency), workers=workers, threads=threads, when_ready=ready
            )
        finally:
            listener.socket.close()
            if place.home is not None:
                AppNote.remove(place.home)
    say("Stopped.")


def _warn(place: Servers) -> None:
    """Say what is not as it should be; the app starts all the same."""
    try:
        found = status(place.admin_url)
    except PmsError:
        say("The database does not answer yet; /health/ready says when it does.")
        return
    if found.pending:
        say(f"The database lacks {len(found.pending)} migrations: run `pms migrate`.")
