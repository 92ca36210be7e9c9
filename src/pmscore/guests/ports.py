"""What guests need from a store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Protocol

from pmscore.guests.model import Guest, MetricsChange
from pmscore.kernel.ids import GuestId
from pmscore.kernel.paging import Page, Paged
from pmscore.kernel.ports import Work

__all__ = ["GuestRepository", "GuestWork"]


class GuestRepository(Protocol):
    """Keeps profiles and their figures."""

    @abstractmethod
    def add(self, guest: Guest) -> None:
        """Add a new profile."""

    @abstractmethod
    def get(self, guest_id: GuestId) -> Guest:
        """Return the profile with its figures as of now.

        Raises:
            NotFoundError: no such guest in this agency.
        """

    @abstractmethod
    def get_all(self, guest_ids: Iterable[GuestId]) -> Mapping[GuestId, Guest]:
        """Return these profiles as of now, in one go.

        Raises:
            NotFoundError: one of them is no guest of this agency, or none that the actor reaches.
        """

    @abstractmethod
    def save(self, guest: Guest) -> None:
        """Store a profile whose version is one above the stored one; figures are not touched.

        Raises (at the commit):
            StaleVersionError: somebody else has changed it since.
        """

    @abstractmethod
    def find(self, text: str, page: Page) -> Paged[Guest]:
        """Return a page of the guests whose name or e-mail contains ``text``, whatever its case, by name and id.

        An actor whose reach is limited sees those who have a booking there.
        """

    @abstractmethod
    def count(self, change: MetricsChange) -> None:
        """Move the guest's figures at the commit, after the booking was written.

        Raises:
            NotFoundError: at the commit, if there is no such guest in this agency.
        """


class GuestWork(Work, Protocol):
    """A transaction on guests."""

    @property
    @abstractmethod
    def guests(self) -> GuestRepository:
        """The guests."""
