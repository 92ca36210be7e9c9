"""What a server of AlpineBits answers: outcomes by its errors and warnings, and the handshake."""

from __future__ import annotations

import pytest

from adapters.channels.alpinebits_scenes import FREE, answering, check, document, form_of, made_at, sample
from pms_adapters.channels.alpinebits.actions import OFFERED
from pms_adapters.serialization.json import written as written_json
from pms_adapters.serialization.xml import Element, element
from pmscore.channels.model.calls import OutcomeKind

SUCCESS = "FreeRooms-OTA_HotelInvCountNotifRS-success"


def told(name: str, *parts: Element) -> bytes:
    return document(element(name, *parts, Version="1.001"))


def error(kind: str, code: str = "", text: str = "Something is wrong") -> bytes:
    attr = {"Type": kind} | ({"Code": code} if code else {})
    return told("OTA_HotelInvCountNotifRS", element("Errors", element("Error", text=text, **attr)))


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("success", OutcomeKind.DONE, ""),
        ("error", OutcomeKind.REFUSED, "404: Invalid start/end date combination"),
        ("warning", OutcomeKind.REFUSED, "dates are too far in the future for this server to process"),
    ],
)
def test_the_sample_answers_mean_what_they_say(name: str, kind: OutcomeKind, text: str) -> None:
    gateway, _ = answering(sample(f"FreeRooms-OTA_HotelInvCountNotifRS-{name}"))
    outcome = gateway.push(made_at(), FREE).outcome
    assert (outcome.kind, outcome.error) == (kind, text)


@pytest.mark.parametrize(
    ("kind", "code", "outcome"),
    [
        ("13", "", OutcomeKind.REFUSED), ("13", "320", OutcomeKind.REFUSED), ("13", "402", OutcomeKind.REFUSED),
        ("13", "404", OutcomeKind.REFUSED), ("13", "450", OutcomeKind.REFUSED), ("11", "", OutcomeKind.REFUSED),
        ("13", "175", OutcomeKind.UNAUTHORISED), ("13", "392", OutcomeKind.UNAUTHORISED),
        ("13", "375", OutcomeKind.UNAUTHORISED), ("4", "", OutcomeKind.UNAUTHORISED),
        ("6", "450", OutcomeKind.UNAUTHORISED), ("13", "187", OutcomeKind.DOWN), ("13", "191", OutcomeKind.DOWN),
        ("13", "448", OutcomeKind.UNSURE), ("13", "188", OutcomeKind.UNSURE), ("13", "197", OutcomeKind.UNSURE),
    ],
)  # fmt: skip
def test_errors_are_told_apart_by_their_code(kind: str, code: str, outcome: OutcomeKind) -> None:
    gateway, _ = answering(error(kind, code))
    found = gateway.push(made_at(), FREE).outcome
    assert found.kind is outcome
    assert found.error == (f"{code}: Something is wrong" if code else "Something is wrong")


def test_of_several_errors_the_gravest_decides() -> None:
    both = element(
        "Errors",
        element("Error", text="room", Type="13", Code="402"),
        element("Error", text="hotel", Type="13", Code="392"),
    )
    gateway, _ = answering(told("OTA_HotelInvCountNotifRS", both))
    outcome = gateway.push(made_at(), FREE).outcome
    assert (outcome.kind, outcome.error) == (OutcomeKind.UNAUTHORISED, "392: hotel")


