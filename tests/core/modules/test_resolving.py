from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import AgencyId
from pmscore.modules.model import Feature, Manifest, ModuleStatus, Switches
from pmscore.modules.policies import Resolved, features_of, resolved

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def module(name: str, *requires: str, **more: object) -> Manifest:
    return Manifest(name=name, version="1.0", requires=requires, **more)


def why(found: Resolved, name: str) -> tuple[str, str]:
    (state,) = [each for each in found.states if each.name == name]
    return state.status.value, state.why


def test_modules_run_after_what_they_require():
    found = resolved([module("a", "b", "c"), module("b", "c"), module("c")], Switches())
    assert found.order == ("c", "b", "a")
    assert all(each.status is ModuleStatus.ON and each.why == "" for each in found.states)


def test_one_switch_turns_all_off():
    found = resolved([module("a"), module("b", "a")], Switches(are_modules_on=False, by_name={"a": True}))
    assert found.order == ()
    assert {each.why for each in found.states} == {"MODULES_ENABLED=false"}


def test_a_module_has_its_own_switch_and_its_own_default():
    quiet = module("quiet", is_on_by_default=False)
    found = resolved([module("a"), quiet], Switches(by_name={"a": False}))
    assert why(found, "a") == ("off", "A_ENABLED=false")
    assert why(found, "quiet") == ("off", "off by default; QUIET_ENABLED=true turns it on")
    assert resolved([quiet], Switches(by_name={"quiet": True})).is_on("quiet")


def test_a_switch_that_says_nothing_keeps_its_module_off():
    assert why(resolved([module("a")], Switches(by_name={"a": None})), "a") == (
        "off", "A_ENABLED must be true or false",
    )  # fmt: skip


def test_a_module_without_what_it_requires_is_refused_and_the_rest_runs():
    found = resolved([module("a", "missing"), module("b")], Switches())
    assert why(found, "a") == ("refused", "requires missing, which is not installed")
    assert found.order == ("b",)


def test_a_circle_is_refused_whole_and_what_hangs_on_it_is_off():
    found = resolved([module("a", "b"), module("b", "a"), module("c", "a"), module("d")], Switches())
    assert why(found, "a")[0] == why(found, "b")[0] == "refused"
    assert "in a circle (a, b)" in why(found, "a")[1]
    assert why(found, "c") == ("off", "requires a, which is refused")
    assert found.order == ("d",)


def test_a_module_that_requires_itself_is_refused():
    assert why(resolved([module("a", "a")], Switches()), "a")[0] == "refused"


def test_of_two_with_one_name_the_first_stands():
    found = resolved([module("a", is_given=True), Manifest(name="a", version="9")], Switches())
    assert sorted((each.status.value, each.version) for each in found.states) == [
        ("on", "1.0"),
        ("refused", "9"),
    ]
    assert found.order == ("a",)


def test_a_module_that_failed_is_named_with_the_reason_and_the_rest_runs():
    found = resolved([module("a"), module("b")], Switches(), failures={"a": "boom", "gone": "no such file"})
    assert why(found, "a") == ("failed", "boom")
    assert why(found, "gone") == ("failed", "no such file")
    assert found.order == ("b",)


@pytest.mark.parametrize("name", ["", "A", "a-b", "a.b", "1a", "a" * 41, "modules", "core"])
def test_a_name_that_could_not_be_a_setting_is_refused(name: str):
    with pytest.raises(InvalidInputError):
        Manifest(name=name, version="1")


@pytest.mark.parametrize("version", ["", "one", "1 0"])
def test_a_version_must_be_one(version: str):
    with pytest.raises(InvalidInputError):
        Manifest(name="a", version=version)


names = st.sampled_from("abcdefg")


@given(
    st.dictionaries(names, st.lists(names, max_size=3), max_size=7),
    st.dictionaries(names, st.booleans(), max_size=7),
    st.booleans(),
)
def test_whatever_is_installed_each_module_that_runs_has_all_it_requires_before_it(
    installed: dict[str, list[str]], switches: dict[str, bool], are_on: bool
):
    manifests = [module(name, *needs) for name, needs in installed.items()]
    found = resolved(manifests, Switches(are_modules_on=are_on, by_name=switches))
    for at, name in enumerate(found.order):
        assert set(installed[name]) <= set(found.order[:at])
        assert switches.get(name, True)
    assert {each.name for each in found.states} == set(installed)
    assert {each.name for each in found.states if each.is_on} == set(found.order)
    assert all(each.why for each in found.states if not each.is_on)
    assert are_on or not found.order
    # Whoever could run does: all it requires runs, nobody switched it off, and it is in no circle.
    for name, needs in installed.items():
        if are_on and switches.get(name, True) and set(needs) <= set(found.order):
            assert name in found.order


def test_an_agency_has_what_was_decided_and_else_what_is_given():
    manifests = [
        module("a"), module("b", is_given=False), module("metrics", is_for_agencies=False), module("c"),
    ]  # fmt: skip
    decided = [
        Feature(module="c", is_enabled=False, version=2),
        Feature(module="old", is_enabled=True, version=1),
    ]
    found = {each.module: each.is_enabled for each in features_of(manifests, decided)}
    assert found == {"a": True, "b": False, "c": False}


def test_a_decision_is_made_once_and_told_of():
    agency = AgencyId(uuid4())
    given_ = Feature(module="a", is_enabled=True)
    decision = given_.switched(agency, is_enabled=True, at=NOW)
    assert decision.state.version == 1
    assert decision.events[0].payload() == {"module": "a", "is_enabled": True}
    assert decision.state.switched(agency, is_enabled=True, at=NOW).events == ()
    assert decision.state.switched(agency, is_enabled=False, at=NOW).state.version == 2
