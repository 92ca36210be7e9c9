"""Where a job enters: RQ calls :func:`run_job` by its name, with a job's name and ids as texts.

Owns the runtime of the process that works the queue off.
"""

from __future__ import annotations

from uuid import UUID

from pms_adapters.worker.runtime import Runtime
from pmscore.kernel.errors import MisuseError

__all__ = ["run_job", "use_runtime"]

_RUNTIMES: list[Runtime] = []


def use_runtime(runtime: Runtime | None) -> None:
    """Say what the jobs of this process work with; None takes it away."""
    _RUNTIMES[:] = [] if runtime is None else [runtime]


def run_job(name: str, *ids: str) -> None:
    """Run one job.

    Raises:
        MisuseError: this process has no runtime, or there is no such job.
    """
    if not _RUNTIMES:
        raise MisuseError(job=name, reason="no_runtime")
    _RUNTIMES[0].run_job(name, tuple(UUID(each) for each in ids))
