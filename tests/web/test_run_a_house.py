"""The page for whoever runs a house names every setting and every command, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from attrs import fields

from pms_adapters.settings import AccessSettings, FrontSettings, Settings
from pms_web.cli.main import pms

# Read elsewhere than among the settings: by commands, by the libraries of figures and traces, one for each module.
ELSEWHERE = {
    "<NAME>_ENABLED",
    "OTEL_…",
    "PROMETHEUS_MULTIPROC_DIR",
    "SOURCE_COMMIT",
    "WEB_CONCURRENCY",
    "WEB_THREADS",
}


def first_cells(repository: Path, heading: str) -> list[str]:
    """Return the first cell of each row below a heading of the page."""
    page = (repository / "docs" / "howto" / "run-a-house.md").read_text("utf-8")
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [re.split(r"(?<!\\)\|", row)[1] for row in rows]


def test_every_setting_is_in_the_table_once_and_nothing_else(repository: Path):
    named = [name for cell in first_cells(repository, "Settings") for name in re.findall(r"`([^`]+)`", cell)]
    asked = {name for name, _ in Settings.from_mapping({}).given}
    assert len(named) == len(set(named))
    assert set(named) - ELSEWHERE == asked
    assert set(named) >= ELSEWHERE


def test_every_command_is_in_the_table_with_its_options(repository: Path):
    described: set[str] = set()
    for cell in first_cells(repository, "Commands"):
        for line in re.findall(r"`pms ([^`]+)`", cell):
            command: click.Command = pms
            for word in line.replace("[", " ").replace("\\|", " ").split():
                if isinstance(command, click.Group) and word in command.commands:
                    found = command.commands[word]
                    if command is pms:
                        described.add(word)
                        command = found
                elif word.startswith("--"):
                    known = {each for option in command.params for each in option.opts}
                    known |= {
                        each
                        for part in getattr(command, "commands", {}).values()
                        for option in part.params
                        for each in option.opts
                    }
                    assert word.rstrip("]") in known, line
    assert described == set(pms.commands)


@pytest.mark.parametrize("kind", [Settings, AccessSettings, FrontSettings])
def test_the_description_of_the_settings_explains_every_field(kind: type):
    said = kind.__doc__ or ""
    unsaid = [each.name for each in fields(kind) if f"``{each.name}``" not in said]
    numbers = {
        "requests_per_minute",
        "public_requests_per_minute",
        "calendar_requests_per_minute",
        "log_ins_per_minute",
    }  # "the four numbers"
    assert set(unsaid) <= numbers
