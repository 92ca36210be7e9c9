"""What happens in a house, and on the platform that sells it, in a month.

Owns the choice of the next thing to happen. What the house refuses is no mistake: somebody tried, and nothing
happened. Leaves the engine between the two to ``channel_world``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from pmscore.booking.model.lifecycle import Act
from pmscore.channels.model.manifest import Lane
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.use_cases.holds import ExpireHold, expire_hold
from pmscore.inventory.use_cases.houses import AdvanceBusinessDate, advance_business_date
from pmscore.kernel.errors import DomainError, NightsTakenError
from pmscore.kernel.ids import BlockId, BookingId, HoldId
from pmscore.restrictions.model.rules import Rule, RuleSlot
from pmscore.restrictions.use_cases import SetRestrictions, set_restrictions
from pmscore.testing.channel_houses import PLANS, ConnectedHouse
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.draws import Chance
from pmscore.testing.price_scenes import repriced

__all__ = ["House", "Sales"]

REACH: Final = 45
"""So many nights ahead things happen."""

_RULES: Final[tuple[tuple[str, tuple[int | None, ...]], ...]] = (
    ("closed_night", (None,)),
    ("closed_to_arrival", (None,)),
    ("closed_to_departure", (None,)),
    ("min_stay_arrival", (2, 3)),
    ("min_stay_through", (2, 3)),
    ("max_stay_arrival", (3, 6)),
)


class House:
    """People at the desk of a house."""

    def __init__(self, channel: ConnectedHouse, chance: Chance) -> None:
        self._scene = channel.scene
        self._chance = chance
        self._bookings: list[BookingId] = []
        self._holds: list[HoldId] = []
        self._blocks: list[BlockId] = []
        self.done: Counter[str] = Counter()

    def act(self) -> None:
        """Let one thing happen."""
        weighted: tuple[tuple[int, tuple[str, Callable[[], bool]]], ...] = (
            (10, ("booked", self._book)),
            (5, ("moved", self._move)),
            (4, ("cancelled", self._cancel)),
            (3, ("held", self._hold)),
            (2, ("released", self._release)),
            (3, ("blocked", self._block)),
            (2, ("lifted", self._lift)),
            (3, ("ruled", self._rule)),
            (2, ("priced", self._price)),
            (1, ("resized", self._resize)),
        )
        name, act = self._chance.weighted(weighted)
        try:
            if act():
                self.done[name] += 1
        except (DomainError, NightsTakenError):
            self.done["refused"] += 1

    def new_day(self) -> None:
        """Close the business day, and let what has expired end."""
        scene = self._scene
        today = scene.house().property.business_date
        command = AdvanceBusinessDate(
            **scene.asked(), property_id=scene.property_id, to=today + timedelta(days=1)
        )
        advance_business_date(command, uow=scene.store)

    def expire_holds(self) -> None:
        """Let the holds end whose time is over."""
        scene, now = self._scene, self._scene.clock.now()
        for hold_id in tuple(self._holds):
            with scene.begin() as work:
                hold = work.holds.get(hold_id)
            if hold.is_expired(now):
                expire_hold(ExpireHold(**scene.asked(), hold_id=hold_id), uow=scene.store, clock=scene.clock)
                self._holds.remove(hold_id)

    def _stay(self) -> StayRange:
        first = self._scene.house().property.business_date
        arrival = first + timedelta(days=self._chance.between(1, REACH))
        return StayRange.of(arrival, self._chance.between(1, 5))

    def _book(self) -> bool:
        request = self._scene.request(self._stay(), unit_type_id=self._chance.one_of(self._scene.type_ids))
        self._bookings.append(self._scene.book(request).booking_id)
        return True

    def _move(self) -> bool:
        if not self._bookings:
            return False
        self._scene.move_stay(self._chance.one_of(self._bookings), self._stay())
        return True

    def _cancel(self) -> bool:
        if not self._bookings:
            return False
        booking_id = self._chance.one_of(self._bookings)
        self._bookings.remove(booking_id)
        self._scene.act(booking_id, Act.CANCEL)
        return True

    def _hold(self) -> bool:
        type_id = self._chance.one_of(self._scene.type_ids)
        minutes = self._chance.between(5, 600)
        self._holds.append(self._scene.hold(self._stay(), minutes=minutes, unit_type_id=type_id).hold_id)
        return True

    def _release(self) -> bool:
        if not self._holds:
            return False
        self._scene.release(self._holds.pop())
        return True

    def _block(self) -> bool:
        nights = DateRange.from_stay(self._stay())
        unit = self._scene.unit(self._chance.below(2), self._chance.below(2))
        self._blocks.append(self._scene.block(unit.unit_id, nights).block_id)
        return True

    def _lift(self) -> bool:
        if not self._blocks:
            return False
        self._scene.lift(self._blocks.pop(self._chance.below(len(self._blocks))))
        return True

    def _rule(self) -> bool:
        kind, values = self._chance.one_of(_RULES)
        nights = DateRange.from_stay(self._stay())
        type_id = self._chance.one_of((None, *self._scene.type_ids))
        plan = self._chance.one_of((None, *PLANS))
        slot = RuleSlot(kind=kind, unit_type_id=type_id, plan=plan, channel=None)
        rules: tuple[Rule, ...] = ()
        if self._chance.happens(70):
            value = self._chance.one_of(values)
            rules = (Rule(kind=kind, nights=nights, value=value, unit_type_id=type_id, plan=plan),)
        command = SetRestrictions(
            **self._scene.asked(),
            property_id=self._scene.property_id,
            nights=nights,
            rules=rules,
            clear=() if rules else (slot,),
        )
        set_restrictions(command, uow=self._scene.store)
        return True

    def _price(self) -> bool:
        repriced(self._scene, night=self._chance.between(80, 140) * 100)
        return True

    def _resize(self) -> bool:
        first = self._chance.between(20, REACH)
        self._scene.set_rooms(self._scene.type_ids[2], self._chance.between(3, 5), first=first)
        return True


class Sales:
    """Guests of a platform, and the platform's own ideas."""

    def __init__(self, channel: ConnectedHouse, platform: RemotePlatform, chance: Chance) -> None:
        self._scene = channel.scene
        self._platform = platform
        self._chance = chance
        self._sells = Lane.BOOKINGS in channel.manifest.lanes
        self._is_blind = not channel.manifest.fields
        self.done: Counter[str] = Counter()

    def act(self) -> bool:
        """Let one thing happen; return whether the platform has something to tell."""
        if not self._sells:
            return False
        today = self._scene.house().property.business_date + timedelta(days=1)
        latest = today + timedelta(days=REACH)
        name = self._chance.weighted(
            ((10, "sold"), (5, "changed"), (4, "cancelled"), (1, "oversold"), (1, "garbled"))
        )
        told = True
        if name == "oversold" or (name == "sold" and self._is_blind):
            self._platform.oversell(today, latest)
        elif name == "garbled":
            self._platform.garble()
        elif name == "sold":
            told = self._platform.sell(today, latest) is not None
        elif name == "changed":
            told = self._platform.change(today, is_blind=self._is_blind) is not None
        else:
            told = self._platform.cancel(today) is not None
        if told:
            self.done[name] += 1
        return told
