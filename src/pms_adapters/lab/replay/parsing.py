"""Reading a booking file, plain or compressed, and refusing it whole where any row cannot be.

Owns text to values. The whole file is read before anything is done with it, so an error on the last row leaves
nothing behind. Every error is an ``InvalidInputError`` whose field is the column (``file`` for the file itself) and
whose parameters have the row and the line.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn, TextIO

from attrs import frozen

from pms_adapters.lab.replay.rows import COLUMNS, BookingFile, Ending, SkippedRow, SkipReason, StayRow
from pmscore.booking.model.booking import Source
from pmscore.booking.model.rooms import LARGEST_NIGHT_AMOUNT
from pmscore.dates.nights import StayRange, check_day, parse_date
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import InvalidInputError

__all__ = ["read_bookings"]

_GZIP = b"\x1f\x8b"
_MISSING = frozenset({"", "NA", "NULL"})
_MONTHS = {
    name: number
    for number, name in enumerate(
        (
            *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
            *("October", "November", "December"),
        ),
        start=1,
    )
}
# Tables that went through a float column write 2 as "2.0".
_WHOLE = re.compile(r"(-?[0-9]{1,6})(?:\.0+)?")
_RATE = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,30}))?")
_NOT_IN_CODES = re.compile(r"[^a-z0-9]+")


def read_bookings(path: Path) -> BookingFile:
    """Return the rows of the file at ``path``; gzip is recognised by its content or by the ending ``.gz``.

    Raises:
        InvalidInputError: field ``file``: ``not_found``, ``not_readable``, ``broken_gzip``, ``not_utf8``,
            ``not_csv`` or
            ``empty``; a column's name: it is missing or stands twice, or a value of it cannot be, with ``row``.
    """
    stays: list[StayRow] = []
    skipped: list[SkippedRow] = []
    rounded = 0
    with _opened(path) as text:
        table = csv.reader(text, strict=True)
        heading = _heading(table)
        number = 0
        for fields in table:
            if not fields:
                continue
            number += 1
            row = _Row(number, table.line_num, _by_column(heading, fields, number, table.line_num))
            found, was_rounded = _meaning(row)
            rounded += was_rounded
            if isinstance(found, StayRow):
                stays.append(found)
            else:
                skipped.append(found)
    return BookingFile(stays=tuple(stays), skipped=tuple(skipped), rounded_rates=rounded)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open the file as text; what goes wrong while it is read is told of the file."""
    try:
        with path.open("rb") as raw:
            is_packed = raw.read(2) == _GZIP or path.suffix == ".gz"
            raw.seek(0)
            if is_packed:
                with gzip.open(raw) as packed, TextIOWrapper(packed, "utf-8-sig", newline="") as text:
                    yield text
            else:
                with TextIOWrapper(raw, "utf-8-sig", newline="") as text:
                    yield text
    except FileNotFoundError as error:
        raise InvalidInputError("file", "not_found", path=str(path)) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InvalidInputError("file", "broken_gzip", path=str(path)) from error
    except OSError as error:
        raise InvalidInputError("file", "not_readable", path=str(path), said=error.strerror) from error
    except UnicodeDecodeError as error:
        raise InvalidInputError("file", "not_utf8", path=str(path)) from error
    except csv.Error as error:
        raise InvalidInputError("file", "not_csv", path=str(path), said=str(error)) from error


def _heading(table: Iterator[list[str]]) -> Sequence[str]:
    names = [name.strip() for name in next(table, [])]
    if not any(names):
        raise InvalidInputError("file", "empty")
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise InvalidInputError(missing[0], "missing_column", columns=", ".join(missing))
    for column in COLUMNS:
        if names.count(column) > 1:
            raise InvalidInputError(column, "column_twice")
    return names


def _by_column(heading: Sequence[str], fields: list[str], number: int, line: int) -> Mapping[str, str]:
    if len(fields) != len(heading):
        raise InvalidInputError(
            "file", "wrong_number_of_fields", row=number, line=line, expected=len(heading), found=len(fields)
        )
    return dict(zip(heading, fields, strict=True))


