from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from pms_adapters.lab.replay import NightFigures, ReplayReport, occupancy_chart
from pms_adapters.lab.replay.report import months_of
from pmscore.kernel.ids import AgencyId

SVG = "{http://www.w3.org/2000/svg}"


def report_of(sold: list[int], rooms: int = 10) -> ReplayReport:
    nights = tuple(
        NightFigures(
            night=date(2024, 1, 1) + timedelta(days=number), room_nights=count, revenue_minor=count * 5_000
        )
        for number, count in enumerate(sold)
        if count
    )
    return ReplayReport(
        agency_id=AgencyId(UUID(int=1)),
        property_id=None,
        rows=0,
        rooms={"A": rooms},
        skipped=(),
        accepted=0,
        cancelled=0,
        refused=0,
        checked_in=0,
        checked_out=0,
        no_show=0,
        refused_by_status={},
        nights=nights,
        months=months_of(nights, rooms),
        commands=0,
        day_rolls=0,
        seconds=0.0,
        rounded_rates=0,
    )


@pytest.fixture
def drawn():
    return lambda report: ET.fromstring(occupancy_chart(report))


def test_a_chart_has_a_bar_for_each_month_whose_height_is_its_occupancy(drawn):
    picture = drawn(report_of([10] * 31 + [5] * 29))
    bars = [each for each in picture.iter(f"{SVG}rect") if each.get("class") == "bar"]
    assert [each.find(f"{SVG}title").text for each in bars] == ["2024-01: 100.0 %", "2024-02: 50.0 %"]
    full, half = (int(each.get("height")) for each in bars)
    assert full == 2 * half


def test_a_chart_says_in_words_what_it_shows_and_names_its_axes(drawn):
    picture = drawn(report_of([10] * 31 + [5] * 29))
    assert picture.get("role") == "img"
    named = {each.get("id"): each.text for each in picture if each.get("id")}
    assert set(picture.get("aria-labelledby").split()) == set(named)
    assert "highest 100.0 % (2024-01), lowest 50.0 % (2024-02)" in named["description"]
    texts = [each.text for each in picture.iter(f"{SVG}text")]
    assert texts.count("Rooms occupied") == 2
    assert {"Occupancy by month", "Occupancy by day", "0 %", "100 %", "2024-01", "2024-02"} <= set(texts)


def test_a_day_without_guests_is_shown_as_empty(drawn):
    picture = drawn(report_of([10, 0, 10]))
    assert "3 days from 2024-01-01 to 2024-01-03" in picture.find(f"{SVG}desc").text
    assert "lowest 0.0 % (2024-01-02)" in picture.find(f"{SVG}desc").text


@pytest.mark.parametrize("months", [1, 12, 60, 300])
def test_labels_stay_few_enough_to_be_read(drawn, months):
    picture = drawn(report_of([1] * (months * 30)))
    labels = [each for each in picture.iter(f"{SVG}text") if "rotate(-40" in (each.get("transform") or "")]
    assert 2 <= len(labels) <= 48


def test_a_house_in_which_nobody_stayed_has_a_chart_that_says_so(drawn):
    picture = drawn(report_of([]))
    assert picture.find(f"{SVG}desc").text == "Nobody stayed."
    assert [each.text for each in picture.iter(f"{SVG}text")].count("Nobody stayed.") == 2


def test_the_table_has_what_the_json_leaves_out():
    report = evolve(report_of([3] * 31, rooms=7), commands=90, day_rolls=10, seconds=4.0, rounded_rates=2)
    assert list(report.month_rows()) == [("2024-01", "93", "42.9", "4650.00", "50.00", "21.43")]
    assert len(report.month_headings()) == 6
    summary = dict(report.summary_rows())
    assert summary["Speed"] == "25 commands a second, 4.0 s"
    assert summary["Rates rounded to the cent"] == "2"
    assert summary["Rooms"] == "A 7"
