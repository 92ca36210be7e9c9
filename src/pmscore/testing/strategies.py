"""Hypothesis strategies for the values of the core. Needs ``pip install "pmscore[testing]"``.

Owns what an arbitrary but legal stay, amount, house, booking or rule book looks like, and texts that are
none. A new kind of stay rule is found by its registry and drawn without an edit here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from uuid import UUID

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ImportError as error:
    raise ImportError(
        'pmscore.testing.strategies needs Hypothesis: pip install "pmscore[testing]"'
    ) from error

from pmscore.booking.model.booking import Booking, Source
from pmscore.booking.model.cancellation import CancellationFee
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.rooms import BookedRoom, Placement
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.create import CreateBooking
from pmscore.dates.nights import FIRST_DAY, LAST_DAY, StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.guests.model import Guest
from pmscore.inventory.model.house import Capacity, House, Property, Unit, UnitType
from pmscore.inventory.model.party import Party
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import (
    ActorId,
    AgencyId,
    BookingId,
    BookingRoomId,
    GuestId,
    PropertyId,
    RequestId,
    UnitId,
    UnitTypeId,
)
from pmscore.kernel.money import Money
from pmscore.pricing.model.settlement import Payer
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import EVERY_DAY, RULE_KINDS, Rule, RuleValue

__all__ = [
    "amounts",
    "bad_texts",
    "booked_rooms",
    "bookings",
    "codes",
    "create_commands",
    "currencies",
    "date_ranges",
    "days",
    "guests",
    "houses",
    "ids",
    "instants",
    "parties",
    "rule_books",
    "rules",
    "stays",
    "texts",
]

_NEAR = date(2030, 1, 1)
_FAR = date(2031, 12, 31)
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "UTC")
_RULE_VALUES: tuple[RuleValue, ...] = (
    None,
    1,
    2,
    5,
    31,
    127,
    (1,),
    (2, 7, 14),
    "0d before arrival",
    "2d before arrival",
    "36h before check_in",
)

days = st.dates(_NEAR, _FAR)
"""Days of two years; close enough together that stays meet."""

ids: SearchStrategy[UUID] = st.uuids(version=4)
"""Random ids."""

instants = st.datetimes(
    datetime(2029, 1, 1),  # noqa: DTZ001
    datetime(2032, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
"""Aware instants in UTC."""

currencies = st.sampled_from(Currency.active())
"""Every active currency, with 0, 2, 3 or 4 digits."""

codes = st.from_regex(r"[a-z0-9][a-z0-9_.:-]{0,20}", fullmatch=True)
"""Codes such as a channel's."""

_PLAIN = st.characters(exclude_categories=("Cc", "Cs"))
_SEASONED = st.sampled_from("äßØłЖ東京🛏️\u200d\u202e\u00a0'\"\\%_;<>&{}\u2013-")


def texts(longest: int = 60) -> SearchStrategy[str]:
    """Return texts that a name may be: any script, quotes, emoji, marks; never empty."""
    text = st.text(_PLAIN | _SEASONED, min_size=1, max_size=longest)
    return text.map(str.strip).filter(bool)


bad_texts = st.sampled_from(
    ("", "   ", "\x00", "Ada\x00Novak", "\ud800", "Ada \udfff", "bell\x07", "\x1b[2J", "del\x7f", "x" * 5_000)
)
"""Texts that no name can be: empty, NUL, controls, lone surrogates, far too long."""


@st.composite
def stays(draw: st.DrawFn, *, longest: int = 14) -> StayRange:
    """Return stays of at most ``longest`` nights in the days of :data:`days`."""
    return StayRange.of(draw(days), draw(st.integers(1, longest)))


@st.composite
def date_ranges(draw: st.DrawFn, *, longest: int = 60) -> DateRange:
    """Return ranges of at most ``longest`` nights, now and then at an end of the calendar."""
    length = draw(st.integers(1, longest))
    last = LAST_DAY - timedelta(days=length)
    start = draw(days | st.sampled_from((FIRST_DAY, last)))
    return DateRange.of(start, length)


