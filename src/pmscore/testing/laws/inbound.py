"""Laws of what comes in from platforms: whatever the order, the repetition and the number of hands, one effect each.

Owns what a store has to do for that. Leaves which revision counts, as such, to the tests of ``policies.inbound``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from pmscore.booking.model.lifecycle import CLAIMING, Status
from pmscore.channels.model.revisions import Revision, RevisionStatus, SaleKind, StoredState
from pmscore.channels.ports import ChannelWork
from pmscore.channels.reactions.applying import apply_revision
from pmscore.inventory.use_cases.allotments import MakeAllotment, make_allotment
from pmscore.kernel.errors import BusyError, NightsTakenError, StaleVersionError
from pmscore.testing.inbound_scenes import InboundScene, open_inbound_scene
from pmscore.testing.laws.setting import StoreLaws, all_agree, raised
from pmscore.testing.scenes import hotel, nights, pool, stay

__all__ = ["InboundLaws"]

NEW, CHANGED, CANCELLED = RevisionStatus.NEW, RevisionStatus.CHANGED, RevisionStatus.CANCELLED


class _InterruptedError(Exception):
    """The process ends here."""


class InboundLaws(StoreLaws):
    """What a platform has sold is here once, as the platform said it last."""

    def inbound(self) -> InboundScene:
        """Open a house with two hotel rooms, three of a pool and a villa on a platform."""
        return open_inbound_scene(self.scene(hotel(2), pool(3), hotel(1)))

    def test_in_any_order_and_repetition_the_newest_revision_stands(self) -> None:
        """Each order of the revisions of one booking ends in the same rooms, in one booking."""
        inbound = self.inbound()
        number = 0

        @settings(max_examples=6, deadline=None, derandomize=True, database=None)
        @given(
            drawn=st.lists(
                st.tuples(st.integers(1, 2), st.integers(0, 4), st.integers(1, 3)), min_size=2, max_size=3
            ),
            ends=st.booleans(),
        )
        def stands(drawn: list[tuple[int, int, int]], *, ends: bool) -> None:
            nonlocal number
            found: set[object] = set()
            for order in permutations(range(len(drawn) + ends)):
                number += 1
                key = f"K{number}"
                told = [
                    inbound.revision(
                        NEW if at == 0 else CHANGED,
                        inbound.room(stay(first, length), type_number, night=100 * (at + 1)),
                        minute=at,
                        key=key,
                    )
                    for at, (type_number, first, length) in enumerate(drawn)
                ]
                if ends:
                    told.append(inbound.revision(CANCELLED, minute=9, key=key))
                before = inbound.booking_ids()
                inbound.apply(*(told[at] for at in (*order, *order)))
                found.add(_standing(inbound, key, len(inbound.booking_ids() - before)))
                _cleared(inbound, key)
            assert len(found) == 1, found
            all_agree(inbound.scene)

        stands()

    def test_a_state_that_is_told_anew_counts_again(self) -> None:
        """Where a platform names states by what they say, one may come back, dated by when it was told."""
        inbound = self.inbound()
        for minute, first in enumerate((3, 6, 3)):
            room = inbound.room(stay(first, 2))
            end = inbound.tell(inbound.revision(CHANGED, room, minute=minute, revision_id=f"K1 on {first}"))
            assert (inbound.booking().rooms[0].stay, end.details["applied"]) == (stay(first, 2), 1)
        assert inbound.gateway.acknowledged == ["K1 on 3", "K1 on 6", "K1 on 3"]
        all_agree(inbound.scene)

    def test_two_hands_on_one_revision_have_one_effect(self) -> None:
        """Without a lease between them, the lock on the link decides; the slower one finds it done."""
        inbound = self.inbound()
        at = inbound.applying()
        for number in range(6):
            told = inbound.revision(key=f"K{number}")
            inbound.keep(told)
            _at_once(*[partial(apply_revision, at, told.revision_id)] * 3)
            assert inbound.stored(told.revision_id).state is StoredState.APPLIED
        assert len(inbound.bookings()) == 6
        all_agree(inbound.scene)

    def test_two_revisions_of_one_booking_at_once_end_as_the_newer_one(self) -> None:
        """Whoever comes second decides anew on what the first one left."""
        inbound = self.inbound()
        at = inbound.applying()
        for number in range(6):
            first = inbound.revision(key=f"K{number}")
            second = inbound.revision(CHANGED, inbound.room(stay(6, 1), 2), minute=5, key=f"K{number}")
            inbound.keep(first, second)
            _at_once(*(partial(apply_revision, at, told.revision_id) for told in (first, second)))
            (room,) = inbound.booking(f"K{number}").rooms
            assert (room.stay, room.unit_type_id) == (stay(6, 1), inbound.scene.type_ids[1])
        assert len(inbound.bookings()) == 6
        all_agree(inbound.scene)

    def test_booking_link_and_revision_are_one_commit(self) -> None:
        """A process that ends before the commit leaves nothing; the next one does all of it once."""
        inbound = self.inbound()
        told = inbound.revision()
        inbound.keep(told)

        def die(work: ChannelWork) -> None:
            assert work.revisions.link(inbound.connection_id, "K1") is None
            raise _InterruptedError

        try:
            apply_revision(inbound.applying(die), told.revision_id)
        except _InterruptedError:
            died = True
        else:
            died = False
        assert died
        assert inbound.bookings() == ()
        assert inbound.link() is None
        assert inbound.stored(told.revision_id).state is StoredState.RECEIVED
        for _ in range(2):
            apply_revision(inbound.applying(), told.revision_id)
        assert [each.booking_id for each in inbound.bookings()] == [inbound.booking().booking_id]

    def test_who_has_lost_the_lane_writes_nothing(self) -> None:
        """The fence is in the booking's transaction, too."""
        inbound = self.inbound()
        told = inbound.revision()
        inbound.keep(told)
        now = inbound.scene.clock.now
        with inbound.running() as run:
            lease = run.lease
        with inbound.running():

            def fence(work: ChannelWork) -> None:
                work.lanes.keep(lease, until=now())

            raised(StaleVersionError, apply_revision, inbound.applying(fence), told.revision_id)
        assert inbound.bookings() == ()
        apply_revision(inbound.applying(), told.revision_id)
        assert len(inbound.bookings()) == 1

    def test_what_does_not_fit_is_kept_and_takes_nothing_from_others(self) -> None:
        """A booking of a full house is there and oversold; who was there before keeps room and unit."""
        inbound = self.inbound()
        scene = inbound.scene
        standing = [scene.booking(scene.book(stay(3, 2)).booking_id) for _ in range(2)]
        inbound.apply(inbound.revision())
        assert inbound.booking().is_oversold
        assert [scene.booking(each.booking_id) for each in standing] == standing
        all_agree(scene)

    def test_rooms_that_come_and_go_are_stored(self) -> None:
        """A booking of one room becomes one of three, then of one again."""
        inbound = self.inbound()
        rooms = [inbound.room(stay(3, 2)), inbound.room(stay(3, 2), 2), inbound.room(stay(4, 1), 2)]
        inbound.apply(
            inbound.revision(),
            inbound.revision(CHANGED, *rooms, minute=1),
        )
        assert len(inbound.booking().rooms) == 3
        inbound.apply(inbound.revision(CHANGED, *rooms[1:2], minute=2))
        (room,) = inbound.booking().rooms
        assert room.unit_type_id == inbound.scene.type_ids[1]
        all_agree(inbound.scene)

    def test_a_sale_takes_the_room_that_is_kept_for_its_channel(self) -> None:
        """In a full house the kept room is sold, and given back to the channel when the sale is cancelled."""
        inbound = self.inbound()
        scene = inbound.scene
        command = MakeAllotment(
            **scene.asked(),
            property_id=scene.property_id,
            unit_type_id=scene.type_ids[0],
            channel=inbound.connection.channel,
            nights=nights(0, 9),
            guaranteed=1,
        )
        make_allotment(command, uow=scene.store, clock=scene.clock, ids=scene.ids)
        scene.book(stay(3, 2))
        raised(NightsTakenError, lambda: scene.book(stay(3, 2)))
        inbound.apply(inbound.revision())
        assert not inbound.booking().is_oversold
        all_agree(scene)
        inbound.apply(inbound.revision(CANCELLED, minute=1))
        raised(NightsTakenError, lambda: scene.book(stay(3, 2)))
        all_agree(scene)

    def test_a_block_moves_and_goes(self) -> None:
        """A block of a platform keeps one unit from sale, on its present nights only."""
        inbound = self.inbound()
        inbound.apply(_block(inbound, NEW, 3))
        inbound.apply(_block(inbound, CHANGED, 4))
        (block,) = inbound.blocks()
        assert (block.nights, block.unit_id) == (nights(4, 2), inbound.scene.unit(0, 2).unit_id)
        all_agree(inbound.scene)
        inbound.apply(_block(inbound, CANCELLED, 4))
        assert inbound.blocks() == ()
        all_agree(inbound.scene)


