"""``pms bench http`` at a tiny scale: that it runs, and that its floor is served as the product is."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from pms_adapters.lab.bench import HTTP_IDS, answering
from pms_adapters.lab.bench.floors import constant_app
from pms_web.cli import serving
from pms_web.cli.main import pms


@pytest.mark.postgres
def test_each_line_has_the_agreed_keys_and_the_floor_beside_it():
    found = CliRunner().invoke(pms, ["bench", "http", "--rounds", "1", "--scale", "tiny", "--json"])
    lines = json.loads(found.stdout)
    assert found.exit_code == (0 if all(line["ok"] for line in lines) else 1), found.stderr
    assert list(dict.fromkeys(line["id"] for line in lines)) == list(HTTP_IDS)
    for line in lines:
        assert list(line) == ["id", "measure", "value", "floor", "ratio", "must", "aim", "ok"]
        assert line["value"] > 0
    judged, *others = lines
    assert (judged["must"], judged["floor"]) == ("<= 20", None)
    assert all(line["floor"] > 0 for line in others)


def test_the_floor_is_served_as_the_product_is():
    ours = serving.usual_options(answering.WORKERS, answering.THREADS)
    assert ours == constant_app.options_of(answering.WORKERS, answering.THREADS)
