"""Occupancy as a picture."""

from __future__ import annotations


def occupancy_chart() -> str:
    return ""
