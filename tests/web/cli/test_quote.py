"""``pms quote``: cases as trees and as JSON, compared with what they expect."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapters.conftest import PostgresDatabase
from pms_web.cli.main import pms
from web.api.price_list import reprice
from web.conftest import Web, day

CASES = Path(__file__).parents[2] / "core" / "pricing" / "cases"
CASE = {
    "zone": "Europe/Berlin",
    "unit_types": {"double": {"rooms": 2, "largest_party": 4}},
    "book": {
        "format": 1,
        "currency": "EUR",
        "plans": [
            {"code": "flex", "name": "Flex", "prices": {"double": {"default": "100.00"}}, "terms": "usual"},
            {
                "code": "shut",
                "name": "Shut",
                "prices": {
                    "double": {
                        "dates": [{"nights": {"from": "2027-07-01", "to": "2027-08-01"}, "price": "1.00"}]
                    }
                },
            },
        ],
        "rules": [
            {
                "code": "weekend",
                "name": "Weekend",
                "kind": "channel",
                "value": {"channels": {"direct": {"percent": "12.5"}}},
                "weekdays": ["fri", "sat"],
                "rank": 1,
                "group": "days",
                "version": 3,
            }
        ],
        "terms": {
            "usual": {
                "cancellation": [{"anchor": "created", "fee": {}}],
                "no_show": {"percent": "90"},
                "deposit": [{"due": "booking", "percent": "30"}, {"due": "arrival"}],
            }
        },
    },
    "now": "2027-05-01T10:00:00Z",
    "request": {"arrival": "2027-06-03", "departure": "2027-06-06", "parties": [{"adults": 2}]},
}


def _run(*arguments: str, **environ: str | None) -> Result:
    unset = {"DATABASE_URL": None, "REDIS_URL": None, "PMS_HOME": None, **environ}
    return CliRunner().invoke(pms, ("quote", *arguments), env=unset)


def _on(tmp_path: Path, document: object, *arguments: str) -> Result:
    file = tmp_path / "case.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return _run("--case", str(file), *arguments)


def test_a_person_reads_a_tree_for_each_quote_and_sentences_for_each_refusal(tmp_path: Path) -> None:
    result = _on(tmp_path, CASE)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "double, quote flex: 325.00 EUR"
    assert "│   ├── 2027-06-04: 112.50" in lines
    assert "│   │   ├── rule weekend (channel, v3) 12.5 %: 100.00 → 112.50" in lines
    assert "│   └── 2027-06-05: 112.50 (as 2027-06-04)" in lines
    assert "├── no show: 292.50" in lines
    assert "double, plan shut: not offered" in lines
    (night, *_) = (line for line in lines if "2027-06-03" in line and "│" not in line)
    assert night.startswith("├── ")
    assert night.endswith(".")


def test_a_program_reads_lines_totals_refusals_and_the_explanation(tmp_path: Path) -> None:
    result = _on(tmp_path, CASE, "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert list(report) == ["quotes", "refusals", "differences"]
    (quoted,) = report["quotes"]
    assert (quoted["unit_type"], quoted["plan"]) == ("double", "flex")
    assert quoted["totals"]["due"] == quoted["explanation"]["after"] == "325.00"
    assert [line["amount"] for line in quoted["lines"]] == ["100.00", "112.50", "112.50"]
    assert [each["amount"] for each in quoted["deposit"]] == ["97.50", "227.50"]
    (refused,) = report["refusals"]
    assert {each["code"] for each in refused["refused"]} == {"no_price"}
    assert report["differences"] == []


def test_what_differs_from_the_expectation_is_named_and_fails(tmp_path: Path) -> None:
    expected = {"quotes": [{"unit_type": "double", "plan": "flex", "totals": {"due": "324.99"}}]}
    wrong = {**CASE, "expect": expected}
    result = _on(tmp_path, wrong)
    assert result.exit_code == 1
    assert "quotes.double.flex.totals.due: expected 324.99, found 325.00" in result.stdout
    report = json.loads(_on(tmp_path, wrong, "--json").stdout)
    due = {"path": "quotes.double.flex.totals.due", "expected": "324.99", "found": "325.00"}
    assert due in report["differences"]


def test_a_case_that_says_the_right_thing_ends_well() -> None:
    result = _run("--case", str(CASES / "stages_in_their_order.json"))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "This is what the case expects.")


def test_an_error_that_is_expected_is_no_failure_and_another_one_is(tmp_path: Path) -> None:
    case = json.loads((CASES / "promotion_code_unknown.json").read_text("utf-8"))
    result = _on(tmp_path, case)
    assert (result.exit_code, result.stdout) == (0, "This is what the case expects.\n")
    assert result.stderr.startswith("codes ")
    case.pop("expect")
    result = _on(tmp_path, case)
    assert (result.exit_code, result.stdout) == (1, "")
    report = json.loads(_on(tmp_path, case, "--json").stdout)
    assert report["error"] == {"code": "invalid_input", "field": "codes", "reason": "unknown_code"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not valid JSON"),
        ('{"now": 1.5}', "decimal point"),
        ("[]", "must be a JSON object"),
        ('{"now": "x", "now": "y"}', "twice"),
    ],
)
def test_a_file_that_is_no_case_is_named_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    result = _on(tmp_path, text)
    assert result.exit_code == 1
    assert "case.json" in result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_mistake_in_a_case_is_named_by_its_place(tmp_path: Path) -> None:
    book = {**CASE["book"], "currency": "eur"}
    result = _on(tmp_path, {**CASE, "book": book})
    assert result.exit_code == 1
    assert result.stderr.startswith("book.currency ")


def test_a_file_that_is_not_there_is_a_wrong_use() -> None:
    result = _run("--case", "no-such-file.json")
    assert result.exit_code == 2
    assert "no-such-file.json" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--property", "Hotel"),
        ("--property", "Hotel", "--arrival", "2027-03-03"),
        ("--case", str(CASES / "stages_in_their_order.json"), "--property", "Hotel"),
        ("--case", str(CASES / "stages_in_their_order.json"), "--currency", "USD"),
    ],
)
def test_half_a_question_is_a_wrong_use(arguments: tuple[str, ...]) -> None:
    result = _run(*arguments)
    assert result.exit_code == 2
    assert "--property, --arrival and --departure" in result.stderr


@pytest.fixture(scope="module")
def priced(web: Web) -> Web:
    reprice(web)
    return web


@pytest.mark.postgres
class TestInTheDatabase:
    def _ask(
        self, web: Web, database: PostgresDatabase, *arguments: str, stay: tuple[int, int] = (2, 5)
    ) -> Result:
        asked = {
            "--property": web.hotel.property.name,
            "--arrival": day(stay[0]),
            "--departure": day(stay[1]),
            "--agency": str(web.services.agency_id),
        }
        options = [part for pair in asked.items() for part in pair if pair[0] not in arguments]
        return _run(*options, *arguments, DATABASE_URL=database.app_url)

    def test_a_stay_is_priced_by_names_and_nothing_is_stored(
        self, priced: Web, postgres_database: PostgresDatabase
    ) -> None:
        result = self._ask(
            priced, postgres_database, "--type", "Double", "--plan", "saver", "--code", "spring"
        )
        assert result.exit_code == 0, result.output
        lines = result.stdout.splitlines()
        assert lines[0].startswith("Double, quote saver: ")
        assert "│   │   ├── rule spring-sale (promotion, v1) -20 %: 90.00 → 72.00" in lines

    def test_a_program_reads_what_the_app_would_answer_with_explanations(
        self, priced: Web, postgres_database: PostgresDatabase
    ) -> None:
        result = self._ask(priced, postgres_database, "--type", priced.types["Double"], "--json")
        report = json.loads(result.stdout)
        assert [each["plan"] for each in report["quotes"]] == ["saver", "flex"]
        for each in report["quotes"]:
            assert each["explanation"]["after"] == each["total"]["amount"]

    def test_what_is_due_is_shown_in_another_currency_beside_its_own(
        self, priced: Web, postgres_database: PostgresDatabase
    ) -> None:
        yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
        rate = {"base": "EUR", "currency": "USD", "day": yesterday, "rate": "1.5", "source": "test"}
        assert priced.client.put("/api/v1/exchange-rates", json={"rates": [rate]}).status_code == 200
        named = ("--type", "Single", "--plan", "flex", "--adults", "1")
        plain = self._ask(priced, postgres_database, *named).stdout.splitlines()
        shown = self._ask(priced, postgres_database, *named, "--currency", "usd").stdout.splitlines()
        assert plain[0] == "Single, quote flex: 241.00 EUR"
        assert shown[0] == f"{plain[0]} (about 361.50 USD at 1.5 of {yesterday}, test)"
        assert not any("USD" in line for line in shown[1:])
        assert len(shown) == len(plain)
        missing = self._ask(priced, postgres_database, *named, "--currency", "HUF").stdout.splitlines()
        assert missing[0].startswith("Single, quote flex: 241.00 EUR (No exchange rate from EUR to HUF")
        report = json.loads(
            self._ask(priced, postgres_database, *named, "--currency", "USD", "--json").stdout
        )
        assert report["quotes"][0]["display"]["total"] == {"amount": "361.50", "currency": "USD"}
        assert report["quotes"][0]["total"] == {"amount": "241.00", "currency": "EUR"}

    def test_a_currency_that_is_none_is_a_sentence(
        self, priced: Web, postgres_database: PostgresDatabase
    ) -> None:
        result = self._ask(priced, postgres_database, "--currency", "dollar")
        assert result.exit_code == 1
        assert result.stderr.startswith("--currency must be an ISO 4217 currency code")

    def test_a_stay_that_is_not_offered_fails_with_sentences(
        self, priced: Web, postgres_database: PostgresDatabase
    ) -> None:
        party = ("--adults", "9", "--type", "Single")
        result = self._ask(priced, postgres_database, *party)
        assert result.exit_code == 1
        assert "Single, plan flex: not offered" in result.stdout

    @pytest.mark.parametrize(
        ("option", "known"), [("--property", "Hotel"), ("--type", "Double"), ("--plan", "saver")]
    )
    def test_a_name_that_is_not_known_is_refused_with_those_that_are(
        self, priced: Web, postgres_database: PostgresDatabase, option: str, known: str
    ) -> None:
        result = self._ask(priced, postgres_database, option, "nowhere")
        assert result.exit_code == 1
        assert known in result.stderr
        assert "Traceback" not in result.output

    def test_a_day_that_does_not_exist_is_a_sentence(
        self, priced: Web, postgres_database: PostgresDatabase
    ) -> None:
        result = self._ask(priced, postgres_database, "--arrival", "2027-02-30")
        assert result.exit_code == 1
        assert result.stderr.startswith("arrival ")
