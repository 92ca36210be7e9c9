"""Looking for double bookings in the database, without trust in its keys and counters.

Owns one query that expands every claim from the bookings and holds themselves and compares: no unit twice on a night,
no type beyond its rooms, counters and unit nights equal to the claims.
"""

from __future__ import annotations

from typing import LiteralString

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.postgres.session import Session
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import AgencyId

__all__ = ["Audit", "audit_stock", "deadlocks"]

_CLAIMS: LiteralString = """\
mine AS (SELECT %s::uuid AS agency_id),
rooms AS (
  SELECT r.*, CASE WHEN b.checked_out_on < r.departure THEN greatest(b.checked_out_on, r.arrival + 1)
                   ELSE r.departure END AS leaves
    FROM bookings b JOIN booking_rooms r USING (agency_id, booking_id)
   WHERE b.agency_id = (TABLE mine) AND NOT r.is_oversold
     AND b.status IN ('pending', 'confirmed', 'checked_in', 'checked_out')),
placed AS (
  SELECT r.room_id AS source_id, 'booked' AS kind, (p ->> 'unit_type_id')::uuid AS unit_type_id,
         (p ->> 'unit_id')::uuid AS unit_id, (p ->> 'from')::date + step AS night, r.leaves
    FROM rooms r, jsonb_array_elements(r.placements) AS p,
         generate_series(0, (p ->> 'to')::date - (p ->> 'from')::date - 1) AS step),
loose AS (
  SELECT r.room_id, 'booked', r.unit_type_id, NULL::uuid, r.arrival + step, r.leaves
    FROM rooms r, generate_series(0, r.departure - r.arrival - 1) AS step
   WHERE NOT EXISTS (SELECT FROM placed p WHERE p.source_id = r.room_id AND p.night = r.arrival + step)),
stays AS (SELECT * FROM (SELECT * FROM placed UNION ALL SELECT * FROM loose) AS every WHERE night < leaves),
after_stays AS (
  SELECT r.room_id, 'buffer', s.unit_type_id, s.unit_id, r.leaves + step
    FROM rooms r JOIN stays s ON s.source_id = r.room_id AND s.night = r.leaves - 1,
         generate_series(0, r.turnover_nights - 1) AS step),
held AS (
  SELECT h.hold_id, CASE WHEN h.arrival + step < h.departure THEN 'held' ELSE 'buffer' END, h.unit_type_id,
         h.unit_id, h.arrival + step
    FROM holds h, generate_series(0, h.departure + h.turnover_nights - h.arrival - 1) AS step
   WHERE h.agency_id = (TABLE mine) AND h.status = 'active'),
blocked AS (
  SELECT k.block_id, CASE k.kind WHEN 'out_of_order' THEN 'out_of_order' ELSE 'blocked' END, k.unit_type_id,
         k.unit_id, k.first_night + step
    FROM blocks k, generate_series(0, k.end_date - k.first_night - 1) AS step
   WHERE k.agency_id = (TABLE mine)),
allotted AS (
  SELECT a.allotment_id, 'allotted', a.unit_type_id, NULL::uuid, a.first_night + step
    FROM allotments a, generate_series(0, a.end_date - a.first_night - 1) AS step,
         generate_series(1, a.guaranteed - a.sold[step + 1])
   WHERE a.agency_id = (TABLE mine) AND a.first_night + step >= coalesce(a.released_until, a.first_night)),
claims AS MATERIALIZED (
  SELECT source_id, kind, unit_type_id, unit_id, night FROM stays
  UNION ALL SELECT * FROM after_stays UNION ALL SELECT * FROM held UNION ALL SELECT * FROM blocked
  UNION ALL SELECT * FROM allotted),
by_type AS (
  SELECT c.unit_type_id, c.night, count(*) AS claimed, (
           SELECT t.overbooking + coalesce((
                    SELECT k.rooms FROM unit_type_capacities k
                     WHERE k.agency_id = t.agency_id AND k.unit_type_id = t.unit_type_id
                       AND k.valid_from <= c.night ORDER BY k.valid_from DESC LIMIT 1), 0)
             FROM unit_types t WHERE t.agency_id = (TABLE mine) AND t.unit_type_id = c.unit_type_id) AS most
    FROM claims c GROUP BY c.unit_type_id, c.night)"""
_AUDIT: LiteralString = f"""\
WITH {_CLAIMS},
counters AS (
  SELECT unit_type_id, night, booked + held + blocked + out_of_order + buffer + allotted AS claimed
    FROM type_nights WHERE agency_id = (TABLE mine)),
owners AS (
  SELECT unit_id, night, kind, source_id FROM unit_nights WHERE agency_id = (TABLE mine)),
owning AS (SELECT unit_id, night, kind, source_id FROM claims WHERE unit_id IS NOT NULL)
SELECT (SELECT count(*) FROM (SELECT FROM claims WHERE unit_id IS NOT NULL
                               GROUP BY unit_id, night HAVING count(*) > 1) AS doubled),
       (SELECT count(*) FROM by_type WHERE claimed > most),
       (SELECT count(*) FROM by_type b FULL JOIN counters c USING (unit_type_id, night)
         WHERE coalesce(b.claimed, 0) <> coalesce(c.claimed, 0)),
       (SELECT count(*) FROM ((TABLE owners EXCEPT TABLE owning) UNION ALL (TABLE owning EXCEPT TABLE owners)) AS d),
       (SELECT count(*) FROM claims)"""
_DEADLOCKS: LiteralString = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@frozen(kw_only=True)
class Audit:
    """What is wrong: units claimed twice, types beyond their rooms (each by night), counters and unit nights that lie.

    ``claims`` is how many claims on nights were looked at.
    """

    doubled_units: int
    overfull_types: int
    wrong_counters: int
    wrong_unit_nights: int
    claims: int

    @property
    def double_bookings(self) -> int:
        """The nights on which somebody would stand before a taken room."""
        return self.doubled_units + self.overfull_types

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.double_bookings or self.wrong_counters or self.wrong_unit_nights)


def audit_stock(engine: Engine, agency_id: AgencyId) -> Audit:
    """Expand all claims of an agency and compare them with each other and with what is kept about them."""
    with Session(engine, agency_id) as session:
        row = session.rows(_AUDIT, agency_id)[0]
        session.commit()
    numbers = [_whole(value) for value in row]
    return Audit(
        doubled_units=numbers[0],
        overfull_types=numbers[1],
        wrong_counters=numbers[2],
        wrong_unit_nights=numbers[3],
        claims=numbers[4],
    )


def deadlocks(engine: Engine, agency_id: AgencyId) -> int:
    """Return how many deadlocks this database has seen since it was made."""
    with Session(engine, agency_id) as session:
        return _whole(session.rows(_DEADLOCKS)[0][0])


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise MisuseError(expected="int", found=type(value).__name__)
    return value
