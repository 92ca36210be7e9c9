"""A dump restored into a server that counts its transactions from somewhere else."""

from __future__ import annotations

import json

import psycopg
import pytest

from pms_adapters.postgres.restoring import settle_positions
from pms_adapters.postgres.verify import SEALS, verify
from pms_adapters.redis.feed import stream_name

pytestmark = pytest.mark.postgres

FOREIGN = (
    "UPDATE events SET txid = txid + 1000000000000",
    "UPDATE audit_seals SET txid = txid + 1000000000000",
    "UPDATE inbox SET txid = txid + 1000000000000",
    """UPDATE relay_positions
          SET recorded_txid = recorded_txid + 1000000000000, queued_txid = queued_txid + 1000000000000""",
)


@pytest.fixture
def restored(shop):
    """Return a shop with two events taken in, two recorded and two not, as if from a server far ahead."""
    (aggregate,) = shop.append(2)
    shop.relay()
    shop.work_off()
    shop.append(2, aggregates=[aggregate])
    shop.relay()
    shop.runtime.redis.flushall()
    shop.append(2, aggregates=[aggregate])
    for statement in FOREIGN:
        shop.admin(statement)
    return shop


def published(shop):
    entries = shop.runtime.redis.xrange(stream_name(shop.agency_id))
    return [json.loads(fields[b"event"])["version"] for _, fields in entries]


def versions(shop):
    return [version for _, version in shop.effects("first")]


def test_the_worker_goes_on_where_it_stood_and_new_events_come_after(restored):
    with psycopg.connect(restored.admin_url) as connection:
        settle_positions(connection)
    (aggregate,) = restored.versions
    restored.append(1, aggregates=[aggregate])
    for _ in range(3):
        restored.relay()
        restored.work_off()
    assert versions(restored) == [1, 2, 3, 4, 5, 6, 7]
    assert published(restored) == [5, 6, 7]
    broken = [each.where for each in verify(restored.admin_url) if each.code == SEALS.code]
    assert not [where for where in broken if str(restored.agency_id) in where]


def test_unsettled_the_events_would_not_be_read(restored):
    """The positive control."""
    (aggregate,) = restored.versions
    restored.append(1, aggregates=[aggregate])
    restored.relay()
    restored.work_off()
    assert 5 not in versions(restored)
    assert 7 not in versions(restored)