@pytest.mark.parametrize(
    ("attr", "kind"),
    [
        ({"Type": "11"}, OutcomeKind.DONE),
        ({"Type": "3"}, OutcomeKind.REFUSED),
        ({"Type": "13", "Code": "187"}, OutcomeKind.REFUSED),
        ({"Type": "3", "Status": "ALPINEBITS_SEND_FREEROOMS"}, OutcomeKind.REFUSED),
        ({}, OutcomeKind.REFUSED),
    ],
)
def test_an_advisory_is_taken_and_any_other_warning_is_not(attr: dict[str, str], kind: OutcomeKind) -> None:
    warning = element("Warnings", element("Warning", text="mind\n this\u200b", **attr))
    gateway, _ = answering(told("OTA_HotelInvCountNotifRS", element("Success"), warning))
    outcome = gateway.push(made_at(), FREE).outcome
    assert outcome.kind is kind
    assert outcome.error.endswith("mind this\ufffd")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"ERROR:unknown or missing action", OutcomeKind.REFUSED),
        (400, b"\n ERROR: no such version", OutcomeKind.REFUSED),
        (200, b"ERROR:invalid or missing username/password", OutcomeKind.UNAUTHORISED),
        (401, b"ERROR:", OutcomeKind.UNAUTHORISED),
        (500, b"ERROR: out of memory", OutcomeKind.UNSURE),
        (503, b"", OutcomeKind.DOWN),
        (429, b"", OutcomeKind.BUSY),
    ],
)
def test_errors_in_words_and_statuses_count_too(status: int, body: bytes, kind: OutcomeKind) -> None:
    gateway, _ = answering(body, status)
    assert gateway.push(made_at(), FREE).outcome.kind is kind
    assert gateway.pull(made_at(), "").outcome.kind is kind


NOT_THEIRS = {
    "a cut answer": sample(SUCCESS)[:-30],
    "a page": b"<html><body>One moment</body></html>",
    "an entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "another answer": b'<OTA_HotelRatePlanRS Version="1"><Success/></OTA_HotelRatePlanRS>',
    "neither done nor not": b'<OTA_HotelInvCountNotifRS Version="1"/>',
    "nothing": b"",
    "too deep": b"<a>" * 1_000,
}


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize("name", sorted(NOT_THEIRS))
def test_an_answer_that_is_not_theirs_neither_did_nor_refused_anything(name: str, status: int) -> None:
    gateway, _ = answering(NOT_THEIRS[name], status)
    assert gateway.push(made_at(), FREE).outcome.kind is OutcomeKind.UNSURE
    pulled = gateway.pull(made_at(), "")
    assert (pulled.outcome.kind, pulled.revisions) == (OutcomeKind.UNSURE, ())
    assert not gateway.check(made_at()).is_healthy


# The handshake


def shaken(actions: dict[str, tuple[str, ...]], version: str = "2020-10") -> bytes:
    listed = [{"action": name, "supports": [*supports]} for name, supports in actions.items()]
    common = written_json({"versions": [{"version": version, "actions": listed}]}).decode()
    warning = element("Warning", text=common, Type="11", Status="ALPINEBITS_HANDSHAKE")
    return told(
        "OTA_PingRS", element("Success"), element("Warnings", warning), element("EchoData", text="{}")
    )


def test_we_say_what_we_can_and_a_server_that_can_it_too_is_healthy() -> None:
    gateway, wire = answering(shaken(OFFERED))
    assert gateway.check(made_at()).is_healthy
    form = form_of(wire.calls[0])
    assert form["action"] == b"OTA_Ping:Handshaking"
    check(form["request"])
    assert b"OTA_HotelInvCountNotif_accept_deltas" in form["request"]


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        (sample("Handshake-OTA_PingRS"), ["version 2020-10"]),
        (shaken({**OFFERED, "action_OTA_HotelInvCountNotif": ("OTA_HotelInvCountNotif_accept_categories",)}),
         ["OTA_HotelInvCountNotif_accept_deltas"]),
        (shaken({name: can for name, can in OFFERED.items() if name != "action_OTA_Read"}), ["action_OTA_Read"]),
        (told("OTA_PingRS", element("Success"), element("EchoData", text="{}")), ["version 2020-10"]),
        (told("OTA_PingRS", element("Success"),
              element("Warnings", element("Warning", text="{", Type="11", Status="ALPINEBITS_HANDSHAKE"))),
         ["a handshake that can be read"]),
    ],
    ids=["another version", "no deltas", "no reading", "nothing in common", "unreadable"],
)  # fmt: skip
def test_a_server_that_lacks_what_we_use_is_not_healthy_and_says_what(
    body: bytes, missing: list[str]
) -> None:
    found = answering(body)[0].check(made_at())
    assert (found.is_healthy, found.error_code) == (False, "NOT_SUPPORTED")
    assert found.details == {"missing": missing}
