"""Who gets in with which credential, what it costs, and how soon a withdrawal counts."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from attrs import evolve, field, frozen

from pms_web.auth.authenticating import Authenticator
from pms_web.auth.key_ring import KeyRing
from pms_web.auth.presented import Presented
from pms_web.auth.remembering import Remembered
from pms_web.auth.tokens import Tokens
from pmscore.access.model.permissions import Role
from pmscore.access.model.principals import Means
from pmscore.access.model.refusals import CredentialsError
from pmscore.access.policies.secrets import csrf_token
from pmscore.access.use_cases.keys import RevokeKey, revoke_key
from pmscore.access.use_cases.logging_in import LogOut, log_out
from pmscore.kernel.errors import UnreachableError
from pmscore.testing.access_scenes import AccessScene, open_access_scene
from pmscore.testing.clocks import MovableClock, SeededIds
from pmscore.testing.memory import InMemoryStore


class CountingReader:
    """The store's reader, its looks counted; writes can fail."""

    def __init__(self, reader) -> None:
        self._reader = reader
        self.looks = []
        self.writes_fail = False

    def __getattr__(self, name):
        def asked(*args):
            self.looks.append(name)
            if self.writes_fail and name.startswith("note"):
                raise UnreachableError(reason="read_only")
            return getattr(self._reader, name)(*args)

        return asked


@frozen
class Door:
    """An authenticator before a store with an admin."""

    scene: AccessScene
    reader: CountingReader
    open: Authenticator = field()

    def refused(self, shown: Presented) -> str:
        with pytest.raises(CredentialsError) as error:
            self.open(shown)
        assert error.value.code == "not_authenticated"
        assert error.value.params == {}
        return error.value.reason

    def session(self, secret: str, method: str = "GET", **changes: str) -> Presented:
        shown = Presented(
            method=method, cookie=secret, csrf_token=csrf_token(secret), own_origin="https://pms.example"
        )
        return evolve(shown, **changes)

    def token(self, user) -> str:
        return self.open.tokens.issue(
            user, self.scene.agency_id, now=self.scene.clock.now(), ids=self.scene.ids
        )


def bearer(text: str) -> Presented:
    return Presented(method="POST", authorization=f"Bearer {text}")


@pytest.fixture
def door() -> Door:
    scene = open_access_scene(InMemoryStore(), SeededIds("door"))
    scene.add("admin")
    reader = CountingReader(scene.reader)
    tokens = Tokens(ring=KeyRing.read("s" * 40))
    return Door(scene, reader, Authenticator(reader=reader, tokens=tokens, clock=scene.clock))


def test_who_shows_nothing_is_nobody(door):
    assert door.open(Presented(method="GET")) is None
    assert door.reader.looks == []


def test_a_key_opens_its_agency_in_its_role(door):
    made = door.scene.key(Role.STAFF)
    principal = door.open(bearer(made.text))
    assert (principal.agency_id, principal.role, principal.means) == (
        door.scene.agency_id,
        Role.STAFF,
        Means.API_KEY,
    )
    assert principal.actor_id == made.key.key_id


def test_keys_that_are_not_quite_right_open_nothing(door):
    made = door.scene.key()
    _, key_id, secret = made.text.split("_", 2)
    dice = random.Random(1)
    wrong = [
        "pms_",
        f"pms_{key_id}_",
        f"pms_{uuid4().hex}_{secret}",
        f"pms_{key_id.upper()}_{secret}",
        f"pms_{key_id}_{secret[:-1]}",
        f"pms_{key_id}_{secret}x",
        made.text.replace("pms_", "PMS_"),
        secret,
        made.key.key_hash,
        f"pms_{key_id}_{made.key.key_hash}",
    ]
    for _ in range(200):
        at = dice.randrange(4, len(made.text))
        other = dice.choice([each for each in "0123456789abcdef" if each != made.text[at]])
        wrong.append(made.text[:at] + other + made.text[at + 1 :])
    for text in wrong:
        door.refused(bearer(text))
        assert door.open(bearer(made.text)) is not None


@pytest.mark.parametrize(
    "header",
    [
        "Basic {}",
        "Bearer",
        "Bearer ",
        "Bearer  {}",
        "{}",
        "Bearer {} {}",
        "Bearer {},x",
        "Bearer\t{}",
        "\x00",
    ],
)
def test_an_authorization_that_is_no_bearer_is_refused_even_beside_a_session(door, header):
    made = door.scene.key()
    cookie = door.scene.log_in(door.scene.email("admin")).secret
    shown = evolve(door.session(cookie), authorization=header.format(made.text, made.text))
    door.refused(shown)


def test_a_token_opens_what_its_member_may_today(door):
    bob = door.scene.add("bob", Role.STAFF)
    token = door.token(bob.user)
    assert door.open(bearer(token)).role is Role.STAFF
    door.scene.change(bob, Role.MANAGER)
    assert door.open(bearer(token)).role is Role.STAFF
    door.scene.clock.advance(timedelta(seconds=5))
    assert door.open(bearer(token)).role is Role.MANAGER
    door.scene.change(bob, is_active=False)
    door.open.forget()
    assert door.refused(bearer(token)) == "not_a_member"


def test_a_token_ends_with_the_epoch_of_its_account(door):
    bob = door.scene.add("bob", Role.STAFF).user
    token = door.token(bob)
    command = LogOut(**door.scene.asked(bob.user_id), user_id=bob.user_id, session_hash="", everywhere=True)
    log_out(command, uow=door.scene.store)
    assert door.refused(bearer(token)) == "token_epoch"
    assert door.refused(bearer(door.token(evolve(bob, epoch=99)))) == "token_epoch"


