"""The ``pms`` command.

Owns the list of commands and how the process ends. Each command is a module of its own.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

import click

import pmscore
from pms_web.cli.backup import backup
from pms_web.cli.bench import bench
from pms_web.cli.channel_seed import channel_seed
from pms_web.cli.channel_sim import channel_sim
from pms_web.cli.chaos import chaos
from pms_web.cli.demo import demo
from pms_web.cli.doctor import doctor
from pms_web.cli.google_export import google_export
from pms_web.cli.migrate import migrate
from pms_web.cli.openapi import openapi
from pms_web.cli.plugins import plugins
from pms_web.cli.quote import quote
from pms_web.cli.rates import rates
from pms_web.cli.replay import replay
from pms_web.cli.restore import restore
from pms_web.cli.rotate_keys import rotate_keys
from pms_web.cli.serve import serve
from pms_web.cli.smoke import smoke
from pms_web.cli.sync_poll import sync_poll
from pms_web.cli.terminal import Politely
from pms_web.cli.token import token
from pms_web.cli.user import user
from pms_web.cli.verify import verify
from pms_web.cli.worker import worker, worker_ping

__all__ = ["main", "pms"]


@click.group(cls=Politely, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(pmscore.__version__, prog_name="pms")
def pms() -> None:
    """Run a hotel or a holiday-home agency on pmscore.

    Without DATABASE_URL and REDIS_URL the servers that come as wheels are used; their data lives in PMS_HOME,
    by default your data folder.

    \b
    Example:
      pms demo
    """


for _command in (
    backup,
    bench,
    channel_seed,
    channel_sim,
    chaos,
    demo,
    doctor,
    google_export,
    migrate,
    openapi,
    plugins,
    quote,
    rates,
    replay,
    restore,
    rotate_keys,
    serve,
    smoke,
    sync_poll,
    token,
    user,
    verify,
    worker,
    worker_ping,
):
    pms.add_command(_command)


def main() -> NoReturn:
    """Run the command line and end the process; servers that were started for it are stopped."""
    signal.signal(signal.SIGTERM, _end)
    pms.main(prog_name="pms")
    sys.exit(0)


def _end(_: int, __: FrameType | None) -> NoReturn:
    # An exception, so that everything that was opened is closed on the way out.
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    main()
