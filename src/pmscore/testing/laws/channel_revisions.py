"""Laws of what platforms have sold: a revision is known once, and one booking stands for one key.

Owns revisions and links. Which revision counts stands in ``policies.inbound``.
"""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from pmscore.channels.model.revisions import Issue, IssueKind, Link, Malformed, StoredRevision, StoredState
from pmscore.kernel.errors import BusyError, MisuseError, NotFoundError
from pmscore.kernel.ids import (
    BlockId,
    BookingId,
    IssueId,
)
from pmscore.kernel.paging import Page
from pmscore.testing.channel_scenes import ChannelScene, open_channel_scene
from pmscore.testing.laws.setting import StoreLaws, raised
from pmscore.testing.races import at_once
from pmscore.testing.scenes import nights

__all__ = ["ChannelRevisionLaws"]

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


class ChannelRevisionLaws(StoreLaws):
    """Revisions and links."""

    def channel(self) -> ChannelScene:
        """Return the connection of a new agency."""
        return open_channel_scene(self.scene())

    def test_a_revision_is_known_once_however_often_it_comes(self) -> None:
        """Within a transaction, after it, and from many at once."""
        at = self.channel()
        stored = at.revision()
        assert at.store(stored, stored) == (True, False)
        assert at.store(evolve(stored, reason="other")) == (False,)
        with at.scene.begin() as work:
            assert work.revisions.get(at.connection_id, stored.revision_id) == stored
            raised(NotFoundError, work.revisions.get, at.connection_id, "other")
        answers: list[tuple[bool, ...]] = []
        second = at.revision("B2")
        at_once([lambda: answers.append(at.store(second))] * 6)
        assert sorted(answers) == [(False,)] * 5 + [(True,)]

    def test_a_message_that_is_no_revision_is_kept_as_it_came(self) -> None:
        """With its reason."""
        at = self.channel()
        stored = _malformed(at)
        assert at.store(stored) == (True,)
        with at.scene.begin() as work:
            assert work.revisions.get(at.connection_id, stored.revision_id) == stored

    def test_what_waits_comes_in_its_order_until_it_is_acknowledged(self) -> None:
        """By state, and page by page the newest first."""
        at = self.channel()
        stored: list[StoredRevision] = []
        for number in range(4):
            stored.append(at.revision(number=number + 1))
            at.store(stored[-1])
            at.scene.clock.advance(MINUTE)
        acknowledged = evolve(stored[0], acknowledged_at=at.now)
        done = evolve(stored[1], state=StoredState.APPLIED, applied_at=at.now, booking_id=_booking(at))
        with at.scene.begin() as work:
            raised(MisuseError, work.revisions.save, done)
            for each in (acknowledged, done):
                work.revisions.get(at.connection_id, each.revision_id)
                work.revisions.save(each)
            work.commit()
        with at.scene.begin() as work:
            received = [StoredState.RECEIVED]
            assert work.revisions.waiting(at.connection_id, received, 9) == tuple(stored[2:])
            assert work.revisions.waiting(at.connection_id, received, 1) == (stored[2],)
            assert work.revisions.waiting(at.connection_id, [StoredState.APPLIED], 9) == (done,)
            page = work.revisions.page(at.connection_id, received, Page(limit=2))
            assert (page.items, page.total) == ((stored[3], stored[2]), 3)
            assert work.revisions.page(at.connection_id, [], Page(limit=2, offset=2)).items == (
                done,
                acknowledged,
            )

    def test_a_link_is_locked_and_so_is_its_absence(self) -> None:
        """Of many who find no booking for a key, one makes it."""
        at = self.channel()
        made: list[int] = []

        def make() -> None:
            with at.scene.begin() as work:
                if work.revisions.link(at.connection_id, "B1") is None:
                    work.revisions.save_link(_link(at))
                    work.commit()
                    made.append(1)

        assert at_once([make] * 6).count("won") >= 1
        assert made == [1]
        with at.scene.begin() as one:
            assert one.revisions.link(at.connection_id, "B9") is None
            with at.scene.begin() as other:
                raised(BusyError, other.revisions.link, at.connection_id, "B9")
                raised(MisuseError, other.revisions.save_link, _link(at))

    def test_links_come_back_equal_by_key(self) -> None:
        """Bookings, blocks and tombstones."""
        at = self.channel()
        blocks = (BlockId(at.scene.ids.new()), BlockId(at.scene.ids.new()))
        links = (
            evolve(_link(at, "a"), booking_id=None, block_ids=blocks, missing_since=at.now),
            evolve(_link(at, "b"), is_cancelled=True, nights=None, version=3),
        )
        for each in (*links[::-1], evolve(links[0], version=2)):
            with at.scene.begin() as work:
                work.revisions.link(at.connection_id, each.booking_key)
                work.revisions.save_link(each)
                work.commit()
        with at.scene.begin() as work:
            assert work.revisions.links(at.connection_id) == (evolve(links[0], version=2), links[1])
            assert work.revisions.link(at.connection_id, "b") == links[1]

    def test_what_is_personal_is_forgotten_when_all_is_done(self) -> None:
        """The rest stays: what was sold is known as long as anybody may ask."""
        at = self.channel()
        waits, done, quarantined, late = (
            at.revision(key, state=state)
            for key, state in (
                ("A", StoredState.RECEIVED),
                ("B", StoredState.APPLIED),
                ("C", StoredState.QUARANTINED),
                ("D", StoredState.APPLIED),
            )
        )
        bad = evolve(_malformed(at), state=StoredState.QUARANTINED)
        at.scene.clock.advance(100 * DAY)
        late = evolve(late, received_at=at.now)
        at.store(waits, done, quarantined, late, bad)
        with at.scene.begin() as work:
            assert work.issues.open(evolve(_issue(at), revision_id=quarantined.revision_id))
            work.commit()
        assert [_forget(at, most=1), _forget(at), _forget(at)] == [1, 1, 0]
        with at.scene.begin() as work:
            kept = {
                each.revision_id: work.revisions.get(at.connection_id, each.revision_id)
                for each in (waits, done, quarantined, late, bad)
            }
        assert [kept[each.revision_id] for each in (waits, quarantined, late)] == [waits, quarantined, late]
        after = kept[done.revision_id]
        assert after.revision is not None
        assert done.revision is not None
        assert (after.revision.guest.name, after.revision.requests) == ("", "")
        assert (
            evolve(after.revision, guest=done.revision.guest, requests=done.revision.requests)
            == done.revision
        )
        assert kept[bad.revision_id].malformed == evolve(bad.malformed or _no_message(), raw="")


def _booking(at: ChannelScene) -> BookingId:
    return BookingId(at.scene.ids.new())


def _link(at: ChannelScene, key: str = "B1") -> Link:
    return Link(
        connection_id=at.connection_id,
        booking_key=key,
        booking_id=_booking(at),
        revision_id=f"{key}/1",
        revised_at=at.now,
        nights=nights(3, 2),
    )


def _no_message() -> Malformed:
    return Malformed(digest="", reason="", raw="")


def _malformed(at: ChannelScene) -> StoredRevision:
    message = Malformed(digest="d" * 64, reason="no_rooms", raw="<a>'ü' \\</a>", revision_id="m1")
    return StoredRevision(
        revision=None,
        malformed=message,
        connection_id=at.connection_id,
        revision_id="m1",
        state=StoredState.QUARANTINED,
        reason="no_rooms",
        received_at=at.now,
    )


def _forget(at: ChannelScene, most: int = 9) -> int:
    with at.scene.begin() as work:
        count = work.revisions.purge(at.now, most=most)
        work.commit()
    return count


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