def test_a_key_or_token_costs_one_look_in_five_seconds(door):
    made, token = door.scene.key(), door.token(door.scene.add("bob", Role.STAFF).user)
    for _ in range(50):
        door.open(bearer(made.text))
        door.open(bearer(token))
    assert sorted(door.reader.looks) == ["find_key", "find_member", "note_key_use"]


def test_a_withdrawn_key_counts_elsewhere_for_five_seconds_and_here_not_at_all(door):
    made = door.scene.key()
    elsewhere = Authenticator(reader=door.scene.reader, tokens=door.open.tokens, clock=door.scene.clock)
    for each in (door.open, elsewhere):
        each(bearer(made.text))
    command = RevokeKey(**door.scene.asked(), key_id=made.key.key_id)
    revoke_key(command, uow=door.scene.store, clock=door.scene.clock)
    door.open.forget()
    door.refused(bearer(made.text))
    elsewhere(bearer(made.text))
    door.scene.clock.advance(timedelta(seconds=5))
    with pytest.raises(CredentialsError):
        elsewhere(bearer(made.text))


def test_a_key_expires_also_while_it_is_remembered(door):
    made = door.scene.key(expires_at=door.scene.clock.now() + timedelta(seconds=2))
    door.open(bearer(made.text))
    door.scene.clock.advance(timedelta(seconds=2))
    assert door.refused(bearer(made.text)) == "key_over"


def test_a_token_expires_also_while_it_is_remembered(door):
    bob = door.scene.add("bob", Role.STAFF).user
    token = door.token(bob)
    door.scene.clock.advance(timedelta(minutes=10) - timedelta(seconds=1))
    assert door.open(bearer(token)) is not None
    door.scene.clock.advance(timedelta(seconds=1))
    assert door.refused(bearer(token)) == "token_expired"


def test_a_session_ends_when_idle_and_at_last(door):
    secret = door.scene.log_in(door.scene.email("admin")).secret
    for _ in range(24):
        assert door.open(door.session(secret)).means is Means.SESSION
        door.scene.clock.advance(timedelta(minutes=29))
    door.scene.clock.advance(timedelta(minutes=24))
    assert door.refused(door.session(secret)) == "session_over"
    idle = door.scene.log_in(door.scene.email("admin")).secret
    door.scene.clock.advance(timedelta(minutes=30))
    assert door.refused(door.session(idle)) == "session_over"


def test_a_session_is_looked_up_each_time_and_ends_at_once(door):
    logged_in = door.scene.log_in(door.scene.email("admin"))
    door.open(door.session(logged_in.secret))
    command = LogOut(
        **door.scene.asked(), user_id=logged_in.user.user_id, session_hash=logged_in.session.session_hash
    )
    log_out(command, uow=door.scene.store)
    assert door.refused(door.session(logged_in.secret)) == "session_over"


@pytest.mark.parametrize("planted", ["", "x", "A" * 43, "../" * 20, "a" * 5000, "é" * 40])
def test_a_planted_session_is_never_taken_up(door, planted):
    before = door.scene.log_in(door.scene.email("admin"), old_session=planted or None)
    assert before.secret != planted
    if planted:
        assert door.refused(door.session(planted)) in {"session_form", "session_over"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "post", ""])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"csrf_token": ""}, "csrf_token"),
        ({"csrf_token": csrf_token("A" * 43)}, "csrf_token"),
        ({"csrf_token": "é" * 64}, "csrf_token"),
        ({"fetch_site": "cross-site"}, "other_site"),
        ({"fetch_site": "same-site"}, "other_site"),
        ({"origin": "https://evil.example"}, "other_origin"),
        ({"origin": "null"}, "other_origin"),
        ({"origin": "http://pms.example"}, "other_origin"),
    ],
)
def test_a_change_that_another_page_sends_is_refused_and_a_right_one_passes_beside_it(
    door, method, changes, reason
):
    secret = door.scene.log_in(door.scene.email("admin")).secret
    assert door.refused(door.session(secret, method, **changes)) == reason
    assert door.open(door.session(secret, method)) is not None
    assert door.open(door.session(secret, method, origin="https://pms.example")) is not None
    assert door.open(door.session(secret, method, fetch_site="same-origin", origin="x")) is not None
    assert door.open(door.session(secret, "GET", **changes)) is not None


def test_a_database_that_only_reads_keeps_nobody_out(door):
    made, secret = door.scene.key(), door.scene.log_in(door.scene.email("admin")).secret
    door.reader.writes_fail = True
    door.scene.clock.advance(timedelta(minutes=5))
    assert door.open(bearer(made.text)) is not None
    assert door.open(door.session(secret)) is not None


def test_refusals_are_logged_by_their_reason_and_nothing_secret(door, caplog):
    made = door.scene.key()
    with caplog.at_level("INFO", "pms_web.auth"):
        door.refused(bearer(made.text + "x"))
    assert "reason=key_unknown" in caplog.text
    assert made.text not in caplog.text
    assert made.text not in repr(bearer(made.text))


def test_what_is_remembered_is_bounded_and_never_put_back_after_forgetting():
    clock = MovableClock(open_access_scene(InMemoryStore(), SeededIds("r")).clock.now())
    memory: Remembered[int, int] = Remembered(clock, most=3)
    for number in range(10):
        assert memory.get(number, lambda number=number: number) == number
    assert len(memory) == 3
    assert memory.get(99, lambda: None) is None

    def look() -> int:
        memory.forget()
        return 1

    assert memory.get(50, look) == 1
    assert memory.get(50, lambda: 2) == 2
