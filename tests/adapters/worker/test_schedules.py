from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from attrs import evolve

from adapters.worker.conftest import reactions
from pms_adapters.postgres import schedules as rows
from pms_adapters.system import TimeOrderedIds
from pms_adapters.worker.schedules import USUAL, Schedule, run_schedules
from pmscore.inventory.use_cases.allotments import MakeAllotment, make_allotment
from pmscore.kernel.errors import NightsTakenError, UnreachableError
from pmscore.testing.scenes import hotel, nights, open_scene, pool, stay

pytestmark = pytest.mark.postgres


@pytest.fixture
def shop(open_shop):
    return open_shop(reactions("first"))


def run(shop, **schedules):
    return run_schedules(shop.agency_id, shop.runtime.services, schedules)


def make_due(shop, name):
    shop.admin("UPDATE schedules SET due_at = now() WHERE agency_id = %s AND name = %s", shop.agency_id, name)


def test_an_agency_with_its_first_event_has_every_schedule(shop):
    shop.append(1)
    shop.relay()
    shop.relay()
    found = shop.admin(
        "SELECT name FROM schedules WHERE agency_id = %s AND finished_at IS NOT NULL", shop.agency_id
    )
    assert {name for (name,) in found} == set(USUAL)
    later = shop.admin(
        "SELECT 1 FROM work_due WHERE agency_id = %s AND kind = 'schedules' AND due_at > now()",
        shop.agency_id,
    )
    assert len(later) == 1


def test_what_is_done_is_due_again_after_its_time(shop):
    calls = []
    daily = Schedule(lambda agency_id, services: calls.append(agency_id), 86_400)
    again_at = run(shop, daily=daily)
    run(shop, daily=daily)
    assert calls == [shop.agency_id]
    assert timedelta(hours=23) < again_at - datetime.now(UTC) <= timedelta(hours=24)
    make_due(shop, "daily")
    run(shop, daily=daily)
    assert len(calls) == 2


def test_what_failed_is_due_a_minute_later_and_harms_no_other(shop):
    def fail(agency_id, services):
        raise UnreachableError(reason="planted")

    calls = []
    again_at = run(shop, bad=Schedule(fail, 86_400), good=Schedule(lambda *_: calls.append(1), 86_400))
    assert calls == [1]
    assert again_at - datetime.now(UTC) <= timedelta(seconds=61)
    assert shop.admin(
        "SELECT name, failures FROM schedules WHERE agency_id = %s AND failures > 0", shop.agency_id
    ) == [("bad", 1)]


def test_two_workers_do_not_begin_the_same(shop):
    engine = shop.runtime.services.engine
    rows.add_missing(engine, shop.agency_id, ["once"])
    assert rows.claim_schedule(engine, shop.agency_id, "once")
    assert not rows.claim_schedule(engine, shop.agency_id, "once")


def test_keys_of_idempotency_go_after_three_days(shop):
    for hours in (71, 73):
        shop.admin(
            "INSERT INTO idempotency_keys VALUES (%s, %s, 'r', %s, 'f', '{}', now() - make_interval(hours => %s))",
            shop.agency_id,
            uuid4(),
            str(hours),
            hours,
        )
    run(shop, keys=USUAL["purge_keys"])
    assert shop.admin("SELECT key FROM idempotency_keys WHERE agency_id = %s", shop.agency_id) == [("71",)]


def test_options_and_holds_that_are_over_end_by_themselves(shop):
    scene = open_scene(shop.runtime.services.uow, TimeOrderedIds(), hotel(2))
    services = evolve(shop.runtime.services, clock=scene.clock)
    until = scene.clock.now() + timedelta(hours=2)
    option = scene.book(stay(3), option_until=until)
    hold = scene.hold(stay(5), minutes=120)
    schedules = {"end": USUAL["end_options_and_holds"]}
    run_schedules(scene.agency_id, services, schedules)
    assert states(shop, option, hold) == [("pending",), ("active",)]
    scene.clock.advance(timedelta(hours=2))
    rows.finish_schedule(services.engine, scene.agency_id, "end", again_in=0)
    run_schedules(scene.agency_id, services, schedules)
    assert states(shop, option, hold) == [("expired",), ("expired",)]


def test_nights_that_no_channel_has_sold_in_time_are_released(shop):
    scene = open_scene(shop.runtime.services.uow, TimeOrderedIds(), pool(1))
    services = evolve(shop.runtime.services, clock=scene.clock)
    make = MakeAllotment(
        **scene.asked(),
        property_id=scene.property_id,
        unit_type_id=scene.type_ids[0],
        channel="ota",
        nights=nights(3, 2),
        guaranteed=1,
        release_days=2,
    )
    make_allotment(make, uow=services.uow, clock=scene.clock, ids=scene.ids)
    USUAL["release_allotments"].does(scene.agency_id, services)
    with pytest.raises(NightsTakenError):
        scene.book(stay(3, 1))
    scene.clock.advance(timedelta(days=2))
    USUAL["release_allotments"].does(scene.agency_id, services)
    scene.book(stay(3, 1))
    with pytest.raises(NightsTakenError):
        scene.book(stay(4, 1))


def states(shop, option, hold):
    return [
        *shop.admin("SELECT status FROM bookings WHERE booking_id = %s", option.booking_id),
        *shop.admin("SELECT status FROM holds WHERE hold_id = %s", hold.hold_id),
    ]
