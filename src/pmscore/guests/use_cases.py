"""Making and changing a guest's profile."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from uuid import UUID

from attrs import frozen

from pmscore.guests.model import Guest
from pmscore.guests.ports import GuestWork
from pmscore.kernel.errors import MisuseError, StaleVersionError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import GuestId
from pmscore.kernel.once import commit_once
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = ["AddGuest", "ChangeGuest", "add_guest", "change_guest"]


@frozen(kw_only=True)
class AddGuest(Command):
    """Make a profile."""

    name: str
    email: str = ""
    phone: str = ""
    country: str = ""


def add_guest(command: AddGuest, *, uow: UnitOfWork[GuestWork], ids: IdSource) -> Guest:
    """Write the profile; a repetition under the same key returns it as it was made.

    Raises:
        InvalidInputError: a field holds what it cannot.
        KeyReusedError: the idempotency key belongs to another request.
    """
    guest = _new_guest(command, GuestId(ids.new()))
    with uow.begin(command) as work:
        work.guests.add(guest)
        work.record(*guest.added().events)
        return commit_once(work, command, guest, _reply, partial(_from_reply, command))


def _new_guest(command: AddGuest, guest_id: GuestId) -> Guest:
    return Guest(
        guest_id=guest_id,
        name=command.name,
        email=command.email,
        phone=command.phone,
        country=command.country,
    )


def _reply(guest: Guest) -> Mapping[str, Json]:
    # The same request with the same id makes the same profile, so nobody's name is kept a second time.
    return {"guest_id": str(guest.guest_id)}


def _from_reply(command: AddGuest, reply: Mapping[str, Json]) -> Guest:
    match reply:
        case {"guest_id": str(guest_id)}:
            return _new_guest(command, GuestId(UUID(guest_id)))
        case _:
            raise MisuseError(reply=", ".join(sorted(reply)))


@frozen(kw_only=True)
class ChangeGuest(Command):
    """Change a profile; what is None stays. ``expected_version`` refuses a change of what was not seen."""

    guest_id: GuestId
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    country: str | None = None
    expected_version: int | None = None


def change_guest(command: ChangeGuest, *, uow: UnitOfWork[GuestWork], clock: Clock) -> Guest:
    """Write the changed profile; where nothing is another, nothing is written.

    Raises:
        NotFoundError: no such guest in this agency.
        InvalidInputError: a field holds what it cannot.
        StaleVersionError: the profile is of another version by now.
    """
    with uow.begin(command) as work:
        guest = work.guests.get(command.guest_id)
        if command.expected_version not in {None, guest.version}:
            raise StaleVersionError(guest_id=str(command.guest_id))
        decision = guest.changed(
            now=clock.now(),
            name=command.name,
            email=command.email,
            phone=command.phone,
            country=command.country,
        )
        if decision.events:
            work.guests.save(decision.state)
            work.record(*decision.events)
            work.commit()
        return decision.state
