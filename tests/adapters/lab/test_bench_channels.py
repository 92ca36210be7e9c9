"""The measurements of channels at a tiny scale: that they run, compare like with like, and know what they compare.

The ways to a platform and its window, which it keeps closed for a minute, are measured each night alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from attrs import evolve

from pms_adapters.lab.bench import CHANNEL_IDS, TINY, Measurement, run_channels
from pms_adapters.lab.bench.channel_rows import measure_booking, measure_difference, measure_year
from pms_adapters.lab.bench.grounds import Grounds, open_grounds
from pmscore.kernel.errors import InvalidInputError

APP = (sys.executable, "-m", "pms_web.cli.main", "serve", "--port", "0")
SLOW = ("C-receipt", "C-window")
QUICK = [each for each in CHANNEL_IDS if each not in SLOW]
SMALL = evolve(TINY, rated_types=3, rated_plans=2, platforms=1)


@pytest.fixture
def grounds() -> Iterator[Grounds]:
    with open_grounds(SMALL, 1, lambda _: None) as grounds:
        yield grounds


@pytest.fixture(scope="module")
def lines() -> tuple[Measurement, ...]:
    return run_channels(app=APP, rounds=1, only=QUICK, scale=SMALL)


def of(lines: tuple[Measurement, ...], key: str, words: str = "") -> list[Measurement]:
    return [each for each in lines if each.id == key and words in each.measure]


@pytest.mark.postgres
def test_every_id_is_measured_in_its_order(lines):
    assert list(dict.fromkeys(line.id for line in lines)) == QUICK


@pytest.mark.postgres
def test_every_line_has_a_positive_ratio_and_is_ok_where_it_keeps_to_its_must(lines):
    for line in lines:
        assert line.ratio > 0, line
        if line.must is not None:
            sign, bound = line.must.split()
            holds = line.ratio >= float(bound) if sign == ">=" else line.ratio <= float(bound)
            assert line.ok == holds, line


@pytest.mark.postgres
def test_targets_have_the_bounds_that_were_agreed(lines):
    assert next(each.must for each in of(lines, "P19")) == ">= 10"
    (kept,) = of(lines, "P20", "against a booking's")
    (processed,) = [each for each in of(lines, "P20", "p99") if each is not kept]
    assert [kept.must, processed.must] == ["<= 1.5", "<= 2000"]


@pytest.mark.postgres
@pytest.mark.nightly
def test_what_a_limit_holds_back_comes_in_one_call_when_the_window_opens():
    calls, seconds = run_channels(app=APP, rounds=1, only=["C-window"], scale=SMALL)
    assert calls.value == 1
    assert 0 < seconds.value < 75


@pytest.mark.postgres
@pytest.mark.nightly
def test_a_booking_is_received_by_the_platform_and_its_percentiles_are_in_order():
    lines = run_channels(app=APP, rounds=1, only=["C-receipt"], scale=SMALL)
    values = [each.value for each in lines]
    assert values == sorted(values)
    assert values[0] > 0
    assert [each.must for each in lines] == [None, None, "<= 2000", None]


def test_rows_are_compared_and_packed_without_any_server(grounds):
    for measure in (measure_difference, measure_year, measure_booking):
        assert {each.id for each in measure(grounds)} <= set(CHANNEL_IDS)
    assert grounds._server is None


def test_a_year_is_told_in_the_fewest_messages_and_a_booking_in_one(grounds):
    _, entries, messages = measure_year(grounds)
    assert entries.floor is not None
    assert entries.value < entries.floor
    assert messages.value == messages.floor
    (told,) = measure_booking(grounds)
    assert "3 cells in 1 entry in 1 message" in told.measure


def test_an_unknown_id_is_refused_with_those_there_are():
    with pytest.raises(InvalidInputError) as caught:
        run_channels(app=APP, only=["P1"])
    assert "C-year" in str(caught.value.params["known"])
