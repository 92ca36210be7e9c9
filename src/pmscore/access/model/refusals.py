"""The refusals of access.

Owns the errors. Leaves statuses and sentences to the host app, which says the same for every reason.
"""

from __future__ import annotations

from pmscore.kernel.errors import DomainError, NotAuthenticatedError

__all__ = ["CredentialsError", "LinkRefusedError", "LogInRefusedError"]


class CredentialsError(NotAuthenticatedError):
    """What was shown does not hold.

    ``reason`` says why, for the log alone: whoever asks learns the same in every case.
    """

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class LogInRefusedError(CredentialsError):
    """An address and a password opened nothing: so nobody finds out who has an account."""

    code = "log_in_refused"


class LinkRefusedError(DomainError):
    """A one-time link was used, has expired, or never was."""

    code = "link_refused"
