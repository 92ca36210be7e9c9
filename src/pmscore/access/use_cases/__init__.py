"""Agencies, people, keys, and coming in."""

from __future__ import annotations

from pmscore.access.use_cases.agencies import OpenAgency, open_agency

__all__ = ["OpenAgency", "open_agency"]
