from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pmscore.kernel.errors import MisuseError
from pmscore.kernel.registry import Registry


@pytest.fixture
def empty_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "family_of_none").mkdir()
    (tmp_path / "family_of_none" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield "family_of_none"
    sys.modules.pop("family_of_none", None)


def test_members_are_found_by_key_and_listed_in_the_order_of_keys(empty_package: str):
    family: Registry[str] = Registry("toys", empty_package)
    family.register("b")("ball")
    family.register("a")("abacus")
    assert family.get("b") == "ball"
    assert list(family) == [("a", "abacus"), ("b", "ball")]


def test_a_key_names_one_member_only(empty_package: str):
    family: Registry[str] = Registry("toys", empty_package)
    family.register("b")("ball")
    with pytest.raises(MisuseError):
        family.register("b")("bear")
    assert family.get("b") == "ball"


def test_an_unknown_key_is_a_mistake_of_the_program(empty_package: str):
    family: Registry[str] = Registry("toys", empty_package)
    with pytest.raises(MisuseError):
        family.get("nobody")


def test_members_are_discovered_in_their_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = tmp_path / "family_found"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from pmscore.kernel.registry import Registry\nTOYS = Registry('toys', 'family_found')\n"
    )
    (package / "ball.py").write_text("from family_found import TOYS\nTOYS.register('ball')('round')\n")
    monkeypatch.syspath_prepend(tmp_path)
    import family_found

    assert list(family_found.TOYS) == [("ball", "round")]
    for name in ("family_found", "family_found.ball"):
        sys.modules.pop(name)
