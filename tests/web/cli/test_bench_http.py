"""``pms bench http`` at a tiny scale: that it runs, and that its floor is served as the product is."""

from __future__ import annotations

import ast
import inspect
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
    written = [
        node for node in ast.walk(ast.parse(inspect.getsource(serving.serve))) if isinstance(node, ast.Dict)
    ]
    ours = {
        key.value: value.value
        for node in written
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
    }
    del ours["proc_name"]
    usual = inspect.signature(serving.serve).parameters
    numbers = {name: usual[name].default for name in ("workers", "threads")}
    assert ours | numbers == constant_app.options_of(answering.WORKERS, answering.THREADS)
