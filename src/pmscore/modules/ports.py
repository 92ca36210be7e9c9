"""What modules need from a store: who has which."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from pmscore.kernel.ports import Work
from pmscore.modules.model import Feature

__all__ = ["FeatureRepository", "FeatureWork"]


class FeatureRepository(Protocol):
    """Keeps what was decided of an agency's modules."""

    @abstractmethod
    def all(self) -> tuple[Feature, ...]:
        """Return every decision, by module; what nobody has decided is not there."""

    @abstractmethod
    def save(self, feature: Feature) -> None:
        """Store a decision; at the commit it must be the one after that which was read.

        Raises:
            StaleVersionError: at the commit: somebody else has decided meanwhile.
        """


class FeatureWork(Work, Protocol):
    """A transaction on an agency's modules."""

    @property
    @abstractmethod
    def features(self) -> FeatureRepository:
        """The decisions."""
