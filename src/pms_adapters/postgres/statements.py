"""The statements that claim nights: one for a new booking, one for any change of claims.

Owns the order in which rows are locked, the same in both: idempotency key, then type nights ascending by
type and night, then unit nights. Two transactions that want the same unit night meet at its type night
first, so neither layer can wait in a circle. Both take one JSON document, which costs the client one
parameter and the server one parse. The rule and its proof: ``docs/algorithms/stock.md``.
"""

from __future__ import annotations

__all__ = [
    "BEGIN_SHARED",
    "CHANGE_STOCK",
    "CREATE_BOOKINGS",
    "INSERT_KEY",
    "INSERT_NEW",
    "TAKEN_TYPE_NIGHTS",
    "TAKEN_UNIT_NIGHTS",
]

BEGIN_SHARED = """\
SELECT set_config('app.agency_id', $1, true), pg_advisory_xact_lock_shared($2::bigint)"""
"""Name the agency, and keep the house from being changed while its stock is: the lock is granted before
the next statement takes its snapshot, so a version that it finds is the version at the commit."""

_KINDS = ("booked", "held", "blocked", "out_of_order", "buffer", "oversold", "allotted")
_COUNTS = ", ".join(_KINDS)
_SUMS = ",\n         ".join(
    f"coalesce(sum(c.sign) FILTER (WHERE c.kind = '{kind}'), 0)::int AS {kind}" for kind in _KINDS
)
_ADDED = ", ".join(f"{kind} = row.{kind} + excluded.{kind}" for kind in _KINDS)
_PROPOSED = ", ".join(f"greatest(net.{kind}, 0)" for kind in _KINDS)
_LEAST = "least(" + ", ".join(f"net.{kind}" for kind in _KINDS) + ")"
_MOVED = ", ".join(f"row.{kind} + net.{kind}" for kind in _KINDS)

_CLAIMS = f"""\
claims AS MATERIALIZED (
  SELECT c.sign, c.kind, c.source_id, c.unit_type_id, c.unit_id, c.first + step AS night
    FROM input, jsonb_to_recordset(input.doc -> 'claims') AS c(
           sign int, kind text, source_id uuid, unit_type_id uuid, unit_id uuid, first date, nights int),
         generate_series(0, c.nights - 1) AS step
),
net AS MATERIALIZED (
  SELECT c.unit_type_id, c.night,
         {_SUMS}
    FROM claims c
   GROUP BY c.unit_type_id, c.night
)"""

_ROOMS_ON = """\
         coalesce((SELECT k.rooms FROM unit_type_capacities k
                    WHERE k.agency_id = input.agency_id AND k.unit_type_id = net.unit_type_id
                      AND k.valid_from <= net.night ORDER BY k.valid_from DESC LIMIT 1), 0),
         (SELECT t.overbooking FROM unit_types t
           WHERE t.agency_id = input.agency_id AND t.unit_type_id = net.unit_type_id)"""

_KEYED = """\
keyed AS (
  INSERT INTO idempotency_keys (agency_id, actor_id, route, key, fingerprint, reply, created_at)
  SELECT input.agency_id, k.actor_id, k.route, k.key, k.fingerprint, k.reply, k.created_at
    FROM input, jsonb_to_recordset(input.doc -> 'keys') AS k(
           actor_id uuid, route text, key text, fingerprint text, reply jsonb, created_at timestamptz)
  RETURNING 1
)"""

