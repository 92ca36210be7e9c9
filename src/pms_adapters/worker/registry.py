"""What the worker does besides carrying the log: reactions to events, jobs on the queue, work that falls due.

Owns how each of the three is registered and found. A module in ``pms_adapters.worker.reactions`` needs one decorator,
and nothing else is edited:

    @reaction("greet", kinds=("booking.created",))
    def greet(event: StoredEvent, services: ReactionServices) -> None:
        services.write(("INSERT INTO greetings … VALUES (%s, %s)", (services.agency_id, event.aggregate_id)))

    @job("greetings.send")
    def send(agency_id: AgencyId, ids: tuple[UUID, ...], services: WorkerServices) -> None: ...

    @due_work("greetings")
    def overdue(agency_id: AgencyId, services: WorkerServices) -> datetime | None: ...

A *reaction* hears every event of its kinds (``"*"`` and ``"booking.*"`` are patterns), at least once, the
events of one aggregate in order. It has exactly one effect if it writes through ``services``: its only
transaction carries the inbox row. With ``calls_out=True`` it may call the outside and writes nothing; a call
may come twice. If it raises, it is tried again after 1, 2 and 4 s, then becomes a dead letter. With
``asks=…`` it says for an agency which kinds it wants there now, so that events which nobody wants cost no
row; it is asked once a batch of events, after they were read, so whatever was committed before an event
counts for it.

A *job* is run from the queue with ids, at least once: ``services.queue.enqueue("greetings.send", agency_id, *ids)``.

*Due work* is called for an agency when ``work_due.due_at(agency_id, "greetings", at)``, or ``due_in``, has come: put
that statement into the transaction that makes the work necessary. It is the net under the queue, so it looks in its
own tables for what is not done, enqueues it, and returns when to be called next, None for not at all. It must be
quick (it runs between the rounds of the relay) and may be called for nothing. No two calls for one agency run at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from pms_adapters.postgres.events import StoredEvent
from pms_adapters.worker.services import ReactionServices, WorkerServices
from pmscore.kernel.ids import AgencyId
from pmscore.kernel.registry import Registry
from pmscore.webhooks.model.endpoints import covers

__all__ = [
    "DUE_WORK",
    "JOBS",
    "REACTIONS",
    "Asks",
    "DueWork",
    "Job",
    "React",
    "Reaction",
    "Registered",
    "due_work",
    "find_registered",
    "job",
    "reaction",
]

React = Callable[[StoredEvent, ReactionServices], None]
Job = Callable[[AgencyId, tuple[UUID, ...], WorkerServices], None]
DueWork = Callable[[AgencyId, WorkerServices], "datetime | None"]
Asks = Callable[[AgencyId, WorkerServices], "tuple[str, ...]"]
"""Returns the kinds that are wanted for an agency now; none for nothing at all."""

_PACKAGE = "pms_adapters.worker.reactions"


@frozen(kw_only=True)
class Reaction:
    """Something that follows from events of some kinds."""

    name: str
    kinds: tuple[str, ...]
    react: React
    calls_out: bool = False
    asks: Asks | None = None

    def hears(self, kind: str, wanted: tuple[str, ...] = ("*",)) -> bool:
        """Return whether events of a kind concern it, where ``wanted`` are those it wants now."""
        return covers(self.kinds, kind) and covers(wanted, kind)


REACTIONS: Registry[Reaction] = Registry("reaction", _PACKAGE)
JOBS: Registry[Job] = Registry("job", _PACKAGE)
DUE_WORK: Registry[DueWork] = Registry("due work", _PACKAGE)


def reaction(
    name: str, *, kinds: Iterable[str], calls_out: bool = False, asks: Asks | None = None
) -> Callable[[React], React]:
    """Return a decorator that registers a reaction under a name that is never changed.

    Raises:
        MisuseError: the name is taken.
    """
    heard = tuple(kinds)

    def add(react: React) -> React:
        made = Reaction(name=name, kinds=heard, react=react, calls_out=calls_out, asks=asks)
        REACTIONS.register(name)(made)
        return react

    return add


def job(name: str) -> Callable[[Job], Job]:
    """Return a decorator that registers a job.

    Raises:
        MisuseError: the name is taken.
    """
    return JOBS.register(name)


def due_work(kind: str) -> Callable[[DueWork], DueWork]:
    """Return a decorator that registers what is done when work of a kind is due.

    Raises:
        MisuseError: the kind is taken.
    """
    return DUE_WORK.register(kind)


@frozen
class Registered:
    """What a worker knows: the registries, or a test's own choice."""

    reactions: Mapping[str, Reaction] = field(factory=dict)
    jobs: Mapping[str, Job] = field(factory=dict)
    due_work: Mapping[str, DueWork] = field(factory=dict)


def find_registered() -> Registered:
    """Return everything that is registered."""
    return Registered(dict(REACTIONS), dict(JOBS), dict(DUE_WORK))
