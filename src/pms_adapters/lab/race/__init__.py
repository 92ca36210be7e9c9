"""Races for the last room: many threads and processes, one winner each, nobody booked twice."""

from __future__ import annotations

from pms_adapters.lab.race.run import WON, RaceReport, run_naive_race, run_race

__all__ = ["WON", "RaceReport", "run_naive_race", "run_race"]
