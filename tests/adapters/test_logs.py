"""Log lines: their shape, and what must never be in them; each planted value is seen where nothing is blotted out."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator, Mapping

import pytest

from pms_adapters import logs
from pms_adapters.logs import configure_logs, masked
from pmscore.kernel.errors import UnreachableError
from pmscore.kernel.secrets import Secret

ROW = "Failing row contains (Ada Moreira)"
KEY = "pms_0123456789abcdef0123456789abcdef_" + "k" * 43
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def _logged(write: Callable[[logging.Logger], None], **how: object) -> str:
    stream = io.StringIO()
    configure_logs(**{"level": "DEBUG", "is_json": True, "stream": stream, **how})
    write(logging.getLogger("a.library"))
    return stream.getvalue()


def _line(write: Callable[[logging.Logger], None], **how: object) -> Mapping[str, object]:
    (line,) = _logged(write, **how).splitlines()
    return json.loads(line)


def test_a_line_is_one_object_with_when_who_and_what() -> None:
    line = _line(lambda log: log.warning("%s of %s", 3, 7, extra={"reaction": "greet"}))
    assert {
        "event": "3 of 7",
        "level": "warning",
        "logger": "a.library",
        "reaction": "greet",
    }.items() <= line.items()
    assert str(line["at"]).endswith("Z")


def test_what_is_being_worked_on_is_in_every_line() -> None:
    line = _line(lambda log: log.info("x"), about=lambda: {"request_id": "r-1", "agency": "a-1"})
    assert (line["request_id"], line["agency"]) == ("r-1", "a-1")


def test_people_get_text() -> None:
    text = _logged(lambda log: log.info("hello", extra={"rooms": 3}), is_json=False)
    assert "hello" in text
    assert "rooms=3" in text
    assert not text.startswith("{")


def test_less_than_the_level_is_not_written() -> None:
    assert _logged(lambda log: log.info("x"), level="WARNING") == ""


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "JWT_SECRET", "access_token", "Authorization", "guest_email", "phone"],
)
def test_what_has_a_telling_name_is_blotted_out(name: str) -> None:
    line = _line(lambda log: log.info("x", extra={name: "planted", "deep": {"rows": [{name: "planted"}]}}))
    assert line[name] == "***"
    assert "planted" not in json.dumps(line)


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        TOKEN,
        f"Bearer {KEY[-43:]}",
        "Basic YWRhOmx2cmVsYWNl",
        "postgresql://pms_app:lvrelace@db/pms",
        "password=lvrelace",
        "{'secret': 'lvrelace'}",
        "https://hook.example/?token=lvrelace&x=1",
        "whsec_bHZyZWxhY2U=",
        "ada@example.com",
        "+351 912 345 678",
    ],
)
def test_what_has_a_telling_shape_is_blotted_out(text: str) -> None:
    shown = masked(f"before {text} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "***" in shown
    for secret in (KEY[-43:], "lvrelace", "YWRhOmx2cmVsYWNl", "bHZyZWxhY2U", TOKEN[-10:], "ada@", "912 345"):
        assert secret not in shown


@pytest.mark.parametrize(
    "text",
    [
        "booking 01997f3e-5f0a-7c3e-9d7e-1c2b3a4d5e6f of 2027-03-01",
        "http://127.0.0.1:8000 answers",
        "the token does not hold",
        "3 + 4 rooms at 12:00:00+00:00",
        "pms_app is held by row-level security",
    ],
)
def test_what_is_harmless_stays(text: str) -> None:
    assert masked(text) == text


def test_the_secrets_of_the_process_are_blotted_out_wherever_they_stand() -> None:
    line = _line(lambda log: log.info("x lvrelace42 y"), known=frozenset({"lvrelace42", "a"}))
    assert line["event"] == "x *** y"


def test_a_secret_hides_itself() -> None:
    assert "planted" not in _logged(
        lambda log: log.info("it is %s", Secret("planted"), extra={"it": Secret("planted")})
    )


def _fail(log: logging.Logger) -> None:
    try:
        try:
            raise ValueError(ROW)  # noqa: TRY301 - it must have come from somewhere
        except ValueError as error:
            raise UnreachableError(reason="failed") from error
    except UnreachableError:
        log.exception("unexpected")


def test_a_trace_tells_where_but_not_what_a_stranger_says() -> None:
    line = _line(_fail)
    assert "Ada Moreira" not in json.dumps(line)
    told = str(line["exception"])
    assert "ValueError\n" in told
    assert "test_logs.py" in told
    assert told.endswith("UnreachableError: service_unavailable (retry_count=0, reason=failed)\n")


def test_on_a_developers_own_machine_it_tells_both() -> None:
    assert "Ada Moreira" in str(_line(_fail, is_frank=True)["exception"])


def test_planted_values_are_seen_where_nothing_is_blotted_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control: the checks above can fail."""
    monkeypatch.setattr(logs._Hiding, "__call__", lambda self, _, __, line: line)
    line = _line(lambda log: log.info("x %s %s ada@example.com", KEY, TOKEN, extra={"password": "planted"}))
    assert line["password"] == "planted"
    assert all(each in str(line["event"]) for each in (KEY, TOKEN, "ada@example.com"))
