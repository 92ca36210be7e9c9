"""As whom a server runs, and what that user can reach.

PostgreSQL refuses to run as root, so root hands over to a user that may do nothing else: ``pmscore`` where an
administrator made one, else ``nobody``. initdb asks the user database for the name, so a bare number will not
do (tried). Everybody else runs servers as themselves.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from attrs import frozen

from pms_adapters.embedded.errors import NoServerAccountError

__all__ = ["SERVER_ENVIRONMENT", "Account"]

SERVER_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
)
_PREFERRED = ("pmscore", "nobody", "daemon")


@frozen
class Account:
    """A user of the system. ``is_foreign`` says that it is not the one this process runs as."""

    uid: int
    gid: int
    is_foreign: bool

    @classmethod
    def for_servers(cls) -> Account:
        """Return the account that servers of this process run as.

        Raises:
            NoServerAccountError: root finds nobody to hand over to, or the current user has no name.
        """
        uid = os.geteuid()
        if uid != 0:
            return cls(uid, os.getegid(), is_foreign=False)
        for name in _PREFERRED:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            if entry.pw_uid != 0:
                return cls(entry.pw_uid, entry.pw_gid, is_foreign=True)
        raise NoServerAccountError("root_without_helper_user", uid=0)

    def has_name(self) -> bool:
        """Whether the user database knows this account."""
        try:
            pwd.getpwuid(self.uid)
        except KeyError:
            return False
        return True

    def can_enter(self, folder: Path) -> bool:
        """Whether this account can get into ``folder``, so far as the mode bits of the path say."""
        try:
            real = folder.resolve(strict=True)
            return all(self._may(each.stat(), stat.S_IXOTH) for each in (real, *real.parents))
        except OSError:
            return False

    def can_read(self, file: Path) -> bool:
        """Whether this account can read ``file``, so far as the mode bits of the path say."""
        try:
            real = file.resolve(strict=True)
            return self.can_enter(real.parent) and self._may(real.stat(), stat.S_IROTH)
        except OSError:
            return False

    def _may(self, found: os.stat_result, bit: int) -> bool:
        if found.st_uid == self.uid:
            return bool(found.st_mode & bit << 6)
        if found.st_gid == self.gid:
            return bool(found.st_mode & bit << 3)
        return bool(found.st_mode & bit)

    def own(self, path: Path) -> None:
        """Give ``path``, which this process has just made, to the account."""
        if self.is_foreign:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def run(
        self, command: Sequence[str | Path], *, held: tuple[int, ...] = (), text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``command`` to its end as this account, in an environment without surprises.

        ``held`` are descriptors that stay open in it, ``text`` is what it reads.

        Raises:
            NoServerAccountError: this process may not change to the account.
            OSError: there is no such program, or it cannot run here.
        """
        try:
            return subprocess.run(
                [str(part) for part in command],
                input=text or "",
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                cwd="/",
                env=dict(SERVER_ENVIRONMENT),
                check=False,
                pass_fds=held,
                user=self.uid if self.is_foreign else None,
                group=self.gid if self.is_foreign else None,
                extra_groups=() if self.is_foreign else None,
            )
        except OSError as error:
            # A program that may not be run is EACCES; these two come from the change of user.
            if self.is_foreign and error.errno in {errno.EPERM, errno.EINVAL}:
                raise NoServerAccountError("cannot_change_user", uid=self.uid) from error
            raise