_NEW = """\
new_guests AS (
  INSERT INTO guests (agency_id, guest_id, name, email, phone, country, total_bookings, first_booking_at,
                      last_booking_at, updated_at, version)
  SELECT input.agency_id, g.guest_id, g.name, g.email, g.phone, g.country, g.total_bookings,
         g.first_booking_at, g.last_booking_at, g.updated_at, g.version
    FROM input, jsonb_to_recordset(input.doc -> 'guests') AS g(
           guest_id uuid, name text, email text, phone text, country text, total_bookings int,
           first_booking_at timestamptz, last_booking_at timestamptz, updated_at timestamptz, version int)
   WHERE (SELECT count(*) FROM stock) >= 0
  RETURNING guest_id
),
new_bookings AS (
  INSERT INTO bookings (agency_id, booking_id, property_id, guest_id, status, currency, channel,
                        channel_reference, segment, requests, notes, terms, created_at, option_until,
                        checked_in_on, checked_out_on, version, quote_id, cancellation)
  SELECT input.agency_id, b.booking_id, b.property_id, b.guest_id, b.status, b.currency, b.channel,
         b.channel_reference, b.segment, b.requests, b.notes, b.terms, b.created_at, b.option_until,
         b.checked_in_on, b.checked_out_on, b.version, b.quote_id, b.cancellation
    FROM input, jsonb_to_recordset(input.doc -> 'bookings') AS b(
           booking_id uuid, property_id uuid, guest_id uuid, status text, currency text, channel text,
           channel_reference text, segment text, requests text, notes text, terms jsonb, created_at timestamptz,
           option_until timestamptz, checked_in_on date, checked_out_on date, version int, quote_id uuid,
           cancellation jsonb)
   WHERE (SELECT count(*) FROM new_guests) >= 0
  RETURNING 1
),
new_rooms AS (
  INSERT INTO booking_rooms (agency_id, room_id, booking_id, position, unit_type_id, arrival, departure,
                             adults, children, infants, nightly, placements, turnover_nights, is_locked,
                             is_oversold)
  SELECT input.agency_id, r.room_id, r.booking_id, r.position, r.unit_type_id, r.arrival, r.departure,
         r.adults, r.children, r.infants, r.nightly, r.placements, r.turnover_nights, r.is_locked,
         r.is_oversold
    FROM input, jsonb_to_recordset(input.doc -> 'rooms') AS r(
           room_id uuid, booking_id uuid, position int, unit_type_id uuid, arrival date, departure date,
           adults int, children int, infants int, nightly bigint[], placements jsonb, turnover_nights int,
           is_locked boolean, is_oversold boolean)
   WHERE (SELECT count(*) FROM new_bookings) >= 0
  RETURNING 1
),
"""

# The worker learns from `work_due` that there are events; always a new row, so that nobody waits for anybody.
_TOLD = """\
told AS (
  INSERT INTO events (agency_id, event_id, kind, aggregate, aggregate_id, version, at, actor_id, request_id,
                      payload)
  SELECT input.agency_id, e.event_id, e.kind, e.aggregate, e.aggregate_id, e.version, e.at, e.actor_id,
         e.request_id, e.payload
    FROM input, jsonb_to_recordset(input.doc -> 'events') AS e(
           event_id uuid, kind text, aggregate text, aggregate_id uuid, version int, at timestamptz,
           actor_id uuid, request_id uuid, payload jsonb)
   WHERE (SELECT count(*) FROM new_rooms) >= 0
  RETURNING 1
),
due AS (
  INSERT INTO work_due (agency_id, kind)
  SELECT input.agency_id, 'events' FROM input WHERE input.doc #> '{events,0}' IS NOT NULL
  ON CONFLICT DO NOTHING
)"""

