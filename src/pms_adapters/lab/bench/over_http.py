"""``pms bench http``: answers of the app over HTTP, each beside a constant answer at the same rate.

Owns which subjects there are. Leaves the way to start the app, printing and the exit code to the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pms_adapters.lab.bench.answering import measure_quotes_over_http
from pms_adapters.lab.bench.asking import measure_searches_at_a_rate, measure_searches_in_turn
from pms_adapters.lab.bench.booking_over_http import measure_bookings_over_http
from pms_adapters.lab.bench.grounds import Progress
from pms_adapters.lab.bench.measurement import Measurement
from pms_adapters.lab.bench.scale import FULL, Scale
from pms_adapters.lab.bench.serving_app import Served
from pms_adapters.lab.bench.subjects import Subject, run_subjects

__all__ = ["HTTP_IDS", "run_http"]

HTTP_IDS: tuple[str, ...] = ("P15", "P16", "P17", "H-quotes")
"""The ids that ``only`` may name; what has no number among the targets has an ``H-``."""


def run_http(
    *,
    app: Sequence[str],
    rounds: int = 5,
    only: Sequence[str] | None = None,
    scale: Scale = FULL,
    progress: Progress | None = None,
) -> tuple[Measurement, ...]:
    """Measure the app over HTTP in one run, and return its lines.

    ``app`` is the command that serves it on a free port of loopback and says where in its first line, ``Serving on
    <address>``; ``--workers N --threads N`` is added, and the environment names the database. The rest is as for
    the stock.

    Raises:
        InvalidInputError: ``only`` names an id that there is not, or there is no round.
        MisconfiguredError: the embedded server cannot be started.
    """
    served = Served(tuple(app))
    measuring = (
        measure_searches_at_a_rate,
        measure_searches_in_turn,
        measure_bookings_over_http,
        measure_quotes_over_http,
    )
    subjects = [
        Subject((key,), partial(measure, served=served))
        for key, measure in zip(HTTP_IDS, measuring, strict=True)
    ]
    return run_subjects(subjects, rounds=rounds, only=only, scale=scale, progress=progress)
