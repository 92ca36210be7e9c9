"""The settings of a process, read once from a mapping of texts such as ``os.environ``.

Owns names, defaults and checks. Reads nothing by itself and connects to nothing: the caller hands the mapping
over, the composition root acts on the values, and ``pms_adapters.embedded`` steps in where a URL is missing.
Passwords never show: the two URLs are masked in ``repr``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from urllib.parse import unquote

from attrs import evolve, field, frozen

from pms_adapters.reading import Reader
from pmscore.kernel.secrets import Secret

__all__ = ["AccessSettings", "Environment", "LogFormat", "LogLevel", "Settings", "mask_url"]

_POSTGRES_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_REDIS_SCHEMES = frozenset({"redis", "rediss", "unix"})
_PARTNER_KEYS = ("BOOKING_COM_CLIENT_ID", "BOOKING_COM_CLIENT_SECRET", "GOOGLE_HOTELS_PARTNER_KEY")
_SECRET_QUERY = re.compile(r"(?i)\b((?:ssl)?password|token|secret)=[^&#]*")


class Environment(StrEnum):
    """Where the process runs; only ``production`` changes what is allowed."""

    DEVELOPMENT = "development"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    """The least severe message that is written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class LogFormat(StrEnum):
    """How a line of the log is written."""

    JSON = "json"
    TEXT = "text"


def mask_url(url: str | None) -> str:
    """Return ``url`` as it may be shown: every password in it replaced by three stars."""
    if url is None:
        return "None"
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "***"
    # The last at-sign ends the credentials, even where somebody forgot to quote one in the password.
    credentials, at, location = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    shown = f"{user}:***@" if colon else f"{credentials}{at}"
    return _SECRET_QUERY.sub(r"\1=***", f"{scheme}://{shown}{location}")


def _password_in(url: str) -> str:
    credentials = url.partition("://")[2].rpartition("@")[0]
    return credentials.partition(":")[2]


@frozen(kw_only=True)
class AccessSettings:
    """What letting people and programs in depends on.

    ``jwt_shared`` (``JWT_SECRET``) and ``jwt_key_set`` (``JWT_KEYS``) have one key or several, the newest
    first. A token must name ``jwt_issuer`` and ``jwt_audience``. Links in letters begin with ``public_url``;
    letters are from ``mail_from`` and carried by ``mail_url``, without which they go to the terminal.
    """

    jwt_shared: Secret | None = None
    jwt_key_set: Secret | None = None
    jwt_issuer: str = "pms"
    jwt_audience: str = "pms"
    public_url: str = "http://127.0.0.1:8000"
    mail_url: Secret | None = None
    mail_from: str = "pms@localhost"


@frozen(kw_only=True)
class FrontSettings:
    """Who is let in at the front door, and how often.

    ``allowed_hosts`` are the names of the app, ``allowed_origins`` the pages whose scripts may call it,
    ``trusted_proxies`` the networks whose word on a caller's address is taken. The four numbers a minute are for one
    user or key, one address that reads what is public, one that fetches calendars, and one that tries to log in.
    """

    allowed_hosts: frozenset[str] = frozenset()
    allowed_origins: frozenset[str] = frozenset()
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    requests_per_minute: int = 6_000
    public_requests_per_minute: int = 120
    calendar_requests_per_minute: int = 600
    log_ins_per_minute: int = 10


