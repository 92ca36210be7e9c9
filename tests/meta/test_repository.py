"""What the repository as a whole promises: nothing of one machine in it, versions that agree, documented parts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import pmscore

# Folders that tools make; everything else in the checkout is looked at.
MADE = {".git", ".venv", ".nox", ".hypothesis", "__pycache__", "_build", "dist", "build", "node_modules"}
SUFFIXES = {
    "",
    ".cfg",
    ".css",
    ".html",
    ".ini",
    ".js",
    ".json",
    ".md",
    ".py",
    ".sh",
    ".svg",
    ".toml",
    ".txt",
    ".yml",
}
# A path into somebody's home or workplace. Spelt so that this line does not match itself.
OF_A_MACHINE = re.compile(r"(?<![\w.:/-])/(?:root|work|Users|home/[a-z]\w*|tmp/[a-z]+/bin)[/]\w")


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.iterdir()):
        if path.name in MADE or path.name.endswith("_cache") or path.is_symlink():
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.suffix in SUFFIXES:
            yield path


def _paths_of_a_machine(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}:{number} {line.strip()}"
        for path in _files(root)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if OF_A_MACHINE.search(line) or str(root) in line
    ]


def test_no_file_holds_a_path_of_a_machine(repository: Path) -> None:
    assert _paths_of_a_machine(repository) == []


@pytest.mark.parametrize("place", ["root", "work", "home/jo", "Users/jo", "tmp/venv/bin"])
def test_a_planted_path_of_a_machine_is_caught(tmp_path: Path, place: str) -> None:
    (tmp_path / "run.py").write_text(f"HERE = '/{place}/x'\n", "utf-8")
    assert _paths_of_a_machine(tmp_path) != []


def test_a_planted_path_of_the_checkout_is_caught(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(f"HERE = '{tmp_path}'\n", "utf-8")
    assert _paths_of_a_machine(tmp_path) != []


def test_the_changelog_knows_the_version(repository: Path) -> None:
    changelog = (repository / "CHANGELOG.md").read_text("utf-8")
    assert f"## [{pmscore.__version__}]" in changelog or "## [Unreleased]" in changelog


def test_the_readme_names_the_two_commands(repository: Path) -> None:
    readme = (repository / "README.md").read_text("utf-8")
    assert "make demo" in readme
    assert "make test" in readme


def test_the_bare_install_asks_for_attrs_and_pendulum_only(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[\[<>=!~; ]", each, maxsplit=1)[0] for each in project["dependencies"]}
    assert names == {"attrs", "pendulum"}


def test_every_decision_record_says_its_number_and_state(repository: Path) -> None:
    records = sorted((repository / "docs/adr").glob("[0-9]*.md"))
    assert records
    for number, record in enumerate(records, start=1):
        text = record.read_text("utf-8")
        assert record.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        assert re.search(r"^- Status: (proposed|accepted|superseded by \[\d+\])", text, re.MULTILINE)
