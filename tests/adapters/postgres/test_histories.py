"""Random histories of commands on PostgreSQL, each step compared with the naive model."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from adapters.postgres.subject import PostgresStore
from pms_adapters.system import TimeOrderedIds
from pmscore.testing.runs import run_history

HISTORIES = {"dev": 50, "ci": 200, "nightly": 3000}


@pytest.mark.postgres
def test_random_histories_end_as_in_the_naive_model(postgres_database, profile):
    store = PostgresStore(postgres_database.app_url, postgres_database.admin_url)
    answers: Counter[str] = Counter()
    try:
        for seed in _seeds(HISTORIES[profile]):
            answers += run_history(store, TimeOrderedIds(), seed)
        assert store.violated_invariants() == ()
    finally:
        store.close()
    assert sum(answers.values()) > 0


def _seeds(count):
    chosen = os.environ.get("PMS_HISTORY_SEED")
    return [int(chosen)] if chosen else range(count)