CREATE_BOOKINGS = f"""\
WITH document AS MATERIALIZED (SELECT $1::jsonb AS doc),
input AS MATERIALIZED (
  SELECT d.doc, p.agency_id, p.property_id
    FROM document d JOIN properties p
      ON p.agency_id = (d.doc ->> 'agency_id')::uuid
     AND p.property_id = (d.doc ->> 'property_id')::uuid
     AND p.version = (d.doc ->> 'house_version')::int
),
{_KEYED},
{_CLAIMS},
counted AS (
  INSERT INTO type_nights AS row (agency_id, unit_type_id, night, capacity, overbooking, {_COUNTS})
  SELECT input.agency_id, net.unit_type_id, net.night,
{_ROOMS_ON},
         {", ".join(f"net.{kind}" for kind in _KINDS)}
    FROM input CROSS JOIN net
   WHERE (SELECT count(*) FROM keyed) >= 0
   ORDER BY net.unit_type_id, net.night
  ON CONFLICT (agency_id, unit_type_id, night) DO UPDATE SET {_ADDED}
  RETURNING 1
),
stock AS (
  INSERT INTO unit_nights (agency_id, unit_id, night, kind, source_id)
  SELECT input.agency_id, c.unit_id, c.night, c.kind, c.source_id
    FROM input CROSS JOIN claims c
   WHERE c.unit_id IS NOT NULL AND (SELECT count(*) FROM counted) > 0
   ORDER BY c.unit_id, c.night
  RETURNING 1
),
{_NEW}sums AS MATERIALIZED (
  SELECT f.guest_id, sum(f.bookings)::int AS bookings, min(f.booked_at) AS first_at,
         max(f.booked_at) AS last_at
    FROM input, jsonb_to_recordset(input.doc -> 'figures') AS f(
           guest_id uuid, bookings int, booked_at timestamptz)
   GROUP BY f.guest_id
),
figures AS (
  UPDATE guests g
     SET (total_bookings, first_booking_at, last_booking_at) = (
           SELECT g.total_bookings + m.bookings, least(g.first_booking_at, m.first_at),
                  greatest(g.last_booking_at, m.last_at)
             FROM sums m WHERE m.guest_id = g.guest_id)
   WHERE g.agency_id = (SELECT agency_id FROM input)
     AND g.guest_id = ANY (ARRAY(SELECT m.guest_id FROM sums m ORDER BY m.guest_id))
     AND (SELECT count(*) FROM new_rooms) >= 0
  RETURNING 1
),
{_TOLD}
SELECT (SELECT count(*) FROM input), (SELECT count(*) FROM told)"""
"""Write new bookings with everything that belongs to them. Answers (0, 0) where the house is no longer at
the version that the caller knows; then nothing was written."""

INSERT_KEY = f"""\
WITH input AS MATERIALIZED (
  SELECT d.doc, (d.doc ->> 'agency_id')::uuid AS agency_id FROM (SELECT %s::jsonb AS doc) AS d
),
{_KEYED}
SELECT count(*) FROM keyed"""

INSERT_NEW = f"""\
WITH input AS MATERIALIZED (
  SELECT d.doc, (d.doc ->> 'agency_id')::uuid AS agency_id FROM (SELECT %s::jsonb AS doc) AS d
),
stock AS (SELECT 0 WHERE false),
{_NEW}{_TOLD}
SELECT count(*) FROM told"""
"""Write new guests, bookings and events after their stock was moved by :data:`CHANGE_STOCK`."""

