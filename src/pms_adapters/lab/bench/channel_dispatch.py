"""P19: events from the log to those who react to them, in batches, beside one forked RQ job an event.

Owns the events and the lines. Both ways end with code having been called for every event, which does nothing:
what is timed is the way there. Ours has more on it: the seal, the inbox that lets each event have one effect,
and the feed. One process does all of ours, step after step, so nothing of it runs beside the rest.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
from attrs import define, field, frozen

from pms_adapters.lab.bench.floors import rq_one_event
from pms_adapters.lab.bench.grounds import Database, Grounds
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.postgres.events import StoredEvent
from pms_adapters.settings import Settings
from pms_adapters.worker.processes import work_off
from pms_adapters.worker.registry import Reaction, Registered
from pms_adapters.worker.runtime import Runtime, open_runtime
from pms_adapters.worker.services import ReactionServices

__all__ = ["measure_dispatch"]

_FLOOR_SECONDS = 120.0
_AGENCY = "INSERT INTO agencies (agency_id, name, slug) VALUES (%s, 'Bench', %s)"
_EVENTS = """\
INSERT INTO events (agency_id, event_id, kind, aggregate, aggregate_id, version, at, actor_id, request_id, payload)
SELECT %s, gen_random_uuid(), 'bench.happened', 'bench', gen_random_uuid(), 1, now(), %s, %s,
       jsonb_build_object('property_id', gen_random_uuid(), 'guest_id', gen_random_uuid(), 'status', 'confirmed',
                          'channel', 'direct', 'rooms', jsonb_build_array(jsonb_build_object(
                            'room_id', gen_random_uuid(), 'arrival', '2030-01-01', 'departure', '2030-01-04')))
  FROM generate_series(1, %s)"""
_DUE = "INSERT INTO work_due (agency_id, kind) VALUES (%s, 'events')"


def measure_dispatch(grounds: Grounds) -> Iterator[Measurement]:
    """Yield P19: events a second until all were reacted to, and until all were handed over.

    Raises:
        RuntimeError: an event was not reacted to, or twice.
    """
    database = grounds.empty("dispatch")
    found: list[_Took] = []
    floor: list[float] = []
    heard = _Heard()
    reaction = Reaction(name="bench.hear", kinds=("bench.*",), react=heard.hear)
    settings = Settings(database_url=database.url, redis_url=grounds.redis_url())
    with open_runtime(settings, registered=Registered({reaction.name: reaction})) as runtime:
        for number in range(grounds.rounds + 1):
            grounds.progress(f"P19: round {number} of {grounds.rounds}")
            least = grounds.scale.jobs / _floor_seconds(grounds.redis_url(), grounds.scale.jobs)
            took = _carried(database, runtime, heard, grounds.scale.events)
            if number:
                floor.append(least)
                found.append(took)
    events = grounds.scale.events
    yield compared(
        "P19",
        "events a second from the log to their reactions, in batches, against a forked RQ job an event",
        [events / (each.handing + each.reacting) for each in found],
        floor,
        must=Limit(10.0),
        aim=Limit(50.0),
    )
    yield compared(
        "P19",
        "of these the relay alone: sealed, noted, on the queue and in the feed, events a second",
        [events / each.handing for each in found],
        floor,
    )


@frozen
class _Took:
    """The seconds in which the relay handed events over, and those in which they were reacted to."""

    handing: float
    reacting: float


@define
class _Heard:
    """Which events a reaction has heard of."""

    events: list[UUID] = field(factory=list)

    def hear(self, event: StoredEvent, _: ReactionServices) -> None:
        self.events.append(event.event_id)


def _carried(database: Database, runtime: Runtime, heard: _Heard, count: int) -> _Took:
    agency_id = uuid4()
    with psycopg.connect(database.admin_url) as connection:
        connection.execute(_AGENCY, (agency_id, agency_id.hex))
        connection.execute(_EVENTS, (agency_id, uuid4(), uuid4(), count))
        connection.execute(_DUE, (agency_id,))
    heard.events.clear()
    started = time.perf_counter()
    while len(runtime.queue) * runtime.relay.limits.events_a_job < count:
        runtime.relay.round()
    handed = time.perf_counter()
    work_off(runtime)
    ended = time.perf_counter()
    if len(heard.events) != count or len(set(heard.events)) != count:
        raise RuntimeError(f"{count} events were reacted to {len(heard.events)} times")
    runtime.relay.stop()
    return _Took(handed - started, ended - handed)


def _floor_seconds(url: str, events: int) -> float:
    script = (sys.executable, rq_one_event.__file__ or "", url, str(events))
    done = subprocess.run(script, capture_output=True, timeout=_FLOOR_SECONDS, check=True)
    return float(done.stdout)
