"""Laws of counted calls: no window of a platform ever holds more than it allows, whoever asks and whoever dies.

Owns that the store judges one call at a time, for all who ask. The arithmetic stands in
``policies.counting_calls``; what is shown here is counted by a counter that knows nothing of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from pmscore.channels.model.manifest import CallGroup, CallKind, Window
from pmscore.kernel.ids import CallId
from pmscore.testing.draws import Draws
from pmscore.testing.laws.setting import StoreLaws
from pmscore.testing.races import at_once
from pmscore.testing.scenes import Scene

__all__ = ["ChannelCallLaws"]

PUSHES: Final = frozenset({CallKind.PUSH_AVAILABILITY})
SECOND: Final = timedelta(seconds=1)
MILLISECOND: Final = timedelta(milliseconds=1)


class ChannelCallLaws(StoreLaws):
    """Calls under their limits."""

    def test_a_call_goes_until_a_window_is_full_and_again_when_it_has_moved_on(self) -> None:
        """What counts is when the earlier ones ended."""
        at, group = self.scene(), _group((2, 60), in_flight=9)
        first = _goes(at, group)
        _goes(at, group)
        assert _wait(at, group) >= 60
        at.clock.advance(5 * SECOND)
        _end(at, first)
        at.clock.advance(59 * SECOND)
        assert 0 < _wait(at, group) <= 3
        at.clock.advance(5 * SECOND)
        _goes(at, group)

    def test_no_more_are_on_their_way_than_may_be(self) -> None:
        """Whoever is too many looks again soon; one that nobody ends is taken for ended in time."""
        at, group = self.scene(), _group(in_flight=1)
        first = _goes(at, group)
        assert _wait(at, group) == 0.5
        _end(at, first)
        _goes(at, group)
        at.clock.advance(timedelta(seconds=group.longest_seconds))
        _goes(at, group)

    def test_a_closed_key_is_closed_for_all_its_calls_and_no_others(self) -> None:
        """Until the latest instant that anybody said."""
        at, group = self.scene(), _group(in_flight=9)
        for seconds in (30, 90, 60):
            with at.begin() as work:
                work.calls.close("one", until=at.clock.now() + seconds * SECOND)
                work.commit()
        assert _wait(at, group, key="one") == 90
        _goes(at, group, key="other")
        at.clock.advance(90 * SECOND)
        _goes(at, group, key="one")

    def test_a_call_is_entered_in_all_of_its_groups_or_in_none(self) -> None:
        """One that has to wait in one takes nobody's place in another."""
        at = self.scene()
        wide, narrow = _group((2, 60), in_flight=9), _group((1, 60), in_flight=9)
        both = (("wide", wide), ("narrow", narrow))
        assert _reserve(at, both)[1] == 0
        for _ in range(3):
            assert _reserve(at, both)[1] >= 60
        _goes(at, wide, key="wide")
        assert _wait(at, wide, key="wide") >= 60

    def test_who_leaves_without_a_commit_has_reserved_nothing(self) -> None:
        """The place is free again."""
        at, group = self.scene(), _group((1, 60))
        with at.begin() as work:
            assert work.calls.reserve((("k", group),), CallId(at.ids.new()), now=at.clock.now()) == 0
        _goes(at, group)

    def test_another_agency_has_calls_of_its_own(self) -> None:
        """A key of the same name is another key."""
        ours, theirs, group = self.scene(), self.scene(), _group((1, 60))
        _goes(ours, group)
        _goes(theirs, group)
        assert _wait(ours, group) >= 60

    def test_a_crowd_never_exceeds_a_window(self) -> None:
        """Calls arrive at any moment of theirs, and some of those who made them die."""
        chance = Draws(11)
        for _ in range(3):
            windows = tuple(
                (chance.between(3, 6), chance.between(5, 20)) for _ in range(chance.between(1, 3))
            )
            group = _group(*windows, in_flight=chance.between(1, 4))
            arrivals = _crowd(self.scene(), group, chance.below(1 << 30), _asks_first)
            assert len(arrivals) >= 10
            assert _exceeded(arrivals, windows) == []

    def test_to_count_beginnings_alone_is_seen_to_exceed_a_window(self) -> None:
        """The control of the law above: slow calls arrive together with later ones."""
        chance = Draws(12)
        windows = ((2, 6), (5, 40))
        arrivals = [
            _crowd(self.scene(), _group(*windows, in_flight=9), chance.below(1 << 30), _counts_beginnings)
            for _ in range(3)
        ]
        assert any(_exceeded(each, windows) for each in arrivals)


