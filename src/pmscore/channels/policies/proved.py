"""What is sent to a platform at all: nothing of which only the format was proved, unless somebody wants just that.

Owns the one setting that says so. Leaves how much of a lane was proved to its manifest.
"""

from __future__ import annotations

from typing import Final

from pmscore.channels.model.connections import Connection
from pmscore.channels.model.manifest import Lane, Manifest, Standing

__all__ = ["SENDS_ARI", "is_used"]

SENDS_ARI: Final = "sends_ari"
"""The setting of a connection that sends lanes of which only the format was proved."""


def is_used(manifest: Manifest, connection: Connection, lane: Lane) -> bool:
    """Return whether the gateway does something on a lane that is more than a proved format, or is wanted to."""
    if lane not in manifest.lanes:
        return False
    is_proved = manifest.standing_of(lane) is not Standing.FORMAT_ONLY
    return is_proved or connection.settings.get(SENDS_ARI) is True
