"""Accounts, memberships, keys, sessions and links by themselves, and what a log-in does between two agencies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.access.model.keys import ApiKey
from pmscore.access.model.permissions import Role
from pmscore.access.model.refusals import LogInRefusedError
from pmscore.access.model.sessions import ABSOLUTE_LIFE, IDLE_LIFE, Session
from pmscore.access.model.users import Membership, User, check_reach, normalised_email
from pmscore.access.policies.administering import refuse_without_admin
from pmscore.access.policies.back_off import FREE_TRIES, LONGEST_WAIT, may_try, taking_a_try
from pmscore.access.policies.secrets import (
    csrf_token,
    fingerprint,
    is_same,
    key_text,
    link_agency,
    link_text,
    new_secret,
    read_key_id,
)
from pmscore.kernel.errors import InvalidInputError, TransitionError
from pmscore.kernel.ids import AgencyId, ApiKeyId, PropertyId, UserId
from pmscore.kernel.secrets import SecretSource
from pmscore.testing.access_scenes import NumberedSecrets, open_access_scene
from pmscore.testing.clocks import SeededIds
from pmscore.testing.memory import InMemoryStore

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
AGENCY, HOUSE = AgencyId(UUID(int=1)), PropertyId(UUID(int=2))
ADA = User(user_id=UserId(UUID(int=3)), email="ada@example.com", name="Ada")
SECRETS = st.text(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=32, max_size=128
)


def membership(number: int, role: Role = Role.ADMIN, **changes) -> Membership:
    return Membership(agency_id=AGENCY, user_id=UserId(UUID(int=number)), role=role, **changes)


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("\uff41\uff44\uff41@example.com", "ada@example.com"),
        ("straße@example.com", "straße@example.com"),
    ],
)
def test_an_address_has_one_form(text, email):
    assert normalised_email(text) == email
    assert normalised_email(email) == email


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "a@b@c",
        "a b@c",
        "a\n@c",
        "a\x00@c",
        "\ud800@c",
        "x" * 65 + "@c",
        "a@" + "c" * 300,
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InvalidInputError) as refused:
        normalised_email(text)
    assert refused.value.field == "email"


@given(st.text())
def test_any_text_is_an_address_in_its_one_form_or_refused(text):
    try:
        email = normalised_email(text)
    except InvalidInputError:
        return
    assert normalised_email(email) == email


def test_role_and_reach_go_together():
    check_reach(Role.STAFF, None)
    check_reach(Role.STAFF, frozenset())
    check_reach(Role.OWNER, frozenset({HOUSE}))
    for role, reach in (
        (Role.GUEST, None),
        (Role.ADMIN, frozenset({HOUSE})),
        (Role.OWNER, None),
        (Role.OWNER, frozenset()),
        (Role.STAFF, frozenset(PropertyId(UUID(int=each)) for each in range(1001))),
    ):
        with pytest.raises(InvalidInputError):
            check_reach(role, reach)


def test_hashes_do_not_show():
    user = evolve(ADA, password_hash="$argon2id$secret")
    key = ApiKey(
        key_id=ApiKeyId(UUID(int=9)),
        agency_id=AGENCY,
        name="Till",
        role=Role.STAFF,
        key_hash="hash-of-it",
        created_at=NOW,
    )
    assert "argon2" not in repr(user)
    assert "hash-of-it" not in repr(key)


@given(st.lists(st.integers(0, 3000), max_size=40))
def test_tries_that_fail_wait_longer_and_never_more_than_the_longest(pauses):
    user, now, waits = ADA, NOW, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if not may_try(user, now):
            continue
        user = taking_a_try(user, now)
        assert (user.blocked_until is None) == (user.failed_tries < FREE_TRIES)
        if user.blocked_until is not None:
            waits.append(user.blocked_until - now)
            assert not may_try(user, user.blocked_until - timedelta(microseconds=1))
            assert may_try(user, user.blocked_until)
    assert waits == sorted(waits)
    assert all(each <= LONGEST_WAIT for each in waits)


@given(
    st.lists(st.tuples(st.sampled_from([Role.ADMIN, Role.STAFF]), st.booleans()), min_size=1, max_size=6),
    st.data(),
)
def test_an_agency_that_has_an_admin_keeps_one(people, data):
    members = [
        membership(number, role, disabled_at=None if is_open else NOW)
        for number, (role, is_open) in enumerate(people)
    ]
    changed = data.draw(st.sampled_from(members))
    role, is_open = data.draw(st.sampled_from([Role.ADMIN, Role.STAFF])), data.draw(st.booleans())
    after = changed.changed(role=role, property_ids=None, disabled_at=None if is_open else NOW).state
    admins = [each for each in members if each.is_active_admin]
    left = [each for each in (*(m for m in members if m is not changed), after) if each.is_active_admin]
    if admins and not left:
        with pytest.raises(TransitionError) as refused:
            refuse_without_admin(admins, after)
        assert refused.value.params["reason"] == "last_admin"
    else:
        refuse_without_admin(admins, after)


def test_a_session_lives_while_it_is_used_and_twelve_hours_at_most():
    session = Session(session_hash="x", user_id=ADA.user_id, agency_id=AGENCY, created_at=NOW, seen_at=NOW)
    assert session.is_valid(NOW + IDLE_LIFE - timedelta(microseconds=1))
    assert not session.is_valid(NOW + IDLE_LIFE)
    late = session.seen(NOW + ABSOLUTE_LIFE - timedelta(minutes=1))
    assert late.expires_at == NOW + ABSOLUTE_LIFE
    assert late.seen(NOW) == late


@given(st.uuids(), SECRETS)
def test_keys_and_links_are_read_as_they_were_written(number, secret):
    assert read_key_id(key_text(ApiKeyId(number), secret)) == number
    assert link_agency(link_text(AgencyId(number), secret)) == number
    assert read_key_id(link_text(AgencyId(number), secret)) is None
    assert link_agency(key_text(ApiKeyId(number), secret)) is None


@given(st.text(), st.text())
def test_secrets_are_the_same_only_if_they_are(one, other):
    assert is_same(one, one)
    if one.encode("utf-8", "replace") != other.encode("utf-8", "replace"):
        assert not is_same(one, other)
    assert len(fingerprint(one)) == 64
    assert csrf_token(one or "x") != fingerprint(one or "x")


def test_drawn_secrets_are_long_differ_and_go_into_every_form():
    source = NumberedSecrets(SeededIds("drawn"))
    drawn = {new_secret(source) for _ in range(100)}
    assert len(drawn) == 100
    assert {len(each) for each in drawn} == {43}
    for each in drawn:
        assert read_key_id(key_text(ApiKeyId(UUID(int=1)), each)) == UUID(int=1)
        assert link_agency(link_text(AGENCY, each)) == AGENCY


def test_a_secret_is_all_that_the_source_draws():
    class Given(SecretSource):
        def draw(self, size: int) -> bytes:
            assert size == 32
            return bytes(range(224, 256))

    assert new_secret(Given()) == "4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3-Pn6-_z9_v8"


def test_whoever_is_shut_out_of_one_agency_comes_into_the_other():
    store, ids = InMemoryStore(), SeededIds("two agencies")
    first, second = open_access_scene(store, ids), open_access_scene(store, ids)
    first.add("boss")
    ada = first.add("ada", Role.STAFF)
    second.add("boss")
    second.invite(ada.user.email)
    places = sorted([first, second], key=lambda scene: scene.agency_id)
    assert first.log_in(ada.user.email).session.agency_id == places[0].agency_id
    places[0].change(ada, is_active=False)
    assert first.log_in(ada.user.email).session.agency_id == places[1].agency_id
    with pytest.raises(LogInRefusedError):
        first.log_in(ada.user.email, agency_id=places[0].agency_id)
    places[1].change(ada, is_active=False)
    with pytest.raises(LogInRefusedError):
        first.log_in(ada.user.email)


def test_an_account_that_is_too_busy_to_count_a_try_is_refused_like_any_other():
    store = InMemoryStore(lock_timeout=timedelta(milliseconds=20))
    scene = open_access_scene(store, SeededIds("busy"))
    ada = scene.add("ada")
    work = scene.passwords.work
    with store.begin(scene.command()) as guessing:
        guessing.users.get(ada.user.user_id)
        with pytest.raises(LogInRefusedError):
            scene.log_in(ada.user.email)
    assert scene.passwords.work == work + 1
    scene.log_in(ada.user.email)
