"""Measurements beside their floors, for ``pms bench``.

``run_stock``, ``run_pricing``, ``run_http`` and ``run_channels`` measure, ``warnings`` says which floors are
suspiciously low; ``FULL``, ``QUICK`` and ``TINY`` are how much is measured.
"""

from __future__ import annotations

from pms_adapters.lab.bench.channels import CHANNEL_IDS, run_channels
from pms_adapters.lab.bench.measurement import Limit, Measurement, warnings
from pms_adapters.lab.bench.over_http import HTTP_IDS, run_http
from pms_adapters.lab.bench.pricing import PRICING_IDS, run_pricing
from pms_adapters.lab.bench.scale import FULL, QUICK, TINY, Scale
from pms_adapters.lab.bench.stock import STOCK_IDS, run_stock

__all__ = [
    "CHANNEL_IDS",
    "FULL",
    "HTTP_IDS",
    "PRICING_IDS",
    "QUICK",
    "STOCK_IDS",
    "TINY",
    "Limit",
    "Measurement",
    "Scale",
    "run_channels",
    "run_http",
    "run_pricing",
    "run_stock",
    "warnings",
]
