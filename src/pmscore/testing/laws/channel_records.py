"""Laws of what channels keep on record: connections and mappings, knocks and issues.

Owns that each comes back equal, is known once, and is found by who may. Revisions stand in
``channel_revisions``, the log in ``channel_operations``.
"""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from pmscore.channels.model.calls import Knock
from pmscore.channels.model.connections import Connection, ConnectionStatus
from pmscore.channels.model.lanes import LaneState
from pmscore.channels.model.manifest import Lane, Platform
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.model.revisions import Issue, IssueKind
from pmscore.kernel.errors import BusyError, MisuseError, NotFoundError, StaleVersionError
from pmscore.kernel.ids import (
    BookingId,
    ConnectionId,
    IssueId,
    LaneId,
    MappingId,
    PropertyId,
    UnitTypeId,
)
from pmscore.kernel.paging import Page
from pmscore.testing.channel_scenes import ChannelScene, open_channel_scene
from pmscore.testing.laws.setting import StoreLaws, raised

__all__ = ["ChannelRecordLaws"]

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


class ChannelRecordLaws(StoreLaws):
    """Places and what people look at."""

    def channel(self) -> ChannelScene:
        """Return the connection of a new agency."""
        return open_channel_scene(self.scene())

    def test_a_connection_comes_back_equal(self) -> None:
        """With every field, changed by whoever has read it."""
        at = self.channel()
        changed = at.change(
            status=ConnectionStatus.ERROR,
            sealed="pms1.a.b",
            sealed_token="pms1.c.d",  # noqa: S106 - no secret
            token_until=at.now + MINUTE,
            knock_digest="k" * 64,
            calendar_digest="c" * 64,
            last_sync_at=at.now,
            last_attempt_at=at.now + MINUTE,
            settings={"other": ["'é'", 1.5, False]},
        )
        with at.scene.begin() as work:
            assert work.connections.read(at.connection_id) == changed
            assert work.connections.by_knock("k" * 64) == changed
            assert work.connections.by_calendar("c" * 64) == changed
            assert work.connections.find_live(at.scene.property_id, Platform.CHANNEX) == changed
            assert work.connections.find(at.scene.property_id, Page()).items == (changed,)
            assert work.connections.find(PropertyId(at.scene.ids.new()), Page()).total == 0
            assert work.connections.by_knock("") is None
            assert work.connections.all_active() == ()
            raised(MisuseError, work.connections.save, changed)

    def test_a_connection_is_changed_by_one_at_a_time(self) -> None:
        """Who wants it meanwhile is told so; to look at it nobody waits."""
        at = self.channel()
        with at.scene.begin() as one:
            one.connections.get(at.connection_id)
            with at.scene.begin() as other:
                assert other.connections.read(at.connection_id) == at.connection
                raised(BusyError, other.connections.get, at.connection_id)

    def test_a_property_has_one_live_connection_on_a_platform(self) -> None:
        """A deleted one is found no more, but as one that can be revived; another may take its place."""
        at = self.channel()
        twin = evolve(at.connection, connection_id=ConnectionId(at.scene.ids.new()))
        raised(StaleVersionError, _add, at, twin)
        _add(at, evolve(twin, platform=Platform.EXPEDIA))
        deleted = at.change(deleted_at=at.now)
        with at.scene.begin() as work:
            raised(NotFoundError, work.connections.get, at.connection_id)
            raised(NotFoundError, work.connections.read, at.connection_id)
            assert work.connections.find_live(at.scene.property_id, Platform.CHANNEX) is None
            assert work.connections.find(None, Page()).total == 1
            assert work.connections.find_deleted(at.scene.property_id, Platform.EXPEDIA) is None
            assert work.connections.find_deleted(at.scene.property_id, Platform.CHANNEX) == deleted
            revived = evolve(deleted, deleted_at=None, version=deleted.version + 1)
            work.connections.save(revived)
            work.commit()
        with at.scene.begin() as work:
            assert len(work.connections.all_active()) == 2
            assert work.connections.read(at.connection_id) == revived

    def test_connections_outside_of_the_reach_are_not_found(self) -> None:
        """Nor are issues of those."""
        at = self.channel()
        issue = _issue(at)
        with at.scene.begin() as work:
            assert work.issues.open(issue)
            work.commit()
        for reach, is_found in ((frozenset({at.scene.property_id}), True), (frozenset[PropertyId](), False)):
            command = evolve(at.scene.command(), property_ids=reach)
            with at.scene.store.begin(command) as work:
                assert work.connections.find(None, Page()).total == int(is_found)
                assert work.issues.find(None, Page()).total == int(is_found)
                if is_found:
                    assert work.connections.get(at.connection_id) == at.connection
                    assert work.issues.get(issue.issue_id) == issue
                else:
                    raised(NotFoundError, work.connections.get, at.connection_id)
                    raised(NotFoundError, work.issues.get, issue.issue_id)

    def test_what_belongs_to_no_connection_is_refused(self) -> None:
        """Also where it is another agency's."""
        at, other = self.channel(), self.channel()
        stray = evolve(at, connection=other.connection)
        raised(NotFoundError, stray.dirt)
        raised(NotFoundError, lambda: stray.store(stray.revision()))
        raised(NotFoundError, lambda: stray.log([stray.operation()]))
        state = LaneState(
            lane_id=LaneId(at.scene.ids.new()),
            connection_id=other.connection_id,
            lane=Lane.PRICING,
            next_at=None,
        )
        with at.scene.begin() as work:
            raised(NotFoundError, lambda: (work.lanes.add(state), work.commit()))

    def test_mappings_are_replaced_as_a_whole_and_come_by_codes(self) -> None:
        """A type that is not there is refused, and what was there stays."""
        at = self.channel()
        one, other = (_mapped(at, code) for code in ("R2", "R1"))
        rates = tuple(
            MappedRate(
                mapping_id=MappingId(at.scene.ids.new()),
                connection_id=at.connection_id,
                unit_type_id=at.scene.type_ids[0],
                plan="flex",
                room_code="R1",
                rate_code=code,
                occupancies=occupancies,
            )
            for code, occupancies in (("b", (1, 2)), ("a", ()))
        )
        _map(at, MappingBook((one, other), rates))
        with at.scene.begin() as work:
            assert work.mappings.book(at.connection_id) == MappingBook((other, one), rates[::-1])
        stray = evolve(
            one, unit_type_id=UnitTypeId(at.scene.ids.new()), mapping_id=MappingId(at.scene.ids.new())
        )
        raised(NotFoundError, _map, at, MappingBook((stray,)))
        _map(at, MappingBook((other,)))
        with at.scene.begin() as work:
            assert work.mappings.book(at.connection_id) == MappingBook((other,))
            assert work.mappings.book(ConnectionId(at.scene.ids.new())) == MappingBook()

    def test_a_knock_is_seen_once_and_read_until_it_is_done(self) -> None:
        """Byte by byte as it came; when it comes again it is known, until it is forgotten."""
        at = self.channel()
        knocks = [
            Knock({"X-A": "1", "B": "'ü'"}, bytes(range(256)) + bytes([number]), at.now)
            for number in range(3)
        ]
        assert [_knock(at, each) for each in (*knocks, knocks[0])] == [True, True, True, False]
        with at.scene.begin() as work:
            taken = work.knocks.take(at.connection_id, 9)
            assert len(work.knocks.take(at.connection_id, 2)) == 2
        assert {each.knock.body for each in taken} == {each.body for each in knocks}
        assert all(each.knock in knocks and each.digest == each.knock.digest for each in taken)
        _done(at, *(each.digest for each in taken[1:]))
        with at.scene.begin() as work:
            assert work.knocks.take(at.connection_id, 9) == taken[:1]
        assert not _knock(at, taken[1].knock)
        at.scene.clock.advance(DAY)
        with at.scene.begin() as work:
            assert work.knocks.purge(at.now, most=1) == 1
            work.commit()
        with at.scene.begin() as work:
            assert work.knocks.purge(at.now, most=9) == 1
            work.commit()
        assert [_knock(at, each.knock) for each in taken] == [False, True, True]

    def test_one_issue_is_open_for_one_matter(self) -> None:
        """Of a kind, for the same revision or else the same booking; when it is closed it may come again."""
        at = self.channel()
        base = evolve(_issue(at), booking_id=None)
        matters = (
            base,
            evolve(base, kind=IssueKind.DRIFT),
            evolve(base, revision_id="r1"),
            evolve(base, revision_id="r2"),
            evolve(base, booking_id=_booking(at)),
        )
        issues = [evolve(each, issue_id=IssueId(at.scene.ids.new())) for each in matters]
        assert [_open(at, each) for each in issues] == [True] * 5
        again = [evolve(each, issue_id=IssueId(at.scene.ids.new())) for each in issues]
        assert [_open(at, each) for each in again] == [False] * 5
        at.scene.clock.advance(MINUTE)
        with at.scene.begin() as work:
            assert len(work.issues.close(at.connection_id, base.kind, at.now, revision_id="r1")) == 1
            work.commit()
        with at.scene.begin() as work:
            assert work.issues.close(at.connection_id, base.kind, at.now, revision_id="r1") == ()
            assert len(work.issues.close(at.connection_id, base.kind, at.now)) == 3
            work.commit()
        assert [_open(at, each) for each in again] == [True, False, True, True, True]
        with at.scene.begin() as work:
            assert work.issues.find(None, Page(), is_open=True).total == 5
            assert work.issues.find(at.scene.property_id, Page(), is_open=False).total == 4
            assert work.issues.find(None, Page(limit=2, offset=8)).total == 9
            assert work.issues.get(issues[1].issue_id) == issues[1]

    def test_an_issue_is_closed_by_whoever_has_read_it(self) -> None:
        """It comes back equal."""
        at = self.channel()
        issue = _issue(at)
        assert _open(at, issue)
        closed = evolve(issue, closed_at=at.now + MINUTE, details={"by": "hand"})
        with at.scene.begin() as work:
            raised(MisuseError, work.issues.save, closed)
            assert work.issues.get(issue.issue_id) == issue
            work.issues.save(closed)
            work.commit()
        with at.scene.begin() as work:
            assert work.issues.get(issue.issue_id) == closed
            raised(NotFoundError, work.issues.get, IssueId(at.scene.ids.new()))


