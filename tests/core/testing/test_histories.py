"""Random histories on the in-memory store: 2,000 in CI, and the machine that shrinks what it finds.

A history that fails says its seed; ``PMS_HISTORY_SEED=seed pytest -k histor`` runs that one alone.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import settings

from pmscore.inventory.model.stock import StockChange
from pmscore.testing.histories import HistoryMachine
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.runs import run_history

HISTORIES = {"dev": 200, "ci": 2_000, "nightly": 20_000}
ONLY = os.environ.get("PMS_HISTORY_SEED")


def run(seed, store=None, steps=25):
    store = store or InMemoryStore()
    answers = run_history(store, SeededIds(seed), seed, steps=steps)
    assert store.violated_invariants() == ()
    return answers


DONE = (
    "create repeat amend assign assign_all hold release block lift advance set confirm decline expire cancel check_in "
    "undo_check_in check_out undo_check_out mark_no_show reinstate refund"
)
TAKEN = "create amend assign hold block set reinstate"
REFUSED = "create amend assign release confirm cancel check_in check_out reinstate refund undo_check_out"


def test_histories_keep_every_invariant(profile):
    """Each of 25 commands is answered as the naive model answers it, and leaves the same state."""
    answers = Counter()
    for seed in [int(ONLY)] if ONLY else range(HISTORIES[profile]):
        answers.update(run(seed))
    if not ONLY:
        wanted = [f"{each} done" for each in DONE.split()]
        wanted += [f"{each} taken" for each in TAKEN.split()]
        wanted += [f"{each} transition" for each in REFUSED.split()]
        assert [each for each in wanted if not answers[each]] == []


def test_a_history_is_the_same_for_the_same_seed():
    assert run(7) == run(7)


class Machine(HistoryMachine):
    def store(self):
        return InMemoryStore()


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


def history_that_fails(store):
    for seed in range(40):
        run(seed, store())


class KeepsCancelledNights(InMemoryStore):
    def write(self, transaction):
        if any(each.status.value == "cancelled" for each in transaction.changes.bookings.values()):
            transaction.changes.stock.clear()
        super().write(transaction)


class CountsEverythingTwice(InMemoryStore):
    def write(self, transaction):
        transaction.changes.metrics *= 2
        super().write(transaction)


class IgnoresTurnover(InMemoryStore):
    def write(self, transaction):
        changes = transaction.changes
        changes.stock = [
            StockChange(
                tuple(each for each in change.before if each.kind.value != "buffer"),
                tuple(each for each in change.after if each.kind.value != "buffer"),
            )
            for change in changes.stock
        ]
        super().write(transaction)


class LosesEvents(InMemoryStore):
    def commit(self, transaction, once):
        transaction.events[:] = [each for each in transaction.events if each.kind != "booking.updated"]
        super().commit(transaction, once)


@pytest.mark.parametrize("store", [KeepsCancelledNights, CountsEverythingTwice, IgnoresTurnover, LosesEvents])
def test_histories_find_a_planted_bug_and_say_how_to_repeat_it(store):
    with pytest.raises(AssertionError, match="PMS_HISTORY_SEED=") as found:
        history_that_fails(store)
    seed = int(str(found.value).rpartition("PMS_HISTORY_SEED=")[2].split()[0])
    with pytest.raises(AssertionError):
        run(seed, store())
