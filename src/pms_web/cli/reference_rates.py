"""Reading the euro reference rates of the European Central Bank: one line a day, one column a currency.

Owns the format ``eurofxref``, of one day or of all, whose first line is ``Date, USD, JPY, …``. The file is
read line by line, however long it is. Errors are ``InvalidInputError`` whose field is the column (``file``
for the file itself) and whose parameters have the line. Leaves what is done with the rates to the command.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from io import TextIOWrapper
from pathlib import Path
from typing import Final, TextIO

from attrs import field, frozen

from pmscore.dates.nights import parse_date
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.pricing.model.exchange import ExchangeRate

__all__ = ["ReferenceFile", "opened_rates"]

EURO: Final = Currency.of("EUR")
DAY: Final = "Date"

_ARCHIVE: Final = b"PK\x03\x04"
_NO_RATE: Final = frozenset({"", "N/A", "-"})
_CODE: Final = re.compile(r"[A-Z]{3}")
_IN_WORDS: Final = re.compile(r"([0-9]{1,2}) ([A-Z][a-z]+) ([0-9]{4})")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@frozen
class ReferenceFile:
    """An open file of reference rates.

    ``left_out`` are the codes of columns that are no currency of today: the file keeps those that joined the euro.
    """

    currencies: tuple[Currency, ...]
    left_out: tuple[str, ...]
    _columns: Sequence[Currency | None] = field(repr=False)
    _rows: Iterator[tuple[int, list[str]]] = field(repr=False)

    def rates(self, source: str) -> Iterator[ExchangeRate]:
        """Yield the rates in the order of the file, once; days and currencies without a rate are passed over.

        Raises:
            InvalidInputError: a line cannot be read, or is of a day that was there before.
        """
        days: set[date] = set()
        width = len(self._columns) + 1
        for line, cells in self._rows:
            if len(cells) != width:
                raise InvalidInputError(
                    "file", "wrong_number_of_fields", line=line, expected=width, found=len(cells)
                )
            day = _day(cells[0], line)
            if day in days:
                raise InvalidInputError(DAY, "day_twice", line=line, value=day.isoformat())
            days.add(day)
            for currency, text in zip(self._columns, cells[1:], strict=True):
                if currency is not None and text not in _NO_RATE:
                    yield _rate(currency, text, day, source, line)


@contextmanager
def opened_rates(path: Path) -> Iterator[ReferenceFile]:
    """Open a file of reference rates and read its heading.

    Raises:
        InvalidInputError: it is no such file; also while its rates are read.
    """
    try:
        with path.open("rb") as raw:
            if raw.read(4) == _ARCHIVE:
                raise InvalidInputError("file", "zipped")
            raw.seek(0)
            with TextIOWrapper(raw, "utf-8-sig", newline="") as text:
                yield _headed(_rows(text))
    except OSError as error:
        raise InvalidInputError("file", "not_readable", said=error.strerror) from error
    except UnicodeDecodeError as error:
        raise InvalidInputError("file", "not_utf8") from error
    except csv.Error as error:
        raise InvalidInputError("file", "not_csv", said=str(error)) from error


def _rows(text: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line that is not empty, and its cells; the comma at its end begins no cell."""
    table = csv.reader(text, strict=True)
    for row in table:
        cells = [cell.strip() for cell in row]
        if len(cells) > 1 and not cells[-1]:
            cells.pop()
        if any(cells):
            yield table.line_num, cells


def _headed(rows: Iterator[tuple[int, list[str]]]) -> ReferenceFile:
    line, heading = next(rows, (0, []))
    if not heading:
        raise InvalidInputError("file", "empty")
    if heading[0] != DAY:
        raise InvalidInputError(DAY, "missing_column", line=line, columns=f"{DAY}, then currencies")
    codes = heading[1:]
    columns = [_currency(code, line) for code in codes]
    for code in codes:
        if codes.count(code) > 1:
            raise InvalidInputError(code, "column_twice", line=line)
    known = tuple(each for each in columns if each is not None)
    if not known:
        raise InvalidInputError("file", "no_currencies", line=line)
    left_out = tuple(code for code, each in zip(codes, columns, strict=True) if each is None)
    return ReferenceFile(known, left_out, columns, rows)


def _currency(code: str, line: int) -> Currency | None:
    if _CODE.fullmatch(code) is None:
        raise InvalidInputError(ascii(code[:16]), "unknown_currency", line=line)
    if code == EURO.code:
        raise InvalidInputError(code, "same_currency", line=line, currency=code)
    try:
        return Currency.of(code)
    except InvalidInputError:
        return None


def _day(text: str, line: int) -> date:
    """Return a day written ``2027-03-01``, or ``1 March 2027`` as in the file of one day."""
    words = _IN_WORDS.fullmatch(text)
    if words is not None and words[2] in _MONTHS:
        text = f"{words[3]}-{_MONTHS.index(words[2]) + 1:02}-{words[1]:0>2}"
    try:
        return parse_date(text, field=DAY)
    except InvalidInputError as error:
        reason = "not_a_reference_day" if error.reason == "not_iso_date" else error.reason
        raise InvalidInputError(DAY, reason, line=line, value=ascii(text[:32])) from error


def _rate(currency: Currency, text: str, day: date, source: str, line: int) -> ExchangeRate:
    try:
        return ExchangeRate.parse(EURO, currency, text, day, source=source)
    except InvalidInputError as error:
        if error.field != "rate":
            raise
        params = {name: value for name, value in error.params.items() if name not in {"field", "reason"}}
        raise InvalidInputError(currency.code, error.reason, line=line, **params) from error