def _block(inbound: InboundScene, status: RevisionStatus, first: int) -> Revision:
    order = (NEW, CHANGED, CANCELLED).index(status)
    rooms = () if status is CANCELLED else (inbound.room(stay(first, 2), 3),)
    return inbound.revision(status, *rooms, minute=order, kind=SaleKind.BLOCK)


def _standing(inbound: InboundScene, key: str, made: int) -> object:
    """Return how a booking has ended, without what differs from one run to the next."""
    link = inbound.link(key)
    assert link is not None
    if link.booking_id is None:
        return link.is_cancelled, ()
    booking = inbound.booking(key)
    assert made == 1, made
    if booking.status not in CLAIMING:
        return link.is_cancelled, ()
    return link.is_cancelled, tuple((room.unit_type_id, room.stay, room.nightly) for room in booking.rooms)


def _cleared(inbound: InboundScene, key: str) -> None:
    """Cancel what stands, so that the next order meets an empty house."""
    link = inbound.link(key)
    if link is not None and link.booking_id is not None and inbound.booking(key).status is Status.CONFIRMED:
        inbound.apply(inbound.revision(CANCELLED, minute=99, key=key))


def _at_once(*acts: Callable[[], object]) -> None:
    """Start all at one time; whoever was kept waiting for too long, or was overtaken too often, tries again."""
    start = threading.Barrier(len(acts))
    failed: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        start.wait()
        for _ in range(20):
            try:
                act()
            except (BusyError, StaleVersionError):
                continue
            except BaseException as error:  # noqa: BLE001 - it is told in the thread of the test
                failed.append(error)
            return

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
