"""The permission table says who may do what, and nobody falls through it."""

from __future__ import annotations

from uuid import UUID

import pytest

from pmscore.access.model.permissions import PERMISSIONS, Permission, Role, permits
from pmscore.access.model.principals import Means, Principal
from pmscore.kernel.errors import PermissionDeniedError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ActorId, AgencyId, PropertyId, RequestId

AGENCY, SOMEBODY = AgencyId(UUID(int=1)), ActorId(UUID(int=2))
INN, MILL = PropertyId(UUID(int=3)), PropertyId(UUID(int=4))


def test_every_role_has_its_line_and_the_admin_may_do_everything():
    assert set(PERMISSIONS) == set(Role)
    assert PERMISSIONS[Role.ADMIN] == set(Permission)


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        (Role.GUEST, Role.STAFF),
        (Role.STAFF, Role.MANAGER),
        (Role.OWNER, Role.STAFF),
        (Role.MANAGER, Role.ADMIN),
        (Role.ACCOUNTANT, Role.MANAGER),
    ],
)
def test_who_stands_higher_may_do_all_that_the_lower_may(lower, higher):
    assert PERMISSIONS[lower] < PERMISSIONS[higher]


def test_guests_read_what_is_public_and_nothing_else():
    assert PERMISSIONS[Role.GUEST] == {Permission.READ_PUBLIC}


def test_owners_and_accountants_change_no_booking_and_no_price():
    for role in (Role.OWNER, Role.ACCOUNTANT):
        assert not permits(role, Permission.WRITE_BOOKINGS)
        assert not permits(role, Permission.WRITE_PRICES)
    assert not permits(Role.OWNER, Permission.READ_GUESTS)


def test_a_principal_without_the_right_is_refused_with_its_name():
    staff = Principal(agency_id=AGENCY, actor_id=SOMEBODY, role=Role.STAFF, means=Means.SESSION)
    staff.require(Permission.WRITE_BOOKINGS)
    with pytest.raises(PermissionDeniedError) as refused:
        staff.require(Permission.WRITE_PRICES)
    assert refused.value.params == {"permission": "prices.write", "role": "staff"}


def test_a_command_reaches_the_named_properties_or_all():
    everywhere = Command(request_id=RequestId(UUID(int=9)), agency_id=AGENCY, actor_id=SOMEBODY)
    assert everywhere.reaches(INN)
    assert everywhere.reaches(MILL)
    here = Command(
        request_id=RequestId(UUID(int=9)), agency_id=AGENCY, actor_id=SOMEBODY, property_ids=frozenset({INN})
    )
    assert here.reaches(INN)
    assert not here.reaches(MILL)
