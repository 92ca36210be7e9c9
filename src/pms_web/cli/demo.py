"""``pms demo``: a hotel and eight holiday homes, on servers that come as wheels, from one command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import click
from attrs import evolve

from pms_adapters.bootstrap import connect
from pms_adapters.embedded.errors import AlreadyRunningError
from pms_adapters.embedded.home import Home
from pms_adapters.lab.seed import DEMO_AGENCY, add_missing_prices, add_missing_rates, is_seeded, seed
from pms_adapters.postgres.leases import skip_history
from pms_adapters.settings import LogLevel, Settings
from pms_web.cli.demo_people import DEMO_PEOPLE, set_demo_people
from pms_web.cli.demo_platform import channel_environ, demo_platform, with_channel
from pms_web.cli.listening import Listener, listen
from pms_web.cli.migrate import migrated
from pms_web.cli.people import Desk
from pms_web.cli.same_version import tell_what_serves
from pms_web.cli.self_check import KEY_NAME, Check, run_checks, wait_for
from pms_web.cli.servers import AppNote, Servers, is_alive, noted, read_settings, servers
from pms_web.cli.serving import serve
from pms_web.cli.terminal import complain, progress_bar, say
from pms_web.cli.verify import summary, verified
from pms_web.wiring import access_of
from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.keys import CreateKey, create_key

__all__ = ["demo"]

USUAL_PORT = 8000
PATIENCE_SECONDS = 180.0


@click.command()
@click.option("--exit", "exits", is_flag=True, help="Check the running app over HTTP, then stop everything.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Where to listen: {USUAL_PORT} by default, 0 finds a free one.",
)
@click.pass_context
def demo(ctx: click.Context, exits: bool, port: int | None) -> None:
    """Start the demo: servers, schema, a seeded agency, the app.

    The agency has a hotel with 120 rooms and two years of stays, and eight holiday homes. The hotel is sold
    on a simulated platform as well, which runs beside the app and is another one at each start. The data
    stays in PMS_HOME, so the next start takes a moment. A second demo on the same home names the address of
    the first. What goes well is not logged, so that the password stays in sight.

    \b
    Example:
      pms demo
      pms demo --exit
      PMS_HOME=/tmp/try pms demo --port 8080
      LOG_LEVEL=INFO pms demo
    """
    settings = _quietly(read_settings())
    chosen = (0 if exits else USUAL_PORT) if port is None else port
    deadline = time.monotonic() + PATIENCE_SECONDS
    is_told = False
    while True:
        try:
            with servers(settings, attach=False, needs_redis=True) as place:
                ctx.exit(_run(place, chosen, exits=exits))
        except AlreadyRunningError:
            note = AppNote.find(Home.find(settings.home).root)
            if time.monotonic() > deadline:
                raise
            if note is not None and not note.ends_soon:
                ctx.exit(_second(note, exits=exits))
            if not is_told:
                say("Another command uses the embedded servers of this home; waiting for it to end.")
                is_told = True
            time.sleep(0.2)


def _quietly(settings: Settings) -> Settings:
    """Return settings that log what goes wrong, unless LOG_LEVEL asks for something else."""
    return settings if os.environ.get("LOG_LEVEL") else evolve(settings, log_level=LogLevel.WARNING)


def _run(place: Servers, port: int, *, exits: bool) -> int:
    """Prepare everything, then serve; return the exit code."""
    listener = listen("127.0.0.1", port)
    with closing(listener.socket), noted(place, listener.address, ends_soon=exits):
        migrated(place)
        password = _seeded(place)
        found = verified(place)
        click.echo(summary(found))
        if found:
            for each in found[:20]:
                say(f"{each.code}: {each.where}")
            return 1
        place = with_channel(place)
        tell_what_serves(place.settings)
        with demo_platform(place, listener.address, sells=not exits) as platform, _working(place.settings):
            if exits:
                return _check_and_stop(place, listener)
            serve(listener, place.settings, when_ready=lambda: _welcome(listener, password, platform))
    say("Stopped. The data stays where it is; `pms demo` continues with it.")
    return 0


@contextmanager
def _working(settings: Settings) -> Iterator[None]:
    """Run a worker beside the app, as a program of its own; without Redis it complains and ends."""
    worker = subprocess.Popen(
        (sys.executable, "-m", "pms_web.cli.main", "worker", "--attended"),
        env={**os.environ, **channel_environ(settings), "LOG_LEVEL": settings.log_level.value},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        worker.terminate()
        worker.wait()


def _seeded(place: Servers) -> str:
    """Make what is missing and return the password of the demo's people."""
    with connect(place.settings) as services:
        if is_seeded(services):
            add_missing_prices(services)
            add_missing_rates(services)
            return set_demo_people(place.settings, services)
        with progress_bar("Seeding two years of stays") as tell:
            report = seed(services, admin_url=place.admin_url, progress=tell)
        # Two years of made-up history are nobody's news.
        skip_history(services.engine, DEMO_AGENCY)
        password = set_demo_people(place.settings, services)
    click.echo(f"Seeded {report.bookings} bookings of {report.guests} guests in {report.seconds:.0f} s.")
    return password


