"""The simulated platform beside ``pms demo``, which sells the demo's hotel as well.

Owns its process and which settings of the demo let it be called. It ends with the demo. A demo without Redis, without
a key for secrets, or whose operator has switched the module off has none.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from urllib.parse import urljoin

from attrs import evolve

from pms_adapters.bootstrap import connect
from pms_adapters.lab.demo_channel import DEMO_PLANS, DemoChannel
from pms_adapters.settings import Settings
from pms_web.cli.servers import Servers
from pms_web.cli.terminal import say
from pmscore.kernel.events import Json

__all__ = ["SALES_SECONDS", "channel_environ", "demo_platform", "with_channel"]

SALES_SECONDS = 60
MODULE = "channel_manager"
_SEEDS = 1_000_000_000
_LOOPBACK = "127.0.0.0/8"


def with_channel(place: Servers) -> Servers:
    """Return the servers with settings that let the app and a platform of this machine call each other."""
    settings = place.settings
    if not _may_have_one(settings):
        return place
    networks = (*settings.outbound_networks, ip_network(_LOOPBACK))
    switches = {**dict(settings.module_switches), MODULE: True}
    on = evolve(settings, module_switches=tuple(sorted(switches.items())), outbound_networks=networks)
    return evolve(place, settings=on)


def channel_environ(settings: Settings) -> dict[str, str]:
    """Return what the worker has to be told beside the environment of this process."""
    if not _has_one(settings):
        return {}
    networks = ",".join(map(str, settings.outbound_networks))
    return {"CHANNEL_MANAGER_ENABLED": "true", "OUTBOUND_NETWORKS": networks}


@contextmanager
def demo_platform(place: Servers, address: str, *, sells: bool) -> Iterator[str | None]:
    """Yield the address of a simulated platform that the demo's hotel is connected to, None where there is none.

    With ``sells`` it has guests of its own; otherwise they come along on request only. ``address`` is that of
    the app.
    """
    if not _has_one(place.settings):
        yield None
        return
    with connect(place.settings) as services:
        channel = DemoChannel.prepared(services)
        options = {
            "--platform": "channex",
            "--port": "0",
            "--seed": str(secrets.randbelow(_SEEDS)),
            "--rooms": str(len(channel.house.types)),
            "--rates": str(len(DEMO_PLANS)),
            "--sales-every": str(SALES_SECONDS if sells else 0),
        }
        words = [word for pair in options.items() for word in pair]
        process = subprocess.Popen(  # noqa: S603 - our own program
            (sys.executable, "-m", "pms_web.cli.main", "channel-sim", "--json", "--attended", *words),
            # Not an argument: a list of processes shows those to everybody.
            env={**os.environ, "CHANNEL_SIM_KNOCK": f"{address}{channel.knock_path.reveal()}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            told = _told(process.stdout or ())
            channel.open(told)
            yield urljoin(str(told["base_url"]), "/")
        finally:
            process.terminate()
            process.communicate()


def _told(lines: Iterable[str]) -> dict[str, Json]:
    """Return what the platform says is to be entered; what comes after that is not waited for."""
    text = ""
    for line in lines:
        text += line
        if line.rstrip() == "]":
            break
    (platform,) = json.loads(text)
    return dict(platform)


def _may_have_one(settings: Settings) -> bool:
    if not settings.are_modules_on or dict(settings.module_switches).get(MODULE) is False:
        return False
    if settings.redis_url is None or settings.encryption_key is None:
        say("No Redis or no ENCRYPTION_KEY: the demo goes without a simulated platform.")
        return False
    return True


def _has_one(settings: Settings) -> bool:
    networks = settings.outbound_networks
    return dict(settings.module_switches).get(MODULE) is True and ip_network(_LOOPBACK) in networks
