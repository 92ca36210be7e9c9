"""Channels over HTTP: connected, asked, synchronised, mapped, told; and what each mistake is answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from attrs import evolve

from adapters.conftest import PostgresDatabase
from pms_web.app import create_app
from pmscore.access.model.permissions import Role
from pmscore.channels.model.manifest import Platform
from pmscore.kernel.ids import ConnectionId
from web.channel_web import HERE, connect, opened, property_of, quoted
from web.conftest import Web, problem

pytestmark = pytest.mark.postgres

TWO_DAYS = timedelta(days=2)


@pytest.fixture(scope="module")
def mock_web(postgres_database: PostgresDatabase) -> Iterator[Web]:
    yield from opened(postgres_database, mock=True)


@pytest.fixture(scope="module")
def real_web(postgres_database: PostgresDatabase) -> Iterator[Web]:
    yield from opened(postgres_database, mock=False)


def test_credentials_go_in_and_never_come_out(mock_web: Web):
    made = connect(mock_web, credentials={"api_key": "k-e-y-1"}, platform_metadata={"environment": "staging"})
    shown = mock_web.client.get(f"{HERE}/{made['id']}")
    assert shown.get_json() == made
    assert made["has_credentials"] is True
    assert made["status"] == "active"
    assert "k-e-y-1" not in shown.text + mock_web.client.get(HERE).text


@pytest.mark.parametrize(
    ("platform", "named", "gateway"),
    [
        ("airbnb", None, "channex"),
        ("alpinebits", None, "alpinebits"),
        ("booking_com", None, "channex"),
        ("booking_com", "booking_ota", "booking_ota"),
        ("channex", None, "channex"),
        ("expedia", None, "channex"),
        ("expedia", "expedia_eqc", "expedia_eqc"),
        ("fewo_direkt", "ical", "ical"),
        ("google", None, "channex"),
        ("google", "google_ari", "google_ari"),
    ],
)
def test_the_usual_way_to_a_platform_is_one_that_anybody_can_use(
    mock_web: Web, platform: str, named: str | None, gateway: str
):
    made = connect(mock_web, platform, **({} if named is None else {"gateway": named}))
    assert made["gateway"] == gateway


def test_a_property_is_connected_once_to_a_platform_and_again_after_the_end(mock_web: Web):
    made = connect(mock_web)
    body = {"property_id": made["property_id"], "platform_type": "channex"}
    again = mock_web.client.post(HERE, json=body)
    problem(again, 409, "already_connected")
    assert mock_web.client.delete(f"{HERE}/{made['id']}").status_code == 204
    gone = mock_web.client.get(f"{HERE}/{made['id']}")
    assert quoted(gone, 404, "not_found") == "Connection not found"
    revived = mock_web.client.post(HERE, json=body)
    assert revived.status_code == 201
    assert revived.get_json()["id"] == made["id"]


@pytest.mark.parametrize(
    ("sent", "status", "code", "detail"),
    [
        (
            {"platform_type": "myspace"},
            400,
            "unknown_choice",
            "Invalid platform_type. Must be one of: ["
            + ", ".join(f"'{each.value}'" for each in Platform)
            + "]",
        ),
        (
            {"platform_type": "channex", "gateway": "pigeon"},
            400,
            "platform_not_supported",
            "Platform channex not yet supported",
        ),
        ({"platform_type": "channex", "credentials": {"api_key": 7}}, 422, "invalid_input", None),
        ({"platform_type": "channex", "credentials": {"pin": "7"}}, 422, "invalid_input", None),
        ({}, 422, "invalid_input", None),
    ],
    ids=["no platform", "no gateway", "no text", "no such credential", "nothing"],
)
def test_what_cannot_be_connected_is_answered_by_name(mock_web: Web, sent, status, code, detail):
    body = {"property_id": property_of(mock_web), **sent}
    told = quoted(mock_web.client.post(HERE, json=body), status, code)
    assert detail in (None, told)
    listed = mock_web.client.get(HERE, query_string={"property_id": body["property_id"]})
    assert listed.get_json()["total"] == 0


def test_in_mock_mode_a_connection_says_its_status_and_that_it_is_mocked(mock_web: Web):
    made = connect(mock_web, "airbnb")
    one = f"{HERE}/{made['id']}"
    healthy = mock_web.client.post(f"{one}/test").get_json()
    assert (healthy["healthy"], healthy["message"]) == (True, "Mock: Connection is healthy")
    assert healthy["details"]["mock_mode"] is True
    assert healthy["details"]["remote_account_id"] == "mock_airbnb_host_123456"
    assert mock_web.client.patch(one, json={"status": "paused"}).get_json()["status"] == "paused"
    paused = mock_web.client.post(f"{one}/test").get_json()
    assert (paused["healthy"], paused["message"]) == (False, "Mock: Connection status is paused")
    assert mock_web.client.get(f"{one}/test").status_code == 405


def test_a_real_connection_without_credentials_says_which_are_missing(real_web: Web):
    made = connect(real_web)
    told = real_web.client.post(f"{HERE}/{made['id']}/test").get_json()
    assert told["healthy"] is False
    assert told["details"] == {
        "error_code": "CREDENTIALS_MISSING",
        "required_fields": ["api_key"],
        "mock_mode": False,
    }
    body = {"property_id": property_of(real_web), "platform_type": "channex"}
    quoted(real_web.client.post(HERE, json=body), 400, "connection_test_failed")


def test_a_full_sync_is_three_operations_in_one_batch(mock_web: Web):
    one = f"{HERE}/{connect(mock_web)['id']}"
    made = mock_web.client.post(f"{one}/sync", json={"sync_type": "full"}).get_json()
    assert made["message"] == "Manual full sync triggered successfully"
    assert len(made["task_ids"]) == 3
    batch = mock_web.client.get(f"{one}/sync-batches/{made['batch_id']}").get_json()
    assert batch["batch_status"] == "running"
    assert batch["status_counts"] == {"triggered": 3, "running": 0, "success": 0, "failed": 0, "other": 0}
    (listed,) = mock_web.client.get(f"{one}/sync-batches?status=running").get_json()["items"]
    assert listed == batch
    assert mock_web.client.get(f"{one}/sync-batches?status=failed").get_json()["items"] == []
    logs = mock_web.client.get(f"{one}/sync-logs", query_string={"batch_id": made["batch_id"]}).get_json()
    assert {each["task_id"] for each in logs["items"]} == {*made["task_ids"]}
    assert mock_web.client.get(one).get_json()["last_attempt_at"] is not None


@pytest.mark.parametrize("sync_type", ["availability", "pricing", "bookings"])
def test_a_single_sync_is_one_task_and_no_batch(mock_web: Web, sync_type: str):
    one = f"{HERE}/{connect(mock_web)['id']}"
    body = {"sync_type": sync_type, "start_date": "2027-04-01", "end_date": "2027-05-01"}
    made = mock_web.client.post(f"{one}/sync", json=body).get_json()
    assert len(made["task_ids"]) == 1
    assert made["batch_id"] is None
    (log,) = mock_web.client.get(f"{one}/sync-logs").get_json()["items"]
    assert log["details"]["start_date"] == "2027-04-01"


def test_mistakes_of_a_sync_leave_no_line_in_the_log(mock_web: Web):
    one = f"{HERE}/{connect(mock_web)['id']}"
    wrong = mock_web.client.post(f"{one}/sync", json={"sync_type": "all"})
    told = "Invalid sync_type. Must be one of: ['full', 'availability', 'pricing', 'bookings']"
    assert quoted(wrong, 400, "unknown_choice") == told
    half = {"sync_type": "full", "start_date": "2027-04-01"}
    problem(mock_web.client.post(f"{one}/sync", json=half), 422, "invalid_input")
    problem(mock_web.client.post(f"{one}/sync", json={}), 422, "invalid_input")
    quoted(mock_web.client.get(f"{one}/sync-batches?status=odd"), 400, "unknown_choice")
    mock_web.client.patch(one, json={"status": "paused"})
    problem(mock_web.client.post(f"{one}/sync", json={"sync_type": "full"}), 409, "illegal_transition")
    assert mock_web.client.get(f"{one}/sync-logs").get_json()["items"] == []


def test_the_log_is_purged_by_whoever_means_it(mock_web: Web):
    one = f"{HERE}/{connect(mock_web)['id']}"
    mock_web.client.post(f"{one}/sync", json={"sync_type": "availability"})
    preview = mock_web.client.get(f"{one}/sync-logs/purge-preview?retention_days=1").get_json()
    assert preview["logs_to_delete"] == 0
    wrong = {"retention_days": 1, "confirm_phrase": "purge"}
    refused = problem(mock_web.client.post(f"{one}/sync-logs/purge", json=wrong), 400, "wrong_phrase")
    assert [each["field"] for each in refused["errors"]] == ["confirm_phrase"]
    mock_web.here.clock.advance(TWO_DAYS)
    preview = mock_web.client.get(f"{one}/sync-logs/purge-preview?retention_days=1").get_json()
    assert preview["logs_to_delete"] == 1
    meant = {"retention_days": 1, "confirm_phrase": "PURGE"}
    done = mock_web.client.post(f"{one}/sync-logs/purge", json=meant).get_json()
    assert done["deleted_count"] == 1
    problem(
        mock_web.client.post(f"{one}/sync-logs/purge", json={**meant, "retention_days": 0}),
        422,
        "invalid_input",
    )


def test_a_pair_that_stays_keeps_its_id_and_what_is_missing_is_named(mock_web: Web):
    made = connect(mock_web)
    one = f"{HERE}/{made['id']}/mappings"
    types = mock_web.client.get(f"/api/v1/properties/{made['property_id']}/unit-types").get_json()["items"]
    unmapped = mock_web.client.get(f"{one}/check").get_json()
    assert unmapped["is_complete"] is False
    assert {each["kind"] for each in unmapped["gaps"]} == {"type_unmapped"}
    rooms = [{"unit_type_id": each["id"], "room_code": f"room-{number}"} for number, each in enumerate(types)]
    first = mock_web.client.put(one, json={"rooms": rooms}).get_json()
    assert mock_web.client.put(one, json={"rooms": rooms}).get_json() == first
    moved = [{**rooms[0], "room_code": "another"}, *rooms[1:]]
    second = mock_web.client.put(one, json={"rooms": moved}).get_json()
    assert {each["id"] for each in second["rooms"]} & {first["rooms"][0]["id"]} == set()
    assert mock_web.client.get(one).get_json() == second
    assert mock_web.client.get(f"{one}/check").get_json()["gaps"] == []
    twice = [rooms[0], rooms[0]]
    problem(mock_web.client.put(one, json={"rooms": twice}), 422, "invalid_input")


def test_a_message_of_the_platform_is_kept_once_and_a_forged_one_is_not(mock_web: Web):
    made = connect(mock_web, platform_listing_id="h7", credentials={"api_key": "k", "webhook_secret": "s"})
    given = mock_web.client.post(f"{HERE}/{made['id']}/tokens").get_json()
    body = {"event": "booking_new", "property_id": "h7"}
    assert knocks(mock_web, given["webhook_path"], body, "s") == 200
    assert knocks(mock_web, given["webhook_path"], body, "s") == 200
    assert len(kept(mock_web, made)) == 1
    assert knocks(mock_web, given["webhook_path"], {**body, "event": "booking_other"}, "forged") == 404
    assert knocks(mock_web, given["webhook_path"][:-4] + "AAAA", body, "s") == 404
    assert knocks(mock_web, "/channel-webhooks/anything", body, "s") == 404
    assert len(kept(mock_web, made)) == 1
    newer = mock_web.client.post(f"{HERE}/{made['id']}/tokens").get_json()
    assert knocks(mock_web, given["webhook_path"], {**body, "event": "booking_x"}, "s") == 404
    assert knocks(mock_web, newer["webhook_path"], {**body, "event": "booking_x"}, "s") == 200


def knocks(web: Web, path: str, body: dict[str, str], secret: str) -> int:
    """Send a message and return the status of the answer."""
    return web.client.post(path, json=body, headers={"X-Webhook-Secret": secret}).status_code


def kept(web: Web, made: dict) -> list:
    with web.services.uow.begin(web.services.question) as work:
        return [*work.knocks.take(ConnectionId(UUID(made["id"])), 10)]


def test_a_manager_may_not_purge(mock_web: Web):
    one = f"{HERE}/{connect(mock_web)['id']}"
    here = evolve(mock_web.here, identify=lambda _: evolve(mock_web.services.principal, role=Role.MANAGER))
    client = create_app(here).test_client()
    assert client.get(f"{one}/sync-logs").status_code == 200
    problem(client.get(f"{one}/sync-logs/purge-preview?retention_days=3"), 403, "permission_denied")


def test_without_the_module_there_is_no_such_address(web: Web):
    assert web.client.get(HERE).status_code == 404
    assert HERE not in web.client.get("/api/v1/openapi.json").get_json()["paths"]
