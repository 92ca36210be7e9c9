"""What was measured, and whether it is enough.

Owns the line of a report and the judgement over it. Leaves the measuring to the modules of the subjects and
the printing to the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median

from attrs import frozen

__all__ = ["Limit", "Measurement", "compared", "warnings"]

# What the floors reached where the targets were set; one below half of it is a slow machine or a weak floor.
_USUAL_FLOORS: Mapping[str, tuple[float, str]] = {
    "P1": (1_500.0, "bookings/s through pgbench"),
    "P2": (1_500.0, "bookings/s through pgbench"),
    "P11": (800_000.0, "quotes/s from bare tables"),
    "P12": (25_000.0, "quotes/s as in a textbook"),
}


@frozen
class Limit:
    """A bound on a ratio: at least it, or at most it."""

    bound: float
    is_least: bool = True

    def holds(self, ratio: float) -> bool:
        """Return whether the ratio keeps to the bound."""
        return ratio >= self.bound if self.is_least else ratio <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.is_least else '<='} {self.bound:g}"


@frozen(kw_only=True)
class Measurement:
    """One line of a report.

    ``value`` is the product's, ``floor`` that of what it is compared with, both in the unit that ``measure``
    names; ``ratio`` is the number that ``must`` and ``aim`` bound. ``floor`` is None where there is nothing to
    compare with; then the ratio is the value. ``ok`` says that the must is kept; a line without one informs.
    """

    id: str
    measure: str
    value: float
    floor: float | None
    ratio: float
    must: str | None
    aim: str | None
    ok: bool

    def as_json(self) -> dict[str, str | float | bool | None]:
        """Return the line as JSON values, numbers rounded to four significant digits."""
        return {
            "id": self.id,
            "measure": self.measure,
            "value": _rounded(self.value),
            "floor": None if self.floor is None else _rounded(self.floor),
            "ratio": _rounded(self.ratio),
            "must": self.must,
            "aim": self.aim,
            "ok": self.ok,
        }


def compared(
    key: str,
    measure: str,
    values: Iterable[float],
    floors: Iterable[float] | None = None,
    *,
    must: Limit | None = None,
    aim: Limit | None = None,
    inverted: bool = False,
) -> Measurement:
    """Return the line for rounds that were run side by side.

    The ratio is the median over the rounds of value / floor (floor / value where ``inverted``), so that a
    round in which the machine was busy spoils one ratio and not the line.
    """
    ours = tuple(values)
    theirs = None if floors is None else tuple(floors)
    if theirs is None:
        ratio = median(ours)
    else:
        pairs = [(b, a) if inverted else (a, b) for a, b in zip(ours, theirs, strict=True)]
        ratio = median([above / below for above, below in pairs])
    return Measurement(
        id=key,
        measure=measure,
        value=median(ours),
        floor=None if theirs is None else median(theirs),
        ratio=ratio,
        must=None if must is None else str(must),
        aim=None if aim is None else str(aim),
        ok=must is None or must.holds(ratio),
    )


def warnings(measurements: Iterable[Measurement]) -> tuple[str, ...]:
    """Return a sentence for every floor that is below half of what was usual when the targets were set."""
    found: list[str] = []
    for each in measurements:
        usual, unit = _USUAL_FLOORS.get(each.id, (0.0, ""))
        if each.floor is not None and each.floor < usual / 2:
            found.append(
                f"{each.id}: the floor reached {each.floor:,.0f} {unit}, less than half of the usual "
                f"{usual:,.0f}. This machine is slow or busy, or the floor is weak, and the ratio flatters."
            )
    return tuple(found)


def _rounded(number: float) -> float:
    return float(f"{number:.4g}")
