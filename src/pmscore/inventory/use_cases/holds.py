"""Placing and releasing holds.

Each reads the house, claims or frees the hold's nights, and records what happened, in one transaction.
"""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.inventory.model.holds import Hold, HoldStatus
from pmscore.inventory.model.house import Unit, UnitType
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import ExpiredHolds, InventoryWork, change_stock, claiming
from pmscore.inventory.views import hold_from_reply, hold_reply
from pmscore.kernel.errors import InvalidInputError, StaleVersionError, TransitionError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import HoldId, PropertyId, UnitId, UnitTypeId
from pmscore.kernel.once import commit_once, made_or_repeated
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = ["ExpireHold", "PlaceHold", "ReleaseHold", "expire_hold", "place_hold", "release_hold"]


@frozen(kw_only=True)
class PlaceHold(Command):
    """Keep one room for somebody until ``expires_at``; a type, a unit, or both may be named."""

    property_id: PropertyId
    stay: StayRange
    expires_at: datetime
    unit_type_id: UnitTypeId | None = None
    unit_id: UnitId | None = None


@frozen(kw_only=True)
class ReleaseHold(Command):
    """Give up a hold before its time; ``expected_version`` refuses to give up what was not seen."""

    hold_id: HoldId
    expected_version: int | None = None


@frozen(kw_only=True)
class ExpireHold(Command):
    """Let a hold end whose time is over, without waiting for somebody who wants its nights."""

    hold_id: HoldId


def place_hold(command: PlaceHold, *, uow: UnitOfWork[InventoryWork], clock: Clock, ids: IdSource) -> Hold:
    """Claim the nights for the hold; a conflict with expired holds releases them first.

    A repetition under the same key returns the hold as it was placed.

    Raises:
        NotFoundError: no such property, type or unit in this agency.
        InvalidInputError: the expiry is past or too far ahead, or the unit is not of the type.
        NightsTakenError: the nights are not free.
        KeyReusedError: the idempotency key belongs to another request.
    """
    now = clock.now()
    hold_id = HoldId(ids.new())

    def attempt(expired: ExpiredHolds) -> Hold:
        with uow.begin(command) as work:
            house = work.houses.get(command.property_id)
            unit_type = house.type_of(command.unit_type_id, command.unit_id)
            if command.unit_id is not None:
                _refuse_other_type(house.unit(command.unit_id), unit_type)
            hold = Hold(
                hold_id=hold_id,
                property_id=command.property_id,
                unit_type_id=unit_type.unit_type_id,
                unit_id=command.unit_id,
                stay=command.stay,
                turnover_nights=unit_type.turnover_nights,
                expires_at=command.expires_at,
            )
            decision = hold.placed(now)
            work.holds.add(hold)
            work.record(*decision.events)
            change = StockChange.claiming(*hold.claims())
            change_stock(work, change, now=now, expired=expired)
            return commit_once(work, command, hold, hold_reply, hold_from_reply)

    return made_or_repeated(command, uow, lambda: claiming(attempt), hold_from_reply)


def release_hold(command: ReleaseHold, *, uow: UnitOfWork[InventoryWork]) -> Hold:
    """Free the hold's nights at once.

    Raises:
        NotFoundError: no such hold in this agency.
        StaleVersionError: it is of another version by now.
        TransitionError: it was taken up, released or has expired before.
    """
    with uow.begin(command) as work:
        hold = work.holds.get(command.hold_id)
        if command.expected_version not in {None, hold.version}:
            raise StaleVersionError(hold_id=str(command.hold_id))
        decision = hold.ended(HoldStatus.RELEASED)
        work.holds.save(decision.state)
        work.record(*decision.events)
        work.stock.change(StockChange.releasing(*hold.claims()))
        work.commit()
        return decision.state


def expire_hold(command: ExpireHold, *, uow: UnitOfWork[InventoryWork], clock: Clock) -> Hold:
    """Free the nights of a hold whose time is over, and record that it expired.

    Raises:
        NotFoundError: no such hold in this agency.
        TransitionError: its time is not over, or it has ended before.
    """
    with uow.begin(command) as work:
        hold = work.holds.get(command.hold_id)
        decision = hold.ended(HoldStatus.EXPIRED)
        if not hold.is_expired(clock.now()):
            raise TransitionError("expire", hold.status.value, "hold_is_running")
        work.holds.save(decision.state)
        work.record(*decision.events)
        work.stock.change(StockChange.releasing(*hold.claims()))
        work.commit()
        return decision.state


def _refuse_other_type(unit: Unit, unit_type: UnitType) -> None:
    if unit.unit_type_id != unit_type.unit_type_id:
        raise InvalidInputError("unit_id", "of_another_type")
