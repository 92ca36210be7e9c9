"""``pms sync-poll``: ask a running app for a sync of a channel, and wait until it is done.

Owns asking again: whatever a single answer looks like, the next poll comes. The app is called as any program
calls it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import click
from attrs import field, frozen

from pms_adapters.http.door import Answer
from pms_web.cli.calling import app_at, items_of
from pmscore.channels.use_cases.operations import SyncType
from pmscore.kernel.events import Json

__all__ = ["FAILED", "MISSING", "SUCCESS", "Poll", "sync_poll"]

SUCCESS, FAILED, MISSING = 0, 1, 2
"""How the command ends: all are done, one has failed, or they were not done within the polls."""

WAITS: Final = (1.0, 2.0, 3.0, 5.0, 8.0)
_LIST: Final = "/api/v1/channel-connections"
_SHOWN_BYTES: Final = 200
_ENDED_BADLY: Final = frozenset({"failed", "cancelled"})

Rows = Sequence[Mapping[str, Json]]


@frozen(kw_only=True)
class Poll:
    """One sync that is asked for and followed; ``send`` takes a method, a path and a body."""

    send: Callable[[str, str, Mapping[str, Json] | None], Answer]
    say: Callable[[str], None]
    pause: Callable[[float], None] = field(default=time.sleep)
    most: int = 20
    interval: float = 2.0

    def run(self, connection_id: str, sync_type: SyncType) -> int:
        """Ask for the sync, follow its operations, and return how it ended."""
        chosen = connection_id or self._first()
        if not chosen:
            self.say("There is no connection.")
            return MISSING
        answer = self.send("POST", f"{_LIST}/{chosen}/sync", {"sync_type": sync_type.value})
        asked = self._read(answer)
        tasks = [] if asked is None else asked.get("task_ids")
        if not answer.is_success or not isinstance(tasks, list) or not tasks:
            said = "" if asked is None else str(asked.get("message", ""))
            self.say(f"The sync was not taken: {answer.status} {said}".rstrip())
            return FAILED
        return self._follow(chosen, frozenset(map(str, tasks)))

    def _follow(self, connection_id: str, tasks: frozenset[str]) -> int:
        for number in range(self.most):
            if number:
                self.pause(self.interval)
            answer = self.send("GET", f"{_LIST}/{connection_id}/sync-logs?limit=100", None)
            body = self._read(answer)
            if body is None:
                continue
            found = [each for each in items_of(body) if str(each.get("task_id")) in tasks]
            shown = ", ".join(f"{each.get('operation_type')}={each.get('status')}" for each in found)
            self.say(f"Found operations: [{shown}] (need: [{', '.join(sorted(tasks))}])")
            states = {str(each.get("status")) for each in found}
            if states & _ENDED_BADLY:
                self.say("SYNC FAILED")
                self._table(found)
                return FAILED
            if len(found) == len(tasks) and states == {"success"}:
                self.say("SYNC COMPLETED SUCCESSFULLY")
                self._table(found)
                return SUCCESS
        self.say("The sync was not done in time: is a worker running, and does the queue move?")
        return MISSING

    def _first(self) -> str:
        """Return the id of the first connection; a proxy that has nobody behind it for a moment is asked again."""
        answer = self.send("GET", f"{_LIST}?limit=1", None)
        for wait in WAITS:
            if answer.status != 502:
                break
            self.say("Transient 502 error (deploy/proxy hiccup), retrying...")
            self.pause(wait)
            answer = self.send("GET", f"{_LIST}?limit=1", None)
        found = items_of(self._read(answer) or {})
        return str(found[0].get("id", "")) if found else ""

    def _read(self, answer: Answer) -> Mapping[str, Json] | None:
        """Return the object that an answer holds, None with a line where it holds none."""
        if not answer.body.strip():
            self.say("Empty response (bytes=0), retrying...")
            return None
        try:
            body = json.loads(answer.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            start = answer.body[:_SHOWN_BYTES].decode("utf-8", "replace")
            self.say(f"Invalid JSON, retrying: {start}")
            return None
        return body

    def _table(self, rows: Rows) -> None:
        self.say(f"{'Operation Type':<24}{'Status':<12}Task ID")
        for each in rows:
            self.say(f"{each.get('operation_type')!s:<24}{each.get('status')!s:<12}{each.get('task_id')}")


@click.command("sync-poll")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Where the app is.")
@click.option("--token", envvar="TOKEN", required=True, help="A key of the app, else TOKEN.")
@click.option("--cid", default="", help="The connection; the first one by default.")
@click.option(
    "--sync-type",
    type=click.Choice([each.value for each in SyncType]),
    default="availability",
    show_default=True,
    help="What is asked for.",
)
@click.option("--poll-limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--poll-interval", type=click.FloatRange(0, 3600), default=2.0, show_default=True)
@click.pass_context
def sync_poll(
    ctx: click.Context,
    url: str,
    token: str,
    cid: str,
    sync_type: str,
    poll_limit: int,
    poll_interval: float,
) -> None:
    """Ask a running app for a sync of a channel and wait for it.

    Ends with 0 when it is done, 1 when it has failed, 2 when it was not done within the polls: then no worker runs, or
    the queue does not move.

    \b
    Example:
      pms sync-poll --sync-type full --token "$(pms token --role manager)"
    """
    with app_at(url, click.echo) as app:
        app.use_key(token)
        poll = Poll(send=app.send, say=click.echo, most=poll_limit, interval=poll_interval)
        ctx.exit(poll.run(cid, SyncType(sync_type)))
