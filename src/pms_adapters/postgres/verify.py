"""``pms verify``: every invariant recomputed in SQL, apart from the code that keeps it.

Owns the list of invariants. Reads one consistent snapshot; as a role above row-level security it looks at
all agencies, otherwise at the one that it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
from attrs import frozen

from pms_adapters.postgres.errors import translated
from pms_adapters.postgres.seal_checks import Tail, check_heads, check_seals, list_tails
from pmscore.kernel.errors import MisconfiguredError
from pmscore.kernel.ids import AgencyId

__all__ = ["INVARIANTS", "SEALS", "Invariant", "Violated", "unsealed", "verify"]

MOST_EXAMPLES = 20

_CLAIMS: LiteralString = """\
WITH live AS (
  SELECT r.agency_id, r.room_id AS source_id, r.unit_type_id, r.arrival, r.placements, r.turnover_nights,
         r.is_oversold,
         CASE WHEN b.checked_out_on IS NULL THEN r.departure
              ELSE least(r.departure, greatest(b.checked_out_on, r.arrival + 1)) END AS until
    FROM bookings b JOIN booking_rooms r USING (agency_id, booking_id)
   WHERE b.status IN ('pending', 'confirmed', 'checked_in', 'checked_out')
),
placed AS (
  SELECT l.agency_id, l.source_id, p.unit_id, p.unit_type_id, p."from" + g AS night
    FROM live l, jsonb_to_recordset(l.placements) AS p(unit_id uuid, unit_type_id uuid, "from" date, "to" date),
         generate_series(0, least(p."to", l.until) - p."from" - 1) AS g
   WHERE l.placements <> '[]'
),
own AS (
  SELECT l.agency_id, l.source_id, coalesce(p.unit_type_id, l.unit_type_id) AS unit_type_id, p.unit_id,
         n.night, CASE WHEN l.is_oversold THEN 'oversold' ELSE 'booked' END AS kind, l.until,
         l.turnover_nights
    FROM live l CROSS JOIN LATERAL (
           SELECT l.arrival + g AS night FROM generate_series(0, l.until - l.arrival - 1) AS g) AS n
    LEFT JOIN placed p
      ON p.agency_id = l.agency_id AND p.source_id = l.source_id AND p.night = n.night
),
claims AS (
  SELECT agency_id, source_id, unit_type_id, unit_id, night, kind FROM own
   UNION ALL
  SELECT o.agency_id, o.source_id, o.unit_type_id, o.unit_id, o.until + g, 'buffer'
    FROM own o, generate_series(0, o.turnover_nights - 1) AS g
   WHERE o.night = o.until - 1 AND o.turnover_nights > 0 AND o.kind = 'booked'
   UNION ALL
  SELECT h.agency_id, h.hold_id, h.unit_type_id, h.unit_id, h.arrival + g,
         CASE WHEN h.arrival + g < h.departure THEN 'held' ELSE 'buffer' END
    FROM holds h, generate_series(0, h.departure - h.arrival + h.turnover_nights - 1) AS g
   WHERE h.status = 'active'
   UNION ALL
  SELECT k.agency_id, k.block_id, k.unit_type_id, k.unit_id, k.first_night + g,
         CASE k.kind WHEN 'out_of_order' THEN 'out_of_order' ELSE 'blocked' END
    FROM blocks k, generate_series(0, k.end_date - k.first_night - 1) AS g
   UNION ALL
  SELECT a.agency_id, a.allotment_id, a.unit_type_id, NULL::uuid, a.first_night + g, 'allotted'
    FROM allotments a, generate_series(0, a.end_date - a.first_night - 1) AS g,
         generate_series(1, a.guaranteed - a.sold[g + 1])
   WHERE a.first_night + g >= coalesce(a.released_until, a.first_night)
)
"""


@frozen
class Invariant:
    """One thing that must hold, and the query that finds where it does not."""

    code: str
    says: str
    sql: LiteralString


@frozen
class Violated:
    """One place where an invariant does not hold, as the query names it."""

    code: str
    says: str
    where: str


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "counters_equal_claims",
        "every counter of a type's night equals the claims of its kind",
        _CLAIMS
        + """\
