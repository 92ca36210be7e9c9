"""Signatures: our own cases, and those of the published suites where they are at hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.secrets import Secret
from pmscore.webhooks.policies.signing import (
    TOLERANCE,
    WebhookRefusedError,
    new_secret,
    signed_headers,
    verify_webhook,
)

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = Secret("whsec_" + base64.b64encode(KEY).decode())
OTHER = Secret("whsec_" + base64.b64encode(KEY[::-1]).decode())
BODY = '{"type":"booking.created","data":{"name":"Zo\u00eb"}}'.encode()

secrets = st.binary(min_size=24, max_size=64).map(
    lambda key: Secret("whsec_" + base64.b64encode(key).decode())
)


class Counting:
    def __init__(self) -> None:
        self.drawn = 0

    def draw(self, size: int) -> bytes:
        self.drawn += 1
        return bytes([self.drawn]) * size


def test_a_signature_is_the_hmac_of_id_time_and_body():
    at = str(int(NOW.timestamp()))
    expected = hmac.new(KEY, b"msg_1." + at.encode() + b"." + BODY, hashlib.sha256).digest()
    assert signed_headers("msg_1", NOW, BODY, [SECRET]) == {
        "webhook-id": "msg_1",
        "webhook-timestamp": at,
        "webhook-signature": "v1," + base64.b64encode(expected).decode(),
    }


@given(secrets, st.binary(max_size=300), st.integers(-300, 300))
def test_what_was_signed_is_verified_within_the_tolerance(secret: Secret, body: bytes, seconds: int):
    headers = signed_headers("msg_1", NOW, body, [secret])
    assert verify_webhook(headers, body, [secret], NOW + timedelta(seconds=seconds)) == "msg_1"


@given(secrets, st.binary(max_size=100), st.data())
def test_a_changed_body_is_refused(secret: Secret, body: bytes, data: st.DataObject):
    other = data.draw(st.binary(max_size=100).filter(lambda each: each != body))
    with pytest.raises(WebhookRefusedError):
        verify_webhook(signed_headers("msg_1", NOW, body, [secret]), other, [secret], NOW)


def test_a_secret_is_changed_without_a_message_lost():
    # The sender signs with both; a receiver has the old one, the new one, or both.
    headers = signed_headers("msg_1", NOW, BODY, [OTHER, SECRET])
    for known in ([SECRET], [OTHER], [SECRET, OTHER], [OTHER.reveal()]):
        assert verify_webhook(headers, BODY, known, NOW) == "msg_1"
    with pytest.raises(WebhookRefusedError):
        verify_webhook(signed_headers("msg_1", NOW, BODY, [OTHER]), BODY, [SECRET], NOW)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"webhook-id": None}, "header_missing"),
        ({"webhook-timestamp": None}, "header_missing"),
        ({"webhook-signature": None}, "header_missing"),
        ({"webhook-id": "msg_2"}, "no_match"),
        ({"webhook-id": ""}, "timestamp"),
        ({"webhook-timestamp": "soon"}, "timestamp"),
        ({"webhook-timestamp": "-1"}, "timestamp"),
        ({"webhook-timestamp": "1" * 400}, "timestamp"),
        ({"webhook-timestamp": "\u0661\u0662"}, "timestamp"),
        ({"webhook-signature": ""}, "no_match"),
        ({"webhook-signature": "v1,"}, "no_match"),
        ({"webhook-signature": "v1,\u00e9"}, "no_match"),
        ({"webhook-signature": "v2,abc"}, "no_match"),
    ],
)
def test_a_message_with_another_header_is_refused(changes: dict[str, str | None], reason: str):
    headers: dict[str, str | None] = {**signed_headers("msg_1", NOW, BODY, [SECRET]), **changes}
    present = {name: value for name, value in headers.items() if value is not None}
    with pytest.raises(WebhookRefusedError) as caught:
        verify_webhook(present, BODY, [SECRET], NOW)
    assert caught.value.params["reason"] == reason


def test_a_message_is_refused_a_second_beyond_the_tolerance_either_way():
    headers = signed_headers("msg_1", NOW, BODY, [SECRET])
    for away in (TOLERANCE, -TOLERANCE):
        assert verify_webhook(headers, BODY, [SECRET], NOW + away)
        with pytest.raises(WebhookRefusedError):
            verify_webhook(
                headers, BODY, [SECRET], NOW + away + timedelta(seconds=1 if away > timedelta() else -1)
            )


def test_header_names_are_found_whatever_their_case():
    headers = signed_headers("msg_1", NOW, BODY, [SECRET])
    assert verify_webhook({name.title(): value for name, value in headers.items()}, BODY, [SECRET], NOW)


def test_only_the_first_twenty_signatures_are_looked_at():
    headers = signed_headers("msg_1", NOW, BODY, [SECRET])
    good = headers["webhook-signature"]
    assert verify_webhook({**headers, "webhook-signature": "v1,x " * 19 + good}, BODY, [SECRET], NOW)
    with pytest.raises(WebhookRefusedError):
        verify_webhook({**headers, "webhook-signature": "v1,x " * 20 + good}, BODY, [SECRET], NOW)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_short", "whsec_!!!", "whsec_" + "QUJD" * 40])
def test_a_secret_that_is_none_is_said_to_be_none(text: str):
    with pytest.raises(InvalidInputError):
        verify_webhook(signed_headers("msg_1", NOW, BODY, [SECRET]), BODY, [text], NOW)
    with pytest.raises(InvalidInputError):
        signed_headers("msg_1", NOW, BODY, [Secret(text)])


def test_new_secrets_have_32_bytes_and_work():
    source = Counting()
    first, second = new_secret(source), new_secret(source)
    assert first != second
    assert len(base64.b64decode(first.reveal().removeprefix("whsec_"))) == 32
    assert verify_webhook(signed_headers("m", NOW, b"", [first]), b"", [first], NOW) == "m"


def test_the_published_vectors_are_judged_as_published(shared_dir: Path):
    vectors = json.loads((shared_dir / "specs" / "standard-webhooks" / "vectors.json").read_text("utf-8"))
    assert len(vectors) >= 14
    for each in vectors:
        verdict = "accept"
        try:
            verify_webhook(
                each["headers"],
                base64.b64decode(each["body_base64"]),
                [each["secret"]],
                datetime.fromtimestamp(each["now"], UTC),
                tolerance=timedelta(seconds=each["tolerance_seconds"]),
            )
        except WebhookRefusedError:
            verdict = "reject"
        except InvalidInputError:
            verdict = "error"
        assert verdict == each["verdict"], each["name"]
