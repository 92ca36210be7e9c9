"""Letters to the terminal, where no mail server is named: for trying things out on this machine."""

from __future__ import annotations

import sys
import threading
from typing import TextIO

__all__ = ["ConsolePost"]


class ConsolePost:
    """Prints letters."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def carry(self, to: str, subject: str, text: str) -> None:
        """Print one letter whole."""
        with self._lock:
            print(
                f"--- letter to {to}: {subject} ---\n{text}---", file=self._stream or sys.stderr, flush=True
            )
