"""``pms bench stock``: bookings, races, searches, calendars and reads, each beside its floor in one run.

Owns which subjects there are and in what order they run: what needs a quiet machine first. Leaves printing
and the exit code to the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from attrs import frozen

from pms_adapters.lab.bench.boards import measure_boards, measure_growth, measure_libraries
from pms_adapters.lab.bench.booking import measure_guard, measure_many, measure_one
from pms_adapters.lab.bench.grounds import Grounds, Progress, open_grounds
from pms_adapters.lab.bench.growing import measure_writes
from pms_adapters.lab.bench.measurement import Measurement
from pms_adapters.lab.bench.peers import measure_peers
from pms_adapters.lab.bench.racing import measure_race
from pms_adapters.lab.bench.reading import measure_reads
from pms_adapters.lab.bench.scale import FULL, Scale
from pms_adapters.lab.bench.searching import measure_calendar, measure_search
from pmscore.kernel.errors import InvalidInputError

__all__ = ["STOCK_IDS", "run_stock"]

LEAST_ROUNDS = 1


@frozen
class _Subject:
    """One group of measurements that run together, and their ids."""

    ids: tuple[str, ...]
    measure: Callable[[Grounds], Iterator[Measurement]]


_SUBJECTS = (
    _Subject(("P1", "P3"), measure_one),
    _Subject(("P2",), measure_many),
    _Subject(("P4",), measure_guard),
    _Subject(("P5",), measure_race),
    _Subject(("P6", "G-search"), measure_search),
    _Subject(("P7",), measure_peers),
    _Subject(("P8",), measure_boards),
    _Subject(("P9",), measure_libraries),
    _Subject(("P10", "G-calendar"), measure_calendar),
    _Subject(("P18",), measure_reads),
    _Subject(("G-insert", "G-refuse"), measure_writes),
    _Subject(("G-board", "G-start", "G-rooms"), measure_growth),
)
STOCK_IDS: tuple[str, ...] = tuple(key for subject in _SUBJECTS for key in subject.ids)
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
    wanted = frozenset(STOCK_IDS if only is None else only)
    unknown = sorted(wanted.difference(STOCK_IDS))
    if unknown:
        raise InvalidInputError("only", "unknown_measurement", value=unknown[0], known=", ".join(STOCK_IDS))
    if rounds < LEAST_ROUNDS:
        raise InvalidInputError("rounds", "out_of_range", least=LEAST_ROUNDS)
    found: list[Measurement] = []
    with open_grounds(scale, rounds, progress or (lambda _: None)) as grounds:
        for subject in _SUBJECTS:
            if not wanted.isdisjoint(subject.ids):
                found.extend(each for each in subject.measure(grounds) if each.id in wanted)
    return tuple(sorted(found, key=lambda each: STOCK_IDS.index(each.id)))
