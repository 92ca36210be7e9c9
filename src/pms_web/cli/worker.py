"""``pms worker``: carry the events on, run reactions and schedules; look at what it could not do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import click
from attrs import asdict

from pms_adapters.bootstrap import Services, connect, set_up_logs
from pms_adapters.postgres.letters import DeadLetter, list_letters, send_again
from pms_adapters.redis.heartbeats import Heartbeat, list_workers
from pms_adapters.worker.preflight import wait_for_servers
from pms_adapters.worker.processes import drain, end_on_signals
from pms_adapters.worker.registry import find_registered
from pms_adapters.worker.supervisor import Supervisor
from pms_web.cli.same_version import is_fit_to_work, running
from pms_web.cli.servers import Servers, check_login, read_settings, servers
from pms_web.cli.terminal import complain, say, show_json, show_table
from pms_web.services import NOBODY
from pmscore.channels.use_cases.operations import RetryOperation, retry_operation
from pmscore.kernel.errors import MisconfiguredError, NotFoundError, UnreachableError
from pmscore.kernel.ids import AgencyId, OperationId, RequestId

__all__ = ["worker", "worker_ping"]

PING_SECONDS = 3.0


@click.group(invoke_without_command=True)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="How many work the queue off.",
)
@click.option("--once", is_flag=True, help="Do what is due, then end.")
@click.option("--attended", is_flag=True, hidden=True, help="End with the program that started this.")
@click.pass_context
def worker(ctx: click.Context, processes: int, *, once: bool, attended: bool) -> None:
    """Run the worker until Ctrl-C or SIGTERM; what is being done is finished first.

    It carries events to reactions and to the published feed, seals the audit log, and does what is scheduled. It
    waits for its servers (WORKER_WAIT_TIMEOUT), and comes back by itself when one of them was away. Any number of
    workers may run, on any number of machines.

    \b
    Example:
      pms worker
      pms worker --processes 4
      pms worker --once
    """
    if ctx.invoked_subcommand is not None:
        return
    with _place() as place:
        set_up_logs(place.settings)
        if place.settings.is_worker_waiting:
            wait_for_servers(place.settings, say)
        check_login(place.settings)
        if not is_fit_to_work(place.settings):
            ctx.exit(1)
        if once:
            done = drain(place.settings)
            click.echo(f"pms worker: nothing is left to do; {done} jobs were run.")
            return
        supervisor = Supervisor(
            place.settings,
            workers=processes,
            commit=running().commit,
            starter=os.getppid() if attended else None,
        )
        end_on_signals(supervisor.ended.set)
        supervisor.run(when_ready=_welcome)
    say("Stopped.")


@worker.command("dead-letters")
@click.option("--retry", type=click.UUID, help="Send the letter with this id again.")
@click.option("--agency", type=click.UUID, help="Look at this agency only.")
@click.option("--json", "as_json", is_flag=True, help="Print the letters as JSON.")
@click.pass_context
def dead_letters(ctx: click.Context, retry: UUID | None, agency: UUID | None, *, as_json: bool) -> None:
    """Show what reactions and lanes of channels gave up after their last try, or send one of them again.

    The letter of a lane is the operation that has failed; to send it again is to ask for a new one.

    \b
    Example:
      pms worker dead-letters
      pms worker dead-letters --retry 01997f3e-5f0a-7c3e-9d7e-1c2b3a4d5e6f
    """
    with servers(read_settings(), attach=True) as place:
        letters = list_letters(place.admin_url, agency_id=AgencyId(agency) if agency else None)
        if retry is not None:
            found = [each for each in letters if each.letter_id == retry]
            if not found:
                raise NotFoundError("dead_letter", retry)
            with connect(place.settings) as services:
                if found[0].is_of_lane:
                    _ask_anew(services, found[0])
                else:
                    send_again(services.engine, found[0].agency_id, retry)
            click.echo(f"Sent again: {found[0].reaction}, event {found[0].event_id}.")
            return
    if as_json:
        show_json([asdict(each) for each in letters])
    else:
        rows = [
            (
                str(each.letter_id),
                each.reaction,
                each.kind or "?",
                each.error,
                f"{each.died_at:%Y-%m-%d %H:%M}",
            )
            for each in letters
        ]
        if rows:
            show_table(("letter", "reaction", "event", "error", "died"), rows, texts=5)
        click.echo(f"pms worker: {len(letters)} dead letters")
    ctx.exit(1 if letters else 0)


def _ask_anew(services: Services, letter: DeadLetter) -> None:
    command = RetryOperation(
        request_id=RequestId(services.ids.new()),
        agency_id=letter.agency_id,
        actor_id=NOBODY,
        operation_id=OperationId(letter.letter_id),
    )
    retry_operation(command, uow=services.uow, clock=services.clock, ids=services.ids)


@click.command("worker-ping")
@click.option("--json", "as_json", is_flag=True, help="Print the workers as JSON.")
@click.pass_context
def worker_ping(ctx: click.Context, *, as_json: bool) -> None:
    """Name the workers that live, with the version and commit that each runs; 3 seconds are waited for an answer.

    Ends with 0 if there is one.

    \b
    Example:
      pms worker-ping
    """
    with _place() as place:
        try:
            found = list_workers(place.settings.redis_url or "", seconds=PING_SECONDS)
        except UnreachableError as error:
            complain(
                "No answer: Redis cannot be reached.",
                f"Look at REDIS_URL. It said: {error.params.get('said')}",
            )
            ctx.exit(1)
    if as_json:
        show_json([asdict(each) for each in found])
    else:
        for each in found:
            click.echo(f"{each.name}: pong (version {each.version}, commit {each.commit})")
        if not found:
            complain("No worker lives.", "Start one: `pms worker`.")
    ctx.exit(0 if found else 1)


@contextmanager
def _place() -> Iterator[Servers]:
    """Yield the servers, Redis among them.

    Raises:
        MisconfiguredError: there is no Redis.
    """
    with servers(read_settings(), attach=True, needs_redis=True) as place:
        if place.settings.redis_url is None:
            raise MisconfiguredError(reason="no_redis_url")
        yield place


def _welcome(me: Heartbeat) -> None:
    known = find_registered()
    click.echo(f"Worker {me.name} is ready (Ctrl-C stops it)")
    for kind, names in (
        ("reactions", known.reactions),
        ("jobs", known.jobs),
        ("due work", known.due_work),
    ):
        click.echo(f"  {kind}: {', '.join(sorted(names)) or 'none'}")
