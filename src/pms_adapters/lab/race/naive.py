"""A store that asks before it writes, and lets the database guard nothing: the planted fault that a race must find.

Owns the same contests on a table without any key. Two who ask at the same moment both hear that the room is free.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
from attrs import frozen

from pms_adapters.lab.race.contests import TYPES, Contest, Wish
from pmscore.kernel.errors import MisuseError, NightsTakenError

__all__ = ["NaiveStore", "prepare_naive"]

_MAKE: LiteralString = """\
CREATE TABLE IF NOT EXISTS naive_claims (source_id uuid, unit_type text, unit int, night int)"""
_TAKEN: LiteralString = """\
SELECT count(*) FROM naive_claims
 WHERE unit_type = %s AND night = %s AND (%s::int IS NULL OR unit = %s)"""
_TAKE: LiteralString = """\
INSERT INTO naive_claims (source_id, unit_type, unit, night) VALUES (%s, %s, %s, %s)"""
_DOUBLE: LiteralString = """\
SELECT (SELECT count(*) FROM (SELECT FROM naive_claims WHERE unit IS NOT NULL
                               GROUP BY unit_type, unit, night HAVING count(*) > 1) AS doubled)
     + (SELECT count(*) FROM (SELECT unit_type, count(*) AS claimed FROM naive_claims
                               GROUP BY unit_type, night) AS found
          JOIN unnest(%s::text[], %s::int[]) AS t(unit_type, rooms) USING (unit_type)
         WHERE claimed > rooms)"""


@frozen(kw_only=True)
class NaiveStore:
    """Claims in one table, by a database whose role may make tables. Every attempt opens a connection of its own."""

    url: str
    rooms: dict[str, int]

    def attempt(
        self, connection: psycopg.Connection[tuple[object, ...]], contest: Contest, contestant: int
    ) -> None:
        """Look whether every wish is free, then write.

        Raises:
            NightsTakenError: something was found taken.
        """
        source_id = uuid4()
        wishes = contest.wishes_of(contestant)
        with connection.transaction():
            for wish in wishes:
                self._refuse_taken(connection, wish)
            for wish in wishes:
                self._take(connection, source_id, wish)

    def double_bookings(self) -> int:
        """Return on how many nights a unit or a type has more claims than rooms."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(_DOUBLE, (list(self.rooms), list(self.rooms.values()))).fetchone()
        if row is None or not isinstance(row[0], int):
            raise MisuseError(expected="a number")
        return row[0]

    def _refuse_taken(self, connection: psycopg.Connection[tuple[object, ...]], wish: Wish) -> None:
        most = self.rooms[wish.unit_type] if wish.unit is None else 1
        for night in _nights(wish):
            row = connection.execute(_TAKEN, (wish.unit_type, night, wish.unit, wish.unit)).fetchone()
            if row is None or not isinstance(row[0], int) or row[0] >= most:
                raise NightsTakenError

    @staticmethod
    def _take(connection: psycopg.Connection[tuple[object, ...]], source_id: UUID, wish: Wish) -> None:
        for night in _nights(wish):
            connection.execute(_TAKE, (source_id, wish.unit_type, wish.unit, night))


def prepare_naive(url: str, contestants: int) -> NaiveStore:
    """Make the table in the database at ``url``."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_MAKE)
    rooms = {each.name: contestants + 1 if each.rooms is None else each.rooms for each in TYPES}
    return NaiveStore(url=url, rooms=rooms)


def _nights(wish: Wish) -> Iterable[int]:
    return range(wish.first, wish.first + wish.nights)
