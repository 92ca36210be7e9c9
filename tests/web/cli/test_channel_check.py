"""The self-check's look at a channel finds what does not work, and passes with a word where there is no channel."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pms_adapters.lab.channel_sim.opening import simulated
from pms_adapters.system import SystemClock
from pms_web.cli.channel_check import NONE, ChannelVisitor
from pms_web.cli.visiting import Caller, CheckFailedError

LIST = "/api/v1/channel-connections"


@contextmanager
def app(answers: Mapping[str, object]) -> Iterator[Caller]:
    """Yield somebody who calls a house that answers each address in one way, and 404 to all others."""

    class House(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers["content-length"] or 0))
            found = answers.get(self.path)
            sent = json.dumps({} if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), House)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield Caller(f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()


def connection(base_url: str, status: str = "active") -> dict[str, object]:
    metadata = {"base_url": base_url}
    return {"id": "c", "platform_type": "channex", "status": status, "platform_metadata": metadata}


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {LIST: {"items": []}},
        {LIST: {"items": [connection("https://channex.example")]}},
        {LIST: {"items": [connection("http://127.0.0.1:1/channex", "paused")]}},
    ],
    ids=["module off", "no connection", "a real platform", "paused"],
)
def test_a_house_without_a_simulated_platform_passes_with_a_word(answers: dict[str, object]) -> None:
    with app(answers) as caller:
        visitor = ChannelVisitor(caller)
        assert [visitor.connected(), visitor.told(), visitor.sold()] == [NONE] * 3


def test_a_connection_that_does_not_work_says_why() -> None:
    listed = {"items": [connection("http://127.0.0.1:1/channex")]}
    answers = {LIST: listed, f"{LIST}/c/test": {"healthy": False, "message": "nobody there"}}
    with app(answers) as caller, pytest.raises(CheckFailedError, match="nobody there"):
        ChannelVisitor(caller).connected()


def test_a_platform_that_hears_nothing_is_found_out() -> None:
    with simulated(["channex"], seed=9, clock=SystemClock()) as simulation:
        rooms = [
            {"room_code": code, "unit_type_id": "t"}
            for code in simulation.houses["channex"].face.platform.rooms
        ]
        answers = {
            LIST: {"items": [connection(simulation.server.url("channex"))]},
            f"{LIST}/c/test": {"healthy": True, "message": ""},
            f"{LIST}/c/mappings": {"rooms": rooms},
        }
        with app(answers) as caller:
            visitor = ChannelVisitor(caller, patience=0.3)
            assert "channex at http://127.0.0.1:" in str(visitor.connected())
            with pytest.raises(CheckFailedError, match="until the platform knows the house"):
                visitor.told()
            with pytest.raises(CheckFailedError, match="no guest of the platform found a room"):
                visitor.sold()
