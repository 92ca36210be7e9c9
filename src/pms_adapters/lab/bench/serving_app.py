"""The app and its floors as they are served for a measurement, and whoever asks them.

Owns how they are started, so that all lines have the same server with the same workers and threads, and the demo's
hotel with a key for it. The app is started by the command that starts it for anybody, which the caller names: this
package does not know the web. Requests are counted in Redis, as where several processes serve; none is refused for
being one too many.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

from attrs import define, evolve, field, frozen

from pms_adapters.bootstrap import Services, connect
from pms_adapters.lab.bench.calling import Callers
from pms_adapters.lab.bench.grounds import Database, Grounds
from pms_adapters.lab.bench.programs import Program, serving
from pms_adapters.lab.seed import DEMO_AGENCY, seed
from pms_adapters.lab.seed_houses import HOTEL
from pms_adapters.postgres.availability import PostgresAvailability
from pms_adapters.settings import Settings
from pms_adapters.system import SystemSecrets
from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.keys import CreateKey, create_key
from pmscore.inventory.model.house import House
from pmscore.kernel.ids import ActorId, AgencyId, RequestId

__all__ = ["ANSWERING", "THREADS", "WORKERS", "Hotel", "Served", "serving_floor", "staff_headers"]

WORKERS, THREADS = 2, 8
ANSWERING = 2
"""How many threads of a process of the app answer at a time; a floor has no others, since none of its answers takes long."""
_HOTEL_ROOMS = 120
_MOST_REQUESTS = 100_000_000


@define
class Served:
    """The app of one run, over one database in which there are two agencies: the demo's, and that of the bench's house.

    ``command`` starts it on a free port of loopback and says where in its first line. All is made when first
    asked for.
    """

    command: tuple[str, ...]
    _database: Database | None = None
    _hotel: Hotel | None = None
    _callers: Callers | None = None
    _programs: dict[tuple[tuple[str, str], ...], Program] = field(factory=dict)

    def database(self, grounds: Grounds) -> Database:
        """Return the database, with the bench's house in it."""
        if self._database is None:
            self._database = grounds.database(grounds.scale.small, purpose="http")
        return self._database

    def hotel(self, grounds: Grounds) -> Hotel:
        """Return the demo's hotel in the same database."""
        if self._hotel is None:
            self._hotel = Hotel.made(self.database(grounds), grounds)
        return self._hotel

    def callers(self, grounds: Grounds) -> Callers:
        """Return whoever calls."""
        if self._callers is None:
            self._callers = grounds.kept(Callers())
        return self._callers

    def app(self, grounds: Grounds, **environ: str) -> Program:
        """Return the app, or another one that is told otherwise by its environment; it serves until the run ends."""
        key = tuple(sorted(environ.items()))
        if key not in self._programs:
            settings = {
                "DATABASE_URL": self.database(grounds).url,
                "REDIS_URL": grounds.redis_url(),
                "ENABLE_REDIS_HEALTHCHECK": "false",
                "ENABLE_WORKER_HEALTHCHECK": "false",
                "REQUESTS_PER_MINUTE": str(_MOST_REQUESTS),
                "LOG_FORMAT": "json",
                **environ,
            }
            grounds.progress("starting the app")
            numbers = ("--workers", str(WORKERS), "--threads", str(THREADS))
            self._programs[key] = grounds.kept(serving((*self.command, *numbers), settings))
        return self._programs[key]


@contextmanager
def serving_floor(floor: ModuleType, answer: bytes, *more: str) -> Iterator[Program]:
    """Serve one of the floors, which is a script: it answers every call with these bytes."""
    script = (sys.executable, floor.__file__ or "", str(WORKERS), str(ANSWERING), *more)
    with serving(script, {}, given=answer) as program:
        yield program


@frozen
class Hotel:
    """The demo's hotel, and what a caller says of who it is."""

    house: House
    headers: Mapping[str, str]

    @classmethod
    def made(cls, database: Database, grounds: Grounds) -> Hotel:
        """Make it, with two years of stays, rules and a price list; a tiny run has two rooms of it."""
        grounds.progress("making the demo's hotel")
        first = HOTEL.types[0]
        tiny = evolve(HOTEL, types=(evolve(first, floors=(1,), rooms_a_floor=2),))
        draft = tiny if grounds.scale.rooms < _HOTEL_ROOMS else HOTEL
        with connect(Settings(database_url=database.url)) as services:
            seed(services, admin_url=database.admin_url, drafts=(draft,))
            (house,) = PostgresAvailability(services.engine, DEMO_AGENCY).houses()
            return cls(house, _headers(services, DEMO_AGENCY))


def staff_headers(database: Database, agency_id: AgencyId) -> Mapping[str, str]:
    """Return what somebody of an agency's staff says of who it is: an API key, made for it."""
    with connect(Settings(database_url=database.url)) as services:
        return _headers(services, agency_id)


def _headers(services: Services, agency_id: AgencyId) -> Mapping[str, str]:
    made = create_key(
        CreateKey(
            request_id=RequestId(services.ids.new()),
            agency_id=agency_id,
            actor_id=ActorId(services.ids.new()),
            name="bench",
            role=Role.STAFF,
        ),
        uow=services.uow,
        secrets=SystemSecrets(),
        clock=services.clock,
        ids=services.ids,
    )
    return {"Authorization": f"Bearer {made.text}"}
