"""Cases worked out by hand: every figure of every answer is in the file, with its arithmetic and its source."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.pricing.model.written.expectations import differences
from pmscore.pricing.use_cases.cases import answer_case

CASES = Path(__file__).with_name("cases")
FILES = sorted(CASES.glob("*.json"))


def document(name: str | Path) -> dict[str, Json]:
    path = name if isinstance(name, Path) else CASES / f"{name}.json"
    return json.loads(path.read_text("utf-8"))


def told(case: dict[str, Json]) -> str:
    found = differences(case, answer_case(case))
    return "\n".join(json.dumps(each.to_json(), ensure_ascii=False) for each in found)


@pytest.mark.parametrize(
    "path",
    FILES,
    ids=lambda path: path.stem,
)
def test_a_case_comes_out_as_worked_out_by_hand(path: Path) -> None:
    assert not told(document(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_case_says_where_it_is_from_and_every_line(path: Path) -> None:
    case = document(path)
    assert case["name"]
    assert case["source"]
    assert case["how"]
    expected = case["expect"]
    assert expected.keys() <= {"quotes", "refusals", "error"}
    assert expected
    for quote in expected.get("quotes", ()):
        assert {"nightly", "lines", "taxes", "totals"} <= quote.keys()
    for refusal in expected.get("refusals", ()):
        assert refusal["refused"]


def times(line: dict[str, Json]) -> int:
    if "nights" not in line:
        return 1
    first, end = (date.fromisoformat(line["nights"][name]) for name in ("from", "to"))
    return (end - first).days


def summed(lines: list[dict[str, Json]], name: str) -> Decimal:
    return sum((Decimal(each[name]) * times(each) for each in lines), Decimal(0))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_case_expects_adds_up(path: Path) -> None:
    """The figures are right among themselves, whatever the code makes of them."""
    for quote in document(path)["expect"].get("quotes", ()):
        totals = {name: Decimal(text) for name, text in quote["totals"].items()}
        taxes = quote["taxes"]
        city = [each for each in taxes if each.get("is_city_tax")]
        assert totals["room"] == sum(Decimal(each) for room in quote["nightly"] for each in room)
        assert totals["room"] + totals["fees"] == summed(quote["lines"], "amount")
        assert totals["net"] == summed(quote["lines"], "net")
        assert totals["city_tax"] == summed(city, "amount")
        assert totals["tax"] == summed(taxes, "amount") - totals["city_tax"]
        assert totals["due"] == totals["net"] + totals["tax"] + totals["city_tax"]
        if "deposit" in quote:
            assert totals["due"] == summed(quote["deposit"], "amount")


def test_there_are_enough_cases() -> None:
    assert len(FILES) >= 60


def leaves(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for at, each in items:
            yield from leaves(each, (*path, at))
    else:
        yield path


def falsified(case: dict[str, Json], path: tuple[str | int, ...]) -> dict[str, Json]:
    false = copy.deepcopy(case)
    at: Json = false["expect"]
    for step in path[:-1]:
        at = at[step]
    value = at[path[-1]]
    at[path[-1]] = not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else "1.01"
    return false


@pytest.mark.parametrize(
    "name",
    [
        "german_breakfast_and_city_tax",
        "every_unit_of_fees",
        "free_until_the_exact_second",
        "inherited_stay_rules",
        "nearest_stays",
        "unknown_plan",
        "one_of_two_rooms_given_up",
    ],
)
def test_one_wrong_figure_anywhere_is_noticed(name: str) -> None:
    """The control: an answer is compared with all that a case expects, whatever it is."""
    case = document(name)
    answer = answer_case(case)
    for path in leaves(case["expect"]):
        if path[-1] in {"from", "to"} and "nearest" not in path:
            continue
        assert differences(falsified(case, path), answer), path


@pytest.mark.parametrize(
    "name", ["german_breakfast_and_city_tax", "every_unit_of_fees", "inherited_stay_rules"]
)
def test_a_missing_or_needless_line_is_noticed(name: str) -> None:
    case = document(name)
    answer = answer_case(case)
    for kind, part in (("quotes", "lines"), ("quotes", "taxes"), ("refusals", "refused")):
        for at, each in enumerate(case["expect"].get(kind, ())):
            for line in range(len(each[part])):
                fewer, more = copy.deepcopy(case), copy.deepcopy(case)
                del fewer["expect"][kind][at][part][line]
                more["expect"][kind][at][part].append(each[part][line])
                assert differences(fewer, answer)
                assert differences(more, answer)
            without, twice = copy.deepcopy(case), copy.deepcopy(case)
            del without["expect"][kind][at]
            twice["expect"][kind].append(each)
            assert differences(without, answer)
            assert differences(twice, answer)


def test_the_order_of_lines_and_quotes_does_not_matter() -> None:
    case = document("german_breakfast_and_city_tax")
    turned = copy.deepcopy(case)
    (quote,) = turned["expect"]["quotes"]
    quote["lines"].reverse()
    quote["taxes"].reverse()
    assert not told(turned)
    several = document("derived_rounded_to_step")
    several["expect"]["quotes"].reverse()
    assert not told(several)


def test_only_what_is_named_is_compared() -> None:
    case = document("german_breakfast_and_city_tax")
    (quote,) = case["expect"]["quotes"]
    case["expect"]["quotes"] = [{"unit_type": "double", "plan": "flex", "totals": quote["totals"]}]
    assert not told(case)
    del case["expect"]
    assert not told(case)


def test_an_unexpected_error_and_an_error_that_did_not_come_are_noticed() -> None:
    fine, wrong = document("weekday_prices"), document("unknown_plan")
    for expected, answered in ((fine, wrong), (wrong, fine)):
        found = differences(expected, answer_case(answered))
        assert {each.path.partition(".")[0] for each in found} == {"error"}


def test_the_same_case_gives_the_same_answer() -> None:
    case = document("stages_in_their_order")
    assert json.dumps(answer_case(case)) == json.dumps(answer_case(copy.deepcopy(case)))


def changed(case: dict[str, Json], path: str, value: Json) -> dict[str, Json]:
    *steps, last = path.split("/")
    at: Json = case
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if isinstance(at, list):
        at[int(last)] = value
    else:
        at[last] = value
    return case


@pytest.mark.parametrize(
    ("path", "value", "field", "reason"),
    [
        ("weather", "fine", "document", "unknown_name"),
        ("zone", "Mars/Olympus", "zone", "unknown_zone"),
        ("now", "2027-03-01T10:00:00", "now", "not_an_instant"),
        ("now", "tomorrow", "now", "not_an_instant"),
        ("check_in_at", "three", "check_in_at", "not_a_time"),
        ("business_date", "1 March", "business_date", "not_iso_date"),
        ("unit_types/double/beds", 2, "unit_types.double", "unknown_name"),
        ("unit_types/double/rooms", -1, "unit_types.double.rooms", "out_of_range"),
        ("unit_types/double/largest_party", 0, "unit_types.double.largest_party", "out_of_range"),
        ("stay_rules", [{"kind": "magic"}], "stay_rules.0.nights", "missing"),
        ("claimed", [{"unit_type": "hut", "nights": {}, "rooms": 1}], "claimed.0.nights.from", "missing"),
        ("request/arrival", "2027-13-01", "request.arrival", "no_such_day"),
        ("request/parties", [], "request.parties", "out_of_range"),
        ("request/parties/0/ages", ["5"], "request.parties.0.ages.0", "not_an_integer"),
        ("request/parties/0/pets", 21, "request.parties.0.pets", "out_of_range"),
        ("request/channel", "OTA", "request.channel", "not_a_code"),
        ("request/codes", ["A B"], "request.codes", "not_a_code"),
        ("book/currency", "EURO", "book.currency", "unknown_currency"),
        ("book/format", 0, "book.format", "unknown_format"),
        ("cancellations", [{"paid": "1.00"}], "cancellations.0", "at_or_no_show"),
        ("cancellations", [{"no_show": True, "paid": "1.001"}], "cancellations.0.paid", "too_precise"),
    ],
)
def test_what_is_wrong_with_a_case_is_named_with_its_place(
    path: str, value: Json, field: str, reason: str
) -> None:
    answer = answer_case(changed(document("mews_flat"), path, value))
    assert answer == {"error": {"code": "invalid_input", "field": field, "reason": reason}}


NIGHTS = {"from": "2027-01-01", "to": "2028-01-01"}


@pytest.mark.parametrize(
    ("rule", "field", "reason"),
    [
        ({"kind": "magic"}, "stay_rules.0.kind", "unknown_rule"),
        ({"kind": "min_stay_arrival", "value": "3"}, "stay_rules.0.value", "not_a_length"),
        ({"kind": "min_stay_arrival", "value": True}, "stay_rules.0.value", "not_an_integer"),
        ({"kind": "allowed_lengths", "value": [3, "7"]}, "stay_rules.0.value.1", "not_an_integer"),
        ({"kind": "arrival_weekdays", "value": ["saturday"]}, "stay_rules.0.value", "unknown_weekday"),
        ({"kind": "closed_night", "value": 1}, "stay_rules.0.value", "not_empty"),
        ({"kind": "closed_night", "unit_type": "hut"}, "stay_rules.0.unit_type", "unknown_type"),
        ({"kind": "closed_night", "weekdays": []}, "stay_rules.0.weekdays", "out_of_range"),
        ({"kind": "closed_night", "plan": "A B"}, "stay_rules.0.plan", "not_a_code"),
    ],
)
def test_what_is_wrong_with_a_stay_rule_is_named(rule: dict[str, Json], field: str, reason: str) -> None:
    case = {**document("mews_flat"), "stay_rules": [{**rule, "nights": NIGHTS}]}
    assert answer_case(case) == {"error": {"code": "invalid_input", "field": field, "reason": reason}}


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("expect/bookings", [], "expect"),
        ("expect/quotes", {}, "expect.quotes"),
        ("expect/quotes/0/price", "100.00", "expect.quotes.0"),
        ("expect/quotes/0/lines/0/night", "2027-06-01", "expect.quotes.0.lines.0.nights"),
        ("expect/quotes/0/lines/0/nights/to", "2027-06-01", "expect.quotes.0.lines.0.nights.to"),
    ],
)
def test_what_is_wrong_with_the_expectations_is_named(path: str, value: Json, field: str) -> None:
    case = document("mews_flat")
    answer = answer_case(case)
    with pytest.raises(InvalidInputError) as refused:
        differences(changed(case, path, value), answer)
    assert refused.value.field == field


def test_a_cancellation_of_a_room_that_there_is_not_is_refused() -> None:
    case = changed(document("one_of_two_rooms_given_up"), "cancellations/0/rooms", [2])
    assert answer_case(case)["error"]["field"] == "cancellations"


@pytest.mark.parametrize("room", [-1, 2, 3])
def test_a_room_that_the_stay_does_not_have_cannot_be_given_up(room: int) -> None:
    case = document("one_of_two_rooms_given_up")
    case["cancellations"][0]["rooms"] = [room]
    error = {"code": "invalid_input", "field": "cancellations", "reason": "no_such_room"}
    assert answer_case(case)["error"] == error
