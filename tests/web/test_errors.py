"""Every error of the tree has a status and a sentence; every code has its text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import pms_adapters.embedded.errors
import pms_adapters.postgres.errors
import pms_web.cli.listening  # noqa: F401 - its error is one of the tree
from meta.source import Module, read_tree
from pms_web.cli.explain import explained
from pms_web.errors import STATUSES, http_problem, problem_of
from pms_web.field_errors import FieldError, FieldsError
from pms_web.texts import (
    FIELD_TEXTS,
    VIOLATION_TEXTS,
    detail_of,
    field_text,
    violation_text,
)
from pms_web.transition_texts import ACT_TEXTS, REASON_TEXTS
from pmscore.booking.model.lifecycle import Act
from pmscore.inventory.model.holds import HoldStatus
from pmscore.kernel import errors as tree
from pmscore.kernel.errors import PmsError, Violation
from pmscore.restrictions.model.rules import RULE_KINDS


def _subclasses(kind: type[PmsError]) -> Iterator[type[PmsError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


_ALL = sorted(set(_subclasses(PmsError)), key=lambda each: each.__qualname__)
_CORE = [each for each in _ALL if each.__module__ == tree.__name__]
_CORE_LEAVES = [each for each in _CORE if not set(each.__subclasses__()) & set(_CORE)]


def _made(kind: type[PmsError]) -> PmsError:
    """Return an error of a kind, with whatever its constructor wants."""
    special: dict[str, tuple[object, ...]] = {
        "InvalidInputError": ("field", "reason"),
        "NotFoundError": ("booking", "1"),
        "TransitionError": ("cancel", "checked_in"),
        "RefusedError": ((Violation("closed_night"),),),
        "FieldsError": ((FieldError("a", "required"),),),
    }
    if kind.__name__ == "SchemaOutOfDateError":
        return tree.SchemaOutOfDateError(table="t", column="c", migration="0001")
    made = kind.__new__(kind, *special.get(kind.__name__, ()))
    if kind.__module__ in {tree.__name__, FieldsError.__module__, pms_adapters.postgres.errors.__name__}:
        made.__init__(*special.get(kind.__name__, ()))
    else:
        tree.PmsError.__init__(made)
        made.retry_count = 0
    return made


def test_there_are_leaves_to_check() -> None:
    assert {"NightsTakenError", "BusyError", "UnreachableError"} <= {each.__name__ for each in _CORE_LEAVES}
    assert pms_adapters.embedded.errors.AlreadyRunningError in _ALL


@pytest.mark.parametrize("kind", _CORE_LEAVES, ids=lambda each: each.__name__)
def test_every_leaf_of_the_tree_has_a_row_in_the_table(kind: type[PmsError]) -> None:
    assert kind in STATUSES


@pytest.mark.parametrize("kind", _ALL, ids=lambda each: each.__name__)
def test_every_error_gets_an_answer_with_a_sentence(kind: type[PmsError]) -> None:
    error = _made(kind)
    problem = problem_of(error)
    body = problem.body("request")
    assert 400 <= problem.status < 600
    assert body["detail"] == body["message"]
    assert len(str(body["detail"]).split()) >= 4
    assert body["status"] == problem.status
    if isinstance(error, tree.ConflictError):
        assert body["conflict_type"] == error.code
    if isinstance(error, tree.PortError) and kind is not tree.SchemaOutOfDateError:
        assert body["retry_count"] == 0


@pytest.mark.parametrize("kind", _ALL, ids=lambda each: each.__name__)
def test_every_error_is_explained_to_operators(kind: type[PmsError]) -> None:
    sentence, way_out = explained(_made(kind))
    assert sentence
    assert "{" not in sentence + way_out


def test_a_fault_of_the_program_tells_nothing_of_itself() -> None:
    problem = problem_of(tree.MisuseError(secret_table="x"))
    assert (problem.status, problem.code) == (500, "internal_server_error")
    assert "secret_table" not in str(problem.body("r"))


@pytest.mark.parametrize("status", [400, 404, 405, 408, 413, 414, 415, 431, 500, 501, 503])
def test_every_http_error_has_the_same_shape(status: int) -> None:
    body = http_problem(status).body("r")
    assert body["status"] == status if status < 500 else 500
    assert str(body["detail"]).strip()


_REASON = re.compile(r"(?:InvalidInputError|\brefuse)\(\s*(?:f?\"[^\"]*\"|[\w.]+),\s*\"(\w+)\"")


def _reasons(repository: Path) -> set[str]:
    files = (repository / "src").rglob("*.py")
    return {reason for file in files for reason in _REASON.findall(file.read_text("utf-8"))}


def test_every_reason_in_the_source_has_a_text(repository: Path) -> None:
    reasons = _reasons(repository)
    assert {"not_after_arrival", "too_long", "no_adult"} <= reasons
    assert reasons - set(FIELD_TEXTS) == set()


DECIDED_ELSEWHERE = {
    "pmscore/booking/use_cases/change_status.py": ("pmscore/booking/policies/guards.py", "against")
}
"""Where the reason of a transition is no text in the raise: which module's functions return it, under which name."""


