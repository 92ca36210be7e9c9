"""``pms smoke``: whether a running app does what it is there for, tried from outside after it was put up.

Owns settings, credentials, lines and how the command ends. Leaves the checks to ``smoke_checks``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click
from attrs import asdict, frozen

from pms_web.cli.calling import CalledApp, app_at
from pms_web.cli.smoke_checks import CheckFailedError, CheckSkippedError, CheckUnknownError, SmokeChecks
from pms_web.cli.terminal import complain, say, show_json
from pmscore.channels.use_cases.operations import SyncType

__all__ = ["FAILED", "PASSED", "UNKNOWN", "Result", "smoke"]

PASSED, FAILED, UNKNOWN = 0, 1, 2
"""How the command ends: nothing failed, something did, or it could not be found out."""

_MARKS: Final = {"passed": "✓", "failed": "✗", "skipped": "⊘", "unknown": "?"}
_ON: Final = frozenset({"1", "true", "yes", "on"})
_NAMES: Final = ("API", "TOKEN", "EMAIL", "PASSWORD", "PID", "CID", "AVAIL_BLOCK_TEST", "B2B_TEST")
_PARTS_OF_TOKEN: Final = 3
_SHORTEST_TOKEN: Final = 100


class UnfitError(Exception):
    """A setting without which nothing can be tried."""


@frozen
class Result:
    """How a check ended: passed, failed, skipped or unknown."""

    number: int
    name: str
    state: str
    said: str = ""

    @property
    def line(self) -> str:
        """What a person reads."""
        ending = {"skipped": f"skipped ({self.said})", "passed": ""}.get(self.state, self.said)
        return f"{_MARKS[self.state]} Test {self.number}: {self.name} {ending}".rstrip()


@click.command()
@click.option("--url", help="Where the app is, else API, else http://127.0.0.1:8000.")
@click.option("--pid", help="The property, else PID, else the first one.")
@click.option("--cid", help="The connection to a platform, else CID, else the first one.")
@click.option(
    "--sync-type",
    type=click.Choice([each.value for each in SyncType]),
    default="availability",
    show_default=True,
    help="What the platform is synchronised with.",
)
@click.option("--poll-limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--poll-interval", type=click.FloatRange(0, 3600), default=2.0, show_default=True)
@click.option(
    "--env-file",
    envvar="ENV_FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of NAME=VALUE lines for names that are not set, else ENV_FILE.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.pass_context
def smoke(
    ctx: click.Context,
    url: str | None,
    pid: str | None,
    cid: str | None,
    sync_type: str,
    poll_limit: int,
    poll_interval: float,
    env_file: Path | None,
    as_json: bool,
) -> None:
    """Try a running app from outside: health, log-in, a property, a sync of a channel.

    Who calls is said by TOKEN (a key or a token), or by EMAIL and PASSWORD. With AVAIL_BLOCK_TEST=true a unit is blocked
    for three nights in 30 days and freed again; with B2B_TEST=true two stays are booked back to back in 60 days or later
    and cancelled again. Those two need a role that may, and leave traces in the log: not for monitoring.

    Ends with 0 when nothing failed, 1 when something did, 2 when it could not be found out.

    \b
    Example:
      pms smoke --url https://pms.example
    """
    told = say if as_json else click.echo
    environ = _environ(env_file)
    address = url or environ.get("API") or "http://127.0.0.1:8000"
    try:
        with app_at(address, told) as app:
            _identify(app, environ, told)
            checks = SmokeChecks(
                app=app,
                say=told,
                property_id=pid or environ.get("PID", ""),
                connection_id=cid or environ.get("CID", ""),
                sync_type=SyncType(sync_type),
                polls=poll_limit,
                interval=poll_interval,
            )
            results = _tried(checks, environ, told)
    except UnfitError as error:
        complain(str(error), "Set TOKEN, or EMAIL and PASSWORD; `pms token --role manager` prints a key.")
        ctx.exit(UNKNOWN)
    if as_json:
        show_json([asdict(each) for each in results])
    ctx.exit(_ended(results, told))


def _tried(checks: SmokeChecks, environ: Mapping[str, str], told: Callable[[str], None]) -> list[Result]:
    """Run the checks; where one fails that the others stand on, those are not tried."""
    basic = (checks.health, checks.readiness, checks.credentials, checks.property_found, checks.availability)
    further = (
        (checks.connection_found, "connection to a platform", ""),
        (checks.sync, f"sync of the channel ({checks.sync_type.value})", ""),
        (checks.block, "a block refuses a booking", "AVAIL_BLOCK_TEST"),
        (checks.back_to_back, "stays back to back", "B2B_TEST"),
    )
    names = ("health", "readiness", "credentials", "property", "availability")
    plan = (*((check, name, "") for check, name in zip(basic, names, strict=True)), *further)
    results: list[Result] = []
    for number, (check, name, switch) in enumerate(plan, start=1):
        is_stopped = any(each.state in {"failed", "unknown"} for each in results[: len(basic)])
        if switch and environ.get(switch, "").lower() not in _ON:
            result = Result(number, name, "skipped", f"{switch} not enabled")
        elif is_stopped:
            result = Result(number, name, "skipped", "what it stands on has failed")
        else:
            result = _tried_once(number, name, check)
        told(result.line)
        results.append(result)
    return results


def _tried_once(number: int, name: str, check: Callable[[], None]) -> Result:
    try:
        check()
    except CheckFailedError as error:
        return Result(number, name, "failed", str(error))
    except CheckSkippedError as error:
        return Result(number, name, "skipped", str(error))
    except CheckUnknownError as error:
        return Result(number, name, "unknown", str(error))
    return Result(number, name, "passed")


def _ended(results: list[Result], told: Callable[[str], None]) -> int:
    states = [each.state for each in results]
    told(", ".join(f"{states.count(state)} {state}" for state in _MARKS if state in states))
    if "failed" in states:
        return FAILED
    return UNKNOWN if "unknown" in states else PASSED


def _identify(app: CalledApp, environ: Mapping[str, str], told: Callable[[str], None]) -> None:
    """Let the app know who calls; of secrets no more is shown than how long they are.

    Raises:
        UnfitError: nothing is said, or it cannot be what it should.
    """
    token = environ.get("TOKEN")
    if token is None:
        missing = [name for name in ("EMAIL", "PASSWORD") if not environ.get(name)]
        if missing:
            named = "TOKEN" if len(missing) == 2 else missing[0]
            raise UnfitError(f"Required environment variable not set: {named}")
        answer = app.log_in(environ["EMAIL"], environ["PASSWORD"])
        told(
            f"Logging in as {environ['EMAIL']}: {'done' if answer.is_success else f'status {answer.status}'}"
        )
        return
    text = token.strip()
    if text in {"", "null"}:
        raise UnfitError("Token is empty")
    is_key = text.startswith("pms_")
    if not is_key and (text.count(".") != _PARTS_OF_TOKEN - 1 or len(text) <= _SHORTEST_TOKEN):
        raise UnfitError(f"Token is neither a key nor a JSON Web Token: {len(text)} characters")
    told(f"{'Key' if is_key else 'Token'}: {len(text)} characters")
    app.use_key(text)


def _environ(file: Path | None) -> dict[str, str]:
    """Return the settings of the command; those of the process come before those of the file."""
    found: dict[str, str] = {}
    for line in [] if file is None else file.read_text("utf-8").splitlines():
        name, is_set, value = line.strip().removeprefix("export ").partition("=")
        if is_set and name.strip() in _NAMES:
            found[name.strip()] = value.strip().strip("\"'")
    return found | {name: os.environ[name] for name in _NAMES if name in os.environ}
