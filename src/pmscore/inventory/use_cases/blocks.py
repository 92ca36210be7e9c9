"""Blocking a unit and lifting the block."""

from __future__ import annotations

from attrs import frozen

from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.blocks import Block, BlockKind
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import ExpiredHolds, InventoryWork, change_stock, claiming
from pmscore.inventory.views import block_from_reply, block_reply
from pmscore.kernel.errors import StaleVersionError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BlockId, PropertyId, UnitId
from pmscore.kernel.once import commit_once, made_or_repeated
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = ["BlockUnit", "LiftBlock", "block_unit", "lift_block"]


@frozen(kw_only=True)
class BlockUnit(Command):
    """Keep a unit from sale on each night of a range."""

    property_id: PropertyId
    unit_id: UnitId
    nights: DateRange
    kind: BlockKind = BlockKind.MANUAL
    note: str = ""


@frozen(kw_only=True)
class LiftBlock(Command):
    """Put the nights of a block back on sale; ``expected_version`` refuses to lift what was not seen."""

    block_id: BlockId
    expected_version: int | None = None


def block_unit(command: BlockUnit, *, uow: UnitOfWork[InventoryWork], clock: Clock, ids: IdSource) -> Block:
    """Claim the unit's nights for a block; a repetition under the same key returns the block as it was made.

    Raises:
        NotFoundError: no such property or unit in this agency.
        InvalidInputError: the range or the note is too long.
        NightsTakenError: something else has the unit on one of the nights.
        KeyReusedError: the idempotency key belongs to another request.
    """
    now = clock.now()
    block_id = BlockId(ids.new())

    def attempt(expired: ExpiredHolds) -> Block:
        with uow.begin(command) as work:
            unit = work.houses.get(command.property_id).unit(command.unit_id)
            block = Block(
                block_id=block_id,
                property_id=command.property_id,
                unit_id=unit.unit_id,
                unit_type_id=unit.unit_type_id,
                nights=command.nights,
                kind=command.kind,
                note=command.note,
            )
            work.blocks.add(block)
            work.record(*block.made().events)
            change = StockChange.claiming(*block.claims())
            change_stock(work, change, now=now, expired=expired)
            return commit_once(work, command, block, block_reply, block_from_reply)

    return made_or_repeated(command, uow, lambda: claiming(attempt), block_from_reply)


def lift_block(command: LiftBlock, *, uow: UnitOfWork[InventoryWork]) -> None:
    """Free the block's nights at once.

    Raises:
        NotFoundError: no such block in this agency, or it was lifted before.
        StaleVersionError: it is of another version.
    """
    with uow.begin(command) as work:
        block = work.blocks.get(command.block_id)
        if command.expected_version not in {None, block.version}:
            raise StaleVersionError(block_id=str(command.block_id))
        work.blocks.remove(block)
        work.record(*block.lifted().events)
        work.stock.change(StockChange.releasing(*block.claims()))
        work.commit()
