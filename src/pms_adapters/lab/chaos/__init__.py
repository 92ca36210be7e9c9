"""Kill -9 of the database under a load of bookings: what was acknowledged must be there, what is unknown must become known."""

from __future__ import annotations

from pms_adapters.lab.chaos.run import ChaosReport, run_chaos

__all__ = ["ChaosReport", "run_chaos"]
