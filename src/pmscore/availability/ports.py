"""What search and calendar need from a store: counts, kept compact."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from pmscore.availability.model import OccupiedRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.ids import PropertyId, UnitId, UnitTypeId
from pmscore.restrictions.model.book import RuleBook

__all__ = ["AvailabilityReader"]


class AvailabilityReader(Protocol):
    """Reads one agency's stock; made for one agency, and shows nothing of another.

    Expired holds (``expires_at <= now``) and their turnover nights count as free, also while nobody has
    released them yet. Types that do not exist here are left out.
    """

    @abstractmethod
    def houses(self, property_ids: Iterable[PropertyId] = ()) -> tuple[House, ...]:
        """Return these houses, all of the agency where none is named.

        Raises:
            NotFoundError: one of them does not exist in this agency.
        """

    @abstractmethod
    def rules(self, property_ids: Iterable[PropertyId]) -> Mapping[PropertyId, RuleBook]:
        """Return the stay rules; properties without any may be left out."""

    @abstractmethod
    def claimed(
        self, unit_type_ids: Iterable[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, tuple[int, ...]]:
        """Return the claims that count against the limit (all kinds but oversold), one number a night.

        Types without a claim on any of the nights may be left out.
        """

    @abstractmethod
    def claims_by_kind(
        self, unit_type_ids: Iterable[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, Mapping[ClaimKind, tuple[int, ...]]]:
        """Return the claims of each kind, one number a night; types and kinds without any may be left out."""

    @abstractmethod
    def free_units(
        self, wanted: Mapping[UnitTypeId, DateRange], now: datetime
    ) -> Mapping[UnitTypeId, tuple[UnitId, ...]]:
        """Return the units of each type that nothing occupies on any of its nights, by name and id.

        Types without such a unit may be left out.
        """

    @abstractmethod
    def occupied(
        self, property_id: PropertyId, nights: DateRange, now: datetime
    ) -> tuple[OccupiedRange, ...]:
        """Return what claims a night of the range, whole claims, by first night, type, unit and source.

        Raises:
            NotFoundError: no such property in this agency.
        """