CHANGE_STOCK = f"""\
WITH input AS MATERIALIZED (
  SELECT d.doc, (d.doc ->> 'agency_id')::uuid AS agency_id FROM (SELECT %s::jsonb AS doc) AS d
),
{_CLAIMS},
counted AS (
  INSERT INTO type_nights AS row (agency_id, unit_type_id, night, capacity, overbooking, {_COUNTS})
  SELECT input.agency_id, net.unit_type_id, net.night,
{_ROOMS_ON},
         {_PROPOSED}
    FROM input CROSS JOIN net
   ORDER BY net.unit_type_id, net.night
  ON CONFLICT (agency_id, unit_type_id, night) DO UPDATE
    SET ({_COUNTS}) = (
      SELECT {_MOVED} FROM net
       WHERE net.unit_type_id = row.unit_type_id AND net.night = row.night)
  RETURNING unit_type_id, night, xmax = 0 AS is_new
),
old AS MATERIALIZED (
  SELECT c.unit_id, c.night, c.source_id, c.kind FROM claims c WHERE c.sign < 0 AND c.unit_id IS NOT NULL
  EXCEPT
  SELECT c.unit_id, c.night, c.source_id, c.kind FROM claims c WHERE c.sign > 0
),
freed AS (
  DELETE FROM unit_nights n USING old
   WHERE n.agency_id = (SELECT agency_id FROM input)
     AND n.unit_id = old.unit_id AND n.night = old.night AND n.source_id = old.source_id
     AND (SELECT count(*) FROM counted) > 0
  RETURNING 1
),
taken AS (
  INSERT INTO unit_nights (agency_id, unit_id, night, kind, source_id)
  SELECT input.agency_id, new.unit_id, new.night, new.kind, new.source_id
    FROM input CROSS JOIN (
         SELECT c.unit_id, c.night, c.source_id, c.kind FROM claims c
          WHERE c.sign > 0 AND c.unit_id IS NOT NULL
         EXCEPT SELECT c.unit_id, c.night, c.source_id, c.kind FROM claims c WHERE c.sign < 0) AS new
   WHERE (SELECT count(*) FROM freed) >= 0
   ORDER BY new.unit_id, new.night
  RETURNING 1
)
SELECT (SELECT count(*) FROM taken) / (
         (SELECT count(*) FROM freed) = (SELECT count(*) FROM old)
         AND NOT EXISTS (
           SELECT 1 FROM counted JOIN net USING (unit_type_id, night)
            WHERE counted.is_new AND {_LEAST} < 0))::int"""
"""Give up and take claims in one step. Rows whose count does not change are locked all the same. Fails by a
division by zero, which ends the transaction, where something was to be given up that nobody had."""

TAKEN_UNIT_NIGHTS = """\
WITH claims AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset(%s::jsonb) AS c(
         sign int, source_id uuid, unit_id uuid, first date, upto date)
)
SELECT DISTINCT n.night, n.unit_id
  FROM claims c CROSS JOIN LATERAL (
         SELECT u.night, u.unit_id, u.source_id FROM unit_nights u
          WHERE u.agency_id = %s AND u.unit_id = c.unit_id AND u.night >= c.first AND u.night < c.upto
          LIMIT 2000) AS n
 WHERE c.sign > 0 AND n.source_id <> c.source_id
   AND n.source_id NOT IN (SELECT g.source_id FROM claims g WHERE g.sign < 0)
 ORDER BY n.night, n.unit_id LIMIT 400"""
"""The unit nights that stand in the way; what the same transaction would have given up does not."""

TAKEN_TYPE_NIGHTS = """\
SELECT net.night, net.unit_type_id
  FROM (SELECT c.unit_type_id, c.first + step AS night, sum(c.sign) AS more
          FROM jsonb_to_recordset(%s::jsonb) AS c(
                 sign int, kind text, unit_type_id uuid, first date, nights int),
               generate_series(0, c.nights - 1) AS step
         WHERE c.kind <> 'oversold' GROUP BY 1, 2) AS net
 CROSS JOIN (SELECT %s::uuid AS agency_id) AS me
  LEFT JOIN LATERAL (
         SELECT t.booked + t.held + t.blocked + t.out_of_order + t.buffer + t.allotted AS claimed,
                t.capacity + t.overbooking AS most
           FROM type_nights t
          WHERE t.agency_id = me.agency_id AND t.unit_type_id = net.unit_type_id AND t.night = net.night
          LIMIT 1) AS n ON true
 WHERE net.more > 0
   AND coalesce(n.claimed, 0) + net.more > coalesce(n.most, (
         SELECT t.overbooking FROM unit_types t
          WHERE t.agency_id = me.agency_id AND t.unit_type_id = net.unit_type_id) + coalesce((
         SELECT k.rooms FROM unit_type_capacities k
          WHERE k.agency_id = me.agency_id AND k.unit_type_id = net.unit_type_id AND k.valid_from <= net.night
          ORDER BY k.valid_from DESC LIMIT 1), 0))
 ORDER BY net.night, net.unit_type_id LIMIT 400"""
"""The type nights that are too full. The limits keep look-ups by key: the planner takes a document for large."""
