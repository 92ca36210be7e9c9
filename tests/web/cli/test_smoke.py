"""``pms smoke`` against an app that is served, with a worker beside it: what it says and how it ends."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from attrs import frozen
from click.testing import CliRunner, Result

from adapters.conftest import PostgresDatabase
from pms_adapters.bootstrap import connect
from pms_adapters.crypto.box import new_key
from pms_adapters.embedded.temporary import temporary_redis
from pms_adapters.http.door import Answer, Call
from pms_adapters.settings import Settings
from pms_web.cli.calling import CalledApp, app_at
from pms_web.cli.main import pms
from pms_web.cli.people import Desk
from pms_web.cli.smoke_checks import CheckFailedError, CheckSkippedError, SmokeChecks
from pms_web.wiring import access_of
from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.keys import CreateKey, create_key
from pmscore.access.use_cases.members import AddUser, add_user
from pmscore.inventory.model.house import House
from web.cli.test_serve import PMS, environment
from web.cli.test_serving import serving
from web.conftest import Web, day, web_on

pytestmark = pytest.mark.postgres
WHO = {"EMAIL": "ada@example.com", "PASSWORD": "four blue herons at noon"}
BOOKED = "SELECT booking_id, status FROM bookings WHERE agency_id = %s"
BOTH = {"AVAIL_BLOCK_TEST": "true", "B2B_TEST": "yes"}
NAMES = ("API", "TOKEN", "EMAIL", "PASSWORD", "PID", "CID", "AVAIL_BLOCK_TEST", "B2B_TEST", "ENV_FILE")


@frozen(kw_only=True)
class Served:
    """An app with two houses and a connection, a key of a manager, and how the worker is started."""

    address: str
    key: str
    web: Web
    connection_id: str
    database: PostgresDatabase
    environ: dict[str, str]

    def smoke(self, *arguments: str, **environ: str | None) -> Result:
        given = {**dict.fromkeys(NAMES), "TOKEN": self.key, **environ}
        usual = ("smoke", "--url", self.address, "--poll-interval", "0.3")
        return CliRunner().invoke(pms, [*usual, *arguments], env=given)

    @contextmanager
    def checks(self, house: House) -> Iterator[SmokeChecks]:
        with app_at(self.address, lambda _: None) as app:
            app.use_key(self.key)
            checks = SmokeChecks(app=app, say=lambda _: None, property_id=str(house.property.property_id))
            checks.property_found()
            yield checks

    def admin(self, sql: str) -> list[tuple]:
        with psycopg.connect(self.database.admin_url, autocommit=True) as connection:
            cursor = connection.execute(sql, [str(self.web.services.agency_id)])
            return cursor.fetchall() if cursor.description else []

    @property
    def blocks(self) -> list[tuple]:
        return self.admin("SELECT 1 FROM blocks WHERE agency_id = %s")


@pytest.fixture(scope="module")
def served(postgres_database: PostgresDatabase) -> Iterator[Served]:
    with temporary_redis() as redis:
        environ = {
            "DATABASE_URL": postgres_database.app_url,
            "REDIS_URL": redis.url(),
            "ENCRYPTION_KEY": new_key(),
            "CHANNEL_MANAGER_ENABLED": "true",
            "CHANNEL_MOCK_MODE": "true",
            # Nobody reads what it logs, so it should not be much.
            "LOG_LEVEL": "ERROR",
        }
        for web in web_on(postgres_database.app_url):
            key = _people(web, postgres_database)
            # No house of the others comes first: the one of this test is named where it matters.
            seeded = ("channel-seed", "--agency", str(web.services.agency_id), "--print-cid")
            made = CliRunner().invoke(pms, seeded, env={**environ, "PMS_HOME": None})
            assert made.exit_code == 0, made.output
            with serving(**environ) as (_, address):
                yield Served(
                    address=address,
                    key=key,
                    web=web,
                    connection_id=made.stdout.strip(),
                    database=postgres_database,
                    environ=environ,
                )


@pytest.fixture
def worker(served: Served) -> Iterator[None]:
    process = subprocess.Popen((*PMS, "worker"), env=environment(**served.environ), stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert b"is ready" in process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _people(web: Web, database: PostgresDatabase) -> str:
    settings = Settings(database_url=database.app_url)
    with connect(settings) as services:
        access, _ = access_of(settings, services)
        at = Desk(services=services, access=access, agency_id=web.services.agency_id)
        adding = AddUser(
            **at.asking, email=WHO["EMAIL"], name="Ada", password=WHO["PASSWORD"], role=Role.MANAGER
        )
        add_user(adding, uow=access.uow, passwords=access.passwords, ids=services.ids)
        asked = CreateKey(**at.asking, name="smoke", role=Role.MANAGER)
        return create_key(
            asked, uow=access.uow, secrets=access.secrets, clock=services.clock, ids=services.ids
        ).text


def lines(result: Result) -> list[str]:
    """Return the lines of the checks."""
    return [line for line in result.stdout.splitlines() if " Test " in line]


def test_all_that_there_is_passes_and_leaves_nothing(served: Served, worker: None) -> None:
    hotel = str(served.web.hotel.property.property_id)
    before = set(served.admin(BOOKED))
    result = served.smoke("--pid", hotel, "--cid", served.connection_id, "--poll-limit", "100", **BOTH)
    assert result.exit_code == 0, result.output
    assert [line.split(":")[0] for line in lines(result)] == [f"✓ Test {number}" for number in range(1, 10)]
    assert "SYNC COMPLETED SUCCESSFULLY" in result.stdout
    assert result.stdout.splitlines()[-1] == "9 passed"
    assert f"Key: {len(served.key)} characters" in result.stdout
    assert served.key[-20:] not in result.output
    made = set(served.admin(BOOKED)) - before
    assert [status for _, status in made] == ["cancelled"] * 2
    assert served.blocks == []


def test_a_sync_that_nobody_does_is_no_success(served: Served) -> None:
    result = served.smoke("--poll-limit", "3")
    assert result.exit_code == 2, result.output
    assert any(line.startswith("? Test 7: sync") for line in lines(result))
    assert lines(result)[-2:] == [
        "⊘ Test 8: a block refuses a booking skipped (AVAIL_BLOCK_TEST not enabled)",
        "⊘ Test 9: stays back to back skipped (B2B_TEST not enabled)",
    ]


def test_somebody_with_a_password_is_as_good_as_a_key(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "smoke.env"
    file.write_text(f"# who\nexport EMAIL={WHO['EMAIL']}\nPASSWORD='{WHO['PASSWORD']}'\nOTHER=1\n", "utf-8")
    environ = {"TOKEN": None, "PID": str(served.web.hotel.property.property_id), **BOTH}
    result = served.smoke("--env-file", str(file), "--poll-limit", "1", **environ)
    assert "  manager by session" in result.stdout, result.output
    assert [line[0] for line in lines(result)] == [*"✓✓✓✓✓✓?✓✓"], result.output
    assert WHO["PASSWORD"] not in result.output


def test_an_unknown_property_is_replaced_by_the_first(served: Served) -> None:
    result = served.smoke("--pid", "01997f3e-5f0a-7c3e-9d7e-1c2b3a4d5e6f", "--poll-limit", "1")
    assert re.search(
        r"⚠️ PID invalid \(Property not found\)\. Using fallback PID=[0-9a-f-]{36} from /properties",
        result.stdout,
    )


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"TOKEN": None}, "Required environment variable not set: TOKEN"),
        ({"TOKEN": None, "EMAIL": "a@b.example"}, "Required environment variable not set: PASSWORD"),
        ({"TOKEN": " "}, "Token is empty"),
        ({"TOKEN": "null"}, "Token is empty"),
        ({"TOKEN": "abc.def"}, "7 characters"),
    ],
)
def test_without_credentials_nothing_is_tried(
    served: Served, environ: dict[str, str | None], said: str
) -> None:
    result = served.smoke(**environ)
    assert (result.exit_code, lines(result)) == (2, [])
    assert said in result.stderr


def test_a_key_of_nobody_fails_and_what_stands_on_it_is_not_tried(served: Served) -> None:
    told = json.loads(served.smoke("--json", TOKEN=f"pms_{'0' * 32}_{'0' * 43}", **BOTH).stdout)
    assert [each["state"] for each in told] == ["passed", "passed", "failed", *["skipped"] * 6]
    assert "401" in told[2]["said"]


def test_an_app_that_is_not_there_fails() -> None:
    environ = {**dict.fromkeys(NAMES), "TOKEN": f"pms_{'0' * 32}_{'0' * 43}"}
    result = CliRunner().invoke(pms, ["smoke", "--url", "http://127.0.0.1:1"], env=environ)
    assert result.exit_code == 1
    assert lines(result)[0] == "✗ Test 1: health no answer"


def test_a_block_is_lifted_although_its_check_fails(served: Served) -> None:
    with served.checks(served.web.hotel) as checks:
        door = checks.app.send_call
        sent: list[Call] = []

        def lying(call: Call) -> Answer:
            """Answer the booking over the block as if it had not been refused."""
            sent.append(call)
            return door(
                Call(method="GET", url=f"{served.address}/health") if "/bookings" in call.url else call
            )

        checks.app.send_call = lying
        with pytest.raises(CheckFailedError, match="a booking over the block"):
            checks.block()
    assert [call.method for call in sent][-2:] == ["POST", "DELETE"]
    assert served.blocks == []


def test_nights_that_are_taken_are_passed_over(served: Served) -> None:
    """Those after a departure on which a home is cleaned, too."""
    made = served.web.post(served.web.at_home(27, 3))
    assert made.status_code == 201, made.text
    with served.checks(served.web.home) as checks:
        send, sent = checks.app.send_call, []

        def watched(call: Call) -> Answer:
            sent.append(call)
            return send(call)

        checks.app.send_call = watched
        checks.block()
    (blocked,) = [json.loads(call.body) for call in sent if call.method == "POST" and "blocks" in call.url]
    assert blocked["from"] == day(33)
    assert served.blocks == []


def test_a_house_that_is_cleaned_between_stays_has_no_stays_back_to_back(served: Served) -> None:
    with served.checks(served.web.home) as checks, pytest.raises(CheckSkippedError, match="no gap"):
        checks.back_to_back()


def test_a_module_that_is_off_has_no_connections(served: Served) -> None:
    served.admin(
        "INSERT INTO agency_features (agency_id, module, is_enabled, version, changed_at)"
        " VALUES (%s, 'channel_manager', false, 1, now())"
    )
    try:
        result = served.smoke()
    finally:
        served.admin("DELETE FROM agency_features WHERE agency_id = %s")
    assert result.exit_code == 0, result.output
    assert (
        lines(result)[5] == "⊘ Test 6: connection to a platform skipped (the module channel_manager is off)"
    )
    assert lines(result)[6].startswith("⊘ Test 7:")


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("http://there.example/api/", 2),
        ("https://there.example/api/", 2),
        ("/api/", 2),
        ("http://elsewhere.example/api/", 1),
        ("http://there.example:81/api/", 1),
        ("file:///etc/passwd", 1),
    ],
)
def test_a_key_follows_a_move_to_the_same_host_only(location: str, sent: int) -> None:
    calls: list[Call] = []

    def move_once(call: Call) -> Answer:
        calls.append(call)
        status = 307 if len(calls) == 1 else 200
        return Answer(status=status, headers={"location": location}, body=b"{}", seconds=0.0)

    app = CalledApp("http://there.example", move_once, lambda _: None)
    app.use_key("k")
    assert app.send("POST", "/api", {"a": 1}).status == (200 if sent == 2 else 307)
    assert len(calls) == sent
    assert {(each.method, each.body) for each in calls} == {("POST", b'{"a": 1}')}
