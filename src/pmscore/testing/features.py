"""Which agency has which modules, in memory.

Owns what the port promises about reading and writing; leaves the judgement at the commit to ``books``.
"""

from __future__ import annotations

from pmscore.modules.model import Feature
from pmscore.modules.ports import FeatureRepository
from pmscore.testing.transaction import Transaction

__all__ = ["InMemoryFeatures"]


class InMemoryFeatures(FeatureRepository):
    """An agency's decisions."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def all(self) -> tuple[Feature, ...]:
        """Return every decision, by module."""
        self._at.check_open()
        with self._at.locks.mutex:
            return tuple(feature for _, feature in sorted(self._at.books.features.items()))

    def save(self, feature: Feature) -> None:
        """Store a decision, if nobody else has decided by the commit."""
        self._at.check_open()
        self._at.changes.features[feature.module] = feature
