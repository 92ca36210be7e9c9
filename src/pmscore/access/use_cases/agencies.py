"""Setting up an agency."""

from __future__ import annotations

from attrs import frozen

from pmscore.access.model.agencies import Agency
from pmscore.access.ports import AccessWork
from pmscore.kernel.events import Command
from pmscore.kernel.ports import UnitOfWork

__all__ = ["OpenAgency", "open_agency"]


@frozen(kw_only=True)
class OpenAgency(Command):
    """Set up the agency that the command names."""

    name: str
    slug: str


def open_agency(command: OpenAgency, *, uow: UnitOfWork[AccessWork]) -> Agency:
    """Write the agency and its opening.

    Raises:
        InvalidInputError: the name or the slug cannot be one, or the slug is taken.
    """
    agency = Agency(agency_id=command.agency_id, name=command.name, slug=command.slug)
    with uow.begin(command) as work:
        decision = agency.opened()
        work.agencies.add(decision.state)
        work.record(*decision.events)
        work.commit()
    return agency
