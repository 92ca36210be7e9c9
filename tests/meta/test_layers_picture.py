"""The picture of the layers shows what is there."""

from __future__ import annotations

import runpy
from pathlib import Path


def test_the_picture_shows_the_layers_of_the_contracts(repository: Path) -> None:
    drawn = runpy.run_path(str(repository / ".ci" / "layers_picture.py"))["picture"]()
    committed = (repository / "docs" / "pictures" / "layers.svg").read_text("utf-8")
    assert committed == drawn, "run: python .ci/layers_picture.py"
    # A control: a context that is there, and one that is planned.
    assert ">webhooks<" in drawn
    assert drawn.count("stroke-dasharray") >= 1
