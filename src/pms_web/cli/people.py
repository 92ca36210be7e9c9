"""What the commands about people share: the parts of access, and passwords that a person is told once.

Owns how an operator is connected and acts. Leaves the commands to ``user`` and ``token``, the demo's people to
``demo_people``.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import click
from attrs import frozen

from pms_adapters.bootstrap import Services, connect
from pms_web.auth.access import Access
from pms_web.cli.servers import read_settings, servers
from pms_web.services import NOBODY, Asking
from pms_web.wiring import access_of
from pmscore.access.model.users import User, normalised_email
from pmscore.access.policies.passwords import ADVISED_LENGTH, SHORTEST_PASSWORD
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import AgencyId, PropertyId, RequestId

__all__ = ["Desk", "chosen_password", "desk", "drawn_password", "find_account", "reach_of"]


@frozen(kw_only=True)
class Desk:
    """Where the operator stands: connected, in one agency."""

    services: Services
    access: Access
    agency_id: AgencyId

    @property
    def asking(self) -> Asking:
        """Who asks, as commands say it."""
        return {
            "request_id": RequestId(self.services.ids.new()),
            "agency_id": self.agency_id,
            "actor_id": NOBODY,
            "property_ids": None,
        }

    @property
    def question(self) -> Command:
        """A command that asks for nothing but to look."""
        return Command(**self.asking)


@contextmanager
def desk(agency: UUID) -> Iterator[Desk]:
    """Connect to the database of this process's settings."""
    with (
        servers(read_settings(), attach=True) as place,
        connect(place.settings) as services,
    ):
        access, _ = access_of(place.settings, services)
        yield Desk(services=services, access=access, agency_id=AgencyId(agency))


def find_account(at: Desk, email: str) -> User:
    """Return the account with this address, in whichever agencies it is.

    Raises:
        NotFoundError: there is none.
    """
    found = at.access.reader.find_user(normalised_email(email))
    if found is None:
        raise NotFoundError("user", "with this address")
    return found


def chosen_password(*, draws: bool) -> tuple[str, bool]:
    """Return a password and whether it was drawn: it is asked for twice where somebody sits at a terminal."""
    if draws or not sys.stdin.isatty():
        return drawn_password(), True
    asked = f"Password ({SHORTEST_PASSWORD} characters or more, {ADVISED_LENGTH} are advised)"
    return click.prompt(asked, hide_input=True, confirmation_prompt=True), False


def drawn_password() -> str:
    """Return a password of 120 random bits."""
    return secrets.token_urlsafe(15)


def reach_of(properties: tuple[UUID, ...]) -> frozenset[PropertyId] | None:
    """Return the properties of an option that may be repeated; none of them means all."""
    return frozenset(PropertyId(each) for each in properties) or None
