"""Users and tokens from the command line: the first user, the way back in, keys for programs."""

from __future__ import annotations

import json
from datetime import date
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from adapters.conftest import PostgresDatabase
from pms_adapters.bootstrap import connect
from pms_adapters.lab.seed import DEMO_AGENCY
from pms_adapters.settings import Settings
from pms_web.auth.presented import Presented
from pms_web.cli import demo_people
from pms_web.cli.main import pms
from pms_web.wiring import connected
from pmscore.access.model.permissions import Role
from pmscore.access.model.principals import Means, Principal
from pmscore.access.policies.passwords import SHORTEST_PASSWORD
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.dates.zones import Zone
from pmscore.inventory.use_cases.houses import CreateHouse, NewUnitType, create_house
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import ActorId, RequestId

pytestmark = pytest.mark.postgres
TODAY = date(2027, 3, 1)
SECRET = "s" * 40


@pytest.fixture(scope="module")
def database(postgres_database: PostgresDatabase) -> PostgresDatabase:
    with connect(Settings(database_url=postgres_database.app_url)) as services:
        asked = {"request_id": RequestId(uuid4()), "agency_id": DEMO_AGENCY, "actor_id": ActorId(uuid4())}
        open_agency(OpenAgency(**asked, name="Demo", slug="demo-people"), uow=services.uow)
    run(postgres_database, "user", "add", "root@example.com", "--name", "Root", "--role", "admin")
    return postgres_database


def run(database: PostgresDatabase, *arguments: str) -> Result:
    environ = {"DATABASE_URL": database.app_url, "JWT_SECRET": SECRET, "REDIS_URL": None, "MAIL_URL": None}
    return CliRunner().invoke(pms, arguments, env=environ)


def identified(database: PostgresDatabase, text: str) -> Principal | None:
    mapping = {"DATABASE_URL": database.app_url, "JWT_SECRET": SECRET, "ENABLE_REDIS_HEALTHCHECK": "false"}
    with connected(Settings.from_mapping(mapping), None) as here:
        return here.identify(Presented(method="GET", authorization=f"Bearer {text}"))


def test_a_user_is_added_with_a_password_that_is_shown_once(database):
    added = run(database, "user", "add", "Ada@Example.com", "--name", "Ada", "--role", "admin")
    assert added.exit_code == 0, added.output
    first, password = added.stdout.splitlines()
    assert first == "Added ada@example.com as admin."
    assert len(password) >= SHORTEST_PASSWORD
    listed = json.loads(run(database, "user", "list", "--json").stdout)
    (ada,) = (each for each in listed if each["email"] == "ada@example.com")
    assert (ada["role"], ada["has_password"], ada["is_active"]) == ("admin", True, True)
    assert password not in run(database, "user", "list").stdout
    again = run(database, "user", "add", "ada@example.com", "--name", "Ada")
    assert again.exit_code == 1
    assert "email is taken" in again.stderr
    other = run(database, "user", "reset", "ada@example.com", "--generate")
    assert other.stdout.splitlines()[-1] != password


def test_an_invitation_is_shown_where_there_is_no_mail_server(database):
    invited = run(database, "user", "invite", "jo@example.com", "--name", "Jo", "--role", "staff")
    assert invited.exit_code == 0, invited.output
    assert "/set-password#" in invited.stderr
    assert "/set-password#" not in invited.stdout


def test_a_disabled_user_comes_back_when_enabled_and_the_last_admin_cannot_go(database):
    run(database, "user", "add", "eve@example.com", "--name", "Eve", "--role", "admin")
    token = run(database, "token", "--for", "eve@example.com").stdout.strip()
    assert identified(database, token).role is Role.ADMIN
    assert run(database, "user", "disable", "eve@example.com").exit_code == 0
    with pytest.raises(Exception, match="not_authenticated"):
        identified(database, token)
    assert run(database, "user", "enable", "eve@example.com").exit_code == 0
    listed = json.loads(run(database, "user", "list", "--json").stdout)
    admins = [each["email"] for each in listed if each["role"] == "admin" and each["is_active"]]
    outcomes = [run(database, "user", "disable", each) for each in admins]
    assert [each.exit_code for each in outcomes] == [0] * (len(admins) - 1) + [1]
    assert "make somebody else an admin first" in outcomes[-1].stderr
    assert run(database, "user", "enable", "eve@example.com").exit_code == 0


def test_a_key_and_a_token_open_what_they_say(database):
    made = run(database, "token", "--role", "manager", "--days", "3")
    assert made.exit_code == 0, made.output
    assert len(made.stdout.splitlines()) == 1
    who = identified(database, made.stdout.strip())
    assert (who.role, who.means, who.agency_id) == (Role.MANAGER, Means.API_KEY, DEMO_AGENCY)
    assert run(database, "token", "--for", "nobody@example.com").exit_code == 1
    assert run(database, "token", "--role", "owner").exit_code == 1


def test_without_a_key_to_sign_with_there_are_no_tokens(database):
    environ = {"DATABASE_URL": database.app_url, "JWT_SECRET": None, "JWT_KEYS": None}
    asked = CliRunner().invoke(pms, ["token", "--for", "root@example.com"], env=environ)
    assert asked.exit_code == 1
    assert "JWT_SECRET" in asked.stderr


def test_the_demo_has_people_whose_password_is_new_each_time(database):
    settings = Settings(database_url=database.app_url)
    with connect(settings) as services:
        asked = {"request_id": RequestId(uuid4()), "agency_id": DEMO_AGENCY, "actor_id": ActorId(uuid4())}
        villa = NewUnitType(name="Villa", rooms=1, valid_from=TODAY, unit_names=("Villa",))
        home = CreateHouse(
            **asked,
            name="Villa Sol",
            zone=Zone("Europe/Lisbon"),
            currency=Currency.of("EUR"),
            business_date=TODAY,
            types=(villa,),
        )
        create_house(home, uow=services.uow, ids=services.ids)
        first = demo_people.set_demo_people(settings, services)
        second = demo_people.set_demo_people(settings, services)
    assert first != second
    listed = json.loads(run(database, "user", "list", "--json").stdout)
    roles = {each["email"]: each["role"] for each in listed}
    assert {roles[email] for email, _ in demo_people.DEMO_PEOPLE.values()} == {"admin", "staff", "owner"}
