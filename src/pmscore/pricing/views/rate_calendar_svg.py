"""A rate calendar as a picture: months as rows, days as cells, the colour is the price.

Owns the drawing, as SVG text. Leaves which prices to draw, and where to put the picture, to the caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from html import escape
from typing import Final

from pmscore.kernel.currency import Currency
from pmscore.kernel.money import Money

__all__ = ["rate_calendar_svg"]

_LEFT, _TOP, _WIDE, _HIGH = 76, 62, 30, 24
_LONGEST_MONTH: Final = 31
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_COLOURS: Final = ("#eef6fb", "#cfe5f2", "#a6cfe6", "#74b1d6", "#3f8cc0", "#1d649c", "#0b3f6f")
_WEEKEND: Final = (4, 5)
"""The nights of Friday and Saturday."""
_DARK: Final = 4
"""From which colour on text is white."""
_NOT_SOLD: Final = "#f3f0ea"
_STYLE: Final = (
    "text{font:10px sans-serif;fill:#1b2a38;text-anchor:middle}"
    ".h{font:bold 15px sans-serif;text-anchor:start}.m{text-anchor:end}.k{text-anchor:start}.w{fill:#fff}.e{stroke:#c0392b}"
)


def rate_calendar_svg(first: date, prices: Sequence[int | None], currency: Currency, *, title: str) -> str:
    """Return the picture of the prices from the night ``first`` on, in minor units; None is not sold."""
    bands = _Bands(prices)
    months = sorted({(day.year, day.month) for day, _ in _days(first, prices)})
    cells = list(_cells(first, prices, currency, bands, {month: at for at, month in enumerate(months)}))
    wide = _LEFT + _LONGEST_MONTH * _WIDE + 16
    high = _TOP + len(months) * _HIGH + 56
    heads = [
        f'<text x="{_LEFT + day * _WIDE - _WIDE // 2}" y="{_TOP - 8}">{day}</text>'
        for day in range(1, _LONGEST_MONTH + 1)
    ]
    names = [
        f'<text class="m" x="{_LEFT - 8}" y="{_TOP + at * _HIGH + 16}">{_MONTHS[month - 1]} {year}</text>'
        for at, (year, month) in enumerate(months)
    ]
    size = f'viewBox="0 0 {wide} {high}" width="{wide}" height="{high}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">',
            f"<style>{_STYLE}</style>",
            f'<rect width="{wide}" height="{high}" fill="#fff"/>',
            f'<text class="h" x="16" y="26">{escape(title)} ({currency.code})</text>',
            *heads,
            *names,
            *cells,
            *_legend(bands, currency, _TOP + len(months) * _HIGH + 20),
            "</svg>\n",
        ]
    )


class _Bands:
    """Prices in bands of equal width, from the least to the most."""

    def __init__(self, prices: Sequence[int | None]) -> None:
        sold = [price for price in prices if price is not None] or [0]
        self.least, self.most = min(sold), max(sold)
        self.count = min(len(_COLOURS), self.most - self.least + 1)

    def of(self, price: int) -> int:
        """Return the band of a price."""
        return (price - self.least) * self.count // (self.most - self.least + 1)

    def limits(self, band: int) -> tuple[int, int]:
        """Return the least and the most price of a band."""
        width = self.most - self.least + 1
        return self.least - (-band * width // self.count), self.least - (
            -(band + 1) * width // self.count
        ) - 1


def _days(first: date, prices: Sequence[int | None]) -> Iterator[tuple[date, int | None]]:
    for at, price in enumerate(prices):
        yield first + timedelta(days=at), price


def _cells(
    first: date,
    prices: Sequence[int | None],
    currency: Currency,
    bands: _Bands,
    rows: dict[tuple[int, int], int],
) -> Iterator[str]:
    for day, price in _days(first, prices):
        x, y = _LEFT + (day.day - 1) * _WIDE, _TOP + rows[day.year, day.month] * _HIGH
        band = 0 if price is None else bands.of(price)
        colour = _NOT_SOLD if price is None else _COLOURS[band]
        said = "not sold" if price is None else str(Money(price, currency))
        edge = "e" if day.weekday() in _WEEKEND else "d"
        shade = "w" if band >= _DARK else "b"
        yield (
            f"<g><title>{_WEEKDAYS[day.weekday()]} {day.isoformat()}: {said}</title>"
            f'<rect class="{edge}" x="{x}" y="{y}" width="{_WIDE - 2}" height="{_HIGH - 2}" rx="3" fill="{colour}"/>'
            f'<text class="{shade}" x="{x + _WIDE // 2 - 1}" y="{y + 15}">'
            f"{'-' if price is None else price // 10**currency.digits}</text></g>"
        )


def _legend(bands: _Bands, currency: Currency, y: int) -> Iterator[str]:
    entries = [
        (_COLOURS[band], " to ".join(Money(limit, currency).plain() for limit in bands.limits(band)))
        for band in range(bands.count)
    ]
    step = (_LEFT + _LONGEST_MONTH * _WIDE) // (len(_COLOURS) + 1)
    for at, (colour, text) in enumerate([*entries, (_NOT_SOLD, "not sold")]):
        x = 16 + at * step
        yield f'<rect x="{x}" y="{y}" width="14" height="14" rx="3" fill="{colour}" stroke="#9aa7b2"/>'
        yield f'<text class="k" x="{x + 20}" y="{y + 11}">{text}</text>'
