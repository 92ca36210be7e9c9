"""Lists, a page at a time.

Owns how a page is asked for and what it looks like; every list of the API is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Generic, TypedDict, TypeVar

from attrs import frozen

from pms_web.wire import NotNegative, Says, Within

__all__ = ["MOST_ITEMS", "USUAL_ITEMS", "Page", "PageQuery", "page_of"]

USUAL_ITEMS = 50
MOST_ITEMS = 100

ItemT = TypeVar("ItemT")


@frozen(kw_only=True)
class PageQuery:
    """Which part of a list; a list with filters has a query class of its own that inherits from this one."""

    limit: Annotated[int, Within(1, MOST_ITEMS), Says("How many items at most.")] = USUAL_ITEMS
    offset: Annotated[int, NotNegative(), Says("How many items to leave out at the beginning.")] = 0


class Page(TypedDict, Generic[ItemT]):
    """A part of a list, and how long the whole list is."""

    items: list[ItemT]
    total: int
    limit: int
    offset: int
    has_more: bool


def page_of(items: Iterable[ItemT], asked: PageQuery, *, total: int) -> Page[ItemT]:
    """Return a page with ``items``, those from ``offset`` on, of ``total`` in the whole list."""
    found = [*items]
    return {
        "items": found,
        "total": total,
        "limit": asked.limit,
        "offset": asked.offset,
        "has_more": asked.offset + len(found) < total,
    }