def _constant(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _returned(module: Module) -> set[str]:
    """Return every text that a function of the module may return."""
    returns = (each.value for each in ast.walk(module.tree) if isinstance(each, ast.Return) and each.value)
    found = (_constant(part) for value in returns for part in ast.walk(value) if isinstance(part, ast.expr))
    return {each for each in found if each is not None}


def _transitions(modules: Iterable[Module]) -> tuple[set[str], set[str]]:
    """Return the acts and the reasons of every transition that some modules refuse.

    A reason that is neither a text nor known to be decided elsewhere is an error: it could not be held to anything.
    """
    modules = {str(each.path): each for each in modules}
    acts, reasons = set(), set()
    for path, module in modules.items():
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Call) and module.resolved(node.func).endswith("TransitionError")):
                continue
            named = {each.arg: each.value for each in node.keywords}
            act, reason = (
                node.args[at] if len(node.args) > at else named.get(name)
                for at, name in ((0, "act"), (2, "reason"))
            )
            acts |= {_constant(act)} - {None}
            if reason is None:
                continue
            text = _constant(reason)
            if text is None:
                decider, name = DECIDED_ELSEWHERE.get(path, ("", ""))
                assert isinstance(reason, ast.Name), f"{path}:{node.lineno}: say where this reason is decided"
                assert reason.id == name, f"{path}:{node.lineno}: say where this reason is decided"
                reasons |= _returned(modules[decider])
            else:
                reasons.add(text)
    return acts, reasons


@pytest.fixture(scope="module")
def transitions(repository: Path) -> tuple[set[str], set[str]]:
    packages = ("pmscore", "pms_web")
    return _transitions(each for package in packages for each in read_tree(repository / "src", package))


def test_every_reason_against_a_transition_has_a_sentence_and_every_sentence_a_reason(
    transitions: tuple[set[str], set[str]],
) -> None:
    _, reasons = transitions
    assert {"option_is_running", "no_option", "last_admin", "no_session", "not_forward"} <= reasons
    assert reasons == set(REASON_TEXTS)


def test_every_act_that_may_be_refused_has_words(transitions: tuple[set[str], set[str]]) -> None:
    acts, _ = transitions
    acts |= {each.value for each in Act} | {
        each.value for each in HoldStatus if each is not HoldStatus.ACTIVE
    }
    assert {"amend", "advance", "confirm", "released"} <= acts
    assert acts - set(ACT_TEXTS) == set()


@pytest.mark.parametrize(
    ("raised", "reasons"),
    [
        ('TransitionError("a", "b", "planted")', {"planted"}),
        ('TransitionError("a", status="b", reason="planted")', {"planted"}),
        ('errors.TransitionError("a", "b", "planted", most=3)', {"planted"}),
        ('TransitionError("a", "b")', set()),
    ],
)
def test_a_reason_is_found_however_it_is_written(tmp_path: Path, raised: str, reasons: set[str]) -> None:
    (tmp_path / "planted").mkdir()
    imports = "from pmscore.kernel import errors\nfrom pmscore.kernel.errors import TransitionError\n"
    (tmp_path / "planted" / "some.py").write_text(f"{imports}raise {raised}\n", "utf-8")
    assert _transitions(read_tree(tmp_path, "planted")) == ({"a"}, reasons)


def test_a_reason_that_nobody_can_find_is_told(tmp_path: Path) -> None:
    (tmp_path / "planted").mkdir()
    source = "from pmscore.kernel.errors import TransitionError\nraise TransitionError('a', 'b', made())\n"
    (tmp_path / "planted" / "some.py").write_text(source, "utf-8")
    with pytest.raises(AssertionError, match=r"planted/some\.py:2: say where"):
        _transitions(read_tree(tmp_path, "planted"))


def test_every_text_can_be_filled_in_with_nothing_known() -> None:
    for code in FIELD_TEXTS:
        assert field_text(code, {})
    assert field_text("out_of_range", {"least": 1, "most": 9}) == "is out of range: at least 1, at most 9"
    assert field_text("never_heard_of", {"x": "{y}"})


def test_every_rule_has_a_sentence() -> None:
    kinds = {kind for kind, _ in RULE_KINDS}
    assert kinds - set(VIOLATION_TEXTS) == set()
    for code in (*VIOLATION_TEXTS, "another"):
        assert violation_text(Violation(code)).endswith(".")


def test_the_sentence_of_the_degraded_mode_is_the_one_that_programs_read() -> None:
    problem = problem_of(tree.UnreachableError(retry_count=3, reason="no_connection"))
    body = problem.body("r")
    assert (body["status"], body["error"]) == (503, "service_unavailable")
    assert body["message"] == body["detail"] == "Database is temporarily unavailable."
    assert body["retry_count"] == 3
    unknown = problem_of(tree.UnreachableError(reason="outcome_unknown"))
    assert (unknown.status, unknown.code) == (503, "service_unavailable")
    assert "nobody knows whether" in unknown.detail


def test_a_schema_that_is_out_of_date_names_table_column_and_way_out() -> None:
    text = detail_of(tree.SchemaOutOfDateError(table="guests", column="phone", migration="0001_foundation"))
    assert text == (
        "Database schema not installed or out of date (missing column guests.phone). Run `pms migrate`, which"
        " brings migration 0001_foundation."
    )
