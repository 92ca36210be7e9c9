from __future__ import annotations

import gzip
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path

import pytest

from adapters.http.receiver import LOOPBACK, Receiver, Reply, made_certificate, receiving
from pms_adapters.http.door import NO_RETRIES, AnswerTooLargeError, Call, HttpDoor, Limits, Retries
from pms_adapters.http.guard import Guard
from pms_adapters.http.redaction import shown_url
from pmscore.kernel.errors import InvalidInputError, UnreachableError
from pmscore.kernel.secrets import Secret
from pmscore.testing.clocks import MovableClock

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
INSIDE = Guard(networks=LOOPBACK)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


class Pauses(list[float]):
    """Notes how long somebody wanted to sleep."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def door(guard: Guard = INSIDE, **more: object) -> HttpDoor:
    return HttpDoor(guard, clock=MovableClock(NOON), **{"sleep": Pauses(), **more})


def test_a_call_arrives_as_it_was_given(receiver: Receiver):
    receiver.replies = [Reply(201, {"x-more": "yes"}, b"made")]
    call = Call(method="POST", url=receiver.url("/a/b?c=d"), headers={"X-Key": Secret("k")}, body=b'{"a": 1}')
    with door() as out:
        answer = out.send(call)
    assert (answer.status, answer.body, answer.headers["x-more"], answer.is_success) == (
        201, b"made", "yes", True,
    )  # fmt: skip
    sent = receiver.received[0]
    assert (sent.method, sent.path, sent.body, sent.headers["x-key"]) == (
        "POST",
        "/a/b?c=d",
        b'{"a": 1}',
        "k",
    )
    assert sent.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver):
    receiver.replies = [Reply(302, {"location": receiver.url("/elsewhere")})]
    with door() as out:
        assert out.send(Call(method="GET", url=receiver.url())).status == 302
    assert len(receiver.received) == 1


def test_cookies_of_one_answer_do_not_go_into_the_next_call(receiver: Receiver):
    receiver.replies = [Reply(200, {"set-cookie": "session=1; Path=/"})]
    with door() as out:
        out.send(Call(method="GET", url=receiver.url()))
        out.send(Call(method="GET", url=receiver.url()))
    assert "cookie" not in receiver.received[1].headers


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with door() as out:
        assert out.send(Call(method="GET", url=receiver.url())).status == 200


# --- the guard -----------------------------------------------------------------------------------------


def planted(*answers: list[str]):
    """Return a resolver that gives other numbers each time, and the names that it was asked for."""
    asked: list[str] = []

    def find(host: str, port: int, /) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return find, asked


def test_a_name_that_stands_for_this_machine_is_refused(receiver: Receiver):
    ports = frozenset({receiver.port})
    find, _ = planted(["127.0.0.1"])
    url = receiver.url(host="innocent.test")
    with door(Guard(allows_plain_http=True, ports=ports), find=find) as out:
        with pytest.raises(InvalidInputError) as caught:
            out.send(Call(method="GET", url=url))
        assert caught.value.reason == "closed_address"
    assert receiver.received == []
    # The control: without the guard the same call arrives.
    with door(Guard(is_off=True), find=find) as out:
        assert out.send(Call(method="GET", url=url)).status == 200
    assert receiver.received[0].headers["host"] == f"innocent.test:{receiver.port}"


@pytest.mark.parametrize(
    "numbers", [["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"]]
)
def test_every_number_of_a_name_must_pass(receiver: Receiver, numbers: list[str]):
    find, _ = planted(numbers)
    guard = Guard(allows_plain_http=True, ports=frozenset({receiver.port}))
    with door(guard, find=find) as out, pytest.raises(InvalidInputError):
        out.send(Call(method="GET", url=receiver.url(host="mixed.test")))
    assert receiver.received == []


def test_a_name_is_asked_once_and_the_number_that_passed_is_called(receiver: Receiver):
    # A name that answers with an open number first and with a closed one after: checked, then called again by name,
    # it would reach the closed one.
    find, asked = planted(["127.0.0.1"], ["10.255.255.1"])
    with door(INSIDE, find=find) as out:
        # An open network stands in for the open internet here.
        target = Guard(networks=LOOPBACK, allows_plain_http=True, ports=frozenset({receiver.port}))
        out.guard = target
        assert out.send(Call(method="GET", url=receiver.url(host="rebinding.test"))).status == 200
    assert asked == ["rebinding.test"]


def test_numbers_in_disguise_are_refused_when_they_are_resolved(receiver: Receiver):
    guard = Guard(allows_plain_http=True, ports=frozenset({receiver.port}))
    with door(guard) as out:
        for host in ("2130706433", "0x7f.1", "127.1", "localhost", "localhost."):
            with pytest.raises((InvalidInputError, UnreachableError)):
                out.send(Call(method="GET", url=receiver.url(host=host)), retries=NO_RETRIES)
    assert receiver.received == []


def test_name_and_certificate_are_those_of_the_name_not_of_the_number(tmp_path: Path):
    server, client = made_certificate(tmp_path, "hooks.example")
    seen: list[str | None] = []
    server.sni_callback = lambda _, name, __: seen.append(name)
    with receiving(server) as receiver:
        find, _ = planted(["127.0.0.1"])
        guard = Guard(networks=(ip_network("127.0.0.0/8"),), ports=frozenset({receiver.port}))
        with door(guard, find=find, tls=client) as out:
            url = receiver.url("/x", host="hooks.example", scheme="https")
            assert out.send(Call(method="GET", url=url)).status == 200
            assert seen == ["hooks.example"]
            assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.port}"
            other = receiver.url(host="other.example", scheme="https")
            with pytest.raises(UnreachableError) as caught:
                out.send(Call(method="GET", url=other), retries=NO_RETRIES)
            assert caught.value.params["reason"] == "tls_failed"
        # A client that does not know the issuer does not talk to it.
        with door(guard, find=find, tls=ssl.create_default_context()) as out:
            with pytest.raises(UnreachableError) as caught:
                out.send(Call(method="GET", url=url), retries=NO_RETRIES)
            assert caught.value.params["reason"] == "tls_failed"


# --- retries -------------------------------------------------------------------------------------------


def test_a_failing_answer_is_asked_for_again_after_one_two_and_four_seconds(receiver: Receiver):
    receiver.replies = [Reply(503)]
    pauses = Pauses()
    with door(sleep=pauses) as out:
        answer = out.send(Call(method="GET", url=receiver.url()))
    assert (answer.status, answer.retry_count, pauses) == (503, 3, [1.0, 2.0, 4.0])
    assert len(receiver.received) == 4


def test_tries_end_with_the_first_answer_that_stands(receiver: Receiver):
    receiver.replies = [Reply(500), Reply(200)]
    pauses = Pauses()
    with door(sleep=pauses) as out:
        answer = out.send(Call(method="PUT", url=receiver.url()))
    assert (answer.status, answer.retry_count, pauses) == (200, 1, [1.0])


@pytest.mark.parametrize(
    ("status", "tries"),
    [(400, 1), (401, 1), (404, 1), (409, 1), (422, 1), (408, 4), (425, 4), (429, 4), (500, 4)],
)
def test_which_answers_are_tried_again(receiver: Receiver, status: int, tries: int):
    receiver.replies = [Reply(status)]
    with door() as out:
        out.send(Call(method="GET", url=receiver.url()))
    assert len(receiver.received) == tries


@pytest.mark.parametrize(("said", "first"), [("30", 30.0), ("0", 1.0), ("nonsense", 1.0), ("-5", 1.0)])
def test_a_longer_retry_after_wins(receiver: Receiver, said: str, first: float):
    receiver.replies = [Reply(503, {"retry-after": said}), Reply(200)]
    pauses = Pauses()
    with door(sleep=pauses) as out:
        assert out.send(Call(method="GET", url=receiver.url())).status == 200
    assert pauses == [first]


def test_a_retry_after_may_be_a_date(receiver: Receiver):
    at = format_datetime(NOON + timedelta(seconds=20), usegmt=True)
    receiver.replies = [Reply(429, {"retry-after": at}), Reply(200)]
    pauses = Pauses()
    with door(sleep=pauses) as out:
        out.send(Call(method="GET", url=receiver.url()))
    assert pauses == [20.0]


def test_a_retry_after_beyond_all_patience_ends_the_tries(receiver: Receiver):
    receiver.replies = [Reply(429, {"retry-after": "3600"})]
    pauses = Pauses()
    with door(sleep=pauses) as out:
        answer = out.send(Call(method="GET", url=receiver.url()))
        assert (answer.status, out.retry_after(answer), pauses) == (429, 3600.0, [])


def test_a_post_is_sent_once_unless_the_caller_says_that_it_may_be_repeated(receiver: Receiver):
    receiver.replies = [Reply(500)]
    with door() as out:
        out.send(Call(method="POST", url=receiver.url()))
        assert len(receiver.received) == 1
        out.send(Call(method="POST", url=receiver.url(), is_repeatable=True))
    assert len(receiver.received) == 5


def test_what_cannot_have_arrived_is_sent_again_even_if_it_is_a_post():
    pauses = Pauses()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    with door(sleep=pauses) as out, pytest.raises(UnreachableError) as caught:
        out.send(Call(method="POST", url=f"http://127.0.0.1:{closed}/"))
    assert caught.value.retry_count == 3
    assert caught.value.params["reason"] == "no_connection"
    assert pauses == [1.0, 2.0, 4.0]


def test_a_connection_that_breaks_after_sending_is_not_used_for_the_same_post_again(receiver: Receiver):
    receiver.answer = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)
    with door() as out, pytest.raises(UnreachableError) as caught:
        out.send(Call(method="POST", url=receiver.url()))
    assert caught.value.params["reason"] == "broken_connection"
    assert len(receiver.received) == 1


def test_a_name_that_nobody_knows_is_said_so():
    def find(host: str, port: int, /) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with door(Guard(), find=find) as out, pytest.raises(UnreachableError) as caught:
        out.send(Call(method="GET", url="https://nowhere.test/"), retries=Retries(pauses=(1.0,)))
    assert caught.value.params["reason"] == "name_not_resolved"
    assert caught.value.retry_count == 1


# --- limits --------------------------------------------------------------------------------------------


def test_a_server_that_says_nothing_is_left_in_time(receiver: Receiver):
    receiver.answer = lambda _: time.sleep(1)
    started = time.monotonic()
    with door() as out, pytest.raises(UnreachableError) as caught:
        out.send(Call(method="GET", url=receiver.url()), limits=Limits(read_seconds=0.1), retries=NO_RETRIES)
    assert caught.value.params["reason"] == "timeout"
    assert time.monotonic() - started < 0.9


def test_a_server_that_sends_a_byte_at_a_time_is_left_when_the_call_has_lasted_long_enough(
    receiver: Receiver,
):
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.03)

    receiver.answer = drip
    started = time.monotonic()
    # Each read is answered well within its own limit; only the limit of the whole call ends it.
    limits = Limits(read_seconds=1, total_seconds=0.3)
    with door() as out, pytest.raises(UnreachableError) as caught:
        out.send(Call(method="GET", url=receiver.url()), limits=limits, retries=NO_RETRIES)
    assert caught.value.params["reason"] == "timeout"
    assert time.monotonic() - started < 1.5


def test_an_answer_that_is_too_large_is_refused_or_cut(receiver: Receiver):
    receiver.replies = [Reply(200, {}, b"x" * 5000)]
    call = Call(method="GET", url=receiver.url())
    with door() as out:
        with pytest.raises(AnswerTooLargeError):
            out.send(call, limits=Limits(largest_answer=4999))
        assert len(out.send(call, limits=Limits(largest_answer=5000)).body) == 5000
        cut = out.send(call, limits=Limits(largest_answer=100, cuts_answer=True))
    assert (len(cut.body), cut.is_cut) == (100, True)


def test_a_packed_answer_counts_as_what_it_unpacks_to(receiver: Receiver):
    receiver.replies = [Reply(200, {"content-encoding": "gzip"}, gzip.compress(b"0" * 50_000_000))]
    call = Call(method="GET", url=receiver.url())
    with door() as out:
        with pytest.raises(AnswerTooLargeError):
            out.send(call, limits=Limits(largest_answer=1_000_000))
        receiver.replies = [Reply(200, {"content-encoding": "gzip"}, gzip.compress(b"hello"))]
        assert out.send(call).body == b"hello"
        receiver.replies = [Reply(200, {"content-encoding": "gzip"}, b"no gzip at all")]
        with pytest.raises(AnswerTooLargeError):
            out.send(call)
        receiver.replies = [Reply(200, {"content-encoding": "br"}, b"?")]
        with pytest.raises(AnswerTooLargeError):
            out.send(call)


# --- what is shown -------------------------------------------------------------------------------------


def test_no_secret_reaches_a_log(receiver: Receiver, caplog: pytest.LogCaptureFixture):
    receiver.replies = [Reply(200, {"set-cookie": "session=hidden-cookie"}, b"hidden-answer")]
    call = Call(
        method="POST",
        url=receiver.url("/hidden-path?token=hidden-query"),
        headers={"authorization": Secret("Bearer hidden-header")},
        body=b"hidden-body",
        shows_path=False,
    )
    with caplog.at_level(logging.DEBUG), door() as out:
        answer = out.send(call)
    shown = caplog.text + repr(call) + repr(answer)
    assert "hidden" not in shown
    assert f"POST http://127.0.0.1:{receiver.port}/… 200" in caplog.text


def test_an_address_is_shown_without_user_and_query_values():
    assert shown_url("https://u:p@h.test:8443/a/b?x=1&y=2") == "https://h.test:8443/a/b?x=***&y=***"
    assert shown_url("https://h.test/a/b?x=1", shows_path=False) == "https://h.test/…"
    assert shown_url("https://[::1") == "***"


def test_a_header_that_would_end_its_line_is_refused(receiver: Receiver):
    with door() as out, pytest.raises(InvalidInputError):
        out.send(Call(method="GET", url=receiver.url(), headers={"x": "a\r\nhost: evil"}))
    assert receiver.received == []
