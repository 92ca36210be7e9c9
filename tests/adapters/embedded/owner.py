"""A process that owns an embedded server, for tests that kill it or run two of it.

``python owner.py SERVER ROOT STATE SOCKETS [attach]`` prints one line of JSON, either the URL and the pids or the
error, and stops the server when its input ends.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pms_adapters.embedded.home import Home
from pms_adapters.embedded.postgres import EmbeddedPostgres
from pms_adapters.embedded.redis import EmbeddedRedis
from pmscore.kernel.errors import PmsError


def main(kind: str, root: str, state: str, sockets: str, *options: str) -> None:
    home = Home(root=Path(root), state=Path(state), socket_bases=(Path(sockets),))
    # Killing processes is no power cut, so what was not synced survives, and the tests are quicker.
    server = EmbeddedPostgres(home, is_durable=False) if kind == "postgres" else EmbeddedRedis(home)
    try:
        url = server.start(attach="attach" in options)
    except PmsError as error:
        say({"code": error.code, **error.params})
        return
    supervisor = server._supervisor
    pids = [] if supervisor is None else [supervisor.pid, supervisor._watchdog.pid]
    say({"url": url, "uid": os.geteuid(), "attached": server.is_attached, "pids": pids})
    sys.stdin.read()
    server.stop()


def say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
