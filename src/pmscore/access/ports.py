"""What access needs from a store."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from pmscore.access.model.agencies import Agency
from pmscore.kernel.ids import AgencyId
from pmscore.kernel.ports import Work

__all__ = ["AccessWork", "AgencyRepository"]


class AgencyRepository(Protocol):
    """Keeps agencies."""

    @abstractmethod
    def add(self, agency: Agency) -> None:
        """Add ``agency``; its id must be the one the transaction was opened for."""

    @abstractmethod
    def get(self, agency_id: AgencyId) -> Agency:
        """Return the agency.

        Raises:
            NotFoundError: there is none, or it is not the one the transaction was opened for.
        """


class AccessWork(Work, Protocol):
    """A transaction that can set up an agency."""

    @property
    @abstractmethod
    def agencies(self) -> AgencyRepository:
        """The agencies."""
