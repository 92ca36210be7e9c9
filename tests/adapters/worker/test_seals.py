from __future__ import annotations

import json

import psycopg
import pytest
from attrs import evolve

from pms_adapters.postgres.events import read_horizon
from pms_adapters.postgres.seals import seal_next
from pms_adapters.postgres.verify import SEALS, unsealed, verify
from pms_adapters.worker import schedules

pytestmark = pytest.mark.postgres


@pytest.fixture
def sealed(shop):
    """Return a shop with seven events under three seals."""
    shop.append(7)
    horizon = read_horizon(shop.runtime.services.engine, shop.agency_id)
    while seal_next(shop.runtime.services.engine, shop.agency_id, horizon=horizon, most=3):
        pass
    return shop


def found(shop, **more):
    """Return what verification says about the audit log of the shop."""
    violated = verify(shop.admin_url, **more)
    return [each.where for each in violated if each.code == SEALS.code and str(shop.agency_id) in each.where]


def ids(shop):
    rows = shop.admin("SELECT event_id FROM events WHERE agency_id = %s ORDER BY txid, seq", shop.agency_id)
    return [event_id for (event_id,) in rows]


def tampered(shop, sql, *values):
    """Change something behind the program's back."""
    with psycopg.connect(shop.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(sql, values).rowcount == 1


def test_what_is_left_alone_passes(sealed):
    assert found(sealed) == []
    rows = sealed.admin(
        "SELECT entries FROM audit_seals WHERE agency_id = %s ORDER BY number", sealed.agency_id
    )
    assert rows == [(3,), (3,), (1,)]


@pytest.mark.parametrize(
    "change",
    [
        "payload = payload || '{\"by\": 1}'",
        "version = version + 1",
        "kind = kind || 'x'",
        "actor_id = gen_random_uuid()",
        "at = at + interval '1 microsecond'",
    ],
)
@pytest.mark.parametrize("number", [0, 4, 6])
def test_an_event_that_was_changed_is_named(sealed, change, number):
    event_id = ids(sealed)[number]
    tampered(sealed, f"UPDATE events SET {change} WHERE event_id = %s", event_id)
    (where,) = found(sealed)
    assert f"entry={number + 1}, event_id={event_id}" in where
    assert "changed" in where


def test_an_event_that_was_taken_away_is_missed(sealed):
    tampered(sealed, "DELETE FROM events WHERE event_id = %s", ids(sealed)[4])
    (where,) = found(sealed)
    assert "an entry is missing, entry=5" in where


def test_an_event_that_was_put_in_between_is_named(sealed):
    tampered(
        sealed,
        "INSERT INTO events (agency_id, txid, seq, event_id, kind, aggregate, aggregate_id, version, at, actor_id,"
        " request_id, payload) OVERRIDING SYSTEM VALUE SELECT agency_id, txid, seq - 1, gen_random_uuid(), kind,"
        " aggregate, aggregate_id, version, at, actor_id, request_id, payload FROM events WHERE event_id = %s",
        ids(sealed)[4],
    )
    (where,) = found(sealed)
    assert "put in between, entry=5" in where


def test_two_events_that_changed_places_are_named(sealed):
    first, second = ids(sealed)[3:5]
    sealed.admin(
        "UPDATE events e SET event_id = CASE e.event_id WHEN %s THEN %s::uuid ELSE %s::uuid END"
        " WHERE e.event_id IN (%s, %s)",
        first,
        second,
        first,
        first,
        second,
    )
    (where,) = found(sealed)
    assert "entry=4" in where


def test_a_seal_that_was_changed_or_taken_away_is_named(sealed):
    tampered(
        sealed,
        "UPDATE audit_seals SET hash = sha256(hash) WHERE agency_id = %s AND number = 2",
        sealed.agency_id,
    )
    (where,) = found(sealed)
    assert "seal=2, the seal itself was changed" in where
    tampered(sealed, "DELETE FROM audit_seals WHERE agency_id = %s AND number = 2", sealed.agency_id)
    (where,) = found(sealed)
    assert "seal=2, the seal is missing" in where


def test_the_tail_is_reported_until_it_is_sealed(sealed):
    sealed.append(2)
    (tail,) = unsealed(sealed.settings.database_url, agency_id=sealed.agency_id)
    assert tail.count == 2
    sealed.relay()
    assert unsealed(sealed.settings.database_url, agency_id=sealed.agency_id) == ()
    assert found(sealed) == []


def test_a_chain_that_was_made_anew_differs_from_the_head_that_was_kept(sealed, tmp_path):
    """The positive control is in the middle: without the kept head nobody would notice."""
    keep_head(sealed, tmp_path)
    assert found(sealed, heads=tmp_path) == []
    tampered(sealed, "UPDATE events SET kind = 'note.forged' WHERE event_id = %s", ids(sealed)[2])
    sealed.admin("DELETE FROM audit_seals WHERE agency_id = %s", sealed.agency_id)
    horizon = read_horizon(sealed.runtime.services.engine, sealed.agency_id)
    while seal_next(sealed.runtime.services.engine, sealed.agency_id, horizon=horizon, most=3):
        pass
    assert found(sealed) == []
    (where,) = found(sealed, heads=tmp_path)
    assert "differs from the head kept in" in where


def keep_head(shop, folder):
    settings = evolve(shop.settings, audit_head_dir=folder)
    services = evolve(shop.runtime.services, settings=settings)
    schedules.USUAL["daily_head"].does(shop.agency_id, services)
    (file,) = folder.iterdir()
    assert json.loads(file.read_text())["entries"] == 7


def test_the_application_can_neither_change_nor_delete_a_seal(sealed):
    for sql in ("UPDATE audit_seals SET entries = 1", "DELETE FROM audit_seals"):
        with psycopg.connect(sealed.settings.database_url) as connection:
            connection.execute("SELECT set_config('app.agency_id', %s, true)", [str(sealed.agency_id)])
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(sql)
