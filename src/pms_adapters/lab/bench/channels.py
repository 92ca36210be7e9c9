"""``pms bench channels``: the worker's relay, messages of platforms, and what platforms are told, each beside its floor.

Owns which subjects there are. Leaves the way to start the app, printing and the exit code to the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pms_adapters.lab.bench.channel_dispatch import measure_dispatch
from pms_adapters.lab.bench.channel_knocks import measure_knocks
from pms_adapters.lab.bench.channel_receipts import measure_receipts, measure_window
from pms_adapters.lab.bench.channel_rows import measure_booking, measure_difference, measure_year
from pms_adapters.lab.bench.grounds import Progress
from pms_adapters.lab.bench.measurement import Measurement
from pms_adapters.lab.bench.scale import FULL, Scale
from pms_adapters.lab.bench.serving_app import Served
from pms_adapters.lab.bench.subjects import Subject, run_subjects

__all__ = ["CHANNEL_IDS", "run_channels"]

CHANNEL_IDS: tuple[str, ...] = ("P19", "P20", "C-diff", "C-year", "C-delta", "C-receipt", "C-window")
"""The ids that ``only`` may name; what has no number among the targets has a ``C-``."""


def run_channels(
    *,
    app: Sequence[str],
    rounds: int = 5,
    only: Sequence[str] | None = None,
    scale: Scale = FULL,
    progress: Progress | None = None,
) -> tuple[Measurement, ...]:
    """Measure what keeps platforms in step in one run, and return its lines.

    ``app`` is the command that serves the app, as for HTTP. The rest is as for the stock.

    Raises:
        InvalidInputError: ``only`` names an id that there is not, or there is no round.
        MisconfiguredError: an embedded server cannot be started.
    """
    served = Served(tuple(app))
    subjects = (
        Subject(("P19",), measure_dispatch),
        Subject(("P20",), partial(measure_knocks, served=served)),
        Subject(("C-diff",), measure_difference),
        Subject(("C-year",), measure_year),
        Subject(("C-delta",), measure_booking),
        Subject(("C-receipt",), measure_receipts),
        Subject(("C-window",), measure_window),
    )
    return run_subjects(subjects, rounds=rounds, only=only, scale=scale, progress=progress)
