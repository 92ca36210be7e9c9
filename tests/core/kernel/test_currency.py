from __future__ import annotations

import json
from pathlib import Path

import pytest

from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, MisuseError

ADDED_SINCE_THE_LIST = {"XCG"}
WITHDRAWN_SINCE_THE_LIST = {"ANG", "BGN"}


@pytest.mark.parametrize(("code", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XCG", 2)])
def test_a_currency_knows_the_digits_of_its_minor_unit(code: str, digits: int):
    assert Currency.of(code).digits == digits
    assert str(Currency.of(code)) == code


def test_there_is_one_instance_a_code():
    assert Currency.of("EUR") is Currency.of("EUR") is Currency.recorded("EUR")
    assert len(Currency.active()) == len({each.code for each in Currency.active()}) > 150


@pytest.mark.parametrize("code", ["eur", "EURO", "", "XXX", "XAU", "ZZZ", "\ud800", "EUR\x00", "HRK"])
def test_an_unknown_currency_is_refused(code: str):
    with pytest.raises(InvalidInputError) as error:
        Currency.of(code)
    assert (error.value.field, error.value.reason) == ("currency", "unknown_currency")
    str(error.value).encode("utf-8")


def test_a_withdrawn_currency_is_read_from_old_records_only():
    assert Currency.recorded("HRK").digits == 2
    assert Currency.recorded("HRK") not in Currency.active()
    with pytest.raises(InvalidInputError):
        Currency.recorded("ZZZ")


@pytest.mark.parametrize(("code", "digits"), [("EUR", 2), ("EUR", 3), ("HRK", 2), ("ZZZ", 2)])
def test_a_second_instance_cannot_be_made(code: str, digits: int):
    with pytest.raises(MisuseError):
        Currency(code, digits)


def test_the_table_is_that_of_the_maintenance_agency(shared_dir: Path):
    source = shared_dir / "specs" / "iso4217" / "iso4217.json"
    if not source.is_file():
        pytest.skip("needs ../shared/specs/iso4217/iso4217.json")
    listed = {
        each["code"]: each["minor_units"]
        for each in json.loads(source.read_text(encoding="utf-8"))["currencies"]
        if each["minor_units"] is not None
    }
    active = {each.code: each.digits for each in Currency.active()}
    assert active.keys() - listed.keys() == ADDED_SINCE_THE_LIST
    assert listed.keys() - active.keys() == WITHDRAWN_SINCE_THE_LIST
    assert all(digits == active.get(code, digits) for code, digits in listed.items())
    assert all(Currency.recorded(code).digits == listed[code] for code in WITHDRAWN_SINCE_THE_LIST)
