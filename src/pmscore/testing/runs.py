"""Histories from a seed: the same seed is the same history, on every store.

Owns the scenes that histories start from and the sentence that says how to repeat one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from pmscore.kernel.ports import IdSource
from pmscore.testing.booking_steps import BookingSteps
from pmscore.testing.draws import Draws
from pmscore.testing.scenes import Scene, hotel, open_scene, pool
from pmscore.testing.stock_steps import StockSteps
from pmscore.testing.subject import StoreUnderTest

__all__ = ["STEPS", "History", "history_scene", "run_history"]

STEPS = 25
"""Commands of one history."""


class History(BookingSteps, StockSteps):
    """One scene, one model of it, and the steps taken so far. Every step raises where the two differ."""

    def step(self) -> None:
        """Try one command of a random kind, and compare."""
        self._chance.weighted(self._kinds())()

    def _kinds(self) -> tuple[tuple[int, Callable[[], None]], ...]:
        return (
            (30, self.create),
            (3, self.repeat),
            (32, self.act),
            (12, self.amend),
            (12, self.assign),
            (4, self.assign_all),
            (8, self.hold),
            (4, self.release),
            (5, self.block),
            (3, self.lift),
            (4, self.wait),
            (5, self.advance),
            (4, self.set_rooms),
        )


def history_scene(store: StoreUnderTest, ids: IdSource, variant: int) -> Scene:
    """Open a scene for a history: a small hotel, a holiday home and a pool, with or without turnover."""
    turnover_nights, overbooking = variant % 2, variant // 2 % 2
    return open_scene(
        store,
        ids,
        hotel(2, turnover_nights=turnover_nights),
        hotel(1, turnover_nights=1 - turnover_nights),
        pool(2, turnover_nights=turnover_nights, overbooking=overbooking),
    )


def run_history(store: StoreUnderTest, ids: IdSource, seed: int, *, steps: int = STEPS) -> Counter[str]:
    """Run the history of ``seed`` and return how often each command was answered how.

    Raises:
        AssertionError: the store and the naive model differ; says after which steps, and how to repeat it.
    """
    history = History(history_scene(store, ids, seed), Draws(seed))
    try:
        for _ in range(steps):
            history.step()
        history.check_log()
    except AssertionError as error:
        raise AssertionError(f"{error}\nto repeat it: PMS_HISTORY_SEED={seed} pytest -k histor") from error
    return history.answers
