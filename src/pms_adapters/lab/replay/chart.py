"""Occupancy by day or by month as a picture: an SVG that stands alone.

Owns the drawing. Every picture has a title and a description for those who do not see it; it uses no script,
no outside font and no colour as the only carrier of meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from xml.sax.saxutils import escape

from attrs import frozen

from pms_adapters.lab.replay.report import ReplayReport
from pmscore.kernel.money import Rounding, round_ratio

__all__ = ["occupancy_chart"]

_WIDTH, _HEIGHT = 960, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 56, 64
_PLOT_WIDTH = _WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT = _HEIGHT - _TOP - _BOTTOM
_BASE = _HEIGHT - _BOTTOM
_GRID = (0, 25, 50, 75, 100)
_MOST_LABELS = 24
_NAMES = 'aria-labelledby="title description"'
_NOBODY = "Nobody stayed."
_STYLE = """\
text{font-family:system-ui,sans-serif;font-size:12px;fill:#333}
.title{font-size:18px;font-weight:600;fill:#111}
.grid{stroke:#ddd;stroke-width:1}
.axis{stroke:#555;stroke-width:1}
.bar{fill:#2f6f8f}
.area{fill:#2f6f8f;fill-opacity:.25;stroke:#2f6f8f;stroke-width:1.2}"""


@frozen
class _Point:
    """One place on the horizontal axis; ``tenths`` of a percent, more than a thousand where a house is overbooked."""

    label: str
    tenths: int

    @property
    def height(self) -> int:
        return _PLOT_HEIGHT * min(self.tenths, 1000) // 1000

    @property
    def percent(self) -> str:
        return f"{self.tenths // 10}.{self.tenths % 10} %"


def occupancy_chart(report: ReplayReport) -> str:
    """Return one picture of two panels: a bar for each month in which somebody slept, and every day as an area."""
    months = tuple(
        _Point(each.month, _tenths(each.room_nights, each.room_nights_for_sale)) for each in report.months
    )
    sold = {each.night: each.room_nights for each in report.nights}
    days = tuple(
        _Point(day.isoformat(), _tenths(sold.get(day, 0), report.total_rooms)) for day in _days(report)
    )
    description = f"{_described(months, 'month')} {_described(days, 'day')}" if days else _NOBODY
    height = 2 * _HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" {_NAMES}>',
        '<title id="title">Occupancy by month and by day</title>',
        f'<desc id="description">{escape(description)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        *_panel("Occupancy by month", 0, _bars(months)),
        *_panel("Occupancy by day", _HEIGHT, _area(days)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _days(report: ReplayReport) -> Iterator[date]:
    if report.nights:
        first, last = report.nights[0].night, report.nights[-1].night
        for step in range((last - first).days + 1):
            yield first + timedelta(days=step)


def _tenths(sold: int, for_sale: int) -> int:
    return round_ratio(sold * 1000, for_sale, Rounding.HALF_UP) if for_sale else 0


def _described(points: tuple[_Point, ...], unit: str) -> str:
    highest, lowest = max(points, key=_by_height), min(points, key=_by_height)
    return (
        f"Room nights slept in as a share of all rooms, for {len(points)} {unit}s from {points[0].label} to"
        f" {points[-1].label}: highest {highest.percent} ({highest.label}), lowest {lowest.percent} ({lowest.label})."
    )


def _by_height(point: _Point) -> int:
    return point.tenths


def _panel(title: str, top: int, marks: Iterator[str]) -> Iterator[str]:
    yield f'<g transform="translate(0 {top})">'
    yield f'<text class="title" x="{_LEFT}" y="30">{title}</text>'
    yield from _scale()
    yield from marks
    yield "</g>"


def _scale() -> Iterator[str]:
    for percent in _GRID:
        y = _BASE - _PLOT_HEIGHT * percent // 100
        kind = "axis" if percent == 0 else "grid"
        yield f'<line class="{kind}" x1="{_LEFT}" y1="{y}" x2="{_WIDTH - _RIGHT}" y2="{y}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{percent} %</text>'
    middle = _TOP + _PLOT_HEIGHT // 2
    yield f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">Rooms occupied</text>'


def _bars(points: tuple[_Point, ...]) -> Iterator[str]:
    if not points:
        yield _nothing()
        return
    step = _PLOT_WIDTH / len(points)
    for number, point in enumerate(points):
        x, width = _LEFT + number * step, min(step * 0.72, 60)
        left, middle = x + (step - width) / 2, x + step / 2
        yield (
            f'<rect class="bar" x="{left:.1f}" y="{_BASE - point.height}" width="{width:.1f}"'
            f' height="{point.height}"><title>{point.label}: {point.percent}</title></rect>'
        )
        if number % _stride(len(points)) == 0:
            yield _label(middle, point.label)
        if step > 40:
            above = _BASE - point.height - 5
            yield f'<text x="{middle:.1f}" y="{above}" text-anchor="middle">{point.tenths // 10}</text>'


def _area(points: tuple[_Point, ...]) -> Iterator[str]:
    if not points:
        yield _nothing()
        return
    step = _PLOT_WIDTH / len(points)
    path = [f"M{_LEFT},{_BASE}"]
    for number, point in enumerate(points):
        y = _BASE - point.height
        path += [f"L{_LEFT + number * step:.1f},{y}", f"L{_LEFT + (number + 1) * step:.1f},{y}"]
    path.append(f"L{_LEFT + _PLOT_WIDTH},{_BASE}Z")
    yield f'<path class="area" d="{"".join(path)}"/>'
    firsts = [(number, each.label) for number, each in enumerate(points) if each.label.endswith("-01")]
    for number, label in firsts[:: _stride(len(firsts))]:
        yield f'<line class="axis" x1="{_LEFT + number * step:.1f}" y1="{_BASE}" x2="{_LEFT + number * step:.1f}" y2="{_BASE + 5}"/>'
        yield _label(_LEFT + number * step, label[:7])


def _stride(count: int) -> int:
    """Return how many labels to go on by, so that they do not run into each other."""
    return max(1, -(-count // _MOST_LABELS))


def _label(x: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{_BASE + 16}" text-anchor="end" transform="rotate(-40 {x:.1f} {_BASE + 16})">{text}</text>'


def _nothing() -> str:
    return f'<text x="{_LEFT + _PLOT_WIDTH // 2}" y="{_TOP + _PLOT_HEIGHT // 2}" text-anchor="middle">{_NOBODY}</text>'
