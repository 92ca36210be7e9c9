"""Where the embedded servers keep their things.

Owns the choice of folders: the home (``PMS_HOME``, else the user's data folder, else a folder that is told
about in ``fallback``), the state folder (copies of binaries, and the data of a home that the servers' account
cannot reach) and the short socket folders. Each server has one folder of its own, with ``data`` in it.

Only folders made here get their mode or owner set; nothing above them is touched. A folder that belongs to
somebody else is refused, because writing through another user's folder is how root gets tricked.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from pms_adapters.embedded.account import Account
from pms_adapters.embedded.errors import FolderUnusableError

__all__ = ["LONGEST_SOCKET_FOLDER", "Home", "folder_mark", "make_folder"]

# sockaddr_un has 108 bytes, one of them the final zero; "/.s.PGSQL.65535" needs fifteen.
LONGEST_SOCKET_FOLDER = 92


@frozen(kw_only=True)
class Home:
    """The folders of one installation. ``fallback`` says why ``root`` is not where it was asked to be, or None."""

    root: Path
    state: Path
    socket_bases: tuple[Path, ...] = (Path("/tmp"),)  # noqa: S108 - a fresh 0700 folder in it
    fallback: str | None = None

    @classmethod
    def find(cls, pms_home: Path | None = None, environ: Mapping[str, str] | None = None) -> Home:
        """Choose the folders for this process; ``pms_home`` is what the setting ``PMS_HOME`` says.

        Raises:
            FolderUnusableError: the folder that was asked for by name, or the last resort, cannot be used.
        """
        known = os.environ if environ is None else environ
        temporary = _folder_in(known, "TMPDIR") or Path("/tmp")  # noqa: S108
        state = _find_state(known, temporary)
        runtime = _folder_in(known, "XDG_RUNTIME_DIR")
        bases = tuple(dict.fromkeys(each for each in (runtime, temporary, Path("/tmp")) if each))  # noqa: S108
        if pms_home is not None:
            make_folder(pms_home)
            return cls(root=pms_home, state=state, socket_bases=bases)
        usual = _find_user_folder(known)
        if usual is None:
            return cls(root=state / "home", state=state, socket_bases=bases, fallback="home_unset")
        try:
            make_folder(usual)
        except FolderUnusableError as error:
            return cls(root=state / "home", state=state, socket_bases=bases, fallback=f"home_{error.reason}")
        return cls(root=usual, state=state, socket_bases=bases)

    def folder_for(self, server: str, account: Account) -> Path:
        """Return the folder of ``server``, made if need be, where ``account`` can reach it.

        Raises:
            FolderUnusableError: it cannot be made, belongs to somebody else, or nobody can reach it.
        """
        near = self.root / server
        far = self.state / f"home-{folder_mark(self.root)}" / server
        if self.root.is_relative_to(self.state):
            make_folder(self.state)
        make_folder(self.root)
        if not account.is_foreign:
            return make_folder(near)
        # Once data lies in the state folder it stays there, even if the home becomes reachable later.
        has_moved = (far / "data").exists() and not (near / "data").exists()
        if account.can_enter(self.root) and not has_moved:
            return make_folder(near)
        make_folder(self.state)
        make_folder(far.parent)
        if not account.can_enter(make_folder(far)):
            raise FolderUnusableError(far, "not_reachable")
        return far

    def make_socket_folder(self, folder: Path, account: Account) -> Path:
        """Make the empty 0700 folder for the sockets of the server that lives in ``folder``.

        Its name follows from ``folder``, so that addresses survive a restart; only where somebody else sits on
        that name a random one is taken. What an earlier run has left in it goes.

        Raises:
            FolderUnusableError: no base folder is short enough, reachable and writable.
        """
        for base in self.socket_bases:
            short = base / f"{folder_mark(folder)}-{account.uid}"
            fits = len(os.fsencode(short)) + 9 <= LONGEST_SOCKET_FOLDER
            if not fits or not base.is_dir() or (account.is_foreign and not account.can_enter(base)):
                continue
            try:
                _remove_if_ours(short, account)
                try:
                    short.mkdir(mode=0o700)
                except FileExistsError:
                    short = Path(tempfile.mkdtemp(prefix=f"{short.name}-", dir=base))
                account.own(short)
            except OSError:
                continue
            return short
        raise FolderUnusableError(self.socket_bases[-1], "path_too_long", setting="TMPDIR")


def folder_mark(folder: Path) -> str:
    """Return a short name that stands for ``folder`` alone."""
    return f"pms-{hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:10]}"


def make_folder(path: Path) -> Path:
    """Make ``path``, with its parents, for this user alone; root's can be passed through by its servers.

    Raises:
        FolderUnusableError: it cannot be made, is no folder, is not writable, or belongs to somebody else.
    """
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir(mode=mode)
            path.chmod(mode)
        except FileExistsError:
            pass
        found = path.stat()
    except OSError as error:
        raise FolderUnusableError.of(path, error) from error
    if not stat.S_ISDIR(found.st_mode):
        raise FolderUnusableError(path, "not_a_folder")
    if found.st_uid != os.geteuid():
        raise FolderUnusableError(path, "not_ours")
    if not os.access(path, os.W_OK | os.X_OK):
        raise FolderUnusableError(path, "not_writable")
    return path


def _folder_in(known: Mapping[str, str], name: str) -> Path | None:
    """Return the folder that a variable names; relative ones count as unset, as the XDG rules say."""
    text = known.get(name, "").strip()
    return Path(text) if text.startswith("/") else None


def _find_user_folder(known: Mapping[str, str]) -> Path | None:
    named = _folder_in(known, "XDG_DATA_HOME")
    if named is not None:
        return named / "pmscore"
    home = _folder_in(known, "HOME")
    if home is None or home == Path("/"):
        return None
    shared = (
        home / "Library" / "Application Support" if sys.platform == "darwin" else home / ".local" / "share"
    )
    return shared / "pmscore"


def _find_state(known: Mapping[str, str], temporary: Path) -> Path:
    """Choose the state folder, which is made when something is to be put into it."""
    named = _folder_in(known, "XDG_STATE_HOME")
    if os.geteuid() == 0:
        lasting = Path("/var/lib")
    elif named is not None:
        lasting = named
    else:
        return temporary / f"pmscore-{os.geteuid()}"
    return lasting / "pmscore" if os.access(lasting, os.W_OK) else temporary / f"pmscore-{os.geteuid()}"


def _remove_if_ours(path: Path, account: Account) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode) and found.st_uid in {account.uid, os.geteuid()}:
        shutil.rmtree(path)
