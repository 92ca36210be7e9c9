"""Instants of others: offsets, none, the house's own, and those that no calendar of ours has."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pms_adapters.serialization.instants import read_instant
from pmscore.dates.zones import Zone
from pmscore.kernel.errors import InvalidInputError

BERLIN = Zone("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "where", "expected"),
    [
        ("2026-07-01T12:00:00+02:00", None, datetime(2026, 7, 1, 10, tzinfo=UTC)),
        (" 2026-07-01T12:00:00Z\n", BERLIN, datetime(2026, 7, 1, 12, tzinfo=UTC)),
        ("2026-07-01T12:00:00", None, datetime(2026, 7, 1, 12, tzinfo=UTC)),
        ("2026-07-01T12:00:00", BERLIN, datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-12-01T12:00:00.5", BERLIN, datetime(2026, 12, 1, 11, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-12-01", BERLIN, datetime(2026, 11, 30, 23, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_in_utc(text, where, expected):
    found = read_instant(text, "at", zone=where)
    assert (found, found.tzinfo) == (expected, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-02-30T00:00:00Z",
        "2026-07-01T25:00:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
@pytest.mark.parametrize("where", [None, BERLIN], ids=["utc", "house"])
def test_what_is_no_instant_is_refused_by_its_field(text, where):
    with pytest.raises(InvalidInputError) as caught:
        read_instant(text, "inserted_at", zone=where)
    assert (caught.value.field, caught.value.reason) == ("inserted_at", "not_an_instant")


def test_a_time_of_the_house_before_our_first_year_is_refused():
    with pytest.raises(InvalidInputError):
        read_instant("0001-01-01T00:00:00", "at", zone=BERLIN)
