"""Where the processes of one app put their figures, so that ``/metrics`` shows the sum of them.

Owns the folder, for as long as the app is served, and that the gauges of a process that ended are taken out. A folder
that ``PROMETHEUS_MULTIPROC_DIR`` names is used and left as it is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Ended", "shared_figures"]

_SETTING = "PROMETHEUS_MULTIPROC_DIR"


class Ended(Protocol):
    """What gunicorn hands over of a process that ended."""

    pid: int


@contextmanager
def shared_figures() -> Iterator[Callable[[object, Ended], None]]:
    """Yield what gunicorn calls when one of its processes has ended.

    The variable is set before any process of the app starts: the library looks at it once, when it is imported.
    """

    def forget(_: object, ended: Ended) -> None:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - not before the folder is named

        mark_process_dead(ended.pid)  # type: ignore[no-untyped-call] # the library types half of itself

    if os.environ.get(_SETTING):
        yield forget
        return
    with tempfile.TemporaryDirectory(prefix="pms-figures-", ignore_cleanup_errors=True) as folder:
        os.environ[_SETTING] = folder
        try:
            yield forget
        finally:
            os.environ.pop(_SETTING, None)
