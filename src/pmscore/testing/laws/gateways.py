"""Laws of gateways: whoever speaks with a platform says what it was given, and hears what was said.

Owns what every gateway promises, whatever its wire. What is special to one platform is tested beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from attrs import evolve

from pmscore.channels.model.calls import OutcomeKind
from pmscore.channels.model.manifest import CallKind, Lane
from pmscore.channels.model.revisions import Revision, RevisionStatus, StoredRevision
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_hostility import FateKind
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.draws import Draws
from pmscore.testing.gateway_scenes import START, GatewayScene, ScriptedHostility, Spoken, at_of, fate

__all__ = ["GatewayLaws"]

_LANES: Final = {Lane.AVAILABILITY: CallKind.PUSH_AVAILABILITY, Lane.PRICING: CallKind.PUSH_PRICING}
_OUTCOMES: Final = {
    FateKind.LOST_BEFORE: {OutcomeKind.DOWN, OutcomeKind.UNSURE},
    FateKind.LOST_AFTER: {OutcomeKind.UNSURE},
    FateKind.STALLED: {OutcomeKind.UNSURE},
    FateKind.MALFORMED: {OutcomeKind.UNSURE},
    FateKind.FAILED: {OutcomeKind.DOWN, OutcomeKind.UNSURE},
    FateKind.OUTAGE: {OutcomeKind.DOWN, OutcomeKind.UNSURE},
    FateKind.BUSY: {OutcomeKind.BUSY},
}
_ROOMS: Final = {
    "994d1375-dbbd-4072-8724-b2ab32ce781b": ("bab451e7-9ab1-4cc4-aa16-107bf7bbabb2",),
    "994d1375-dbbd-4072-8724-b2ab32ce781c": ("bab451e7-9ab1-4cc4-aa16-107bf7bbabb3",),
}


class GatewayLaws(ABC):
    """Base of every suite: subclass it and say how the gateway speaks to a platform.

    ``has_feed`` where sales come as a calendar feed; those laws are the feed's own. ``speaks_alone`` where nothing is
    answered, such as files that are written.
    """

    rooms: Mapping[str, tuple[str, ...]] = _ROOMS
    has_feed = False

    @abstractmethod
    def spoken(self, platform: RemotePlatform, clock: MovableClock, hostility: ScriptedHostility) -> Spoken:
        """Return a gateway whose wire ends at ``platform``, by way of what ``hostility`` says."""

    def scene(self) -> GatewayScene:
        """Return a new platform and a gateway to it, with a token where one is needed."""
        clock, hostility = MovableClock(START), ScriptedHostility()
        platform = RemotePlatform(clock=clock, chance=Draws(7), rooms=self.rooms, currency="EUR")
        spoken = self.spoken(platform, clock, hostility)
        scene = GatewayScene(
            gateway=spoken.gateway,
            platform=platform,
            hostility=hostility,
            clock=clock,
            at=at_of(spoken, platform),
        )
        return scene.authorised()

    def messages(self, scene: GatewayScene) -> Iterator[tuple[Lane, frozenset[MatrixField]]]:
        """Yield each kind of message that the gateway sends."""
        for lane, messages in scene.gateway.manifest.messages.items():
            for message in messages:
                yield lane, message

    def test_the_manifest_is_whole(self) -> None:
        """It sends in lanes that it has, names its evidence, and counts every kind of call that has a limit."""
        manifest = self.scene().gateway.manifest
        assert set(manifest.messages) <= manifest.lanes
        assert MatrixField.SELLABLE not in manifest.fields_of(Lane.PRICING)
        assert manifest.evidence
        assert manifest.platforms
        assert len({group.name for group in manifest.calls}) == len(manifest.calls)
        wanted = {kind for lane, kind in _LANES.items() if manifest.messages.get(lane)}
        assert all(manifest.groups(kind) for kind in wanted), "a push is counted in no group"
        assert all(group.longest_seconds > 15 for group in manifest.calls), "shorter than the transport waits"

    def test_a_push_is_one_call(self) -> None:
        """Whatever the number of its entries."""
        scene = self.scene()
        for lane, message in self.messages(scene):
            before = scene.calls()
            result = scene.pushed(lane, scene.entries(message))
            assert result.outcome.kind is OutcomeKind.DONE, result
            assert not result.refused
            assert scene.calls() == before + 1

    def test_every_declared_field_arrives_on_its_nights_and_on_no_other(self) -> None:
        """The night before and the night after stay as they were; a value may be taken back."""
        scene = self.scene()
        for lane, message in self.messages(scene):
            for number in (0, 1):
                entries = scene.entries(message, number=number)
                assert entries
                result = scene.pushed(lane, entries)
                assert result.outcome.kind is OutcomeKind.DONE, result
                for entry in entries:
                    length = entry.nights.length
                    for cell, row in scene.told(entry).items():
                        value = entry.values[cell]
                        assert row == (None, *(value,) * length, None), (cell, row)

    def test_the_fate_of_a_call_is_told_as_it_is(self) -> None:
        """Lost, refused, late or unreadable: never done, and never an error."""
        for kind, kinds in _OUTCOMES.items():
            scene = self.scene()
            for lane, message in self.messages(scene):
                scene.hostility.meets(fate(kind))
                outcome = scene.pushed(lane, scene.entries(message)).outcome
                assert outcome.kind in kinds, (kind, outcome)
                assert outcome.error
                if kind is FateKind.BUSY:
                    assert outcome.retry_after == 37

    def test_what_the_platform_does_not_know_is_refused_by_name(self) -> None:
        """The rest is taken, or nothing is; a refusal is never taken for success."""
        scene, _ = self.scene().with_stranger()
        for lane, message in self.messages(scene):
            entries = scene.entries(message)
            result = scene.pushed(lane, entries)
            strangers = {entries[-1].mapping_id}
            if result.outcome.kind is OutcomeKind.PARTLY:
                assert {each.mapping_id for each in result.refused} == strangers
                assert {each.nights for each in result.refused} == {scene.nights}
                taken = entries[:-1]
                assert all(row[1] is not None for entry in taken for row in scene.told(entry).values())
            else:
                assert result.outcome.kind is OutcomeKind.REFUSED, result
                assert not any(row[1] for row in scene.told(entries[-1]).values())

    def test_other_credentials_are_refused_as_such(self) -> None:
        """And nothing is taken over."""
        scene = self.scene()
        manifest = scene.gateway.manifest
        if not manifest.credentials and not manifest.partner_settings:
            return
        wrong = evolve(
            scene.at,
            credentials=_other(scene.at.credentials),
            partner=_other(scene.at.partner),
            token=None if scene.at.token is None else Secret("other"),
        )
        blind = evolve(scene, at=wrong)
        assert not blind.gateway.check(wrong).is_healthy
        for lane, message in self.messages(scene):
            entries = scene.entries(message)
            assert blind.pushed(lane, entries).outcome.kind is OutcomeKind.UNAUTHORISED
            assert all(not any(row) for entry in entries for row in scene.told(entry).values())
        if Lane.BOOKINGS in manifest.lanes and not self.has_feed:
            assert blind.gateway.pull(wrong, "").outcome.kind is OutcomeKind.UNAUTHORISED

    def test_no_secret_shows(self) -> None:
        """Neither in what a gateway is given nor in what it answers, whatever happens."""
        scene = self.scene()
        secrets = [each.reveal() for each in (*scene.at.credentials.values(), *scene.at.partner.values())]
        secrets += [] if scene.at.token is None else [scene.at.token.reveal()]
        shown = [repr(scene.at), repr(scene.gateway), repr(scene.gateway.manifest)]
        for kind in _OUTCOMES:
            scene.hostility.meets(fate(kind))
            shown.append(repr(scene.gateway.check(scene.at)))
            scene.hostility.meets(fate(kind))
            shown.append(repr(scene.gateway.pull(scene.at, "")))
        assert not [each for each in secrets if any(each in text for text in shown)]

    def test_a_connection_that_works_is_healthy_and_one_that_does_not_says_why(self) -> None:
        """A check is no error, either."""
        scene = self.scene()
        assert scene.gateway.check(scene.at).is_healthy
        scene.hostility.meets(fate(FateKind.FAILED), fate(FateKind.FAILED), fate(FateKind.FAILED))
        found = scene.gateway.check(scene.at)
        assert not found.is_healthy
        assert found.message
        assert found.error_code

    def test_rooms_and_rates_of_the_platform_are_listed(self) -> None:
        """Where the manifest says so; elsewhere it is refused."""
        scene = self.scene()
        outcome, found = scene.gateway.rooms(scene.at)
        if not scene.gateway.manifest.lists_rooms:
            assert (outcome.kind, outcome.error, found) == (OutcomeKind.REFUSED, "not_supported", ())
            return
        assert outcome.kind is OutcomeKind.DONE
        listed = {room.room_code: tuple(rate.rate_code for rate in room.rates) for room in found}
        assert listed == {code: tuple(rates) for code, rates in self.rooms.items()}

    def test_what_was_told_can_be_read_back(self) -> None:
        """Where the manifest says so; elsewhere it is refused."""
        scene = self.scene()
        reads = scene.gateway.manifest.reads_back
        for lane, message in self.messages(scene):
            entries = scene.entries(message)
            scene.pushed(lane, entries)
            found = scene.gateway.read_back(scene.at, lane, scene.nights)
            if not reads:
                assert (found.outcome.kind, found.outcome.error) == (OutcomeKind.REFUSED, "not_supported")
                continue
            assert found.outcome.kind is OutcomeKind.DONE
            assert found.rows is not None
            runs = [run for entry in entries for run in entry.runs() if run.key in found.rows.rows]
            assert runs
            for run in runs:
                assert found.rows.row(run.key) == (run.value,) * run.nights.length, run.key

    def test_bookings_can_be_read_back(self) -> None:
        """Those with a night in the range, with their newest state; or the platform cannot say, and it is refused."""
        scene = self.scene()
        day = scene.nights.start
        sold = [scene.platform.oversell(day, day) for _ in range(2)]
        scene.platform.oversell(day + timedelta(days=40), day + timedelta(days=40))
        found = scene.gateway.read_back(scene.at, Lane.BOOKINGS, scene.nights)
        if found.outcome.kind is OutcomeKind.REFUSED:
            assert found.outcome.error == "not_supported"
            return
        assert found.outcome.kind is OutcomeKind.DONE
        assert _facts(found.bookings) == _facts(sold)
        assert {each.revision_id for each in found.bookings} == {each.revision_id for each in sold}

    def test_what_was_sold_is_told_until_it_is_acknowledged(self) -> None:
        """New, changed and cancelled, with nights, guests and prices as they were sold."""
        scene = self.scene()
        if not self._sells(scene):
            return
        sold = [self._sold(scene) for _ in range(2)]
        scene.clock.advance(timedelta(minutes=5))
        first = self._pulled(scene)
        assert _facts(first) == _facts(sold)
        again = self._pulled(scene)
        assert _facts(again) == _facts(sold)
        for each in again:
            outcome = scene.gateway.acknowledge(scene.at, (scene.stored(each),))
            assert outcome.kind is OutcomeKind.DONE, outcome
            scene.clock.advance(timedelta(minutes=1))
        assert scene.platform.is_all_known
        cancelled = scene.platform.cancel(START.date())
        assert cancelled is not None
        scene.clock.advance(timedelta(minutes=5))
        (after,) = self._pulled(scene)
        assert (after.booking_key, after.status) == (cancelled.booking_key, RevisionStatus.CANCELLED)
        assert after.booking_key in {each.booking_key for each in first}

    def test_an_acknowledgement_is_one_call(self) -> None:
        """Whatever the number of its revisions, as long as they are of one queue and the manifest allows so many."""
        scene = self.scene()
        if not self._sells(scene):
            return
        for _ in range(3):
            self._sold(scene)
        self._acknowledged_in_groups(scene)
        assert scene.platform.cancel(START.date()) is not None
        self._sold(scene)
        self._acknowledged_in_groups(scene)
        assert scene.platform.is_all_known

    def test_an_acknowledgement_may_be_repeated(self) -> None:
        """Its answer may have been lost."""
        scene = self.scene()
        if not self._sells(scene):
            return
        self._sold(scene)
        (pulled,) = self._pulled(scene)
        scene.hostility.meets(fate(FateKind.LOST_AFTER))
        stored = (scene.stored(pulled),)
        assert scene.gateway.acknowledge(scene.at, stored).kind is OutcomeKind.UNSURE
        scene.clock.advance(timedelta(minutes=1))
        assert scene.gateway.acknowledge(scene.at, stored).kind is OutcomeKind.DONE
        assert scene.platform.is_all_known

    def test_a_pull_that_fails_keeps_its_place(self) -> None:
        """Nothing is told, nothing is lost, and it raises nothing."""
        for kind, kinds in _OUTCOMES.items():
            scene = self.scene()
            if not self._sells(scene):
                return
            self._sold(scene)
            scene.hostility.meets(fate(kind))
            found = scene.gateway.pull(scene.at, "")
            assert found.outcome.kind in kinds, (kind, found.outcome)
            assert (found.revisions, found.cursor) == ((), "")
            scene.clock.advance(timedelta(minutes=5))
            assert len(self._pulled(scene)) == 1

    def test_one_message_that_makes_no_sense_hides_no_other(self) -> None:
        """It is told as malformed, with what it said."""
        scene = self.scene()
        if not self._sells(scene):
            return
        sold = self._sold(scene)
        scene.platform.garble()
        found = scene.gateway.pull(scene.at, "")
        assert [each.booking_key for each in found.revisions] == [sold.booking_key]
        assert len(found.malformed) == 1
        assert found.malformed[0].reason
        assert found.malformed[0].digest

    def _sells(self, scene: GatewayScene) -> bool:
        return Lane.BOOKINGS in scene.gateway.manifest.lanes and not self.has_feed

    def _acknowledged_in_groups(self, scene: GatewayScene) -> None:
        scene.clock.advance(timedelta(minutes=5))
        queues: dict[str, list[StoredRevision]] = {}
        for each in map(scene.stored, self._pulled(scene)):
            queues.setdefault(scene.gateway.queue_of(each), []).append(each)
        most = scene.gateway.manifest.most_acknowledged
        for queue in queues.values():
            for first in range(0, len(queue), most):
                before = scene.calls()
                outcome = scene.gateway.acknowledge(scene.at, queue[first : first + most])
                assert outcome.kind is OutcomeKind.DONE, outcome
                assert scene.calls() == before + 1
                scene.clock.advance(timedelta(minutes=1))

    def _sold(self, scene: GatewayScene) -> Revision:
        day = scene.nights.start
        return scene.platform.oversell(day, day + timedelta(days=30))

    def _pulled(self, scene: GatewayScene) -> list[Revision]:
        found: list[Revision] = []
        cursor, more = "", True
        while more:
            page = scene.gateway.pull(scene.at, cursor)
            assert page.outcome.kind is OutcomeKind.DONE, page.outcome
            found += page.revisions
            cursor, more = page.cursor, page.has_more
        return found


def _facts(revisions: Iterable[Revision]) -> list[tuple[object, ...]]:
    """Return what every platform says of its bookings, in an order of its own."""
    return sorted(
        (
            each.booking_key,
            each.status.value,
            each.currency,
            tuple(
                (room.room_code, room.stay.arrival, room.stay.departure, room.adults, room.nightly)
                for room in each.rooms
            ),
        )
        for each in revisions
    )


def _other(secrets: Mapping[str, Secret]) -> dict[str, Secret]:
    return {name: Secret("other") for name in secrets}
