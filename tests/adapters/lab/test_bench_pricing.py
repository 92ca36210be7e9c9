"""The measurements of pricing at a tiny scale: that they run, compare like with like, and know what they compare."""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from pms_adapters.lab.bench import PRICING_IDS, TINY, Measurement, quoting, rating, run_pricing, warnings
from pms_adapters.lab.bench.floors import ari_numpy, ari_rows
from pms_adapters.lab.bench.grounds import Grounds, open_grounds
from pms_adapters.lab.bench.measurement import compared
from pms_adapters.lab.bench.rating_house import RatedHouse
from pmscore.kernel.errors import InvalidInputError


@pytest.fixture(scope="module")
def lines() -> tuple[Measurement, ...]:
    return run_pricing(rounds=1, scale=TINY)


@pytest.fixture
def grounds() -> Iterator[Grounds]:
    with open_grounds(TINY, 1, lambda _: None) as grounds:
        yield grounds


def test_every_id_is_measured_in_its_order(lines):
    assert list(dict.fromkeys(line.id for line in lines)) == list(PRICING_IDS)


def test_every_line_has_a_floor_and_a_positive_ratio(lines):
    for line in lines:
        if line.id == "G-quote":
            assert math.isfinite(line.ratio), line
            continue
        if line.id == "G-explain":
            assert line.value > 0, line
            continue
        assert line.floor is not None, line
        assert line.floor > 0, line
        assert line.value > 0, line
        assert math.isfinite(line.ratio), line
        assert line.ratio > 0, line


def test_no_server_is_started(grounds):
    (first, *_) = rating.measure_years(grounds)
    assert first.id == "P13"
    assert grounds._server is None


def test_all_contenders_come_to_the_same_amount_worked_out_by_hand():
    # Night 1 (a Wednesday) is in the season from 0 to 6: 245.00. Taxes of 7 % on 245.00, on 45.00 + 12.00 + 3.00 of
    # fees: 17.15 + 4.20; 2.00 of city tax. The tier from 7 nights on is not reached.
    asked = [quoting.Asked(1, 1, 1)]
    for contender in (quoting.of_the_product, quoting.of_the_kernel, quoting.of_the_textbook):
        timed = contender(quoting.TARIFF, asked)
        assert timed.dues(timed.run()) == [24_500 + 6_000 + 1_715 + 420 + 200]


def test_a_contender_that_comes_to_another_amount_stops_the_run(grounds, monkeypatch):
    dearer = quoting.TARIFF._replace(night_fee=quoting.TARIFF.night_fee + 100)
    honest = quoting.of_the_kernel
    monkeypatch.setattr(quoting, "of_the_kernel", lambda _, asked: honest(dearer, asked))
    with pytest.raises(AssertionError, match="different amounts"):
        list(quoting.measure_quotes(grounds))


def test_a_slow_machine_is_warned_of():
    def line(key: str, floor: float) -> Measurement:
        return compared(key, "x", [floor], [floor])

    assert len(warnings([line("P11", 399_000.0), line("P12", 12_400.0)])) == 2
    assert warnings([line("P11", 401_000.0), line("P12", 12_600.0)]) == ()


def test_an_unknown_id_is_refused_with_those_there_are():
    with pytest.raises(InvalidInputError) as caught:
        run_pricing(only=["P1"])
    assert "P14" in str(caught.value.params["known"])


def test_one_id_alone_can_be_measured():
    assert {line.id for line in run_pricing(rounds=1, only=["P14"], scale=TINY)} == {"P14"}


def test_a_year_that_differs_from_the_floor_stops_the_run(grounds, monkeypatch):
    honest = ari_rows.build

    def planted(scene):
        rows = honest(scene)
        rows.rates[-1][-1] += 1
        return rows

    monkeypatch.setattr(ari_rows, "build", planted)
    with pytest.raises(AssertionError, match="differ"):
        list(rating.measure_years(grounds))


def test_rates_by_numpy_are_those_of_the_bare_lists():
    scene = RatedHouse.of(5, 6).scene
    given = ari_rows.slots_of(scene), scene.weeks, scene.dated, scene.plans, scene.steps, scene.counts
    if find_spec("numpy") is None:
        with pytest.raises(ImportError):
            ari_numpy.prepared(*given)
        return
    rates, again = ari_numpy.prepared(*given)
    again()
    assert rates == ari_rows.build(scene).rates


def test_without_numpy_its_line_is_left_out_and_the_progress_says_so(monkeypatch):
    def missing(*_given):
        raise ImportError

    monkeypatch.setattr(ari_numpy, "prepared", missing)
    told = []
    (line,) = run_pricing(rounds=1, only=["P13"], scale=TINY, progress=told.append)
    assert "bare lists" in line.measure
    assert "numpy" in " ".join(told)


def test_the_full_difference_of_the_floor_is_said_in_runs():
    scene = RatedHouse.of(2, 2).scene
    before, after = ari_rows.build(scene), ari_rows.build(scene)
    assert ari_rows.difference(before, after) == []
    after.rates[3][5:8] = [1, 1, 2]
    after.counts[0][0] += 1
    assert ari_rows.difference(before, after) == [
        (-2, 0, 0, 1, after.counts[0][0]),
        (-1, 3, 5, 7, 1),
        (-1, 3, 7, 8, 2),
    ]
