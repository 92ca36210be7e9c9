"""``pms rates import``: the whole file or nothing of it, as often as you like, and a sentence for every mistake.

The files here are made by hand: the form is that of the European Central Bank, the rates are invented.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapters.conftest import PostgresDatabase
from pms_adapters.postgres.engine import open_engine
from pms_adapters.postgres.exchange import PostgresExchangeRates
from pms_web.cli.main import pms
from pms_web.cli.reference_rates import opened_rates
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import AgencyId
from web.conftest import Web

EUR, USD, JPY = (Currency.of(code) for code in ("EUR", "USD", "JPY"))
HISTORY = """\
Date,USD,JPY,EEK,ISK,
2027-02-26,1.0842,162.35,N/A,150.1,
2027-02-25,1.0801,161.9,N/A,N/A,
2010-12-31,1.3362,108.65,15.6466,,
"""
ONE_DAY = "Date, USD, JPY, ISK, \n01 March 2027, 1.09, 163, 151, \n"


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "rates.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def read(file: Path) -> list[tuple[str, str, str]]:
    with opened_rates(file) as found:
        return [(each.shown.code, each.on.isoformat(), each.plain()) for each in found.rates("test")]


def run(*arguments: str, **environ: str | None) -> Result:
    unset = {"DATABASE_URL": None, "REDIS_URL": None, "PMS_HOME": None, **environ}
    return CliRunner().invoke(pms, ("rates", "import", *arguments), env=unset)


class TestReading:
    def test_rates_of_all_days_in_the_order_of_the_file(self, tmp_path: Path) -> None:
        file = written(tmp_path, HISTORY)
        assert read(file) == [
            ("USD", "2027-02-26", "1.0842"),
            ("JPY", "2027-02-26", "162.35"),
            ("ISK", "2027-02-26", "150.1"),
            ("USD", "2027-02-25", "1.0801"),
            ("JPY", "2027-02-25", "161.9"),
            ("USD", "2010-12-31", "1.3362"),
            ("JPY", "2010-12-31", "108.65"),
        ]
        with opened_rates(file) as found:
            assert [each.code for each in found.currencies] == ["USD", "JPY", "ISK"]
            assert found.left_out == ("EEK",)

    @pytest.mark.parametrize(
        "text",
        [
            ONE_DAY,
            "\ufeff" + ONE_DAY,
            ONE_DAY.replace("\n", "\r\n"),
            "\n" + ONE_DAY + "\n\n",
            ONE_DAY.replace("01", "1"),
        ],
    )
    def test_the_file_of_one_day_in_any_dress(self, tmp_path: Path, text: str) -> None:
        day = "2027-03-01"
        assert read(written(tmp_path, text)) == [
            ("USD", day, "1.09"),
            ("JPY", day, "163"),
            ("ISK", day, "151"),
        ]

    def test_a_long_file_is_read_as_it_is_asked_for(self, tmp_path: Path) -> None:
        first = date(2027, 1, 1)
        lines = [f"{first + timedelta(days=number)},1.{number + 1}" for number in range(2_000)]
        file = written(tmp_path, "\n".join(["Date,USD", *lines, "2027-01-01,1.1"]))
        with opened_rates(file) as found:
            rates = found.rates("test")
            assert next(rates).on == first
            with pytest.raises(InvalidInputError, match="day_twice"):
                list(rates)

    @pytest.mark.parametrize(
        ("text", "field", "reason", "line"),
        [
            ("", "file", "empty", None),
            ("\n \n", "file", "empty", None),
            (b"\xff\xfe", "file", "not_utf8", None),
            (b"PK\x03\x04rest", "file", "zipped", None),
            ('Date,"USD\n', "file", "not_csv", None),
            ("Day,USD\n", "Date", "missing_column", 1),
            ("USD,JPY\n", "Date", "missing_column", 1),
            ("Date\n", "file", "no_currencies", 1),
            ("Date,EEK\n", "file", "no_currencies", 1),
            ("Date,usd\n", "'usd'", "unknown_currency", 1),
            ("Date,,USD\n", "''", "unknown_currency", 1),
            ("Date,USD,EUR\n", "EUR", "same_currency", 1),
            ("Date,USD,JPY,USD\n", "USD", "column_twice", 1),
            ("Date,USD\n2027-03-01\n", "file", "wrong_number_of_fields", 2),
            ("Date,USD\n2027-03-01,1,2\n", "file", "wrong_number_of_fields", 2),
            ("Date,USD\n03/01/2027,1\n", "Date", "not_a_reference_day", 2),
            ("Date,USD\n01 Marz 2027,1\n", "Date", "not_a_reference_day", 2),
            ("Date,USD\n31 February 2027,1\n", "Date", "no_such_day", 2),
            ("Date,USD\n2027-02-30,1\n", "Date", "no_such_day", 2),
            ("Date,USD\n1027-02-01,1\n", "Date", "out_of_calendar", 2),
            ("Date,USD\n2027-03-01,1\n\n2027-03-01,2\n", "Date", "day_twice", 4),
            ("Date,USD\n2027-03-01,one\n", "USD", "not_decimal", 2),
            ("Date,USD\n2027-03-01,-1\n", "USD", "not_decimal", 2),
            ("Date,USD\n2027-03-01,1e3\n", "USD", "not_decimal", 2),
            ("Date,USD\n2027-03-01,0\n", "USD", "not_positive", 2),
            ("Date,USD\n2027-03-01,1.12345678901\n", "USD", "too_many_digits", 2),
        ],
    )
    def test_a_mistake_is_named_with_its_column_and_line(
        self, tmp_path: Path, text: str | bytes, field: str, reason: str, line: int | None
    ) -> None:
        with pytest.raises(InvalidInputError) as refused:
            read(written(tmp_path, text))
        error = refused.value
        assert (error.field, error.reason, error.params.get("line")) == (field, reason, line)

    def test_a_source_that_cannot_be_is_no_mistake_of_the_file(self, tmp_path: Path) -> None:
        with opened_rates(written(tmp_path, HISTORY)) as found, pytest.raises(InvalidInputError) as refused:
            list(found.rates("x" * 200))
        assert refused.value.field == "source"


@pytest.mark.postgres
class TestImporting:
    @pytest.fixture
    def rates(self, web: Web, postgres_database: PostgresDatabase):
        engine = open_engine(postgres_database.app_url, size=1)
        yield PostgresExchangeRates(engine, agency_of(web))
        engine.dispose()

    def test_a_file_is_imported_and_again_without_a_change(
        self, web: Web, postgres_database: PostgresDatabase, rates: PostgresExchangeRates, tmp_path: Path
    ) -> None:
        file = written(tmp_path, HISTORY)
        arguments = (str(file), "--agency", str(agency_of(web)))
        result = run(*arguments, DATABASE_URL=postgres_database.app_url)
        assert result.exit_code == 0, result.output
        assert result.stdout == (
            "7 rates of 3 currencies, 2010-12-31 to 2027-02-26: 7 are new or different.\n"
        )
        assert "EEK" in result.stderr
        found = rates.find(EUR, USD, date(2027, 2, 27))
        assert found is not None
        assert (found.plain(), found.on, found.source) == (
            "1.0842",
            date(2027, 2, 26),
            "European Central Bank",
        )
        written(tmp_path, HISTORY.replace("162.35", "162.36"))
        report = json.loads(run(*arguments, "--json", DATABASE_URL=postgres_database.app_url).stdout)
        assert report == {
            "currencies": ["USD", "JPY", "ISK"],
            "left_out": ["EEK"],
            "days": 3,
            "first_day": "2010-12-31",
            "last_day": "2027-02-26",
            "rates": 7,
            "changed": 1,
        }

    def test_more_than_one_command_takes(
        self, web: Web, postgres_database: PostgresDatabase, rates: PostgresExchangeRates, tmp_path: Path
    ) -> None:
        first = date(2000, 1, 1)
        lines = [f"{first + timedelta(days=number)},{number + 1},{number + 2}" for number in range(1_100)]
        file = written(tmp_path, "\n".join(["Date,CHF,SEK", *lines]))
        result = run(
            str(file),
            "--agency",
            str(agency_of(web)),
            "--source",
            "test",
            DATABASE_URL=postgres_database.app_url,
        )
        assert "2200 rates of 2 currencies" in result.stdout, result.output
        for code, more in (("CHF", 1), ("SEK", 2)):
            found = rates.find(EUR, Currency.of(code), first + timedelta(days=1_099))
            assert found is not None
            assert found.plain() == str(1_099 + more)

    def test_nothing_of_a_file_with_a_mistake_is_stored(
        self, web: Web, postgres_database: PostgresDatabase, rates: PostgresExchangeRates, tmp_path: Path
    ) -> None:
        file = written(tmp_path, "Date,NZD\n2027-03-01,1.5\n2027-03-02,1.6\n2027-03-03,x\n")
        result = run(str(file), "--agency", str(agency_of(web)), DATABASE_URL=postgres_database.app_url)
        assert result.exit_code == 1
        assert result.stderr.startswith("Line 4: NZD must be a plain decimal number")
        assert "Traceback" not in result.output
        assert rates.find(EUR, Currency.of("NZD"), date(2027, 3, 9)) is None

    def test_an_agency_that_is_not_there_is_a_sentence(
        self, postgres_database: PostgresDatabase, tmp_path: Path
    ) -> None:
        file = written(tmp_path, HISTORY)
        stranger = "00000000-0000-4000-8000-000000000001"
        result = run(str(file), "--agency", stranger, DATABASE_URL=postgres_database.app_url)
        assert result.exit_code == 1
        assert "no such agency" in result.stderr


def test_a_file_that_is_not_there_is_a_wrong_use() -> None:
    result = run("no-such-file.csv")
    assert result.exit_code == 2
    assert "no-such-file.csv" in result.stderr


def agency_of(web: Web) -> AgencyId:
    return web.services.agency_id
