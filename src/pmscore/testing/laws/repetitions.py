"""Laws of what is made under a key that may be left out: guests, keys for programs, invitations, webhooks.

Owns what a repetition is told, above all of secrets, which are shown once and kept nowhere. Leaves keys that
are always asked for to ``idempotency``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from attrs import evolve

from pmscore.access.model.permissions import Role
from pmscore.access.policies.secrets import fingerprint
from pmscore.access.use_cases.keys import NewKey, RevokeKey, list_keys, revoke_key
from pmscore.access.use_cases.members import list_members
from pmscore.guests.use_cases import AddGuest, ChangeGuest, add_guest, change_guest
from pmscore.kernel.errors import InvalidInputError, KeyReusedError
from pmscore.kernel.events import Command, Json, OnceKey
from pmscore.kernel.ids import PropertyId
from pmscore.testing.access_scenes import AccessScene
from pmscore.testing.laws.access import AccessSetting
from pmscore.testing.laws.setting import raised
from pmscore.testing.races import at_once
from pmscore.testing.subject import StoreUnderTest
from pmscore.testing.webhook_scenes import open_hook_scene

__all__ = ["RepetitionLaws"]

KEY = OnceKey("4f1d", "POST /somewhere", "fingerprint-1")
OTHER = evolve(KEY, fingerprint="fingerprint-2")


class RepetitionLaws(AccessSetting):
    """One key, one effect, one answer; and no secret in what is kept of it."""

    def test_a_guest_is_made_once(self) -> None:
        """And answered as they were made, whatever has become of them; nobody's name is kept with the key."""
        scene = self.scene()
        command = AddGuest(**scene.asked(), name="Ada Novak", email="ada@example.com", once=KEY)
        add = partial(add_guest, uow=scene.store, ids=scene.ids)
        first = add(command)
        renamed = ChangeGuest(**scene.asked(), guest_id=first.guest_id, name="Ada Moreira")
        change_guest(renamed, uow=scene.store, clock=scene.clock)
        assert add(command) == first
        raised(KeyReusedError, lambda: add(evolve(command, once=OTHER)))
        assert "Ada" not in repr(_kept(scene.store, command))
        assert add(evolve(command, once=None)) != first

    def test_a_key_is_made_once_and_its_text_shown_once(self) -> None:
        """A repetition is told which key it is, and that its text was shown before."""
        scene = self.access_scene()
        first = scene.key(once=KEY)
        again = scene.key(once=KEY)
        assert (first.text[:4], again.text) == ("pms_", "")
        assert evolve(again.key, key_hash=first.key.key_hash) == first.key
        assert list_keys(scene.command(), uow=scene.store) == (first.key,)
        found = scene.reader.find_key(fingerprint(first.text))
        assert found == first.key
        raised(KeyReusedError, lambda: scene.key(Role.MANAGER, once=OTHER))
        kept = repr(_kept(scene.store, Command(**scene.asking_once(KEY), once=KEY)))
        for secret in (first.text, first.text.rpartition("_")[2], first.key.key_hash):
            assert secret not in kept

    def test_a_key_that_was_withdrawn_or_would_be_refused_by_now_is_answered_as_it_was_made(self) -> None:
        """What was done once was done; nothing comes to life again."""
        scene = self.access_scene()
        until = scene.clock.now() + timedelta(hours=1)
        first = scene.key(expires_at=until, once=KEY)
        gone = RevokeKey(**scene.asked(), key_id=first.key.key_id)
        revoke_key(gone, uow=scene.store, clock=scene.clock)
        scene.clock.advance(timedelta(hours=2))
        again = scene.key(expires_at=until, once=KEY)
        assert (again.key.key_id, again.key.revoked_at, again.text) == (first.key.key_id, None, "")
        (kept,) = list_keys(scene.command(), uow=scene.store)
        assert kept.revoked_at is not None
        raised(InvalidInputError, lambda: scene.key(expires_at=until, once=evolve(KEY, key="another")))

    def test_of_many_who_ask_for_a_key_at_once_one_is_shown_it(self) -> None:
        """The others are told which one it is, or to wait."""
        scene = self.access_scene()
        made: list[NewKey] = []

        def ask() -> None:
            made.append(scene.key(once=KEY))

        outcomes = at_once([ask] * 4)
        assert set(outcomes) <= {"won", "request_in_progress", "busy"}, outcomes
        made.append(scene.key(once=KEY))
        assert len({each.key.key_id for each in made}) == 1
        assert sum(bool(each.text) for each in made) == 1
        assert len(list_keys(scene.command(), uow=scene.store)) == 1

    def test_somebody_is_invited_once_and_gets_one_letter(self) -> None:
        """Whether they had an account or not; what they have become since does not change the answer."""
        scene, other = self.access_scene(), self.access_scene()
        scene.add("admin")
        known = other.add("known", Role.STAFF)
        for email in (scene.email("new"), known.user.email):
            once = evolve(KEY, key=email)
            first = scene.invite_once(email, Role.STAFF, once=once)
            assert first.letter is not None
            scene.use_link(first.letter.secret)
            scene.change(first.member, Role.MANAGER)
            again = scene.invite_once(email, Role.STAFF, once=once)
            assert again.letter is None
            assert again.member.membership == first.member.membership
            assert again.member.user.user_id == first.member.user.user_id
            assert (again.member.user.password_hash is None) == (first.member.user.password_hash is None)
            raised(KeyReusedError, partial(self._invited_otherwise, scene, email, once))
            raised(InvalidInputError, scene.invite, email)
            kept = repr(_kept(scene.store, Command(**scene.asking_once(once), once=once)))
            assert email not in kept
            assert first.letter.secret not in kept
        assert len(list_members(scene.command(), uow=scene.store)) == 3

    def test_a_webhook_is_added_once_and_its_secret_shown_once(self) -> None:
        """A repetition is told which webhook it is; the secret is kept sealed and nowhere else."""
        ids = self.ids()
        at = open_hook_scene(self.scene(), ids)
        first = at.add("booking.*", once=KEY)
        again = at.add("booking.*", once=KEY)
        assert first.secret is not None
        assert again.secret is None
        (secret,) = first.endpoint.secrets
        assert evolve(again.endpoint, secrets=(secret,)) == first.endpoint
        assert [each.secret_id for each in again.endpoint.secrets] == [secret.secret_id]
        assert at.endpoint(first.endpoint.endpoint_id) == first.endpoint
        kept = repr(_kept(at.scene.store, at.scene.command(KEY)))
        assert first.secret.reveal().removeprefix("whsec_") not in kept
        assert secret.sealed not in kept
        at.remove(first.endpoint)
        assert at.add("booking.*", once=KEY).endpoint == again.endpoint
        raised(KeyReusedError, lambda: at.add("*", once=OTHER))
        with at.scene.begin() as work:
            assert work.webhooks.all() == ()

    def test_what_is_refused_leaves_its_key_unused(self) -> None:
        """It is good for what can be done."""
        scene, home = self.scene_with_house()
        nobodys = frozenset({PropertyId(scene.ids.new())})
        raised(InvalidInputError, lambda: scene.key(reach=nobodys, once=KEY))
        assert scene.key(reach=frozenset({home}), once=OTHER).text

    def _invited_otherwise(self, scene: AccessScene, email: str, once: OnceKey) -> object:
        return scene.invite_once(email, Role.MANAGER, once=evolve(once, fingerprint="fingerprint-2"))


def _kept(store: StoreUnderTest, command: Command) -> Mapping[str, Json]:
    """Return what is kept of the answer under the command's key."""
    with store.begin(command) as work:
        reply = work.find_reply()
    assert reply is not None
    return reply
