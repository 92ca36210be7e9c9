"""Whether web and worker are the same program: the one that serves says which it is, the one that works compares.

Owns what is said of a difference. Jobs are read by another program than the one that wrote them otherwise.
"""

from __future__ import annotations

import os

import click

import pmscore
from pms_adapters.redis.running import Running, find_running, tell_running
from pms_adapters.settings import Settings
from pms_web.cli.terminal import complain, say
from pmscore.kernel.errors import UnreachableError

__all__ = ["is_fit_to_work", "running", "tell_what_serves"]


def running() -> Running:
    """Return which version this program is; the commit is that of ``SOURCE_COMMIT``."""
    return Running(version=pmscore.__version__, commit=os.environ.get("SOURCE_COMMIT", "unknown"))


def tell_what_serves(settings: Settings) -> None:
    """Let workers know which version serves the app; where Redis is away they cannot know, and the app is served all the same."""
    if settings.redis_url is None:
        return
    try:
        tell_running(settings.redis_url, running())
    except UnreachableError:
        say("Redis does not answer: workers cannot compare their version with this one.")


def is_fit_to_work(settings: Settings) -> bool:
    """Return whether a worker may begin: always, unless ``WORKER_REQUIRE_SAME_VERSION`` says that a difference matters."""
    if settings.redis_url is None:
        return True
    try:
        app = find_running(settings.redis_url)
    except UnreachableError:
        # Whether Redis is there is the business of who waits for it.
        return True
    here = running()
    if app is None:
        say("No web process has said which version it is.")
        return True
    if app == here:
        click.echo("✓ Commits match", err=True)
        return True
    way_out = "Both have to be put up from the same commit; `pms worker-ping` and /ops/current-commit show which they are."
    complain(
        f"✗ COMMIT MISMATCH - redeploy worker! The app is {app}; this worker is {here}.",
        way_out if settings.is_same_version_required else f"{way_out} Going on all the same.",
    )
    return not settings.is_same_version_required
