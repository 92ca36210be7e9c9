"""A gateway that speaks to a simulated platform without a wire, with everything that can go wrong on one.

Owns carrying out the fate of a call, and the check that each push keeps to its manifest. Leaves what the
platform does to ``channel_platform``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from attrs import evolve

from pmscore.channels.model.ari import UNKNOWN, AriRows, AriRun, Entry, RowKey
from pmscore.channels.model.calls import (
    At,
    Health,
    Knock,
    Outcome,
    OutcomeKind,
    Pulled,
    Push,
    PushResult,
    ReadBack,
    RemoteRate,
    RemoteRoom,
    Renewed,
)
from pmscore.channels.model.manifest import CallKind, Lane, Manifest
from pmscore.channels.model.mappings import MappedRate, MappedRoom
from pmscore.channels.model.revisions import Malformed, StoredRevision
from pmscore.channels.ports import ChannelGateway, GatewayBase
from pmscore.dates.ranges import DateRange
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_hostility import Fate, FateKind, Hostility
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock

__all__ = ["PUSH_KINDS", "DirectGateway", "TunedGateway"]

PUSH_KINDS: Final = {Lane.AVAILABILITY: CallKind.PUSH_AVAILABILITY, Lane.PRICING: CallKind.PUSH_PRICING}
LATENCY: Final = timedelta(milliseconds=120)
TOKEN_LASTS: Final = timedelta(hours=1)


class DirectGateway(GatewayBase):
    """Speaks to one platform; the clock moves with each call, and stands at the end of a stall.

    ``breaches`` says each time a push was not what the manifest allows.
    """

    def __init__(
        self, manifest: Manifest, platform: RemotePlatform, hostility: Hostility, clock: MovableClock
    ) -> None:
        self._manifest = manifest
        self._platform = platform
        self._hostility = hostility
        self._clock = clock
        self._token = 0
        self.breaches: list[str] = []
        self.pushes = 0

    @property
    def manifest(self) -> Manifest:
        """What the gateway can."""
        return self._manifest

    def check(self, at: At) -> Health:
        """Return whether the platform answers."""
        outcome = self._called(at, CallKind.CHECK, lambda: None)
        return Health(outcome.kind is OutcomeKind.DONE, outcome.error or "ok")

    def rooms(self, at: At) -> tuple[Outcome, tuple[RemoteRoom, ...]]:
        """Return the rooms and rates of the platform."""
        outcome = self._called(at, CallKind.CHECK, lambda: None)
        found = tuple(
            RemoteRoom(code, code.title(), tuple(RemoteRate(code, each, each.title()) for each in rates))
            for code, rates in self._platform.rooms.items()
        )
        return outcome, found if outcome.kind is OutcomeKind.DONE else ()

    def push(self, at: At, push: Push) -> PushResult:
        """Tell the platform the cells of a push, in one call."""
        self.pushes += 1
        self.breaches += _breaches(push, self._manifest)

        def tell() -> None:
            for run in (run for entry in push.entries for run in self.written(entry)):
                mapped = at.mappings.by_id(run.key.mapping_id)
                if mapped is None:
                    self.breaches.append("unmapped")
                    continue
                room_code, rate_code = _codes(mapped)
                self._platform.tell(
                    room_code, rate_code, run.key.field, run.nights, run.value, occupancy=run.key.occupancy
                )

        return PushResult(self._called(at, PUSH_KINDS[push.lane], tell))

    def written(self, entry: Entry) -> Sequence[AriRun]:
        """Return the cells that an entry says; where a test puts a wrong codec in."""
        return entry.runs()

    def pull(self, at: At, cursor: str) -> Pulled:
        """Fetch what the platform has to tell, some of it twice and out of turn."""
        outcome = self._called(at, CallKind.PULL, lambda: None)
        if outcome.kind is not OutcomeKind.DONE:
            return Pulled(outcome=outcome, cursor=cursor)
        garbled = tuple(
            Malformed(digest=each.message_id, reason="unreadable", raw=each.text, revision_id=each.message_id)
            for each in self._platform.pending_garbled()
        )
        waiting = self._platform.pending()
        repeated = self._hostility.delivered(self._platform.history[-3:])[3:]
        return Pulled(
            outcome=outcome,
            revisions=(*self._hostility.delivered(waiting), *repeated),
            malformed=garbled,
            cursor=cursor,
        )

    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:
        """Tell the platform that we know these."""
        wanted = tuple(each.revision_id for each in revisions)
        return self._called(at, CallKind.ACKNOWLEDGE, lambda: self._platform.acknowledge(wanted))

    def read_back(self, at: At, lane: Lane, nights: DateRange) -> ReadBack:
        """Return what the platform has, on the lanes that are sent; of the lane of bookings what is still to come."""
        outcome = self._called(at, CallKind.READ_BACK, lambda: None)
        if outcome.kind is not OutcomeKind.DONE:
            return ReadBack(outcome=outcome)
        if lane is Lane.BOOKINGS:
            found = tuple(
                each
                for each in self._platform.bookings.values()
                if any(room.stay.departure > nights.start for room in each.rooms)
            )
            return ReadBack(outcome=outcome, bookings=found)
        rows = {
            key: tuple(
                UNKNOWN if value is None else value
                for value in self._platform.row(*codes, key.field, nights, occupancy=key.occupancy)
            )
            for key, codes in _keys(at, self._manifest, lane)
        }
        return ReadBack(outcome=outcome, rows=AriRows(nights, rows))

    def renew(self, at: At) -> Renewed:
        """Return the next token, which makes the one before it worthless."""

        def draw() -> None:
            self._token += 1

        outcome = self._called(evolve(at, token=None), CallKind.TOKEN, draw)
        if outcome.kind is not OutcomeKind.DONE:
            return Renewed(outcome)
        return Renewed(outcome, Secret(f"token-{self._token}"), self._clock.now() + TOKEN_LASTS)

    def read_knock(self, at: At, knock: Knock) -> Pulled:  # noqa: ARG002 - any knock will do
        """Take every knock for a call to fetch."""
        return Pulled(outcome=Outcome(OutcomeKind.DONE))

    def _called(self, at: At, kind: CallKind, act: Callable[[], None]) -> Outcome:
        fate = self._hostility.fate(self._clock.now())
        if fate.kind is FateKind.TOKEN_EXPIRED and not (self._manifest.needs_token and at.token):
            fate = Fate(kind=FateKind.FAILED, status=500)
        self._clock.advance(LATENCY)
        if fate.kind is FateKind.LOST_BEFORE:
            return Outcome(OutcomeKind.DOWN, "connection_broken")
        keeps = self._platform.calls.arrived(kind, self._clock.now())
        self._platform.calls.left(kind)
        if not keeps:
            return Outcome(OutcomeKind.BUSY, "limit_exceeded", 60.0)
        if self._is_unknown(at, kind):
            return Outcome(OutcomeKind.UNAUTHORISED, "token_unknown")
        if fate.is_carried_out:
            act()
        self._clock.advance(LATENCY + timedelta(seconds=fate.stall))
        return _told(fate)

    def _is_unknown(self, at: At, kind: CallKind) -> bool:
        if not self._manifest.needs_token or kind is CallKind.TOKEN:
            return False
        return at.token != Secret(f"token-{self._token}")


class TunedGateway(ChannelGateway):
    """Another gateway under another manifest: a shorter horizon, rarer polls, no reading back."""

    def __init__(self, gateway: ChannelGateway, manifest: Manifest) -> None:
        self._gateway = gateway
        self._manifest = manifest

    @property
    def manifest(self) -> Manifest:
        """The other manifest."""
        return self._manifest

    def check(self, at: At) -> Health:
        """Pass it on; so do all below."""
        return self._gateway.check(at)

    def rooms(self, at: At) -> tuple[Outcome, tuple[RemoteRoom, ...]]:
        """Pass it on."""
        return self._gateway.rooms(at)

    def push(self, at: At, push: Push) -> PushResult:
        """Pass it on."""
        return self._gateway.push(at, push)

    def pull(self, at: At, cursor: str) -> Pulled:
        """Pass it on."""
        return self._gateway.pull(at, cursor)

    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:
        """Pass it on."""
        return self._gateway.acknowledge(at, revisions)

    def queue_of(self, stored: StoredRevision) -> str:
        """Pass it on."""
        return self._gateway.queue_of(stored)

    def read_back(self, at: At, lane: Lane, nights: DateRange) -> ReadBack:
        """Pass it on."""
        return self._gateway.read_back(at, lane, nights)

    def renew(self, at: At) -> Renewed:
        """Pass it on."""
        return self._gateway.renew(at)

    def read_knock(self, at: At, knock: Knock) -> Pulled:
        """Pass it on."""
        return self._gateway.read_knock(at, knock)


def _told(fate: Fate) -> Outcome:
    """Return what the caller learns of a call with this fate."""
    match fate.kind:
        case FateKind.PASS:
            return Outcome(OutcomeKind.DONE)
        case FateKind.LOST_BEFORE | FateKind.FAILED | FateKind.OUTAGE:
            return Outcome(OutcomeKind.DOWN, f"status_{fate.status}")
        case FateKind.LOST_AFTER | FateKind.STALLED:
            return Outcome(OutcomeKind.UNSURE, "answer_lost")
        case FateKind.MALFORMED:
            return Outcome(OutcomeKind.UNSURE, "unreadable")
        case FateKind.BUSY:
            return Outcome(OutcomeKind.BUSY, "status_429", float(fate.retry_after))
        case FateKind.TOKEN_EXPIRED:
            return Outcome(OutcomeKind.UNAUTHORISED, "token_expired")


def _codes(mapped: MappedRoom | MappedRate) -> tuple[str, str]:
    return mapped.room_code, mapped.rate_code if isinstance(mapped, MappedRate) else ""


def _keys(at: At, manifest: Manifest, lane: Lane) -> Iterator[tuple[RowKey, tuple[str, str]]]:
    """Yield the rows of a lane with the codes they go by."""
    fields = manifest.fields_of(lane)
    for room in at.mappings.rooms:
        if MatrixField.SELLABLE in fields:
            yield RowKey(room.mapping_id, MatrixField.SELLABLE), (room.room_code, "")
    for rate in at.mappings.rates:
        for name in sorted(fields - {MatrixField.SELLABLE}):
            for occupancy in rate.prices_for if name is MatrixField.RATE else (0,):
                yield RowKey(rate.mapping_id, name, occupancy), (rate.room_code, rate.rate_code)


def _breaches(push: Push, manifest: Manifest) -> Iterator[str]:
    """Yield what a push does that its manifest does not allow."""
    messages = manifest.messages.get(push.lane, ())
    if not 1 <= len(push.entries) <= manifest.most_entries:
        yield f"{len(push.entries)} entries"
    said = {name for entry in push.entries for name, _ in entry.values}
    if not any(said <= message for message in messages):
        yield f"fields {sorted(said)} in one message"
    for entry in push.entries:
        if entry.nights.length > manifest.most_nights:
            yield f"{entry.nights.length} nights in one entry"
        if any(value < 0 for value in entry.values.values()):
            yield "a negative value"
        names = {name for name, _ in entry.values}
        if names & manifest.whole and not (manifest.whole & _of_message(names, messages)) <= names:
            yield "an entry that is not whole"


def _of_message(
    names: set[MatrixField], messages: Sequence[frozenset[MatrixField]]
) -> frozenset[MatrixField]:
    return next((each for each in messages if names <= each), frozenset[MatrixField]())
