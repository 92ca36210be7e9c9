"""One process of a worker, started by the supervisor: ``python -m pms_adapters.worker relay|queue PARENT``.

Owns reading the settings from the environment, into which the supervisor has put the two URLs and the key of
secrets.
"""

from __future__ import annotations

import os
import sys

from pms_adapters.settings import Settings
from pms_adapters.worker.processes import relay_process, worker_process
from pmscore.kernel.errors import MisuseError

__all__ = ["main"]


def main(kind: str, parent: str) -> None:
    """Run one process until it is told to end, or until its parent is gone.

    Raises:
        MisuseError: there is no such kind of process.
    """
    processes = {"relay": relay_process, "queue": worker_process}
    if kind not in processes:
        raise MisuseError(process=kind)
    processes[kind](Settings.from_mapping(os.environ), int(parent))


if __name__ == "__main__":
    main(*sys.argv[1:])
