"""The people of the demo: an admin, somebody at the front desk, and the owner of a holiday home.

Owns their addresses. Their password is drawn anew at each start, so that no demo anywhere has one that can be looked
up.
"""

from __future__ import annotations

from pms_adapters.bootstrap import Services
from pms_adapters.lab.seed import DEMO_AGENCY
from pms_adapters.postgres.availability import PostgresAvailability
from pms_adapters.settings import Settings
from pms_web.cli.people import Desk, drawn_password
from pms_web.wiring import access_of
from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.members import AddUser, add_user
from pmscore.access.use_cases.passwords import SetPassword, set_password
from pmscore.kernel.ids import PropertyId

__all__ = ["DEMO_PEOPLE", "set_demo_people"]

DEMO_PEOPLE = {
    Role.ADMIN: ("admin@demo.example", "Alva Admin"),
    Role.STAFF: ("desk@demo.example", "Dara Desk"),
    Role.OWNER: ("owner@demo.example", "Oona Owner"),
}


def set_demo_people(settings: Settings, services: Services) -> str:
    """Make the people who are missing and give all of them one new password; return it."""
    access, _ = access_of(settings, services)
    at = Desk(services=services, access=access, agency_id=DEMO_AGENCY)
    password = drawn_password()
    for role, (email, name) in DEMO_PEOPLE.items():
        account = access.reader.find_user(email)
        if account is None:
            reach = frozenset({_a_home(services)}) if role is Role.OWNER else None
            adding = AddUser(**at.asking, email=email, name=name, password=password, role=role, reach=reach)
            add_user(adding, uow=access.uow, passwords=access.passwords, ids=services.ids)
        else:
            setting = SetPassword(**at.asking, user_id=account.user_id, new_password=password)
            set_password(setting, uow=access.uow, passwords=access.passwords, clock=services.clock)
    return password


def _a_home(services: Services) -> PropertyId:
    """Return the smallest house: one with a single unit, first by name."""
    houses = PostgresAvailability(services.engine, DEMO_AGENCY, services.quoters.houses).houses()
    return min(houses, key=lambda each: (len(each.units), each.property.name)).property.property_id
