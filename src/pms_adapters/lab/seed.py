"""The agency of ``pms demo``: made once, through the statement that every booking goes through.

Owns the order of things. Houses, rules, prices, blocks and holds are made by the use cases; stays are drafted
with the core's policies and written in batches. The same seed on the same day makes the same stays. The last
thing that is written is the mark of a whole seed; what an interrupted one has left is removed by the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import ClassVar
from uuid import UUID

import psycopg
from attrs import frozen

from pms_adapters.bootstrap import Services
from pms_adapters.lab.seed_exchange import seed_missing_rates
from pms_adapters.lab.seed_houses import HOMES, HOTEL, HouseDraft
from pms_adapters.lab.seed_prices import seed_missing_prices, seed_prices
from pms_adapters.lab.seed_rules import seed_rules
from pms_adapters.lab.seed_stays import Draw, DrawKind, draw_guest, draw_unit
from pms_adapters.lab.seed_write import Drafted, drafted, write_bookings, write_guests
from pms_adapters.postgres.errors import translated
from pms_adapters.postgres.session import Session
from pms_adapters.postgres.tables import metadata
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date
from pmscore.guests.model import Guest
from pmscore.inventory.model.blocks import BlockKind
from pmscore.inventory.model.house import House
from pmscore.inventory.use_cases.blocks import BlockUnit, block_unit
from pmscore.inventory.use_cases.holds import PlaceHold, place_hold
from pmscore.inventory.use_cases.houses import CreateHouse, create_house
from pmscore.kernel.events import Command, Event
from pmscore.kernel.ids import ActorId, AgencyId, GuestId, RequestId
from pmscore.kernel.ports import IdSource

__all__ = ["DEMO_AGENCY", "SeedReport", "add_missing_prices", "add_missing_rates", "is_seeded", "seed"]

DEMO_AGENCY = AgencyId(UUID("00000000-0000-4000-8000-0000000000de"))
SEED = 20_190
BATCH = 150

_SEEDER = ActorId(UUID(int=1))

Progress = Callable[[int, int], None]


@frozen(kw_only=True)
class SeedReport:
    """What was made; ``seconds`` is how long it took."""

    houses: int
    bookings: int
    guests: int
    blocks: int
    holds: int
    seconds: float


@frozen(kw_only=True)
class DemoSeeded(Event):
    """The demo's agency is whole."""

    aggregate: ClassVar[str] = "agency"
    kind: str = "demo.seeded"

    bookings: int


def is_seeded(services: Services) -> bool:
    """Return whether the demo's agency is there and whole."""
    with Session(services.engine, DEMO_AGENCY) as session:
        found = session.rows(
            "SELECT 1 FROM events WHERE agency_id = %s AND aggregate_id = %s AND kind = %s",
            DEMO_AGENCY, DEMO_AGENCY, "demo.seeded",
        )  # fmt: skip
    return bool(found)


def add_missing_prices(services: Services, drafts: Sequence[HouseDraft] = (HOTEL, *HOMES)) -> int:
    """Give prices to the houses of a demo that was seeded before there were any; return to how many."""
    command = Command(request_id=RequestId(services.ids.new()), agency_id=DEMO_AGENCY, actor_id=_SEEDER)
    return seed_missing_prices(services, command, drafts)


def add_missing_rates(services: Services) -> int:
    """Give the demo exchange rates where it has none that still hold; return how many."""
    command = Command(request_id=RequestId(services.ids.new()), agency_id=DEMO_AGENCY, actor_id=_SEEDER)
    return seed_missing_rates(services, command)


def seed(
    services: Services,
    *,
    admin_url: str,
    progress: Progress | None = None,
    seed_number: int = SEED,
    drafts: Sequence[HouseDraft] = (HOTEL, *HOMES),
) -> SeedReport:
    """Make the demo's agency; what an interrupted seeding has left is removed first.

    ``progress`` hears how many bookings of how many are written. ``admin_url`` is a login that may remove rows of
    any agency; it is used for that only.

    Raises:
        UnreachableError: the database does not answer.
    """
    started = time.perf_counter()
    _forget(admin_url)
    seeding = _Seeding(services, Random(seed_number), progress or (lambda _done, _total: None))
    seeding.run(drafts)
    return SeedReport(
        houses=len(drafts),
        bookings=seeding.bookings,
        guests=len(seeding.guests),
        blocks=seeding.blocks,
        holds=seeding.holds,
        seconds=time.perf_counter() - started,
    )


class _SeededIds(IdSource):
    def __init__(self, random: Random) -> None:
        self._random = random

    def new(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)