@frozen(kw_only=True)
class Settings:
    """Everything the environment decides.

    Servers: ``database_url`` and ``redis_url`` are None where the embedded ones are to be used, whose data is
    in ``home``. A process has ``database_pool_size`` connections and waits ``database_pool_timeout_seconds``
    for one; a statement is given up after ``statement_timeout_ms``, the wait for a lock after
    ``lock_timeout_ms``. ``is_search_from_memory``: the web process answers searches from its read model.

    Running: ``environment``; ``log_level`` and ``log_format`` (None: as the environment says). Readiness asks
    Redis if ``is_redis_health_checked``, the workers if ``is_worker_health_checked``, and wants
    ``worker_expected_count`` of them (None: one or more). With ``is_same_version_required`` a worker of
    another version than the web process does not begin. It waits for its servers if ``is_worker_waiting``,
    ``worker_wait_timeout_seconds`` long, ``worker_wait_interval_seconds`` between two looks, at host and port
    of ``worker_wait_db`` and ``worker_wait_redis`` where those are given. Daily heads of the audit log go to
    ``audit_head_dir``. ``web_worker_class`` is gunicorn's.

    Who is let in: ``front`` and ``access``; ``is_open_allowed`` lets other machines near although nobody can
    log in. Who shows ``metrics_token`` may read the figures.

    Secrets at rest: ``encryption_key`` has one key or several, the newest first.

    Modules: none where ``are_modules_on`` is False, else as ``module_switches`` say by name (None: neither
    yes nor no). With ``is_channel_mock_mode`` no platform is called; an operation of theirs that nobody has
    touched for ``sync_log_stale_minutes`` is given up. ``channel_partner`` are the keys by which this
    deployment is a partner of platforms, by the names that gateways know them by.

    Calls to addresses of strangers go to public ones by https on ``outbound_ports``, to ``outbound_networks``
    on any port, and without encryption where ``is_outbound_plain_http``.

    ``given`` says of every name whether it was set.
    """

    database_url: str | None = field(default=None, repr=mask_url)
    redis_url: str | None = field(default=None, repr=mask_url)
    home: Path | None = None
    environment: Environment = Environment.DEVELOPMENT
    log_level: LogLevel = LogLevel.INFO
    log_format: LogFormat | None = None
    is_redis_health_checked: bool = True
    is_worker_health_checked: bool = True
    worker_expected_count: int | None = None
    is_same_version_required: bool = False
    is_worker_waiting: bool = True
    worker_wait_timeout_seconds: int = 60
    worker_wait_interval_seconds: int = 2
    worker_wait_db: tuple[str | None, int | None] = (None, None)
    worker_wait_redis: tuple[str | None, int | None] = (None, None)
    audit_head_dir: Path | None = None
    database_pool_size: int = 10
    database_pool_timeout_seconds: int = 5
    statement_timeout_ms: int = 15_000
    lock_timeout_ms: int = 3_000
    is_search_from_memory: bool = True
    front: FrontSettings = FrontSettings()
    encryption_key: Secret | None = None
    access: AccessSettings = AccessSettings()
    are_modules_on: bool = True
    module_switches: tuple[tuple[str, bool | None], ...] = ()
    metrics_token: Secret | None = None
    outbound_ports: frozenset[int] = frozenset({443})
    outbound_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    is_outbound_plain_http: bool = False
    is_channel_mock_mode: bool = False
    sync_log_stale_minutes: int = 60
    channel_partner: tuple[tuple[str, Secret], ...] = ()
    web_worker_class: str = "gthread"
    is_open_allowed: bool = False
    given: tuple[tuple[str, bool], ...] = field(default=(), repr=False, eq=False)

    @property
    def is_production(self) -> bool:
        """Whether real guests depend on this process."""
        return self.environment is Environment.PRODUCTION

    def secret_texts(self) -> frozenset[str]:
        """Return every secret that is set, and the passwords in addresses, for whoever blots them out."""
        held = (
            self.encryption_key,
            self.metrics_token,
            self.access.jwt_shared,
            self.access.jwt_key_set,
            self.access.mail_url,
            *(key for _, key in self.channel_partner),
        )
        texts = [each.reveal() for each in held if each is not None]
        for url in (self.database_url, self.redis_url, *texts):
            password = _password_in(url or "")
            texts += (password, unquote(password)) if password else ()
        return frozenset((*texts, *(each for text in texts for each in text.split(","))))

    @property
    def is_log_for_machines(self) -> bool:
        """Whether the log is written as JSON: as ``LOG_FORMAT`` says, else where others run the process."""
        if self.log_format is not None:
            return self.log_format is LogFormat.JSON
        return self.environment in {Environment.STAGING, Environment.PRODUCTION}

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, str]) -> Settings:
        """Read the settings; a name that is missing, or blank, has its default.

        Raises:
            InvalidInputError: a value cannot be what its setting says; ``field`` is the name of the setting.
        """
        read = Reader(mapping)
        usual = cls()
        found = cls(
            database_url=read.url("DATABASE_URL", _POSTGRES_SCHEMES),
            redis_url=read.url("REDIS_URL", _REDIS_SCHEMES),
            home=read.folder("PMS_HOME"),
            environment=read.one_of("ENVIRONMENT", Environment, usual.environment),
            log_level=read.one_of("LOG_LEVEL", LogLevel, usual.log_level),
            log_format=read.find_one_of("LOG_FORMAT", LogFormat),
            is_redis_health_checked=read.switch("ENABLE_REDIS_HEALTHCHECK", default=True),
            is_worker_health_checked=read.switch("ENABLE_WORKER_HEALTHCHECK", default=True),
            worker_expected_count=read.find_number("WORKER_EXPECTED_COUNT", least=0, most=10_000),
            is_same_version_required=read.switch("WORKER_REQUIRE_SAME_VERSION", default=False),
            is_worker_waiting=read.switch("WORKER_WAIT_FOR_DEPS", default=True),
            worker_wait_timeout_seconds=read.number(
                "WORKER_WAIT_TIMEOUT", usual.worker_wait_timeout_seconds, least=0, most=86_400
            ),
            worker_wait_interval_seconds=read.number(
                "WORKER_WAIT_INTERVAL", usual.worker_wait_interval_seconds, least=1, most=3_600
            ),
            worker_wait_db=read.place("WORKER_WAIT_DB"),
            worker_wait_redis=read.place("WORKER_WAIT_REDIS"),
            audit_head_dir=read.folder("AUDIT_HEAD_DIR"),
            database_pool_size=read.number(
                "DATABASE_POOL_SIZE", usual.database_pool_size, least=1, most=1_000
            ),
            database_pool_timeout_seconds=read.number(
                "DATABASE_POOL_TIMEOUT_SECONDS", usual.database_pool_timeout_seconds, least=1, most=600
            ),
            statement_timeout_ms=read.number(
                "STATEMENT_TIMEOUT_MS", usual.statement_timeout_ms, least=1, most=3_600_000
            ),
            lock_timeout_ms=read.number("LOCK_TIMEOUT_MS", usual.lock_timeout_ms, least=1, most=3_600_000),
            is_search_from_memory=read.switch("SEARCH_READ_MODEL", default=True),
            front=_front(read),
            encryption_key=read.find_secret("ENCRYPTION_KEY"),
            access=_access(read),
            are_modules_on=read.switch("MODULES_ENABLED", default=True),
            module_switches=tuple(sorted(read.module_switches())),
            metrics_token=read.find_secret("METRICS_TOKEN"),
            outbound_ports=frozenset(read.ports("OUTBOUND_PORTS")) or usual.outbound_ports,
            outbound_networks=tuple(read.networks("OUTBOUND_NETWORKS")),
            is_outbound_plain_http=read.switch("OUTBOUND_PLAIN_HTTP", default=False),
            is_channel_mock_mode=read.switch("CHANNEL_MOCK_MODE", default=False),
            sync_log_stale_minutes=read.number(
                "SYNC_LOG_STALE_MINUTES", usual.sync_log_stale_minutes, least=30, most=10_080
            ),
            channel_partner=tuple(
                (name.lower(), key) for name in _PARTNER_KEYS if (key := read.find_secret(name)) is not None
            ),
            web_worker_class=read.text("WEB_WORKER_CLASS", usual.web_worker_class).lower(),
            is_open_allowed=read.switch("PMS_ALLOW_OPEN", default=False),
        )
        return evolve(found, given=tuple(sorted(read.asked.items())))


