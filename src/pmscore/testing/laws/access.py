"""Laws of access: who gets in, who stays out, and what ends when.

Owns the promises of a store to people who log in, on top of the use cases. Leaves those
who come at the same moment to ``access_races``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from attrs import evolve

from pmscore.access.model.links import MOST_LIVE_LINKS
from pmscore.access.model.permissions import Role
from pmscore.access.model.refusals import LinkRefusedError, LogInRefusedError
from pmscore.access.policies.back_off import FREE_TRIES, LONGEST_WAIT
from pmscore.access.policies.secrets import fingerprint
from pmscore.access.use_cases.keys import RevokeKey, list_keys, revoke_key
from pmscore.access.use_cases.logging_in import LogOut, log_out
from pmscore.access.use_cases.members import DisableUser, disable_user, get_member, list_members
from pmscore.access.use_cases.passwords import ChangePassword, change_password
from pmscore.kernel.errors import InvalidInputError, NotFoundError, StaleVersionError, TransitionError
from pmscore.kernel.ids import PropertyId
from pmscore.testing.access_scenes import (
    NEW_PASSWORD,
    PASSWORD,
    AccessScene,
    NumberedSecrets,
    open_access_scene,
)
from pmscore.testing.laws.setting import StoreLaws, raised

__all__ = ["AccessLaws", "AccessSetting"]

WRONG = "nine grey wolves at dusk"


class AccessSetting(StoreLaws):
    """A suite whose scenes are of people."""

    def access_scene(self) -> AccessScene:
        """Open an agency without anybody in it."""
        return open_access_scene(self.store(), self.ids())

    def scene_with_house(self) -> tuple[AccessScene, PropertyId]:
        """Open an agency with a house and without anybody in it."""
        scene = self.scene()
        people = AccessScene(
            store=scene.store, ids=scene.ids, agency_id=scene.agency_id, secrets=NumberedSecrets(scene.ids)
        )
        return people, scene.property_id


class AccessLaws(AccessSetting):
    """What is promised to people, keys and links, one after the other."""

    def test_whoever_knows_the_password_gets_a_session_of_their_agency(self) -> None:
        """The store keeps the hash of the secret and finds the session by it."""
        scene = self.access_scene()
        member = scene.add("ada", Role.MANAGER)
        logged_in = scene.log_in(" " + scene.email("ada").upper() + " ")
        found = scene.reader.find_session(fingerprint(logged_in.secret))
        assert found is not None
        assert found.member is not None
        assert found.session.agency_id == scene.agency_id
        assert found.member.user.user_id == member.user.user_id
        assert found.member.membership.role is Role.MANAGER
        assert scene.reader.find_session(logged_in.secret) is None

    def test_an_agency_is_found_by_its_name_in_addresses(self) -> None:
        """Before anybody knows which agency it is; a name that is nobody's finds none."""
        scene = self.access_scene()
        with scene.store.begin(scene.command()) as work:
            slug = work.agencies.get(scene.agency_id).slug
        assert scene.reader.find_agency(slug) == scene.agency_id
        for other in ("", slug.upper(), f"{slug}-", "agency"):
            assert scene.reader.find_agency(other) is None

    def test_nobody_else_does_and_everybody_is_told_the_same_after_the_same_work(self) -> None:
        """Wrong, unknown, without a password yet, disabled, another agency's: one error and one hash."""
        scene, other = self.access_scene(), self.access_scene()
        scene.add("ada")
        scene.add("bob", Role.STAFF)
        scene.change(scene.add("eve", Role.STAFF), is_active=False)
        scene.invite(scene.email("new"))
        asked: tuple[Callable[[], object], ...] = (
            lambda: scene.log_in(scene.email("ada"), WRONG),
            lambda: scene.log_in(scene.email("nobody")),
            lambda: scene.log_in("no address at all"),
            lambda: scene.log_in(scene.email("new")),
            lambda: scene.log_in(scene.email("eve")),
            lambda: scene.log_in(scene.email("bob"), agency_id=other.agency_id),
            lambda: scene.log_in(scene.email("ada"), PASSWORD * 1000),
        )
        for number, ask in enumerate(asked):
            before = scene.passwords.work
            error = raised(LogInRefusedError, ask)
            assert (error.code, error.params) == ("log_in_refused", {}), number
            assert scene.passwords.work == before + 1, number
        assert scene.log_in(scene.email("ada")).secret

    def test_after_a_handful_of_failures_an_account_waits_and_then_opens_again(self) -> None:
        """The right password is refused as well while it waits; success forgets the failures."""
        scene = self.access_scene()
        scene.add("ada")
        for _ in range(FREE_TRIES):
            assert raised(LogInRefusedError, self._wrongly(scene)).reason == "wrong_password"
        work = scene.passwords.work
        refused = raised(LogInRefusedError, lambda: scene.log_in(scene.email("ada")))
        assert (refused.reason, scene.passwords.work) == ("waiting", work + 1)
        scene.clock.advance(timedelta(seconds=31))
        scene.log_in(scene.email("ada"))
        assert raised(LogInRefusedError, self._wrongly(scene)).reason == "wrong_password"
        scene.log_in(scene.email("ada"))

    def test_each_further_failure_waits_longer_up_to_a_quarter_of_an_hour(self) -> None:
        """Whoever keeps on guessing has four guesses an hour."""
        scene = self.access_scene()
        scene.add("ada")
        waits: list[timedelta] = []
        for _ in range(14):
            raised(LogInRefusedError, self._wrongly(scene))
            user = scene.reader.find_user(scene.email("ada"))
            assert user is not None
            if user.blocked_until is not None:
                waits.append(user.blocked_until - scene.clock.now())
                scene.clock.move_to(user.blocked_until)
        assert waits == sorted(waits)
        assert waits[-1] == LONGEST_WAIT
        assert len(set(waits)) > 4

    def test_a_log_in_ends_the_session_that_came_with_it(self) -> None:
        """Nobody goes on under an id that somebody else may have planted."""
        scene = self.access_scene()
        scene.add("ada")
        old = scene.log_in(scene.email("ada"))
        new = scene.log_in(scene.email("ada"), old_session=old.secret)
        assert old.secret != new.secret
        assert scene.reader.find_session(fingerprint(old.secret)) is None
        assert scene.reader.find_session(fingerprint(new.secret)) is not None

    def test_logging_out_ends_one_session_and_everywhere_ends_all_and_every_token(self) -> None:
        """The epoch that tokens name rises."""
        scene = self.access_scene()
        user = scene.add("ada").user
        one, two, three = (scene.log_in(scene.email("ada")) for _ in range(3))
        asked = scene.asked(user.user_id)
        log_out(LogOut(**asked, user_id=user.user_id, session_hash=one.session.session_hash), uow=scene.store)
        assert [self._lives(scene, each.secret) for each in (one, two, three)] == [False, True, True]
        log_out(LogOut(**asked, user_id=user.user_id, session_hash="", everywhere=True), uow=scene.store)
        assert [self._lives(scene, each.secret) for each in (one, two, three)] == [False] * 3
        after = scene.reader.find_user(user.email)
        assert after is not None
        assert after.epoch == user.epoch + 1

    def test_a_changed_password_ends_every_other_session(self) -> None:
        """The old one is asked for first, and counts as a try."""
        scene = self.access_scene()
        user = scene.add("ada").user
        mine, other = scene.log_in(user.email), scene.log_in(user.email)
        command = ChangePassword(
            **scene.asked(user.user_id),
            user_id=user.user_id,
            old_password=WRONG,
            new_password=NEW_PASSWORD,
            session_hash=mine.session.session_hash,
        )

        def change(command: ChangePassword) -> None:
            change_password(command, uow=scene.store, passwords=scene.passwords, clock=scene.clock)

        raised(LogInRefusedError, lambda: change(command))
        short = evolve(command, old_password=PASSWORD, new_password=WRONG[:5])
        assert raised(InvalidInputError, lambda: change(short)).field == "new_password"
        change(evolve(command, old_password=PASSWORD))
        assert (self._lives(scene, mine.secret), self._lives(scene, other.secret)) == (True, False)
        raised(LogInRefusedError, lambda: scene.log_in(user.email))
        scene.log_in(user.email, NEW_PASSWORD)

    def test_an_old_hash_is_replaced_at_the_next_log_in(self) -> None:
        """Newer rules reach everybody who comes back."""
        scene = self.access_scene()
        scene.add("ada")
        scene.passwords.rules = 2
        scene.log_in(scene.email("ada"))
        user = scene.reader.find_user(scene.email("ada"))
        assert user is not None
        assert user.password_hash is not None
        assert not scene.passwords.needs_rehash(user.password_hash)
        scene.log_in(scene.email("ada"))

    def test_a_reset_link_works_once_and_for_an_hour(self) -> None:
        """It goes to the address that is kept; sessions end, waiting ends."""
        scene = self.access_scene()
        scene.add("ada")
        session = scene.log_in(scene.email("ada"))
        for _ in range(FREE_TRIES):
            raised(LogInRefusedError, self._wrongly(scene))
        scene.ask_for_reset(scene.email("ada").upper())
        (letter,) = scene.mail.letters
        assert letter.to == scene.email("ada")
        assert raised(InvalidInputError, lambda: scene.use_link(letter.secret, "short")).field == "password"
        scene.use_link(letter.secret)
        assert not self._lives(scene, session.secret)
        scene.log_in(scene.email("ada"), NEW_PASSWORD)
        raised(LinkRefusedError, lambda: scene.use_link(letter.secret))
        scene.ask_for_reset(scene.email("ada"))
        scene.clock.advance(timedelta(hours=1))
        raised(LinkRefusedError, lambda: scene.use_link(scene.mail.letters[-1].secret))

    def test_links_that_are_none_open_nothing(self) -> None:
        """Not the neighbour's either: a link is kept behind its agency's wall."""
        scene, other = self.access_scene(), self.access_scene()
        scene.add("ada")
        scene.ask_for_reset(scene.email("ada"))
        secret = scene.mail.letters[0].secret
        moved = other.agency_id.hex + secret[32:]
        for text in ("", "x", secret[:-1], secret + "x", moved, secret.upper(), secret[33:]):
            raised(LinkRefusedError, scene.use_link, text)
        scene.use_link(secret)

    def test_nobody_without_an_account_gets_a_letter_and_nobody_gets_many(self) -> None:
        """A few unused links at once are enough."""
        scene = self.access_scene()
        scene.add("ada")
        scene.ask_for_reset(scene.email("nobody"))
        assert scene.mail.letters == []
        for _ in range(MOST_LIVE_LINKS + 3):
            scene.ask_for_reset(scene.email("ada"))
        assert len(scene.mail.letters) == MOST_LIVE_LINKS
        scene.use_link(scene.mail.letters[0].secret)
        raised(LinkRefusedError, lambda: scene.use_link(scene.mail.letters[1].secret))

    def test_an_invitation_gives_a_place_and_a_password(self) -> None:
        """Somebody who has an account elsewhere keeps it, and has two places."""
        (scene, home), other = self.scene_with_house(), self.access_scene()
        member, letter = scene.invite(scene.email("new"), Role.OWNER, reach=frozenset({home}))
        raised(LogInRefusedError, lambda: scene.log_in(scene.email("new"), NEW_PASSWORD))
        scene.use_link(letter.secret)
        assert scene.log_in(scene.email("new"), NEW_PASSWORD).session.agency_id == scene.agency_id
        raised(InvalidInputError, lambda: scene.invite(scene.email("new")))
        again, _ = other.invite(scene.email("new"))
        assert again.user.user_id == member.user.user_id
        logged_in = other.log_in(scene.email("new"), NEW_PASSWORD, agency_id=other.agency_id)
        assert logged_in.session.agency_id == other.agency_id
        found = scene.reader.find_member(scene.agency_id, member.user.user_id)
        assert found is not None
        assert found.membership.role is Role.OWNER

    def test_members_of_another_agency_are_not_found(self) -> None:
        """Neither listed nor changed."""
        scene, other = self.access_scene(), self.access_scene()
        ada, eve = scene.add("ada"), other.add("eve")
        assert [each.user.email for each in list_members(scene.command(), uow=scene.store)] == [
            ada.user.email
        ]
        raised(NotFoundError, lambda: get_member(scene.command(), eve.user.user_id, uow=scene.store))
        raised(NotFoundError, lambda: scene.change(eve, Role.STAFF))
        assert scene.reader.find_member(scene.agency_id, eve.user.user_id) is None

    def test_the_last_admin_stays(self) -> None:
        """Neither another role nor a closed door, by whoever; a second admin frees the first."""
        scene = self.access_scene()
        ada = scene.add("ada")
        scene.add("bob", Role.STAFF)
        for attempt in (
            lambda: scene.change(ada, Role.MANAGER),
            lambda: scene.change(ada, is_active=False),
            lambda: self._disable(scene, ada.user.user_id),
        ):
            assert raised(TransitionError, attempt).params["reason"] == "last_admin"
        scene.add("eve")
        scene.change(ada, Role.MANAGER)
        assert get_member(scene.command(), ada.user.user_id, uow=scene.store).membership.version == 2

    def test_a_disabled_account_is_out_at_once_and_can_come_back(self) -> None:
        """Sessions and links end with it."""
        scene = self.access_scene()
        scene.add("admin")
        ada = scene.add("ada", Role.STAFF)
        session = scene.log_in(ada.user.email)
        scene.ask_for_reset(ada.user.email)
        self._disable(scene, ada.user.user_id)
        assert not self._lives(scene, session.secret)
        raised(LogInRefusedError, lambda: scene.log_in(ada.user.email))
        raised(LinkRefusedError, lambda: scene.use_link(scene.mail.letters[0].secret))
        self._disable(scene, ada.user.user_id, is_disabled=False)
        scene.log_in(ada.user.email)

    def test_a_membership_is_changed_as_it_was_read_or_not_at_all(self) -> None:
        """Two admins do not overwrite each other."""
        scene = self.access_scene()
        scene.add("admin")
        bob = scene.add("bob", Role.STAFF)
        scene.change(bob, Role.MANAGER)
        with scene.store.begin(scene.command()) as work:
            work.memberships.get(bob.user.user_id)
            work.memberships.save(evolve(bob.membership, role=Role.STAFF))
            raised(StaleVersionError, work.commit)

    def test_a_key_is_found_by_its_hash_until_somebody_withdraws_it(self) -> None:
        """The store never has the text; withdrawing twice changes nothing more."""
        scene = self.access_scene()
        made = scene.key(Role.STAFF)
        found = scene.reader.find_key(fingerprint(made.text))
        assert found == made.key
        assert made.text not in repr(made)
        assert scene.reader.find_key(made.text) is None
        command = RevokeKey(**scene.asked(), key_id=made.key.key_id)
        gone = revoke_key(command, uow=scene.store, clock=scene.clock)
        assert gone == revoke_key(command, uow=scene.store, clock=scene.clock)
        found = scene.reader.find_key(fingerprint(made.text))
        assert found is not None
        assert not found.is_valid(scene.clock.now())
        assert list_keys(scene.command(), uow=scene.store) == (found,)
        other = self.access_scene()
        raised(
            NotFoundError,
            lambda: revoke_key(
                evolve(command, agency_id=other.agency_id), uow=scene.store, clock=scene.clock
            ),
        )
        assert list_keys(other.command(), uow=scene.store) == ()

    def test_the_use_of_keys_and_sessions_is_remembered(self) -> None:
        """By the day, and by the minute."""
        scene = self.access_scene()
        scene.add("ada")
        made, logged_in = scene.key(), scene.log_in(scene.email("ada"))
        scene.clock.advance(timedelta(minutes=5))
        now = scene.clock.now()
        scene.reader.note_key_use(scene.agency_id, made.key.key_id, now.date())
        scene.reader.note_session_use(logged_in.session.session_hash, now)
        key, session = (
            scene.reader.find_key(made.key.key_hash),
            scene.reader.find_session(logged_in.session.session_hash),
        )
        assert key is not None
        assert session is not None
        assert (key.used_on, session.session.seen_at) == (now.date(), now)

    def test_the_log_tells_who_came_and_went_without_a_name(self) -> None:
        """Ids and field names only."""
        scene = self.access_scene()
        ada = scene.add("ada")
        raised(LogInRefusedError, self._wrongly(scene))
        scene.log_in(ada.user.email)
        scene.ask_for_reset(ada.user.email)
        scene.use_link(scene.mail.letters[0].secret)
        scene.key()
        events = scene.store.events_after((0, 0), scene.agency_id)
        assert [each.kind for each in events] == [
            "agency.opened",
            "user.invited",
            "membership.changed",
            "user.logInFailed",
            "user.loggedIn",
            "user.linkMade",
            "user.passwordChanged",
            "key.created",
        ]
        told = repr([each.payload for each in events])
        for secret in (ada.user.email, "ada", PASSWORD, NEW_PASSWORD, scene.mail.letters[0].secret):
            assert secret not in told

    def _wrongly(self, scene: AccessScene) -> Callable[[], object]:
        return lambda: scene.log_in(scene.email("ada"), WRONG)

    def _lives(self, scene: AccessScene, secret: str) -> bool:
        return scene.reader.find_session(fingerprint(secret)) is not None

    def _disable(self, scene: AccessScene, user_id: object, *, is_disabled: bool = True) -> None:
        (member,) = (
            each for each in list_members(scene.command(), uow=scene.store) if each.user.user_id == user_id
        )
        command = DisableUser(**scene.asked(), user_id=member.user.user_id, is_disabled=is_disabled)
        disable_user(command, uow=scene.store, clock=scene.clock)
