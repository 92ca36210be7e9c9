"""Pages of long lists.

Owns how much is asked for and what comes back. Leaves order and filters to the contexts.
"""

from __future__ import annotations

from typing import ClassVar, Final, Generic, TypeVar

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError

__all__ = ["MOST_ITEMS", "Page", "Paged"]

ItemT = TypeVar("ItemT")

MOST_ITEMS: Final = 100
MOST_OFFSET: Final = 1_000_000


@frozen
class Page:
    """So many items, after leaving out so many; a list with another limit has a subclass."""

    most: ClassVar[int] = MOST_ITEMS

    limit: int = 50
    offset: int = 0

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.limit <= self.most:
            raise InvalidInputError("limit", "out_of_range", least=1, most=self.most)
        if not 0 <= self.offset <= MOST_OFFSET:
            raise InvalidInputError("offset", "out_of_range", least=0, most=MOST_OFFSET)


@frozen
class Paged(Generic[ItemT]):
    """One page of a list of ``total`` items."""

    items: tuple[ItemT, ...]
    total: int
    page: Page

    @property
    def has_more(self) -> bool:
        """Whether there are items behind this page."""
        return self.page.offset + len(self.items) < self.total
