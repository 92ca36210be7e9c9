"""Days of a house and a hostile platform on PostgreSQL: in the end both agree, and every invariant holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.postgres.subject import PostgresStore
from pms_adapters.postgres.transaction import PostgresUnitOfWork
from pms_adapters.system import TimeOrderedIds
from pmscore.testing.channel_judging import differences, lost_or_doubled, unexplained
from pmscore.testing.channel_profiles import PROFILES
from pmscore.testing.channel_profiles import profile as manifest_of
from pmscore.testing.channel_world import World
from pmscore.testing.clocks import MovableClock

DAYS = 4
GATEWAYS = ("booking_ota", "channex")


@pytest.fixture
def clock():
    return MovableClock(datetime(2030, 1, 1, 12, tzinfo=UTC))


@pytest.fixture
def store(postgres_database, clock):
    made = PostgresStore(postgres_database.app_url, postgres_database.admin_url)
    made.uow = PostgresUnitOfWork(made.engine, clock=clock, ids=TimeOrderedIds(), quoters=made.quoters)
    yield made
    made.close()


def check(store, clock, gateway, seed, **changed):
    world = World(store, manifest_of(gateway), seed, clock=clock, **changed)
    world.live()
    world.settle()
    sides = world.channel, world.platform
    said = f"{gateway} {seed}"
    assert (*differences(*sides), *lost_or_doubled(*sides), *unexplained(*sides)) == (), said
    assert store.violated_invariants() == (), said
    assert world.report().exceeded == 0, said
    return world.report()


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_hostile_days_converge(store, clock, gateway):
    report = check(store, clock, gateway, 1, days=DAYS)
    assert report.faults >= 10
    assert report.bookings >= 2


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("gateway", sorted(PROFILES))
def test_hostile_months_converge(store, clock, gateway, seed):
    assert check(store, clock, gateway, seed).faults >= 100
