"""``pms user``: the first user, and the way back in."""

from __future__ import annotations

from uuid import UUID

import click
from attrs import evolve

from pms_adapters.lab.seed import DEMO_AGENCY
from pms_web.cli.people import chosen_password, desk, find_account, reach_of
from pms_web.cli.terminal import Politely, say, show_json, show_table
from pms_web.member_views import member_body
from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.inviting import InviteUser, invite_user
from pmscore.access.use_cases.members import (
    AddUser,
    ChangeMembership,
    DisableUser,
    add_user,
    change_membership,
    disable_user,
    list_members,
)
from pmscore.access.use_cases.passwords import SetPassword, set_password
from pmscore.kernel.ids import AgencyId

__all__ = ["user"]

_ROLES = click.Choice([each.value for each in Role if each is not Role.GUEST])
_agency = click.option(
    "--agency", type=click.UUID, default=DEMO_AGENCY, help="In which agency; the demo's by default."
)
_role = click.option("--role", type=_ROLES, default="staff", show_default=True, help="What they may do.")
_properties = click.option(
    "--property", "properties", type=click.UUID, multiple=True, help="Only this property; once for each."
)
_generate = click.option("--generate", is_flag=True, help="Draw a password in place of asking for one.")


@click.group(cls=Politely)
def user() -> None:
    """Let people in: add, invite, reset, disable, enable, list.

    \b
    Example:
      pms user add ada@example.com --name "Ada Moreira" --role admin
      pms user reset ada@example.com
    """


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="How they are called.")
@_role
@_properties
@_agency
@_generate
def add(email: str, name: str, role: str, properties: tuple[UUID, ...], agency: UUID, generate: bool) -> None:
    """Make an account with a password and a place in an agency.

    \b
    Example:
      pms user add ada@example.com --name "Ada Moreira" --role admin
    """
    with desk(agency) as at:
        password, is_drawn = chosen_password(draws=generate)
        command = AddUser(
            **at.asking,
            email=email,
            name=name,
            password=password,
            role=Role(role),
            reach=reach_of(properties),
        )
        made = add_user(command, uow=at.access.uow, passwords=at.access.passwords, ids=at.services.ids)
    click.echo(f"Added {made.user.email} as {role}.")
    _tell(password, is_drawn=is_drawn)


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="How they are called.")
@_role
@_properties
@_agency
def invite(email: str, name: str, role: str, properties: tuple[UUID, ...], agency: UUID) -> None:
    """Give somebody a place in an agency and send them a link to choose a password.

    Without MAIL_URL the letter is shown here.

    \b
    Example:
      pms user invite jo@example.com --name "Jo Silva" --role staff
    """
    with desk(agency) as at:
        command = InviteUser(**at.asking, email=email, name=name, role=Role(role), reach=reach_of(properties))
        made = invite_user(
            command,
            uow=at.access.uow,
            secrets=at.access.secrets,
            clock=at.services.clock,
            ids=at.services.ids,
        )
        if made.letter is not None:
            at.access.mail.send(made.letter)
    click.echo(f"Invited {made.member.user.email} as {role}.")


@user.command()
@click.argument("email")
@_generate
def reset(email: str, generate: bool) -> None:
    """Set another password; every session, token and link of theirs ends, and waiting after failures does too.

    \b
    Example:
      pms user reset ada@example.com --generate
    """
    with desk(DEMO_AGENCY) as found:
        account = find_account(found, email)
        password, is_drawn = chosen_password(draws=generate)
        agency_id = account.agency_ids[0] if account.agency_ids else found.agency_id
        command = SetPassword(
            **evolve(found, agency_id=agency_id).asking, user_id=account.user_id, new_password=password
        )
        set_password(
            command, uow=found.access.uow, passwords=found.access.passwords, clock=found.services.clock
        )
    click.echo(f"Set the password of {account.email}.")
    _tell(password, is_drawn=is_drawn)


@user.command()
@click.argument("email")
@click.option("--agency", type=click.UUID, help="Take away the place in this agency only.")
def disable(email: str, agency: UUID | None) -> None:
    """Close an account in every agency at once; an agency keeps its last admin.

    \b
    Example:
      pms user disable jo@example.com
    """
    _set_open(email, agency, is_open=False)
    click.echo(f"Disabled {email}.")


@user.command()
@click.argument("email")
@click.option("--agency", type=click.UUID, help="Give back the place in this agency only.")
def enable(email: str, agency: UUID | None) -> None:
    """Open an account again.

    \b
    Example:
      pms user enable jo@example.com
    """
    _set_open(email, agency, is_open=True)
    click.echo(f"Enabled {email}.")


@user.command("list")
@_agency
@click.option("--json", "as_json", is_flag=True, help="Print the people as JSON.")
def list_(agency: UUID, as_json: bool) -> None:
    """List who has a place in an agency.

    \b
    Example:
      pms user list
    """
    with desk(agency) as at:
        found = [member_body(each) for each in list_members(at.question, uow=at.access.uow)]
    if as_json:
        show_json(found)
        return
    rows = [
        (each["email"], each["name"], each["role"].value, "yes" if each["is_active"] else "no")
        for each in found
    ]
    show_table(("E-mail", "Name", "Role", "Active"), rows, texts=4)


def _set_open(email: str, agency: UUID | None, *, is_open: bool) -> None:
    """Open or close one place, or the account with all of its places.

    Raises:
        TransitionError: some agency would lose its last admin; what was closed before stays closed.
    """
    with desk(agency or DEMO_AGENCY) as at:
        account = find_account(at, email)
        places = (AgencyId(agency),) if agency is not None else account.agency_ids
        for place in places:
            there = evolve(at, agency_id=place)
            command = ChangeMembership(**there.asking, user_id=account.user_id, is_active=is_open)
            change_membership(command, uow=at.access.uow, clock=at.services.clock)
        if agency is None and places:
            there = evolve(at, agency_id=places[0])
            disabling = DisableUser(**there.asking, user_id=account.user_id, is_disabled=not is_open)
            disable_user(disabling, uow=at.access.uow, clock=at.services.clock)


def _tell(password: str, *, is_drawn: bool) -> None:
    if is_drawn:
        say("Their password, shown this once:")
        click.echo(password)
