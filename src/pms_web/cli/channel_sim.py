"""``pms channel-sim``: platforms to try the channel manager against, on this machine.

Owns the options and what is shown. Leaves the platforms to the simulator.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime

import click

from pms_web.cli.terminal import say, show_json, show_table
from pmscore.kernel.events import Json
from pmscore.kernel.reading import ObjectReader

__all__ = ["channel_sim"]

_LOOK_SECONDS = 1.0


@click.command("channel-sim")
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    help="Which platform to play, by its name or its gateway's; may be repeated. All unless given.",
)
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0), help="Draws codes, guests and bad days."
)
@click.option(
    "--dial", default=0, show_default=True, type=click.IntRange(0, 100), help="How hostile it is, 0 to 100."
)
@click.option(
    "--port", default=8_090, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one."
)
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), help="What day it is on the platforms; today unless given."
)
@click.option(
    "--sales-every",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds between two guests; 0 for none.",
)
@click.option(
    "--rooms", default=2, show_default=True, type=click.IntRange(1, 200), help="Room types of its house."
)
@click.option(
    "--rates", default=1, show_default=True, type=click.IntRange(1, 20), help="Rates of each room type."
)
@click.option(
    "--knock", default="", envvar="CHANNEL_SIM_KNOCK", help="Where it says that it has sold something."
)
@click.option("--json", "as_json", is_flag=True, help="Print what to enter as JSON.")
@click.option("--attended", is_flag=True, hidden=True, help="End with the program that started this.")
def channel_sim(
    platforms: tuple[str, ...],
    seed: int,
    dial: int,
    port: int,
    start: datetime | None,
    sales_every: float,
    rooms: int,
    rates: int,
    knock: str,
    as_json: bool,
    attended: bool,
) -> None:
    """Play the platforms that rooms are sold on, with guests of their own.

    A connection reaches one by entering its address as base_url, its property as listing and its credentials. They are
    written from what the platforms publish. With --dial answers are lost, late, refused or unreadable, the same ones each
    time for the same seed and calls. Another seed is another house, with codes and bookings of its own.

    GET / shows what the platforms know and have sold; POST /sales/PLATFORM lets a guest come along. Ends with Ctrl-C.

    \b
    Example:
      pms channel-sim --platform channex --seed 7 --dial 30
    """
    from pms_adapters.http.door import HttpDoor  # noqa: PLC0415 - other commands start without it
    from pms_adapters.http.guard import Guard, read_networks  # noqa: PLC0415 - other commands start without it
    from pms_adapters.lab.channel_sim.opening import (  # noqa: PLC0415 - other commands start without it
        Knocks,
        ShiftedClock,
        face_name,
        platform_names,
        simulated,
    )
    from pms_adapters.system import SystemClock  # noqa: PLC0415 - other commands start without it

    now = SystemClock()
    clock = ShiftedClock(now) if start is None else ShiftedClock.from_day(now, start.date())
    names = tuple(dict.fromkeys(map(face_name, platforms))) or platform_names()
    if knock and len(names) > 1:
        raise click.UsageError("With --knock, name one --platform.")
    guard = Guard(networks=read_networks("127.0.0.0/8,::1/128", field="knock"), allows_plain_http=True)
    with (
        HttpDoor(guard, clock=clock) as door,
        simulated(
            names,
            seed=seed,
            clock=clock,
            dial=dial,
            port=port,
            sales_every=sales_every or None,
            rooms=rooms,
            rates=rates,
            told=lambda name, made: say(f"{name}: {type(made).__name__.lower()} {_shown(made)}"),
            knocks=Knocks(door, dict.fromkeys(names, knock)) if knock else None,
        ) as simulation,
    ):
        _show(simulation.as_json(), as_json=as_json)
        say("Ends with Ctrl-C.")
        _wait(os.getppid() if attended else None)


def _wait(starter: int | None) -> None:
    """Wait for ever, or until the program that started this has ended."""
    never = threading.Event()
    while starter is None or os.getppid() == starter:
        never.wait(_LOOK_SECONDS)


def _show(connections: Sequence[Mapping[str, Json]], *, as_json: bool) -> None:
    """Say what to enter to connect; the credentials open nothing but the simulation."""
    if as_json:
        show_json(connections)
        return
    rows: list[tuple[str, ...]] = []
    for each in connections:
        secrets = ObjectReader(each).inside("credentials").values
        entered = ", ".join(f"{name}={value}" for name, value in secrets.items())
        rows.append((str(each["platform"]), str(each["base_url"]), str(each["listing_id"]), entered))
    show_table(("platform", "base_url", "listing", "credentials"), rows, texts=4)


def _shown(made: object) -> str:
    status = getattr(made, "status", None)
    return "unreadable" if status is None else f"{getattr(made, 'booking_key', '')} {status.value}"
