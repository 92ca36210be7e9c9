"""P13, P14 and the growth of a change: the year matrix, made anew and change by change.

Owns who is measured against whom; the house stands in ``rating_house``, the bare lists in
``floors.ari_rows``. Time is the thread's own on the processor, and no garbage is collected meanwhile, since
that would hit either at random.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import cycle, islice

from attrs import frozen

from pms_adapters.lab.bench.floors import ari_numpy, ari_rows
from pms_adapters.lab.bench.grounds import Grounds
from pms_adapters.lab.bench.house import FIRST_DAY
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.lab.bench.rating_house import NIGHTS, RatedHouse
from pmscore.availability.model import TypeNights
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.views.matrix import YearMatrix
from pmscore.pricing.views.matrix_rows import PLAN_FIELDS, MatrixField, MatrixRows, MatrixRun

__all__ = ["measure_changes", "measure_growth_of_changes", "measure_years"]

_BOOKED_ON = FIRST_DAY - timedelta(days=30)
_STAY, _WEEK = 3, 7
_FEWER = 10
_OFTEN = 3
_BOOKS = 12


def measure_years(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P13: a year of all types and plans, made anew."""
    house = _house(grounds)
    grounds.progress(f"P13: a year of {grounds.scale.rated_types} types x {grounds.scale.rated_plans} plans")
    _agree(_matrix(house).rows, house, ari_rows.build(house.scene))
    size = f"{grounds.scale.rated_types} types x {grounds.scale.rated_plans} plans"
    by_numpy = _numpy_year(grounds, house)
    ours: list[float] = []
    floor: list[float] = []
    arrays: list[float] = []
    for number in range(grounds.rounds + 1):
        grounds.progress(f"P13: round {number} of {grounds.rounds}")
        theirs, mine = _ms(lambda: ari_rows.build(house.scene)), _ms(lambda: _matrix(house))
        if number:
            floor.append(theirs)
            ours.append(mine)
            if by_numpy is not None:
                arrays.append(_ms(by_numpy))
    yield compared(
        "P13",
        f"a year of {size}: rates, stay rules and counts, ms against bare lists",
        ours,
        floor,
        must=Limit(1.5, is_least=False),
        aim=Limit(1.2, is_least=False),
    )
    if by_numpy is not None:
        yield compared("P13", "the same against arrays of numpy for rates and counts alone", ours, arrays)


