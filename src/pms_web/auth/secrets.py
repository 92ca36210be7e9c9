"""Secrets from the system behind the core's port."""

from __future__ import annotations

import secrets

from pmscore.access.ports import SecretSource

__all__ = ["SystemSecrets"]


class SystemSecrets(SecretSource):
    """The system's randomness."""

    def new(self) -> str:
        """Return 256 random bits as 43 characters."""
        return secrets.token_urlsafe(32)
