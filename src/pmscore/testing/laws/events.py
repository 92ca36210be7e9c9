"""Laws of the event log: complete, in order, and readable while others write.

Owns what a reader of events may rely on; the reactions that read them are tested elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from pmscore.booking.model.lifecycle import Act
from pmscore.kernel.errors import NightsTakenError
from pmscore.kernel.ids import GuestId
from pmscore.testing.journal import LoggedEvent, Position
from pmscore.testing.laws.setting import StoreLaws, raised
from pmscore.testing.scenes import Scene, hotel, pool, stay

__all__ = ["EventLaws"]


class EventLaws(StoreLaws):
    """Every committed change is in the log once, with who and what, and no reader loses one."""

    def test_the_log_tells_the_life_of_a_booking(self) -> None:
        """Kinds, versions, request and actor of each step, in order."""
        scene = self.scene(hotel(1))
        booking_id = scene.book(stay(0, 2)).booking_id
        scene.act(booking_id, Act.CHECK_IN)
        scene.act(booking_id, Act.UNDO_CHECK_IN)
        scene.act(booking_id, Act.CANCEL)
        history = [each for each in _of(scene, (0, 0)) if each.aggregate_id == booking_id]
        assert [(each.kind, each.version) for each in history] == [
            ("booking.created", 1),
            ("booking.checkedIn", 2),
            ("booking.checkInUndone", 3),
            ("booking.cancelled", 4),
        ]
        assert {each.actor_id for each in history} == {scene.actor_id}
        assert {each.aggregate for each in history} == {"booking"}
        assert len({each.request_id for each in history}) == 4
        last = history[-1].payload
        assert (last["from_status"], last["to_status"], last["reason"]) == ("confirmed", "cancelled", "scene")

    def test_a_refused_command_leaves_no_event(self) -> None:
        """State and events are written together or not at all."""
        scene = self.scene(hotel(1))
        scene.book(stay(0, 2))
        before = [each.position for each in _of(scene, (0, 0))]
        raised(NightsTakenError, lambda: scene.book(stay(1, 2)))
        assert [each.position for each in _of(scene, (0, 0))] == before

    def test_positions_rise_and_a_reader_can_stop_and_go_on_anywhere(self) -> None:
        """Reading behind any position gives exactly the rest."""
        scene = self.scene(pool(9))
        for first in range(5):
            scene.book(stay(first))
        events = _of(scene, (0, 0))
        positions = [each.position for each in events]
        assert positions == sorted(set(positions))
        for at, position in enumerate(positions):
            assert [each.position for each in _of(scene, position)] == positions[at + 1 :]

    def test_a_reader_loses_nothing_when_a_transaction_is_held_open_past_a_later_one(self) -> None:
        """Events that were numbered early and became visible late are read all the same."""
        scene = self.scene(pool(9))
        position = _last(scene.store.events_after((0, 0)))
        read: list[LoggedEvent] = []
        other = scene.add_guest().guest_id  # two bookings of one guest would wait for each other
        with scene.store.before_visible(lambda: read.extend(_overtaken(scene, position, other))):
            scene.book(stay(0))
        read.extend(_of(scene, _last(read, position)))
        created = [each for each in read if each.kind == "booking.created"]
        assert len(created) == 2, read
        assert len({each.position for each in read}) == len(read)

    def test_a_reader_by_sequence_number_does_lose_some(self) -> None:
        """The positive control: the same history, read by what looks right, lacks an event."""
        scene = self.scene(pool(9))
        sequence = max(each.position[1] for each in scene.store.events_after_sequence(0))
        read: list[LoggedEvent] = []

        other = scene.add_guest().guest_id

        def overtake() -> None:
            scene.book(stay(1), guest=other)
            read.extend(scene.store.events_after_sequence(sequence))

        with scene.store.before_visible(overtake):
            scene.book(stay(0))
        read.extend(scene.store.events_after_sequence(max(each.position[1] for each in read)))
        mine = [each for each in read if each.agency_id == scene.agency_id]
        assert [each.kind for each in mine].count("booking.created") == 1, mine


def _overtaken(scene: Scene, position: Position, guest_id: GuestId) -> Sequence[LoggedEvent]:
    scene.book(stay(1), guest=guest_id)
    return _of(scene, position)


def _of(scene: Scene, position: Position) -> tuple[LoggedEvent, ...]:
    found = scene.store.events_after(position)
    return tuple(each for each in found if each.agency_id == scene.agency_id)


def _last(events: Sequence[LoggedEvent], otherwise: Position = (0, 0)) -> Position:
    return events[-1].position if events else otherwise