@st.composite
def parties(draw: st.DrawFn, *, most_beds: int = 6) -> Party:
    """Return parties of one adult at least that need ``most_beds`` beds at most."""
    adults = draw(st.integers(1, most_beds))
    return Party(adults, draw(st.integers(0, most_beds - adults)), draw(st.integers(0, 2)))


@st.composite
def amounts(draw: st.DrawFn, currency: Currency | None = None, *, most: int = 10**9) -> Money:
    """Return amounts of nothing or more, in ``currency`` if one is given."""
    return Money(draw(st.integers(0, most)), currency or draw(currencies))


@st.composite
def guests(draw: st.DrawFn) -> Guest:
    """Return new profiles."""
    return Guest(
        guest_id=GuestId(draw(ids)),
        name=draw(texts()),
        email=draw(st.sampled_from(("", "ada@example.org", "n.o+tag@sub.example.travel"))),
        phone=draw(st.sampled_from(("", "+49 30 1234567"))),
        country=draw(st.sampled_from(("", "DE", "NL", "JP"))),
    )


@st.composite
def houses(draw: st.DrawFn, *, most_types: int = 3, most_rooms: int = 4) -> House:
    """Return properties with their types; some types have units, some are sold by number alone."""
    home = Property(
        property_id=PropertyId(draw(ids)),
        name=draw(texts()),
        zone=Zone(draw(st.sampled_from(_ZONES))),
        currency=draw(currencies),
        business_date=_NEAR,
        address=draw(st.just("") | texts(200)),
    )
    types: dict[UnitTypeId, UnitType] = {}
    units: dict[UnitId, Unit] = {}
    for _ in range(draw(st.integers(1, most_types))):
        unit_type = draw(_unit_types(most_rooms))
        types[unit_type.unit_type_id] = unit_type
        for number in range(draw(st.sampled_from((0, unit_type.capacities[0].rooms)))):
            unit_id = UnitId(draw(ids))
            units[unit_id] = Unit(
                unit_id=unit_id, unit_type_id=unit_type.unit_type_id, name=f"{101 + number}"
            )
    return House(property=home, types=types, units=units)


@st.composite
def _unit_types(draw: st.DrawFn, most_rooms: int) -> UnitType:
    later = draw(st.just(()) | st.integers(0, most_rooms).map(lambda rooms: (Capacity(_FAR, rooms),)))
    return UnitType(
        unit_type_id=UnitTypeId(draw(ids)),
        name=draw(texts()),
        capacities=(Capacity(_NEAR, draw(st.integers(1, most_rooms))), *later),
        largest_party=draw(st.integers(1, 6)),
        overbooking=draw(st.integers(0, 1)),
        turnover_nights=draw(st.integers(0, 2)),
    )


@st.composite
def booked_rooms(draw: st.DrawFn, unit_type: UnitType, units: tuple[Unit, ...] = ()) -> BookedRoom:
    """Return rooms of a booking: unplaced, on one of ``units``, split over two, or oversold."""
    when = draw(stays())
    return BookedRoom(
        room_id=BookingRoomId(draw(ids)),
        unit_type_id=unit_type.unit_type_id,
        stay=when,
        party=draw(parties(most_beds=unit_type.largest_party)),
        nightly=tuple(draw(st.lists(st.integers(0, 10**7), min_size=when.length, max_size=when.length))),
        placements=(placements := draw(_placements(when, units))),
        turnover_nights=unit_type.turnover_nights,
        is_locked=bool(placements) and draw(st.booleans()),
        is_oversold=not placements and draw(st.booleans()),
    )


@st.composite
def _placements(draw: st.DrawFn, when: StayRange, units: tuple[Unit, ...]) -> tuple[Placement, ...]:
    if not units or draw(st.booleans()):
        return ()
    cut = when.arrival + timedelta(days=draw(st.integers(1, when.length)))
    edges = (when.arrival, cut, when.departure)
    chosen = draw(st.lists(st.sampled_from(units), min_size=2, max_size=2))
    return tuple(
        Placement(unit.unit_id, unit.unit_type_id, DateRange(start, end))
        for unit, start, end in zip(chosen, edges, edges[1:], strict=False)
        if start < end
    )


