"""The laws of what comes in hold on the store in memory, and fail on stores that break them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pmscore.testing.laws.inbound import InboundLaws
from pmscore.testing.memory import InMemoryStore

STORE = InMemoryStore(lock_timeout=timedelta(minutes=1))


class TestInbound(InboundLaws):
    def store(self):
        return STORE


class UnlinkingStore(InMemoryStore):
    """Forgets which booking stands for which."""

    def write(self, transaction):
        transaction.changes.channels.links.clear()
        super().write(transaction)


class UndecidedStore(InMemoryStore):
    """Forgets which booking stands for which, and what became of revisions: nothing is ever done."""

    def write(self, transaction):
        kept, changes = transaction.books.channels, transaction.changes.channels
        changes.links.clear()
        for key in kept.revisions.keys() & changes.revisions.keys():
            del changes.revisions[key]
        super().write(transaction)


class FencelessStore(InMemoryStore):
    """Believes everybody who says that the lane is theirs."""

    def write(self, transaction):
        transaction.changes.channels.checks.clear()
        super().write(transaction)


@pytest.mark.parametrize(
    ("store", "law"),
    [
        (UnlinkingStore, "test_two_revisions_of_one_booking_at_once_end_as_the_newer_one"),
        (UndecidedStore, "test_two_hands_on_one_revision_have_one_effect"),
        (UndecidedStore, "test_booking_link_and_revision_are_one_commit"),
        (FencelessStore, "test_who_has_lost_the_lane_writes_nothing"),
    ],
)
def test_a_law_fails_on_a_store_that_breaks_it(store, law):
    class Laws(InboundLaws):
        def store(self):
            return broken

    broken = store(lock_timeout=timedelta(milliseconds=100))
    with pytest.raises(Exception):  # noqa: B017 - how a broken store fails is its own affair
        getattr(Laws(), law)()
