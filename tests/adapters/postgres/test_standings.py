"""How what an agency claims is read: by a plan that serves where the statistics do not know the agency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import pytest

from pms_adapters.lab.bench.house import House, seed
from pms_adapters.postgres.engine import open_engine
from pms_adapters.postgres.session import Row, Session, Statement
from pms_adapters.postgres.standings import read_standings
from pmscore.kernel.ids import AgencyId

pytestmark = pytest.mark.postgres

NEWCOMER = AgencyId(UUID(int=77))
SINCE = date(2029, 1, 1)


class Explaining(Session):
    """Tells how the statement about rooms would be answered; where ``has_loops``, what is set before it is left out."""

    has_loops = False

    def run(self, statements: Sequence[Statement]) -> list[list[Row]]:
        return super().run([self._asked(*each) for each in statements])

    def _asked(self, sql: str, values: Sequence[object]) -> Statement:
        if "set_config" in sql and self.has_loops:
            return "SELECT 1", ()
        return (f"EXPLAIN {sql}", values) if "booking_rooms" in sql else (sql, values)


@pytest.mark.parametrize("has_loops", [False, True])
def test_an_agency_that_the_statistics_do_not_know_is_not_read_in_loops(fresh_postgres_database, has_loops):
    # All that was analysed is another agency's, as after the first import of a new one. Its bookings would be looked
    # through once for each of its rooms: a minute for five thousand of them.
    seed(fresh_postgres_database.admin_url, House(40, 4), 2_000)
    engine = open_engine(fresh_postgres_database.app_url, size=1)
    with Explaining(engine, NEWCOMER, of_snapshot=True) as session:
        session.has_loops = has_loops
        plan = read_standings(session, SINCE, most=10).rooms
        session.abandon()
        (after,) = session.read([("SHOW enable_nestloop", ())])
    engine.dispose()
    assert ("Nested Loop" in "\n".join(str(row[0]) for row in plan)) is has_loops, plan
    assert after == [("on",)]
