"""The import contracts name what is there, and each of them can be broken."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

DRAWERS = {"__init__", "model", "policies", "views", "ports", "use_cases", "reactions"}
WITHOUT_DRAWERS = {"kernel", "dates", "testing"}

# One breach for each contract, in a house of its own; a folder without a planted file is still a package.
PLANTED = {
    "pmscore/kernel/ids.py": "import pms_adapters.settings",  # hexagon
    "pmscore/dates/nights.py": "import pmscore.booking.model",  # contexts
    "pmscore/booking/model.py": "import pmscore.booking.ports",  # drawers
    "pmscore/booking/ports.py": "def late():\n    import sqlalchemy",  # purity
    "pmscore/inventory/use_cases/hold.py": "",
    "pmscore/pricing/policies.py": "import pmscore.inventory.use_cases.hold",  # use-cases
    "pms_adapters/settings.py": "import pms_adapters.postgres.engine",  # adapters
    "pms_adapters/postgres/engine.py": "import pms_adapters.settings",  # acyclic
    "pms_adapters/channels/one/gateway.py": "import pms_adapters.channels.two.gateway",  # vendors
    "pms_adapters/channels/two/gateway.py": "",
    "pms_adapters/lab/channel_sim/faces/one.py": "import pms_adapters.channels.two.gateway",  # faces
    "pms_web/errors.py": "import pms_adapters.settings",  # wiring
    "pms_web/app.py": "import psycopg",  # web-drivers
}


def _contracts(repository: Path) -> dict[str, dict[str, object]]:
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))
    return {each["id"]: each for each in project["tool"]["importlinter"]["contracts"]}


def _names(contract: dict[str, object]) -> set[str]:
    return {part.strip(" ()") for layer in contract["layers"] for part in layer.split("|")}


def _children(folder: Path) -> set[str]:
    packages = {each.parent.name for each in folder.glob("*/*.py")}
    return packages | {each.stem for each in folder.glob("*.py")}


def test_every_context_stands_in_the_contract(repository: Path) -> None:
    listed = _names(_contracts(repository)["contexts"])
    assert _children(repository / "src/pmscore") - {"__init__"} <= listed


def test_every_context_has_only_the_drawers_of_the_contract(repository: Path) -> None:
    assert _names(_contracts(repository)["drawers"]) | {"__init__"} == DRAWERS
    contexts = _children(repository / "src/pmscore") - {"__init__"} - WITHOUT_DRAWERS
    invented = {
        f"{context}/{drawer}"
        for context in contexts
        for drawer in _children(repository / "src/pmscore" / context) - DRAWERS
    }
    assert invented == set()


@pytest.mark.parametrize("package", ["pmscore", "pms_adapters", "pms_web"])
def test_every_package_says_that_it_is_typed(repository: Path, package: str) -> None:
    assert (repository / "src" / package / "py.typed").is_file()


def test_every_contract_catches_its_planted_breach(repository: Path, tmp_path: Path) -> None:
    for place, text in PLANTED.items():
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        for folder in path.relative_to(tmp_path).parents[:-1]:
            (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_bytes((repository / "pyproject.toml").read_bytes())
    program = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports; "
        "lint_imports(no_cache=True, is_debug_mode=False, verbose=False)"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = {
        line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1]
        for line in run.stdout.splitlines()
        if line.endswith((" KEPT", " BROKEN"))
    }
    names = {str(each["name"]) for each in _contracts(repository).values()}
    assert verdicts == dict.fromkeys(names, "BROKEN"), run.stdout + run.stderr
