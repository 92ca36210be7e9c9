"""What every test shares: the Hypothesis profiles, the folder of private data, the report at the end.

The servers that adapter tests need stand in ``tests/adapters/conftest.py``.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Verbosity, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")

# dev: quick and different each time. ci: the same examples on every machine. nightly: many, and new ones.
settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile(
    "ci",
    max_examples=100,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly",
    max_examples=2_000,
    deadline=timedelta(seconds=10),
    print_blob=True,
    verbosity=Verbosity.normal,
    suppress_health_check=[HealthCheck.too_slow],
)
# mutation: few and always the same, since all tests are run for each planted bug.
settings.register_profile("mutation", max_examples=15, deadline=None, derandomize=True, database=None)
settings.load_profile(PROFILE)


@pytest.fixture(scope="session")
def profile() -> str:
    """Return the name of the profile in use: dev, ci or nightly. Tests size their rounds by it."""
    return PROFILE


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Return the folder beside the checkout that holds data and specifications which are not ours to publish."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared")
    return SHARED


def pytest_report_header() -> str:
    return f"hypothesis profile: {PROFILE}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    failed = os.environ.get("PMS_FAILED_CHECKS", "").split()
    if failed:
        terminalreporter.section("failed before the tests", sep="=", red=True)
        for check in failed:
            terminalreporter.line(f"nox -s {check}")
