"""Whatever is sent, the answer is a clear refusal and nothing is written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from web.conftest import Web, day, problem, wrong_fields

pytestmark = pytest.mark.postgres

_EUR = {"currency": "EUR"}


def _count(web: Web) -> int:
    asked = {"property_id": str(web.hotel.property.property_id), "from": day(0), "to": day(1000)}
    return len(web.client.get("/api/v1/availability", query_string=asked).get_json()["ranges"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"arrival": "0001-01-01"}, {"arrival": "out_of_calendar"}),
        ({"departure": "9999-12-31"}, {"departure": "out_of_calendar"}),
        ({"arrival": "2027-02-29", "departure": "2027-03-02"}, {"arrival": "no_such_day"}),
        ({"arrival": "2027-3-1"}, {"arrival": "not_iso_date"}),
        ({"arrival": "2027-03-01T00:00:00Z"}, {"arrival": "not_iso_date"}),
        ({"arrival": "\u0662\u0660\u0662\u0667-\u0660\u0663-\u0660\u0661"}, {"arrival": "not_iso_date"}),
        ({"arrival": 20270301}, {"arrival": "not_text"}),
        ({"arrival": None}, {"arrival": "required"}),
        ({"departure": day(5000)}, {"departure": "too_long"}),
        ({"departure": day(1)}, {"departure": "not_after_arrival"}),
        ({"adults": 0}, {"adults": "no_adult"}),
        ({"adults": -1}, {"adults": "no_adult"}),
        ({"adults": True}, {"adults": "not_a_number"}),
        ({"adults": 10**30}, {"adults": "out_of_range"}),
        ({"adults": 101}, {"adults": "out_of_range"}),
        ({"children": -1}, {"children": "negative"}),
        ({"rate": {"amount": "-1.00", **_EUR}}, {"rate": "negative_amount"}),
        ({"rate": {"amount": 1, **_EUR}}, {"rate.amount": "not_text"}),
        ({"rate": {"amount": "1.005", **_EUR}}, {"rate.amount": "too_precise"}),
        ({"rate": {"amount": "1e3", **_EUR}}, {"rate.amount": "not_decimal"}),
        ({"rate": {"amount": "NaN", **_EUR}}, {"rate.amount": "not_decimal"}),
        ({"rate": {"amount": "9" * 29, **_EUR}}, {"rate.amount": "too_large"}),
        ({"rate": {"amount": "99999999999.00", **_EUR}}, {"nightly": "out_of_range"}),
        ({"rate": {"amount": "1.00", "currency": "EURO"}}, {"rate.currency": "unknown_currency"}),
        ({"rate": {"amount": "1.00"}}, {"rate.currency": "required"}),
        ({"rate": "1.00"}, {"rate": "not_money"}),
        ({"rate": None}, {"nightly": "required"}),
        ({"nightly": []}, {"rate": "one_of_two"}),
        ({"rate": None, "nightly": [{"amount": "1.00", **_EUR}]}, {"nightly": "not_one_amount_a_night"}),
        ({"rate": None, "nightly": [{"amount": "1.00", **_EUR}, {"amount": "1.00", "currency": "USD"}]},
         {"nightly": "mixed_currencies"}),
        ({"rate": None, "nightly": [{"amount": "1.00", **_EUR}] * 5000}, {"nightly": "too_many"}),
        ({"rate": None, "nightly": "1.00"}, {"nightly": "not_a_list"}),
        ({"guest": None}, {"guest": "required"}),
        ({"guest": "Ada"}, {"guest": "not_an_object"}),
        ({"guest": {"name": ""}}, {"guest.name": "empty"}),
        ({"guest": {"name": "a\x00b"}}, {"guest.name": "control_character"}),
        ({"guest": {"name": "a\ud800b"}}, {"guest.name": "lone_surrogate"}),
        ({"guest": {"name": "x" * 201}}, {"guest.name": "too_long"}),
        ({"guest": {"name": "x" * 10_001}}, {"guest.name": "too_long"}),
        ({"guest": {"name": "Ada", "email": "no address"}}, {"guest.email": "not_an_address"}),
        ({"guest": {"name": "Ada", "country": "pt"}}, {"guest.country": "not_a_country_code"}),
        ({"guest": {"name": ["Ada"]}}, {"guest.name": "not_text"}),
        ({"requests": "\x00"}, {"requests": "control_character"}),
        ({"notes": "x" * 4001}, {"notes": "too_long"}),
        ({"source": {"channel": "Not A Code"}}, {"source.channel": "not_a_code"}),
        ({"source": {"reference": "\ud800"}}, {"source.reference": "lone_surrogate"}),
        ({"hold_ids": "x"}, {"hold_ids": "not_a_list"}),
        ({"hold_ids": ["\ud800"]}, {"hold_ids[0]": "not_an_id"}),
        ({"hold_ids": [1]}, {"hold_ids[0]": "not_text"}),
        ({"option_until": "2027-03-05T18:00:00"}, {"option_until": "without_offset"}),
        ({"option_until": "0001-01-01T00:00:00+14:00"}, {"option_until": "not_an_instant"}),
        ({"option_until": "2020-01-01T00:00:00Z"}, {"option_until": "in_the_past"}),
        ({"property_id": "{}"}, {"property_id": "not_an_id"}),
        ({"unit_id": "ABC"}, {"unit_id": "not_an_id"}),
        ({"\ud800": 1}, {"\\ud800": "unknown_field"}),
        ({"unit_type_id": None}, {"unit_type_id": "required"}),
        ({"rooms": {}}, {"rooms": "not_a_list"}),
    ],
)  # fmt: skip
def test_a_value_at_or_beyond_the_edge_is_refused_by_field(
    web: Web, changes: dict[str, object], expected: dict[str, str]
) -> None:
    before = _count(web)
    body = web.booking(2, 2)
    body.update(changes)
    found = wrong_fields(web.post({name: value for name, value in body.items() if value is not None}))
    assert expected.items() <= found.items()
    assert _count(web) == before


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"[]", "not_an_object"),
        (b"7", "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"adults": NaN}', "not_json"),
        (b'{"adults": 1.0}', "fraction"),
        (b'{"adults": 1e2}', "fraction"),
        (b'{"adults": ' + b"9" * 5000 + b"}", "number_too_long"),
        (b'{"adults": 1, "adults": 2}', "member_twice"),
        (b'{"a": "\xff"}', "not_utf8"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "too_deep"),
        (b"[" * 100_000, "too_deep"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(web: Web, sent: bytes, code: str) -> None:
    headers = {"Idempotency-Key": "x", "Content-Type": "application/json"}
    answer = web.client.post("/api/v1/bookings", data=sent, headers=headers)
    assert wrong_fields(answer) == {"body": code}


def test_brackets_inside_text_do_not_count_as_depth(web: Web) -> None:
    answer = web.post(web.booking(2, 1, notes='[[[[[[[[[[[[[[[[[[{{{{{{{{ \\" ['))
    assert answer.status_code == 201


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "json"])
def test_another_content_type_is_refused(web: Web, content_type: str) -> None:
    headers = {"Idempotency-Key": "x", "Content-Type": content_type}
    answer = web.client.post("/api/v1/bookings", data=b"{}", headers=headers)
    problem(answer, 415, "unsupported_media_type")


def test_more_than_a_mebibyte_is_refused(web: Web) -> None:
    answer = web.post(web.booking(2, 1, notes="x" * (1 << 20)))
    problem(answer, 413, "payload_too_large")


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1", "/api/v1/bookings/a/b", "//api/v1/properties", "/%00"]
)
def test_there_is_nothing_at_other_addresses(web: Web, path: str) -> None:
    problem(web.client.get(path), 404, "no_such_address")


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/api/v1/properties"), ("POST", "/health"), ("DELETE", "/api/v1/bookings"), ("PUT", "/")],
)
def test_another_method_is_refused_and_says_which_ones_there_are(web: Web, method: str, path: str) -> None:
    answer = web.client.open(path, method=method)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"]


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from([day(3), "EUR", "1.00"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["property_id", "unit_type_id", "unit_id", "arrival", "departure", "adults", "children", "rate", "nightly",
     "guest", "guest_id", "rooms", "source", "requests", "notes", "hold_ids", "option_until", "status", "version"]
)  # fmt: skip


@settings(max_examples=150)
@given(changes=st.dictionaries(_NAMES, _JSON, min_size=1, max_size=4))
def test_no_json_ever_breaks_a_view(web: Web, changes: dict[str, object]) -> None:
    made = web.post({**web.booking(2, 2), **changes})
    assert made.status_code in {201, 404, 409, 422}
    assert json.loads(made.data)
    patched = web.patch("00000000-0000-4000-8000-000000000000", changes)
    assert patched.status_code in {404, 422}
    if made.status_code == 201:
        web.patch(made.get_json()["id"], {"status": "cancelled"})
