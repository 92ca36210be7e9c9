"""Booking files for tests: rows with everything usual, changed where a test says so."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
USUAL: Mapping[str, str] = {
    "arrival_date_year": "2024",
    "arrival_date_month": "May",
    "arrival_date_day_of_month": "10",
    "stays_in_weekend_nights": "1",
    "stays_in_week_nights": "1",
    "lead_time": "5",
    "adults": "2",
    "children": "0",
    "babies": "0",
    "meal": "BB",
    "country": "PRT",
    "market_segment": "Online TA",
    "distribution_channel": "TA/TO",
    "reserved_room_type": "A",
    "assigned_room_type": "A",
    "deposit_type": "No Deposit",
    "customer_type": "Transient",
    "adr": "80",
    "reservation_status": "Check-Out",
    "reservation_status_date": "2024-05-12",
}


def row(**changes: object) -> dict[str, str]:
    """Return a usual row with ``changes``."""
    return {**USUAL, **{name: str(value) for name, value in changes.items()}}


def text_of(rows: Iterable[Mapping[str, str]], *, without: tuple[str, ...] = ()) -> str:
    """Return the file that has ``rows``."""
    text = io.StringIO()
    columns = [column for column in USUAL if column not in without]
    table = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def write(path: Path, *rows: Mapping[str, str]) -> Path:
    """Write ``rows`` to ``path`` and return it."""
    path.write_text(text_of(rows), encoding="utf-8")
    return path
