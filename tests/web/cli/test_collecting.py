"""A process that serves looks for circles of objects seldom, and not at all among what was loaded before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pms_web.cli.collecting import collect_rarely

PASSES = 3


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


class _Ring:
    def __init__(self) -> None:
        self.itself = self


def test_what_is_loaded_is_looked_through_no_more() -> None:
    loaded = [[number] for number in range(1_000)]
    collect_rarely()
    assert gc.get_freeze_count() > 1_000
    watched = {id(each) for each in gc.get_objects()}
    assert not watched.intersection(map(id, loaded))


def test_circles_of_later_objects_are_still_found() -> None:
    collect_rarely()
    found: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            found.append(info["collected"])

    gc.callbacks.append(note)
    try:
        for _ in range(PASSES * gc.get_threshold()[0]):
            _Ring()
    finally:
        gc.callbacks.remove(note)
    assert PASSES - 1 <= len(found) <= 2 * PASSES
    assert sum(found) > gc.get_threshold()[0]
