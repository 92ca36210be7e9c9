"""``pms rotate-keys`` and ``pms plugins``: what they print, and how they end."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner, Result

from adapters.conftest import PostgresDatabase
from pms_adapters.crypto.box import AesGcmBox, new_key, read_keys
from pms_web.cli.home_key import home_key
from pms_web.cli.main import pms
from pmscore.kernel.ids import AgencyId
from pmscore.kernel.secrets import Secret
from pmscore.webhooks.model.endpoints import SEALED_COLUMN


def run(*arguments: str, **environment: str) -> Result:
    cleared = dict.fromkeys(("DATABASE_URL", "ENCRYPTION_KEY", "MODULES_ENABLED", "REDIS_URL"))
    return CliRunner().invoke(pms, arguments, env={**cleared, **environment})


def test_a_new_key_is_printed_and_works():
    first, second = run("rotate-keys", "--new-key"), run("rotate-keys", "--new-key")
    assert first.exit_code == 0
    assert first.stdout != second.stdout
    assert len(read_keys(first.stdout.strip())) == 1


def test_secrets_are_sealed_anew_and_a_missing_key_is_named(fresh_postgres_database: PostgresDatabase):
    old, new = new_key(), new_key()
    agency, endpoint = AgencyId(uuid4()), uuid4()
    sealed = AesGcmBox(read_keys(old)).seal(agency, SEALED_COLUMN, Secret("s3cret"))
    with psycopg.connect(fresh_postgres_database.admin_url) as connection:
        connection.execute("INSERT INTO agencies VALUES (%s, 'x', 'x')", (agency,))
        connection.execute(
            "INSERT INTO webhook_endpoints (agency_id, endpoint_id, url, kinds, is_full, status, created_at, version)"
            " VALUES (%s, %s, 'https://x.test', '{*}', false, 'active', now(), 1)",
            (agency, endpoint),
        )
        connection.execute(
            "INSERT INTO webhook_secrets (agency_id, endpoint_id, secret_id, sealed, created_at)"
            " VALUES (%s, %s, %s, %s, now())",
            (agency, endpoint, uuid4(), sealed),
        )
    url = fresh_postgres_database.admin_url
    missing = run("rotate-keys", DATABASE_URL=url, ENCRYPTION_KEY=new)
    assert missing.exit_code == 1
    assert sealed.split(".")[1] in missing.stderr
    done = run("rotate-keys", "--json", DATABASE_URL=url, ENCRYPTION_KEY=f"{new},{old}")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"resealed": 1, "current": 0, "unreadable": {}})
    again = run("rotate-keys", DATABASE_URL=url, ENCRYPTION_KEY=new)
    assert (again.exit_code, again.stdout) == (0, "Sealed anew: 0. Under the newest key before: 1.\n")
    assert old not in missing.output + done.output
    assert new not in missing.output + done.output


def test_without_a_key_there_is_a_way_out(fresh_postgres_database: PostgresDatabase):
    ended = run("rotate-keys", DATABASE_URL=fresh_postgres_database.admin_url)
    assert ended.exit_code == 1
    assert "--new-key" in ended.stderr


def test_a_key_that_is_none_is_not_repeated(fresh_postgres_database: PostgresDatabase):
    ended = run(
        "rotate-keys", DATABASE_URL=fresh_postgres_database.admin_url, ENCRYPTION_KEY="hunter2hunter2"
    )
    assert ended.exit_code == 1
    assert "ENCRYPTION_KEY" in ended.stderr
    assert "hunter2" not in ended.output


def test_a_home_has_one_key_whoever_comes_first(tmp_path: Path):
    keys: list[Secret] = []
    barrier = threading.Barrier(8)

    def take() -> None:
        barrier.wait(10)
        keys.append(home_key(tmp_path))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert len(read_keys(keys[0].reveal())) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["encryption.key"]
    assert (tmp_path / "encryption.key").stat().st_mode & 0o777 == 0o600


def test_the_list_of_modules_says_which_run_and_why_others_do_not():
    listed = run("plugins", "--json")
    assert listed.exit_code == 0
    found = {each["name"]: each["status"] for each in json.loads(listed.stdout)}
    assert {"metrics", "webhooks"} <= set(found)
    assert [name for name, status in found.items() if status != "on"] == ["channel_manager"]
    asked_for = run("plugins", "--json", CHANNEL_MANAGER_ENABLED="true")
    assert {each["status"] for each in json.loads(asked_for.stdout)} == {"on"}
    off = run("plugins", WEBHOOKS_ENABLED="false", METRICS_ENABLED="perhaps")
    assert off.exit_code == 0
    assert "WEBHOOKS_ENABLED=false" in off.stdout
    assert "METRICS_ENABLED must be true or false" in off.stdout
    none = run("plugins", "--json", MODULES_ENABLED="no")
    assert {each["why"] for each in json.loads(none.stdout)} == {"MODULES_ENABLED=false"}


def test_a_module_that_is_broken_is_listed_and_the_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    info = tmp_path / "acme_minibar-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-minibar\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text("[pms.modules]\nminibar = acme_minibar:MODULE\n")
    (tmp_path / "acme_minibar.py").write_text("import acme_that_is_not_installed\n")
    monkeypatch.syspath_prepend(tmp_path)
    listed = run("plugins")
    assert listed.exit_code == 1
    assert "No module named 'acme_that_is_not_installed'" in listed.stdout
    off = run("plugins", "--json", MINIBAR_ENABLED="false")
    assert off.exit_code == 0
    (minibar,) = [each for each in json.loads(off.stdout) if each["name"] == "minibar"]
    assert (minibar["version"], minibar["why"]) == ("2.5", "MINIBAR_ENABLED=false")
