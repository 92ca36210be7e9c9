"""Blocks that stand for what a platform keeps from sale: made, moved and lifted together with what remembers them.

Owns a block's way from the old nights to the new ones in one step. Leaves which nights those are to ``applying``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from attrs import frozen

from pmscore.channels.ports import ChannelWork
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.blocks import Block, BlockKind
from pmscore.inventory.model.house import Unit
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import ExpiredHolds, change_stock, claiming
from pmscore.kernel.errors import NightsTakenError, NotFoundError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BlockId, PropertyId
from pmscore.kernel.ports import UnitOfWork

__all__ = ["Blocking", "blocked", "lifted"]


@frozen(kw_only=True)
class Blocking:
    """What a block is made or moved with; ``old`` go, and ``stage`` writes what is remembered of it.

    ``stage`` gets the id of the block that was made, None where none was.
    """

    command: Command
    uow: UnitOfWork[ChannelWork]
    now: datetime
    block_id: BlockId
    property_id: PropertyId
    note: str
    old: tuple[BlockId, ...]
    stage: Callable[[ChannelWork, BlockId | None], None]


def blocked(blocking: Blocking, wanted: tuple[Unit, DateRange] | None) -> BlockId | None:
    """Keep a unit from sale, or only lift what was there; None where none is wanted or its nights are taken."""
    if wanted is None:
        return _moved(blocking, None, ExpiredHolds.LEAVE)
    try:
        return claiming(partial(_moved, blocking, wanted))
    except NightsTakenError:
        return _moved(blocking, None, ExpiredHolds.LEAVE)


def lifted(work: ChannelWork, block_ids: Sequence[BlockId]) -> StockChange:
    """Lift blocks in this transaction and return the claims that they give up; those lifted by hand are passed over."""
    change = StockChange((), ())
    for block in _standing(work, block_ids):
        work.blocks.remove(block)
        work.record(*block.lifted().events)
        change += StockChange.releasing(*block.claims())
    return change


def _moved(
    blocking: Blocking, wanted: tuple[Unit, DateRange] | None, expired: ExpiredHolds
) -> BlockId | None:
    with blocking.uow.begin(blocking.command) as work:
        blocking.stage(work, None if wanted is None else blocking.block_id)
        change = lifted(work, blocking.old)
        if wanted is not None:
            unit, nights = wanted
            block = Block(
                block_id=blocking.block_id,
                property_id=blocking.property_id,
                unit_id=unit.unit_id,
                unit_type_id=unit.unit_type_id,
                nights=nights,
                kind=BlockKind.MANUAL,
                note=blocking.note,
            )
            work.blocks.add(block)
            work.record(*block.made().events)
            change += StockChange.claiming(*block.claims())
        if change:
            change_stock(work, change, now=blocking.now, expired=expired)
        work.commit()
    return None if wanted is None else blocking.block_id


def _standing(work: ChannelWork, block_ids: Sequence[BlockId]) -> Iterator[Block]:
    for block_id in block_ids:
        try:
            yield work.blocks.get(block_id)
        except NotFoundError:
            continue
