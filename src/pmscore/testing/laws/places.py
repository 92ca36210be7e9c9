"""Laws of places: what somebody may be given in an agency, and how they go from one agency to the other.

Owns the reach of keys and memberships. Leaves coming in and going out to ``access``.
"""

from __future__ import annotations

from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.keys import list_keys
from pmscore.access.use_cases.members import get_member, list_members
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import PropertyId
from pmscore.testing.laws.access import AccessSetting
from pmscore.testing.laws.setting import raised

__all__ = ["PlaceLaws"]


class PlaceLaws(AccessSetting):
    """What is promised of places in an agency."""

    def test_a_reach_names_properties_of_its_own_agency(self) -> None:
        """For a key, for somebody new and for somebody known; all of them or none."""
        scene, home = self.scene_with_house()
        scene.add("ada")
        reach = frozenset({home})
        assert scene.key(reach=reach).key.property_ids == reach
        scene.add("bob", Role.STAFF, reach=reach)
        member, _ = scene.invite(scene.email("new"), Role.OWNER, reach=reach)
        assert scene.change(member, Role.STAFF, reach=reach).membership.property_ids == reach
        assert scene.change(member, reach=frozenset[PropertyId]()).membership.property_ids == frozenset()

    def test_a_reach_with_a_property_of_another_agency_or_of_nobody_is_refused(self) -> None:
        """Both in the same words, and nothing of it is kept."""
        scene, home = self.scene_with_house()
        other, foreign = self.scene_with_house()
        scene.add("ada")
        bob = scene.add("bob", Role.STAFF)
        nobodys = PropertyId(scene.ids.new())
        for strange in (foreign, nobodys):
            reach = frozenset({home, strange})
            for attempt in (
                lambda reach=reach: scene.key(reach=reach),
                lambda reach=reach: scene.add("eve", Role.STAFF, reach=reach),
                lambda reach=reach: scene.invite(scene.email("new"), reach=reach),
                lambda reach=reach: scene.change(bob, reach=reach),
            ):
                refused = raised(InvalidInputError, attempt)
                assert (refused.field, refused.reason) == ("property_ids", "unknown_property")
                assert refused.params["property_id"] == str(strange)
        assert list_keys(scene.command(), uow=scene.store) == ()
        assert len(list_members(scene.command(), uow=scene.store)) == 2
        assert get_member(scene.command(), bob.user.user_id, uow=scene.store) == bob
        assert other.key(reach=frozenset({foreign})).key.property_ids == frozenset({foreign})
