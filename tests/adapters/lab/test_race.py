"""Nobody is booked twice, however many try at once; and a store that asks before it writes is found out."""

from __future__ import annotations

import pytest

from pms_adapters.lab.race import run_naive_race, run_race
from pms_adapters.lab.race.contests import NIGHTS_EACH, Kind, contests

pytestmark = [pytest.mark.postgres, pytest.mark.race]

SIZES = {"nightly": (64, 500)}
USUAL = (16, 300)


@pytest.fixture
def size(profile) -> tuple[int, int]:
    return SIZES.get(profile, USUAL)


@pytest.fixture(params=[1, 4], ids=["threads", "processes"])
def race(request, size, postgres_database):
    contestants, rounds = size
    return run_race(
        postgres_database.app_url, contestants=contestants, rounds=rounds, processes=request.param
    )


def test_every_last_room_has_exactly_one_winner_and_nobody_is_booked_twice(race, size):
    contestants, rounds = size
    assert race.attempts == contestants * rounds
    assert race.wrong_contests == ()
    assert race.double_bookings == 0
    assert race.audit.is_clean, race.audit
    assert race.audit.claims > race.won
    # All who did not win were told that the nights are taken, and no deadlock was resolved behind their backs.
    assert race.others == {}
    assert race.won + race.lost == race.attempts
    assert race.deadlocks == 0


def test_a_store_that_asks_before_it_writes_books_twice_in_the_same_race(postgres_database):
    race = run_naive_race(postgres_database.admin_url, contestants=16, rounds=30)
    assert race.double_bookings > 0
    assert race.wrong_contests
    assert race.others == {}


def test_a_race_has_every_kind_of_contest_on_every_capacity():
    races = contests(300)
    assert {each.kind for each in races} == set(Kind)
    pooled = {each.winners for each in races if each.kind is Kind.POOLED}
    assert pooled == {1, 2, 3, 4, 5}
    assert any(each.expired_holds for each in races)


def test_no_two_contests_share_a_night():
    for each in contests(100):
        wishes = [wish for variant in each.wishes for wish in variant]
        # One night more for the one that stays empty after a stay.
        assert all(
            each.number * NIGHTS_EACH <= wish.first
            and wish.first + wish.nights + 1 <= (each.number + 1) * NIGHTS_EACH
            for wish in wishes
        )
