"""Whatever is wrong with a document, its place is named."""

from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.percent import Percent
from pmscore.kernel.reading import ObjectReader

DOCUMENT: Json = {
    "name": "Flora",
    "rooms": 7,
    "is_open": True,
    "nothing": None,
    "house": {"colour": "red", "floors": [{"rooms": 3}, {"rooms": 4}]},
    "tags": ["sea", "sun"],
    "mixed": ["sea", 3],
}


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def refusal(act) -> tuple[str, str]:
    with pytest.raises(InvalidInputError) as refused:
        act()
    return refused.value.field, refused.value.reason


def place_refused(read) -> str | None:
    try:
        read("a")
    except InvalidInputError as refused:
        return refused.field
    return None


@pytest.fixture
def reader() -> ObjectReader:
    return ObjectReader.of(DOCUMENT, "house_book")


def test_what_is_there_is_read(reader: ObjectReader) -> None:
    assert reader.text("name") == reader.find_text("name") == "Flora"
    assert reader.integer("rooms") == reader.find_integer("rooms") == 7
    assert reader.flag("is_open") is True
    assert reader.texts("tags") == reader.find_texts("tags") == ("sea", "sun")
    assert reader.items("mixed") == ("sea", 3)
    assert reader.inside("house").choice("colour", Colour) is Colour.RED
    floors = reader.inside("house").each("floors")
    assert [each.path for each in floors] == ["house_book.house.floors.0", "house_book.house.floors.1"]
    assert [each.integer("rooms") for each in floors] == [3, 4]
    assert reader.find_inside("house") == reader.inside("house")
    assert reader.inside("house").find_each("floors") == floors


def test_only_what_may_be_absent_may_be_null(reader: ObjectReader) -> None:
    for name in ("nothing", "absent"):
        assert not reader.has(name)
        assert reader.find_text(name) is None
        assert reader.find_integer(name) is None
        assert reader.find_inside(name) is None
        assert reader.find_each(name) == ()
        assert reader.find_texts(name) == ()
    assert refusal(lambda: reader.text("nothing")) == ("house_book.nothing", "not_text")
    assert refusal(lambda: reader.text("nothing", "x")) == ("house_book.nothing", "not_text")
    assert refusal(lambda: reader.integer("nothing", 1)) == ("house_book.nothing", "not_an_integer")
    assert refusal(lambda: reader.flag("nothing", default=True)) == ("house_book.nothing", "not_a_flag")
    assert refusal(lambda: reader.choice("nothing", Colour, Colour.RED)) == ("house_book.nothing", "not_text")


def test_a_default_stands_in_for_what_is_absent(reader: ObjectReader) -> None:
    assert reader.text("absent", "") == ""
    assert reader.integer("absent", 0) == 0
    assert reader.flag("absent", default=False) is False
    assert reader.choice("absent", Colour, Colour.BLUE) is Colour.BLUE


@pytest.mark.parametrize(
    ("method", "names", "place", "reason"),
    [
        ("text", ("absent",), "house_book.absent", "missing"),
        ("text", ("rooms",), "house_book.rooms", "not_text"),
        ("find_text", ("rooms",), "house_book.rooms", "not_text"),
        ("integer", ("name",), "house_book.name", "not_an_integer"),
        ("integer", ("is_open",), "house_book.is_open", "not_an_integer"),
        ("find_integer", ("name",), "house_book.name", "not_an_integer"),
        ("flag", ("rooms",), "house_book.rooms", "not_a_flag"),
        ("inside", ("name",), "house_book.name", "not_an_object"),
        ("find_inside", ("tags",), "house_book.tags", "not_an_object"),
        ("each", ("house",), "house_book.house", "not_a_list"),
        ("each", ("tags",), "house_book.tags.0", "not_an_object"),
        ("texts", ("mixed",), "house_book.mixed.1", "not_text"),
        (
            "choice",
            (
                "name",
                Colour,
            ),
            "house_book.name",
            "unknown_value",
        ),
        (
            "hold_to",
            (
                "name",
                "absent",
            ),
            "house_book.absent",
            "missing",
        ),
        ("hold_to", ("name", "rooms"), "house_book", "unknown_name"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    reader: ObjectReader, method: str, names: tuple[object, ...], place: str, reason: str
) -> None:
    assert refusal(lambda: getattr(reader, method)(*names)) == (place, reason)


def test_an_object_may_be_held_to_all_its_names(reader: ObjectReader) -> None:
    reader.inside("house").hold_to("colour", optional=("floors", "garden"))
    with pytest.raises(InvalidInputError) as refused:
        reader.inside("house").hold_to("colour")
    assert refused.value.params["value"] == "'floors'"


def test_the_root_has_no_path() -> None:
    root = ObjectReader.of(DOCUMENT)
    assert refusal(lambda: root.text("absent")) == ("absent", "missing")
    assert refusal(lambda: root.hold_to("name")) == ("document", "unknown_name")
    assert refusal(lambda: ObjectReader.of([])) == ("document", "not_an_object")
    assert refusal(lambda: ObjectReader.of("text", "quote")) == ("quote", "not_an_object")
    assert refusal(lambda: root.make(lambda: Percent.parse("x"))) == ("percent", "not_decimal")


def test_names_that_cannot_be_shown_are_escaped_in_paths() -> None:
    root = ObjectReader.of({"a\ud800b": {}, "x" * 5_000: {}, "Größe": {}})
    assert root.inside("a\ud800b").at("c") == "a\\ud800b.c"
    assert len(root.inside("x" * 5_000).path) == 200
    assert root.inside("Größe").path == "Größe"


def test_an_error_of_a_value_comes_to_name_its_place(reader: ObjectReader) -> None:
    house = reader.inside("house")
    assert house.make(lambda: Percent.parse("5")) == Percent(50_000)
    assert refusal(lambda: house.make(lambda: Percent.parse("x"))) == (
        "house_book.house.percent",
        "not_decimal",
    )
    assert refusal(lambda: house.make(lambda: Percent.parse("x"), renamed={"percent": "share"})) == (
        "house_book.house.share",
        "not_decimal",
    )
    # Errors that have their place already keep it, one level up as well.
    assert refusal(lambda: reader.make(lambda: house.text("absent"))) == (
        "house_book.house.absent",
        "missing",
    )
    # A field that only begins like the place is no place.
    assert refusal(lambda: reader.make(lambda: Percent.parse("x", field="house_booked"))) == (
        "house_book.house_booked",
        "not_decimal",
    )


def test_what_an_error_says_beside_its_field_is_kept(reader: ObjectReader) -> None:
    with pytest.raises(InvalidInputError) as refused:
        reader.make(lambda: Percent.parse("ten"))
    assert refused.value.params == {"field": "house_book.percent", "reason": "not_decimal", "value": "'ten'"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b"]), json_values))
def test_whatever_stands_there_is_read_or_refused_at_its_place(document: dict[str, Json]) -> None:
    reader = ObjectReader.of(document, "root")
    for read in (
        reader.text,
        reader.integer,
        reader.flag,
        reader.inside,
        reader.each,
        reader.texts,
        reader.find_each,
        reader.find_texts,
        reader.find_inside,
    ):
        assert place_refused(read) in {None, "root.a", "root.a.0", "root.a.1", "root.a.2"}
