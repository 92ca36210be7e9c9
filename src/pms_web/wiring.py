"""What stands behind the ports of the app: the only module of the web package, besides commands, that knows it.

Owns the probes of readiness and how often a use case is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import pmscore
from pms_adapters.bootstrap import Services, connect, post_of, with_retries
from pms_adapters.channels.ical.writer import IcalWriter
from pms_adapters.postgres.access_reader import PostgresAccess
from pms_adapters.postgres.availability import PostgresAvailability
from pms_adapters.postgres.board_reader import BOARD, SQL, BoardReader
from pms_adapters.postgres.boards import Boards, NotedUnitOfWork
from pms_adapters.postgres.drift import SchemaCheck
from pms_adapters.postgres.engine import Connection, checked_out, forget_connections, open_engine
from pms_adapters.postgres.errors import translated
from pms_adapters.postgres.exchange import PostgresExchangeRates
from pms_adapters.postgres.gauges import connections_in_use, most_connections, relay_lag_seconds
from pms_adapters.postgres.pricing import PostgresPrices
from pms_adapters.postgres.tenancy import unsafe_role
from pms_adapters.redis.heartbeats import list_workers
from pms_adapters.redis.limits import SharedLimits
from pms_adapters.redis.probe import ping_redis
from pms_adapters.sanity import DatabaseFacts, find_warnings
from pms_adapters.settings import Settings
from pms_adapters.system import SystemSecrets
from pms_web.auth.access import Access
from pms_web.auth.authenticating import Authenticator
from pms_web.auth.background import Background
from pms_web.auth.key_ring import KeyRing
from pms_web.auth.letters import Letters, Post
from pms_web.auth.passwords import Argon2Passwords
from pms_web.auth.presented import Identify
from pms_web.auth.tokens import Tokens
from pms_web.front_door import FrontDoor
from pms_web.limits import Allowance
from pms_web.readiness import ComponentDownError, Probe
from pms_web.sanity import Sanity, Warned
from pms_web.services import NOBODY, Retry, Surroundings
from pms_web.texts import detail_of
from pmscore.access.model.permissions import Role
from pmscore.access.model.principals import Means, Principal
from pmscore.kernel.errors import MisconfiguredError, PmsError, UnreachableError
from pmscore.kernel.ids import AgencyId
from pmscore.kernel.ports import Clock
from pmscore.modules.model import Switches

__all__ = ["access_of", "connected", "retrying", "switches_of", "whoever_serves"]

PAUSE_SECONDS = 0.05
PROBE_TIMEOUT_MS = 1_500
BOARD_TIMEOUT_MS = 60_000
WORKER_PROBE_SECONDS = 1.5

ResultT = TypeVar("ResultT")


@contextmanager
def connected(
    settings: Settings,
    agency_id: AgencyId | None,
    *,
    commit: str = "unknown",
    processes: int = 1,
    clock: Clock | None = None,
) -> Iterator[Surroundings]:
    """Yield the surroundings of the app; nothing is asked of a server before it is needed.

    Without ``agency_id`` everybody has to show who they are; with one, whoever calls acts as the operator in it. In
    production a login that row-level security does not hold is refused whenever the database is there to ask.
    ``processes`` is how many of this kind there are on this machine.
    """
    with (
        connect(settings, clock=clock, refuses_unsafe_role=settings.is_production) as services,
        _probes(settings) as probes,
        _boards(settings, services) as boards,
    ):

        def by_sql(who: Principal) -> PostgresAvailability:
            return PostgresAvailability(
                services.engine, who.agency_id, services.quoters.houses, reach=who.property_ids
            )

        retry = _Retrying(services)
        access, authenticator = access_of(settings, services)
        yield Surroundings(
            identify=_identify(agency_id, authenticator, retry),
            access=access,
            uow=NotedUnitOfWork(services.uow, boards) if settings.is_search_from_memory else services.uow,
            availability=by_sql,
            search=(
                lambda who: BoardReader(
                    boards, who.agency_id, who.actor_id, otherwise=by_sql(who), reach=who.property_ids
                )
            )
            if settings.is_search_from_memory
            else by_sql,
            prices=lambda who: PostgresPrices(
                services.engine, who.agency_id, services.quoters, reach=who.property_ids
            ),
            exchange_rates=lambda who: PostgresExchangeRates(services.engine, who.agency_id),
            clock=services.clock,
            ids=services.ids,
            retry=retry,
            webhooks=services.webhooks,
            channels=services.channels,
            calendars=IcalWriter(),
            switches=switches_of(settings),
            metrics_token=settings.metrics_token,
            gauges=_gauges(services, boards),
            probes=probes,
            limiter=_limiter(settings),
            door=_door(settings),
            sanity=lambda: sanity_of(settings, services, processes=processes, commit=commit),
            version=pmscore.__version__,
            commit=commit,
            environment=settings.environment.value,
        )


def _identify(agency_id: AgencyId | None, authenticator: Authenticator, retry: Retry) -> Identify:
    if agency_id is None:
        return lambda shown: retry(lambda: authenticator(shown))
    principal = whoever_serves(agency_id)
    return lambda _: principal


def _gauges(services: Services, boards: Boards) -> Mapping[str, Callable[[], float]]:
    return {
        "database_connections_in_use": lambda: connections_in_use(services.engine),
        "relay_lag_seconds": lambda: relay_lag_seconds(services.engine),
        "search_board_age_seconds": boards.age_seconds,
        "search_answers_from_board": lambda: boards.answers(BOARD),
        "search_answers_from_sql": lambda: boards.answers(SQL),
    }


def _limiter(settings: Settings) -> SharedLimits:
    per_minute: dict[str, int] = {
        Allowance.NORMAL: settings.front.requests_per_minute,
        Allowance.PUBLIC: settings.front.public_requests_per_minute,
        Allowance.CALENDAR: settings.front.calendar_requests_per_minute,
        Allowance.LOG_IN: settings.front.log_ins_per_minute,
    }
    return SharedLimits(settings.redis_url, per_minute, guarded=frozenset({Allowance.LOG_IN}))


def _door(settings: Settings) -> FrontDoor:
    return FrontDoor(
        allowed_hosts=settings.front.allowed_hosts,
        allowed_origins=settings.front.allowed_origins,
        trusted_proxies=settings.front.trusted_proxies,
    )


def access_of(
    settings: Settings, services: Services, *, post: Post | None = None
) -> tuple[Access, Authenticator]:
    """Return what lets people and programs in, and who looks at what they show.

    Raises:
        InvalidInputError: a key or the mail server of ``settings`` cannot be.
    """
    chosen = settings.access
    ring = KeyRing.read(
        "" if chosen.jwt_shared is None else chosen.jwt_shared.reveal(),
        "" if chosen.jwt_key_set is None else chosen.jwt_key_set.reveal(),
    )
    tokens = Tokens(ring=ring, issuer=chosen.jwt_issuer, audience=chosen.jwt_audience)
    reader = PostgresAccess(services.engine)
    authenticator = Authenticator(reader=reader, tokens=tokens, clock=services.clock)
    access = Access(
        uow=services.uow,
        reader=reader,
        passwords=Argon2Passwords(),
        secrets=SystemSecrets(),
        tokens=tokens,
        mail=Letters(post=post or post_of(settings), public_url=chosen.public_url),
        background=Background(),
        forget=authenticator.forget,
    )
    return access, authenticator


def sanity_of(settings: Settings, services: Services, *, processes: int, commit: str) -> Sanity:
    """Return what is to be said of the settings; the database is asked for its limits, if it answers."""
    facts: DatabaseFacts | None
    try:
        with checked_out(services.engine) as loan, translated():
            connection = loan.connection
            facts = DatabaseFacts(
                most_connections=most_connections(connection), unsafe_role=unsafe_role(connection)
            )
    except PmsError:
        facts = None
    found = find_warnings(settings, facts, processes=processes, commit=commit)
    return Sanity(
        are_set=dict(settings.given),
        warnings=tuple(
            Warned(code=each.code, setting=each.setting, params=dict(each.params)) for each in found
        ),
    )


def switches_of(settings: Settings) -> Switches:
    """Return which modules the settings let run."""
    return Switches(are_modules_on=settings.are_modules_on, by_name=dict(settings.module_switches))


def whoever_serves(agency_id: AgencyId) -> Principal:
    """Return who a command of the operator acts as: nobody by name, who may do everything in the agency."""
    return Principal(agency_id=agency_id, actor_id=NOBODY, role=Role.ADMIN, means=Means.NONE)


def retrying(call: Callable[[], ResultT], forget: Callable[[], None]) -> ResultT:
    """Run ``call``, which must have one effect however often it runs.

    After a broken connection it is run once more on a new one: a server that was restarted leaves a pool of
    broken ones behind. Where the connection broke over the commit of a command without a key, it is not: the
    store says so, and only the caller can find out. Serialization failures and deadlocks are retried as the
    adapters say.

    Raises:
        UnreachableError: ``retry_count`` says how often it was tried again.
    """
    try:
        return with_retries(call)
    except UnreachableError as error:
        if error.params.get("reason") != "no_connection":
            raise
    forget()
    time.sleep(PAUSE_SECONDS)
    try:
        return with_retries(call)
    except UnreachableError as error:
        reason = error.params.get("reason")
        raise UnreachableError(retry_count=error.retry_count + 1, reason=reason) from error


class _Retrying:
    def __init__(self, services: Services) -> None:
        self._services = services

    def __call__(self, call: Callable[[], ResultT], /) -> ResultT:
        return retrying(call, lambda: forget_connections(self._services.engine))


@contextmanager
def _boards(settings: Settings, services: Services) -> Iterator[Boards]:
    """Yield the boards that searches are answered from; their one connection is not the pool's, which may be busy."""
    engine = open_engine(
        settings.database_url or "",
        size=1,
        lock_timeout_ms=settings.lock_timeout_ms,
        statement_timeout_ms=max(settings.statement_timeout_ms, BOARD_TIMEOUT_MS),
        refuses_unsafe_role=settings.is_production,
    )
    boards = Boards(engine, clock=services.clock, houses=services.quoters.houses)
    try:
        yield boards
    finally:
        boards.close()
        engine.dispose()


