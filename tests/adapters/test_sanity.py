"""Whether settings make sense: each warning has settings that bring it and settings that do not; no value is told."""

from __future__ import annotations

import pytest

from pms_adapters.sanity import CODES, DatabaseFacts, find_warnings
from pms_adapters.settings import Settings

GOOD = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://pms_app:Wp42-lvrelace-9f8e@db.example/pms?sslmode=verify-full",
    "REDIS_URL": "rediss://:k3vZ-lvrelace-77@redis.example/0",
    "JWT_SECRET": "q7Zk2vN4xB8mR1tY6wL3pD9sF5gH0jKc",
    "METRICS_TOKEN": "m7Zk2vN4xB8mR1tY6wL3pD9sF5gH0jKc",
    "ENCRYPTION_KEY": "e7Zk2vN4xB8mR1tY6wL3pD9sF5gH0jKcQ",
    "PUBLIC_URL": "https://house.example",
    "MAIL_URL": "smtps://post:lvrelace@mail.example",
    "ALLOWED_HOSTS": "house.example",
    "TRUSTED_PROXIES": "10.0.0.1/32",
}
FACTS = DatabaseFacts(most_connections=100)


def _found(
    facts: DatabaseFacts | None = FACTS, *, processes: int = 2, commit: str = "0123abc", **changes: str
) -> set[tuple[str, str]]:
    settings = Settings.from_mapping({**GOOD, **changes})
    return {
        (each.code, each.setting)
        for each in find_warnings(settings, facts, processes=processes, commit=commit)
    }


CASES = [
    ({"DATABASE_URL": ""}, {("embedded_in_production", "DATABASE_URL")}),
    ({"REDIS_URL": ""}, {("embedded_in_production", "REDIS_URL")}),
    ({"DATABASE_URL": GOOD["DATABASE_URL"].partition("?")[0]}, {("database_without_tls", "DATABASE_URL")}),
    ({"REDIS_URL": "redis://:k3vZ-lvrelace-77@redis.example/0"}, {("redis_without_tls", "REDIS_URL")}),
    ({"DATABASE_URL": "postgresql://pms_app:postgres@localhost/pms"}, {("default_secret", "DATABASE_URL")}),
    ({"DATABASE_URL": "postgresql://pms_x9:pms_x9@localhost/pms"}, {("default_secret", "DATABASE_URL")}),
    ({"JWT_SECRET": "changeme"}, {("default_secret", "JWT_SECRET")}),
    ({"JWT_SECRET": "your-secret-key-please-change"}, {("default_secret", "JWT_SECRET")}),
    ({"JWT_SECRET": "Zk2vN4xB8mR1"}, {("weak_secret", "JWT_SECRET")}),
    ({"JWT_SECRET": "x" * 64}, {("weak_secret", "JWT_SECRET")}),
    ({"JWT_SECRET": f"{GOOD['JWT_SECRET']},secret"}, {("default_secret", "JWT_SECRET")}),
    ({"METRICS_TOKEN": "k3vZ"}, {("weak_secret", "METRICS_TOKEN")}),
    ({"METRICS_TOKEN": ""}, set()),
    ({"JWT_SECRET": ""}, {("not_set", "JWT_SECRET")}),
    ({"ENCRYPTION_KEY": ""}, {("not_set", "ENCRYPTION_KEY")}),
    ({"ALLOWED_HOSTS": ""}, {("not_set", "ALLOWED_HOSTS")}),
    ({"PUBLIC_URL": "http://house.example"}, {("plain_http", "PUBLIC_URL")}),
    ({"ALLOWED_ORIGINS": "https://a.example,http://b.example"}, {("plain_http", "ALLOWED_ORIGINS")}),
    ({"OUTBOUND_PLAIN_HTTP": "yes"}, {("plain_http", "OUTBOUND_PLAIN_HTTP")}),
    ({"OUTBOUND_NETWORKS": "10.0.0.0/8"}, {("reaches_inside", "OUTBOUND_NETWORKS")}),
    ({"CHANNEL_MOCK_MODE": "true"}, {("mock_mode", "CHANNEL_MOCK_MODE")}),
    ({"MAIL_URL": ""}, {("letters_to_terminal", "MAIL_URL")}),
    ({"LOG_LEVEL": "DEBUG"}, {("talkative", "LOG_LEVEL")}),
    ({"TRUSTED_PROXIES": "0.0.0.0/0"}, {("trusts_everybody", "TRUSTED_PROXIES")}),
    ({"ENABLE_WORKER_HEALTHCHECK": "no"}, {("not_checked", "ENABLE_WORKER_HEALTHCHECK")}),
    ({"DATABASE_POOL_SIZE": "60"}, {("too_many_connections", "DATABASE_POOL_SIZE")}),
]


@pytest.mark.parametrize(("changes", "expected"), CASES)
def test_a_setting_that_needs_a_look_is_named(
    changes: dict[str, str], expected: set[tuple[str, str]]
) -> None:
    assert _found(**changes) == expected


def test_good_settings_bring_no_warning() -> None:
    assert _found() == set()


def test_what_the_database_says_counts() -> None:
    assert _found(None) == {("database_silent", "DATABASE_URL")}
    owner = DatabaseFacts(most_connections=100, unsafe_role="owner")
    assert _found(owner) == {("unsafe_role", "DATABASE_URL")}


def test_a_commit_that_nobody_knows_is_named() -> None:
    assert _found(commit="unknown") == {("commit_unknown", "SOURCE_COMMIT")}


def test_connections_are_counted_for_all_processes() -> None:
    assert _found(processes=7) == set()
    assert _found(processes=8) == {("too_many_connections", "DATABASE_POOL_SIZE")}


def test_on_a_developers_machine_only_what_is_weak_everywhere_is_named() -> None:
    here = find_warnings(Settings.from_mapping({"JWT_SECRET": "dev"}), FACTS)
    assert {(each.code, each.setting) for each in here} == {("default_secret", "JWT_SECRET")}
    assert find_warnings(Settings.from_mapping({}), FACTS) == ()


def test_every_code_is_brought_by_a_case() -> None:
    brought = {code for _, expected in CASES for code, _ in expected}
    assert brought | {"commit_unknown", "database_silent", "unsafe_role"} == CODES


def test_no_warning_holds_a_value() -> None:
    everything = {name: text for changes, _ in CASES for name, text in changes.items()}
    told = repr(find_warnings(Settings.from_mapping({**GOOD, **everything}), FACTS))
    for text in (*GOOD.values(), *everything.values()):
        assert len(text) < 8 or text not in told
    assert "lvrelace" not in told
