"""Keeping rooms for a channel: making, changing and ending an allotment, and releasing what nobody has sold.

Owns these, and how sales of a channel move what is kept for it. Leaves which sales those are to the channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from attrs import evolve, frozen

from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import AllotmentWork, ExpiredHolds, change_stock, claiming
from pmscore.inventory.views import allotment_from_reply, allotment_reply
from pmscore.kernel.errors import InvalidInputError, StaleVersionError
from pmscore.kernel.events import Command, Decision
from pmscore.kernel.ids import AllotmentId, PropertyId, UnitTypeId
from pmscore.kernel.once import commit_once, made_or_repeated
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = [
    "ChangeAllotment",
    "EndAllotment",
    "MakeAllotment",
    "ReleaseAllotments",
    "Sale",
    "change_allotment",
    "end_allotment",
    "make_allotment",
    "move_allotments",
    "release_allotments",
]


@frozen(kw_only=True)
class MakeAllotment(Command):
    """Keep rooms of a type for a channel, or limit how many it may sell; see :class:`Allotment` for the fields."""

    property_id: PropertyId
    unit_type_id: UnitTypeId
    channel: str
    nights: DateRange
    guaranteed: int = 0
    cap: int | None = None
    release_days: int | None = None
    release_on: date | None = None


@frozen(kw_only=True)
class ChangeAllotment(Command):
    """Put other terms in place of those of an allotment; what was sold and released stays so."""

    allotment_id: AllotmentId
    nights: DateRange
    guaranteed: int = 0
    cap: int | None = None
    release_days: int | None = None
    release_on: date | None = None
    expected_version: int | None = None


@frozen(kw_only=True)
class EndAllotment(Command):
    """Give what is still kept back to the house."""

    allotment_id: AllotmentId
    expected_version: int | None = None


@frozen(kw_only=True)
class ReleaseAllotments(Command):
    """Release the nights of a property that the rules of its allotments release by now."""

    property_id: PropertyId


@frozen
class Sale:
    """Rooms of a type that a channel has sold on these nights; given back where ``rooms`` is below zero."""

    unit_type_id: UnitTypeId
    nights: DateRange
    rooms: int = 1


def make_allotment(
    command: MakeAllotment, *, uow: UnitOfWork[AllotmentWork], clock: Clock, ids: IdSource
) -> Allotment:
    """Claim the rooms that are guaranteed; nights that the rules release already are not claimed.

    A repetition under the same key returns the allotment as it was made.

    Raises:
        NotFoundError: no such property or type in this agency.
        InvalidInputError: the terms contradict each other or are out of range, or another allotment overlaps.
        NightsTakenError: on some night there are not so many rooms free.
        KeyReusedError: the idempotency key belongs to another request.
    """
    now = clock.now()
    allotment_id = AllotmentId(ids.new())

    def attempt(expired: ExpiredHolds) -> Allotment:
        with uow.begin(command) as work:
            # Locked, so that no two of the same nights are made at once.
            house = work.houses.lock(command.property_id)
            unit_type = house.type_of(command.unit_type_id)
            allotment = Allotment(
                allotment_id=allotment_id,
                property_id=command.property_id,
                unit_type_id=unit_type.unit_type_id,
                channel=command.channel,
                nights=command.nights,
                guaranteed=command.guaranteed,
                cap=command.cap,
                release_days=command.release_days,
                release_on=command.release_on,
            )
            _refuse_overlap(work, allotment)
            today = local_date(now, house.property.zone)
            released = allotment.released(today).state.released_until
            allotment = evolve(allotment, released_until=released)
            work.allotments.add(allotment)
            work.record(*allotment.made().events)
            change_stock(work, StockChange.claiming(*allotment.claims()), now=now, expired=expired)
            return commit_once(work, command, allotment, allotment_reply, allotment_from_reply)

    return made_or_repeated(command, uow, lambda: claiming(attempt), allotment_from_reply)


def change_allotment(command: ChangeAllotment, *, uow: UnitOfWork[AllotmentWork], clock: Clock) -> Allotment:
    """Move the claims of an allotment to those of its new terms, in one step.

    Raises:
        NotFoundError: no such allotment in this agency.
        InvalidInputError: the terms contradict each other or are out of range, or another allotment overlaps.
        StaleVersionError: it is of another version.
        NightsTakenError: on some night there are not so many rooms free; nothing was changed.
    """
    now = clock.now()

    def attempt(expired: ExpiredHolds) -> Allotment:
        with uow.begin(command) as work:
            before = _expected(work.allotments.get(command.allotment_id), command.expected_version)
            wanted = evolve(
                before,
                nights=command.nights,
                sold=(),
                guaranteed=command.guaranteed,
                cap=command.cap,
                release_days=command.release_days,
                release_on=command.release_on,
            )
            today = local_date(now, work.houses.lock(before.property_id).property.zone)
            decision = before.changed(wanted)
            _refuse_overlap(work, decision.state)
            released = decision.state.released(today).state.released_until
            after = evolve(decision.state, released_until=released)
            work.allotments.save(after)
            work.record(*decision.events)
            change_stock(work, StockChange(before.claims(), after.claims()), now=now, expired=expired)
            work.commit()
            return after

    return claiming(attempt)


def end_allotment(command: EndAllotment, *, uow: UnitOfWork[AllotmentWork]) -> None:
    """Remove an allotment; what its channel has sold stays sold.

    Raises:
        NotFoundError: no such allotment in this agency, or it has ended before.
        StaleVersionError: it is of another version.
    """
    with uow.begin(command) as work:
        allotment = _expected(work.allotments.get(command.allotment_id), command.expected_version)
        work.allotments.remove(allotment)
        work.record(*allotment.ended().events)
        work.stock.change(StockChange.releasing(*allotment.claims()))
        work.commit()


def release_allotments(command: ReleaseAllotments, *, uow: UnitOfWork[AllotmentWork], clock: Clock) -> int:
    """Release nights, each allotment in a transaction of its own; return of how many some were released.

    Raises:
        NotFoundError: no such property in this agency.
    """
    with uow.begin(command) as work:
        today = local_date(clock.now(), work.houses.get(command.property_id).property.zone)
        waiting = [
            each.allotment_id
            for each in work.allotments.of(command.property_id)
            if each.released(today).events
        ]
    for allotment_id in waiting:
        with uow.begin(command) as work:
            before = work.allotments.get(allotment_id)
            _put(work, before, before.released(today))
            work.commit()
    return len(waiting)


def move_allotments(
    work: AllotmentWork, property_id: PropertyId, channel: str, sales: Iterable[Sale]
) -> tuple[Allotment, ...]:
    """Let sales of a channel, at the commit of ``work``, move what is kept for it; return the allotments that changed.

    In the transaction in which the sales claim their rooms, and after these were handed to the ledger: both
    are judged as one change, so that a room that is kept becomes one that is sold, and no night has a claim
    more than before.
    """
    moves = tuple(sales)
    changed: list[Allotment] = []
    for before in work.allotments.locked_of(property_id, channel):
        counts = dict(zip(before.nights.nights(), before.sold, strict=True))
        for sale in moves:
            shared = sale.nights.intersection(before.nights)
            if sale.unit_type_id == before.unit_type_id and shared is not None:
                counts.update({night: max(counts[night] + sale.rooms, 0) for night in shared.nights()})
        decision = before.recounted(counts)
        if decision.events:
            _put(work, before, decision)
            changed.append(decision.state)
    return tuple(changed)


def _refuse_overlap(work: AllotmentWork, allotment: Allotment) -> None:
    """Go on only if no other allotment keeps rooms of the type for the channel on one of the nights.

    Raises:
        InvalidInputError: one does; a sale would be taken off both.
    """
    for other in work.allotments.of(allotment.property_id, allotment.channel):
        if (
            other.allotment_id != allotment.allotment_id
            and other.unit_type_id == allotment.unit_type_id
            and other.nights.overlaps(allotment.nights)
        ):
            raise InvalidInputError("nights", "allotment_overlaps", allotment_id=str(other.allotment_id))


def _put(work: AllotmentWork, before: Allotment, decision: Decision[Allotment]) -> None:
    if decision.events:
        work.allotments.save(decision.state)
        work.record(*decision.events)
        work.stock.change(StockChange(before.claims(), decision.state.claims()))


def _expected(allotment: Allotment, version: int | None) -> Allotment:
    if version not in {None, allotment.version}:
        raise StaleVersionError(allotment_id=str(allotment.allotment_id))
    return allotment
