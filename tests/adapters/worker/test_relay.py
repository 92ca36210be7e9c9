from __future__ import annotations

import json
from uuid import uuid4

import pytest

from pms_adapters.postgres.leases import skip_history
from pms_adapters.redis.feed import stream_name

pytestmark = pytest.mark.postgres


def test_every_reaction_has_one_effect_an_event_in_the_order_of_the_aggregate(shop):
    aggregates = shop.append(60, aggregates=[uuid4() for _ in range(5)])
    shop.relay()
    shop.work_off()
    for reaction in ("first", "second"):
        found = shop.effects(reaction)
        assert len(found) == 60
        for aggregate_id in aggregates:
            assert [version for each, version in found if each == aggregate_id] == list(range(1, 13))
    assert shop.waiting() == 0


def test_what_is_done_is_not_due_any_more(shop):
    shop.append(3)
    shop.relay()
    assert shop.admin("SELECT kind FROM work_due WHERE kind = 'events'") == []


def published(shop):
    entries = shop.runtime.redis.xrange(stream_name(shop.agency_id))
    return [json.loads(fields[b"event"])["version"] for _, fields in entries]


def test_the_feed_has_every_event_once_in_order_even_if_it_is_published_again(shop):
    shop.append(5)
    shop.relay()
    shop.admin("UPDATE relay_positions SET queued_txid = 0 WHERE agency_id = %s", shop.agency_id)
    shop.append(2, aggregates=list(shop.versions))
    shop.relay()
    assert published(shop) == [1, 2, 3, 4, 5, 6, 7]


def test_a_history_that_is_skipped_is_sealed_and_nobody_hears_it(shop):
    shop.append(3)
    skip_history(shop.runtime.services.engine, shop.agency_id)
    shop.append(1, aggregates=list(shop.versions))
    shop.relay()
    shop.work_off()
    assert [version for _, version in shop.effects("first")] == [4]
    assert published(shop) == [4]
    assert shop.admin("SELECT sum(entries) FROM audit_seals WHERE agency_id = %s", shop.agency_id) == [(4,)]
