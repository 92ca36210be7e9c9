"""What every reader raises for a document that it does not take.

Owns the one error, so that callers need not know which format failed. Leaves caps and grammar to each reader.
"""

from __future__ import annotations

from pmscore.kernel.errors import PortError

__all__ = ["UnreadableError"]


class UnreadableError(PortError):
    """The document is not what it says it is, or costs more to read than it may.

    ``reason`` is one word; ``most`` is the cap that was passed, where it was one.
    """

    code = "unreadable"

    def __init__(self, reason: str, *, most: int | None = None) -> None:
        super().__init__(reason=reason, most=most)
        self.reason = reason
