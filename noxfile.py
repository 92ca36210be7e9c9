"""What is run against the project, by name: ``nox`` for all of it, ``nox -s lint`` for one.

Owns the commands. Leaves the environment to ``.ci/environment.py``: every session but ``bare`` and ``demo``
runs in the checkout's ``.venv``, so nothing is installed twice, and nox may itself come from anywhere.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "types", "contracts", "tests", "bare", "examples", "docs"]
nox.options.default_venv_backend = "none"
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
PYTHON = str(Path(".venv", "bin", "python"))
COSMIC_RAY = "cosmic-ray>=8.3,<9"  # for one session alone, so it is no part of the environment
CODE = ("src", "tests", "examples", "docs", "noxfile.py", ".ci")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff."""
    _run_each(session, ("ruff", "check", *CODE), ("ruff", "format", "--check", *CODE))


@nox.session
def types(session: nox.Session) -> None:
    """Check all packages with mypy strict, and the core with pyright strict."""
    _run_each(session, ("mypy",), ("pyright", "--pythonpath", PYTHON))


@nox.session
def contracts(session: nox.Session) -> None:
    """Check who may import whom."""
    _prepare(session)
    session.run(str(Path(PYTHON).with_name("lint-imports")), "--no-cache", "--no-logo", external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments after ``--`` go to pytest."""
    _run(session, "pytest", *session.posargs)


@nox.session
def nightly(session: nox.Session) -> None:
    """Run every test there is, with many more examples, attempts and rounds."""
    _run(
        session,
        "pytest",
        "-m",
        "nightly or not nightly",
        *session.posargs,
        env={"HYPOTHESIS_PROFILE": "nightly"},
    )


@nox.session
def mutation(session: nox.Session) -> None:
    """Plant 600 bugs in pricing, one at a time, and count those that the fast tests notice; can be continued."""
    _prepare(session)
    session.run(PYTHON, "-m", "pip", "install", "--quiet", COSMIC_RAY, external=True)
    session.run(PYTHON, str(Path(".ci", "mutation.py")), *session.posargs, external=True)


@nox.session
def bare(session: nox.Session) -> None:
    """Install the wheel without extras, then import and use the core with nothing else there."""
    with _wheel(session) as (wheel, folder):
        python = _fresh_venv(session, folder / "venv", str(wheel))
        # From the temporary folder: neither src nor the checkout is to be found from there.
        with session.chdir(folder):
            session.run(
                python, "-P", str(ROOT / ".ci" / "bare.py"), external=True, env=_without_python_path()
            )
            for example in _examples(needs_extras=False):
                session.log(f"running {example.name} on the bare install")
                session.run(
                    python, "-P", str(example), external=True, silent=True, env=_without_python_path()
                )


@nox.session
def examples(session: nox.Session) -> None:
    """Run every example."""
    _prepare(session)
    for example in (*_examples(needs_extras=False), *_examples(needs_extras=True)):
        session.log(f"running {example.name}")
        session.run(PYTHON, str(example), external=True, silent=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning or a dead reference fails."""
    with tempfile.TemporaryDirectory(prefix="pmscore-docs-") as name:
        # In a copy, since the build writes the reference pages: two builds at once do not meet.
        folder = Path(name)
        shutil.copytree("docs", folder / "docs", ignore=shutil.ignore_patterns("_build", "modules"))
        (folder / "src").symlink_to(ROOT / "src")
        target = session.posargs[0] if session.posargs else str(folder / "html")
        # Pages that nobody keeps go without the list of members beside them, which half of the time went into.
        brief = () if session.posargs else ("-D", "toc_object_entries=0")
        flags = (*brief, "-W", "--keep-going", "-n", "-q", "-b", "html", "-d", str(folder / "doctrees"))
        _run(session, "sphinx", *flags, str(folder / "docs"), target)


@nox.session
def demo(session: nox.Session) -> None:
    """Run ``pms demo`` from the wheel with ``[demo]``, as a user would have it: ``nox -s demo -- --exit``."""
    with _wheel(session) as (wheel, folder):
        python = _fresh_venv(session, folder / "venv", f"{wheel}[demo]")
        pms = str(Path(python).with_name("pms"))
        session.run(pms, "demo", *session.posargs, external=True, env=_without_python_path())


@nox.session
def bench(session: nox.Session) -> None:
    """Measure against the floors: ``nox -s bench -- stock --json``."""
    _prepare(session)
    session.run(str(Path(PYTHON).with_name("pms")), "bench", *(session.posargs or ("stock",)), external=True)


def _prepare(session: nox.Session) -> None:
    """Bring ``.venv`` up to date; a moment where it is."""
    interpreter = getattr(sys, "_base_executable", None) or sys.executable
    if Path(sys.prefix).resolve() == (ROOT / ".venv").resolve():
        return  # `make test` has just done it
    session.run(interpreter, ".ci/environment.py", "test", external=True, silent=False)


def _run(session: nox.Session, module: str, *arguments: str, env: dict[str, str] | None = None) -> None:
    _prepare(session)
    session.run(PYTHON, "-m", module, *arguments, external=True, env=env)


def _run_each(session: nox.Session, *commands: tuple[str, ...]) -> None:
    """Run every command, also after one that failed, then fail if any did."""
    failed: list[str] = []
    for module, *arguments in commands:
        try:
            _run(session, module, *arguments, env={"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"})
        except CommandFailed:
            failed.append(module)
    if failed:
        session.error(f"failed: {', '.join(failed)}")


@contextmanager
def _wheel(session: nox.Session) -> Iterator[tuple[Path, Path]]:
    """Build the wheel into a temporary folder; yield both."""
    with tempfile.TemporaryDirectory(prefix="pmscore-") as name:
        folder = Path(name)
        _run(session, "build", "--wheel", "--no-isolation", "--outdir", name, ".")
        (wheel,) = folder.glob("*.whl")
        yield wheel, folder


def _fresh_venv(session: nox.Session, place: Path, *requirements: str) -> str:
    """Make an environment with ``requirements`` and nothing else; return its Python."""
    session.run(PYTHON, "-m", "venv", str(place), external=True)
    python = str(place / "bin" / "python")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    session.run(
        python, "-m", "pip", "install", *quiet, *requirements, external=True, env=_without_python_path()
    )
    return python


def _without_python_path() -> dict[str, str | None]:
    return {"PYTHONPATH": None, "PIP_ROOT_USER_ACTION": "ignore" if os.geteuid() == 0 else None}


def _examples(*, needs_extras: bool) -> tuple[Path, ...]:
    """Return the examples, apart by whether they import more than the core."""
    found = sorted((ROOT / "examples").glob("*.py"))
    outside = ("pms_adapters", "pms_web", "hypothesis", "pmscore.testing.strategies", "pmscore.testing.laws")
    return tuple(
        each for each in found if any(name in each.read_text("utf-8") for name in outside) == needs_extras
    )
