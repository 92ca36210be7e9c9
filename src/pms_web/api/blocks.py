"""``/api/v1/availability/blocks``: units that are kept from sale.

Owns addresses; nights are claimed and freed by the use cases of :mod:`pmscore.inventory`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from attrs import frozen
from flask import Response

from pms_web.claim_views import BlockBody, block_body
from pms_web.day_ranges import open_range
from pms_web.examples import PROPERTY, UNIT
from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pms_web.wire import Longest, Says, rule
from pmscore.access.model.permissions import Permission
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.blocks import BlockFilter, BlockKind
from pmscore.inventory.use_cases.blocks import BlockUnit, LiftBlock, block_unit, lift_block
from pmscore.kernel import paging
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import BlockId, PropertyId, UnitId, parse_id

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/availability/blocks"


@frozen(kw_only=True)
class NewBlock:
    """Nights on which a unit is not for sale."""

    property_id: PropertyId
    unit_id: UnitId
    from_: Annotated[date, Says("The first night.")]
    to: Annotated[date, Says("The day after the last night.")]
    kind: BlockKind = BlockKind.MANUAL
    reason: Annotated[str, Longest(1000), Says("For colleagues; no event carries it.")] = ""

    @rule
    def nights(self) -> DateRange:
        """Return the nights."""
        if self.to <= self.from_:
            raise InvalidInputError("to", "not_after_start")
        return DateRange(self.from_, self.to)


@frozen(kw_only=True)
class BlocksQuery(PageQuery):
    """Which blocks; all of them where nothing is said."""

    property_id: PropertyId | None = None
    from_: Annotated[date | None, Says("Blocks on some night from this one on.")] = None
    to: Annotated[date | None, Says("Blocks on some night before this day.")] = None
    reason: Annotated[str | None, Says("Blocks with exactly this reason.")] = None

    @rule
    def wanted(self) -> BlockFilter:
        """Return the conditions."""
        nights = open_range(self.from_, self.to, field="to")
        return BlockFilter(property_id=self.property_id, nights=nights, note=self.reason)


def create(services: WebServices, body: NewBlock, once: OnceKey) -> Response:
    """Claim the nights of a unit; nothing else may have one of them."""
    command = BlockUnit(
        **services.asking,
        once=once,
        property_id=body.property_id,
        unit_id=body.unit_id,
        nights=body.nights(),
        kind=body.kind,
        note=body.reason,
    )
    made = services.retry(
        lambda: block_unit(command, uow=services.uow, clock=services.clock, ids=services.ids)
    )
    return answer(block_body(made), status=201)


def listed(services: WebServices, query: BlocksQuery) -> Response:
    """Return a page of the blocks, by their first night."""
    page = paging.Page(query.limit, query.offset)

    def attempt() -> Response:
        with services.uow.begin(services.question) as work:
            if query.property_id is not None:
                work.houses.get(query.property_id)
            found = work.blocks.find(query.wanted(), page)
        return answer(page_of(map(block_body, found.items), query, total=found.total))

    return services.retry(attempt)


def lift(services: WebServices, block_id: str, version: int | None) -> Response:
    """Free the nights of a block at once."""
    command = LiftBlock(
        **services.asking, block_id=BlockId(parse_id(block_id, field="block_id")), expected_version=version
    )
    services.retry(lambda: lift_block(command, uow=services.uow))
    return Response(status=204)


ROUTES = (
    Route(
        method="POST",
        path=ADDRESS,
        view=create,
        permission=Permission.BLOCK_UNITS,
        summary="Block a unit",
        body=NewBlock,
        replies={201: BlockBody},
        idempotency=Idempotency.REQUIRED,
        example={
            "property_id": PROPERTY,
            "unit_id": UNIT,
            "from": "2027-06-01",
            "to": "2027-06-04",
            "kind": "maintenance",
            "reason": "New boiler",
        },
    ),
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_STOCK,
        summary="List the blocks",
        query=BlocksQuery,
        replies={200: Page[BlockBody]},
        example={"property_id": PROPERTY, "from": "2027-06-01", "to": "2027-07-01"},
    ),
    Route(
        method="DELETE",
        path=f"{ADDRESS}/<block_id>",
        view=lift,
        permission=Permission.BLOCK_UNITS,
        summary="Lift a block",
        replies={204: None},
        is_versioned=True,
    ),
)
