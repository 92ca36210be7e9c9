"""The encryption key of a home: made once, beside the embedded database that it protects.

Owns that there is one, whoever comes first. Who names a database names ``ENCRYPTION_KEY`` as well: a key beside the
secrets that it seals guards a backup or a copied table, not the machine.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pms_adapters.crypto.box import new_key
from pms_adapters.embedded.errors import FolderUnusableError
from pmscore.kernel.secrets import Secret

__all__ = ["home_key"]

_NAME = "encryption.key"


def home_key(home: Path) -> Secret:
    """Return the key of ``home``, made if there is none; of two processes that make one, one's is kept.

    Raises:
        FolderUnusableError: it can be neither read nor written.
    """
    path = home / _NAME
    try:
        if not path.exists():
            _offer(path, new_key())
        return Secret(path.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise FolderUnusableError.of(home, error if isinstance(error, OSError) else OSError()) from error


def _offer(path: Path, text: str) -> None:
    """Write a file of mode 0600, whole, unless there is one by then."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)
        except FileExistsError:
            return
    finally:
        Path(name).unlink(missing_ok=True)
