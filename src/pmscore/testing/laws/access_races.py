"""Laws of access for many who come at the same moment.

Owns the races for a log-in, a link, a session, and the last admin. ``GUESSES`` and ``ROUNDS`` may be set by
the subclass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from pmscore.access.model.permissions import Role
from pmscore.access.model.users import Member
from pmscore.access.policies.back_off import FREE_TRIES
from pmscore.testing.access_scenes import AccessScene
from pmscore.testing.laws.access import WRONG, AccessSetting
from pmscore.testing.races import at_once

__all__ = ["AccessRaceLaws"]


class AccessRaceLaws(AccessSetting):
    """What is promised when many ask at the same moment."""

    GUESSES: ClassVar[int] = 16
    ROUNDS: ClassVar[int] = 10

    def test_many_guesses_at_once_are_many_tries(self) -> None:
        """However many come together, no more passwords are looked at than are free."""
        scene = self.access_scene()
        scene.add("ada")
        guesses = [lambda: scene.log_in(scene.email("ada"), WRONG)] * self.GUESSES
        assert set(at_once(guesses)) <= {"log_in_refused", "busy"}
        user = scene.reader.find_user(scene.email("ada"))
        assert user is not None
        assert user.failed_tries == FREE_TRIES

    def test_of_many_who_hold_one_link_one_sets_the_password(self) -> None:
        """The others are told that it is over; one that waited too long for its turn is told so."""
        scene = self.access_scene()
        scene.add("ada")
        for _ in range(self.ROUNDS):
            scene.ask_for_reset(scene.email("ada"))
            secret = scene.mail.letters[-1].secret
            outcomes = at_once([partial(scene.use_link, secret)] * 4)
            assert outcomes.count("won") == 1, outcomes
            assert set(outcomes) <= {"won", "link_refused", "busy"}, outcomes

    def test_of_many_who_take_one_session_over_one_does(self) -> None:
        """A session is in one agency; the others find that it has ended."""
        scene, other = self.access_scene(), self.access_scene()
        user = scene.add("ada").user
        other.invite(user.email)
        for _ in range(self.ROUNDS):
            begun = scene.log_in(user.email, agency_id=scene.agency_id)
            outcomes = at_once([partial(scene.switch, begun, other.agency_id)] * 4)
            assert outcomes.count("won") == 1, outcomes
            assert set(outcomes) <= {"won", "not_authenticated", "busy"}, outcomes

    def test_two_admins_who_remove_each_other_leave_one(self) -> None:
        """Whoever is second is the last."""
        for _ in range(self.ROUNDS):
            scene = self.access_scene()
            admins = [scene.add("ada"), scene.add("eve")]
            outcomes = at_once([_demoting(scene, admin) for admin in admins])
            assert outcomes.count("won") == 1, outcomes
            assert set(outcomes) <= {"won", "illegal_transition", "busy"}, outcomes


def _demoting(scene: AccessScene, admin: Member) -> Callable[[], object]:
    return lambda: scene.change(admin, Role.STAFF)
