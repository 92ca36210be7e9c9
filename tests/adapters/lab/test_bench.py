"""The measurements at a tiny scale: that they run, compare like with like, and judge in both directions."""

from __future__ import annotations

import ast
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pms_adapters.lab.bench import STOCK_IDS, TINY, Limit, Measurement, floors, run_stock, warnings
from pms_adapters.lab.bench.booking import booking_script
from pms_adapters.lab.bench.floors.pgbench import with_values
from pms_adapters.lab.bench.grounds import Grounds, open_grounds
from pms_adapters.lab.bench.making import Shop
from pms_adapters.lab.bench.measurement import compared
from pms_adapters.postgres.verify import verify
from pmscore.booking.use_cases.create import create_booking
from pmscore.kernel.errors import InvalidInputError

pytestmark = pytest.mark.postgres

FLOORLESS = {"P5", "G-start", "G-rebuild"}
TABLES = ("bookings", "booking_rooms", "unit_nights", "events", "guests", "idempotency_keys")


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def lines(told: list[str]) -> tuple[Measurement, ...]:
    return run_stock(rounds=1, scale=TINY, progress=told.append)


@pytest.fixture(scope="module")
def grounds() -> Iterator[Grounds]:
    with open_grounds(TINY, 1, lambda _: None) as grounds:
        yield grounds


def test_every_id_is_measured_in_its_order(lines):
    seen = list(dict.fromkeys(line.id for line in lines))
    assert seen == list(STOCK_IDS)


def test_every_line_has_a_positive_ratio_and_a_floor_where_there_is_one(lines):
    for line in lines:
        assert math.isfinite(line.ratio), line
        if line.id not in FLOORLESS:
            assert line.floor is not None, line
            assert line.floor > 0, line
            assert line.value > 0, line
            assert line.ratio > 0, line


def test_every_line_is_ok_exactly_where_its_ratio_keeps_to_its_must(lines):
    for line in lines:
        if line.must is None:
            assert line.ok, line
            continue
        sign, bound = line.must.split()
        holds = line.ratio >= float(bound) if sign == ">=" else line.ratio <= float(bound)
        assert line.ok == holds, line


def test_a_race_has_one_winner_and_no_deadlock(lines):
    faulty, deadlocks, *_ = [line for line in lines if line.id == "P5"]
    assert (faulty.value, deadlocks.value) == (0, 0), faulty.measure


def test_a_line_as_json_has_the_agreed_keys(lines):
    for line in lines:
        read = json.loads(json.dumps(line.as_json()))
        assert list(read) == ["id", "measure", "value", "floor", "ratio", "must", "aim", "ok"]


def test_progress_hears_of_every_target_with_a_server(lines, told):
    spoken = " ".join(told)
    for key in ("P1", "P2", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P18"):
        assert key in spoken


@pytest.mark.parametrize(
    "path", sorted(Path(floors.__file__).parent.glob("*.py")), ids=lambda path: path.stem
)
def test_a_floor_imports_nothing_of_the_project(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").partition(".")[0])
    drivers = {"psycopg", "psycopg_pool", "redis", "rq"}
    assert imported <= {*sys.stdlib_module_names, *drivers, "flask", "gunicorn", "intervaltree", "portion"}


def test_what_pgbench_writes_for_a_booking_is_what_the_use_case_writes(grounds):
    database = grounds.database(TINY.small)
    shop = Shop.on(database.url, database.house)
    with psycopg.connect(database.admin_url, autocommit=True) as connection:

        def counts() -> list[int]:
            return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES]

        before = counts()
        slots = grounds.slots(database, 4)
        variables = {"i": -1, "start": slots.start, "clients": 2}
        database.pgbench(booking_script(database), transactions=2, clients=2, variables=variables)
        by_pgbench = counts()
        for command in shop.commands(grounds.slots(database, 4)):
            create_booking(command, uow=shop.uow, clock=shop.clock, ids=shop.ids)
        by_use_case = counts()
        for booking in shop.prepared(grounds.slots(database, 4)):
            shop.write(booking)
        by_adapter = counts()
    shop.engine.dispose()
    added = [after - first for after, first in zip(by_pgbench, before, strict=True)]
    assert added == [4, 4, 12, 4, 0, 0]
    assert [after - first for after, first in zip(by_use_case, by_pgbench, strict=True)] == added
    assert [after - first for after, first in zip(by_adapter, by_use_case, strict=True)] == added
    assert verify(database.admin_url) == ()


def test_a_house_filled_by_sql_keeps_every_invariant(grounds):
    database = grounds.database(TINY.usual)
    assert verify(database.admin_url) == ()
    with psycopg.connect(database.admin_url) as connection:
        assert connection.execute("SELECT count(*) FROM bookings").fetchone() == (TINY.usual,)


def test_slots_never_overlap(grounds):
    house = grounds.house
    nights = set()
    for number in range(2_000):
        slot = house.slot(number)
        for later in range((slot.departure - slot.arrival).days):
            night = (slot.unit, slot.arrival.toordinal() + later)
            assert night not in nights
            nights.add(night)


@pytest.mark.parametrize(
    ("values", "floors_", "must", "inverted", "ratio", "ok"),
    [
        ([6.0, 7.0, 8.0], [10.0, 10.0, 10.0], Limit(0.7), False, 0.7, True),
        ([6.0, 6.9, 8.0], [10.0, 10.0, 10.0], Limit(0.7), False, 0.69, False),
        ([2.0], [1.0], Limit(2.0, is_least=False), False, 2.0, True),
        ([2.1], [1.0], Limit(2.0, is_least=False), False, 2.1, False),
        ([2.0], [20.0], Limit(7.0), True, 10.0, True),
        ([2.0], [10.0], Limit(7.0), True, 5.0, False),
        ([3.0], None, Limit(2.0, is_least=False), False, 3.0, False),
        ([3.0], [1.0], None, False, 3.0, True),
    ],
)
def test_a_must_is_kept_or_missed(values, floors_, must, inverted, ratio, ok):
    line = compared("X", "x", values, floors_, must=must, inverted=inverted)
    assert line.ratio == pytest.approx(ratio)
    assert line.ok is ok


def test_one_busy_round_does_not_spoil_the_ratio():
    line = compared("X", "x", [70, 70, 70, 70, 10], [100, 100, 100, 100, 100])
    assert line.ratio == pytest.approx(0.7)


def test_a_weak_floor_is_warned_of_and_a_usual_one_is_not():
    def line(floor: float) -> Measurement:
        return compared("P1", "x", [floor], [floor])

    (sentence,) = warnings([line(749.0)])
    assert "749" in sentence
    assert "1,500" in sentence
    assert warnings([line(751.0)]) == ()


def test_an_unknown_id_is_refused_with_those_there_are():
    with pytest.raises(InvalidInputError) as caught:
        run_stock(only=["P1", "P99"])
    assert caught.value.params["value"] == "P99"
    assert "P18" in str(caught.value.params["known"])


def test_a_run_without_rounds_is_refused():
    with pytest.raises(InvalidInputError):
        run_stock(rounds=0)


def test_values_are_spliced_into_a_statement_and_colons_are_safe_from_pgbench():
    script = with_values("SELECT $1, $2", ["7", '{"id":"ID","x":null,"q":"it\'s"}'], {"ID": ":k"})
    assert script == """SELECT '7', concat('{"id":"', :k, '","x":', 'null,"q":"it''s"}')"""
