"""Real bookings from a file, driven through the use cases in the order in which they happened: ``pms replay``."""

from __future__ import annotations

from pms_adapters.lab.replay.chart import occupancy_chart
from pms_adapters.lab.replay.report import MonthFigures, NightFigures, ReplayReport, write_skipped
from pms_adapters.lab.replay.run import run_replay

__all__ = [
    "MonthFigures",
    "NightFigures",
    "ReplayReport",
    "occupancy_chart",
    "run_replay",
    "write_skipped",
]
