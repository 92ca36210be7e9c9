"""Asking a portal what it has sold, and acknowledging it: by ids that changes share, so that none is swallowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from adapters.channels.alpinebits_scenes import (
    NOW,
    answering,
    bare,
    check,
    form_of,
    made_at,
    pulled,
    request_of,
    sample,
)
from adapters.channels.test_alpinebits import Laws
from pms_adapters.channels.alpinebits import AlpineBitsGateway
from pms_adapters.channels.alpinebits.rounds import Round
from pmscore.channels.model.calls import At, OutcomeKind, Pulled
from pmscore.channels.model.revisions import Revision
from pmscore.testing.gateway_scenes import GatewayScene

RESERVATION = sample("GuestRequests-OTA_ResRetrieveRS-reservation")
REPORTED = b'<OTA_NotifReportRS Version="1.0"><Success/></OTA_NotifReportRS>'


def test_questions_and_acknowledgements_are_said_as_in_the_samples() -> None:
    gateway, wire = answering(sample("GuestRequests-OTA_ResRetrieveRS-reservation-empty"))
    began = Round(datetime(2012, 3, 21, 14, 15, tzinfo=UTC), NOW).written()
    gateway.pull(made_at(), began)
    asked = request_of(wire.calls[0])
    ours, theirs = bare(asked), bare(sample("GuestRequests-OTA_ReadRQ"), "HotelName")
    start = [each.attr["Start"] for root in (ours, theirs) for each in root.walk("SelectionCriteria")]
    assert len({datetime.fromisoformat(each) for each in start}) == 1
    assert bare(asked, "Start") == bare(sample("GuestRequests-OTA_ReadRQ"), "HotelName", "Start")
    gateway, wire = answering(REPORTED)
    (known,) = pulled(RESERVATION).revisions
    ended = evolve(known, receipt={"type": "15", "id": "c24e8b15ca469388"})
    scene = Laws().scene()
    outcome = gateway.acknowledge(made_at(), (scene.stored(known), scene.stored(ended)))
    assert outcome.kind is OutcomeKind.DONE
    (call,) = wire.calls
    assert form_of(call)["action"] == b"OTA_NotifReport:GuestRequests"
    reported = [(each.attr["Type"], each.attr["ID"]) for each in bare(request_of(call)).walk("UniqueID")]
    theirs_too = [
        (each.attr["Type"], each.attr["ID"])
        for each in bare(sample("GuestRequests-OTA_ReadRQ-ack")).walk("UniqueID")
    ]
    assert reported == theirs_too[:2]
    for body in (asked, request_of(call)):
        check(body)


def test_questions_keep_opentravels_own_schema(shared_dir: Path) -> None:
    gateway, wire = answering(sample("GuestRequests-OTA_ResRetrieveRS-reservation-empty"))
    gateway.pull(made_at(), "")
    gateway.pull(made_at(), Round(NOW, NOW).written())
    for call in wire.calls:
        check(request_of(call), shared_dir / "specs" / "ota" / "2011A" / "OTA_ReadRQ.xsd")


def test_nothing_to_acknowledge_is_no_call() -> None:
    gateway, wire = answering(REPORTED)
    assert gateway.acknowledge(made_at(), ()).kind is OutcomeKind.DONE
    assert wire.calls == []


def test_a_round_asks_for_what_nobody_knows_and_then_for_what_was_made_since_the_last_one() -> None:
    gateway, wire = answering(sample("GuestRequests-OTA_ResRetrieveRS-reservation-empty"))

    def start(cursor: str, at: At) -> tuple[str | None, Pulled]:
        found = gateway.pull(at, cursor)
        asked = bare(request_of(wire.calls[-1])).at("ReadRequests", "HotelReadRequest", "SelectionCriteria")
        return None if asked is None else asked.attr["Start"], found

    at = made_at()
    asked, first = start("", at)
    assert (asked, first.has_more) == (None, False)
    later = evolve(at, now=NOW + timedelta(hours=1))
    asked, half = start(first.cursor, later)
    assert (asked, half.has_more) == (None, True)
    asked, whole = start(half.cursor, later)
    assert (asked, whole.has_more) == ("2026-11-21T08:45:00+00:00", False)
    asked, broken_off = start(half.cursor, evolve(at, now=NOW + timedelta(hours=9)))
    assert (asked, broken_off.has_more) == ("2026-11-21T08:45:00+00:00", True)
    assert Round.read(broken_off.cursor) == Round.read(whole.cursor) == Round(later.now)


@given(st.text(max_size=80))
def test_any_text_is_a_cursor(text: str) -> None:
    found = Round.read(text)
    assert Round.read(found.written()) == (found if found.since else Round())


class Forgetful(AlpineBitsGateway):
    """Asks for what nobody has acknowledged, and for nothing else."""

    def pull(self, at: At, cursor: str) -> Pulled:
        return super().pull(at, "")


def _missed(gateway: type[AlpineBitsGateway]) -> set[str]:
    """Let a booking change between our question and our acknowledgement; return what we never hear of."""
    scene: GatewayScene = type("Changed", (Laws,), {"gateway": gateway})().scene()
    day = scene.nights.start
    heard: list[Revision] = []
    cursor = ""

    def ask() -> list[Revision]:
        nonlocal cursor
        found, has_more = [], True
        while has_more:
            page = scene.gateway.pull(evolve(scene.at, now=scene.clock.now()), cursor)
            assert page.outcome.kind is OutcomeKind.DONE
            found += page.revisions
            cursor, has_more = page.cursor, page.has_more
        return found

    for _ in range(3):
        scene.platform.oversell(day, day)
        heard += ask()
        scene.clock.advance(timedelta(seconds=2))
        scene.platform.change(scene.clock.now().date(), is_blind=True)
        for each in heard:
            scene.gateway.acknowledge(scene.at, (scene.stored(each),))
        scene.clock.advance(timedelta(minutes=5))
    heard += ask()
    told = {each.revision_id.split(":")[0] + each.revised_at.isoformat() for each in heard}
    return {each.booking_key + each.revised_at.isoformat() for each in scene.platform.history} - told


def test_a_change_that_an_acknowledgement_swallows_is_heard_of_all_the_same() -> None:
    assert _missed(AlpineBitsGateway) == set()
    assert _missed(Forgetful), "the control would notice nothing"
