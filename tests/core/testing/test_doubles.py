"""Clocks, ids, queue, draws, and the strategies."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.text import checked_text
from pmscore.testing import strategies
from pmscore.testing.draws import Draws
from pmscore.testing.memory import CountingIds, FixedClock, InMemoryQueue, MovableClock, SeededIds

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def test_clocks_tell_utc():
    in_tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    for clock in (FixedClock(in_tokyo), MovableClock(in_tokyo)):
        assert clock.now() == NOON
        assert clock.now().tzinfo is UTC


def test_a_movable_clock_moves_both_ways():
    clock = MovableClock(NOON)
    clock.advance(timedelta(hours=1))
    clock.advance(timedelta(hours=-3))
    assert clock.now() == NOON - timedelta(hours=2)
    clock.move_to(NOON)
    assert clock.now() == NOON


@pytest.mark.parametrize("make", [FixedClock, MovableClock, MovableClock(NOON).move_to])
def test_no_clock_takes_a_naive_instant(make):
    with pytest.raises(InvalidInputError):
        make(datetime(2030, 1, 1))  # noqa: DTZ001 - the point


def test_ids_repeat_with_their_seed_and_never_within_it():
    first, again, other = SeededIds(1), SeededIds(1), SeededIds(2)
    drawn = [first.new() for _ in range(1000)]
    assert drawn == [again.new() for _ in range(1000)]
    assert len({*drawn, *(other.new() for _ in range(1000))}) == 2000
    assert {each.version for each in drawn} == {4}


def test_counting_ids_count():
    ids = CountingIds()
    assert [ids.new(), ids.new()] == [UUID(int=1), UUID(int=2)]


def test_the_queue_keeps_what_it_was_asked():
    queue = InMemoryQueue()
    queue.enqueue("sync", UUID(int=1), UUID(int=2))
    assert queue.jobs == (("sync", (UUID(int=1), UUID(int=2))),)


@given(seed=st.integers(0, 2**70), limit=st.integers(1, 1000))
def test_draws_stay_below_their_limit_and_repeat(seed, limit):
    draws, again = Draws(seed), Draws(seed)
    drawn = [draws.below(limit) for _ in range(20)]
    assert all(0 <= each < limit for each in drawn)
    assert drawn == [again.below(limit) for _ in range(20)]


def test_draws_are_even():
    draws = Draws(1)
    counts = [0] * 10
    for _ in range(10_000):
        counts[draws.below(10)] += 1
    assert min(counts) > 850
    assert max(counts) < 1150
    picked = [draws.weighted([(9, "often"), (1, "rarely")]) for _ in range(1000)]
    assert 50 < picked.count("rarely") < 150
    assert {draws.between(3, 5) for _ in range(100)} == {3, 4, 5}


@given(st.data())
def test_strategies_draw_what_belongs_together(data):
    """A booking of a house has the house's types, units and currency, and its claims can be worked out."""
    house = data.draw(strategies.houses())
    guest = data.draw(strategies.guests())
    booking = data.draw(strategies.bookings(house, guest.guest_id))
    command = data.draw(strategies.create_commands(house, guest.guest_id))
    book = data.draw(strategies.rule_books(house))
    assert booking.currency is house.property.currency
    assert all(claim.unit_type_id in house.types for claim in booking.claims())
    assert all(claim.unit_id is None or claim.unit_id in house.units for claim in booking.claims())
    assert command.property_id == house.property.property_id
    assert all(rule.unit_type_id in {None, *house.types} for rule in book.rules)


@given(text=strategies.texts())
def test_drawn_texts_can_be_kept(text):
    assert checked_text(text, field="name") == text


@given(text=strategies.bad_texts)
def test_bad_texts_cannot(text):
    with pytest.raises(InvalidInputError):
        checked_text(text, field="name")


@pytest.mark.parametrize("module", ["strategies", "histories", "laws"])
def test_without_hypothesis_the_kit_says_what_to_install(module, repository):
    program = f"import sys; sys.modules['hypothesis'] = None; import pmscore.testing.{module}"
    ran = run(program, repository)
    assert ran.returncode == 1
    assert 'pip install "pmscore[testing]"' in ran.stderr


def test_the_store_needs_nothing_but_the_core(repository):
    program = "import sys; sys.modules['hypothesis'] = sys.modules['pytest'] = None; "
    program += "import pmscore.testing.memory, pmscore.testing.races, pmscore.testing.runs"
    assert run(program, repository).stderr == ""


def run(program, repository):
    path = {**os.environ, "PYTHONPATH": str(repository / "src")}
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=path
    )