@contextmanager
def _probes(settings: Settings) -> Iterator[Mapping[str, Probe]]:
    """Yield the probes; they have connections of their own, so a busy pool is not taken for a dead server."""
    engine = open_engine(
        settings.database_url or "",
        size=2,
        wait_seconds=1.0,
        lock_timeout_ms=PROBE_TIMEOUT_MS,
        statement_timeout_ms=PROBE_TIMEOUT_MS,
        refuses_unsafe_role=settings.is_production,
    )

    def asking(question: Callable[[Connection], object]) -> Probe:
        def ask_once() -> None:
            with checked_out(engine) as loan, translated():
                question(loan.connection)

        def probe() -> Mapping[str, object]:
            try:
                retrying(ask_once, lambda: forget_connections(engine))
            except UnreachableError as error:
                raise ComponentDownError(_why(error)) from error
            except MisconfiguredError as error:
                raise ComponentDownError(detail_of(error)) from error
            return {}

        return probe

    def redis() -> Mapping[str, object]:
        if settings.redis_url is None:
            raise ComponentDownError("no Redis: set REDIS_URL or install pmscore[demo]")
        try:
            return {"version": ping_redis(settings.redis_url)}
        except UnreachableError as error:
            raise ComponentDownError(str(error.params.get("said") or "no answer")) from error

    probes: dict[str, Probe] = {
        "db": asking(lambda connection: connection.execute("SELECT 1")),
        "schema": asking(lambda connection: SchemaCheck(connection).require_current()),
    }
    if settings.is_redis_health_checked:
        probes["redis"] = redis
    if settings.is_worker_health_checked:
        probes["worker"] = _worker_probe(settings)
    try:
        yield probes
    finally:
        engine.dispose()