@frozen
class _Row:
    """One typed look at each field of a row; padding is no part of a value."""

    number: int
    line: int
    fields: Mapping[str, str]

    def refuse(self, column: str, reason: str) -> NoReturn:
        shown = self.fields[column].strip()[:32].encode("ascii", "backslashreplace").decode("ascii")
        raise InvalidInputError(column, reason, row=self.number, line=self.line, value=shown)

    @contextmanager
    def naming(self, column: str) -> Iterator[None]:
        """Say of which column of which row a refused value is."""
        try:
            yield
        except InvalidInputError as error:
            self.refuse(column, error.reason)

    def text(self, column: str) -> str:
        found = self.fields[column].strip()
        if not found or not found.isprintable():
            self.refuse(column, "missing" if not found else "unprintable")
        return found

    def count(self, column: str, *, may_be_missing: bool = False) -> int:
        found = self.fields[column].strip()
        if found in _MISSING and may_be_missing:
            return 0
        parts = _WHOLE.fullmatch(found)
        if parts is None:
            self.refuse(column, "missing" if found in _MISSING else "not_a_whole_number")
        value = int(parts.group(1))
        if value < 0:
            self.refuse(column, "negative")
        return value

    def code(self, column: str) -> str:
        """Return the value as one of our codes: ``TA/TO`` is ``ta_to``, nothing is ``unknown``."""
        found = self.fields[column].strip()
        code = _NOT_IN_CODES.sub("_", found.lower()).strip("_")[:64].rstrip("_")
        return "unknown" if found in _MISSING or not code else code

    def rate(self) -> tuple[int, bool]:
        """Return the rate in cents, a half rounded up, and whether digits were lost by it."""
        parts = _RATE.fullmatch(self.fields["adr"].strip())
        if parts is None:
            self.refuse("adr", "missing" if self.fields["adr"].strip() in _MISSING else "not_decimal")
        sign, whole, fraction = parts.group(1), parts.group(2), parts.group(3) or ""
        beyond = fraction[2:].rstrip("0")
        cents = int(whole + fraction[:2].ljust(2, "0")) + int(beyond[:1] >= "5")
        if cents > LARGEST_NIGHT_AMOUNT:
            self.refuse("adr", "out_of_range")
        if sign and (cents or beyond):
            return -max(cents, 1), bool(beyond)
        return cents, bool(beyond)

    def arrival(self) -> date:
        year = self.count("arrival_date_year")
        month = _MONTHS.get(self.text("arrival_date_month"))
        if month is None:
            self.refuse("arrival_date_month", "unknown_month")
        day_of_month = self.count("arrival_date_day_of_month")
        try:
            day = date(year, month, day_of_month)
        except ValueError:
            self.refuse(
                "arrival_date_day_of_month" if 1 <= year <= 9999 else "arrival_date_year", "no_such_day"
            )
        with self.naming("arrival_date_year"):
            check_day(day, field="arrival_date_year")
        return day


def _meaning(row: _Row) -> tuple[StayRow | SkippedRow, bool]:
    """Check every column of the row, then return what it is; skipped rows are checked like all others."""
    arrival = row.arrival()
    nights = row.count("stays_in_weekend_nights") + row.count("stays_in_week_nights")
    lead = row.count("lead_time")
    adults, infants = row.count("adults"), row.count("babies")
    children = row.count("children", may_be_missing=True)
    rate, was_rounded = row.rate()
    unit_type = row.text("assigned_room_type")
    ending = _ending(row)
    with row.naming("reservation_status_date"):
        ended_on = parse_date(row.text("reservation_status_date"), field="reservation_status_date")
    with row.naming("lead_time"):
        booked_on = _days_before(arrival, lead)
    reason = _skip_reason(nights, adults, rate)
    if reason is not None:
        skipped = SkippedRow(
            number=row.number,
            line=row.line,
            reason=reason,
            arrival=arrival,
            nights=nights,
            unit_type=unit_type,
            rate=row.text("adr"),
        )
        return skipped, was_rounded
    with row.naming("stays_in_week_nights"):
        stay = StayRange.of(arrival, nights)
    with row.naming("adults"):
        party = Party(adults, children, infants)
    channel, segment = row.code("distribution_channel"), row.code("market_segment")
    terms = {
        "meal": row.code("meal"),
        "deposit": row.code("deposit_type"),
        "customer": row.code("customer_type"),
        "reserved_type": row.code("reserved_room_type"),
    }
    return (
        StayRow(
            number=row.number,
            stay=stay,
            booked_on=booked_on,
            party=party,
            unit_type=unit_type,
            rate_minor=rate,
            source=Source(channel=channel, segment=segment),
            terms=terms,
            ending=ending,
            ended_on=ended_on,
        ),
        was_rounded,
    )


def _ending(row: _Row) -> Ending:
    try:
        return Ending(row.text("reservation_status"))
    except ValueError:
        row.refuse("reservation_status", "unknown_status")


def _days_before(arrival: date, days: int) -> date:
    try:
        day = arrival - timedelta(days=days)
    except OverflowError as error:
        raise InvalidInputError("lead_time", "out_of_calendar") from error
    check_day(day, field="lead_time")
    return day


def _skip_reason(nights: int, adults: int, rate_minor: int) -> SkipReason | None:
    if nights == 0:
        return SkipReason.ZERO_NIGHTS
    if adults == 0:
        return SkipReason.NO_ADULT
    return SkipReason.NEGATIVE_RATE if rate_minor < 0 else None
