"""A month of a house and a platform with the engine between them, in simulated time.

Owns the loop: events are noted, what is due is queued, the queue loses some, workers die, and the clock jumps
to whatever comes next. Leaves what happens to ``channel_life``, what goes wrong to ``channel_hostility``, and
whether both sides agree in the end to ``channel_judging``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from attrs import frozen

from pmscore.channels.model.calls import Knock
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.ports import ChannelGateway, ChannelWork
from pmscore.channels.reactions.noting import is_noted
from pmscore.channels.use_cases.sweeping import TakeDue, roll_days, take_due
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ports import UnitOfWork
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_gateways import DirectGateway
from pmscore.testing.channel_hostility import CrashedError, Hostility
from pmscore.testing.channel_houses import connected, open_house, remote_rooms
from pmscore.testing.channel_life import House, Sales
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.clocks import MovableClock
from pmscore.testing.draws import Draws
from pmscore.testing.journal import Position
from pmscore.testing.subject import StoreUnderTest

__all__ = ["MakesGateway", "World", "WorldReport"]

MakesGateway: TypeAlias = "Callable[[Manifest, RemotePlatform, Hostility, MovableClock], ChannelGateway]"

DAYS: Final = 30
LOOK: Final = timedelta(hours=6)
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_MOST_TURNS: Final = 4_000


@frozen(kw_only=True)
class WorldReport:
    """What a run had to bear."""

    bookings: int
    changes: int
    cancellations: int
    duplicates: int
    faults: int
    outages: int
    calls: int
    told: int
    runs: int
    exceeded: int
    breaches: tuple[str, ...]


class _Mortal(UnitOfWork[ChannelWork]):
    """Transactions of a worker that may be killed before one begins, or right after it has ended."""

    def __init__(self, store: StoreUnderTest, strikes: Callable[[str], None]) -> None:
        self._store = store
        self._strikes = strikes

    def begin(self, command: Command) -> AbstractContextManager[ChannelWork]:
        """Open a transaction."""
        return self._begun(command)

    @contextmanager
    def _begun(self, command: Command) -> Generator[ChannelWork]:
        self._strikes("beginning")
        with self._store.begin(command) as work:
            yield work
        self._strikes("ended")


class World:
    """One connection through one month; the same seed is the same month, to the last byte of :attr:`journal`.

    ``sweeps`` False leaves out what finds forgotten work; then a queue that drops a job is found out.
    """

    def __init__(
        self,
        store: StoreUnderTest,
        manifest: Manifest,
        seed: int,
        *,
        dial: int = 100,
        makes: MakesGateway = DirectGateway,
        connection: Mapping[str, Json] | None = None,
        credentials: Mapping[str, str] | None = None,
        partner: Mapping[str, Secret] | None = None,
        sweeps: bool = True,
        days: int = DAYS,
        clock: MovableClock | None = None,
    ) -> None:
        self.hostility = Hostility(dial, Draws(seed * 8 + 1))
        self.journal: list[str] = []
        self._chance = Draws(seed * 8 + 2)
        self._sweeps = sweeps
        self._store = store
        self._scene = open_house(store, f"{manifest.gateway}/{seed}", clock)
        clock = self._scene.clock
        self.platform = RemotePlatform(
            clock=clock,
            chance=Draws(seed * 8 + 3),
            rooms=remote_rooms(manifest),
            currency="EUR",
            groups=manifest.calls,
            name=f"w{seed}",
        )
        self.platform.counts_itself = seed % 2 == 1
        self.gateway = makes(manifest, self.platform, self.hostility, clock)
        self.channel = connected(
            store,
            self._scene,
            self.gateway,
            uow=_Mortal(store, self._strike),
            settings=connection,
            credentials=credentials,
            partner=partner,
        )
        self.house = House(self.channel, Draws(seed * 8 + 4))
        self.sales = Sales(self.channel, self.platform, Draws(seed * 8 + 5))
        # Where the platform tells nothing, the house has the more to do.
        self._busy = 960 if Lane.BOOKINGS in manifest.lanes else 420
        self._is_working = False
        self._runs = 0
        self._position: Position = (0, 0)
        now = clock.now()
        self._ends_at = now + days * _DAY
        self._next = {
            "house": now + _HOUR,
            "sales": now + 2 * _HOUR,
            "look": now + LOOK,
            "day": now + 15 * _HOUR,
        }
        if dial:
            self.hostility.plan_outage(now + self._chance.between(4, 20) * _DAY, 3 * _HOUR)

    def live(self) -> None:
        """Let the month pass."""
        clock = self._scene.clock
        while clock.now() < self._ends_at:
            self._happen()
            self._work()
            clock.move_to(max(clock.now(), min((*self._next.values(), *self._lanes_next()))))

    def settle(self) -> None:
        """Let all be quiet: nothing happens any more, nothing goes wrong, and everything is worked off."""
        self.hostility.dial = 0
        self.hostility.outages.clear()
        self.house.expire_holds()
        for _ in range(2):
            roll_days(
                self._scene.command(),
                uow=self._store,
                clock=self._scene.clock,
                ids=self._scene.ids,
                means=self.channel.means,
            )
            self._work_off()

    def _work_off(self) -> None:
        clock = self._scene.clock
        for _ in range(_MOST_TURNS):
            self._work()
            if self._is_quiet():
                return
            upcoming = self._lanes_next()
            if not upcoming:
                return
            clock.move_to(max(clock.now(), min(upcoming)))

    def report(self) -> WorldReport:
        """Return what the run had to bear."""
        faults = self.hostility.faults
        return WorldReport(
            bookings=self.house.done["booked"] + self.sales.done["sold"] + self.sales.done["oversold"],
            changes=self.house.done["moved"] + self.sales.done["changed"],
            cancellations=self.house.done["cancelled"] + self.sales.done["cancelled"],
            duplicates=faults["doubled"],
            faults=sum(faults.values()) - faults["doubled"],
            outages=faults["outages"],
            calls=sum(self.platform.calls.total.values()),
            told=self.platform.told,
            runs=self._runs,
            exceeded=self.platform.calls.exceeded,
            breaches=tuple(self.gateway.breaches) if isinstance(self.gateway, DirectGateway) else (),
        )

    def _happen(self) -> None:
        """Let happen what is due: one thing in the house, one on the platform, a look, a day."""
        now = self._scene.clock.now()
        if self._next["house"] <= now:
            self._next["house"] = now + self._chance.between(60, self._busy) * _MINUTE
            self.house.act()
        if self._next["sales"] <= now:
            self._next["sales"] = now + self._chance.between(120, 960) * _MINUTE
            if self.sales.act() and self.channel.manifest.hears:
                self._knock()
        if self._next["day"] <= now:
            self._next["day"] = now + _DAY
            self.house.new_day()
        if self._next["look"] <= now:
            self._next["look"] = now + LOOK
            self.house.expire_holds()
            command, means = self._scene.command(), self.channel.means
            roll_days(command, uow=self._store, clock=self._scene.clock, ids=self._scene.ids, means=means)

    def _knock(self) -> None:
        if self.hostility.drops_job():
            return
        knock = Knock({}, f"knock {len(self.platform.history)}".encode(), self._scene.clock.now())
        with self._scene.begin() as work:
            work.knocks.add(self.channel.connection_id, knock)
            work.commit()

    def _work(self) -> None:
        """Note what has happened, ask for what is due, and run what the queue has not lost."""
        has_news = self.note()
        if not (has_news or self._sweeps):
            return
        command = TakeDue(**self._scene.asked())
        lanes = {lane_id: lane for lane, lane_id in self.channel.lanes.items()}
        for state in take_due(command, uow=self._store, clock=self._scene.clock):
            if self.hostility.drops_job():
                continue
            self.run(lanes[state.lane_id])

    def overtake(self, lane: Lane) -> None:
        """Let the lease of a lane run out, something happen, and another worker run the lane; for workers that pause."""
        self._scene.clock.advance(self.channel.means.lease + _MINUTE)
        self.house.act()
        self.note()
        was_working, self._is_working = self._is_working, False
        self.channel.run(lane)
        self._is_working = was_working

    def note(self) -> bool:
        """Give the engine what has happened, some of it twice; return whether that made something dirty."""
        rows = 0
        for event in self._store.events_after(self._position, self._scene.agency_id):
            self._position = event.position
            if not is_noted(event.kind):
                continue
            rows += self.channel.note(event)
            if self.hostility.doubles():
                self.channel.note(event)
        return rows > 0

    def run(self, lane: Lane) -> None:
        """Let a worker run a lane; it may die at it."""
        self._runs += 1
        self._is_working = True
        try:
            report = self.channel.run(lane)
        except CrashedError:
            told = "killed"
        else:
            told = "idle" if report.end is None else f"{report.end.outcome.kind.value} {report.end.details}"
        finally:
            self._is_working = False
        self.journal.append(f"{self._scene.clock.now().isoformat()} {lane.value} {told}")

    def _strike(self, step: str) -> None:
        if self._is_working and self.hostility.crashes(step):
            raise CrashedError(step)

    def _lanes_next(self) -> tuple[datetime, ...]:
        if not self._sweeps:
            return ()
        with self._scene.begin() as work:
            found = work.lanes.next_at(self._scene.clock.now())
        return () if found is None else (found,)

    def _is_quiet(self) -> bool:
        """Return whether there is nothing to note, nothing dirty, and nothing that the platform still has to tell."""
        if self._store.events_after(self._position, self._scene.agency_id):
            return False
        if any(self.channel.dirt(lane) for lane in self.channel.lanes):
            return False
        return Lane.BOOKINGS not in self.channel.lanes or self.platform.is_all_known
