"""Making a guest's profile."""

from __future__ import annotations

from attrs import frozen

from pmscore.guests.model import Guest
from pmscore.guests.ports import GuestWork
from pmscore.kernel.events import Command
from pmscore.kernel.ids import GuestId
from pmscore.kernel.ports import IdSource, UnitOfWork

__all__ = ["AddGuest", "add_guest"]


@frozen(kw_only=True)
class AddGuest(Command):
    """Make a profile."""

    name: str
    email: str = ""
    phone: str = ""
    country: str = ""


def add_guest(command: AddGuest, *, uow: UnitOfWork[GuestWork], ids: IdSource) -> Guest:
    """Write the profile.

    Raises:
        InvalidInputError: a field holds what it cannot.
    """
    guest = Guest(
        guest_id=GuestId(ids.new()),
        name=command.name,
        email=command.email,
        phone=command.phone,
        country=command.country,
    )
    with uow.begin(command) as work:
        work.guests.add(guest)
        work.record(*guest.added().events)
        work.commit()
    return guest
