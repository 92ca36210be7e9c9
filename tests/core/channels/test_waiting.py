"""When a lane runs again after a failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from pmscore.channels.model.calls import Outcome, OutcomeKind
from pmscore.channels.model.lanes import LaneState
from pmscore.channels.model.manifest import Lane
from pmscore.channels.policies.waiting import after, died_before, gives_up, is_open, postponed

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
FRESH = LaneState(
    lane_id=UUID(int=1), connection_id=UUID(int=2), lane=Lane.AVAILABILITY, next_at=NOW, attempts=1
)


def after_failures(number, kind=OutcomeKind.DOWN):
    state, waits = FRESH, []
    for _ in range(number):
        state = after(Outcome(kind), state, NOW)
        waits.append((state.next_at - NOW).total_seconds())
        state = evolve(state, attempts=state.attempts + 1)
    return state, waits


def test_retries_wait_one_two_and_four_seconds_then_probes_follow():
    assert after_failures(11)[1] == [1, 2, 4, 8, 30, 60, 120, 240, 300, 300, 300]


@pytest.mark.parametrize("kind", [OutcomeKind.DOWN, OutcomeKind.UNSURE, OutcomeKind.UNAUTHORISED])
def test_the_fourth_failure_gives_up_and_the_fifth_opens_the_breaker(kind):
    assert [gives_up(after_failures(each, kind)[0]) for each in range(1, 6)] == [False] * 3 + [True] * 2
    assert [is_open(after_failures(each, kind)[0]) for each in range(1, 7)] == [False] * 4 + [True] * 2


@pytest.mark.parametrize("kind", [OutcomeKind.DONE, OutcomeKind.PARTLY, OutcomeKind.REFUSED])
def test_success_and_refusal_are_not_tried_again(kind):
    state = after(Outcome(kind), after_failures(7)[0], NOW)
    assert (state.attempts, state.failures, state.next_at, state.closed_until) == (0, 0, None, None)


def test_a_wait_that_the_platform_names_counts_where_it_is_longer():
    longer = after(Outcome(OutcomeKind.DOWN, retry_after=90), FRESH, NOW)
    shorter = after(Outcome(OutcomeKind.DOWN, retry_after=0.5), FRESH, NOW)
    assert longer.closed_until == NOW + timedelta(seconds=90)
    assert shorter.closed_until == NOW + timedelta(seconds=1)


def test_busy_is_no_attempt():
    state = after(Outcome(OutcomeKind.BUSY, retry_after=17), FRESH, NOW)
    assert (state.attempts, state.failures) == (0, 0)
    assert state.next_at == state.closed_until == NOW + timedelta(seconds=17)
    assert after(Outcome(OutcomeKind.BUSY), FRESH, NOW).next_at == NOW + timedelta(seconds=5)


def test_waiting_for_room_under_a_limit_is_no_attempt_and_no_failure():
    state = postponed(evolve(FRESH, attempts=3, failures=2), 2.5, NOW)
    assert (state.attempts, state.failures) == (2, 2)
    assert state.next_at == state.closed_until == NOW + timedelta(seconds=2.5)


def test_runs_that_ended_without_a_word_are_counted():
    assert died_before(FRESH) == 0
    assert died_before(evolve(FRESH, attempts=4, failures=1)) == 2
    assert died_before(evolve(FRESH, attempts=3, failures=2)) == 0