def _worker_probe(settings: Settings) -> Probe:
    """Return the probe of the workers: at least one, or exactly as many as WORKER_EXPECTED_COUNT says."""

    def worker() -> Mapping[str, object]:
        if settings.redis_url is None:
            raise ComponentDownError("no Redis: set REDIS_URL or install pmscore[demo]")
        try:
            found = list_workers(settings.redis_url, seconds=WORKER_PROBE_SECONDS)
        except UnreachableError as error:
            raise ComponentDownError("Worker inspect timeout (broker may be unreachable)") from error
        expected = settings.worker_expected_count
        if expected is not None and len(found) != expected:
            workers = "worker" if expected == 1 else "workers"
            raise ComponentDownError(f"Expected exactly {expected} {workers}, found {len(found)}")
        if not found and expected is None:
            raise ComponentDownError("No active workers detected")
        return {"workers": tuple(each.name for each in found)}

    return worker


def _why(error: BaseException) -> str:
    """Return in a few words why the database does not answer."""
    text, cause = "", error
    while cause.__cause__ is not None:
        cause = cause.__cause__
        text += f" {cause}".lower()
    if "name or service not known" in text or "could not translate" in text or "resolve" in text:
        return "name resolution failed"
    if "connection refused" in text or "no such file" in text:
        return "connection refused"
    if "authentication failed" in text:
        return "password authentication failed"
    if "timeout" in text:
        return "timeout"
    return str(getattr(error, "params", {}).get("reason") or "no answer")
