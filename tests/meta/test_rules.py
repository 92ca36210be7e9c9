"""The house rules hold in every package, and each of them would notice if they did not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from meta import rules
from meta.source import Module, read_tree

PACKAGES = ("pmscore", "pms_adapters", "pms_web")
EVERY_RULE = rules.CORE_RULES + rules.HOUSE_RULES

DOC = '"""A planted module."""\n'
# Rule, where the breach is planted, the breach. Every rule stands here at least once.
PLANTED = (
    (rules.allowed_imports, "pmscore/booking/model.py", "import os"),
    (rules.allowed_imports, "pmscore/booking/model.py", "from numpy import array"),
    (rules.allowed_imports, "pmscore/booking/model.py", "from os import environ"),
    (rules.allowed_imports, "pmscore/booking/model.py", "from . import policies"),
    (rules.allowed_imports, "pmscore/booking/model.py", "def f():\n    import random"),
    (rules.allowed_imports, "pmscore/booking/model.py", "if TYPE_CHECKING:\n    from logging import Logger"),
    (rules.allowed_imports, "pmscore/booking/model.py", "import urllib.request"),
    (rules.allowed_imports, "pmscore/booking/model.py", "import pendulum"),
    (rules.allowed_imports, "pmscore/dates/zones_of_birds.py", "import pendulum"),
    (rules.allowed_imports, "pmscore/booking/model.py", "import threading"),
    (rules.allowed_imports, "pmscore/testing/memory.py", "import hypothesis"),
    (rules.allowed_imports, "pmscore/testing/memory.py", "import pytest"),
    (rules.no_outside_world, "pmscore/dates/zones.py", "from datetime import datetime\ndatetime.now()"),
    (rules.no_outside_world, "pmscore/dates/zones.py", "from datetime import datetime as d\nd.now(tz=UTC)"),
    (rules.no_outside_world, "pmscore/dates/zones.py", "import datetime as dt\ndt.date.today()"),
    (rules.no_outside_world, "pmscore/dates/zones.py", "from uuid import uuid4\nuuid4()"),
    (rules.no_outside_world, "pmscore/dates/zones.py", "import uuid\nuuid.uuid4()"),
    (rules.no_outside_world, "pmscore/dates/zones.py", "import pendulum\npendulum.now()"),
    (rules.no_outside_world, "pmscore/dates/zones.py", "open('prices.csv')"),
    (rules.no_outside_world, "pmscore/dates/zones.py", "print('booked')"),
    (rules.no_escape_from_types, "pmscore/dates/zones.py", "from typing import Any"),
    (rules.no_escape_from_types, "pmscore/dates/zones.py", "import typing\ntyping.cast(int, 'x')"),
    (rules.no_escape_from_types, "pmscore/dates/zones.py", "from typing import TYPE_CHECKING"),
    (rules.no_float_near_money, "pmscore/kernel/money.py", "RATE = 0.5"),
    (rules.no_float_near_money, "pmscore/kernel/money.py", "half = whole / 2"),
    (rules.no_float_near_money, "pmscore/pricing/policies/fees.py", "rate = float('1')"),
    (rules.no_float_near_money, "pmscore/pricing/model.py", "def f(rate: float) -> None: ..."),
    (rules.public_names_are_listed, "pmscore/booking/model.py", "class Booking: ..."),
    (
        rules.public_names_are_listed,
        "pmscore/booking/model.py",
        "__all__ = ['A']\nclass A: ...\nclass B: ...",
    ),
    (rules.listed_names_are_sorted, "pms_web/app.py", "__all__ = ['b', 'a']"),
    (rules.listed_names_are_sorted, "pms_web/app.py", "__all__ = ['a', 'B']"),
    (rules.modules_are_small, "pms_web/app.py", "x = 1\n" * 400),
    (rules.functions_are_small, "pms_web/app.py", "def f():\n" + "    x = 1\n" * 60),
    (rules.modules_are_named_for_their_job, "pms_web/utils.py", ""),
    (rules.modules_are_named_for_their_job, "pms_adapters/common/rows.py", ""),
    (rules.suppressions_carry_a_code, "pms_web/app.py", "x = 1  # type: " + "ignore"),
    (rules.suppressions_carry_a_code, "pms_web/app.py", "x = 1  # no" + "qa"),
    (rules.suppressions_carry_a_code, "pms_web/app.py", "x = 1  # pyright: " + "ignore"),
    (rules.one_door_to_http, "pms_adapters/channels/channex/gateway.py", "import httpx"),
)
# What looks like a breach and is none.
INNOCENT = (
    (rules.allowed_imports, "pmscore/dates/zones.py", "import pendulum"),
    (rules.allowed_imports, "pmscore/testing/laws/stock.py", "import pytest"),
    (rules.allowed_imports, "pmscore/testing/memory.py", "from threading import Lock"),
    (
        rules.allowed_imports,
        "pmscore/booking/model.py",
        "from attrs import frozen\nfrom datetime import date",
    ),
    (rules.no_outside_world, "pmscore/booking/use_cases/book.py", "clock.now()"),
    (rules.no_outside_world, "pmscore/kernel/ids.py", "from uuid import UUID\nUUID('x')"),
    (rules.no_float_near_money, "pmscore/kernel/money.py", "isinstance(x, (int, float))\nx // 2"),
    (rules.no_float_near_money, "pmscore/testing/memory.py", "x = 0.5"),
    (rules.listed_names_are_sorted, "pms_web/app.py", "__all__ = ['MAX_NIGHTS', 'Booking', 'book']"),
    (rules.suppressions_carry_a_code, "pms_web/app.py", "x = 1  # type: ignore[misc]"),
    (rules.one_door_to_http, "pms_adapters/http/client.py", "import httpx"),
)


def _plant(folder: Path, place: str, text: str) -> Module:
    path = folder / place
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    (module,) = read_tree(folder, place.partition("/")[0])
    return module


@cache
def _breaches(source: Path, package: str) -> Mapping[rules.Rule, list[str]]:
    """Return what each rule finds in a package: reading it takes longer than judging it, so it is read once."""
    modules = read_tree(source, package)
    assert modules
    asked = EVERY_RULE if package == "pmscore" else rules.HOUSE_RULES
    return {rule: [breach for module in modules for breach in rule(module)] for rule in asked}


@pytest.mark.parametrize("rule", rules.CORE_RULES, ids=lambda rule: rule.__name__)
def test_the_core_keeps_its_rules(repository: Path, rule: rules.Rule) -> None:
    assert _breaches(repository / "src", "pmscore")[rule] == []


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("rule", rules.HOUSE_RULES, ids=lambda rule: rule.__name__)
def test_every_package_keeps_the_house_rules(repository: Path, rule: rules.Rule, package: str) -> None:
    assert _breaches(repository / "src", package)[rule] == []


@pytest.mark.parametrize(("rule", "place", "breach"), PLANTED)
def test_a_planted_breach_is_caught(tmp_path: Path, rule: rules.Rule, place: str, breach: str) -> None:
    assert list(rule(_plant(tmp_path, place, DOC + breach)))


def test_a_module_without_a_docstring_is_caught(tmp_path: Path) -> None:
    assert list(rules.modules_say_what_they_own(_plant(tmp_path, "pms_web/app.py", "x = 1")))


@pytest.mark.parametrize(("rule", "place", "text"), INNOCENT)
def test_what_only_looks_like_a_breach_passes(
    tmp_path: Path, rule: rules.Rule, place: str, text: str
) -> None:
    assert list(rule(_plant(tmp_path, place, DOC + text))) == []


def test_every_rule_has_a_planted_breach() -> None:
    planted = {rule for rule, _, _ in PLANTED} | {rules.modules_say_what_they_own}
    assert {rule.__name__ for rule in EVERY_RULE} == {rule.__name__ for rule in planted}
