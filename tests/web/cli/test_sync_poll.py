"""``pms sync-poll``: what it says, how it ends, and that no odd answer stops it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from pms_adapters.http.door import Answer
from pms_web.cli.main import pms
from pms_web.cli.sync_poll import FAILED, MISSING, SUCCESS, Poll
from pmscore.channels.use_cases.operations import SyncType

ASKED = {"status": "triggered", "task_ids": ["t1"], "batch_id": None}
LISTED = {"items": [{"id": "c1"}]}


def row(status: str, task: str = "t1") -> dict[str, str]:
    return {"operation_type": "availability_update", "status": status, "task_id": task}


def answer(body: object = b"", status: int = 200) -> Answer:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status=status, headers={}, body=sent, seconds=0.0)


def polled(*answers: Answer, cid: str = "c1", most: int = 5) -> tuple[int, list[str], list[float]]:
    said: list[str] = []
    pauses: list[float] = []
    left = iter(answers)
    poll = Poll(send=lambda *_: next(left), say=said.append, pause=pauses.append, most=most, interval=0.5)
    code = poll.run(cid, SyncType.AVAILABILITY)
    assert next(left, None) is None, "not everything was asked for"
    return code, said, pauses


def test_it_ends_well_when_its_own_operation_is_done():
    others = [row("success", "earlier")]
    code, said, pauses = polled(
        answer(ASKED),
        answer({"items": others}),
        answer({"items": [row("running"), *others]}),
        answer({"items": [row("success"), *others]}),
    )
    assert (code, pauses) == (SUCCESS, [0.5, 0.5])
    assert said[0] == "Found operations: [] (need: [t1])"
    assert said[1] == "Found operations: [availability_update=running] (need: [t1])"
    assert "SYNC COMPLETED SUCCESSFULLY" in said


def test_odd_answers_do_not_stop_it():
    code, said, _ = polled(
        answer(ASKED), answer(), answer(b"<html>" + b"x" * 400), answer({"items": [row("success")]})
    )
    assert code == SUCCESS
    assert said[0] == "Empty response (bytes=0), retrying..."
    assert said[1] == "Invalid JSON, retrying: <html>" + "x" * 194


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([answer(ASKED), answer({"items": [row("failed")]})], FAILED),
        ([answer({"message": "Connection not found"}, 404)], FAILED),
        ([answer({"task_ids": []})], FAILED),
        ([answer(ASKED), *[answer({"items": []})] * 5], MISSING),
        ([answer(ASKED), *[answer({"items": [row("success", "another")]})] * 5], MISSING),
    ],
    ids=["failed", "not there", "nothing asked for", "never seen", "somebody else's"],
)
def test_what_is_not_done_is_no_success(answers: list[Answer], code: int):
    assert polled(*answers)[0] == code


def test_a_proxy_without_an_app_is_asked_again_for_a_while():
    gone = answer(b"<html>", 502)
    code, said, pauses = polled(
        gone, gone, answer(LISTED), answer(ASKED), answer({"items": [row("success")]}), cid=""
    )
    assert (code, pauses) == (SUCCESS, [1.0, 2.0])
    assert said[:2] == ["Transient 502 error (deploy/proxy hiccup), retrying..."] * 2
    assert polled(*[gone] * 6, cid="")[0] == MISSING


@pytest.fixture
def app() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({"items": [row("success")]})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            is_known = self.headers["authorization"] == "Bearer k"
            self._send(ASKED if is_known else {"message": "no"}, 200 if is_known else 401)

        def _send(self, body: object, status: int = 200) -> None:
            sent = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("token", "code"), [("k", SUCCESS), ("other", FAILED)])
def test_over_http_the_key_is_shown_and_the_end_is_the_commands(app: str, token: str, code: int):
    told = CliRunner().invoke(pms, ["sync-poll", "--url", app, "--cid", "c1", "--token", token])
    assert told.exit_code == code, told.output
    assert ("SYNC COMPLETED SUCCESSFULLY" in told.output) is (code == SUCCESS)