, counted AS (
  SELECT agency_id, unit_type_id, night,
         count(*) FILTER (WHERE kind = 'booked') AS booked, count(*) FILTER (WHERE kind = 'held') AS held,
         count(*) FILTER (WHERE kind = 'blocked') AS blocked,
         count(*) FILTER (WHERE kind = 'out_of_order') AS out_of_order,
         count(*) FILTER (WHERE kind = 'buffer') AS buffer,
         count(*) FILTER (WHERE kind = 'oversold') AS oversold,
         count(*) FILTER (WHERE kind = 'allotted') AS allotted
    FROM claims GROUP BY agency_id, unit_type_id, night
)
SELECT agency_id, unit_type_id, night,
       concat_ws(' ', n.booked, n.held, n.blocked, n.out_of_order, n.buffer, n.oversold, n.allotted) AS kept,
       concat_ws(' ', c.booked, c.held, c.blocked, c.out_of_order, c.buffer, c.oversold, c.allotted) AS claimed
  FROM counted c FULL JOIN type_nights n USING (agency_id, unit_type_id, night)
 WHERE (coalesce(n.booked, 0), coalesce(n.held, 0), coalesce(n.blocked, 0), coalesce(n.out_of_order, 0),
        coalesce(n.buffer, 0), coalesce(n.oversold, 0), coalesce(n.allotted, 0))
    IS DISTINCT FROM
       (coalesce(c.booked, 0), coalesce(c.held, 0), coalesce(c.blocked, 0), coalesce(c.out_of_order, 0),
        coalesce(c.buffer, 0), coalesce(c.oversold, 0), coalesce(c.allotted, 0))""",
    ),
    Invariant(
        "one_owner_a_unit_night",
        "no unit's night is claimed twice",
        _CLAIMS
        + """\
SELECT agency_id, unit_id, night, count(*) FROM claims WHERE unit_id IS NOT NULL
 GROUP BY agency_id, unit_id, night HAVING count(*) > 1""",
    ),
    Invariant(
        "unit_nights_equal_claims",
        "a unit's night is taken exactly by the live booking, hold or block that claims it",
        _CLAIMS
        + """\
SELECT agency_id, unit_id, night, c.source_id AS claims, n.source_id AS keeps
  FROM (SELECT * FROM claims WHERE unit_id IS NOT NULL) AS c
  FULL JOIN unit_nights n USING (agency_id, unit_id, night)
 WHERE c.source_id IS DISTINCT FROM n.source_id OR c.kind IS DISTINCT FROM n.kind""",
    ),
    Invariant(
        "within_capacity",
        "no night has more claims than its capacity and overbooking allow",
        """\
SELECT agency_id, unit_type_id, night FROM type_nights
 WHERE booked + held + blocked + out_of_order + buffer + allotted > capacity + overbooking
    OR least(booked, held, blocked, out_of_order, buffer, oversold, allotted) < 0""",
    ),
    Invariant(
        "capacity_is_the_types",
        "from the business date on, a counter has the capacity and overbooking of its type",
        """\
SELECT n.agency_id, n.unit_type_id, n.night, n.capacity
  FROM type_nights n JOIN unit_types t USING (agency_id, unit_type_id)
  JOIN properties p USING (agency_id, property_id)
 WHERE n.night >= p.business_date
   AND (n.overbooking <> t.overbooking OR n.capacity <> coalesce((
          SELECT k.rooms FROM unit_type_capacities k
           WHERE k.agency_id = n.agency_id AND k.unit_type_id = n.unit_type_id AND k.valid_from <= n.night
           ORDER BY k.valid_from DESC LIMIT 1), 0))""",
    ),
    Invariant(
        "units_are_of_their_type",
        "a placement and a block name the type that their unit has",
        """\
SELECT r.agency_id, r.room_id, p.unit_id
  FROM booking_rooms r,
       jsonb_to_recordset(r.placements) AS p(unit_id uuid, unit_type_id uuid, "from" date, "to" date)
  LEFT JOIN units u ON u.unit_id = p.unit_id
 WHERE r.placements <> '[]'
   AND (u.unit_type_id IS DISTINCT FROM p.unit_type_id OR u.agency_id <> r.agency_id
        OR p."from" < r.arrival OR p."to" > r.departure)
 UNION ALL
SELECT k.agency_id, k.block_id, k.unit_id FROM blocks k JOIN units u USING (agency_id, unit_id)
 WHERE u.unit_type_id <> k.unit_type_id""",
    ),
    Invariant(
        "guest_figures",
        "a guest's figures are what the guest's bookings add up to",
        """\
