"""Whether the settings of a process make sense together, said without a single value.

Owns the rules: what is weak, what is missing, what belongs on a developer's machine and not in production. Pure: what
the database says of itself is handed in. Sentences belong to the web package.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import field, frozen

from pms_adapters.settings import LogLevel, Settings
from pmscore.kernel.secrets import Secret

__all__ = ["CODES", "DatabaseFacts", "Warned", "find_warnings"]

SHORTEST_SECRET: Final = 32
SPARE_CONNECTIONS: Final = 10
"""For workers, migrations, backups and whoever looks."""

_PROBES: Final = 2
_LOCAL: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})
_TLS: Final = frozenset({"require", "verify-ca", "verify-full"})
_WELL_KNOWN: Final = re.compile(
    r"(?i)(?:change.?me|default|secret|password|passwort|postgres|pms(?:_app)?|admin|test|example|demo|dev|your|"
    r"letmein|qwerty|12345|abc)[\w.-]{0,40}"
)
_LEAST_KINDS: Final = 8
"""A secret of fewer different characters was typed, not drawn."""


@frozen(kw_only=True)
class DatabaseFacts:
    """What the database says: how many connections it takes, and why the login is above the policies, if it is."""

    most_connections: int
    unsafe_role: str | None = None


@frozen(kw_only=True)
class Warned:
    """One thing that is not as it should be; ``params`` are numbers and words of ours, never a value."""

    code: str
    setting: str
    params: tuple[tuple[str, str | int], ...] = field(default=())


_Rule = Callable[[Settings, DatabaseFacts | None, int], Iterator[Warned]]


def find_warnings(
    settings: Settings, facts: DatabaseFacts | None, *, processes: int = 1, commit: str = ""
) -> tuple[Warned, ...]:
    """Return everything that is not as it should be; ``facts`` None is a database that does not answer."""
    found = [each for rule in _RULES for each in rule(settings, facts, processes)]
    if settings.is_production and commit in {"", "unknown"}:
        found.append(Warned(code="commit_unknown", setting="SOURCE_COMMIT"))
    return tuple(found)


def _secrets(settings: Settings, _: DatabaseFacts | None, __: int) -> Iterator[Warned]:
    access = settings.access
    drawn = {"JWT_SECRET": access.jwt_shared, "METRICS_TOKEN": settings.metrics_token}
    for name, secret in drawn.items():
        yield from _weak(name, secret)
    for name, url in (("DATABASE_URL", settings.database_url), ("REDIS_URL", settings.redis_url)):
        parts = urlsplit(url or "")
        password = unquote(parts.password or "")
        if password and (_is_well_known(password) or password == parts.username):
            yield Warned(code="default_secret", setting=name)
    if not settings.is_production:
        return
    if access.jwt_shared is None and access.jwt_key_set is None:
        yield Warned(code="not_set", setting="JWT_SECRET")
    if settings.encryption_key is None:
        yield Warned(code="not_set", setting="ENCRYPTION_KEY")


def _weak(name: str, secret: Secret | None) -> Iterator[Warned]:
    if secret is None:
        return
    for text in secret.reveal().split(","):
        if _is_well_known(text.strip()):
            yield Warned(code="default_secret", setting=name)
        elif len(text.strip()) < SHORTEST_SECRET or len(set(text)) < _LEAST_KINDS:
            yield Warned(code="weak_secret", setting=name, params=(("least", SHORTEST_SECRET),))


def _is_well_known(text: str) -> bool:
    return _WELL_KNOWN.fullmatch(text) is not None


def _servers(settings: Settings, facts: DatabaseFacts | None, processes: int) -> Iterator[Warned]:
    if facts is None:
        yield Warned(code="database_silent", setting="DATABASE_URL")
    else:
        needed = processes * (settings.database_pool_size + _PROBES) + SPARE_CONNECTIONS
        if needed > facts.most_connections:
            told = (("processes", processes), ("needed", needed), ("most", facts.most_connections))
            yield Warned(code="too_many_connections", setting="DATABASE_POOL_SIZE", params=told)
        if facts.unsafe_role is not None:
            yield Warned(code="unsafe_role", setting="DATABASE_URL", params=(("why", facts.unsafe_role),))
    if not settings.is_production:
        return
    database, redis = urlsplit(settings.database_url or ""), urlsplit(settings.redis_url or "")
    if not _is_given(settings, "DATABASE_URL"):
        yield Warned(code="embedded_in_production", setting="DATABASE_URL")
    elif not (
        _is_near(database.hostname)
        or _is_near(_query(database.query, "host"))
        or _query(database.query, "sslmode") in _TLS
    ):
        yield Warned(code="database_without_tls", setting="DATABASE_URL")
    if not _is_given(settings, "REDIS_URL"):
        yield Warned(code="embedded_in_production", setting="REDIS_URL")
    elif redis.scheme == "redis" and not _is_near(redis.hostname):
        yield Warned(code="redis_without_tls", setting="REDIS_URL")
    for name, is_checked in (
        ("ENABLE_REDIS_HEALTHCHECK", settings.is_redis_health_checked),
        ("ENABLE_WORKER_HEALTHCHECK", settings.is_worker_health_checked),
    ):
        if not is_checked:
            yield Warned(code="not_checked", setting=name)


def _is_given(settings: Settings, name: str) -> bool:
    return dict(settings.given).get(name, True)


def _is_near(host: str | None) -> bool:
    return host is not None and (host in _LOCAL or host.startswith("/"))


def _query(query: str, name: str) -> str | None:
    return parse_qs(query).get(name, [None])[-1]


def _way_in(settings: Settings, _: DatabaseFacts | None, __: int) -> Iterator[Warned]:
    if any(each.prefixlen == 0 for each in settings.front.trusted_proxies):
        yield Warned(code="trusts_everybody", setting="TRUSTED_PROXIES")
    if not settings.is_production:
        return
    if settings.access.public_url.startswith("http://"):
        yield Warned(code="plain_http", setting="PUBLIC_URL")
    if any(each.startswith("http://") for each in settings.front.allowed_origins):
        yield Warned(code="plain_http", setting="ALLOWED_ORIGINS")
    if not settings.front.allowed_hosts:
        yield Warned(code="not_set", setting="ALLOWED_HOSTS")


def _for_developers(settings: Settings, _: DatabaseFacts | None, __: int) -> Iterator[Warned]:
    if not settings.is_production:
        return
    if settings.is_channel_mock_mode:
        yield Warned(code="mock_mode", setting="CHANNEL_MOCK_MODE")
    if settings.is_outbound_plain_http:
        yield Warned(code="plain_http", setting="OUTBOUND_PLAIN_HTTP")
    if settings.outbound_networks:
        yield Warned(code="reaches_inside", setting="OUTBOUND_NETWORKS")
    if settings.access.mail_url is None:
        yield Warned(code="letters_to_terminal", setting="MAIL_URL")
    if settings.log_level is LogLevel.DEBUG:
        yield Warned(code="talkative", setting="LOG_LEVEL")


_RULES: Final[tuple[_Rule, ...]] = (_secrets, _servers, _way_in, _for_developers)

CODES: Final = frozenset(
    {
        *(
            "commit_unknown",
            "database_silent",
            "database_without_tls",
            "default_secret",
            "embedded_in_production",
        ),
        *("letters_to_terminal", "mock_mode", "not_checked", "not_set", "plain_http", "reaches_inside"),
        *(
            "redis_without_tls",
            "talkative",
            "too_many_connections",
            "trusts_everybody",
            "unsafe_role",
            "weak_secret",
        ),
    }
)
"""Every code that a warning may have."""
