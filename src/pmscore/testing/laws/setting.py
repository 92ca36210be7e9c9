"""What all law suites share: the store under test, scenes in it, and how a refusal is expected."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import ParamSpec, TypeVar

from pmscore.inventory.use_cases.houses import NewUnitType
from pmscore.kernel.errors import NightsTakenError, PmsError
from pmscore.kernel.ports import IdSource
from pmscore.testing.clocks import SeededIds
from pmscore.testing.scenes import Scene, open_scene
from pmscore.testing.subject import StoreUnderTest

__all__ = ["StoreLaws", "all_agree", "raised", "taken_nights"]

ErrorT = TypeVar("ErrorT", bound=PmsError)
ArgsT = ParamSpec("ArgsT")
_SCENES = count()


class StoreLaws:
    """Base of every suite: subclass it and say which store to test.

    Each law opens an agency of its own, so one store may serve all of them, and may hold other data.
    """

    def store(self) -> StoreUnderTest:
        """Return the store under test; the same one or a new one each time."""
        raise NotImplementedError

    def ids(self) -> IdSource:
        """Return a source of ids. A store that outlives the run needs one that never repeats itself."""
        return SeededIds(f"laws/{next(_SCENES)}")

    def scene(self, *types: NewUnitType) -> Scene:
        """Open an agency with a house of ``types``: two hotel rooms unless given."""
        return open_scene(self.store(), self.ids(), *types)


def all_agree(scene: Scene) -> None:
    """Hold the store to its own recomputation."""
    found = scene.store.violated_invariants()
    assert not found, found


def raised(
    kind: type[ErrorT], do: Callable[ArgsT, object], *args: ArgsT.args, **kwargs: ArgsT.kwargs
) -> ErrorT:
    """Return the error of ``kind`` that ``do`` raises; anything else, or nothing, fails the law."""
    try:
        outcome = do(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, got {outcome!r}")


def taken_nights(do: Callable[[], object]) -> set[tuple[str, int, str]]:
    """Return what a refusal for taken nights names: code, ordinal of the night, unit or type."""
    error = raised(NightsTakenError, do)
    return {
        (each.code, each.night.toordinal(), str(each.value))
        for each in error.violations
        if each.night is not None
    }
