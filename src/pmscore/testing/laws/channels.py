"""Laws of the lanes of channels: one runs a lane at a time, and whoever lost it writes nothing.

Owns leases, fences, what is due, what may differ and what was acknowledged. Limits of calls stand in
``channel_calls``, what came in and the log in ``channel_records``.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

from attrs import evolve

from pmscore.channels.model.ari import UNKNOWN, AriRows, AriRun, RowKey
from pmscore.channels.model.calls import Knock
from pmscore.channels.model.connections import ConnectionStatus
from pmscore.channels.model.lanes import LaneLease, LaneLostError
from pmscore.channels.model.manifest import Lane
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import LaneId, MappingId
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_scenes import LEASE, ChannelScene, open_channel_scene
from pmscore.testing.laws.setting import StoreLaws, raised
from pmscore.testing.races import at_once
from pmscore.testing.scenes import nights

__all__ = ["ChannelLaneLaws"]

SECOND = timedelta(seconds=1)


class ChannelLaneLaws(StoreLaws):
    """Lanes, dirt and cells."""

    def channel(self) -> ChannelScene:
        """Return the connection of a new agency."""
        return open_channel_scene(self.scene())

    def test_of_many_that_claim_a_lane_one_gets_it(self) -> None:
        """Round after round, and each lease has a larger token than all before."""
        at = self.channel()
        tokens: list[int] = []
        leases: list[LaneLease | None] = []
        for _ in range(5):
            leases.clear()
            at_once([lambda: leases.append(at.claim())] * 6)
            tokens.extend(each.token for each in leases if each is not None)
            assert (len(leases), leases.count(None)) == (6, 5)
            at.scene.clock.advance(LEASE)
        assert tokens == sorted(set(tokens))
        assert at.state().attempts == 5

    def test_a_lane_is_free_again_when_its_run_ends_or_is_silent_for_too_long(self) -> None:
        """Not before; and other lanes are free all the time."""
        at = self.channel()
        lease = at.claimed()
        assert at.claim() is None
        assert at.claim(Lane.PRICING) is not None
        at.finish(lease)
        again = at.claimed()
        at.scene.clock.advance(LEASE - SECOND)
        assert at.claim() is None
        at.scene.clock.advance(SECOND)
        assert at.claimed().token > again.token > lease.token

    def test_who_keeps_a_lane_has_it_for_longer(self) -> None:
        """From the commit on."""
        at = self.channel()
        lease = at.claimed()
        at.scene.clock.advance(LEASE - SECOND)
        with at.scene.begin() as work:
            work.lanes.keep(lease, until=at.now + LEASE)
            work.commit()
        at.scene.clock.advance(LEASE - SECOND)
        assert at.claim() is None
        at.scene.clock.advance(SECOND)
        assert at.claim() is not None

    def test_who_lost_a_lane_writes_nothing(self) -> None:
        """Neither what they did, nor how they ended; without the fence they would."""
        at = self.channel()
        lost = at.claimed()
        at.scene.clock.advance(LEASE)
        with at.scene.begin() as paused:
            paused.lanes.keep(lost, until=at.now + LEASE)
            paused.cells.put(at.connection_id, _rows(7))
            present = at.claimed()
            raised(LaneLostError, paused.commit)
        assert _read(at) == (UNKNOWN,) * 3
        raised(LaneLostError, at.put, _rows(7), lost)
        raised(LaneLostError, at.finish, lost, evolve(at.state(), cursor="mine"))
        assert (at.state().cursor, at.claim()) == ("", None)
        at.put(_rows(8), present)
        assert _read(at) == (8, 8, 8)
        at.put(_rows(9))
        assert _read(at) == (9, 9, 9)

    def test_a_lease_that_was_given_up_fences_nothing_any_more(self) -> None:
        """Although nobody else has claimed the lane since."""
        at = self.channel()
        lease = at.claimed()
        at.finish(lease)
        raised(LaneLostError, at.put, _rows(7), lease)
        raised(LaneLostError, at.finish, lease, at.state())

    def test_a_lease_that_ran_out_still_holds_until_somebody_claims(self) -> None:
        """The token says who may write, not the time."""
        at = self.channel()
        lease = at.claimed()
        at.scene.clock.advance(10 * LEASE)
        at.put(_rows(7), lease)
        assert _read(at) == (7, 7, 7)

    def test_the_end_of_a_run_is_stored_and_comes_back_equal(self) -> None:
        """All that a lane remembers."""
        at = self.channel()
        lease = at.claimed()
        after = evolve(
            at.state(),
            next_at=at.now + timedelta(hours=1),
            attempts=2,
            failures=3,
            closed_until=at.now + timedelta(minutes=5),
            cursor="page 'ü' \\ 2",
            rolled_on=at.now.date(),
        )
        at.finish(lease, after)
        assert at.state() == after
        with at.scene.begin() as work:
            every = work.lanes.of(at.connection_id)
        assert [each.lane for each in every] == [Lane.AVAILABILITY, Lane.BOOKINGS, Lane.PRICING]
        assert after in every

    def test_who_wakes_a_lane_while_it_runs_is_heard_at_its_end(self) -> None:
        """The run may have looked before."""
        at = self.channel()
        lease = at.claimed()
        woken_at = at.now + SECOND
        at.wake(Lane.AVAILABILITY, woken_at)
        at.finish(lease, evolve(at.state(), next_at=at.now + timedelta(hours=1)))
        assert at.state().next_at == woken_at
        lease = at.claimed()
        at.finish(lease, evolve(at.state(), next_at=None))
        assert at.state().next_at == woken_at, "it is still to come"
        at.scene.clock.advance(2 * SECOND)
        lease = at.claimed()
        at.finish(lease, evolve(at.state(), next_at=None))
        assert at.state().next_at is None

    def test_a_lane_is_woken_earlier_and_never_later(self) -> None:
        """Whoever wants it first decides; a lane that is not there cannot be woken."""
        at = self.channel()
        for minutes in (20, 10, 30):
            at.wake(Lane.PRICING, at.now + timedelta(minutes=minutes))
        assert at.state(Lane.PRICING).next_at == at.now + timedelta(minutes=10)
        assert at.next_at() == at.now + timedelta(minutes=10)
        nobody = evolve(at, lanes={Lane.PRICING: LaneId(at.scene.ids.new())})
        raised(NotFoundError, nobody.wake, Lane.PRICING, at.now)
        raised(NotFoundError, nobody.state, Lane.PRICING)

    def test_due_is_what_has_a_time_dirt_or_a_knock(self) -> None:
        """And nothing else."""
        at = self.channel()
        assert (at.due(), at.next_at()) == ((), None)
        at.dirt(Lane.PRICING)
        at.wake(Lane.AVAILABILITY, at.now)
        with at.scene.begin() as work:
            assert work.knocks.add(at.connection_id, Knock({}, b"{}", at.now))
            work.commit()
        assert at.next_at() == at.now
        assert set(at.due()) == set(Lane)
        assert at.due() == ()

    def test_what_was_asked_for_is_not_due_until_patience_ends(self) -> None:
        """Then it is again, as the job may be lost; a claim ends the waiting."""
        at = self.channel()
        row = at.dirt()
        assert at.due() == (Lane.AVAILABILITY,)
        assert (at.due(), at.next_at()) == ((), at.now + LEASE)
        at.scene.clock.advance(LEASE)
        assert at.due() == (Lane.AVAILABILITY,)
        lease = at.claimed()
        assert (at.state().asked_until, at.due()) == (None, ())
        at.finish(lease)
        assert at.due() == (Lane.AVAILABILITY,)
        at.clean(row)
        at.scene.clock.advance(LEASE)
        assert at.due() == ()

    def test_a_lane_that_is_leased_or_closed_is_not_due(self) -> None:
        """Whoever died with it is found when the lease ends."""
        at = self.channel()
        at.dirt()
        lease = at.claimed()
        assert (at.due(), at.next_at()) == ((), lease.until)
        closed = at.now + timedelta(minutes=5)
        at.finish(lease, evolve(at.state(), closed_until=closed))
        assert (at.due(), at.next_at()) == ((), closed)
        at.scene.clock.move_to(closed)
        assert at.due() == (Lane.AVAILABILITY,)
        at.claimed(Lane.PRICING)
        at.scene.clock.advance(LEASE)
        assert Lane.PRICING in at.due()

    def test_a_connection_that_does_not_sync_is_never_due(self) -> None:
        """Whatever waits there; it is as soon as it does."""
        at = self.channel()
        at.dirt()
        at.change(status=ConnectionStatus.PAUSED)
        assert (at.due(), at.next_at()) == ((), None)
        at.change(status=ConnectionStatus.ACTIVE)
        assert at.due() == (Lane.AVAILABILITY,)
        at.scene.clock.advance(LEASE)
        at.change(deleted_at=at.now)
        assert at.due() == ()

    def test_of_many_that_ask_what_is_due_each_lane_goes_to_one(self) -> None:
        """And at most as many as they want."""
        at = self.channel()
        for lane in Lane:
            at.dirt(lane)
        assert len(at.due(most=1)) == 1
        at.scene.clock.advance(LEASE)
        taken: list[tuple[Lane, ...]] = []
        at_once([lambda: taken.append(at.due())] * 6)
        assert sorted(lane for each in taken for lane in each) == sorted(Lane)

    def test_what_may_differ_comes_back_equal_and_goes_once(self) -> None:
        """With and without nights and types."""
        at = self.channel()
        rows = (at.dirt(), at.dirt(nights=nights(2, 3)), at.dirt(Lane.PRICING))
        with at.scene.begin() as work:
            assert set(work.dirty.of(at.connection_id, Lane.AVAILABILITY)) == set(rows[:2])
            assert work.dirty.of(at.connection_id, Lane.BOOKINGS) == ()
        at.clean(rows[0])
        at.clean(rows[0], rows[1])
        with at.scene.begin() as work:
            assert work.dirty.of(at.connection_id, Lane.AVAILABILITY) == ()
            assert work.dirty.of(at.connection_id, Lane.PRICING) == (rows[2],)

    def test_cells_come_back_equal_over_the_ends_of_months_and_years(self) -> None:
        """What was not acknowledged is unknown, and what is put anew replaces those nights only."""
        at = self.channel()
        span = nights(25, 45)
        key, other = _key(at), _key(at, MatrixField.SELLABLE, 2)
        row = tuple(100 + each for each in range(45))
        at.put(AriRows(span, {key: row, other: (-1,) * 45}))
        assert _read_rows(at, [key, other], nights(24, 47)) == {
            key: (UNKNOWN, *row, UNKNOWN),
            other: (UNKNOWN, *(-1,) * 45, UNKNOWN),
        }
        at.put(AriRows(nights(30, 2), {key: (1, UNKNOWN)}))
        assert _read_rows(at, [key], nights(29, 4)) == {key: (104, 1, UNKNOWN, 107)}
        year = nights(360, 10)
        at.put(AriRows(year, {}).put([AriRun(key, year, 5)]))
        assert _read_rows(at, [key, _key(at)], nights(359, 12)) == {key: (UNKNOWN, *(5,) * 10, UNKNOWN)}

    def test_cells_of_a_mapping_are_forgotten_with_it(self) -> None:
        """Those of others stay."""
        at = self.channel()
        one, other = _key(at), _key(at)
        at.put(AriRows(nights(0, 3), {one: (1, 2, 3), other: (4, 5, 6)}))
        with at.scene.begin() as work:
            work.cells.forget_mapping([one.mapping_id])
            work.commit()
        assert _read_rows(at, [one, other], nights(0, 3)) == {other: (4, 5, 6)}

    def test_another_agency_has_lanes_of_its_own(self) -> None:
        """It sees, wakes and runs none of ours."""
        ours, theirs = self.channel(), self.channel()
        ours.dirt()
        lane_id = ours.lanes[Lane.AVAILABILITY]
        assert (theirs.due(), theirs.next_at()) == ((), None)
        with theirs.scene.begin() as work:
            raised(NotFoundError, work.lanes.get, lane_id)
            raised(NotFoundError, partial(work.lanes.claim, lane_id, now=ours.now, until=ours.now))
            assert work.lanes.of(ours.connection_id) == ()
            assert work.dirty.of(ours.connection_id, Lane.AVAILABILITY) == ()
        assert ours.due() == (Lane.AVAILABILITY,)


def _key(at: ChannelScene, field: MatrixField = MatrixField.RATE, occupancy: int = 0) -> RowKey:
    return RowKey(MappingId(at.scene.ids.new()), field, occupancy)


_ONE = RowKey(MappingId(UUID(int=1)), MatrixField.SELLABLE)


def _rows(value: int) -> AriRows:
    return AriRows(nights(0, 3), {_ONE: (value,) * 3})


def _read(at: ChannelScene) -> tuple[int, ...]:
    with at.scene.begin() as work:
        return work.cells.read(at.connection_id, [_ONE], nights(0, 3)).row(_ONE)


def _read_rows(at: ChannelScene, keys: list[RowKey], span: DateRange) -> dict[RowKey, tuple[int, ...]]:
    with at.scene.begin() as work:
        return dict(work.cells.read(at.connection_id, keys, span).rows)
