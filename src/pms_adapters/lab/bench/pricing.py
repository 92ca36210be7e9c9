"""``pms bench pricing``: quotes and the year matrix, each beside its floor in one run, without any server.

Owns which subjects there are. Leaves printing and the exit code to the command line.
"""

from __future__ import annotations

from collections.abc import Sequence

from pms_adapters.lab.bench.explaining import measure_explaining
from pms_adapters.lab.bench.grounds import Progress
from pms_adapters.lab.bench.measurement import Measurement
from pms_adapters.lab.bench.quoting import measure_quotes, measure_slope
from pms_adapters.lab.bench.rating import measure_changes, measure_growth_of_changes, measure_years
from pms_adapters.lab.bench.scale import FULL, Scale
from pms_adapters.lab.bench.subjects import Subject, ids_of, run_subjects

__all__ = ["PRICING_IDS", "run_pricing"]

_SUBJECTS = (
    Subject(("P11", "P12"), measure_quotes),
    Subject(("P13",), measure_years),
    Subject(("P14",), measure_changes),
    Subject(("G-quote",), measure_slope),
    Subject(("G-explain",), measure_explaining),
    Subject(("G-matrix",), measure_growth_of_changes),
)
PRICING_IDS: tuple[str, ...] = ids_of(_SUBJECTS)
"""The ids that ``only`` may name: targets by number, growth gates with a ``G-``."""


def run_pricing(
    *,
    rounds: int = 5,
    only: Sequence[str] | None = None,
    scale: Scale = FULL,
    progress: Progress | None = None,
) -> tuple[Measurement, ...]:
    """Measure the targets of pricing in one run, and return its lines.

    ``rounds``, ``only`` and ``progress`` are as for the stock.

    Raises:
        InvalidInputError: ``only`` names an id that there is not, or there is no round.
    """
    return run_subjects(_SUBJECTS, rounds=rounds, only=only, scale=scale, progress=progress)
