"""Cases worked out by hand: every figure of every answer is in the file, with its arithmetic and its source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pmscore.kernel.events import Json
from pmscore.pricing.model.written.expectations import differences
from pmscore.pricing.use_cases.cases import answer_case

CASES = Path(__file__).with_name("cases")
FILES = sorted(CASES.glob("*.json"))


def document(path: Path) -> dict[str, Json]:
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_case_comes_out_as_worked_out_by_hand(path: Path) -> None:
    case = document(path)
    found = differences(case, answer_case(case))
    assert not found, "\n".join(json.dumps(each.to_json(), ensure_ascii=False) for each in found)
