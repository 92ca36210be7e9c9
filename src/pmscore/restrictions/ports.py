"""What stay rules need from a store."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from pmscore.inventory.ports import InventoryWork
from pmscore.kernel.ids import PropertyId
from pmscore.kernel.ports import Work
from pmscore.restrictions.model.book import RuleBook

__all__ = ["RestrictionRepository", "RestrictionWork", "RuleSettingWork"]


class RestrictionRepository(Protocol):
    """Keeps the rule book of each property."""

    @abstractmethod
    def get(self, property_id: PropertyId) -> RuleBook:
        """Return all rules of the property; an empty book if it has none or does not exist.

        May be a remembered one, as old as the house that the same transaction sees.
        """

    @abstractmethod
    def save(self, property_id: PropertyId, book: RuleBook) -> None:
        """Store ``book`` in place of the one before; the house is locked and its version raised."""


class RestrictionWork(Work, Protocol):
    """A transaction that sees stay rules."""

    @property
    @abstractmethod
    def restrictions(self) -> RestrictionRepository:
        """The stay rules."""


class RuleSettingWork(InventoryWork, RestrictionWork, Protocol):
    """A transaction that changes stay rules, and with them the version of the house."""
