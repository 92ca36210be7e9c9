"""Every example runs as it stands, in a process of its own, and says what it promises."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import EntryPoint

import pytest
from attrs import evolve

from pms_adapters.channels import GROUP, made_gateways
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pmscore.dates.ranges import DateRange
from pmscore.testing.clocks import MovableClock
from pmscore.testing.gateway_scenes import START


def _run(repository, name, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(repository / "examples" / name), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(repository / "src")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def names(repository):
    return {path.name for path in (repository / "examples").glob("*.py")}


def test_every_example_has_a_test(names):
    assert names == {"book_a_stay.py", "price_a_stay.py", "write_a_gateway.py"}


def test_a_stay_is_booked_once_and_the_refusal_says_why(repository):
    booked, refused = _run(repository, "book_a_stay.py").splitlines()
    assert booked.startswith("Ana Sousa: booked as ")
    assert booked.endswith("for 1260.00 EUR")
    nights = [f"unit_taken on 2027-07-{day:02}" for day in range(3, 10)]
    assert refused.startswith("Bo Lind: refused, ")
    assert all(night in refused for night in nights)


def test_a_stay_is_priced_night_by_night_and_the_year_is_drawn(repository, tmp_path):
    target = tmp_path / "rates.svg"
    told = _run(repository, "price_a_stay.py", str(target)).splitlines()
    assert told[0] == "quote saver: 790.00 EUR"
    assert "         rule weekly (length of stay, v1) -10 %: 181.00 → 162.90" in told
    assert told[-1] == f"The rates of 2027 are drawn in {target}"
    assert target.read_text("utf-8").count("<title>") == 365


@pytest.fixture
def gateway_example(repository, monkeypatch):
    monkeypatch.syspath_prepend(repository / "examples")
    yield import_module("write_a_gateway")
    sys.modules.pop("write_a_gateway")


def test_a_gateway_of_somebody_else_keeps_the_laws(repository):
    told = _run(repository, "write_a_gateway.py").splitlines()
    assert told[-1] == f"Tinysell keeps {len(told) - 1} laws"
    assert "kept: every declared field arrives on its nights and on no other" in told


def test_the_laws_find_a_range_of_that_gateway_that_ends_a_night_late(gateway_example):
    class EndsLate(gateway_example.TinysellGateway):
        def push(self, at, push):
            late = [
                evolve(each, nights=DateRange.of(each.nights.start, each.nights.length + 1))
                for each in push.entries
            ]
            return super().push(at, evolve(push, entries=tuple(late)))

    broken = type("Broken", (gateway_example.TestTinysellKeepsTheLaws,), {"gateway": EndsLate})()
    with pytest.raises(AssertionError):
        broken.test_every_declared_field_arrives_on_its_nights_and_on_no_other()


def test_an_entry_point_brings_it_beside_ours(gateway_example):
    point = EntryPoint("tinysell", "write_a_gateway:TinysellGateway", GROUP)
    clock = MovableClock(START)
    made = made_gateways(SimulatedWire((), clock=clock), clock, points=[point])
    assert made["tinysell"].manifest is gateway_example.MANIFEST
    assert "channex" in made
