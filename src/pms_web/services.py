"""What the views are given: ports of the core, bound to whoever asks, and what is there for everybody.

Owns the two shapes: ``Surroundings`` for the app, ``WebServices`` for one request. Leaves making them to ``wiring``,
the only module here that knows what stands behind the ports.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, TypedDict, TypeVar
from uuid import UUID

from attrs import Factory, field, frozen

from pms_web.auth.access import Access
from pms_web.auth.presented import Identify, Presented
from pms_web.front_door import FrontDoor
from pms_web.installed import Installed
from pms_web.limits import Limiter, NoLimits
from pms_web.readiness import Probe, Readiness
from pms_web.sanity import Sanity
from pmscore.access.model.principals import Principal
from pmscore.availability.ports import AvailabilityReader
from pmscore.channels.ports import ChannelMeans, ChannelWork
from pmscore.channels.ports.calendars import CalendarWriter
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ActorId, AgencyId, PropertyId, RequestId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.kernel.secrets import Secret
from pmscore.kernel.trail import EventWork
from pmscore.modules.model import Switches
from pmscore.modules.ports import FeatureWork
from pmscore.pricing.ports import ExchangeRates, ExchangeRateWork, PriceReader, PriceSettingWork
from pmscore.webhooks.ports import WebhookMeans, WebhookWork

__all__ = [
    "NOBODY",
    "Asking",
    "Identify",
    "Presented",
    "Retry",
    "SearchReader",
    "Surroundings",
    "WebServices",
    "WebWork",
]

ResultT = TypeVar("ResultT")

NOBODY = ActorId(UUID(int=0))
"""Who acts where nobody has to log in."""


class WebWork(ChannelWork, PriceSettingWork, ExchangeRateWork, FeatureWork, WebhookWork, EventWork, Protocol):
    """A transaction on whatever the views touch."""


class Retry(Protocol):
    """Runs a use case, again where the store says that this is safe."""

    def __call__(self, call: Callable[[], ResultT], /) -> ResultT:
        """Return what ``call`` returned in the end."""


class SearchReader(AvailabilityReader, Protocol):
    """Reads an agency's stock for one search, from wherever it is had soonest."""

    @property
    @abstractmethod
    def source(self) -> str:
        """Where the answers came from: ``board`` or ``sql``; empty before any was given."""


class Asking(TypedDict):
    """What every command says of the present request; for ``SomeCommand(**services.asking, …)``."""

    request_id: RequestId
    agency_id: AgencyId
    actor_id: ActorId
    property_ids: frozenset[PropertyId] | None


@frozen(kw_only=True)
class WebServices:
    """Everything one request needs, bound to its principal: no other agency and no other property can be reached.

    ``search`` may answer with what was a moment ago; whoever decides something asks ``availability``.
    """

    principal: Principal
    request_id: RequestId
    uow: UnitOfWork[WebWork] = field(repr=False)
    availability: AvailabilityReader = field(repr=False)
    search: SearchReader = field(repr=False)
    prices: PriceReader = field(repr=False)
    exchange_rates: ExchangeRates = field(repr=False)
    access: Access = field(repr=False)
    clock: Clock = field(repr=False)
    ids: IdSource = field(repr=False)
    retry: Retry = field(repr=False)
    webhooks: WebhookMeans = field(repr=False)
    channels: ChannelMeans = field(repr=False)
    calendars: CalendarWriter = field(repr=False)
    installed: Installed = field(factory=Installed, repr=False)
    sanity: Callable[[], Sanity] = field(default=Sanity, repr=False)
    environment: str = "development"

    @property
    def agency_id(self) -> AgencyId:
        """The agency that is asked."""
        return self.principal.agency_id

    @property
    def asking(self) -> Asking:
        """Who asks for what follows, as commands say it."""
        return {
            "request_id": self.request_id,
            "agency_id": self.principal.agency_id,
            "actor_id": self.principal.actor_id,
            "property_ids": self.principal.property_ids,
        }

    @property
    def question(self) -> Command:
        """A command that asks for nothing but to look."""
        return Command(**self.asking)


@frozen(kw_only=True)
class Surroundings:
    """Everything the app needs; safe to share between threads.

    ``probes`` are named as readiness names its components. ``switches`` say which modules may run,
    ``installed`` which do. ``gauges`` are figures for the operator by name, asked for when somebody reads
    them. ``version`` and ``commit`` say which program runs, ``sanity`` what is to be said of its settings.
    """

    identify: Identify = field(repr=False)
    uow: UnitOfWork[WebWork] = field(repr=False)
    availability: Callable[[Principal], AvailabilityReader] = field(repr=False)
    search: Callable[[Principal], SearchReader] = field(repr=False)
    prices: Callable[[Principal], PriceReader] = field(repr=False)
    exchange_rates: Callable[[Principal], ExchangeRates] = field(repr=False)
    access: Access = field(repr=False)
    clock: Clock = field(repr=False)
    ids: IdSource = field(repr=False)
    retry: Retry = field(repr=False)
    webhooks: WebhookMeans = field(repr=False)
    channels: ChannelMeans = field(repr=False)
    calendars: CalendarWriter = field(repr=False)
    switches: Switches = field(factory=Switches)
    installed: Installed = field(factory=Installed, repr=False)
    metrics_token: Secret | None = None
    gauges: Mapping[str, Callable[[], float]] = field(factory=dict, repr=False)
    door: FrontDoor = FrontDoor()
    limiter: Limiter = field(factory=NoLimits, repr=False)
    probes: Mapping[str, Probe] = field(factory=dict, repr=False)
    sanity: Callable[[], Sanity] = field(default=Sanity, repr=False)
    version: str = "0"
    commit: str = "unknown"
    environment: str = "development"
    started_at: datetime = field(default=Factory(lambda here: here.clock.now(), takes_self=True))
    readiness: Readiness = field(
        init=False,
        repr=False,
        default=Factory(lambda here: Readiness(here.probes, here.clock), takes_self=True),
    )

    def of(self, principal: Principal, request_id: RequestId) -> WebServices:
        """Return what a request of ``principal`` may use."""
        return WebServices(
            principal=principal,
            request_id=request_id,
            uow=self.uow,
            availability=self.availability(principal),
            search=self.search(principal),
            prices=self.prices(principal),
            exchange_rates=self.exchange_rates(principal),
            access=self.access,
            clock=self.clock,
            ids=self.ids,
            retry=self.retry,
            webhooks=self.webhooks,
            channels=self.channels,
            calendars=self.calendars,
            installed=self.installed,
            sanity=self.sanity,
            environment=self.environment,
        )
