"""A gateway of somebody else's distribution: "Tinysell" hears how many rooms may be sold, and nothing more.

Needs pmscore[adapters]. Run it: it holds the gateway to the laws that ours are held to, and says which were
kept. The page docs/howto/write-a-gateway.md walks through it.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any, ClassVar

from pms_adapters.http.door import Answer, Call
from pms_adapters.http.wire import Wire, asked
from pms_adapters.lab.channel_sim.face import Arrived, Face, answer_of
from pms_adapters.lab.channel_sim.wire import SimulatedWire
from pms_adapters.serialization.json import parse
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.channels.model.calls import At, Health, Outcome, OutcomeKind, Push, PushResult
from pmscore.channels.model.manifest import (
    CallGroup,
    CallKind,
    CredentialField,
    Lane,
    Manifest,
    Platform,
    Standing,
    Window,
)
from pmscore.channels.ports import GatewayBase
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ports import Clock
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.gateway_scenes import ScriptedHostility, Spoken
from pmscore.testing.laws.gateways import GatewayLaws

ADDRESS = "https://api.tinysell.example"

# 1. What it can. The engine goes by this alone: what is not declared is never sent.
MANIFEST = Manifest(
    gateway="tinysell",
    title="Tinysell",
    platforms=frozenset({Platform.FEWO_DIREKT}),
    standing=Standing.COMPLETE,
    evidence=("the example of this page, by the laws of gateways",),
    lanes=frozenset({Lane.AVAILABILITY}),
    messages={Lane.AVAILABILITY: (frozenset({MatrixField.SELLABLE}),)},
    horizon_days=365,
    most_entries=200,
    calls=(
        CallGroup(
            name="counts",
            kinds=frozenset({CallKind.PUSH_AVAILABILITY, CallKind.CHECK}),
            windows=(Window(calls=30, seconds=60),),
        ),
    ),
    credentials=(CredentialField(name="api_key"),),
    base_urls={"production": ADDRESS},
)


# 2. The codec: contracts on one side, bytes on the other, and nothing else.
def counts_body(at: At, push: Push) -> bytes:
    """Return the message of a push. Tinysell's ranges end with a night, ours before the day of departure."""
    rooms = {each.mapping_id: each.room_code for each in at.mappings.rooms}
    counts = [
        {
            "room": rooms[entry.mapping_id],
            "first": entry.nights.start.isoformat(),
            "last": entry.nights.last_night.isoformat(),
            "count": value,
        }
        for entry in push.entries
        for value in entry.values.values()
    ]
    return json.dumps({"counts": counts}).encode()


def counts_taken(answer: Answer) -> int | None:
    """Return how many counts an answer says that it took; None where it cannot be read."""
    try:
        found = parse(answer.body)
    except UnreadableError:
        return None
    taken = found.get("taken") if isinstance(found, dict) else None
    return taken if isinstance(taken, int) else None


# 3. The client: one call a method, no state, and no error for what the other side does.
class TinysellGateway(GatewayBase):
    """Speaks with Tinysell through a wire; what it does not override is refused as not supported."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        del clock
        self._wire = wire

    @property
    def manifest(self) -> Manifest:
        """What it can."""
        return MANIFEST

    def check(self, at: At) -> Health:
        """Ask for the house."""
        outcome, answer = self._asked(at, "GET")
        if outcome.kind is OutcomeKind.DONE and (answer is None or counts_taken(answer) is None):
            outcome = Outcome(OutcomeKind.UNSURE, "unreadable")
        if outcome.kind is not OutcomeKind.DONE:
            return Health(
                is_healthy=False, message=f"Tinysell: {outcome.error}", error_code=outcome.kind.name
            )
        return Health(is_healthy=True, message="Connection is healthy")

    def push(self, at: At, push: Push) -> PushResult:
        """Send all entries in one call; one that is unknown there makes Tinysell take none."""
        outcome, answer = self._asked(at, "PUT", counts_body(at, push))
        if outcome.kind is OutcomeKind.DONE and (answer is None or counts_taken(answer) != len(push.entries)):
            # An answer of success that cannot be read is as good as none: it is told again, never believed.
            outcome = Outcome(OutcomeKind.UNSURE, "unreadable")
        return PushResult(outcome)

    def _asked(self, at: At, method: str, body: bytes = b"") -> tuple[Outcome, Answer | None]:
        key = at.credentials["api_key"].reveal()
        url = f"{ADDRESS}/houses/{at.connection.listing_id}"
        headers: dict[str, str | Secret] = {
            "authorization": Secret(f"Bearer {key}"),
            "content-type": "application/json",
        }
        reply = asked(self._wire, Call(method=method, url=url, headers=headers, body=body))
        return reply.outcome, reply.answer


# 4. The other side, written from what the platform publishes and not from the gateway.
class TinysellFace(Face):
    """Tinysell as it describes itself: all counts of a message are taken, or none."""

    name = "tinysell"
    addresses: ClassVar[tuple[str, ...]] = (ADDRESS,)
    limits = MANIFEST.calls

    def kind_of(self, call: Arrived) -> CallKind:
        """Return what a call counts as."""
        return CallKind.CHECK if call.method == "GET" else CallKind.PUSH_AVAILABILITY

    def too_many(self) -> Answer:
        """Return what is said to a call too many."""
        return answer_of(429, b'{"error": "slow down"}', retry_after="60")

    def answer(self, call: Arrived) -> Answer:
        """Carry a call out."""
        if call.headers.get("authorization") != "Bearer key-of-the-example":
            return answer_of(401, b'{"error": "who are you?"}')
        counts: list[dict[str, Any]] = json.loads(call.body)["counts"] if call.method == "PUT" else []
        unknown = sorted({each["room"] for each in counts} - set(self.platform.rooms))
        if unknown:
            return answer_of(422, json.dumps({"unknown": unknown}).encode())
        for each in counts:
            first, last = date.fromisoformat(each["first"]), date.fromisoformat(each["last"])
            nights = DateRange.of(first, (last - first).days + 1)
            self.platform.tell(each["room"], "", MatrixField.SELLABLE, nights, each["count"])
        return answer_of(200, json.dumps({"taken": len(counts)}).encode())


# 5. The laws, which every gateway keeps; as a class of a test suite, pytest finds them by itself.
class TestTinysellKeepsTheLaws(GatewayLaws):
    """Says how the gateway speaks to a platform in this process."""

    gateway = TinysellGateway

    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        """Return the gateway behind a wire that ends at the face."""
        face = TinysellFace(platform, clock=clock, hostility=hostility)
        wire = SimulatedWire((face,), clock=clock, hostility=hostility)
        key = Secret("key-of-the-example")
        return Spoken(
            gateway=type(self).gateway(wire, clock), credentials={"api_key": key}, listing_id="house-7"
        )


def main() -> None:
    """Hold the gateway to each law and say so."""
    laws = [name for name in dir(GatewayLaws) if name.startswith("test_")]
    for name in laws:
        getattr(TestTinysellKeepsTheLaws(), name)()
        print(f"kept: {name.removeprefix('test_').replace('_', ' ')}")
    print(f"{MANIFEST.title} keeps {len(laws)} laws")


if __name__ == "__main__":
    main()
