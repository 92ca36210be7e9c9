"""The laws of channels are worth something only if they fail on stores that break them."""

from __future__ import annotations

import pytest
from attrs import evolve

from pmscore.kernel.errors import PmsError
from pmscore.testing.channel_inbound_repositories import InMemoryRevisions
from pmscore.testing.laws.channel_calls import ChannelCallLaws
from pmscore.testing.laws.channel_operations import ChannelOperationLaws
from pmscore.testing.laws.channel_records import ChannelRecordLaws
from pmscore.testing.laws.channel_revisions import ChannelRevisionLaws
from pmscore.testing.laws.channels import ChannelLaneLaws
from pmscore.testing.memory import InMemoryStore


class FencelessStore(InMemoryStore):
    """Lets whoever lost a lane write."""

    def write(self, transaction):
        transaction.changes.channels.checks.clear()
        super().write(transaction)


class LeaselessStore(InMemoryStore):
    """Forgets who runs a lane."""

    def write(self, transaction):
        super().write(transaction)
        for row in transaction.books.channels.lanes.values():
            row.leased_until = None


class DeafStore(InMemoryStore):
    """Hears nobody who wakes a lane that runs."""

    def write(self, transaction):
        super().write(transaction)
        for row in transaction.books.channels.lanes.values():
            row.woken_at = None


class ImpatientStore(InMemoryStore):
    """Asks for a lane again and again."""

    def write(self, transaction):
        super().write(transaction)
        for row in transaction.books.channels.lanes.values():
            row.state = evolve(row.state, asked_until=None)


class ShiftingStore(InMemoryStore):
    """Is a day late at the end of a month."""

    def write(self, transaction):
        super().write(transaction)
        for kept in transaction.books.channels.cells.values():
            for row in kept.values():
                for ordinal in [each for each in row if each % 31 == 0]:
                    row[ordinal + 1] = row.pop(ordinal)


class EndlessStore(InMemoryStore):
    """Takes every call for ended when it began."""

    def write(self, transaction):
        super().write(transaction)
        for calls in transaction.books.channels.calls.values():
            for call_id, call in calls.items():
                calls[call_id] = evolve(call, ended_at=call.started_at)


class ForgettingStore(InMemoryStore):
    """Opens keys again that were closed."""

    def write(self, transaction):
        super().write(transaction)
        transaction.books.channels.closed.clear()


class TakingRevisions(InMemoryRevisions):
    def add(self, stored):
        super().add(stored)
        self._at.changes.channels.revisions[stored.connection_id, stored.revision_id] = stored
        return True


class TakingStore(InMemoryStore):
    """Takes every revision for a new one."""

    def _work(self, transaction):
        work = super()._work(transaction)
        work.revisions = TakingRevisions(transaction)
        return work


class UnlockedLinks(InMemoryRevisions):
    def link(self, connection_id, booking_key):
        self._at._locked.add(("channel_link", (connection_id, booking_key)))
        return self._at.books.channels.links.get((connection_id, booking_key))


class UnlockedStore(InMemoryStore):
    """Locks no key that it has no link for."""

    def _work(self, transaction):
        work = super()._work(transaction)
        work.revisions = UnlockedLinks(transaction)
        return work


class HoardingStore(InMemoryStore):
    """Purges nothing of the log."""

    def write(self, transaction):
        kept = dict(transaction.books.channels.operations)
        super().write(transaction)
        transaction.books.channels.operations.update(
            {key: each for key, each in kept.items() if key not in transaction.books.channels.operations}
        )


class BlindStore(InMemoryStore):
    """Does not know a knock again."""

    def write(self, transaction):
        super().write(transaction)
        knocks = transaction.books.channels.knocks
        for key in [key for key, row in knocks.items() if row.done_at is not None]:
            del knocks[key]


@pytest.mark.parametrize(
    ("store", "laws", "law"),
    [
        (FencelessStore, ChannelLaneLaws, "test_who_lost_a_lane_writes_nothing"),
        (FencelessStore, ChannelLaneLaws, "test_a_lease_that_was_given_up_fences_nothing_any_more"),
        (LeaselessStore, ChannelLaneLaws, "test_of_many_that_claim_a_lane_one_gets_it"),
        (LeaselessStore, ChannelLaneLaws, "test_a_lane_that_is_leased_or_closed_is_not_due"),
        (DeafStore, ChannelLaneLaws, "test_who_wakes_a_lane_while_it_runs_is_heard_at_its_end"),
        (ImpatientStore, ChannelLaneLaws, "test_what_was_asked_for_is_not_due_until_patience_ends"),
        (ImpatientStore, ChannelLaneLaws, "test_of_many_that_ask_what_is_due_each_lane_goes_to_one"),
        (ShiftingStore, ChannelLaneLaws, "test_cells_come_back_equal_over_the_ends_of_months_and_years"),
        (EndlessStore, ChannelCallLaws, "test_no_more_are_on_their_way_than_may_be"),
        (EndlessStore, ChannelCallLaws, "test_a_crowd_never_exceeds_a_window"),
        (ForgettingStore, ChannelCallLaws, "test_a_closed_key_is_closed_for_all_its_calls_and_no_others"),
        (TakingStore, ChannelRevisionLaws, "test_a_revision_is_known_once_however_often_it_comes"),
        (UnlockedStore, ChannelRevisionLaws, "test_a_link_is_locked_and_so_is_its_absence"),
        (BlindStore, ChannelRecordLaws, "test_a_knock_is_seen_once_and_read_until_it_is_done"),
        (HoardingStore, ChannelOperationLaws, "test_a_purge_deletes_what_it_said_it_would"),
    ],
)
def test_a_law_fails_on_a_store_that_breaks_it(store, laws, law):
    broken = store()

    class Broken(laws):
        def store(self):
            return broken

    with pytest.raises((AssertionError, PmsError)):
        getattr(Broken(), law)()
