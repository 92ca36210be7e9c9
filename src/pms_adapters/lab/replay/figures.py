"""Reading back what a replay has left in the database.

Owns the queries. Nothing here knows the file: what is counted are the bookings that the house has now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import LiteralString

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.lab.replay.report import NightFigures
from pms_adapters.postgres.session import Session
from pmscore.booking.model.lifecycle import Status
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import AgencyId

__all__ = ["HouseFigures", "read_figures"]

_STATUSES: LiteralString = """\
SELECT status, count(*), count(checked_in_on) FROM bookings WHERE agency_id = %s GROUP BY status"""
_NIGHTS: LiteralString = """\
SELECT r.arrival + (paid.position - 1)::int AS night, count(*), sum(paid.amount)::bigint
  FROM bookings b
  JOIN booking_rooms r USING (agency_id, booking_id)
 CROSS JOIN LATERAL unnest(r.nightly) WITH ORDINALITY AS paid(amount, position)
 WHERE b.agency_id = %s AND b.status = 'checked_out'
   AND r.arrival + (paid.position - 1)::int < coalesce(b.checked_out_on, r.departure)
 GROUP BY night ORDER BY night"""


@frozen(kw_only=True)
class HouseFigures:
    """The bookings of an agency by status, and the nights that guests have slept and paid."""

    by_status: Mapping[Status, int]
    checked_in: int
    nights: tuple[NightFigures, ...]

    @property
    def accepted(self) -> int:
        """How many bookings there are."""
        return sum(self.by_status.values())

    def count(self, status: Status) -> int:
        """Return how many bookings stand at ``status``."""
        return self.by_status.get(status, 0)


def read_figures(engine: Engine, agency_id: AgencyId) -> HouseFigures:
    """Return the figures of an agency as the database has them.

    Raises:
        UnreachableError: the database does not answer.
    """
    with Session(engine, agency_id) as session:
        statuses, nights = session.run([(_STATUSES, (agency_id,)), (_NIGHTS, (agency_id,))])
        session.commit()
    return HouseFigures(
        by_status={Status(_text(status)): _whole(count) for status, count, _ in statuses},
        checked_in=sum(_whole(arrived) for _, _, arrived in statuses),
        nights=tuple(
            NightFigures(night=_day(night), room_nights=_whole(count), revenue_minor=_whole(revenue))
            for night, count, revenue in nights
        ),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise MisuseError(expected="str")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise MisuseError(expected="int")
    return value


def _day(value: object) -> date:
    if not isinstance(value, date):
        raise MisuseError(expected="date")
    return value
