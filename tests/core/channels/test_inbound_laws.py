"""The laws of what comes in, on the store in memory."""

from __future__ import annotations

from datetime import timedelta

from pmscore.testing.laws.inbound import InboundLaws
from pmscore.testing.memory import InMemoryStore

STORE = InMemoryStore(lock_timeout=timedelta(minutes=1))


class TestInbound(InboundLaws):
    def store(self):
        return STORE
