"""``pms bench stock``: bookings, races, searches, calendars and reads, each beside its floor in one run.

Owns which subjects there are and in what order they run: what needs a quiet machine first. Leaves printing
and the exit code to the command line.
"""

from __future__ import annotations

from collections.abc import Sequence

from pms_adapters.lab.bench.boards import measure_boards, measure_growth, measure_libraries
from pms_adapters.lab.bench.booking import measure_guard, measure_many, measure_one
from pms_adapters.lab.bench.grounds import Progress
from pms_adapters.lab.bench.growing import measure_writes
from pms_adapters.lab.bench.measurement import Measurement
from pms_adapters.lab.bench.peers import measure_peers
from pms_adapters.lab.bench.racing import measure_race
from pms_adapters.lab.bench.reading import measure_reads
from pms_adapters.lab.bench.rebuilding import measure_rebuild
from pms_adapters.lab.bench.scale import FULL, Scale
from pms_adapters.lab.bench.searching import measure_calendar, measure_search
from pms_adapters.lab.bench.subjects import Subject, ids_of, run_subjects

__all__ = ["STOCK_IDS", "run_stock"]

_SUBJECTS = (
    Subject(("P1", "P3"), measure_one),
    Subject(("P2",), measure_many),
    Subject(("P4",), measure_guard),
    Subject(("P5",), measure_race),
    Subject(("P6", "G-search"), measure_search),
    Subject(("P7",), measure_peers),
    Subject(("P8",), measure_boards),
    Subject(("P9",), measure_libraries),
    Subject(("P10", "G-calendar"), measure_calendar),
    Subject(("P18",), measure_reads),
    Subject(("G-insert", "G-refuse"), measure_writes),
    Subject(("G-board", "G-start", "G-rooms"), measure_growth),
    Subject(("G-rebuild",), measure_rebuild),
)
STOCK_IDS: tuple[str, ...] = ids_of(_SUBJECTS)
"""The ids that ``only`` may name: targets by number, growth gates with a ``G-``."""


def run_stock(
    *,
    rounds: int = 5,
    only: Sequence[str] | None = None,
    scale: Scale = FULL,
    progress: Progress | None = None,
) -> tuple[Measurement, ...]:
    """Measure the targets of the stock, in one run on an embedded server of its own, and return its lines.

    ``rounds`` are counted rounds; where a server takes part, one more goes before them to warm up. ``only``
    names the ids to measure, all of them where it is None. ``progress`` hears what is being done, at least
    at the beginning of everything that takes two seconds.

    Raises:
        InvalidInputError: ``only`` names an id that there is not, or there is no round.
        MisconfiguredError: the embedded server cannot be started.
    """
    return run_subjects(_SUBJECTS, rounds=rounds, only=only, scale=scale, progress=progress)
