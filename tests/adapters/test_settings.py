from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pms_adapters.settings import Environment, LogLevel, Settings, mask_url
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.secrets import Secret

NAMES = (
    "LOG_INS_PER_MINUTE",
    "PUBLIC_REQUESTS_PER_MINUTE",
    "REQUESTS_PER_MINUTE",
    "ALLOWED_HOSTS",
    "ALLOWED_ORIGINS",
    "DATABASE_POOL_SIZE",
    "DATABASE_POOL_TIMEOUT_SECONDS",
    "DATABASE_URL",
    "ENABLE_REDIS_HEALTHCHECK",
    "ENABLE_WORKER_HEALTHCHECK",
    "ENVIRONMENT",
    "LOCK_TIMEOUT_MS",
    "LOG_LEVEL",
    "PMS_HOME",
    "REDIS_URL",
    "STATEMENT_TIMEOUT_MS",
    "TRUSTED_PROXIES",
    "WORKER_EXPECTED_COUNT",
)


def test_nothing_set_gives_the_defaults():
    assert Settings.from_mapping({}) == Settings()
    assert Settings.from_mapping(dict.fromkeys(NAMES, "  ")) == Settings()


def test_every_setting_is_read():
    read = Settings.from_mapping(
        {
            "DATABASE_POOL_SIZE": "7",
            "DATABASE_POOL_TIMEOUT_SECONDS": "8",
            "DATABASE_URL": "postgresql+psycopg://u:p@h:1/d",
            "ENABLE_REDIS_HEALTHCHECK": "false",
            "ENABLE_WORKER_HEALTHCHECK": "OFF",
            "ENVIRONMENT": "Production",
            "LOCK_TIMEOUT_MS": "9",
            "LOG_LEVEL": "debug",
            "PMS_HOME": "/srv/my hotel",
            "REDIS_URL": "unix://:p@/tmp/r.sock?db=0",
            "STATEMENT_TIMEOUT_MS": "10",
            "WORKER_EXPECTED_COUNT": "1",
            "UNKNOWN": "ignored",
        }
    )
    assert read == Settings(
        database_pool_size=7,
        database_pool_timeout_seconds=8,
        database_url="postgresql+psycopg://u:p@h:1/d",
        is_redis_health_checked=False,
        is_worker_health_checked=False,
        environment=Environment.PRODUCTION,
        lock_timeout_ms=9,
        log_level=LogLevel.DEBUG,
        home=Path("/srv/my hotel"),
        redis_url="unix://:p@/tmp/r.sock?db=0",
        statement_timeout_ms=10,
        worker_expected_count=1,
    )
    assert read.is_production


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("DATABASE_URL", "mysql://u:p@h/d", "unknown_scheme"),
        ("DATABASE_URL", "postgresql://u:p@h:port/d", "not_a_url"),
        ("DATABASE_URL", "postgresql://u:p@h/\0d", "unprintable"),
        ("REDIS_URL", "localhost:6379", "unknown_scheme"),
        ("PMS_HOME", "relative/path", "not_absolute"),
        ("PMS_HOME", "~no-such-user-here/x", "unknown_home"),
        ("PMS_HOME", "/srv/\ud800", "unprintable"),
        ("ENVIRONMENT", "prod", "unknown_value"),
        ("LOG_LEVEL", "LOUD", "unknown_value"),
        ("ENABLE_REDIS_HEALTHCHECK", "maybe", "not_a_switch"),
        ("ENABLE_WORKER_HEALTHCHECK", "2", "not_a_switch"),
        ("WORKER_EXPECTED_COUNT", "-1", "out_of_range"),
        ("DATABASE_POOL_SIZE", "0", "out_of_range"),
        ("DATABASE_POOL_SIZE", "1_0", "not_a_number"),
        ("DATABASE_POOL_SIZE", "٣", "not_a_number"),
        ("DATABASE_POOL_TIMEOUT_SECONDS", "1.5", "not_a_number"),
        ("STATEMENT_TIMEOUT_MS", "9" * 13, "not_a_number"),
        ("LOCK_TIMEOUT_MS", "0", "out_of_range"),
    ],
)
def test_a_bad_value_names_its_setting_and_does_not_show_itself(name, text, reason):
    with pytest.raises(InvalidInputError) as caught:
        Settings.from_mapping({name: text})
    assert (caught.value.field, caught.value.reason) == (name, reason)
    assert "u:p" not in str(caught.value)


