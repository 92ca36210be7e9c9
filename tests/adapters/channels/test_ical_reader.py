"""Reading calendar feeds: as platforms write them, as RFC 5545 says, and as nobody should."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pms_adapters.channels.ical.kinds import EventKind, kind_of
from pms_adapters.channels.ical.lines import MOST_BYTES, content_lines, folded
from pms_adapters.channels.ical.reader import BusyEvent, read_calendar
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone

BERLIN = Zone("Europe/Berlin")
OWN = Path(__file__).parents[2] / "data" / "channels" / "ical"


def calendar(*lines: str, producer: str = "-//Somebody//EN") -> bytes:
    return "\r\n".join(("BEGIN:VCALENDAR", f"PRODID:{producer}", *lines, "END:VCALENDAR", "")).encode()


def event(*lines: str) -> bytes:
    return calendar("BEGIN:VEVENT", "UID:one", *lines, "END:VEVENT")


def nights(body: bytes, zone: Zone = BERLIN) -> list[tuple[str, str]]:
    found = read_calendar(body, zone)
    return [(each.nights.start.isoformat(), each.nights.end.isoformat()) for each in found]


def refusal(body: bytes) -> str:
    with pytest.raises(UnreadableError) as caught:
        read_calendar(body, BERLIN)
    return caught.value.reason


def shown(found: tuple[BusyEvent, ...]) -> list[dict[str, str]]:
    return [
        {
            "from": each.nights.start.isoformat(),
            "to": each.nights.end.isoformat(),
            "kind": each.kind.value,
            "ref": each.reference,
        }
        for each in found
    ]


@pytest.mark.parametrize("name", sorted(json.loads((OWN / "expected.json").read_text())))
def test_feeds_are_read_as_their_platforms_mean_them(name: str) -> None:
    expected, body = json.loads((OWN / "expected.json").read_text())[name], (OWN / name).read_bytes()
    assert (refusal(body) if isinstance(expected, str) else shown(read_calendar(body, BERLIN))) == expected


def test_every_sample_gives_what_is_expected_of_it(shared_dir: Path) -> None:
    folder = shared_dir / "specs" / "ical"
    expected = json.loads((folder / "expected.json").read_text())
    assert {each["file"] for each in expected} == {each.name for each in folder.glob("*.[ih][ct]*")}
    for sample in expected:
        body = (folder / sample["file"]).read_bytes()
        if "error" in sample:
            assert refusal(body) == sample["error"].replace(" ", "_")
            continue
        found = read_calendar(body, Zone("Europe/Rome"))
        assert len(found) == len(sample["busy"]), sample
        for busy, wanted in zip(found, sample["busy"], strict=True):
            assert busy.nights == DateRange.parse(wanted["from"], wanted["to_exclusive"]), sample
            assert busy.kind.value == wanted.get("kind", busy.kind.value)
            assert busy.reference == wanted.get("ref", "")


def test_closures_and_bookings_that_look_alike_are_never_taken_for_bookings(shared_dir: Path) -> None:
    body = (shared_dir / "specs" / "ical" / "booking-com-basic.ics").read_bytes()
    assert {each.kind for each in read_calendar(body, BERLIN)} == {EventKind.UNKNOWN}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("big_bad_calendar.ics", "event_without_start"),
        ("bom_calendar.ics", 0),
        ("broken_dtstart.ics", "bad_date"),
        ("calendar_with_unicode.ics", 0),
        ("issue_53_description_parsed_properly.ics", "not_a_calendar"),
        ("issue_722_missing_timezones.ics", "repeating_event"),
        ("multiple_timezones.ics", "repeating_event"),
    ],
)
def test_odd_calendars_are_read_or_refused_by_name(shared_dir: Path, name: str, found: str | int) -> None:
    body = (shared_dir / "specs" / "ical" / "collective-icalendar" / name).read_bytes()
    assert (refusal(body) if isinstance(found, str) else len(read_calendar(body, BERLIN))) == found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["DTSTART:20261210", "DTEND:20261213"], ("2026-12-10", "2026-12-13")),
        (["dtstart;value=date:20261210"], ("2026-12-10", "2026-12-11")),
        (["DTSTART:20261210", "DTEND:20261210"], ("2026-12-10", "2026-12-11")),
        (["DTSTART:20261210", "DURATION:P2W"], ("2026-12-10", "2026-12-24")),
        (["DTSTART:20261210", "DURATION:P1DT1H"], ("2026-12-10", "2026-12-12")),
        (["DTSTART:20261210T150000", "DURATION:PT20H"], ("2026-12-10", "2026-12-11")),
        (["DTSTART:20261210T000000Z", "DTEND:20261213T000000Z"], ("2026-12-10", "2026-12-13")),
        (
            ["DTSTART;TZID=America/New_York:20261210T200000", "DTEND:20261213T090000"],
            ("2026-12-11", "2026-12-13"),
        ),
        (["DTSTART;TZID=W. Europe:20261210T235900", "DTEND:20261211T090000"], ("2026-12-10", "2026-12-11")),
        (['DTSTART;X-A="a;b:c";VALUE=DATE:20261210'], ("2026-12-10", "2026-12-11")),
    ],
)
def test_nights_are_counted_from_local_arrival_to_local_departure(
    lines: list[str], found: tuple[str, str]
) -> None:
    assert nights(event(*lines)) == [found]


def test_dates_that_are_written_as_midnights_of_utc_are_the_same_dates_in_every_house() -> None:
    body = event("DTSTART:20261210T000000Z", "DTEND:20261213T000000Z")
    assert nights(body, Zone("America/New_York")) == [("2026-12-10", "2026-12-13")]


@pytest.mark.parametrize(
    "lines",
    [
        ["DTSTART:20261210", "STATUS:CANCELLED"],
        ["DTSTART:20261210", "TRANSP:transparent"],
        ["DTSTART:20261210T100000", "DTEND:20261210T120000"],
        ["DTSTART:20261210T100000"],
        ["STATUS:CANCELLED"],
    ],
)
def test_what_takes_no_night_is_left_out(lines: list[str]) -> None:
    assert nights(event(*lines)) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_a_calendar"),
        (b"\xff\xfeB\x00E\x00", "not_a_calendar"),
        (b"VERSION:2.0\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "not_a_calendar"),
        (b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "not_a_calendar"),
        (b"BEGIN:VCALENDAR\r\n", "cut_off"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\nX-MORE:1\r\n", "not_a_calendar"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\nEND:VCALENDAR\r\n", "not_balanced"),
        (calendar("BEGIN:VEVENT", "DTSTART:20261210"), "not_balanced"),
        (calendar("BEGIN:A\r\n" * 8), "too_deep"),
        (calendar("BEGIN:VEVENT\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n" * 20_000), "too_many_components"),
        (b"BEGIN:VCALENDAR\r\n" + b" " * MOST_BYTES, "too_large"),
        (calendar("A:\n" * 200_000), "too_many_lines"),
        (event(), "event_without_start"),
        (event("DTSTART:tomorrow"), "bad_date"),
        (event("DTSTART:20261301"), "bad_date"),
        (event("DTSTART:20261210", "DTEND:"), "bad_date"),
        (event("DTSTART:20261210", "DTEND;VALUE=DATE 20261213"), "bad_line"),
        (event("DTSTART:21990101", "DURATION:P99999D"), "bad_date"),
        (event("DTSTART:20261210", "DURATION:P"), "bad_duration"),
        (event("DTSTART:20261210", "DURATION:-P1D"), "bad_duration"),
        (event("DTSTART:20261210", "DTEND:20261209"), "ends_before_start"),
        (event("DTSTART:20261210T120000", "DTEND:20261210T110000"), "ends_before_start"),
        (event("DTSTART:20261210", "RRULE:FREQ=SECONDLY"), "repeating_event"),
    ],
)
def test_what_cannot_be_understood_is_refused_as_a_whole_by_name(body: bytes, reason: str) -> None:
    assert refusal(body) == reason


def test_lines_that_only_hold_text_may_be_broken() -> None:
    body = event("DTSTART:20261210", "DESCRIPTION:first", "and then, unfolded", "(more)", "SUMMARY:x")
    assert nights(body) == [("2026-12-10", "2026-12-11")]


def test_events_in_other_components_and_alarms_in_events_say_nothing_about_nights() -> None:
    alarm = ("BEGIN:VALARM", "DTSTART:20270101", "DURATION:P30D", "END:VALARM")
    body = calendar(
        "BEGIN:VTODO",
        "DTSTART:bad",
        "END:VTODO",
        "BEGIN:VEVENT",
        "UID:a",
        *alarm,
        "DTSTART:20261210",
        "END:VEVENT",
    )
    assert nights(body) == [("2026-12-10", "2026-12-11")]


def test_an_event_without_a_name_is_known_by_its_nights_and_names_can_be_stored() -> None:
    nameless = calendar("BEGIN:VEVENT", "DTSTART:20261210", "END:VEVENT")
    assert [each.uid for each in read_calendar(nameless, BERLIN)] == ["unnamed:2026-12-10:2026-12-11"]
    odd = calendar("BEGIN:VEVENT", "DTSTART:20261210", "UID:a\x00b\\,c", "END:VEVENT")
    assert [each.uid for each in read_calendar(odd, BERLIN)] == ["a\ufffdb,c"]


@pytest.mark.parametrize(
    ("producer", "summary", "status", "kind"),
    [
        ("-//Airbnb Inc//EN", "Reserved", "", "reservation"),
        ("-//Airbnb Inc//EN", "Reserved", "TENTATIVE", "tentative"),
        ("-//HomeAway.com, Inc.//EN", "Reservado - Ana", "", "reservation"),
        ("-//HomeAway.com, Inc.//EN", "Blocked", "", "block"),
        ("-//HomeAway.com, Inc.//EN", "Bloqué", "", "block"),
        ("-//HomeAway.com, Inc.//EN", "Anna", "", "unknown"),
        ("-//Google Inc//EN", "Reserved", "", "unknown"),
        ("", "", "", "unknown"),
    ],
)
def test_only_sellers_that_are_known_are_believed_to_have_sold(
    producer: str, summary: str, status: str, kind: str
) -> None:
    assert kind_of(producer, summary, status, "") == EventKind(kind)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), max_size=300))
def test_a_folded_line_reads_as_it_was(text: str) -> None:
    written = folded(f"SUMMARY:{text}")
    assert written.endswith(b"\r\n")
    assert all(len(piece) <= 75 for piece in written.split(b"\r\n"))
    assert [(each.name, each.value) for each in content_lines(written)] == [("SUMMARY", text)]
    for piece in written.split(b"\r\n"):
        piece.decode()


def test_a_character_that_was_torn_by_a_fold_is_whole_again() -> None:
    (line,) = content_lines("SUMMARY:Ré".encode()[:-1] + b"\r\n " + "é".encode()[1:] + b"\r\n")
    assert line.value == "Ré"


def test_three_hundred_documents_are_read_or_refused_within_two_seconds_and_200_mb_each() -> None:
    code = "import sys; from adapters.channels.ical_fuzz import fuzz; print(fuzz())"
    paths = [str(Path(__file__).parents[2]), *sys.path]
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(paths)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert 30 < int(ran.stdout) < 280, "the documents are all alike"