class _Seeding:
    """One run; counts what it has made."""

    def __init__(self, services: Services, random: Random, progress: Progress) -> None:
        self._services = services
        self._random = random
        self._ids = _SeededIds(random)
        self._progress = progress
        self._now: datetime = services.clock.now()
        self._total = 0
        self.guests: list[GuestId] = []
        self.bookings = 0
        self.blocks = 0
        self.holds = 0

    def run(self, drafts: Sequence[HouseDraft]) -> None:
        who = self._asked()
        open_agency(
            OpenAgency(
                request_id=who.request_id,
                agency_id=who.agency_id,
                actor_id=who.actor_id,
                name="Lagoa Nova Stays",
                slug="demo",
            ),
            uow=self._services.uow,
        )
        houses = [(draft, self._house(draft)) for draft in drafts]
        drawn = [(draft, house, tuple(self._draws(draft, house))) for draft, house in houses]
        wanted = (DrawKind.STAY, DrawKind.EXTRA)
        self._total = sum(draw.kind in wanted for _, _, draws in drawn for draw in draws)
        for draft, house, draws in drawn:
            stays = [draw for draw in draws if draw.kind in wanted]
            for at in range(0, len(stays), BATCH):
                self._write(house, stays[at : at + BATCH])
            self._block_and_hold(house, draws)
            seed_prices(self._services, self._asked(), house, draft)
            seed_rules(self._services, self._asked(), house, by_week=draft.by_week)
        seed_missing_rates(self._services, self._asked())
        with self._services.uow.begin(self._asked()) as work:
            work.record(DemoSeeded(aggregate_id=DEMO_AGENCY, version=1, bookings=self.bookings))
            work.commit()

    def _house(self, draft: HouseDraft) -> House:
        who = self._asked()
        today = local_date(self._now, draft.zone)
        return create_house(
            CreateHouse(
                request_id=who.request_id,
                agency_id=who.agency_id,
                actor_id=who.actor_id,
                name=draft.name,
                address=draft.address,
                zone=draft.zone,
                currency=draft.currency,
                business_date=today,
                types=tuple(each.new(today - timedelta(days=366)) for each in draft.types),
            ),
            uow=self._services.uow,
            ids=self._ids,
        )

    def _draws(self, draft: HouseDraft, house: House) -> Iterator[Draw]:
        amounts = draft.night_minor()
        today = house.property.business_date
        for kind in house.types.values():
            for unit in house.units_of(kind.unit_type_id):
                yield from draw_unit(
                    self._random, unit, kind, amounts[kind.name], today, by_week=draft.by_week
                )

    def _write(self, house: House, draws: Sequence[Draw]) -> None:
        new: list[Guest] = []
        drafts: list[Drafted] = []
        for draw in draws:
            guest_id = self._guest(new)
            drafts.append(drafted(draw, house, guest_id, ids=self._ids, random=self._random, now=self._now))
        if new:
            write_guests(self._services, self._asked(), new)
        # Those that change what a guest has spent go by themselves: all others are one statement.
        for is_spent in (False, True):
            batch = [each for each in drafts if each.is_spent is is_spent]
            if batch:
                write_bookings(self._services, self._asked(), house.property.property_id, batch)
        self.bookings += len(drafts)
        self._progress(self.bookings, self._total)

    def _guest(self, new: list[Guest]) -> GuestId:
        """Return a guest for a booking: one in four has been here before."""
        if self.guests and self._random.randrange(4) == 0:
            return self._random.choice(self.guests)
        name, email, phone, country = draw_guest(self._random)
        guest = Guest(guest_id=GuestId(self._ids.new()), name=name, email=email, phone=phone, country=country)
        new.append(guest)
        self.guests.append(guest.guest_id)
        return guest.guest_id

    def _block_and_hold(self, house: House, draws: Sequence[Draw]) -> None:
        who = self._asked()
        kinds = (BlockKind.MAINTENANCE, BlockKind.OUT_OF_ORDER, BlockKind.OWNER_STAY, BlockKind.MANUAL)
        for draw in draws:
            if draw.kind is DrawKind.BLOCK:
                command = BlockUnit(
                    request_id=who.request_id,
                    agency_id=who.agency_id,
                    actor_id=who.actor_id,
                    property_id=house.property.property_id,
                    unit_id=draw.unit.unit_id,
                    nights=DateRange(draw.arrival, draw.departure),
                    kind=kinds[self.blocks % len(kinds)],
                )
                block_unit(command, uow=self._services.uow, clock=self._services.clock, ids=self._ids)
                self.blocks += 1
            elif draw.kind is DrawKind.HOLD:
                hold = PlaceHold(
                    request_id=who.request_id,
                    agency_id=who.agency_id,
                    actor_id=who.actor_id,
                    property_id=house.property.property_id,
                    stay=StayRange(draw.arrival, draw.departure),
                    expires_at=self._now + timedelta(days=1 + self.holds % 20),
                    unit_type_id=draw.unit.unit_type_id,
                )
                place_hold(hold, uow=self._services.uow, clock=self._services.clock, ids=self._ids)
                self.holds += 1

    def _asked(self) -> Command:
        return Command(request_id=RequestId(self._ids.new()), agency_id=DEMO_AGENCY, actor_id=_SEEDER)


def _forget(admin_url: str) -> None:
    """Remove what an interrupted seeding has left."""
    with translated(), psycopg.connect(admin_url) as connection:
        known = connection.execute("SELECT 1 FROM agencies WHERE agency_id = %s", [DEMO_AGENCY]).fetchone()
        if known is None:
            return
        for table in reversed(metadata.sorted_tables):
            if "agency_id" not in table.columns:
                continue
            connection.execute(f"DELETE FROM {table.name} WHERE agency_id = %s", [DEMO_AGENCY])