WITH totals AS (
  SELECT b.agency_id, b.booking_id, sum(a.amount) AS amount
    FROM bookings b JOIN booking_rooms r USING (agency_id, booking_id), unnest(r.nightly) AS a(amount)
   WHERE b.status = 'checked_out' GROUP BY b.agency_id, b.booking_id
),
spent AS (
  SELECT agency_id, guest_id, jsonb_object_agg(currency, amount) AS amounts
    FROM (SELECT b.agency_id, b.guest_id, b.currency, sum(t.amount)::bigint AS amount
            FROM bookings b JOIN totals t USING (agency_id, booking_id)
           GROUP BY b.agency_id, b.guest_id, b.currency HAVING sum(t.amount) <> 0) AS sums
   GROUP BY agency_id, guest_id
),
made AS (
  SELECT agency_id, guest_id, count(*) AS bookings, min(created_at) AS first_at, max(created_at) AS last_at
    FROM bookings WHERE status IN ('pending', 'confirmed', 'checked_in', 'checked_out', 'no_show')
   GROUP BY agency_id, guest_id
)
SELECT g.agency_id, g.guest_id, g.total_bookings, coalesce(m.bookings, 0) AS made, g.total_spent,
       coalesce(s.amounts, '{}') AS spent
  FROM guests g LEFT JOIN made m USING (agency_id, guest_id) LEFT JOIN spent s USING (agency_id, guest_id)
 WHERE g.total_bookings <> coalesce(m.bookings, 0) OR g.total_spent <> coalesce(s.amounts, '{}')
    OR g.first_booking_at IS DISTINCT FROM m.first_at OR g.last_booking_at IS DISTINCT FROM m.last_at""",
    ),
    Invariant(
        "quotes_and_bookings_name_each_other",
        "a booked quote and the booking that was made from it name each other",
        """\
SELECT coalesce(q.agency_id, b.agency_id) AS agency_id, q.quote_id, b.booking_id
  FROM (SELECT agency_id, quote_id, booking_id, property_id FROM quotes WHERE booking_id IS NOT NULL) AS q
  FULL JOIN (SELECT agency_id, quote_id, booking_id, property_id FROM bookings WHERE quote_id IS NOT NULL) AS b
    USING (agency_id, quote_id, booking_id, property_id)
 WHERE q.quote_id IS NULL OR b.quote_id IS NULL""",
    ),
    Invariant(
        "history_is_whole",
        "every booking has an event for each of its versions",
        """\
SELECT b.agency_id, b.booking_id, b.version, count(DISTINCT e.version) AS told
  FROM bookings b LEFT JOIN events e
    ON e.agency_id = b.agency_id AND e.aggregate_id = b.booking_id AND e.aggregate = 'booking'
 GROUP BY b.agency_id, b.booking_id, b.version HAVING count(DISTINCT e.version) <> b.version""",
    ),
)

SEALS = Invariant(
    "audit_log_is_as_sealed", "everything that was sealed of the audit log is still there, as it was", ""
)
"""The one invariant that is no query: ``seal_checks`` makes the chain of hashes anew."""


def verify(
    url: str,
    *,
    agency_id: AgencyId | None = None,
    progress: Callable[[Invariant], None] | None = None,
    heads: Path | None = None,
) -> tuple[Violated, ...]:
    """Return every place where an invariant does not hold, at most twenty an invariant.

    ``progress`` is called before each invariant is looked at. ``heads`` is a folder with heads of the audit log that
    were kept outside of the database; they are compared too.

    Raises:
        MisconfiguredError: row-level security hides agencies from this role, and no agency was named.
        UnreachableError: the database did not answer.
    """
    found: list[Violated] = []
    with _snapshot(url, agency_id) as connection:
        for invariant in INVARIANTS:
            if progress is not None:
                progress(invariant)
            cursor = connection.execute(invariant.sql + f"\nLIMIT {MOST_EXAMPLES}")
            names = [column.name for column in cursor.description or ()]
            for row in cursor:
                where = ", ".join(f"{name}={value}" for name, value in zip(names, row, strict=True))
                found.append(Violated(invariant.code, invariant.says, where))
        if progress is not None:
            progress(SEALS)
        broken = list(check_seals(connection))
        if heads is not None:
            broken += check_heads(connection, heads)
        # A role above row-level security sees all agencies, the one that was asked for or not.
        found += (
            Violated(SEALS.code, SEALS.says, str(each))
            for each in broken
            if agency_id in {None, each.agency_id}
        )
    return tuple(found)


def unsealed(url: str, *, agency_id: AgencyId | None = None) -> tuple[Tail, ...]:
    """Return how much of the audit log is not sealed yet, by agency; a second's worth where a worker runs.

    Raises:
        MisconfiguredError: as for :func:`verify`.
        UnreachableError: the database did not answer.
    """
    with _snapshot(url, agency_id) as connection:
        return tuple(each for each in list_tails(connection) if agency_id in {None, each.agency_id})


@contextmanager
def _snapshot(url: str, agency_id: AgencyId | None) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with translated(), psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if agency_id is not None:
            connection.execute("SELECT set_config('app.agency_id', %s, true)", (str(agency_id),))
        elif not _sees_all(connection):
            raise MisconfiguredError(reason="row_security_hides_agencies")
        yield connection


def _sees_all(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    row = connection.execute(
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    return row is not None and row[0] is True
