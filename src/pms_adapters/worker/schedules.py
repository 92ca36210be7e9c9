"""What the worker does by the clock for every agency: options and holds that end, allotments released, old rows, the daily head.

Owns what is done and how often. Leaves when it was done to ``postgres.schedules``. Everything here may be done twice.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import LiteralString
from uuid import UUID, uuid4

from attrs import frozen

from pms_adapters.bootstrap import with_retries
from pms_adapters.postgres.inbox import forget_done
from pms_adapters.postgres.schedules import (
    add_missing,
    claim_schedule,
    fail_schedule,
    finish_schedule,
    next_schedule_at,
)
from pms_adapters.postgres.seal_checks import Head
from pms_adapters.postgres.seals import find_last_seal
from pms_adapters.postgres.session import Session
from pms_adapters.worker.reactions import channels
from pms_adapters.worker.services import WORKER, WorkerServices
from pmscore.booking.model.lifecycle import Act
from pmscore.booking.use_cases.change_status import ChangeStatus, change_status
from pmscore.inventory.use_cases.allotments import ReleaseAllotments, release_allotments
from pmscore.inventory.use_cases.holds import ExpireHold, expire_hold
from pmscore.kernel.errors import ConflictError, DomainError, MisconfiguredError, PmsError
from pmscore.kernel.ids import AgencyId, BookingId, HoldId, PropertyId, RequestId
from pmscore.pricing.use_cases.keeping import PurgeQuotes, purge_quotes

__all__ = ["USUAL", "Schedule", "run_schedules", "write_head"]

MOST_AT_ONCE = 500
MOST_ROUNDS = 20
KEYS_KEPT = timedelta(hours=72)
INBOX_KEPT = timedelta(days=7)
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

_ENDED_OPTIONS: LiteralString = """\
SELECT booking_id FROM bookings
 WHERE agency_id = %s AND status = 'pending' AND option_until <= %s ORDER BY option_until, booking_id LIMIT %s"""
_ENDED_HOLDS: LiteralString = """\
SELECT hold_id FROM holds
 WHERE agency_id = %s AND status = 'active' AND expires_at <= %s ORDER BY expires_at, hold_id LIMIT %s"""
_ALLOTTED: LiteralString = (
    "SELECT DISTINCT property_id FROM allotments WHERE agency_id = %s ORDER BY property_id"
)
_OLD_KEYS: LiteralString = "DELETE FROM idempotency_keys WHERE agency_id = %s AND created_at < %s"

_log = logging.getLogger("pms.worker.schedules")


@frozen
class Schedule:
    """Something that is done for each agency, and how many seconds later it is due again."""

    does: Callable[[AgencyId, WorkerServices], None]
    every_seconds: float


def run_schedules(
    agency_id: AgencyId, services: WorkerServices, schedules: Mapping[str, Schedule] | None = None
) -> datetime | None:
    """Do what is due for the agency; return when to look again. What fails is done again a minute later.

    Raises:
        UnreachableError: the database did not answer.
    """
    known = USUAL if schedules is None else schedules
    add_missing(services.engine, agency_id, tuple(known))
    for name, schedule in known.items():
        if not claim_schedule(services.engine, agency_id, name):
            continue
        try:
            schedule.does(agency_id, services)
        except PmsError as error:
            _log.warning("agency %s: schedule %s failed: %s", agency_id, name, error)
            fail_schedule(services.engine, agency_id, name)
        else:
            finish_schedule(services.engine, agency_id, name, again_in=schedule.every_seconds)
    return next_schedule_at(services.engine, agency_id, tuple(known))


def write_head(head: Head, folder: Path, day: str) -> None:
    """Add a head to the day's file, so that it is on the disk when this returns.

    Raises:
        MisconfiguredError: the folder of AUDIT_HEAD_DIR cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{day}.jsonl").open("a", encoding="utf-8") as file:
            file.write(head.written() + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise MisconfiguredError(reason="head_not_written", setting="AUDIT_HEAD_DIR") from error


def _end_options_and_holds(agency_id: AgencyId, services: WorkerServices) -> None:
    """Let options and holds whose time is over end, each by its use case, so that the history tells it.

    Nobody waits for this to sell the nights: whoever wants them ends the hold first.
    """
    now = services.clock.now()
    for booking_id in _ids(services, agency_id, _ENDED_OPTIONS, now):
        expire = ChangeStatus(
            request_id=RequestId(uuid4()),
            agency_id=agency_id,
            actor_id=WORKER,
            booking_id=BookingId(booking_id),
            act=Act.EXPIRE,
            reason="option_ended",
        )
        _each(partial(change_status, expire, uow=services.uow, clock=services.clock))
    for hold_id in _ids(services, agency_id, _ENDED_HOLDS, now):
        end = ExpireHold(
            request_id=RequestId(uuid4()), agency_id=agency_id, actor_id=WORKER, hold_id=HoldId(hold_id)
        )
        _each(partial(expire_hold, end, uow=services.uow, clock=services.clock))


def _each(call: Callable[[], object]) -> None:
    """Do one of many; one that has changed in the meantime is left alone."""
    try:
        with_retries(call)
    except (DomainError, ConflictError) as error:
        _log.info("left alone: %s", error)


def _ids(
    services: WorkerServices, agency_id: AgencyId, sql: LiteralString, now: datetime
) -> tuple[UUID, ...]:
    with Session(services.engine, agency_id) as session:
        rows = session.read([(sql, (agency_id, now, MOST_AT_ONCE))])[0]
    return tuple(UUID(str(row[0])) for row in rows)


def _release_allotments(agency_id: AgencyId, services: WorkerServices) -> None:
    with Session(services.engine, agency_id) as session:
        (found,) = session.read([(_ALLOTTED, (agency_id,))])
    for (property_id,) in found:
        command = ReleaseAllotments(
            request_id=RequestId(uuid4()),
            agency_id=agency_id,
            actor_id=WORKER,
            property_id=PropertyId(UUID(str(property_id))),
        )
        released = partial(release_allotments, command, uow=services.uow, clock=services.clock)
        with_retries(released)


def _purge_quotes(agency_id: AgencyId, services: WorkerServices) -> None:
    for _ in range(MOST_ROUNDS):
        command = PurgeQuotes(request_id=RequestId(uuid4()), agency_id=agency_id, actor_id=WORKER)
        if purge_quotes(command, uow=services.uow, clock=services.clock) < command.most:
            return


def _purge_keys(agency_id: AgencyId, services: WorkerServices) -> None:
    with Session(services.engine, agency_id) as session:
        session.commit([(_OLD_KEYS, (agency_id, services.clock.now() - KEYS_KEPT))])


def _purge_inbox(agency_id: AgencyId, services: WorkerServices) -> None:
    kept = INBOX_KEPT.total_seconds()
    for _ in range(MOST_ROUNDS):
        if forget_done(services.engine, agency_id, kept_seconds=kept, most=1_000) < 1_000:
            return


def _keep_head(agency_id: AgencyId, services: WorkerServices) -> None:
    folder, seal = services.settings.audit_head_dir, find_last_seal(services.engine, agency_id)
    if folder is None or seal is None:
        return
    head = Head(
        agency_id=agency_id,
        number=seal.number,
        entries=seal.total,
        hash=seal.hash.hex(),
        sealed_at=seal.sealed_at.isoformat(),
    )
    write_head(head, folder, services.clock.now().date().isoformat())


USUAL: Mapping[str, Schedule] = MappingProxyType(
    {
        "end_options_and_holds": Schedule(_end_options_and_holds, MINUTE),
        "release_allotments": Schedule(_release_allotments, HOUR),
        "purge_quotes": Schedule(_purge_quotes, HOUR),
        "purge_keys": Schedule(_purge_keys, HOUR),
        "purge_inbox": Schedule(_purge_inbox, HOUR),
        "daily_head": Schedule(_keep_head, DAY),
        "channel_roll": Schedule(channels.roll, HOUR),
        "channel_purge": Schedule(channels.purge, DAY),
    }
)
"""What every agency has done; the names are kept in the database and never changed."""
