"""What cancelling a booking costs is read from what it was made with."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.rooms import BookedRoom
from pmscore.booking.policies.cancelling import cost_of_cancelling, cost_of_no_show, deadlines_of
from pmscore.booking.policies.quoted import QuotedRoom
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import House, Property
from pmscore.inventory.model.party import Party
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.kernel.ids import BookingId, BookingRoomId, GuestId, PropertyId, UnitTypeId
from pmscore.kernel.money import Money
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.instalments import DepositPolicy, Due
from pmscore.pricing.model.settlement import AgreedRoom
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.tiers import CancellationPolicy, FeeBase, FeeSpec

EUR = Currency.of("EUR")
ARRIVAL = date(2030, 6, 10)
FIRST, SECOND = BookingRoomId(UUID(int=11)), BookingRoomId(UUID(int=12))
HOUSE = House(
    property=Property(
        property_id=PropertyId(UUID(int=9)), name="Inn", zone=Zone("Europe/Berlin"), currency=EUR,
        business_date=date(2030, 6, 1), check_in_at=time(15),
    ),
    types={}, units={},
)  # fmt: skip
TERMS = Terms(
    currency=EUR,
    cancellation=CancellationPolicy.free_until(2, time(18), then=FeeSpec.of_nights(1, base=FeeBase.NIGHTS)),
    no_show=FeeSpec(percent=Percent.parse("90"), base=FeeBase.NIGHTS),
    deposit=DepositPolicy.all_due(Due.ARRIVAL),
)
DEADLINE = datetime(2030, 6, 8, 16, tzinfo=UTC)  # 18:00 in Berlin, two days before


def room(room_id: BookingRoomId, *nightly: int) -> BookedRoom:
    return BookedRoom(
        room_id=room_id,
        unit_type_id=UnitTypeId(UUID(int=2)),
        stay=StayRange.of(ARRIVAL, len(nightly)),
        party=Party(2),
        nightly=nightly,
    )


def booking(*rooms: BookedRoom, terms: Terms | None = TERMS) -> Booking:
    return Booking(
        booking_id=BookingId(UUID(int=1)),
        property_id=HOUSE.property.property_id,
        guest_id=GuestId(UUID(int=3)),
        status=Status.CONFIRMED,
        currency=EUR,
        rooms=rooms or (room(FIRST, 10_000, 12_000),),
        created_at=datetime(2030, 5, 1, tzinfo=UTC),
        terms={} if terms is None else terms.to_json(),
    )


def euros(minor: int) -> Money:
    return Money(minor, EUR)


def test_up_to_the_second_it_is_free_and_then_the_first_night_is_owed() -> None:
    free = cost_of_cancelling(booking(), HOUSE, DEADLINE, captured=euros(5_000))
    late = cost_of_cancelling(booking(), HOUSE, DEADLINE + timedelta(microseconds=1), captured=euros(5_000))
    assert free is not None
    assert (free.fee, free.refund, free.receivable) == (euros(0), euros(5_000), euros(0))
    assert late is not None
    assert (late.fee, late.refund, late.receivable) == (euros(10_000), euros(0), euros(5_000))


def test_a_no_show_has_a_fee_of_its_own() -> None:
    charge = cost_of_no_show(booking(), HOUSE, captured=euros(22_000))
    assert charge is not None
    assert (charge.fee, charge.refund) == (euros(19_800), euros(2_200))  # 90 % of 220.00


def test_giving_up_one_of_two_rooms_is_charged_for_that_room_alone() -> None:
    both = booking(room(FIRST, 10_000, 12_000), room(SECOND, 7_000, 7_000))
    late = DEADLINE + timedelta(days=1)
    charge = cost_of_cancelling(both, HOUSE, late, captured=euros(36_000), removed={SECOND: None})
    assert charge is not None
    assert charge.fee == euros(7_000)
    assert charge.retained == euros(22_000)
    assert charge.refund == euros(7_000)


def test_giving_up_the_last_night_is_charged_for_what_is_given_up() -> None:
    last = DateRange.of(ARRIVAL + timedelta(days=1), 1)
    late = DEADLINE + timedelta(days=1)
    charge = cost_of_cancelling(booking(), HOUSE, late, captured=euros(22_000), removed={FIRST: last})
    assert charge is not None
    assert (charge.fee, charge.retained, charge.refund) == (euros(12_000), euros(10_000), euros(0))


def test_fees_and_taxes_of_the_quote_count_as_far_as_nights_were_not_changed() -> None:
    terms = evolve(TERMS, no_show=FeeSpec(percent=Percent.parse("100"), base=FeeBase.TOTAL))
    kept = booking(terms=terms)
    nightly = (10_000, 12_000)
    agreed = AgreedRoom(stay=kept.rooms[0].stay, nightly=nightly, fees=(6_000, 0), taxes=(700, 840))
    quoted = QuotedRoom(nightly=nightly, agreed=agreed)
    charge = cost_of_no_show(kept, HOUSE, captured=euros(0), quoted=(quoted,))
    assert charge is not None
    assert charge.receivable == euros(22_000 + 6_000 + 1_540)
    changed = evolve(kept, rooms=(room(FIRST, 10_000, 12_500),))
    charge = cost_of_no_show(changed, HOUSE, captured=euros(0), quoted=(quoted,))
    assert charge is not None
    assert charge.receivable == euros(10_000 + 6_000 + 700 + 12_500)


def test_deadlines_tell_what_it_costs_from_when_on() -> None:
    assert [(each.until_at, each.fee) for each in deadlines_of(booking(), HOUSE)] == [
        (DEADLINE, euros(0)),
        (None, euros(10_000)),
    ]


def test_without_terms_there_is_nothing_to_work_out() -> None:
    plain = booking(terms=None)
    assert cost_of_cancelling(plain, HOUSE, DEADLINE, captured=euros(0)) is None
    assert cost_of_no_show(plain, HOUSE, captured=euros(0)) is None
    assert deadlines_of(plain, HOUSE) == ()


def test_rooms_and_currencies_that_are_not_of_the_booking_are_refused() -> None:
    with pytest.raises(NotFoundError):
        cost_of_cancelling(booking(), HOUSE, DEADLINE, captured=euros(0), removed={SECOND: None})
    with pytest.raises(InvalidInputError) as mixed:
        cost_of_cancelling(booking(), HOUSE, DEADLINE, captured=Money(0, Currency.of("JPY")))
    assert mixed.value.reason == "mixed_currencies"
    with pytest.raises(InvalidInputError) as broken:
        deadlines_of(evolve(booking(), terms={"version": 1}), HOUSE)
    assert broken.value.field.startswith("terms.")