Judge = Callable[[Scene, CallGroup, list[datetime], datetime], tuple[CallId, float]]


def _crowd(at: Scene, group: CallGroup, seed: int, judge: Judge) -> list[datetime]:
    """Let eight make calls for some minutes of the clock; return when each call arrived at the platform."""
    mutex, begun = threading.Lock(), list[datetime]()
    arrivals: list[datetime] = []
    opened_at = at.clock.now()

    def caller(number: int) -> None:
        chance = Draws(seed + number)
        for _ in range(8):
            with mutex:
                at.clock.advance(chance.below(8_000) * MILLISECOND)
            now = at.clock.now()
            call_id, wait = judge(at, group, begun, now)
            if wait > 0:
                continue
            takes = chance.below(1_000 * (group.longest_seconds - 1))
            with mutex:
                arrivals.append(now + chance.between(0, takes) * MILLISECOND)
            if chance.happens(80):
                _end(at, call_id, now + takes * MILLISECOND)

    assert at_once([partial(caller, number) for number in range(8)]) == ["won"] * 8
    assert at.clock.now() > opened_at
    return sorted(arrivals)


def _asks_first(at: Scene, group: CallGroup, begun: list[datetime], now: datetime) -> tuple[CallId, float]:
    del begun
    return _reserve(at, (("k", group),), now)


def _counts_beginnings(
    at: Scene, group: CallGroup, begun: list[datetime], now: datetime
) -> tuple[CallId, float]:
    """Let a call go by when others were begun: what a limiter does that forgets how long a call may take."""
    is_full = any(
        sum(each > now - timedelta(seconds=window.seconds) for each in begun) >= window.calls
        for window in group.windows
    )
    if not is_full:
        begun.append(now)
    return CallId(at.ids.new()), 1.0 if is_full else 0.0


def _exceeded(arrivals: Sequence[datetime], windows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the windows in which more calls arrived than may: any N+1 neighbours tell."""
    return [
        (calls, seconds)
        for calls, seconds in windows
        if any(
            last - first < timedelta(seconds=seconds)
            for first, last in zip(arrivals, arrivals[calls:], strict=False)
        )
    ]


def _group(*windows: tuple[int, int], in_flight: int = 9) -> CallGroup:
    return CallGroup(
        name="g",
        kinds=PUSHES,
        windows=tuple(Window(calls=calls, seconds=seconds) for calls, seconds in windows),
        in_flight=in_flight,
        longest_seconds=8,
    )


def _reserve(
    at: Scene, groups: Sequence[tuple[str, CallGroup]], now: datetime | None = None
) -> tuple[CallId, float]:
    call_id = CallId(at.ids.new())
    with at.begin() as work:
        wait = work.calls.reserve(groups, call_id, now=now or at.clock.now())
        work.commit()
    return call_id, wait


def _wait(at: Scene, group: CallGroup, *, key: str = "k") -> float:
    """Return how long a call has to wait that cannot go."""
    _, wait = _reserve(at, ((key, group),))
    assert wait > 0
    return wait


def _goes(at: Scene, group: CallGroup, *, key: str = "k") -> CallId:
    """Return the id of a call that may go."""
    call_id, wait = _reserve(at, ((key, group),))
    assert wait == 0
    return call_id


def _end(at: Scene, call_id: CallId, now: datetime | None = None) -> None:
    with at.begin() as work:
        work.calls.end(call_id, now=now or at.clock.now())
        work.commit()
