from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from pmscore.kernel import errors
from pmscore.kernel.errors import (
    ConflictError,
    DomainError,
    InvalidInputError,
    MisuseError,
    NightsTakenError,
    PmsError,
    PortError,
    RefusedError,
    Violation,
)

BRANCHES = (DomainError, ConflictError, PortError, MisuseError)
CLASSES = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, PmsError) and each is not PmsError
]


def test_every_error_stands_on_exactly_one_branch():
    assert len(CLASSES) > 15
    assert all(sum(issubclass(each, branch) for branch in BRANCHES) == 1 for each in CLASSES)


def test_every_error_has_a_code_of_its_own():
    codes = Counter(each.code for each in CLASSES)
    assert [code for code, uses in codes.items() if uses > 1] == []


def test_all_public_names_are_listed_in_order():
    assert errors.__all__ == sorted(errors.__all__)
    assert {each.__name__ for each in CLASSES} <= set(errors.__all__)


def test_an_error_shows_its_code_and_parameters():
    error = InvalidInputError("departure", "too_long", nights=5000)
    assert str(error) == "invalid_input (field=departure, reason=too_long, nights=5000)"
    assert error.params == {"field": "departure", "reason": "too_long", "nights": 5000}


def test_refusals_and_conflicts_carry_every_violation_and_name_each_once():
    night = date(2027, 5, 1)
    twice = (Violation("closed", night), Violation("closed", night), Violation("min_stay", value=3))
    assert RefusedError(twice).violations == twice
    assert RefusedError(twice).params == {"violations": "closed,min_stay"}
    assert NightsTakenError((Violation("unit_taken", night),)).params == {"nights": "2027-05-01"}


@pytest.mark.parametrize("error_class", CLASSES)
def test_only_conflicts_and_failures_outside_may_be_worth_a_repetition(error_class: type[PmsError]):
    assert not error_class.is_retryable or issubclass(error_class, (ConflictError, PortError))


def test_taken_nights_are_an_answer_and_not_worth_a_repetition():
    assert not NightsTakenError.is_retryable
    assert errors.BusyError.is_retryable
    assert errors.UnreachableError.is_retryable
    assert not errors.MisconfiguredError.is_retryable
