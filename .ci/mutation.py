"""Mutation testing of the money: plant one small bug at a time, and see that the fast tests notice.

Owns the sample, the copies that are mutated, and the report. Leaves planting and running to cosmic-ray. What was
done is kept in ``build/mutation``; a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build" / "mutation"
MODULES = ("src/pmscore/pricing/model", "src/pmscore/pricing/policies", "src/pmscore/pricing/views")
TESTS = "tests/core/pricing"
PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider")
# Alone and first: they are quick, and most bugs change one of their figures.
CASES = "tests/core/pricing/test_cases.py"
LEAST = 85
_Place = tuple[tuple[int, int], tuple[int, int]]
CONFIG = """\
[cosmic-ray]
module-path = {modules}
timeout = {timeout}
excluded-modules = ["**/__init__.py"]
test-command = "{judge}"

[cosmic-ray.distributor]
name = "local"
"""


def main() -> int:
    """Make or continue the sample, run it, and print what survived."""
    asked = _arguments()
    if asked.judge:
        return _judged(asked.judge)
    seconds = asked.timeout or 3 * _baseline()
    folders = [_prepared(number, asked, seconds) for number in range(asked.workers)]
    with ThreadPoolExecutor(asked.workers) as pool:
        list(pool.map(_execute, folders))
    return _report([folder / "session.sqlite" for folder in folders])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=600, help="how many of all mutants are tried")
    parser.add_argument("--seed", type=int, default=1, help="which of them; the same seed tries the same")
    parser.add_argument("--workers", type=int, default=2, help="how many are tried at once")
    parser.add_argument("--timeout", type=float, help="seconds after which the tests count as killed")
    parser.add_argument(
        "--judge", type=float, help="run the tests on the folder it stands in, for so many seconds"
    )
    return parser.parse_args()


def _environment(folder: Path) -> dict[str, str]:
    """Return what the tests run with: few examples, the same each time, and the mutated sources first."""
    return {**os.environ, "HYPOTHESIS_PROFILE": "mutation", "PYTHONPATH": str(folder / "src")}


def _baseline() -> float:
    """Return how long the tests take without a bug; they must pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", TESTS]
    started = os.times().elapsed
    subprocess.run(command, cwd=ROOT, env=_environment(ROOT), check=True, stdout=subprocess.DEVNULL)
    return os.times().elapsed - started


def _prepared(number: int, asked: argparse.Namespace, seconds: float) -> Path:
    """Return the folder of one worker: a copy of the project, and its part of the sample."""
    folder = HOME / f"{asked.mutants}-{asked.seed}" / str(number)
    session, pristine = folder / "session.sqlite", folder / "pristine"
    if session.exists():
        _write_config(folder, seconds)
        # A run that was killed leaves its bug behind.
        shutil.copytree(pristine, folder / "src", dirs_exist_ok=True)
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("src", "tests", "pyproject.toml"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        folder.mkdir(parents=True, exist_ok=True)
        copy(source, folder / name)
    shutil.copytree(ROOT / "src", pristine)
    # cosmic-ray keeps Python from writing compiled files, so they are made here once, pytest's of the tests included.
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--co", TESTS],
        cwd=folder, env=_environment(folder), check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    _write_config(folder, seconds)
    unfinished = session.with_suffix(".unfinished")
    _cosmic_ray(folder, "init", "config.toml", str(unfinished))
    with use_db(str(unfinished), WorkDB.Mode.open) as database:
        _keep_sample(database, number, asked)
    unfinished.rename(session)
    return folder


def _write_config(folder: Path, seconds: float) -> None:
    judge = f"{sys.executable} '{Path(__file__).resolve()}' --judge {seconds}"
    text = CONFIG.format(modules=json.dumps(MODULES), timeout=seconds + 30, judge=judge)
    (folder / "config.toml").write_text(text, "utf-8")


def _judged(seconds: float) -> int:
    """Run the tests until one fails: the cases, those that name the mutated module, all; return the exit code."""
    ends = os.times().elapsed + seconds
    nearest = _nearest()
    others = [f"--ignore={each}" for each in (CASES, *nearest)]
    for chosen in ((CASES,), nearest, (TESTS, *others)):
        if chosen:
            left = max(ends - os.times().elapsed, 1)
            try:
                code = subprocess.run(
                    (sys.executable, *PYTEST, *chosen), timeout=left, check=False
                ).returncode
            except subprocess.TimeoutExpired:
                return 1
            if code:
                return code
    return 0


def _nearest() -> tuple[str, ...]:
    """Return the tests that import from the module which is not as it was, or name it."""
    changed = {
        ".".join(path.with_suffix("").parts[1:])
        for module in MODULES
        for path in Path(module).rglob("*.py")
        if path.read_bytes() != Path("pristine", *path.parts[1:]).read_bytes()
    }
    tests = sorted(each for each in Path(TESTS).glob("test_*.py") if str(each) != CASES)
    return tuple(str(each) for each in tests if any(name in each.read_text("utf-8") for name in changed))


def _keep_sample(database: WorkDB, number: int, asked: argparse.Namespace) -> None:
    """Mark all mutants as skipped but this worker's part of the sample of those that change what runs."""
    items = sorted(database.work_items, key=lambda item: repr(item.mutations))
    annotated = {path: _annotations(path) for path in {item.mutations[0].module_path for item in items}}
    runs = [item for item in items if not _lies_in(annotated[item.mutations[0].module_path], item)]
    chosen = random.Random(asked.seed).sample(runs, min(asked.mutants, len(runs)))
    mine = {item.job_id for item in chosen[number :: asked.workers]}
    others = [item.job_id for item in items if item.job_id not in mine]
    database.set_multiple_results(others, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))


def _annotations(path: Path) -> list[_Place]:
    """Return where a module has annotations: they are never evaluated, so a bug in them is none."""
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, (ast.arg, ast.AnnAssign)):
            found.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            found.append(node.returns)
    return [
        ((each.lineno, each.col_offset), (each.end_lineno or 0, each.end_col_offset or 0))
        for each in found
        if each is not None
    ]


def _lies_in(places: list[_Place], item: WorkItem) -> bool:
    mutation = item.mutations[0]
    return any(start <= mutation.start_pos and mutation.end_pos <= end for start, end in places)


def _execute(folder: Path) -> None:
    _cosmic_ray(folder, "exec", "config.toml", "session.sqlite")


def _cosmic_ray(folder: Path, *arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("cosmic-ray")), *arguments]
    subprocess.run(command, cwd=folder, env=_environment(folder), check=True)


def _report(sessions: list[Path]) -> int:
    """Print the share of the killed, and every survivor with its place; return the exit code."""
    killed = tried = 0
    for session in sessions:
        with use_db(str(session), WorkDB.Mode.open) as database:
            places = {item.job_id: item.mutations[0] for item in database.work_items}
            for job_id, result in database.results:
                if result.worker_outcome is WorkerOutcome.SKIPPED:
                    continue
                tried += 1
                if result.test_outcome is not TestOutcome.SURVIVED:
                    killed += 1
                    continue
                place = places[job_id]
                line = place.start_pos[0]
                print(f"survived: {place.module_path}:{line} {place.operator_name} #{place.occurrence}")
                print(result.diff or "")
    share = 100 * killed / tried if tried else 0
    print(f"{killed} of {tried} mutants killed: {share:.1f} %, wanted {LEAST} %")
    return 0 if share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
