"""What every test shares: the Hypothesis profiles, the folder of private data, the order, the report at the end.

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

# Files that take long, longest first. They begin first, so that of two processes that share the files neither waits
# long for the other at the end.
LONG = (
    "adapters/worker/test_channel_faults.py",
    "adapters/channels/test_wire_months_even.py",
    "adapters/channels/test_wire_months_odd.py",
    "adapters/postgres/test_laws.py",
    "adapters/lab/test_race.py",
    "web/cli/test_serving.py",
    "adapters/lab/replay/test_run.py",
    "web/cli/test_demo.py",
    "core/testing/test_histories.py",
    "web/cli/test_bench_http.py",
    "web/test_idempotency.py",
    "adapters/lab/test_bench.py",
    "web/cli/test_degraded.py",
    "adapters/embedded/test_postgres.py",
    "adapters/lab/test_bench_pricing.py",
    "core/laws/test_in_memory.py",
    "adapters/postgres/test_backup.py",
    "core/pricing/test_matrix.py",
    "web/test_every_route.py",
    "adapters/postgres/test_histories.py",
    "adapters/postgres/test_migrate.py",
    "adapters/postgres/test_boards.py",
    "web/ops/test_health.py",
    "adapters/lab/test_chaos.py",
    "web/cli/test_killed.py",
    "core/pricing/test_rate_tables.py",
    "core/pricing/test_explaining.py",
    "web/cli/test_quickstart.py",
    "adapters/worker/test_supervisor.py",
    "web/cli/test_serve.py",
)


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {ROOT / "tests" / name: rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


def pytest_report_header() -> str:
    return f"hypothesis profile: {PROFILE}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    failed = os.environ.get("PMS_FAILED_CHECKS", "").split()
    if failed:
        terminalreporter.section("failed before the tests", sep="=", red=True)
        for check in failed:
            terminalreporter.line(f"nox -s {check}")