def test_modules_and_calls_outside_are_read():
    read = Settings.from_mapping(
        {
            "ENCRYPTION_KEY": " new,old ",
            "METRICS_TOKEN": "t",
            "MODULES_ENABLED": "no",
            "WEBHOOKS_ENABLED": "Off",
            "MINIBAR_ENABLED": "perhaps",
            "METRICS_ENABLED": " ",
            "OUTBOUND_PORTS": "443, 8443",
            "OUTBOUND_NETWORKS": "10.1.0.0/16",
            "OUTBOUND_PLAIN_HTTP": "yes",
        }
    )
    assert read == Settings(
        encryption_key=Secret("new,old"),
        metrics_token=Secret("t"),
        are_modules_on=False,
        module_switches=(("minibar", None), ("webhooks", False)),
        outbound_ports=frozenset({443, 8443}),
        outbound_networks=(ip_network("10.1.0.0/16"),),
        is_outbound_plain_http=True,
    )
    assert "new" not in repr(read)
    assert "old" not in repr(read)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("MODULES_ENABLED", "perhaps", "not_a_switch"),
        ("OUTBOUND_PORTS", "https", "not_a_port"),
        ("OUTBOUND_PORTS", "0", "not_a_port"),
        ("OUTBOUND_NETWORKS", "10.1.0.1/16", "not_a_network"),
        ("OUTBOUND_PLAIN_HTTP", "2", "not_a_switch"),
    ],
)
def test_a_bad_value_about_calls_outside_names_its_setting(name, text, reason):
    with pytest.raises(InvalidInputError) as caught:
        Settings.from_mapping({name: text})
    assert (caught.value.field, caught.value.reason) == (name, reason)


def test_passwords_do_not_show():
    shown = repr(
        Settings(
            database_url="postgresql://jo:secret@h/d?sslpassword=secret&host=/tmp",
            redis_url="redis://:secret@h:6379/0",
        )
    )
    assert "secret" not in shown
    assert "postgresql://jo:***@h/d?sslpassword=***&host=/tmp" in shown
    assert "redis://:***@h:6379/0" in shown


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)


@given(user=WORDS, secret=WORDS.map("S3".__add__).map("{}@:/?#".format), host=WORDS)
def test_no_password_gets_through_the_mask(user, secret, host):
    """Law: whatever stands between the first colon and the last at-sign of a URL is not shown."""
    shown = mask_url(f"postgresql://{user}:S3CRET{secret}@{host}/pms")
    assert "S3CRET" not in shown
    assert shown == f"postgresql://{user}:***@{host}/pms"


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30)))
def test_any_text_is_read_or_refused_by_name(mapping):
    """Law: no text makes anything but settings or an InvalidInputError that names one of them."""
    refused: str | None = None
    try:
        Settings.from_mapping(mapping)
    except InvalidInputError as error:
        refused = error.field
    assert refused is None or refused in mapping


def test_names_origins_and_proxies_are_lists():
    settings = Settings.from_mapping(
        {
            "ALLOWED_HOSTS": "PMS.inn.example., desk.inn.example",
            "ALLOWED_ORIGINS": "https://www.inn.example/, http://localhost:3000",
            "TRUSTED_PROXIES": "10.0.0.0/8, ::1",
        }
    )
    assert settings.front.allowed_hosts == {"pms.inn.example", "desk.inn.example"}
    assert settings.front.allowed_origins == {"https://www.inn.example", "http://localhost:3000"}
    assert [str(each) for each in settings.front.trusted_proxies] == ["10.0.0.0/8", "::1/128"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ALLOWED_HOSTS", "https://inn.example"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "inn.example"),
        ("ALLOWED_ORIGINS", "https://inn.example/path"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TRUSTED_PROXIES", "everybody"),
    ],
)
def test_what_would_open_the_door_too_wide_is_refused(name, text):
    with pytest.raises(InvalidInputError) as refused:
        Settings.from_mapping({name: text})
    assert refused.value.field == name


def test_what_access_depends_on_is_read_and_its_secrets_do_not_show():
    read = Settings.from_mapping(
        {
            "JWT_SECRET": "hidden-one",
            "JWT_KEYS": "hidden-two",
            "JWT_ISSUER": "https://pms.example",
            "JWT_AUDIENCE": "machines",
            "PUBLIC_URL": "https://pms.example",
            "MAIL_URL": "smtp://jo:hidden-three@mail.example",
            "MAIL_FROM": "pms@pms.example",
        }
    ).access
    assert (read.jwt_shared.reveal(), read.jwt_key_set.reveal()) == ("hidden-one", "hidden-two")
    assert (read.jwt_issuer, read.jwt_audience) == ("https://pms.example", "machines")
    assert (read.public_url, read.mail_from) == ("https://pms.example", "pms@pms.example")
    assert "hidden" not in repr(read)
    with pytest.raises(InvalidInputError) as refused:
        Settings.from_mapping({"PUBLIC_URL": "javascript://x"})
    assert refused.value.field == "PUBLIC_URL"


def test_keys_of_a_partner_are_blotted_out_of_what_is_logged():
    found = Settings.from_mapping({"GOOGLE_HOTELS_PARTNER_KEY": "g00gle-and-longer"})
    assert "g00gle-and-longer" in found.secret_texts()
    assert "g00gle" not in repr(found)
