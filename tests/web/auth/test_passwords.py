"""Argon2 behind the port, and which passwords will do."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pms_web.auth.passwords import Argon2Passwords
from pmscore.access.policies.passwords import checked_password
from pmscore.kernel.errors import InvalidInputError

QUICK = Argon2Passwords(passes=1, memory_kib=64)


def test_a_password_matches_its_hash_and_no_other():
    hashed = QUICK.hash("four blue herons at noon")
    assert hashed.startswith("$argon2id$")
    assert QUICK.matches(hashed, "four blue herons at noon")
    assert not QUICK.matches(hashed, "four blue herons at noon ")
    assert not QUICK.matches(None, "nobody has this password")
    assert not QUICK.matches("not a hash", "x")
    assert not QUICK.matches(hashed, "\ud800")
    assert QUICK.hash("same") != QUICK.hash("same")


def test_a_hash_of_other_parameters_is_made_anew():
    stronger = Argon2Passwords(passes=2, memory_kib=64)
    hashed = QUICK.hash("four blue herons at noon")
    assert stronger.matches(hashed, "four blue herons at noon")
    assert stronger.needs_rehash(hashed)
    assert not QUICK.needs_rehash(hashed)


def test_nobody_costs_as_much_as_somebody():
    """Comparable work, so an answer's time does not tell who has an account."""
    slow = Argon2Passwords(passes=1, memory_kib=16_384)
    hashed = slow.hash("four blue herons at noon")

    def cost(password_hash: str | None) -> float:
        def once() -> float:
            begun = time.perf_counter()
            slow.matches(password_hash, "nine grey wolves at dusk")
            return time.perf_counter() - begun

        return min(once() for _ in range(7))

    assert 0.5 < cost(None) / cost(hashed) < 2


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("elevenchars", "too_short"),
        ("x" * 257, "too_long"),
        ("aaaaaaaaaaaaaaaa", "too_common"),
        ("abababababababab", "too_common"),
        ("password1234", "too_common"),
        ("PassWord!!2024", "too_common"),
        ("passwordpassword", "too_common"),
        ("123456789012", "too_common"),
        ("987654321098", "too_common"),
        ("qwertyuiopas", "too_common"),
        ("correct horse battery staple", "too_common"),
        ("ada.moreira@example.com", "too_common"),
        ("herons \ud800 at noon", "lone_surrogate"),
    ],
)
def test_passwords_that_everybody_tries_are_refused(password, reason):
    with pytest.raises(InvalidInputError) as refused:
        checked_password(password, email="ada.moreira@example.com")
    assert refused.value.reason == reason
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password", ["four blue herons", "x7!kQ2m-Zr8w", "три синих цапли", "ﬁve blue herons"]
)
def test_long_ones_in_any_script_will_do(password):
    assert len(checked_password(password)) >= 12


@given(st.text(min_size=12, max_size=200))
def test_whatever_is_taken_stays_the_same_when_prepared_again(password):
    try:
        prepared = checked_password(password)
    except InvalidInputError:
        return
    assert checked_password(prepared) == prepared
