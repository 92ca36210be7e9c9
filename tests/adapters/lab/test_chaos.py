"""Kill -9 of the database under load loses nothing that was acknowledged; a database that answers too early does."""

from __future__ import annotations

import pytest

from pms_adapters.lab.chaos import run_chaos

pytestmark = [pytest.mark.postgres, pytest.mark.fault]


def test_no_acknowledged_booking_is_lost_and_every_unknown_one_becomes_known(profile):
    rounds = 30 if profile == "nightly" else 3
    heard: list[tuple[int, int]] = []
    report = run_chaos(rounds, progress=lambda done, total: heard.append((done, total)))
    assert report.rounds == rounds
    assert report.acknowledged >= 40 * rounds
    assert report.lost == 0
    # Every caller that was interrupted got its answer by asking again, and got it once.
    assert report.unknown > 0
    assert report.resolved + report.resolved_refused == report.unknown
    assert report.wrong == 0
    assert report.violations == 0
    assert report.ok
    assert heard == [(done, rounds) for done in range(1, rounds + 1)]
    assert report.as_table().splitlines()[0] == f"acknowledged {report.acknowledged}, lost 0"
    assert report.as_json()["acknowledged"] == report.acknowledged


def test_a_database_that_answers_before_it_has_written_loses_bookings():
    report = run_chaos(1, plants_loss=True)
    assert report.acknowledged >= 40
    assert report.lost > 0
    assert not report.ok
