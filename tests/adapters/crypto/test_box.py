from __future__ import annotations

import base64
import json
import logging
import pickle
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pms_adapters.crypto.box import AesGcmBox, new_key, read_keys
from pms_adapters.system import SystemSecrets
from pmscore.kernel.errors import InvalidInputError, MisconfiguredError, MisuseError
from pmscore.kernel.ids import AgencyId
from pmscore.kernel.secrets import Secret

OLD, NEW, OTHER = (read_keys(new_key())[0] for _ in range(3))
HOUSE, STRANGER = AgencyId(uuid4()), AgencyId(uuid4())
COLUMN = "webhook_secrets.sealed"
texts = st.text(st.characters(codec="utf-8"), max_size=200)


@given(texts, st.uuids(), st.text(st.characters(codec="ascii"), max_size=30))
def test_what_was_sealed_opens_as_it_was(text: str, agency: UUID, column: str):
    box = AesGcmBox([NEW, OLD])
    sealed = box.seal(AgencyId(agency), column, Secret(text))
    assert box.open(AgencyId(agency), column, sealed).reveal() == text
    assert box.is_current(sealed)


@given(texts)
def test_the_same_secret_is_never_sealed_alike(text: str):
    box = AesGcmBox([NEW])
    assert box.seal(HOUSE, COLUMN, Secret(text)) != box.seal(HOUSE, COLUMN, Secret(text))


@pytest.mark.parametrize(
    ("agency", "column"), [(STRANGER, COLUMN), (HOUSE, "other.column"), (HOUSE, COLUMN + "x")]
)
def test_a_sealed_text_that_was_moved_does_not_open(agency: AgencyId, column: str):
    box = AesGcmBox([NEW])
    sealed = box.seal(HOUSE, COLUMN, Secret("s3cret"))
    with pytest.raises(MisconfiguredError) as caught:
        box.open(agency, column, sealed)
    assert caught.value.params["reason"] == "sealed_text_broken"
    assert box.open(HOUSE, COLUMN, sealed).reveal() == "s3cret"


@given(st.data())
def test_a_sealed_text_with_one_changed_character_does_not_open(data: st.DataObject):
    box = AesGcmBox([NEW, OLD])
    sealed = box.seal(HOUSE, COLUMN, Secret("a secret of some length"))
    head, _, body = sealed.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(body))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(MisconfiguredError):
        box.open(HOUSE, COLUMN, f"{head}.{base64.urlsafe_b64encode(bytes(raw)).decode()}")


def test_a_sealed_text_that_names_another_key_of_the_ring_does_not_open():
    new = AesGcmBox([NEW])
    sealed = new.seal(HOUSE, COLUMN, Secret("s3cret"))
    _, key_id, body = sealed.split(".")
    other_id = AesGcmBox([OLD]).seal(HOUSE, COLUMN, Secret("")).split(".")[1]
    assert other_id != key_id
    with pytest.raises(MisconfiguredError):
        AesGcmBox([NEW, OLD]).open(HOUSE, COLUMN, f"pms1.{other_id}.{body}")


@given(st.text(max_size=40))
def test_no_text_that_was_not_sealed_breaks_the_box(text: str):
    with pytest.raises(MisconfiguredError):
        AesGcmBox([NEW]).open(HOUSE, COLUMN, text)
    with pytest.raises(MisconfiguredError):
        AesGcmBox([NEW]).open(HOUSE, COLUMN, AesGcmBox([NEW]).seal(HOUSE, COLUMN, Secret("x")) + text + "!")


def test_an_old_key_still_opens_and_what_it_sealed_is_not_current():
    sealed = AesGcmBox([OLD]).seal(HOUSE, COLUMN, Secret("s3cret"))
    ring = AesGcmBox([NEW, OLD])
    assert ring.open(HOUSE, COLUMN, sealed).reveal() == "s3cret"
    assert not ring.is_current(sealed)
    assert ring.is_current(ring.seal(HOUSE, COLUMN, Secret("s3cret")))


def test_a_removed_key_is_named():
    sealed = AesGcmBox([OLD]).seal(HOUSE, COLUMN, Secret("s3cret"))
    with pytest.raises(MisconfiguredError) as caught:
        AesGcmBox([NEW]).open(HOUSE, COLUMN, sealed)
    assert caught.value.params["reason"] == "encryption_key_missing"
    assert caught.value.params["key"] == sealed.split(".")[1]
    assert caught.value.params["column"] == COLUMN


def test_without_a_key_nothing_is_sealed():
    with pytest.raises(MisconfiguredError) as caught:
        AesGcmBox([]).seal(HOUSE, COLUMN, Secret("s3cret"))
    assert caught.value.params["reason"] == "no_encryption_key"
    assert not AesGcmBox([]).is_current("pms1.x.y")


def test_several_keys_are_read_newest_first():
    first, second = new_key(), new_key()
    assert read_keys(f"{first}, {second}") == read_keys(first) + read_keys(second)
    assert read_keys("") == ()
    sealed = AesGcmBox(read_keys(f"{first} {second}")).seal(HOUSE, COLUMN, Secret("x"))
    assert AesGcmBox(read_keys(first)).open(HOUSE, COLUMN, sealed).reveal() == "x"


@pytest.mark.parametrize("text", ["short", "A" * 43, "\u00e9" * 44, base64.b64encode(b"x" * 31).decode()])
def test_a_bad_key_is_refused_without_being_shown(text: str):
    with pytest.raises(InvalidInputError) as caught:
        read_keys(f"{new_key()} {text}")
    assert caught.value.field == "ENCRYPTION_KEY"
    assert caught.value.params["at"] == 2
    assert text not in repr(caught.value)


def test_a_key_that_stands_there_twice_is_refused():
    key = new_key()
    with pytest.raises(InvalidInputError):
        read_keys(f"{key} {key}")


def test_a_secret_never_shows_itself(caplog: pytest.LogCaptureFixture):
    secret = Secret("hunter2")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>10}", f"{secret!r}"]
    shown += [repr({"a": secret}), str([secret]), repr(AesGcmBox([NEW]))]
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").info("given %s and %r", secret, secret)
    shown.append(caplog.text)
    assert all("hunter2" not in each for each in shown)
    assert all("***" in each for each in shown[:7])
    with pytest.raises(TypeError):
        json.dumps({"secret": secret})
    assert "hunter2" not in json.dumps({"secret": secret}, default=str)
    with pytest.raises(MisuseError):
        pickle.dumps(secret)
    assert secret.reveal() == "hunter2"


def test_secrets_are_equal_when_their_texts_are():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_drawn_secrets_differ():
    source = SystemSecrets()
    assert len({source.draw(32) for _ in range(100)}) == 100
    assert len(source.draw(24)) == 24
