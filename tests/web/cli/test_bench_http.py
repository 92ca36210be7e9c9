"""``pms bench http`` at a tiny scale: that it runs, that all is answered, and that its floor is served as the product is."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from pms_adapters.lab.bench import HTTP_IDS, serving_app
from pms_adapters.lab.bench.floors import constant_app
from pms_web.cli import serving
from pms_web.cli.crew import FEW, CrewWorker
from pms_web.cli.main import pms

FLOORLESS = ("the read model", "P16: p95, ms", "p99 ms")


@pytest.fixture(scope="module")
def lines() -> list[dict[str, str | float | bool | None]]:
    found = CliRunner().invoke(pms, ["bench", "http", "--rounds", "1", "--scale", "tiny", "--json"])
    lines = json.loads(found.stdout)
    assert found.exit_code == (0 if all(line["ok"] for line in lines) else 1), found.stderr
    return lines


@pytest.mark.postgres
def test_each_line_has_the_agreed_keys_and_the_floor_beside_it(lines):
    assert list(dict.fromkeys(line["id"] for line in lines)) == list(HTTP_IDS)
    for line in lines:
        assert list(line) == ["id", "measure", "value", "floor", "ratio", "must", "aim", "ok"]
        assert line["value"] > 0
        if not f"{line['id']}: {line['measure']}".endswith(FLOORLESS):
            assert line["floor"] > 0, line


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("key", "judged"),
    [
        ("P15", {"<= 2", ">= 0.95"}),
        ("P16", {">= 0.4", ">= 0.95"}),
        ("P17", {"<= 2.5", ">= 0.95"}),
        ("H-quotes", {"<= 20"}),
    ],
)
def test_each_target_is_judged_by_its_must(lines, key, judged):
    assert {line["must"] for line in lines if line["id"] == key} == {*judged, None}


@pytest.mark.postgres
def test_every_search_is_answered_from_the_read_model(lines):
    parts = [line["value"] for line in lines if str(line["measure"]).endswith("from the read model")]
    assert parts == [1.0, 1.0]


def test_the_floor_is_served_as_the_product_is():
    ours = serving.usual_options(serving_app.WORKERS, serving_app.THREADS)
    floor = constant_app.options_of(serving_app.WORKERS, serving_app.ANSWERING)
    threads = {"worker_class": CrewWorker, "threads": serving_app.THREADS}
    assert ours == {**floor, **threads}
    assert (floor["worker_class"], floor["threads"]) == ("gthread", FEW)
