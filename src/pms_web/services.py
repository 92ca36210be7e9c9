"""What the views are given: ports of the core, bound to one agency, and probes of the surroundings.

Owns the shape. Leaves making one to ``wiring``, the only module here that knows what stands behind the ports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar
from uuid import UUID

from attrs import field, frozen

from pmscore.availability.ports import AvailabilityReader
from pmscore.booking.ports import QuotedBookingWork
from pmscore.kernel.ids import ActorId, AgencyId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.pricing.ports import PriceReader, PriceSettingWork

__all__ = ["NOBODY", "ComponentDownError", "Probe", "Retry", "WebServices", "WebWork"]

ResultT = TypeVar("ResultT")

NOBODY = ActorId(UUID(int=0))
"""Who acts as long as nobody can log in."""

Probe = Callable[[], Mapping[str, object] | None]
"""Asks one component whether it is there: raises if not, else returns details, None where it is switched off."""


class ComponentDownError(Exception):
    """A component is not there; the text says in a few words why."""


class WebWork(QuotedBookingWork, PriceSettingWork, Protocol):
    """A transaction on whatever the views touch."""


class Retry(Protocol):
    """Runs a use case, again where the store says that this is safe."""

    def __call__(self, call: Callable[[], ResultT], /) -> ResultT:
        """Return what ``call`` returned in the end."""


@frozen(kw_only=True)
class WebServices:
    """Everything the app needs; safe to share between threads.

    ``probes`` are named as readiness names its components. ``version`` and ``commit`` say which program runs.
    """

    agency_id: AgencyId
    uow: UnitOfWork[WebWork] = field(repr=False)
    availability: AvailabilityReader = field(repr=False)
    prices: PriceReader = field(repr=False)
    clock: Clock = field(repr=False)
    ids: IdSource = field(repr=False)
    retry: Retry = field(repr=False)
    probes: Mapping[str, Probe] = field(factory=dict, repr=False)
    version: str = "0"
    commit: str = "unknown"
    actor_id: ActorId = NOBODY
