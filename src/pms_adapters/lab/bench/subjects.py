"""Groups of measurements, and one run of those that are wanted.

Owns the choice and the order; what is measured stands in the modules of the subjects, and which of them make a
command in ``stock`` and ``pricing``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from attrs import frozen

from pms_adapters.lab.bench.grounds import Grounds, Progress, open_grounds
from pms_adapters.lab.bench.measurement import Measurement
from pms_adapters.lab.bench.scale import Scale
from pmscore.kernel.errors import InvalidInputError

__all__ = ["Subject", "ids_of", "run_subjects"]

LEAST_ROUNDS = 1


@frozen
class Subject:
    """One group of measurements that run together, and their ids."""

    ids: tuple[str, ...]
    measure: Callable[[Grounds], Iterator[Measurement]]


def ids_of(subjects: Sequence[Subject]) -> tuple[str, ...]:
    """Return all ids, in the order in which they are shown."""
    return tuple(key for subject in subjects for key in subject.ids)


def run_subjects(
    subjects: Sequence[Subject],
    *,
    rounds: int,
    only: Sequence[str] | None,
    scale: Scale,
    progress: Progress | None,
) -> tuple[Measurement, ...]:
    """Measure the subjects in one run and return their lines; a server is started when one first asks for it.

    Raises:
        InvalidInputError: ``only`` names an id that there is not, or there is no round.
        MisconfiguredError: the embedded server cannot be started.
    """
    ids = ids_of(subjects)
    wanted = frozenset(ids if only is None else only)
    unknown = sorted(wanted.difference(ids))
    if unknown:
        raise InvalidInputError("only", "unknown_measurement", value=unknown[0], known=", ".join(ids))
    if rounds < LEAST_ROUNDS:
        raise InvalidInputError("rounds", "out_of_range", least=LEAST_ROUNDS)
    found: list[Measurement] = []
    with open_grounds(scale, rounds, progress or (lambda _: None)) as grounds:
        for subject in subjects:
            if not wanted.isdisjoint(subject.ids):
                found.extend(each for each in subject.measure(grounds) if each.id in wanted)
    return tuple(sorted(found, key=lambda each: ids.index(each.id)))