def measure_changes(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P14: a booking and a price of dates, against making and comparing everything."""
    house = _house(grounds)
    changes = _Changes.of(house, grounds.scale.changes)
    matrix = _matrix(house)
    grounds.progress("P14: that each change says exactly its own runs")
    _check_runs(matrix, changes)
    old, new = ari_rows.build(house.scene), ari_rows.build(house.scene)
    booked: list[float] = []
    priced: list[float] = []
    comparing: list[float] = []
    anew: list[float] = []
    for number in range(grounds.rounds + 1):
        grounds.progress(f"P14: round {number} of {grounds.rounds}")
        least = _ms(lambda: ari_rows.difference(old, new)) * 1e3
        whole = _ms(lambda: ari_rows.difference(old, ari_rows.build(house.scene))) * 1e3
        mine = changes.us_a_booking(matrix), changes.us_a_price(matrix)
        if number:
            comparing.append(least)
            anew.append(whole)
            booked.append(mine[0])
            priced.append(mine[1])
    must = Limit(1_000.0)
    plans = changes.plans_a_price
    yield compared(
        "P14",
        "a booking that crosses no step of yield, one run, us against comparing all bare lists",
        booked,
        comparing,
        must=must,
        inverted=True,
    )
    yield compared(
        "P14",
        f"a price of {_WEEK} nights on one step, for {plans} plans, us against making and comparing all bare lists",
        priced,
        anew,
        must=must,
        inverted=True,
    )
    yield compared(
        "P14", "the same against comparing alone, all made already", priced, comparing, inverted=True
    )


def measure_growth_of_changes(grounds: Grounds) -> Iterator[Measurement]:
    """Yield what a change costs in a matrix of ten times as many types."""
    scale = grounds.scale
    sizes = max(scale.rated_types // _FEWER, 1), scale.rated_types
    grounds.progress(f"growth: matrices of {sizes[0]} and {sizes[1]} types")
    houses = [RatedHouse.of(each, scale.rated_plans) for each in sizes]
    # The changes touch as many types in both, or the larger one would be found cold in the processor's cache.
    changes = [_Changes.of(each, scale.changes, types=sizes[0]) for each in houses]
    matrices = [_matrix(each) for each in houses]
    booked: list[list[float]] = [[], []]
    priced: list[list[float]] = [[], []]
    for _ in range(grounds.rounds * _OFTEN):
        for at, (change, matrix) in enumerate(zip(changes, matrices, strict=True)):
            booked[at].append(change.us_a_booking(matrix))
            priced[at].append(change.us_a_price(matrix))
    for what, times in (("a booking", booked), (f"a price of {_WEEK} nights", priced)):
        yield compared(
            "G-matrix",
            f"{what}, us in a matrix of {sizes[1]} against {sizes[0]} types",
            times[1],
            times[0],
            must=Limit(1.10, is_least=False),
        )


@frozen
class _Changes:
    """Changes to a matrix, each with the one that takes it back."""

    house: RatedHouse
    bookings: tuple[tuple[TypeNights, TypeNights], ...]
    prices: tuple[tuple[PriceBook, UnitTypeId, DateRange], ...]

    @classmethod
    def of(cls, house: RatedHouse, count: int, *, types: int | None = None) -> _Changes:
        """Return so many changes, on the first ``types`` only where that is given."""
        chance = random.Random(count)
        some = types or len(house.scene.counts)
        bookings = tuple(
            (house.booking(number, first, _STAY, 1), house.booking(number, first, _STAY, 0))
            for number, first in house.quiet(count, _STAY, types=some)
        )
        prices: list[tuple[PriceBook, UnitTypeId, DateRange]] = []
        for number, first in house.level(min(count, _BOOKS), _WEEK, types=some):
            book = house.repriced(number, first, _WEEK, chance.randrange(500, 900) * 100)
            nights = DateRange.of(FIRST_DAY + timedelta(days=first), _WEEK)
            prices.append((book, house.type_id(number), nights))
        return cls(house, bookings, tuple(prices))

    @property
    def plans_a_price(self) -> int:
        """How many plans have the price that is changed, or one derived from it."""
        plans = self.house.scene.plans
        return sum(ari_rows.root_of(plans, plan) == 0 for plan in range(len(plans)))

    def us_a_booking(self, matrix: YearMatrix) -> float:
        """Return how long a booking takes, made and taken back in turns."""

        def run() -> None:
            for taken, given_up in self.bookings:
                matrix.take_counts(taken)
                matrix.take_counts(given_up)

        return _ms(run) / (2 * len(self.bookings)) * 1e3

    def us_a_price(self, matrix: YearMatrix) -> float:
        """Return how long a price of dates takes, set and taken back in turns."""
        code = self.house.code(0)
        usual = self.house.book
        turns = [*islice(cycle(self.prices), max(len(self.prices), len(self.bookings) // 2))]

        def run() -> None:
            for book, type_id, nights in turns:
                matrix.take_prices(book, code, type_id, nights)
                matrix.take_prices(usual, code, type_id, nights)

        return _ms(run) / (2 * len(turns)) * 1e3


def _house(grounds: Grounds) -> RatedHouse:
    return RatedHouse.of(grounds.scale.rated_types, grounds.scale.rated_plans)


def _matrix(house: RatedHouse) -> YearMatrix:
    return YearMatrix(house.book, house.rules, house.counts, NIGHTS, booked_on=_BOOKED_ON)


def _numpy_year(grounds: Grounds, house: RatedHouse) -> Callable[[], None] | None:
    """Return what makes the rates by numpy, None where it is not installed; raise where they are others."""
    scene = house.scene
    try:
        rates, once = ari_numpy.prepared(
            ari_rows.slots_of(scene), scene.weeks, scene.dated, scene.plans, scene.steps, scene.counts
        )
    except ImportError:
        grounds.progress("P13: numpy is not installed; the line beside it is left out")
        return None
    if rates != ari_rows.build(scene).rates:
        raise AssertionError("the rates by numpy are others")
    return once


def _agree(rows: MatrixRows, house: RatedHouse, bare: ari_rows.Rows) -> None:
    """Make sure that both make the same rows, or the comparison would mean nothing."""
    plans = len(house.scene.plans)
    for number in range(len(house.scene.counts)):
        type_id = house.type_id(number)
        same = [rows.row(MatrixField.SELLABLE, type_id) == tuple(bare.counts[number])]
        for plan in range(plans):
            at, code = number * plans + plan, house.code(plan)
            same.append(rows.row(MatrixField.RATE, type_id, code) == tuple(bare.rates[at]))
            same += [
                rows.row(field, type_id, code) == tuple(stays[at])
                for field, stays in zip(PLAN_FIELDS[1:], bare.stays, strict=True)
            ]
        if not all(same):
            raise AssertionError(f"the rows of type {number} differ")


def _check_runs(matrix: YearMatrix, changes: _Changes) -> None:
    """Make sure that a booking says one run, a price one for each plan, and either no more and no less."""
    for taken, given_up in changes.bookings:
        if len(matrix.take_counts(taken)) != 1 or len(matrix.take_counts(given_up)) != 1:
            raise AssertionError(f"a booking on {taken.nights} says more than one run")
    taken, given_up = changes.bookings[0]
    book, type_id, nights = changes.prices[0]
    steps: tuple[Callable[[], Sequence[MatrixRun]], ...] = (
        lambda: matrix.take_counts(taken),
        lambda: matrix.take_counts(given_up),
        lambda: matrix.take_prices(book, changes.house.code(0), type_id, nights),
        lambda: matrix.take_prices(changes.house.book, changes.house.code(0), type_id, nights),
    )
    for step in steps:
        before = matrix.rows.copy()
        runs = step()
        if not runs or set(runs) != set(before.changes_to(matrix.rows)):
            raise AssertionError("the runs of a change are not its difference")


def _ms(call: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    try:
        started = time.thread_time()
        call()
        return (time.thread_time() - started) * 1e3
    finally:
        gc.enable()