def _access(read: Reader) -> AccessSettings:
    usual = AccessSettings()
    return AccessSettings(
        jwt_shared=read.find_secret("JWT_SECRET"),
        jwt_key_set=read.find_secret("JWT_KEYS"),
        jwt_issuer=read.text("JWT_ISSUER", usual.jwt_issuer),
        jwt_audience=read.text("JWT_AUDIENCE", usual.jwt_audience),
        public_url=read.url("PUBLIC_URL", frozenset({"http", "https"})) or usual.public_url,
        mail_url=read.find_secret("MAIL_URL"),
        mail_from=read.text("MAIL_FROM", usual.mail_from),
    )


def _front(read: Reader) -> FrontSettings:
    usual = FrontSettings()
    return FrontSettings(
        allowed_hosts=frozenset(read.hosts("ALLOWED_HOSTS")),
        allowed_origins=frozenset(read.origins("ALLOWED_ORIGINS")),
        trusted_proxies=tuple(read.networks("TRUSTED_PROXIES")),
        requests_per_minute=read.number(
            "REQUESTS_PER_MINUTE", usual.requests_per_minute, least=1, most=100_000_000
        ),
        public_requests_per_minute=read.number(
            "PUBLIC_REQUESTS_PER_MINUTE", usual.public_requests_per_minute, least=1, most=100_000_000
        ),
        calendar_requests_per_minute=read.number(
            "CALENDAR_REQUESTS_PER_MINUTE", usual.calendar_requests_per_minute, least=1, most=100_000_000
        ),
        log_ins_per_minute=read.number("LOG_INS_PER_MINUTE", usual.log_ins_per_minute, least=1, most=100_000),
    )
