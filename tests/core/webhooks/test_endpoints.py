from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.kernel.errors import InvalidInputError, TransitionError
from pmscore.webhooks.model.endpoints import (
    MOST_SECRETS,
    Endpoint,
    EndpointChange,
    EndpointId,
    EndpointStatus,
    SigningSecret,
    checked_kinds,
)

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def secret(at: datetime = NOW) -> SigningSecret:
    return SigningSecret(secret_id=uuid4(), sealed="pms1.k.abc", created_at=at)


def endpoint(*kinds: str) -> Endpoint:
    return Endpoint(
        endpoint_id=EndpointId(UUID(int=7)),
        url="https://hooks.test/secret-path",
        kinds=kinds or ("booking.*",),
        created_at=NOW,
        secrets=(secret(),),
    )


@pytest.mark.parametrize(
    ("wanted", "kind", "is_wanted"),
    [
        ("*", "booking.created", True),
        ("booking.created", "booking.created", True),
        ("booking.created", "booking.created_too", False),
        ("booking.*", "booking.created", True),
        ("booking.*", "bookings.created", False),
        ("booking.*", "booking", False),
        ("quote.*", "booking.created", False),
    ],
)
def test_an_endpoint_wants_the_kinds_that_it_names(wanted: str, kind: str, is_wanted: bool):
    assert endpoint(wanted).wants(kind) is is_wanted


def test_a_paused_endpoint_still_wants_what_it_gets_later_and_a_disabled_one_nothing():
    assert evolve(endpoint("*"), status=EndpointStatus.PAUSED).wants("a.b")
    assert not evolve(endpoint("*"), status=EndpointStatus.DISABLED).wants("a.b")


def test_kinds_are_put_in_order_once_each():
    assert checked_kinds(["b.*", "a", "b.*"]) == ("a", "b.*")


@pytest.mark.parametrize("kinds", [[], ["A"], ["a b"], ["a.*.b"], ["**"], ["a" * 65], [""], ["a\n"], ["é"]])
def test_what_is_no_kind_is_refused(kinds: list[str]):
    with pytest.raises(InvalidInputError) as caught:
        checked_kinds(kinds)
    assert caught.value.field == "kinds"


@given(st.text(max_size=80))
def test_no_text_breaks_the_check_of_kinds(text: str):
    try:
        assert checked_kinds([text]) == (text,)
    except InvalidInputError:
        assert text != "booking.created"


def test_a_change_names_its_fields_and_never_their_values():
    decision = endpoint().change(EndpointChange(url="https://new.test/other-secret", is_full=True))
    (told,) = decision.events
    assert told.payload() == {"fields": ["url", "is_full"]}
    assert decision.state.version == told.version == 2
    assert "other-secret" not in repr(decision.state)
    assert "pms1" not in repr(decision.state)


def test_a_change_that_changes_nothing_is_no_event():
    before = endpoint()
    decision = before.change(EndpointChange(url=before.url))
    assert (decision.state, decision.events) == (before, ())


def test_making_a_disabled_endpoint_active_forgets_the_reason():
    disabled = endpoint().disable("gave_up").state
    assert (disabled.status, disabled.reason) == (EndpointStatus.DISABLED, "gave_up")
    assert disabled.change(EndpointChange(description="x")).state.reason == "gave_up"
    again = disabled.change(EndpointChange(status=EndpointStatus.ACTIVE)).state
    assert (again.status, again.reason) == (EndpointStatus.ACTIVE, None)


def test_an_endpoint_is_disabled_once():
    disabled = endpoint().disable("gone").state
    assert disabled.disable("gave_up").events == ()


def test_after_a_rotation_both_secrets_sign_until_the_old_one_retires():
    before = endpoint()
    new = secret(NOW + timedelta(hours=1))
    after = before.rotate(new, keeps=timedelta(hours=24)).state
    old = before.secrets[0].secret_id
    ends = new.created_at + timedelta(hours=24)
    assert [each.secret_id for each in after.signing(ends - timedelta(seconds=1))] == [new.secret_id, old]
    assert [each.secret_id for each in after.signing(ends)] == [new.secret_id]


def test_a_rotation_after_a_leak_ends_the_old_secret_at_once():
    new = secret(NOW + timedelta(hours=1))
    assert endpoint().rotate(new, keeps=timedelta()).state.secrets == (new,)


def test_a_second_rotation_makes_no_old_secret_last_longer():
    first = endpoint().rotate(secret(NOW), keeps=timedelta(hours=1)).state
    second = first.rotate(secret(NOW + timedelta(minutes=30)), keeps=timedelta(hours=24)).state
    assert second.secrets[2].retires_at == NOW + timedelta(hours=1)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 168)), max_size=12))
def test_there_is_always_a_secret_that_signs_and_never_too_many(steps: list[tuple[int, int]]):
    state, now = endpoint(), NOW
    for hours, keeps in steps:
        now += timedelta(hours=hours)
        try:
            state = state.rotate(secret(now), keeps=timedelta(hours=keeps)).state
        except TransitionError:
            assert len(state.signing(now)) >= MOST_SECRETS
        assert 1 <= len(state.signing(now)) <= MOST_SECRETS
        assert state.secrets[0].retires_at is None
        assert all(each.retires_at is not None for each in state.secrets[1:])
