"""Three hundred documents that are no calendars, almost: read in a process with little memory, by its clock."""

from __future__ import annotations

import json
import random
import resource
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from pms_adapters.channels.ical.lines import MOST_BYTES
from pms_adapters.channels.ical.reader import read_calendar
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.dates.zones import Zone

OWN = Path(__file__).parents[2] / "data" / "channels" / "ical"


def _calendar(*lines: str) -> bytes:
    return "\r\n".join(("BEGIN:VCALENDAR", *lines, "END:VCALENDAR", "")).encode()


def _torn(draw: random.Random, body: bytes) -> bytes:
    data = bytearray(body)
    for _ in range(draw.choice((1, 1, 1, 2, 10))):
        at = draw.randrange(len(data) + 1)
        match draw.randrange(5):
            case 0:
                del data[at : at + draw.randint(1, 40)]
            case 1:
                data[at:at] = draw.randbytes(draw.randint(1, 20))
            case 2:
                data[at:at] = draw.choice(_PIECES)
            case 3:
                data[at:at] = data[at : at + 200] * draw.choice((2, 50))
            case _:
                data = data[: at or 1]
        data = data or bytearray(b"\n")
    return bytes(data)


_PIECES = (
    b"\r\n ", b"\n\t" * 5000, b"\r\nBEGIN:VEVENT\r\n", b"\r\nEND:VEVENT\r\n", b"\r\nDTSTART:99999999\r\n",
    b"\r\nDTSTART;TZID=" + b"A" * 9000 + b":20270101T000000\r\n", b'\r\nX;A="' + b'";' * 30_000, b";" * 50_000,
    b"\r\nDURATION:P99999W99999DT999999H\r\n", b"\\" * 40_000, b"\r\nDTSTART:00010101T000000Z\r\n", b"\x00",
    b"\r\nDTSTART;TZID=Asia/Tokyo:22000101T000000\r\n", b"\r\nSUMMARY:" + b"R\xc3\xa9serv\xc3\xa9 " * 9000,
)  # fmt: skip
_BOMBS: tuple[Callable[[], bytes], ...] = (
    lambda: b"BEGIN:VCALENDAR\r\n" + b"\n" * (MOST_BYTES - 100) + b"END:VCALENDAR\r\n",
    lambda: b"BEGIN:VCALENDAR\r\n" + b"A:\n" * 660_000 + b"END:VCALENDAR\r\n",
    lambda: b"BEGIN:VCALENDAR\r\nX" + b";" * (MOST_BYTES - 100) + b"\r\nEND:VCALENDAR\r\n",
    lambda: _calendar("BEGIN:VEVENT", "DTSTART:20270101", "SUMMARY:" + "\\," * 900_000, "END:VEVENT"),
    lambda: _calendar(
        "BEGIN:VEVENT\r\nDTSTART:20270101\r\nDTEND:20270109\r\nUID:a\r\nEND:VEVENT\r\n" * 19_990
    ),
    lambda: _calendar(
        "BEGIN:VEVENT", "DTSTART:20270101", "DESCRIPTION:" + "/reservations/details/" * 90_000, "END:VEVENT"
    ),
)
_MEMORY = 200 * 1024 * 1024


def fuzz() -> int:
    """Read 300 documents, each within two seconds of the processor and 200 MB more than there was; return how many were read."""
    draw, read, refused = random.Random(5545), 0, 0
    samples = [(OWN / name).read_bytes() for name in sorted(json.loads((OWN / "expected.json").read_text()))]
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + _MEMORY, size + _MEMORY))
    for number in range(300):
        body = _BOMBS[number]() if number < len(_BOMBS) else _torn(draw, draw.choice(samples))
        began = time.process_time()
        try:
            for each in read_calendar(body, Zone("Europe/Berlin")):
                assert each.uid.isprintable()
                assert date(1900, 1, 1) <= each.nights.start < each.nights.end
            read += 1
        except UnreadableError:
            refused += 1
        assert time.process_time() - began < 2, number
    assert read + refused == 300
    return read
