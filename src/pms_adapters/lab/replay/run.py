"""Driving the bookings of a file through the use cases that the web app calls.

Owns the replay itself: a new agency with one house, a clock that shows the time of each event, one command after the
other. What the house did is then read from the database, not from the file.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pms_adapters.bootstrap import Services
from pms_adapters.lab.replay.figures import HouseFigures, read_figures
from pms_adapters.lab.replay.parsing import read_bookings
from pms_adapters.lab.replay.plan import Phase, Step, checked_rooms, lanes_of, moments_of, steps_of
from pms_adapters.lab.replay.report import EURO, ReplayReport, months_of
from pms_adapters.lab.replay.rows import BookingFile, StayRow
from pms_adapters.postgres.transaction import PostgresUnitOfWork
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.booking.model.lifecycle import Act, Status
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.change_status import ChangeStatus, change_status
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.dates.zones import Zone
from pmscore.guests.model import Guest
from pmscore.inventory.model.house import House
from pmscore.inventory.use_cases.houses import (
    AdvanceBusinessDate,
    CreateHouse,
    NewUnitType,
    advance_business_date,
    create_house,
)
from pmscore.kernel.errors import NightsTakenError
from pmscore.kernel.ids import ActorId, AgencyId, BookingId, GuestId, RequestId, UnitTypeId
from pmscore.kernel.money import Money
from pmscore.kernel.ports import Clock, IdSource

__all__ = ["ReplayClock", "run_replay"]

Progress = Callable[[int, int], None]

_DAY = timedelta(days=1)
_WORKERS = 2
_LARGEST_PARTY = 100
_ACTS = {
    Phase.CHECK_OUT: Act.CHECK_OUT,
    Phase.CANCEL: Act.CANCEL,
    Phase.CHECK_IN: Act.CHECK_IN,
    Phase.NO_SHOW: Act.MARK_NO_SHOW,
}


class ReplayClock(Clock):
    """A clock that shows the time of the events that are being replayed."""

    def __init__(self, day: date) -> None:
        self._now = datetime.combine(day, Phase.CHECK_OUT.at, UTC)

    def now(self) -> datetime:
        """Return the instant of the phase that is being replayed."""
        return self._now

    def show(self, step: Step) -> None:
        """Move to the time of ``step``."""
        self._now = datetime.combine(step.day, step.phase.at, UTC)


def run_replay(
    path: Path,
    *,
    services: Services,
    rooms: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> ReplayReport:
    """Replay the file at ``path`` in a new agency and return what came of it.

    ``rooms`` says how many rooms of each type there are; types it leaves out have none. Without it each type has as
    many as were in use at once. ``progress`` hears how many of how many events are done. ``services`` name the
    database; their clock is not used.

    Raises:
        InvalidInputError: the file, a row of it or ``rooms`` cannot be; nothing was written.
        UnreachableError: the database does not answer; the agency keeps what was done until then.
    """
    file = read_bookings(path)
    known_rooms = checked_rooms(rooms, file)
    steps = steps_of(file.stays)
    started = time.perf_counter()
    replay = _Replay(services, path.name, known_rooms, steps)
    done = 0
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="replay") as workers:
        for phase_of_day in moments_of(steps):
            replay.do(phase_of_day, workers)
            done += len(phase_of_day)
            if progress is not None:
                progress(done, len(steps))
    seconds = time.perf_counter() - started
    figures = read_figures(services.engine, replay.agency_id)
    return _report(file, known_rooms, replay, figures, seconds)


class _Replay:
    """A house that the bookings of a file come to."""

    def __init__(
        self, services: Services, name: str, rooms: Mapping[str, int], steps: tuple[Step, ...]
    ) -> None:
        first_day = steps[0].day if steps else date(2000, 1, 1)
        self.agency_id = AgencyId(services.ids.new())
        self._actor_id = ActorId(services.ids.new())
        self._ids: IdSource = services.ids
        self._clock = ReplayClock(first_day)
        self._uow = PostgresUnitOfWork(services.engine, clock=self._clock, ids=services.ids)
        self._today = first_day
        # Workers only append and assign, which needs no lock; sums are made when they are done.
        self._made: dict[int, BookingId] = {}
        self._refused: list[str] = []
        self._changes: list[int] = []
        self.day_rolls = 0
        open_agency(
            OpenAgency(
                request_id=self._request(),
                agency_id=self.agency_id,
                actor_id=self._actor_id,
                name=f"Replay of {name}"[:200],
                slug=f"replay-{self.agency_id.hex}",
            ),
            uow=self._uow,
        )
        names = sorted({*rooms, *(step.row.unit_type for step in steps)})
        self.house = self._create_house(names, rooms, first_day) if names else None
        self._types = self._types_by_name(self.house)

    @property
    def refused(self) -> Counter[str]:
        """How many bookings met a full house, by how they ended in the file."""
        return Counter(self._refused)

    @property
    def commands(self) -> int:
        """How many commands were given to bookings."""
        return len(self._made) + len(self._refused) + len(self._changes)

    def do(self, steps: tuple[Step, ...], workers: ThreadPoolExecutor) -> None:
        """Do all steps of one phase of one day; what does not depend on each other is done at once."""
        while self._today < steps[0].day:
            self._roll()
        self._clock.show(steps[0])
        lanes = lanes_of(steps, _WORKERS)
        if len(lanes) == 1:
            self._do_in_order(lanes[0])
            return
        for each in [workers.submit(self._do_in_order, lane) for lane in lanes]:
            each.result()

    def _do_in_order(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if step.phase is Phase.BOOK:
                self._book(step.row)
            elif step.row.number in self._made:
                self._change(step, self._made[step.row.number])

    def _change(self, step: Step, booking_id: BookingId) -> None:
        change_status(
            ChangeStatus(
                request_id=self._request(),
                agency_id=self.agency_id,
                actor_id=self._actor_id,
                booking_id=booking_id,
                act=_ACTS[step.phase],
                reason="replay",
            ),
            uow=self._uow,
            clock=self._clock,
        )
        self._changes.append(step.row.number)

    def _book(self, row: StayRow) -> None:
        try:
            receipt = create_booking(self._booking_of(row), uow=self._uow, clock=self._clock, ids=self._ids)
        except NightsTakenError:
            self._refused.append(row.ending.value)
        else:
            self._made[row.number] = receipt.booking_id

    def _booking_of(self, row: StayRow) -> CreateBooking:
        """Return the command; every booking has a guest of its own, since the file does not say who comes again."""
        assert self.house is not None, "a file with stays has types"
        room = RoomRequest(
            stay=row.stay,
            party=row.party,
            nightly=(Money(row.rate_minor, EURO),) * row.stay.length,
            unit_type_id=self._types[row.unit_type],
        )
        return CreateBooking(
            request_id=self._request(),
            agency_id=self.agency_id,
            actor_id=self._actor_id,
            property_id=self.house.property.property_id,
            guest=Guest(guest_id=GuestId(self._ids.new()), name=f"Guest of row {row.number}"),
            rooms=(room,),
            source=row.source,
            terms=row.terms,
        )

    def _roll(self) -> None:
        assert self.house is not None, "a file with stays has types"
        self._today += _DAY
        self.day_rolls += 1
        self.house = advance_business_date(
            AdvanceBusinessDate(
                request_id=self._request(),
                agency_id=self.agency_id,
                actor_id=self._actor_id,
                property_id=self.house.property.property_id,
                to=self._today,
            ),
            uow=self._uow,
        )

    def _create_house(self, names: list[str], rooms: Mapping[str, int], first_day: date) -> House:
        return create_house(
            CreateHouse(
                request_id=self._request(),
                agency_id=self.agency_id,
                actor_id=self._actor_id,
                name="Replayed house",
                zone=Zone("Europe/Lisbon"),
                currency=EURO,
                business_date=first_day,
                types=tuple(
                    NewUnitType(
                        name=name,
                        rooms=rooms.get(name, 0),
                        valid_from=first_day,
                        largest_party=_LARGEST_PARTY,
                    )
                    for name in names
                ),
            ),
            uow=self._uow,
            ids=self._ids,
        )

    @staticmethod
    def _types_by_name(house: House | None) -> dict[str, UnitTypeId]:
        return {} if house is None else {each.name: each.unit_type_id for each in house.types.values()}

    def _request(self) -> RequestId:
        return RequestId(self._ids.new())


def _report(
    file: BookingFile, rooms: Mapping[str, int], replay: _Replay, figures: HouseFigures, seconds: float
) -> ReplayReport:
    property_id = None if replay.house is None else replay.house.property.property_id
    return ReplayReport(
        agency_id=replay.agency_id,
        property_id=property_id,
        rows=file.rows,
        rooms=rooms,
        skipped=file.skipped,
        accepted=figures.accepted,
        cancelled=figures.count(Status.CANCELLED),
        refused=sum(replay.refused.values()),
        checked_in=figures.checked_in,
        checked_out=figures.count(Status.CHECKED_OUT),
        no_show=figures.count(Status.NO_SHOW),
        refused_by_status=dict(replay.refused),
        nights=figures.nights,
        months=months_of(figures.nights, sum(rooms.values())),
        commands=replay.commands,
        day_rolls=replay.day_rolls,
        seconds=seconds,
        rounded_rates=file.rounded_rates,
    )
