"""Every example runs as it stands, in a process of its own, and says what it promises."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def _run(repository, name, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(repository / "examples" / name), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(repository / "src")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def names(repository):
    return {path.name for path in (repository / "examples").glob("*.py")}


def test_every_example_has_a_test(names):
    assert names == {"book_a_stay.py", "price_a_stay.py"}


def test_a_stay_is_booked_once_and_the_refusal_says_why(repository):
    booked, refused = _run(repository, "book_a_stay.py").splitlines()
    assert booked.startswith("Ana Sousa: booked as ")
    assert booked.endswith("for 1260.00 EUR")
    nights = [f"unit_taken on 2027-07-{day:02}" for day in range(3, 10)]
    assert refused.startswith("Bo Lind: refused, ")
    assert all(night in refused for night in nights)


def test_a_stay_is_priced_night_by_night_and_the_year_is_drawn(repository, tmp_path):
    target = tmp_path / "rates.svg"
    told = _run(repository, "price_a_stay.py", str(target)).splitlines()
    assert told[0] == "quote saver: 790.00 EUR"
    assert "         rule weekly (length of stay, v1) -10 %: 181.00 → 162.90" in told
    assert told[-1] == f"The rates of 2027 are drawn in {target}"
    assert target.read_text("utf-8").count("<title>") == 365
