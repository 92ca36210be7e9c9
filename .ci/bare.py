"""Run inside an environment that holds the bare wheel: is the core really alone, and really whole?

Fails with a sentence if the install brought more than it says, if a core module cannot be imported, or if a
module of the test kit that needs ``[testing]`` does not say so.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from pathlib import Path

# attrs and pendulum, and what pendulum itself asks for; pip and setuptools come with the environment.
EXPECTED = {"attrs", "pendulum", "pip", "pmscore", "python-dateutil", "setuptools", "six", "tzdata"}
NEED_TESTING = (
    "pmscore.testing.histories",
    "pmscore.testing.laws",
    "pmscore.testing.channel_strategies",
    "pmscore.testing.price_strategies",
    "pmscore.testing.strategies",
)
NEED_NOTHING = "pmscore.testing.memory"
ADVICE = 'pip install "pmscore[testing]"'


def main() -> int:
    """Print what is wrong, or how many modules were imported."""
    installed = {each.name.lower() for each in importlib.metadata.distributions()}
    problems = [f"the bare install brought {name}" for name in sorted(installed - EXPECTED)]
    root = Path(importlib.import_module("pmscore").__file__ or "").parent
    names = sorted(_module_name(root, path) for path in root.rglob("*.py"))
    problems += [f"{name} is missing" for name in (NEED_NOTHING, *NEED_TESTING) if name not in names]
    problems += [problem for name in names if (problem := _problem_of(name))]
    for problem in problems:
        print(f"bare: {problem}", file=sys.stderr)
    print(f"bare: {len(names)} modules of the core looked at, {len(problems)} problems")
    return 1 if problems else 0


def _module_name(root: Path, path: Path) -> str:
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _problem_of(name: str) -> str:
    needs_testing = any(name == each or name.startswith(f"{each}.") for each in NEED_TESTING)
    try:
        importlib.import_module(name)
    except ImportError as error:
        if needs_testing and ADVICE in str(error):
            return ""
        return f"{name} cannot be imported: {error}" + (
            f" (it should say: {ADVICE})" if needs_testing else ""
        )
    return f"{name} was imported without [testing]; should it be on the list?" if needs_testing else ""


if __name__ == "__main__":
    raise SystemExit(main())
