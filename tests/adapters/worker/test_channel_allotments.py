"""Rooms that are kept for a channel follow what the desk does with its bookings, through the worker."""

from __future__ import annotations

import pytest

from adapters.worker.test_channels import Hotel, house, settings  # noqa: F401 - fixtures
from pms_adapters.worker.registry import Registered, find_registered
from pmscore.booking.model.booking import Source
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.dates.ranges import DateRange
from pmscore.inventory.use_cases.allotments import MakeAllotment, make_allotment

pytestmark = pytest.mark.postgres


@pytest.fixture
def registered() -> Registered:
    known = find_registered()
    names = ("channels.note", "channels.recount")
    return Registered(
        {name: known.reactions[name] for name in names},
        {"channels.run": known.jobs["channels.run"]},
        {"channels": known.due_work["channels"]},
    )


def test_a_booking_of_the_channel_that_the_desk_makes_takes_a_room_that_is_kept_for_it(
    house: Hotel,  # noqa: F811
) -> None:
    house.run()
    scene, when = house.scene, house.stay()
    command = MakeAllotment(
        **scene.asked(),
        property_id=scene.property_id,
        unit_type_id=scene.type_ids[0],
        channel="channex",
        nights=DateRange.from_stay(when),
        guaranteed=2,
    )
    make_allotment(command, uow=scene.store, clock=scene.clock, ids=scene.ids)
    booking = CreateBooking(
        **scene.asked(),
        property_id=scene.property_id,
        guest=scene.guest_id,
        rooms=(scene.request(when),),
        source=Source(channel="channex"),
    )
    create_booking(booking, uow=scene.store, clock=scene.clock, ids=scene.ids)
    house.run()
    with scene.begin() as work:
        (after,) = work.allotments.of(scene.property_id, "channex")
    assert (after.sold, after.kept()) == ((1, 1), (1, 1))
    assert house.told(when.arrival) == 2
