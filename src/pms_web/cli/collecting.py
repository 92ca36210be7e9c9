"""How often a process that serves looks for objects that keep each other alive.

Owns the thresholds. Everything else is freed when nobody refers to it any more; requests leave hardly any
circles, and to look through all that is remembered of houses and prices takes longer than to answer a dozen
requests.
"""

from __future__ import annotations

import gc

__all__ = ["collect_rarely"]

YOUNG = 20_000
"""So many more objects than before begin a look through the new ones: hundreds of requests, or one that makes many."""
MIDDLE, OLD = 20, 20


def collect_rarely() -> None:
    """Take all that is loaded for permanent, and look through what comes later seldom; called once, before serving."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
