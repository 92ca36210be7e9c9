"""A workplace with a space in its path, whose end asserts that nothing is left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import attrs
import pytest

from pms_adapters.embedded.account import Account
from pms_adapters.embedded.home import Home
from pms_adapters.embedded.postgres import EmbeddedPostgres
from pms_adapters.embedded.processes import wait_until

OWNER = Path(__file__).with_name("owner.py")


@attrs.frozen
class Workplace:
    """Folders for one test, and owners of servers that run in processes of their own."""

    root: Path
    home_name: str = "home"
    owners: list[subprocess.Popen[str]] = attrs.field(factory=list)

    @property
    def home(self) -> Home:
        return Home(root=self.root / self.home_name, state=self.root / "state", socket_bases=(self.sockets,))

    @property
    def sockets(self) -> Path:
        return self.root / "s"

    def processes(self) -> list[str]:
        """Return the command lines of all processes that have to do with this workplace, zombies included."""
        found = []
        for each in Path("/proc").iterdir():
            try:
                words = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                place = str((each / "cwd").readlink()) if each.name.isdigit() else ""
            except OSError:
                continue
            if str(self.root) in words or place.startswith(str(self.root)):
                found.append(f"{each.name} {words}")
        return found

    def interpreter(self, account: Account | None) -> str:
        """Return a Python that ``account`` can run; a system's own where this one lies in a closed home."""
        names = (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")
        if account is None or not account.is_foreign:
            return sys.executable
        return next(each for each in names if account.can_read(Path(each)))

    def start_owner(self, kind: str, *options: str, account: Account | None = None) -> subprocess.Popen[str]:
        home = self.home
        # Where the user may not look, Python would stop rather than go on.
        paths = [each for each in sys.path if account is None or account.can_enter(Path(each))]
        foreign = account is not None and account.is_foreign
        owner = subprocess.Popen(
            [self.interpreter(account), OWNER, kind, home.root, home.state, self.sockets, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PYTHONPATH": os.pathsep.join(paths), "PATH": os.environ.get("PATH", "")},
            user=account.uid if foreign else None,
            group=account.gid if foreign else None,
            extra_groups=() if foreign else None,
        )
        self.owners.append(owner)
        return owner

    def close(self) -> None:
        for owner in self.owners:
            owner.kill()
            owner.wait()
            for pipe in (owner.stdin, owner.stdout):
                if pipe is not None:
                    pipe.close()


def answer_of(owner: subprocess.Popen[str]) -> dict:
    """Wait for what an owner says."""
    assert owner.stdout is not None
    return json.loads(owner.stdout.readline())


def release(owner: subprocess.Popen[str]) -> int:
    """Let an owner stop its server and end."""
    assert owner.stdin is not None
    owner.stdin.close()
    return owner.wait(30)


@pytest.fixture(scope="session")
def made_root() -> Iterator[Path]:
    """Make the data of a server once, because that is what takes time; most tests start it, some kill it."""
    # Not a folder of pytest's: those are closed to the user that root hands its servers over to.
    place = Workplace(Path(tempfile.mkdtemp(prefix="pms test ")))
    place.root.chmod(0o755)
    place.sockets.mkdir()
    place.sockets.chmod(0o1777)
    try:
        with EmbeddedPostgres(place.home, is_durable=False):
            pass
        yield place.root
    finally:
        shutil.rmtree(place.root)


@pytest.fixture
def workplace(made_root: Path) -> Iterator[Workplace]:
    place = Workplace(made_root)
    try:
        yield place
        place.close()
        assert wait_until(lambda: not place.processes(), 15), place.processes()
        assert list(place.sockets.iterdir()) == []
    finally:
        place.close()
        # Now rather than at the end: what was never written to the disk is removed quickly.
        for each in made_root.iterdir():
            if each not in {place.home.root, place.home.state, place.sockets}:
                shutil.rmtree(each)


@pytest.fixture
def home(workplace: Workplace) -> Home:
    """Return a home with data in it, which other tests use too."""
    return workplace.home


@pytest.fixture
def bare_workplace(workplace: Workplace) -> Workplace:
    """Return a workplace whose home has nothing in it yet."""
    return attrs.evolve(workplace, home_name=f"bare {uuid4().hex[:6]}")


@pytest.fixture
def bare_home(bare_workplace: Workplace) -> Home:
    return bare_workplace.home


@pytest.fixture
def word() -> str:
    """Return a word that no other test writes."""
    return uuid4().hex


@pytest.fixture
def ordinary_account() -> Account:
    """Return another user where this one is root, else the one that runs the tests."""
    return Account.for_servers()
