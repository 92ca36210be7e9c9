"""Bookings to measure with: commands for the use case, ready-made values for the adapter, texts for the floors.

Owns one kind of booking (three nights on one unit for a known guest, with its figures and its event) in the
three forms, so that all of them write the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from attrs import define, field, frozen
from sqlalchemy import Engine

from pms_adapters.lab.bench.grounds import Database
from pms_adapters.lab.bench.house import (
    ACTOR,
    AGENCY,
    FIRST_DAY,
    GUEST,
    HOUSE,
    NIGHTS,
    TYPE,
    UNIT,
    House,
    hex_id,
    sql_id,
)
from pms_adapters.postgres.engine import checked_out, open_engine
from pms_adapters.postgres.prepared import PreparedStatement
from pms_adapters.postgres.session import Session
from pms_adapters.postgres.transaction import PostgresUnitOfWork, PostgresWork, ProcessMemory
from pms_adapters.system import SystemClock, TimeOrderedIds
from pmscore.booking.model.booking import Booking
from pmscore.booking.model.events import BookingCreated
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.rooms import BookedRoom, Placement
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.create import CreateBooking
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.guests.model import MetricsChange
from pmscore.inventory.model.party import Party
from pmscore.inventory.model.stock import StockChange
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BookingId, BookingRoomId, GuestId, RequestId, UnitId, UnitTypeId
from pmscore.kernel.money import Money

__all__ = ["SAMPLE_MARK", "Prepared", "Shop", "hand_over", "sample", "sent_by", "varying_texts"]

_AMOUNT = 10_000
_MADE, _ROOM, _EVENT, _REQUEST = 17, 18, 19, 20
_SAMPLE = 999_999_999
SAMPLE_MARK = f"{_SAMPLE:x}"
"""What every id of the sample ends in, and nothing else has: where it is left, a text did not vary."""


@frozen
class Prepared:
    """A booking with all that the adapter is given for it."""

    command: Command
    booking: Booking
    figures: MetricsChange
    event: BookingCreated
    change: StockChange

    @classmethod
    def of(cls, booking: Booking, request_id: UUID) -> Prepared:
        """Return what the use case would hand over for a new booking."""
        command = Command(request_id=RequestId(request_id), agency_id=AGENCY, actor_id=ACTOR)
        return cls(
            command,
            booking,
            booking.metrics_since(None),
            BookingCreated(aggregate_id=booking.booking_id, version=1, booking=booking),
            StockChange.claiming(*booking.claims()),
        )


@define
class Shop:
    """One connection of the application to a database, with what is needed to book through it."""

    house: House
    engine: Engine
    clock: SystemClock = field(factory=SystemClock)
    ids: TimeOrderedIds = field(factory=TimeOrderedIds)
    uow: PostgresUnitOfWork = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.uow = PostgresUnitOfWork(self.engine, clock=self.clock, ids=self.ids)

    @classmethod
    def on(cls, url: str, house: House, *, connections: int = 1) -> Shop:
        """Return a shop with a pool of its own."""
        return cls(house, open_engine(url, size=connections))

    def reconnect(self) -> None:
        """Take a new connection, as pgbench does for each of its runs; the house is read beforehand."""
        self.engine.dispose()
        command = Command(request_id=RequestId(uuid4()), agency_id=AGENCY, actor_id=ACTOR)
        with self.uow.begin(command) as work:
            work.houses.get(HOUSE)
        self.engine.dispose()
        with checked_out(self.engine):
            pass

    def commands(self, slots: Iterable[int]) -> list[CreateBooking]:
        """Return a command of the use case for each slot."""
        house = self.house
        night = Money(_AMOUNT, Currency.of("EUR"))
        return [
            CreateBooking(
                request_id=RequestId(self.ids.new()),
                agency_id=AGENCY,
                actor_id=ACTOR,
                property_id=HOUSE,
                guest=house.guest_id(number),
                rooms=(
                    RoomRequest(
                        stay=StayRange(slot.arrival, slot.departure),
                        party=Party(2),
                        nightly=(night,) * NIGHTS,
                        unit_id=house.unit_id(slot.unit),
                    ),
                ),
            )
            for number, slot in ((number, house.slot(number)) for number in slots)
        ]

    def prepared(self, slots: Iterable[int]) -> list[Prepared]:
        """Return what the adapter is given for each slot."""
        now = self.clock.now()
        return [
            Prepared.of(_booking(self.house, number, self.ids.new(), self.ids.new(), now), self.ids.new())
            for number in slots
        ]

    def write(self, booking: Prepared) -> None:
        """Book through the adapter alone: gather the writes and commit."""
        with self.uow.begin(booking.command) as work:
            hand_over(booking, work)


def hand_over(booking: Prepared, work: PostgresWork) -> None:
    """Give a transaction all writes of a booking, and commit it."""
    work.houses.get(HOUSE)
    work.guests.count(booking.figures)
    work.bookings.add(booking.booking)
    work.record(booking.event)
    work.stock.change(booking.change)
    work.commit()


def sent_by(shop: Shop, bookings: Iterable[Prepared]) -> list[tuple[PreparedStatement, ...]]:
    """Return the statements with values that the adapter would send for each booking; nothing is written."""
    memory = ProcessMemory()
    found: list[tuple[PreparedStatement, ...]] = []
    for booking in bookings:
        with _Recording(shop.engine, AGENCY) as session:
            work = PostgresWork(session, booking.command, memory, clock=shop.clock, ids=shop.ids)
            hand_over(booking, work)
            found.append(session.sent)
    return found


def sample(database: Database) -> list[tuple[str, list[str]]]:
    """Return the statements of one booking whose ids and dates are those that :func:`varying_texts` names."""
    shop = Shop.on(database.url, database.house)
    shop.ids = _OneId(hex_id(_EVENT, _SAMPLE))
    made_at = datetime(2029, 12, 31, 12, 0, 0, 123456, tzinfo=UTC)
    booking = _booking_of(hex_id(_MADE, _SAMPLE), hex_id(_ROOM, _SAMPLE), _SAMPLE_IDS, _SAMPLE_STAY, made_at)
    try:
        (sent,) = sent_by(shop, [Prepared.of(booking, hex_id(_REQUEST, _SAMPLE))])
    finally:
        shop.engine.dispose()
    return [(each.sql.decode(), [(value or b"").decode() for value in each.values]) for each in sent]


def varying_texts() -> dict[str, str]:
    """Return the SQL expression for each text of the sample that differs between bookings.

    They use the variables that :meth:`House.settings` sets, so that pgbench books the same slots.
    """
    day = f"date '{FIRST_DAY}' + :day::int"
    varying: dict[str, str] = {}
    for kind, variable in (
        *((kind, ":k") for kind in (_MADE, _ROOM, _EVENT, _REQUEST)),
        (UNIT, ":unit"),
        (TYPE, ":type"),
        (GUEST, ":guest"),
    ):
        sampled = hex_id(kind, _SAMPLE)
        varying[str(sampled)] = sql_id(kind, variable)
        varying[sampled.hex] = sql_id(kind, variable).replace("-", "")
    varying[_SAMPLE_STAY.arrival.isoformat()] = day
    varying[_SAMPLE_STAY.departure.isoformat()] = f"{day} + {NIGHTS}"
    return varying


class _OneId(TimeOrderedIds):
    """Always the same id, so that it can be found in what is sent."""

    def __init__(self, only: UUID) -> None:
        super().__init__()
        self._only = only

    def new(self) -> UUID:
        return self._only


class _Recording(Session):
    """A session that keeps the whole transaction instead of sending it."""

    sent: tuple[PreparedStatement, ...] = ()

    def run_whole(self, *statements: PreparedStatement) -> list[tuple[bytes | None, ...]]:
        """Keep the statements, and answer as the server would."""
        self.sent = statements
        return [(b"1", b"1")]


_SAMPLE_STAY = StayRange.of(FIRST_DAY + timedelta(days=9_999), NIGHTS)
_SAMPLE_IDS = (hex_id(UNIT, _SAMPLE), hex_id(TYPE, _SAMPLE), hex_id(GUEST, _SAMPLE))


def _booking(house: House, number: int, booking_id: UUID, room_id: UUID, now: datetime) -> Booking:
    slot = house.slot(number)
    ids = (house.unit_id(slot.unit), house.type_of(slot.unit), house.guest_id(number))
    return _booking_of(booking_id, room_id, ids, StayRange(slot.arrival, slot.departure), now)


def _booking_of(
    booking_id: UUID, room_id: UUID, ids: tuple[UUID, UUID, UUID], stay: StayRange, now: datetime
) -> Booking:
    unit_id, type_id, guest_id = UnitId(ids[0]), UnitTypeId(ids[1]), GuestId(ids[2])
    room = BookedRoom(
        room_id=BookingRoomId(room_id),
        unit_type_id=type_id,
        stay=stay,
        party=Party(2),
        nightly=(_AMOUNT,) * NIGHTS,
        placements=(Placement(unit_id, type_id, DateRange.from_stay(stay)),),
    )
    return Booking(
        booking_id=BookingId(booking_id),
        property_id=HOUSE,
        guest_id=guest_id,
        status=Status.CONFIRMED,
        currency=Currency.of("EUR"),
        rooms=(room,),
        created_at=now,
    )
