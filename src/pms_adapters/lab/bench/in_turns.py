"""Rounds of calls to several servers, one server after the other, and what is said of them all alike.

Owns the rounds, the lines about latency and rates, and the check of the callers themselves: whether they called as
often as they were to, and what they cost beside the server. Leaves what is asked, and what must be, to whoever
measures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import frozen

from pms_adapters.lab.bench.call_loop import Calls, Heard
from pms_adapters.lab.bench.calling import Callers, schedule
from pms_adapters.lab.bench.grounds import Grounds
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.lab.bench.programs import Program, processor_seconds

__all__ = [
    "KEPT",
    "Asked",
    "Turn",
    "heard_in_turns",
    "lines_about_callers",
    "lines_about_servers",
    "milliseconds",
]

_WARM_CALLS = 200
_WARMING_SEED = 999
KEPT = Limit(0.95)
"""What part of the calls has to go out in time for a rate to be what it is called."""


@frozen(kw_only=True)
class Asked:
    """A server that is asked, and how: ``requests`` are made for so many calls, anew for each round."""

    program: Program
    requests: Callable[[int], tuple[bytes, ...]]
    mark: bytes = b""


@frozen
class Turn:
    """One round of one server: what was heard, and the processor time that it took for a call."""

    heard: Heard
    processor_ms: float | None

    @property
    def marked(self) -> float:
        """The part of the answers that had the mark."""
        return self.heard.marked / len(self.heard.seconds)


def heard_in_turns(
    grounds: Grounds,
    callers: Callers,
    asked: Mapping[str, Asked],
    *,
    what: str,
    count: int,
    rate: float,
    lines: int,
    follows_answers: bool = False,
) -> Mapping[str, tuple[Turn, ...]]:
    """Return the rounds of each server by name, a round each in turn after a warming one.

    ``rate`` is that of the calls where they do not follow answers, and always that of a few calls before each round,
    which nobody counts: a server that was left alone while others were asked is awake then.

    Raises:
        RuntimeError: a call was not answered with 2xx.
    """
    heard: dict[str, list[Turn]] = {name: [] for name in asked}
    for number in range(grounds.rounds + 1):
        grounds.progress(f"{what}: round {number} of {grounds.rounds}")
        for name, each in asked.items():
            _call(callers, each, schedule(min(count // 2, _WARM_CALLS), rate, _WARMING_SEED), lines)
            before = processor_seconds(each.program.pid)
            found = _call(
                callers, each, schedule(count, rate, number), lines, follows_answers=follows_answers
            )
            after = processor_seconds(each.program.pid)
            took = None if before is None or after is None else (after - before) / count * 1e3
            if number:
                heard[name].append(Turn(found, took))
    return {name: tuple(turns) for name, turns in heard.items()}


def milliseconds(turns: Sequence[Turn], part: float) -> list[float]:
    """Return by round the milliseconds in which a part of the calls was answered."""
    return [each.heard.percentile(part) * 1e3 for each in turns]


def lines_about_servers(
    key: str, what: str, ours: Sequence[Turn], floor: Sequence[Turn]
) -> Iterator[Measurement]:
    """Yield what a call cost the web server in processor time, which a busy machine changes less than the rest."""
    pairs = [
        (mine.processor_ms, theirs.processor_ms)
        for mine, theirs in zip(ours, floor, strict=True)
        if mine.processor_ms and theirs.processor_ms
    ]
    if pairs:
        measure = f"{what}: processor time of the web server a call, ms against the floor's"
        yield compared(key, measure, [mine for mine, _ in pairs], [theirs for _, theirs in pairs])


def lines_about_callers(
    key: str, what: str, ours: Sequence[Turn], floor: Sequence[Turn], rate: float | None = None
) -> Iterator[Measurement]:
    """Yield whether the callers kept the rate, ours and the floor's, and what they themselves cost.

    A rate that was not kept is a must that is missed: then the latencies are not those of the rate.
    """
    for name, turns in (("ours", ours), ("floor", floor)):
        if rate is not None:
            late = max(each.heard.lateness(0.95) for each in turns) * 1e3
            yield compared(
                key,
                f"{what}: answers a second of those offered, {name} (callers late by {late:.2f} ms at most at p95)",
                [each.heard.rate for each in turns],
                [rate] * len(turns),
                must=KEPT,
            )
    busy = ([each.heard.busy / len(each.heard.seconds) * 1e6 for each in turns] for turns in (ours, floor))
    yield compared(
        key, f"{what}: processor time of the callers a call, µs against the same at the floor", *busy
    )


def _call(
    callers: Callers, asked: Asked, times: tuple[float, ...], lines: int, *, follows_answers: bool = False
) -> Heard:
    calls = Calls(
        host=asked.program.host,
        port=asked.program.port,
        requests=asked.requests(len(times)),
        times=times,
        callers=lines,
        follows_answers=follows_answers,
        mark=asked.mark,
    )
    return callers.send(calls)
