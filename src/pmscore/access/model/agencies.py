"""Agencies: the walls between tenants.

Owns the agency and its opening. Leaves users and what they may do to ``permissions`` and ``users``.
"""

from __future__ import annotations

import re
from typing import ClassVar

from attrs import field, frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Decision, Event
from pmscore.kernel.ids import AgencyId
from pmscore.kernel.text import checked_text

__all__ = ["Agency", "AgencyOpened"]

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


@frozen(kw_only=True)
class AgencyOpened(Event):
    """An agency was set up."""

    aggregate: ClassVar[str] = "agency"
    kind: str = "agency.opened"


@frozen(kw_only=True)
class Agency:
    """One house, chain or letting agency: the wall that no row, event or job crosses.

    ``slug`` is its name in addresses: lower-case letters, digits and hyphens.
    """

    agency_id: AgencyId
    name: str = field()
    slug: str = field()

    def __attrs_post_init__(self) -> None:
        checked_text(self.name, field="name")
        if not _SLUG.match(self.slug):
            raise InvalidInputError("slug", "not_a_slug")

    def opened(self) -> Decision[Agency]:
        """Return the agency with the event of its opening."""
        return Decision(self, (AgencyOpened(aggregate_id=self.agency_id, version=1),))
