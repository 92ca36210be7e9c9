"""What a replay found: figures by month, occupancy by night, what was refused and skipped.

Owns the two forms of the figures: the JSON that is compared to the last digit, and rows of text for a table. Amounts
are whole cents until they are written; ratios are rounded once, half up.
"""

from __future__ import annotations

import csv
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from attrs import frozen

from pms_adapters.lab.replay.rows import SkippedRow
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import AgencyId, PropertyId
from pmscore.kernel.money import Money, Rounding, round_ratio

__all__ = ["EURO", "MonthFigures", "NightFigures", "ReplayReport", "months_of", "write_skipped"]

EURO = Currency.of("EUR")


@frozen(kw_only=True)
class NightFigures:
    """One night over all types: rooms slept in by guests who have checked out, and what they paid, in cents."""

    night: date
    room_nights: int
    revenue_minor: int


@frozen(kw_only=True)
class MonthFigures:
    """One month over all types. ``room_nights_for_sale`` is all rooms on all days of the month."""

    month: str
    room_nights: int
    revenue_minor: int
    room_nights_for_sale: int

    @property
    def adr(self) -> str:
        """The average daily rate: revenue by room night sold."""
        return _plain(round_ratio(self.revenue_minor, self.room_nights, Rounding.HALF_UP))

    @property
    def revpar(self) -> str:
        """The revenue by room night for sale."""
        return _plain(round_ratio(self.revenue_minor, self.room_nights_for_sale, Rounding.HALF_UP))

    @property
    def occupancy(self) -> str:
        """The share of the room nights for sale that were slept in, in percent with one digit."""
        tenths = round_ratio(self.room_nights * 1000, self.room_nights_for_sale, Rounding.HALF_UP)
        return f"{tenths // 10}.{tenths % 10}"

    @property
    def revenue(self) -> str:
        """The revenue as text."""
        return _plain(self.revenue_minor)


@frozen(kw_only=True)
class ReplayReport:
    """What became of the bookings of a file.

    ``commands`` counts the use cases that were called for bookings, ``day_rolls`` those that moved the business date;
    ``seconds`` is how long both took. ``rounded_rates`` is how many rates of the file had fractions of a cent.
    """

    agency_id: AgencyId
    property_id: PropertyId | None
    rows: int
    rooms: Mapping[str, int]
    skipped: tuple[SkippedRow, ...]
    accepted: int
    cancelled: int
    refused: int
    checked_in: int
    checked_out: int
    no_show: int
    refused_by_status: Mapping[str, int]
    nights: tuple[NightFigures, ...]
    months: tuple[MonthFigures, ...]
    commands: int
    day_rolls: int
    seconds: float
    rounded_rates: int

    @property
    def skipped_by_reason(self) -> dict[str, int]:
        """How many rows were skipped, by reason."""
        found: dict[str, int] = {}
        for row in self.skipped:
            found[row.reason.value] = found.get(row.reason.value, 0) + 1
        return found

    @property
    def commands_per_second(self) -> float:
        """The use cases called, day rolls included, by second."""
        return (self.commands + self.day_rolls) / self.seconds if self.seconds else 0.0

    @property
    def total_rooms(self) -> int:
        """All rooms of all types."""
        return sum(self.rooms.values())

    def to_json(self) -> dict[str, Json]:
        """Return the figures in the form that they are compared in."""
        return {
            "rows": self.rows,
            "skipped": dict(self.skipped_by_reason),
            "rooms": dict(self.rooms),
            "accepted": self.accepted,
            "cancelled": self.cancelled,
            "refused": self.refused,
            "checked_in": self.checked_in,
            "checked_out": self.checked_out,
            "no_show": self.no_show,
            "refused_by_status": dict(self.refused_by_status),
            "months": {
                each.month: {
                    "room_nights": each.room_nights,
                    "revenue": each.revenue,
                    "adr": each.adr,
                    "revpar": each.revpar,
                }
                for each in self.months
            },
        }

    def month_headings(self) -> tuple[str, ...]:
        """Return the headings of :meth:`month_rows`."""
        return ("Month", "Room nights", "Occupancy %", "Revenue EUR", "ADR EUR", "RevPAR EUR")

    def month_rows(self) -> Iterator[tuple[str, ...]]:
        """Yield one row of text a month."""
        for each in self.months:
            yield (each.month, str(each.room_nights), each.occupancy, each.revenue, each.adr, each.revpar)

    def summary_rows(self) -> Iterator[tuple[str, str]]:
        """Yield what is known besides the months, as pairs of a label and a text."""
        yield "Rows in the file", f"{self.rows}"
        for reason, count in self.skipped_by_reason.items():
            yield f"Skipped: {reason}", f"{count}"
        yield "Rooms", ", ".join(f"{name} {count}" for name, count in self.rooms.items()) or "none"
        yield "Accepted", f"{self.accepted}"
        yield "Refused: no room", f"{self.refused}"
        for status, count in self.refused_by_status.items():
            yield f"  of them {status} in the file", f"{count}"
        yield "Cancelled", f"{self.cancelled}"
        yield "Checked in", f"{self.checked_in}"
        yield "Checked out", f"{self.checked_out}"
        yield "No-show", f"{self.no_show}"
        if self.rounded_rates:
            yield "Rates rounded to the cent", f"{self.rounded_rates}"
        yield "Commands", f"{self.commands} and {self.day_rolls} day rolls"
        yield "Speed", f"{self.commands_per_second:.0f} commands a second, {self.seconds:.1f} s"


def months_of(nights: tuple[NightFigures, ...], total_rooms: int) -> tuple[MonthFigures, ...]:
    """Return the months in which somebody slept, ascending."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for each in nights:
        key = (each.night.year, each.night.month)
        sold, revenue = found.get(key, (0, 0))
        found[key] = (sold + each.room_nights, revenue + each.revenue_minor)
    return tuple(
        MonthFigures(
            month=f"{year:04}-{month:02}",
            room_nights=sold,
            revenue_minor=revenue,
            room_nights_for_sale=total_rooms * monthrange(year, month)[1],
        )
        for (year, month), (sold, revenue) in sorted(found.items())
    )


def write_skipped(path: Path, rows: tuple[SkippedRow, ...]) -> None:
    """Write the skipped rows to ``path`` as CSV with a heading; the file is there even if none was skipped.

    Raises:
        InvalidInputError: field ``skipped``: ``not_writable``.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["row", "line", "reason", "arrival", "nights", "assigned_room_type", "adr"])
            for row in rows:
                table.writerow(
                    [row.number, row.line, row.reason.value, row.arrival, row.nights, row.unit_type, row.rate]
                )
    except OSError as error:
        raise InvalidInputError("skipped", "not_writable", path=str(path), said=error.strerror) from error


def _plain(minor: int) -> str:
    return Money(minor, EURO).plain()
