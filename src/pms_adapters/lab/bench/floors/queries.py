"""Floors of P6 and P10: the best SQL that was found for the question, over the product's own tables.

Sent by pgbench, so no client of ours is part of it. What was tried and lost is listed in the project's pages
on performance.
"""

from __future__ import annotations

__all__ = ["CALENDAR", "FREE_ROOMS", "NAME_AGENCY"]

NAME_AGENCY = "SELECT set_config('app.agency_id', '{agency}', true)"

# Which units are free: those that are not among the occupied. One pass over a window of an index, hashed.
FREE_ROOMS = """\
SELECT u.unit_type_id, u.unit_id FROM units u
 WHERE u.agency_id = '{agency}' AND u.unit_id NOT IN (
         SELECT n.unit_id FROM unit_nights n
          WHERE n.agency_id = '{agency}' AND n.night >= {first} AND n.night < {end})"""

# Counts by type, night and kind as arrays, a row a type; kinds hold their own nights where they have any.
CALENDAR = """\
SELECT unit_type_id, array_agg(capacity), array_agg(booked),
       array_agg(held) FILTER (WHERE held > 0), array_agg(night) FILTER (WHERE held > 0),
       array_agg(blocked) FILTER (WHERE blocked > 0), array_agg(night) FILTER (WHERE blocked > 0),
       array_agg(out_of_order) FILTER (WHERE out_of_order > 0), array_agg(night) FILTER (WHERE out_of_order > 0),
       array_agg(buffer) FILTER (WHERE buffer > 0), array_agg(night) FILTER (WHERE buffer > 0)
  FROM (SELECT * FROM type_nights
         WHERE agency_id = '{agency}' AND unit_type_id = ANY ('{{{types}}}'::uuid[])
           AND night >= {first} AND night < {end}
         ORDER BY unit_type_id, night) AS counted
 GROUP BY unit_type_id"""
