"""Laws of places: what somebody may be given in an agency, and how they go from one agency to the other.

Owns the reach of keys and memberships, and sessions that change the agency. Leaves coming in and going out to
``access``.
"""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from pmscore.access.model.permissions import Role
from pmscore.access.model.refusals import CredentialsError
from pmscore.access.model.sessions import IDLE_LIFE
from pmscore.access.policies.secrets import fingerprint
from pmscore.access.use_cases.keys import list_keys
from pmscore.access.use_cases.logging_in import LogOut, log_out
from pmscore.access.use_cases.members import get_member, list_members
from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.kernel.ids import AgencyId, PropertyId, UserId
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

    def test_a_session_goes_over_to_another_agency_of_its_user(self) -> None:
        """Under another secret, for as long as it would have lived; both agencies are told what is theirs to know."""
        scene, other = self.access_scene(), self.access_scene()
        user = scene.add("ada").user
        other.add("boss")
        other.invite(user.email, Role.STAFF)
        began = scene.log_in(user.email, agency_id=scene.agency_id)
        scene.clock.advance(timedelta(minutes=20))
        moved = scene.switch(began, other.agency_id)
        assert moved.secret != began.secret
        assert scene.reader.find_session(fingerprint(began.secret)) is None
        found = scene.reader.find_session(fingerprint(moved.secret))
        assert found is not None
        assert found.member is not None
        assert (found.session.agency_id, found.member.membership.role) == (other.agency_id, Role.STAFF)
        assert (found.session.created_at, found.session.seen_at) == (
            began.session.created_at,
            scene.clock.now(),
        )
        event = other.store.events_after((0, 0), other.agency_id)[-1]
        assert (event.kind, event.aggregate_id) == ("user.agencySwitched", user.user_id)
        assert str(scene.agency_id) not in repr(event.payload)
        back = scene.switch(moved, scene.agency_id)
        assert back.session.agency_id == scene.agency_id

    def test_a_session_goes_nowhere_else(self) -> None:
        """Another agency, a closed place and an agency that does not exist are all not found, and the session stays."""
        scene, closed, strange = self.access_scene(), self.access_scene(), self.access_scene()
        user = scene.add("ada").user
        closed.add("boss")
        member, _ = closed.invite(user.email, Role.STAFF)
        closed.change(member, is_active=False)
        began = scene.log_in(user.email, agency_id=scene.agency_id)
        for agency_id in (closed.agency_id, strange.agency_id, AgencyId(scene.ids.new())):
            refused = raised(NotFoundError, scene.switch, began, agency_id)
            assert refused.params == {"kind": "agency", "id": str(agency_id)}
        assert scene.reader.find_session(began.session.session_hash) is not None

    def test_a_session_that_is_over_goes_nowhere(self) -> None:
        """Logged out, too old, or somebody else's: none comes to life again."""
        scene = self.access_scene()
        ada, bob = scene.add("ada").user, scene.add("bob").user
        gone, old = scene.log_in(ada.email), scene.log_in(ada.email)
        leaving = LogOut(
            **scene.asked(ada.user_id), user_id=ada.user_id, session_hash=gone.session.session_hash
        )
        log_out(leaving, uow=scene.store)
        raised(CredentialsError, scene.switch, gone, scene.agency_id)
        bobs = scene.log_in(bob.email)
        raised(CredentialsError, scene.switch, evolve(bobs, user=ada), scene.agency_id)
        scene.switch(bobs, scene.agency_id)
        raised(CredentialsError, scene.switch, bobs, scene.agency_id)
        scene.clock.advance(IDLE_LIFE)
        raised(CredentialsError, scene.switch, old, scene.agency_id)

    def test_everybody_is_told_in_which_agencies_they_are(self) -> None:
        """With what they are there, in the order of names; a place that was closed is none."""
        scene, other, closed = self.access_scene(), self.access_scene(), self.access_scene()
        user = scene.add("ada").user
        for each in (other, closed):
            each.add("boss")
        other.invite(user.email, Role.STAFF)
        member, _ = closed.invite(user.email, Role.STAFF)
        assert len(scene.reader.places(user.user_id)) == 3
        closed.change(member, is_active=False)
        found = {place.agency.agency_id: place.membership.role for place in scene.reader.places(user.user_id)}
        assert found == {scene.agency_id: Role.ADMIN, other.agency_id: Role.STAFF}
        names = [place.agency.slug for place in scene.reader.places(user.user_id)]
        assert names == sorted(names)
        assert scene.reader.places(UserId(scene.ids.new())) == ()