def _welcome(listener: Listener, password: str, platform: str | None) -> None:
    click.echo(f"The demo runs at {listener.address} (Ctrl-C stops it)")
    for role, (email, _) in DEMO_PEOPLE.items():
        click.echo(f"User ({role.value}): {email}")
    click.echo(f"Password of all three, new at each start: {password}")
    click.echo("A key for programs: pms token")
    if platform is not None:
        click.echo(
            f"The hotel is sold on a simulated platform, too: {platform} shows what that knows and sells"
        )
        click.echo(f"Its connection: {listener.address}/api/v1/channel-connections (admin, manager)")
        click.echo(
            f"A guest of the platform comes each minute, and at once by: curl -X POST {platform}sales/channex"
        )


def _check_and_stop(place: Servers, listener: Listener) -> int:
    """Serve, let the self-check call the app from a process of its own, and return how it went."""
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as results:
        arguments = (listener.address, str(os.getpid()), str(writing))
        visitor = subprocess.Popen(  # noqa: S603 - our own program
            (sys.executable, "-m", "pms_web.cli.self_check", *arguments),
            env={**os.environ, KEY_NAME: _key_of(place)},
            pass_fds=(writing,),
            stdin=subprocess.DEVNULL,
        )
        os.close(writing)
        try:
            serve(listener, place.settings, workers=1)
        finally:
            visitor.terminate()
            visitor.wait()
        text = results.read()
    checks = [Check(**each) for each in json.loads(text)] if text else []
    return _told(checks)


def _told(checks: list[Check]) -> int:
    """Print the checks and return the exit code."""
    for each in checks:
        click.echo(f"{'ok  ' if each.ok else 'FAIL'} {each.name}{f': {each.found}' if each.found else ''}")
    if checks and all(each.ok for each in checks):
        click.echo("Self-check passed.")
        return 0
    complain(
        "The self-check failed.", "Start `pms demo` and look at /health/ready; `pms doctor` looks closer."
    )
    return 1


def _second(note: AppNote, *, exits: bool) -> int:
    """Point to the demo that runs already; with ``exits`` check that one."""
    patience = PATIENCE_SECONDS if exits else 0.0
    is_ready = wait_for(note.address, lambda: is_alive(note), seconds=patience)
    state = "runs already" if is_ready else "is being started already"
    click.echo(f"The demo {state}, in process {note.pid}: {note.address}")
    if not exits:
        return 0
    with servers(read_settings(), attach=True) as place:
        key = _key_of(place)
    return _told(list(run_checks(note.address, key)))


def _key_of(place: Servers) -> str:
    """Return a key for the self-check, which holds for an hour."""
    with connect(place.settings) as services:
        access, _ = access_of(place.settings, services)
        at = Desk(services=services, access=access, agency_id=DEMO_AGENCY)
        command = CreateKey(
            **at.asking,
            name="Self-check of the demo",
            role=Role.MANAGER,
            expires_at=services.clock.now() + timedelta(hours=1),
        )
        made = create_key(
            command, uow=access.uow, secrets=access.secrets, clock=services.clock, ids=services.ids
        )
    return made.text
