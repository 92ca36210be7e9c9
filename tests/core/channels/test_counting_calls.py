"""The judgement whether a call may go, against a count that knows nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pmscore.channels.model.manifest import CallGroup, CallKind, Window
from pmscore.channels.policies.counting_calls import IN_FLIGHT_WAIT, CountedCall, seconds_to_wait

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


def group(*windows, in_flight=1):
    return CallGroup(name="all", kinds=frozenset({CallKind.PULL}), windows=windows, in_flight=in_flight)


def call(started, ended=None):
    return CountedCall(
        started_at=NOW + timedelta(seconds=started),
        ended_at=None if ended is None else NOW + timedelta(seconds=ended),
        longest_seconds=20,
    )


def test_the_first_call_goes_at_once():
    assert seconds_to_wait(group(Window(calls=1, seconds=60)), [], now=NOW) == 0.0


def test_a_full_window_opens_when_its_oldest_call_has_left_it_and_a_second_has_passed():
    calls = [call(-30, -20), call(-10, -5)]
    assert seconds_to_wait(group(Window(calls=2, seconds=60)), calls, now=NOW) == 41.0


def test_a_call_counts_from_its_end_because_it_may_have_arrived_then():
    calls = [call(-70, -58)]
    assert seconds_to_wait(group(Window(calls=1, seconds=60)), calls, now=NOW) == 3.0


def test_of_several_windows_the_longest_wait_holds():
    windows = Window(calls=1, seconds=10), Window(calls=1, seconds=100)
    assert seconds_to_wait(group(*windows), [call(-5, -5)], now=NOW) == 96.0


def test_a_call_on_its_way_is_waited_for_a_moment():
    assert seconds_to_wait(group(), [call(-1)], now=NOW) == IN_FLIGHT_WAIT
    assert seconds_to_wait(group(in_flight=2), [call(-1)], now=NOW) == 0.0


def test_a_call_that_nobody_ended_is_over_after_its_longest_time():
    assert seconds_to_wait(group(), [call(-20)], now=NOW) == 0.0
    assert seconds_to_wait(group(), [call(-19)], now=NOW) == IN_FLIGHT_WAIT


def test_a_closed_key_stays_closed_until_its_time():
    until = NOW + timedelta(seconds=17)
    assert seconds_to_wait(group(), [], now=NOW, closed_until=until) == 17.0
    assert seconds_to_wait(group(), [], now=until, closed_until=until) == 0.0


class _Counted:
    """Lets calls go by a judgement and counts where they arrive."""

    def __init__(self, windows, judge):
        self.group = group(*windows, in_flight=99)
        self.judge = judge
        self.calls = []
        self.arrivals = []

    def ask(self, now, until_arrival, until_end):
        if self.judge(self.group, self.calls, now=now) == 0.0:
            ended = now + timedelta(seconds=until_end)
            self.calls.append(CountedCall(started_at=now, ended_at=ended, longest_seconds=20))
            self.arrivals.append(now + timedelta(seconds=min(until_arrival, until_end)))

    def exceeded(self):
        found = sorted(self.arrivals)
        return any(
            sum(first <= each < first + timedelta(seconds=window.seconds) for each in found) > window.calls
            for window in self.group.windows
            for first in found
        )


def from_starts_only(group, calls, *, now):
    return seconds_to_wait(group, [evolve(each, ended_at=each.started_at) for each in calls], now=now)


windows = st.lists(
    st.builds(Window, calls=st.integers(1, 4), seconds=st.integers(2, 30)), min_size=1, max_size=2
)
asks = st.lists(st.tuples(st.floats(0, 12), st.floats(0, 15), st.floats(0, 15)), min_size=5, max_size=60)


@settings(max_examples=60, deadline=None)
@given(windows, asks)
def test_no_window_ever_holds_more_arrivals_than_it_allows(found, steps):
    counted, now = _Counted(found, seconds_to_wait), NOW
    for gap, arrival, end in steps:
        now += timedelta(seconds=gap)
        counted.ask(now, arrival, end)
    assert not counted.exceeded()


def test_counting_starts_alone_would_be_found_out():
    counted = _Counted([Window(calls=1, seconds=10)], from_starts_only)
    counted.ask(NOW, 12, 12)
    counted.ask(NOW + timedelta(seconds=12), 0, 1)
    assert counted.exceeded()
