"""Killing the database under load and counting what was lost.

Owns a PostgreSQL of its own, in a temporary folder, with the settings of production: nothing of anybody is at risk.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import LiteralString
from uuid import UUID

import psycopg
from attrs import evolve, frozen

from pms_adapters.bootstrap import Services, connect
from pms_adapters.embedded.postgres import EmbeddedPostgres
from pms_adapters.embedded.temporary import temporary_postgres
from pms_adapters.lab.chaos.load import Notes, StressedHouse, open_stressed_house, under_load
from pms_adapters.lab.race.audit import audit_stock
from pms_adapters.postgres.migrate import upgrade
from pms_adapters.postgres.migrations.roles import RolePlan
from pms_adapters.postgres.session import Session
from pms_adapters.postgres.tenancy import APP_ROLE
from pms_adapters.settings import Settings
from pmscore.booking.use_cases.create import CreateBooking
from pmscore.kernel.errors import NightsTakenError
from pmscore.kernel.events import Json

__all__ = ["ChaosReport", "run_chaos"]

_CALLERS = 8
_ANSWERS_BEFORE_KILL = (40, 200)
_PATIENCE_SECONDS = 60.0
_BOOKED: LiteralString = """\
SELECT channel_reference, booking_id FROM bookings WHERE agency_id = %s AND channel = 'chaos'"""
_PLANT = (
    f"ALTER ROLE {APP_ROLE} SET synchronous_commit = off",
    "ALTER SYSTEM SET wal_writer_delay = '10s'",
    "SELECT pg_reload_conf()",
)


@frozen(kw_only=True)
class ChaosReport:
    """What became of the bookings that were asked for while the database was killed.

    ``lost`` were acknowledged and are not there. ``unknown`` got no answer; ``unknown_committed`` of them
    were there all the same. After their key was repeated, ``resolved`` had exactly one booking, the one that
    the repetition named, and ``resolved_refused`` none, because the nights were taken. ``wrong`` are all
    others: booked twice, or another booking than the caller was told, or refused and booked. ``violations``
    are counters and claims that contradict each other.
    """

    rounds: int = 0
    acknowledged: int = 0
    refused: int = 0
    lost: int = 0
    unknown: int = 0
    unknown_committed: int = 0
    resolved: int = 0
    resolved_refused: int = 0
    wrong: int = 0
    violations: int = 0
    restart_seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nothing was lost and every unknown outcome has become a known one."""
        unresolved = self.unknown - self.resolved - self.resolved_refused
        return not (self.lost or self.wrong or self.violations or unresolved)

    def as_json(self) -> dict[str, Json]:
        """Return the counts, and the slowest restart in milliseconds."""
        counts: dict[str, Json] = {name: getattr(self, name) for name in _COUNTS}
        return {**counts, "restart_ms": round(self.restart_seconds * 1000), "ok": self.ok}

    def as_table(self) -> str:
        """Return the counts as lines of text, the verdict first."""
        return "\n".join(
            (
                f"acknowledged {self.acknowledged}, lost {self.lost}",
                f"unknown {self.unknown}, of those committed {self.unknown_committed}",
                f"resolved by repeating the key {self.resolved}, refused by it {self.resolved_refused}",
                f"refused {self.refused}, wrong {self.wrong}, violations {self.violations}",
                f"{self.rounds} kills, slowest restart {self.restart_seconds:.1f} s",
            )
        )

    def plus(self, other: ChaosReport) -> ChaosReport:
        """Return both together; the restart time is that of the slowest."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in _COUNTS}
        return evolve(self, **sums, restart_seconds=max(self.restart_seconds, other.restart_seconds))


_COUNTS = (
    *("rounds", "acknowledged", "refused", "lost", "unknown", "unknown_committed", "resolved"),
    *("resolved_refused", "wrong", "violations"),
)


def run_chaos(
    rounds: int,
    *,
    callers: int = _CALLERS,
    progress: Callable[[int, int], None] | None = None,
    plants_loss: bool = False,
    seed: int = 0,
) -> ChaosReport:
    """Kill a PostgreSQL with SIGKILL ``rounds`` times while ``callers`` threads book, and count.

    ``plants_loss`` is the positive control: the database then answers before it has written, so bookings must
    be lost. ``seed`` decides after how many answers each kill comes.

    Raises:
        MisconfiguredError: the embedded PostgreSQL cannot run here.
    """
    chance = random.Random(seed)
    total = ChaosReport()
    with temporary_postgres(is_durable=True) as server:
        upgrade(server.url(), roles=RolePlan(passwords={APP_ROLE: server.password(APP_ROLE)}))
        if plants_loss:
            _plant_loss(server)
        settings = Settings(database_url=server.url(role=APP_ROLE), database_pool_size=callers + 1)
        with connect(settings) as services:
            house = open_stressed_house(services)
        if plants_loss:
            _write_everything(server)
        kept: dict[str, UUID] = {}
        for done in range(rounds):
            answers = chance.randint(*_ANSWERS_BEFORE_KILL)
            total = total.plus(_round(server, settings, house, kept, callers=callers, answers=answers))
            if progress is not None:
                progress(done + 1, rounds)
    return total


def _round(
    server: EmbeddedPostgres,
    settings: Settings,
    house: StressedHouse,
    kept: dict[str, UUID],
    *,
    callers: int,
    answers: int,
) -> ChaosReport:
    with connect(settings) as services, under_load(house, services, callers=callers) as notes:
        _wait_for_answers(notes, answers)
        server.kill()
    started = time.perf_counter()
    server.start()
    seconds = time.perf_counter() - started
    with connect(settings) as services:
        return evolve(_judged(services, house, notes, kept), rounds=1, restart_seconds=seconds)


def _wait_for_answers(notes: Notes, answers: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while len(notes.acknowledged) < answers:
        if notes.unknown or time.monotonic() > deadline:
            raise RuntimeError("the load stopped before the database was killed")
        time.sleep(0.001)


def _judged(services: Services, house: StressedHouse, notes: Notes, kept: dict[str, UUID]) -> ChaosReport:
    """Compare what callers were told with what is there, repeat what they do not know, compare again.

    ``kept`` has the bookings that earlier rounds left behind; they must outlive this round too.
    """
    promised = kept | {key: receipt.booking_id for key, receipt in notes.acknowledged.items()}
    before = _bookings(services, house)
    lost = [key for key in promised if key not in before]
    wrong = sum(before[key] != [booking_id] for key, booking_id in promised.items() if key in before)
    wrong += sum(key in before for key in notes.refused)
    told = {key: _repeated(services, house, command) for key, command in notes.unknown.items()}
    after = _bookings(services, house)
    outcomes = Counter(_outcome(after.get(key, []), booking_id) for key, booking_id in told.items())
    kept.clear()
    kept.update({key: found[0] for key, found in after.items() if len(found) == 1})
    audit = audit_stock(services.engine, house.agency_id)
    return ChaosReport(
        acknowledged=len(notes.acknowledged),
        refused=len(notes.refused),
        lost=len(lost),
        unknown=len(notes.unknown),
        unknown_committed=sum(key in before for key in notes.unknown),
        resolved=outcomes["resolved"],
        resolved_refused=outcomes["resolved_refused"],
        wrong=wrong + outcomes["wrong"],
        violations=audit.double_bookings + audit.wrong_counters + audit.wrong_unit_nights,
    )


def _repeated(services: Services, house: StressedHouse, command: CreateBooking) -> UUID | None:
    """Return the booking that the repetition of a key names, or None where it is refused."""
    try:
        return house.book(services, command).booking_id
    except NightsTakenError:
        return None


def _outcome(booked: list[UUID], told: UUID | None) -> str:
    if told is None:
        return "wrong" if booked else "resolved_refused"
    return "resolved" if booked == [told] else "wrong"


def _bookings(services: Services, house: StressedHouse) -> dict[str, list[UUID]]:
    """Return the bookings that are there, by key."""
    found: dict[str, list[UUID]] = {}
    with Session(services.engine, house.agency_id) as session:
        for key, booking_id in session.rows(_BOOKED, house.agency_id):
            if isinstance(key, str) and isinstance(booking_id, UUID):
                found.setdefault(key, []).append(booking_id)
        session.commit()
    return found


def _plant_loss(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for statement in _PLANT:
            connection.execute(statement)


def _write_everything(server: EmbeddedPostgres) -> None:
    """Keep the house itself from being lost with what is planted to be lost."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
