"""Laws of idempotency keys: one key, one effect, one reply.

Owns what a store answers when a request comes again: afterwards, changed, or at the same time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from attrs import evolve

from pmscore.booking.model.lifecycle import Act
from pmscore.booking.use_cases.assign import AssignRoom, assign_room_once
from pmscore.booking.use_cases.change_status import ChangeStatus, change_status_once
from pmscore.booking.views import BookingReceipt
from pmscore.kernel.errors import (
    ConflictError,
    KeyReusedError,
    NightsTakenError,
    RequestInProgressError,
    TransitionError,
)
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import ActorId, GuestId
from pmscore.testing.laws.setting import StoreLaws, all_agree, raised
from pmscore.testing.scenes import hotel, nights, pool, stay

__all__ = ["IdempotencyLaws"]

KEY = OnceKey("8f2c", "POST /bookings", "fingerprint-1")


class IdempotencyLaws(StoreLaws):
    """The same key, route and principal stand for one effect; only committed outcomes are kept."""

    def test_a_repetition_returns_the_first_reply_and_does_nothing(self) -> None:
        """Even where the nights would be taken by the first effect."""
        scene = self.scene(hotel(1))
        first = scene.book(stay(0, 2), once=KEY)
        events = len(scene.store.events_after((0, 0)))
        assert scene.book(stay(0, 2), once=KEY) == first
        assert len(scene.store.events_after((0, 0))) == events
        assert scene.guest().metrics.total_bookings == 1
        all_agree(scene)

    def test_a_repetition_is_answered_although_its_values_would_be_refused_by_now(self) -> None:
        """What has changed since, by the first request or by time, does not change the reply."""
        scene = self.scene(hotel(2))
        newcomer = evolve(scene.guest(), guest_id=GuestId(scene.ids.new()))
        hold = scene.hold(stay(0, 2))
        until = scene.clock.now() + timedelta(minutes=5)
        others = (evolve(KEY, key="second"), evolve(KEY, key="third"))
        requests: tuple[Callable[[], BookingReceipt], ...] = (
            lambda: scene.book(stay(0, 2), once=KEY, hold_ids=(hold.hold_id,)),
            lambda: scene.book(stay(0, 2), once=others[0], option_until=until),
            lambda: scene.book(stay(2, 2), once=others[1], guest=newcomer),
        )
        first = [request() for request in requests]
        scene.advance(5)
        assert [request() for request in requests] == first
        all_agree(scene)

    def test_a_hold_or_block_is_made_once_and_answered_as_it_was_made(self) -> None:
        """Also after it has come to its end, and after the nights went to somebody else."""
        scene = self.scene(hotel(1))
        other = evolve(KEY, key="second")
        hold = scene.hold(stay(0, 2), once=KEY)
        assert scene.hold(stay(0, 2), once=KEY) == hold
        scene.release(hold.hold_id)
        assert scene.hold(stay(0, 2), once=KEY) == hold
        block = scene.block(scene.unit().unit_id, nights(0, 2), once=other)
        assert scene.block(scene.unit().unit_id, nights(0, 2), once=other) == block
        scene.lift(block.block_id)
        scene.book(stay(0, 2))
        assert scene.block(scene.unit().unit_id, nights(0, 2), once=other) == block
        assert scene.hold(stay(0, 2), once=KEY) == hold
        raised(KeyReusedError, lambda: scene.hold(stay(5), once=evolve(KEY, fingerprint="other")))
        all_agree(scene)

    def test_a_step_is_taken_once_and_answered_as_it_was_taken(self) -> None:
        """Also where it would be refused by now, and where the booking has gone on since."""
        scene = self.scene(hotel(1))
        booking_id = scene.book(stay(0, 2)).booking_id

        def step(act: Act, key: str, version: int | None = None) -> BookingReceipt:
            once = OnceKey(key, f"POST /{act.value}", "fingerprint")
            command = ChangeStatus(
                **scene.asked(),
                once=once,
                booking_id=booking_id,
                act=act,
                reason="scene",
                expected_version=version,
            )
            return change_status_once(command, uow=scene.store, clock=scene.clock)

        cancelled = step(Act.CANCEL, "a", 1)
        assert (cancelled.status, cancelled.version) == ("cancelled", 2)
        assert step(Act.CANCEL, "a", 1) == cancelled
        assert step(Act.CANCEL, "b") == cancelled
        back = step(Act.REINSTATE, "c")
        assert back.status == "confirmed"
        assert step(Act.CANCEL, "a", 1) == step(Act.CANCEL, "b") == cancelled
        arrived = step(Act.CHECK_IN, "d")
        assert step(Act.CHECK_IN, "d") == arrived
        assert step(Act.REINSTATE, "c") == back
        raised(TransitionError, lambda: step(Act.CHECK_IN, "e"))
        assert scene.booking(booking_id).version == 4
        assert step(Act.CHECK_OUT, "e").status == "checked_out"
        all_agree(scene)

    def test_a_room_is_moved_once_and_answered_as_it_was_moved(self) -> None:
        """Also after it was moved back."""
        scene = self.scene(hotel(2))
        receipt = scene.book(scene.request(stay(0, 2), unit_id=scene.unit(0).unit_id))

        def move(number: int, key: str) -> BookingReceipt:
            command = AssignRoom(
                **scene.asked(),
                once=OnceKey(key, "POST /assign", f"fingerprint of {number}"),
                booking_id=receipt.booking_id,
                room_id=receipt.room_ids[0],
                unit_id=scene.unit(number).unit_id,
            )
            return assign_room_once(command, uow=scene.store, clock=scene.clock)

        moved = move(1, "a")
        assert moved.version == 2
        assert move(1, "b") == moved
        assert move(0, "c").version == 3
        assert move(1, "a") == move(1, "b") == moved
        raised(KeyReusedError, lambda: move(0, "a"))
        assert scene.booking(receipt.booking_id).rooms[0].placements[0].unit_id == scene.unit(0).unit_id
        all_agree(scene)

    def test_the_same_key_with_another_request_is_refused(self) -> None:
        """A key says which request it stands for by its fingerprint."""
        scene = self.scene(pool(5))
        scene.book(stay(0, 2), once=KEY)
        raised(KeyReusedError, lambda: scene.book(stay(0, 3), once=evolve(KEY, fingerprint="other")))
        assert scene.guest().metrics.total_bookings == 1

    def test_another_route_principal_or_agency_has_keys_of_its_own(self) -> None:
        """A key is looked up together with who asks, for which agency, on which route."""
        scene = self.scene(pool(5))
        elsewhere = self.scene(pool(5))
        somebody_else = evolve(scene, actor_id=ActorId(scene.ids.new()))
        made = [
            scene.book(stay(0), once=KEY),
            scene.book(stay(0), once=evolve(KEY, route="POST /holds")),
            scene.book(stay(0), once=evolve(KEY, key="8f2d")),
            somebody_else.book(stay(0), once=KEY),
            elsewhere.book(stay(0), once=KEY),
        ]
        assert len({each.booking_id for each in made}) == len(made)

    def test_a_refused_request_leaves_its_key_unused(self) -> None:
        """The same key may be tried again once the nights are free."""
        scene = self.scene(hotel(1))
        block = scene.block(scene.unit().unit_id, nights(0))
        raised(NightsTakenError, lambda: scene.book(stay(0), once=KEY))
        scene.lift(block.block_id)
        assert scene.book(stay(0), once=KEY) == scene.book(stay(0), once=KEY)
        assert scene.guest().metrics.total_bookings == 1

    def test_a_twin_waits_for_the_first_and_gets_its_reply_or_is_told_to_wait(self) -> None:
        """Two requests under one key at the same moment have one effect between them."""
        scene = self.scene(pool(5))
        twins: list[threading.Thread] = []
        replies: list[BookingReceipt] = []
        conflicts: list[ConflictError] = []

        def twin() -> None:
            try:
                replies.append(scene.book(stay(0), once=KEY))
            except RequestInProgressError as error:
                conflicts.append(error)

        def start_twin() -> None:
            twins.append(threading.Thread(target=twin))
            twins[0].start()
            twins[0].join(timeout=0.2)

        with scene.store.before_visible(start_twin):
            first = scene.book(stay(0), once=KEY)
        twins[0].join()
        assert [first] == replies or (conflicts and not replies), (replies, conflicts)
        assert scene.book(stay(0), once=KEY) == first
        assert scene.guest().metrics.total_bookings == 1
        all_agree(scene)
