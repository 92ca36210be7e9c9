"""The laws of what comes in, on PostgreSQL."""

from __future__ import annotations

import pytest

from adapters.postgres.subject import PATIENT_MS, PostgresStore
from pms_adapters.system import TimeOrderedIds
from pmscore.testing.laws.inbound import InboundLaws

pytestmark = pytest.mark.postgres


class TestInbound(InboundLaws):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _connected(cls, request, postgres_database):
        request.cls.STORE = PostgresStore(
            postgres_database.app_url, postgres_database.admin_url, lock_timeout_ms=PATIENT_MS
        )
        yield
        request.cls.STORE.close()

    def store(self):
        return self.STORE

    def ids(self):
        return TimeOrderedIds()
