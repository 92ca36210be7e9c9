"""The picture of a year's prices: every night has its cell, its price and the colour of its band."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from pmscore.kernel.currency import Currency
from pmscore.pricing.views.rate_calendar_svg import rate_calendar_svg

EUR = Currency.of("EUR")
SVG = "{http://www.w3.org/2000/svg}"


def _drawn(first: date, *prices: int | None, currency: Currency = EUR, title: str = "Rates"):
    return ET.fromstring(rate_calendar_svg(first, prices, currency, title=title))


def _cells(picture) -> list[tuple[str, str, str]]:
    """The title, the colour and the text of each cell."""
    return [
        (
            group.findtext(f"{SVG}title"),
            group.find(f"{SVG}rect").get("fill"),
            group.findtext(f"{SVG}text"),
        )
        for group in picture.findall(f"{SVG}g")
    ]


def test_a_cell_has_its_night_and_price_and_months_begin_new_rows():
    picture = _drawn(date(2027, 1, 30), 9_800, None, 16_650)
    assert _cells(picture) == [
        ("Sat 2027-01-30: 98.00 EUR", "#eef6fb", "98"),
        ("Sun 2027-01-31: not sold", "#f3f0ea", "-"),
        ("Mon 2027-02-01: 166.50 EUR", "#0b3f6f", "166"),
    ]
    tops = [group.find(f"{SVG}rect").get("y") for group in picture.findall(f"{SVG}g")]
    assert tops[0] == tops[1] != tops[2]
    assert {"Jan 2027", "Feb 2027"} <= {text.text for text in picture.findall(f"{SVG}text")}


def test_the_title_is_text_and_nothing_else():
    picture = _drawn(date(2027, 1, 1), 100, title='<b> & "suite"')
    assert picture.get("aria-label") == '<b> & "suite"'
    assert picture.find(f"{SVG}b") is None


def test_one_price_and_none_at_all_are_drawn_too():
    assert [cell[2] for cell in _cells(_drawn(date(2027, 1, 1), 500, currency=Currency.of("JPY")))] == ["500"]
    assert [cell[2] for cell in _cells(_drawn(date(2027, 1, 1), None))] == ["-"]


@given(st.lists(st.none() | st.integers(0, 100_000), min_size=1, max_size=60))
def test_every_price_lies_in_the_band_of_its_colour(prices):
    first = date(2027, 11, 20)
    picture = _drawn(first, *prices)
    cells = _cells(picture)
    nights = [first + timedelta(days=at) for at in range(len(prices))]
    assert [cell[0].split(":")[0][4:] for cell in cells] == [night.isoformat() for night in nights]
    texts = [each.text for each in picture.findall(f"{SVG}text") if each.get("class") == "k"]
    swatches = [each.get("fill") for each in picture.findall(f"{SVG}rect")][1:]
    legend = dict(zip(swatches, texts, strict=True))
    for price, (_, colour, _) in zip(prices, cells, strict=True):
        if price is None:
            assert legend[colour] == "not sold"
            continue
        least, most = (int(each.replace(".", "")) for each in legend[colour].split(" to "))
        assert least <= price <= most


def test_the_picture_is_the_one_that_was_looked_at():
    """Seventy nights over three months, kept as a file; whoever changes the drawing looks at it and keeps it anew."""
    prices = [None if night % 11 == 5 else 9_000 + (night * night * 37) % 9_001 for night in range(70)]
    drawn = rate_calendar_svg(date(2027, 11, 20), prices, EUR, title="Double, flexible")
    assert drawn == Path(__file__).with_name("rate_calendar.svg").read_text("utf-8")
