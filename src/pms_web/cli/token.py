"""``pms token``: a key or a short token for a program."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import click

from pms_adapters.lab.seed import DEMO_AGENCY
from pms_web.auth.tokens import LONGEST_LIFE
from pms_web.cli.people import desk, find_account, reach_of
from pms_web.cli.terminal import say
from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.keys import CreateKey, create_key
from pmscore.kernel.errors import NotFoundError

__all__ = ["token"]

_ROLES = click.Choice([each.value for each in Role if each is not Role.GUEST])
_LONGEST_MINUTES = int(LONGEST_LIFE.total_seconds()) // 60


@click.command()
@click.option("--name", default="pms token", show_default=True, help="Which program has the key.")
@click.option("--role", type=_ROLES, default="staff", show_default=True, help="What the key may do.")
@click.option("--property", "properties", type=click.UUID, multiple=True, help="Only this property.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long the key holds; for ever by default.")
@click.option("--for", "email", help="Print a short JSON Web Token for this user, in place of a key.")
@click.option(
    "--minutes",
    type=click.IntRange(1, _LONGEST_MINUTES),
    default=_LONGEST_MINUTES,
    show_default=True,
    help="How long the token holds.",
)
@click.option(
    "--agency", type=click.UUID, default=DEMO_AGENCY, help="In which agency; the demo's by default."
)
def token(
    name: str,
    role: str,
    properties: tuple[UUID, ...],
    days: int | None,
    email: str | None,
    minutes: int,
    agency: UUID,
) -> None:
    """Print an API key for Authorization: Bearer; it is shown this once and can be withdrawn.

    With --for a token that ends by itself is printed; it needs JWT_SECRET or JWT_KEYS, the same as the app's.

    \b
    Example:
      pms token --role staff --name "Till of the bar"
      curl -H "Authorization: Bearer $(pms token)" localhost:8000/api/v1/properties
    """
    with desk(agency) as at:
        now = at.services.clock.now()
        if email is not None:
            account = find_account(at, email)
            if at.agency_id not in account.agency_ids:
                raise NotFoundError("user", "in this agency")
            click.echo(
                at.access.tokens.issue(
                    account, at.agency_id, now=now, ids=at.services.ids, lifetime=timedelta(minutes=minutes)
                )
            )
            return
        command = CreateKey(
            **at.asking,
            name=name,
            role=Role(role),
            reach=reach_of(properties),
            expires_at=None if days is None else now + timedelta(days=days),
        )
        made = create_key(
            command,
            uow=at.access.uow,
            secrets=at.access.secrets,
            clock=at.services.clock,
            ids=at.services.ids,
        )
    say(f"A key for {role}, shown this once; DELETE /api/v1/keys/{made.key.key_id} withdraws it.")
    click.echo(made.text)
