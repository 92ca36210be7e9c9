"""Requests are counted for all processes where Redis is there, and for this one where it is not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from pms_adapters.embedded.temporary import temporary_redis
from pms_adapters.redis.blocks import LASTING_SECONDS, MOST_NAMES, Blocks
from pms_adapters.redis.limits import REST_SECONDS, STRICTER, SharedLimits

MEASURES = {"normal": 5, "log_in": 8}
GUARDED = frozenset({"log_in"})
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with temporary_redis() as server:
        yield server.url()


def passed(limits: SharedLimits, allowance: str, who: str, times: int = 30) -> int:
    return sum(limits.wait_seconds(allowance, who) == 0 for _ in range(times))


def test_as_many_pass_as_the_measure_says_and_the_next_is_told_how_long_to_wait(redis_url: str):
    limits = SharedLimits(redis_url, MEASURES)
    assert passed(limits, "normal", "ada") == 5
    assert 1 <= limits.wait_seconds("normal", "ada") <= 60


def test_each_has_a_measure_of_their_own(redis_url: str):
    limits = SharedLimits(redis_url, MEASURES)
    passed(limits, "normal", "one")
    assert limits.wait_seconds("normal", "two") == 0
    assert limits.wait_seconds("log_in", "one") == 0


def test_two_processes_share_one_count(redis_url: str):
    one, other = SharedLimits(redis_url, MEASURES), SharedLimits(redis_url, MEASURES)
    assert passed(one, "normal", "both", 3) + passed(other, "normal", "both", 9) == 5


def test_without_redis_each_process_counts_alone(caplog: pytest.LogCaptureFixture):
    one, other = SharedLimits(None, MEASURES), SharedLimits(None, MEASURES)
    assert passed(one, "normal", "both") + passed(other, "normal", "both") == 10
    assert passed(one, "log_in", "ada") == 8
    assert not caplog.records


def test_with_redis_down_reads_go_on_and_guessing_gets_harder(caplog: pytest.LogCaptureFixture):
    limits = SharedLimits(NOWHERE, MEASURES, guarded=GUARDED)
    with caplog.at_level(logging.WARNING):
        assert passed(limits, "normal", "ada") == 5
        assert passed(limits, "log_in", "ada") == 8 // STRICTER
    assert len(caplog.records) == 1, "one line for many requests"
    assert "127.0.0.1" not in caplog.text


def test_redis_is_asked_again_after_a_rest_and_taken_back():
    now = [100.0]
    with temporary_redis() as server:
        limits = SharedLimits(server.url(), MEASURES, guarded=GUARDED, monotonic=lambda: now[0])
        assert passed(limits, "log_in", "ada", 2) == 2
    assert passed(limits, "log_in", "ada") == 8 // STRICTER
    now[0] += REST_SECONDS + 1
    assert limits.wait_seconds("log_in", "ada") > 0, "still down, still strict"


def test_many_threads_get_no_more_than_the_measure(redis_url: str):
    limits = SharedLimits(redis_url, {"normal": 50})
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: passed(limits, "normal", "crowd", 20), range(8)))
    assert sum(counts) == 50


def test_who_asks_often_is_counted_in_blocks_and_gets_no_more(redis_url: str):
    limits = SharedLimits(redis_url, {"normal": 1_000}, monotonic=lambda: 100.0)
    assert passed(limits, "normal", "hurried", 1_200) == 1_000
    assert limits.wait_seconds("normal", "hurried") > 0


def test_processes_that_count_in_blocks_share_one_measure(redis_url: str):
    one, other = (SharedLimits(redis_url, {"normal": 1_000}, monotonic=lambda: 100.0) for _ in range(2))
    first = passed(one, "normal", "shared", 500)
    assert first == 500
    assert 1_000 - 2 * 10 <= first + passed(other, "normal", "shared", 1_000) <= 1_000


def test_blocks_save_calls_to_redis():
    now = [100.0]
    with temporary_redis() as server:
        limits = SharedLimits(server.url(), {"normal": 100_000}, monotonic=lambda: now[0])
        assert passed(limits, "normal", "ada", 200) == 200
        with redis.Redis.from_url(server.url()) as client:
            calls = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    assert calls < 20


def test_what_is_left_of_a_block_does_not_last(redis_url: str):
    now = [100.0]
    limits = SharedLimits(redis_url, {"normal": 1_000}, monotonic=lambda: now[0])
    assert passed(limits, "normal", "seldom", 4) == 4
    now[0] += LASTING_SECONDS + 0.1
    assert passed(limits, "normal", "seldom", 1_200) < 1_000, "the rest of the block is gone"
    assert passed(limits, "normal", "seldom", 10) == 0


def test_names_that_are_no_more_asked_by_are_forgotten():
    blocks = Blocks(lambda: 100.0)
    for number in range(MOST_NAMES + 1):
        blocks.put(("normal", str(number)), 10)
    assert not blocks.takes(("normal", "0"))
    assert blocks.takes(("normal", str(MOST_NAMES)))


@given(most=st.integers(1, 40), times=st.integers(0, 60), who=st.text(max_size=20))
def test_alone_as_many_pass_as_the_measure_says(most: int, times: int, who: str):
    """Law: of so many requests within a minute the measure passes, whatever the name."""
    limits = SharedLimits(None, {"normal": most})
    assert passed(limits, "normal", who, times) == min(most, times)
