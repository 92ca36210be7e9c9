"""What an answer means before its body is read, and which gateways there are."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from uuid import UUID

import pytest
from attrs import evolve

from pms_adapters.channels import GROUP, made_gateways
from pms_adapters.http.door import Answer, AnswerTooLargeError, Call, HttpDoor, Limits, Retries
from pms_adapters.http.guard import Guard
from pms_adapters.http.wire import Wire, asked, base_url, outcome_of
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.channels.model.calls import OutcomeKind
from pmscore.channels.model.connections import Connection, ConnectionStatus
from pmscore.channels.model.manifest import Manifest, Platform, Standing
from pmscore.channels.ports import GatewayBase
from pmscore.kernel.errors import InvalidInputError, PmsError, UnreachableError
from pmscore.kernel.ids import ConnectionId
from pmscore.testing.clocks import FixedClock

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
MANIFEST = Manifest(
    gateway="own",
    title="Own",
    platforms=frozenset({Platform.CHANNEX}),
    standing=Standing.COMPLETE,
    evidence=(),
    lanes=frozenset(),
    messages={},
    base_urls={"production": "https://own.example/api/", "staging": "https://staging.own.example/api"},
)
CONNECTION = Connection(
    connection_id=ConnectionId(UUID(int=1)),
    property_id=None,
    platform=Platform.CHANNEX,
    gateway="own",
    channel="own",
    status=ConnectionStatus.ACTIVE,
    created_at=NOW,
    updated_at=NOW,
)


class OwnGateway(GatewayBase):
    """A gateway of another distribution."""

    def __init__(self, wire: Wire, clock: FixedClock) -> None:
        self.wire = wire

    @property
    def manifest(self) -> Manifest:
        return MANIFEST


class FailingWire:
    def __init__(self, error: PmsError) -> None:
        self.error = error

    def send(self, call: Call, *, limits: Limits | None = None, retries: Retries | None = None) -> Answer:
        assert retries is not None
        assert retries.pauses == ()
        raise self.error

    def retry_after(self, answer: Answer) -> float | None:
        raise AssertionError(answer)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, "done"), (201, "done"), (204, "done"),
        (301, "unsure"), (302, "unsure"), (304, "unsure"),
        (400, "refused"), (404, "refused"), (409, "refused"), (413, "refused"), (422, "refused"),
        (401, "unauthorised"), (403, "unauthorised"), (407, "unauthorised"),
        (408, "unsure"), (425, "down"), (429, "busy"),
        (500, "unsure"), (502, "unsure"), (503, "down"), (504, "unsure"), (599, "unsure"),
    ],
)  # fmt: skip
def test_a_status_says_what_came_of_the_call(status: int, kind: str) -> None:
    found = outcome_of(Answer(status=status, headers={}, body=b"", seconds=0.1), retry_after=7.0)
    assert found.kind is OutcomeKind(kind)
    assert found.error == ("" if kind == "done" else f"http_{status}")
    assert found.retry_after == (
        7.0 if kind in {"busy", "down"} or status >= 500 or status in {301, 302, 304, 408} else None
    )


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (UnreachableError(reason="no_connection"), "down", "no_connection"),
        (UnreachableError(reason="name_not_resolved"), "down", "name_not_resolved"),
        (UnreachableError(reason="tls_failed"), "down", "tls_failed"),
        (UnreachableError(reason="no_free_connection"), "down", "no_free_connection"),
        (UnreachableError(reason="timeout"), "unsure", "timeout"),
        (UnreachableError(reason="broken_connection"), "unsure", "broken_connection"),
        (AnswerTooLargeError(most=5), "unsure", "answer_too_large"),
        (InvalidInputError("url", "closed_address"), "down", "closed_address"),
        (InvalidInputError("headers", "unprintable"), "unauthorised", "unprintable"),
    ],
)  # fmt: skip
def test_a_call_without_an_answer_is_lost_or_surely_not_done(error: PmsError, kind: str, word: str) -> None:
    reply = asked(FailingWire(error), Call(method="POST", url="https://own.example/"))
    assert (reply.outcome.kind, reply.outcome.error) == (OutcomeKind(kind), word)
    assert reply.answer is None


def test_an_unreadable_body_is_as_good_as_a_lost_answer() -> None:
    found = outcome_of(UnreadableError("not_json"))
    assert (found.kind, found.error) == (OutcomeKind.UNSURE, "unreadable_not_json")


def test_the_door_is_a_wire_and_its_guard_is_asked() -> None:
    with HttpDoor(Guard(), clock=FixedClock(NOW)) as door:
        reply = asked(door, Call(method="GET", url="http://169.254.169.254/latest"))
    assert reply.outcome.kind is OutcomeKind.DOWN


def test_the_address_is_the_one_of_the_environment_unless_the_connection_has_its_own() -> None:
    assert base_url(MANIFEST, CONNECTION) == "https://own.example/api"
    staging = evolve(CONNECTION, settings={"environment": "staging"})
    assert base_url(MANIFEST, staging) == "https://staging.own.example/api"
    own = evolve(
        CONNECTION, settings={"base_url": "http://127.0.0.1:9000/channex/", "environment": "staging"}
    )
    assert base_url(MANIFEST, own) == "http://127.0.0.1:9000/channex"
    assert not base_url(MANIFEST, evolve(CONNECTION, settings={"environment": "unknown"}))


def test_gateways_of_other_distributions_stand_beside_ours_and_a_broken_one_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wire, clock = FailingWire(UnreachableError(reason="timeout")), FixedClock(NOW)
    ours = set(made_gateways(wire, clock, points=()))
    points = (
        EntryPoint("own", f"{__name__}:OwnGateway", GROUP),
        EntryPoint("own_again", f"{__name__}:OwnGateway", GROUP),
        EntryPoint("broken", "no_such_module:gateway", GROUP),
    )
    with caplog.at_level(logging.WARNING, "pms_adapters.channels"):
        made = made_gateways(wire, clock, points=_loading(points))
    assert set(made) == ours | {"own"}
    assert "broken" in caplog.text
    assert "own_again" in caplog.text


def _loading(points: tuple[EntryPoint, ...]) -> tuple[EntryPoint, ...]:
    """Return entry points that find this test module, which is imported under no name of its own."""

    class Here(EntryPoint):
        def load(self) -> object:
            return OwnGateway if self.attr == "OwnGateway" else super().load()

    return tuple(Here(each.name, each.value, each.group) for each in points)