@st.composite
def bookings(draw: st.DrawFn, house: House, guest_id: GuestId, *, most_rooms: int = 3) -> Booking:
    """Return bookings in ``house`` in any status; their claims need not fit with others."""
    types = tuple(house.types.values())
    rooms = draw(
        st.lists(
            st.sampled_from(types).flatmap(
                lambda unit_type: booked_rooms(unit_type, house.units_of(unit_type.unit_type_id))
            ),
            min_size=1,
            max_size=most_rooms,
        )
    )
    status = draw(st.sampled_from(Status))
    arrival = min(room.stay.arrival for room in rooms)
    is_in = status in {Status.CHECKED_IN, Status.CHECKED_OUT, Status.REFUNDED}
    return Booking(
        booking_id=BookingId(draw(ids)),
        property_id=house.property.property_id,
        guest_id=guest_id,
        status=status,
        currency=house.property.currency,
        rooms=tuple(rooms),
        created_at=draw(instants),
        source=draw(_sources),
        requests=draw(st.just("") | texts(200)),
        notes=draw(st.just("") | texts(200)),
        terms=draw(_terms),
        option_until=draw(instants) if status is Status.PENDING else None,
        checked_in_on=arrival if is_in else None,
        checked_out_on=arrival + timedelta(days=1) if is_in and status is not Status.CHECKED_IN else None,
        cancellation=draw(st.none() | _fees) if status is Status.CANCELLED else None,
    )


_fees = st.builds(
    CancellationFee,
    at=instants,
    fee=st.integers(0, 10**9),
    captured=st.just(0),
    refund=st.just(0),
    receivable=st.integers(0, 10**9),
    payer=st.sampled_from(Payer),
    tax_code=st.just("") | codes,
)
_sources = st.builds(Source, channel=codes, reference=st.just("") | texts(40), segment=st.just("") | codes)
_leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts(20)
_terms: SearchStrategy[Mapping[str, bool | int | str | None]] = st.dictionaries(codes, _leaves, max_size=3)


@st.composite
def rules(draw: st.DrawFn, house: House | None = None) -> Rule:
    """Return stay rules of every registered kind, of the property or of one of the types of ``house``."""
    kind = draw(st.sampled_from(tuple(name for name, _ in RULE_KINDS)))
    types = tuple(house.types) if house is not None else ()
    return Rule(
        kind,
        draw(date_ranges()),
        weekdays=draw(st.just(EVERY_DAY) | st.integers(1, EVERY_DAY)),
        value=draw(st.sampled_from(_values_of(kind))),
        unit_type_id=draw(st.sampled_from((None, *types))),
        plan=draw(st.sampled_from((None, "flex", "saver"))),
        channel=draw(st.sampled_from((None, "direct", "booking_com"))),
    )


def rule_books(house: House | None = None, *, most: int = 8) -> SearchStrategy[RuleBook]:
    """Return books of at most ``most`` rules."""
    return st.lists(rules(house), max_size=most).map(lambda found: RuleBook(tuple(found)))


@st.composite
def create_commands(draw: st.DrawFn, house: House, guest_id: GuestId) -> CreateBooking:
    """Return commands that ask for one to three rooms of ``house``; they need not be granted."""
    currency = house.property.currency
    rooms: list[RoomRequest] = []
    for _ in range(draw(st.integers(1, 3))):
        unit_type = draw(st.sampled_from(tuple(house.types.values())))
        when = draw(stays())
        room = RoomRequest(
            stay=when,
            party=draw(parties(most_beds=unit_type.largest_party)),
            nightly=(draw(amounts(currency, most=10**7)),) * when.length,
            unit_type_id=unit_type.unit_type_id,
        )
        rooms.append(room)
    return CreateBooking(
        request_id=RequestId(draw(ids)),
        agency_id=AgencyId(draw(ids)),
        actor_id=ActorId(draw(ids)),
        property_id=house.property.property_id,
        guest=guest_id,
        rooms=tuple(rooms),
        source=draw(_sources),
        requests=draw(st.just("") | texts(200)),
    )


@cache
def _values_of(kind: str) -> tuple[RuleValue, ...]:
    found: list[RuleValue] = []
    for value in _RULE_VALUES:
        try:
            RULE_KINDS.get(kind).of(value)
        except InvalidInputError:
            continue
        found.append(value)
    return tuple(found)