def _add(at: ChannelScene, connection: Connection) -> None:
    with at.scene.begin() as work:
        work.connections.add(connection)
        work.commit()


def _mapped(at: ChannelScene, code: str) -> MappedRoom:
    return MappedRoom(
        mapping_id=MappingId(at.scene.ids.new()),
        connection_id=at.connection_id,
        unit_type_id=at.scene.type_ids[0],
        room_code=code,
    )


def _map(at: ChannelScene, book: MappingBook) -> None:
    with at.scene.begin() as work:
        work.mappings.replace(at.connection_id, book)
        work.commit()


def _booking(at: ChannelScene) -> BookingId:
    return BookingId(at.scene.ids.new())


def _knock(at: ChannelScene, knock: Knock) -> bool:
    with at.scene.begin() as work:
        is_new = work.knocks.add(at.connection_id, knock)
        work.commit()
    return is_new


def _done(at: ChannelScene, *digests: str) -> None:
    with at.scene.begin() as work:
        work.knocks.done(at.connection_id, digests, at.now)
        work.commit()


def _issue(at: ChannelScene) -> Issue:
    return Issue(
        issue_id=IssueId(at.scene.ids.new()),
        connection_id=at.connection_id,
        property_id=at.scene.property_id,
        kind=IssueKind.OVERSOLD,
        booking_id=_booking(at),
        details={"candidates": [{"unit_type_id": "x", "rooms": 1}]},
        opened_at=at.now,
    )


def _open(at: ChannelScene, issue: Issue) -> bool:
    with at.scene.begin() as work:
        is_new = work.issues.open(issue)
        work.commit()
    return is_new
